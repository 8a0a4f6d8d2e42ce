//! A sweep: connections that are cut at each message of each request, so that no place is left out.
//!
//! Each case does one request, whose connection is cut somewhere, and then looks at what came of it over a
//! second connection, and over the first one when it is back. Whatever was cut has happened or it has not;
//! everything else has to be as if nothing had gone wrong.

use crate::case::{Case, Decision, Direction, Fault, Placed, Round, Step};
use crate::names::KeyName;

/// The record that requests are about.
const CHANNEL: &str = "c";
const KEY: KeyName = KeyName::Inside(0);
/// A channel that they are not about.
const OTHER: &str = "d";

/// The lane whose connection is cut, and the one that is left alone.
const CUT: usize = 0;
const WHOLE: usize = 1;

/// So many bytes of a message pass if it is cut inside: more than its header has, less than the shortest
/// one.
const MIDDLE: u32 = 14;
/// So many further requests are made, so that one is cut if the request had fewer messages than it may.
const FURTHER: usize = 4;

/// A request, and where it can be cut.
#[derive(Clone, Debug)]
pub struct Request {
    /// The steps that it takes.
    pub steps: Vec<Step>,
    /// How many messages the client sends, at least.
    pub to_node: u32,
    /// How many messages the node sends, at least.
    pub to_client: u32,
}

/// A case for each place where a request can be cut: before and after each message, and once in its
/// middle, in both directions.
pub fn sweep(removes_channels: bool) -> Vec<Case> {
    let removes = |request: &Request| matches!(request.steps[..], [Step::RemoveChannel { .. }]);
    let requests = requests().into_iter();
    requests
        .filter(|request| removes_channels || !removes(request))
        .flat_map(|request| request.places().map(move |place| case(&request, place)))
        .collect()
}

/// Each kind of request, with every way to end it.
pub fn requests() -> Vec<Request> {
    let channel = || CHANNEL.to_owned();
    let key = KEY;
    let replace = || Decision::Replace("new".into());
    let update = |decision| Step::Update {
        channel: channel(),
        key,
        decision,
    };
    let name = || "u".to_owned();
    let held = |decision| {
        let begin = Step::BeginUpdate {
            update: name(),
            channel: channel(),
            key,
        };
        let decide = Step::Decide {
            update: name(),
            decision,
        };
        Request::new([begin, decide], 2, 3)
    };
    let get_all = |keys_only| Step::GetAll {
        channel: channel(),
        keys_only,
        filter: String::new(),
    };
    let value = "new".into();
    vec![
        Request::new([put(CHANNEL, value)], 1, 2),
        Request::new([get(CHANNEL)], 1, 2),
        Request::new(
            [Step::Exists {
                channel: channel(),
                key,
            }],
            1,
            2,
        ),
        Request::new(
            [Step::Remove {
                channel: channel(),
                key,
            }],
            1,
            2,
        ),
        Request::new([update(replace())], 2, 3),
        Request::new([update(Decision::Leave)], 2, 3),
        Request::new([update(Decision::Delete)], 2, 3),
        held(replace()),
        held(Decision::Delete),
        Request::new([get_all(false)], 2, 4),
        Request::new([get_all(true)], 2, 4),
        open_get_all(),
        Request::new([Step::GetChannels {}], 1, 4),
        Request::new([Step::RemoveChannel { channel: channel() }], 1, 2),
        mirror(true),
        mirror(false),
    ]
}

/// A GetAll that is suspended and resumed.
fn open_get_all() -> Request {
    let stream = || "s".to_owned();
    let steps = [
        Step::OpenGetAll {
            stream: stream(),
            channel: CHANNEL.to_owned(),
            keys_only: false,
            filter: String::new(),
        },
        Step::Suspend { stream: stream() },
        Step::Resume { stream: stream() },
        Step::Finish { stream: stream() },
    ];
    Request::new(steps, 4, 6)
}

/// A Mirror that is suspended and resumed, and told of a change.
fn mirror(refresh: bool) -> Request {
    let stream = || "s".to_owned();
    let steps = [
        Step::OpenMirror {
            stream: stream(),
            channel: CHANNEL.to_owned(),
            refresh,
        },
        Step::Suspend { stream: stream() },
        Step::Resume { stream: stream() },
        Step::Finish { stream: stream() },
    ];
    Request::new(steps, 4, 6)
}

