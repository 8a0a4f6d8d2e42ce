//! Both protocols on one node, in this process.

use dht_requirements::{self as req, Requirement};
use dht_workload::hunt::{Hunt, Technique};
use dht_workload::judge::sequential::{self, Reach};
use dht_workload::minimise::Effort;
use dht_workload::names::Names;
use dht_workload::recording::Recording;
use dht_workload::world::{Ending, Event};
use dht_workload::{Case, generate};
use fakedht::{Bugs, NodeConfig};

fn case(json: &str) -> Case {
    let case: Case = serde_json::from_str(json).unwrap();
    assert_eq!(case.validate(), Ok(()));
    case
}

fn play(case: &Case, schedule: u64) -> Recording {
    let hunt = Hunt::default();
    assert_eq!(hunt.judge(case, schedule), None, "{case}");
    hunt.play(case, schedule)
}

/// How each step ended.
fn endings(recording: &Recording) -> Vec<String> {
    let entries = recording.entries.iter();
    entries
        .map(|entry| match &entry.ended {
            Some((_, ending)) => ending.to_string(),
            None => "never".to_owned(),
        })
        .collect()
}

const SEQUENCE: &str = r#"{ "lanes": [0, 1], "legacy": [1], "rounds": [
    [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
    [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
    [ {"lane": 1, "put": {"channel": "c", "key": "k0", "value": "v2"}} ],
    [ {"lane": 0, "get": {"channel": "c", "key": "k0"}} ],
    [ {"lane": 1, "put": {"channel": "c", "key": "k1", "value": ""}} ],
    [ {"lane": 1, "put_batch": {"channel": "c", "records": [["k2", "v3"], ["k3", ""], ["k4", "v4"]]}} ],
    [ {"lane": 1, "get_size": {"channel": "c"}} ],
    [ {"lane": 1, "remove": {"channel": "c", "key": "k0"}} ],
    [ {"lane": 0, "exists": {"channel": "c", "key": "k0"}} ],
    [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
    [ {"lane": 1, "get": {"channel": "other", "key": "k0"}} ],
    [ {"lane": 1, "get_channels": {}} ],
    [ {"lane": 1, "remove_channel": {"channel": "c"}} ],
    [ {"lane": 0, "get_channels": {}} ],
    [ {"lane": 1, "update": {"channel": "c", "key": "k0", "decision": "leave"}} ],
    [ {"lane": 0, "get_size": {"channel": "c"}} ] ] }"#;

#[test]
fn one_state_two_protocols() {
    let case = case(SEQUENCE);
    let recording = play(&case, 0);
    let names = Names::new("", NodeConfig::default().range, true);
    assert_eq!(sequential::judge(&recording, &names), Ok(Reach::All));
    let endings = endings(&recording);
    let expected = [
        "stored",
        "\"v1\"",
        "stored",
        "\"v2\"",
        "empty value",
        "empty value",
        "2 records, 4 bytes",
        "gone",
        "record does not exist",
        "no value",
        "no value",
        "1 channels: \"c\"",
        "channel removed",
        "0 channels",
    ];
    assert_eq!(endings[..expected.len()], expected);
    let not_known = &endings[expected.len()..];
    assert!(
        not_known
            .iter()
            .all(|ending| ending.starts_with("nothing came of it"))
    );
}

#[test]
fn a_wrong_answer_breaks_a_rule_of_its_protocol() {
    let names = Names::new("", NodeConfig::default().range, true);
    let right = play(&case(SEQUENCE), 0);
    let wrong = |place: usize, answer: dht_model::Answer| -> &'static Requirement {
        let mut recording = right.clone();
        let ended = recording.entries[place].ended.as_mut().unwrap();
        ended.1 = Ending::Answer(answer);
        sequential::judge(&recording, &names)
            .unwrap_err()
            .requirement
    };
    use dht_model::Answer;
    assert_eq!(wrong(1, Answer::NothingThere).id, req::LEG_GET_VALUE.id);
    assert_eq!(
        wrong(3, Answer::Value("v1".into())).id,
        req::GET_VALUE_EXACT.id
    );
    assert_eq!(wrong(5, Answer::Stored).id, req::LEG_PUTBATCH_EMPTY.id);
    let size = Answer::Size {
        records: 3,
        bytes: 6,
    };
    assert_eq!(wrong(6, size).id, req::LEG_SIZE_RECORDS.id);
    let channels = Answer::Channels(vec!["c".into()]);
    assert_eq!(wrong(13, channels).id, req::CHANNELS_REAL.id);
}

