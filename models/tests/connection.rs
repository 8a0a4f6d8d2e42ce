//! One connection from its first byte on: all frames are explored, and the properties find what is broken.

use std::collections::{BTreeSet, HashSet};

use dht_models::connection::state::Side;
use dht_models::connection::{
    ConnectionModel, Defect, Frame, Goal, PROPERTIES, State, frames, models,
};
use dht_models::frames::Bounds;
use stateright::{Checker, Model};

/// How many distinct states each frame has within small bounds.
const STATES: &[(&str, usize)] = &[
    ("handshake", 207),
    ("multiplexing", 1369),
    ("bytes", 3850),
    ("broken", 1078),
    ("half-closed", 2151),
    ("stalled", 407),
    ("unknown-name", 503),
    ("wrong-key", 503),
    ("old-timestamp", 503),
    ("new-timestamp", 503),
    ("wrong-version", 12),
    ("early-bytes", 4303),
    ("malformed-handshake", 469),
    ("faulty-node", 953),
    ("garbage", 1104),
    ("bystander", 528),
];

/// The frame with this name, within small bounds.
fn frame(name: &str) -> Frame {
    let mut frames = frames(Bounds::Small).into_iter();
    frames.find(|frame| frame.name == name).unwrap()
}

/// Explores all states, and says how many there are. Properties that do not hold are told with a run.
fn explore(model: ConnectionModel, threads: usize) -> (usize, Vec<(&'static str, String)>) {
    let goals: BTreeSet<_> = model.frame().goals.iter().map(|goal| goal.name()).collect();
    let checker = model.checker().threads(threads).spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    for goal in goals {
        assert!(discoveries.remove(goal).is_some(), "never: {goal}");
    }
    let broken = discoveries.into_iter().map(|(property, path)| {
        let steps = path.into_vec().into_iter().map(|(state, action)| {
            let lines = checker.model().describe(&state).join("\n  ");
            format!("  {lines}\n{action:?}\n")
        });
        (property, steps.collect())
    });
    (checker.unique_state_count(), broken.collect())
}

/// The properties that a defect breaks in a frame.
fn broken_by(defect: Defect, frame: Frame) -> BTreeSet<&'static str> {
    let model = ConnectionModel::new(frame).with_defect(defect);
    let checker = model.checker().threads(1).spawn_bfs().join();
    let discoveries = checker.discoveries().into_keys();
    let properties: BTreeSet<_> = PROPERTIES.iter().map(|property| property.name).collect();
    discoveries
        .filter(|name| properties.contains(name))
        .collect()
}

#[test]
fn every_property_holds_in_every_frame() {
    let mut states = Vec::new();
    for model in models(Bounds::Small) {
        let name = model.frame().name;
        let (count, broken) = explore(model, 1);
        if let Some((property, run)) = broken.first() {
            panic!("{name}: \"{property}\" does not hold:\n{run}");
        }
        states.push((name, count));
    }
    assert_eq!(states, STATES);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (count, broken) = explore(ConnectionModel::new(frame("multiplexing")), 2);
    assert_eq!((count, broken), (1369, vec![]));
}

/// Each defect, a frame in which it shows, and the properties that it breaks there.
const FOUND: &[(Defect, &str, &[&str])] = &[
    (
        Defect::SpeaksEarly,
        "handshake",
        &["the client waits its turn"],
    ),
    (
        Defect::AsksEarly,
        "handshake",
        &["the client waits its turn"],
    ),
    (
        Defect::AcceptsEarly,
        "handshake",
        &["the node waits its turn"],
    ),
    (
        Defect::AcceptsAnybody,
        "unknown-name",
        &["outsiders stay out"],
    ),
    (Defect::AcceptsAnybody, "wrong-key", &["outsiders stay out"]),
    (
        Defect::AcceptsAnybody,
        "old-timestamp",
        &["outsiders stay out"],
    ),
    (
        Defect::Explains,
        "wrong-key",
        &["outsiders are answered as specified"],
    ),
    (
        Defect::ActsAtOnce,
        "wrong-key",
        &["nothing is done for strangers"],
    ),
    (Defect::ActsAtOnce, "broken", &["only whole messages count"]),
    (Defect::StaysOpen, "garbage", &["both ends agree"]),
    (
        Defect::SkipsStatus,
        "multiplexing",
        &["the status comes first"],
    ),
    (
        Defect::SwapsIds,
        "multiplexing",
        &["answers belong to their request"],
    ),
    (Defect::LosesTails, "handshake", &["cuts do not matter"]),
    (
        Defect::LosesTails,
        "bytes",
        &["cuts do not matter", "everything is answered in the end"],
    ),
    (
        Defect::Forgets,
        "multiplexing",
        &["everything is answered in the end"],
    ),
    (
        Defect::Forgets,
        "half-closed",
        &["everything is answered in the end"],
    ),
    (
        Defect::ClosesAll,
        "bystander",
        &["a violation ends its own connection alone"],
    ),
];