fn put(channel: &str, value: crate::value::Value) -> Step {
    Step::Put {
        channel: channel.to_owned(),
        key: KEY,
        value,
    }
}

fn get(channel: &str) -> Step {
    Step::Get {
        channel: channel.to_owned(),
        key: KEY,
    }
}

impl Request {
    fn new<const N: usize>(steps: [Step; N], to_node: u32, to_client: u32) -> Self {
        Self {
            steps: steps.into(),
            to_node,
            to_client,
        }
    }

    /// Where it can be cut: in which direction, behind how many messages, and how many bytes.
    fn places(&self) -> impl Iterator<Item = (Direction, u32, u32)> + use<> {
        let along = |direction, count| {
            (0..=count).flat_map(move |messages| {
                let inside = (messages < count).then_some((direction, messages, MIDDLE));
                [(direction, messages, 0)].into_iter().chain(inside)
            })
        };
        along(Direction::ToNode, self.to_node).chain(along(Direction::ToClient, self.to_client))
    }
}

fn case(request: &Request, (direction, messages, bytes): (Direction, u32, u32)) -> Case {
    let cut = Step::Fault(Fault::Cut {
        connection: CUT,
        direction,
        messages,
        bytes,
    });
    let before = [put(CHANNEL, "old".into()), put(OTHER, "other".into())];
    let further = std::iter::repeat_n(get(OTHER), FURTHER);
    let look = [
        get(CHANNEL),
        Step::GetAll {
            channel: CHANNEL.to_owned(),
            keys_only: false,
            filter: String::new(),
        },
        Step::GetChannels {},
        put(OTHER, "late".into()),
    ];
    let on = |lane: usize| move |step| Round::from(vec![Placed { lane, step }]);
    let rounds = before.into_iter().map(on(WHOLE));
    let rounds = rounds.chain([cut].into_iter().map(on(CUT)));
    let rounds = rounds.chain(request.steps.iter().cloned().map(on(CUT)));
    let rounds = rounds.chain(further.map(on(CUT)));
    let rounds = rounds.chain(look.into_iter().map(on(WHOLE)));
    // The connection is back, and shows the same.
    let rounds = rounds.chain([get(OTHER), get(CHANNEL)].into_iter().map(on(CUT)));
    Case {
        lanes: vec![CUT, WHOLE],
        rounds: rounds.collect(),
        ..Case::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fakedht::{Bugs, NodeConfig};

    use super::*;
    use crate::hunt::Hunt;

    #[test]
    fn what_shows_only_when_a_connection_ends_is_found() {
        for name in ["hanging-up-makes-unusable", "earlier-answer-repeated"] {
            let bug = Bugs::find(name).unwrap();
            let hunt = Hunt::new(NodeConfig {
                bugs: Bugs::from_iter([bug]),
                ..NodeConfig::default()
            });
            let found = sweep(true).iter().any(|case| hunt.judge(case, 0).is_some());
            assert!(found, "{name}");
        }
    }

    #[test]
    fn a_healthy_node_is_right_wherever_it_is_cut() {
        let hunt = Hunt::default();
        for (number, case) in (0..).zip(sweep(true)) {
            assert_eq!(hunt.judge(&case, number), None, "{case}");
        }
    }

    #[test]
    fn every_case_can_be_run_and_is_another_one() {
        let cases = sweep(true);
        let mut seen = BTreeSet::new();
        for case in &cases {
            assert_eq!(case.validate(), Ok(()));
            assert!(case.is_sequential() && case.has_faults());
            assert!(seen.insert(case.to_string()), "{case}");
        }
        assert!(cases.len() > 100, "{}", cases.len());
    }

    #[test]
    fn a_request_is_cut_before_in_and_after_each_message() {
        let request = Request::new([get(CHANNEL)], 1, 2);
        let places: Vec<_> = request.places().collect();
        let (up, down) = (Direction::ToNode, Direction::ToClient);
        let expected = [
            (up, 0, 0),
            (up, 0, MIDDLE),
            (up, 1, 0),
            (down, 0, 0),
            (down, 0, MIDDLE),
            (down, 1, 0),
            (down, 1, MIDDLE),
            (down, 2, 0),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn who_may_not_remove_channels_does_not() {
        let removes = |case: &Case| case.to_string().contains("RemoveChannel");
        assert!(sweep(true).iter().any(removes));
        assert!(!sweep(false).iter().any(removes));
    }
}