#[test]
fn a_listen_is_told_writes_of_both_protocols_and_the_end() {
    let listen = r#"{ "lanes": [0, 1, 2], "legacy": [1, 2], "rounds": [
        [ {"lane": 1, "open_listen": {"stream": "l1", "channel": "c"}} ],
        [ {"lane": 0, "get_channels": {}} ],
        [ {"lane": 0, "get_channels": {}} ],
        [ {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}} ],
        [ {"lane": 2, "put": {"channel": "c", "key": "k1", "value": "v2"}} ],
        [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
        [ {"lane": 2, "finish": {"stream": "l1"}} ],
        [ {"lane": 1, "get": {"channel": "c", "key": "k0"}} ],
        [ {"lane": 1, "open_listen": {"stream": "l2", "channel": "c"}} ],
        [ {"lane": 0, "remove_channel": {"channel": "c"}} ],
        [ {"lane": 0, "get_channels": {}} ],
        [ {"lane": 0, "finish": {"stream": "l2"}} ] ] }"#;
    let (mut told, mut ended) = (0, 0);
    for schedule in 0..40 {
        let recording = play(&case(listen), schedule);
        let endings = endings(&recording);
        assert_eq!(endings[5], "nothing came of it: the connection is taken");
        assert_eq!(endings[7], "\"v1\"");
        let has = |stream: usize, wanted: fn(&Event) -> bool| {
            let told = &recording.streams[stream].told;
            usize::from(told.iter().any(|(_, event)| wanted(event)))
        };
        told += has(0, |event| matches!(event, Event::Updated(..)));
        ended += has(1, |event| *event == Event::ChannelRemoved);
        assert_eq!(has(0, |event| *event == Event::Stopped), 1);
    }
    // Whether the node has heard of the second Listen by then is chance.
    assert!(told > 20 && ended > 5, "{told}, {ended}");
}

#[test]
fn a_healthy_node_is_right() {
    let mut search = Hunt::default().begin(1, vec![Technique::Mixed]);
    let caught = (0..150).find_map(|_| search.turn());
    assert_eq!(caught, None);
}

/// Bugs of the legacy protocol, some of which no directed check would find.
const BUGS: &[&str] = &[
    "legacy-put-every-12th-tells-nobody",
    "legacy-put-every-70th-lost",
    "legacy-remove-every-30th-not-done",
    "legacy-remove-channel-leaves-seventh",
    "legacy-putbatch-every-20th-only-first",
    "legacy-put-tells-nobody",
    "legacy-get-cuts-last-byte",
    "legacy-exists-inverted",
    "legacy-channels-none",
    "legacy-size-off-by-one",
    "legacy-listen-cuts-values",
    "legacy-listen-never-ends",
    "legacy-listen-repeats-old",
    "legacy-putbatch-loses-last",
    "legacy-getall-repeats",
];

#[test]
fn bugs_are_found_and_made_short() {
    for name in BUGS {
        let hunt = Hunt::new(NodeConfig {
            bugs: Bugs::find(name).into_iter().collect(),
            ..NodeConfig::default()
        });
        let mut search = hunt.begin(0, vec![Technique::Mixed]);
        let caught = (0..120).find_map(|_| search.turn());
        let caught = caught.unwrap_or_else(|| panic!("{name}"));
        let minimal = hunt.minimise(&caught, Effort::default());
        assert!(minimal.case.len() <= caught.case.len());
        assert!(minimal.case.has_legacy(), "{name}: {}", minimal.case);
        let fault = hunt
            .judge(&minimal.case, caught.schedule)
            .unwrap_or_else(|| panic!("{name}: {}", minimal.case));
        assert_eq!(fault.requirement.id, caught.fault.requirement.id, "{name}");
    }
}

#[test]
fn a_seed_is_one_run() {
    for round in 0..3 {
        let case = generate::case(round, &Technique::Mixed.shape(round));
        assert!(case.has_legacy());
        let hunt = Hunt::default();
        assert_eq!(hunt.play(&case, 7), hunt.play(&case, 7));
    }
}