#[test]
fn every_defect_is_found() {
    for (defect, name, properties) in FOUND {
        let broken = broken_by(*defect, frame(name));
        for property in *properties {
            assert!(
                broken.contains(property),
                "{defect:?} in {name} breaks {broken:?}, not \"{property}\""
            );
        }
    }
    let defects: HashSet<_> = FOUND.iter().map(|(defect, ..)| defect).collect();
    assert_eq!(defects.len(), Defect::ALL.len());
}

#[test]
fn every_property_is_broken_by_some_defect() {
    let broken: BTreeSet<_> = FOUND
        .iter()
        .flat_map(|(.., properties)| *properties)
        .collect();
    for property in PROPERTIES {
        assert!(broken.contains(&property.name), "{}", property.name);
    }
}

#[test]
fn a_defect_shows_only_where_it_matters() {
    let nowhere = BTreeSet::new();
    assert_eq!(
        broken_by(Defect::AcceptsAnybody, frame("handshake")),
        nowhere
    );
    assert_eq!(broken_by(Defect::ClosesAll, frame("garbage")), nowhere);
    assert_eq!(broken_by(Defect::Explains, frame("multiplexing")), nowhere);
}

/// What grows with every step: that there is such a thing is why every run ends.
fn progress(model: &ConnectionModel, state: &State) -> usize {
    let lanes = state.lanes.iter().flatten();
    let of_lane = lanes.map(|lane| {
        let ends = Side::BOTH.map(|side| {
            let end = model.end(lane, side);
            end.read.len() + end.wrote.len() + usize::from(!end.is_running())
        });
        let flags = [lane.injected, lane.broken, lane.finished].map(usize::from);
        ends.iter().chain(&flags).sum::<usize>() + lane.sent.count_ones() as usize
    });
    of_lane.sum()
}

#[test]
fn every_run_ends() {
    let mut states = Vec::new();
    for model in models(Bounds::Small) {
        let mut seen = HashSet::new();
        let mut waiting = model.init_states();
        while let Some(state) = waiting.pop() {
            if !seen.insert(state) {
                continue;
            }
            let before = progress(&model, &state);
            for (action, next) in model.next_steps(&state) {
                assert!(progress(&model, &next) > before, "{action:?}");
                waiting.push(next);
            }
        }
        states.push((model.frame().name, seen.len()));
    }
    assert_eq!(states, STATES, "another way to count them");
}

#[test]
fn every_frame_has_goals_and_every_goal_a_frame() {
    let frames = frames(Bounds::Small);
    let mut names: Vec<_> = frames.iter().map(|frame| frame.name).collect();
    names.dedup();
    assert_eq!(names.len(), frames.len());
    for bounds in [Bounds::Small, Bounds::Default] {
        for frame in dht_models::connection::frames(bounds) {
            assert!(
                !frame.goals.is_empty() && !frame.about.is_empty(),
                "{}",
                frame.name
            );
        }
    }
    let used: HashSet<_> = frames.iter().flat_map(|frame| frame.goals).collect();
    assert_eq!(used.len(), Goal::ALL.len());
}

#[test]
fn what_requests_are_answered_alone() {
    let model = ConnectionModel::new(frame("multiplexing"));
    let range = [[0; 8], [0xff; 8]].concat();
    let alone: Vec<Vec<Vec<u8>>> = model
        .alone()
        .iter()
        .map(|answers| answers.iter().map(|answer| answer.to_vec()).collect())
        .collect();
    let value = [&5_u64.to_le_bytes()[..], b"value"].concat();
    assert_eq!(
        alone,
        [
            vec![vec![0xfd], vec![1]],
            vec![vec![0xfd], vec![2], value],
            vec![vec![0xfd], range],
        ]
    );
}
