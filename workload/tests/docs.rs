//! The page on files of the corpus shows files and steps; what it shows is read as it says, and it shows all.

use std::collections::BTreeSet;
use std::path::Path;

use dht_protocol::HashRange;
use dht_workload::case::{Fault, Move, Whose};
use dht_workload::corpus::Kept;
use dht_workload::hunt::Hunt;
use dht_workload::{Case, Placed, Round, Step};
use fakedht::{Bugs, NodeConfig};

const PAGE: &str = include_str!("../../docs/corpus.md");

/// The blocks of the page marked as `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let blocks = PAGE.split(&start).skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.collect()
}

#[test]
fn the_example_is_a_file_and_fails_with_the_bug_that_it_names() {
    let examples = blocks("json");
    assert_eq!(examples.len(), 1);
    let kept = Kept::parse(Path::new("docs/corpus.md"), examples[0]).unwrap();
    assert_eq!(kept.text(), examples[0], "it looks like a file");
    assert_eq!(Hunt::default().judge(&kept.case, 0), None);
    let bug = Bugs::find(&kept.bug.unwrap()).unwrap();
    let hunt = Hunt::new(NodeConfig {
        bugs: Bugs::from_iter([bug]),
        range: HashRange::FULL,
        ..NodeConfig::default()
    });
    let fault = hunt.judge(&kept.case, 0).expect("the bug shows");
    assert_eq!(fault.requirement.id, kept.requirement);
    assert_eq!(fault.sent, kept.sent);
}

#[test]
fn the_rounds_are_rounds() {
    let examples = blocks("rounds");
    assert_eq!(examples.len(), 2);
    for (example, is_sequential) in examples.into_iter().zip([true, false]) {
        let rounds: Vec<Round> = serde_json::from_str(example).unwrap();
        let lanes = vec![0, 1];
        let case = Case {
            lanes,
            rounds,
            ..Case::default()
        };
        assert_eq!(case.validate(), Ok(()));
        assert_eq!(case.is_sequential(), is_sequential);
        assert_eq!(Hunt::default().judge(&case, 0), None);
    }
}

#[test]
fn the_schedule_is_one_and_every_move_is_shown() {
    let examples = blocks("scheduled");
    assert_eq!(examples.len(), 1);
    let case = Case {
        lanes: vec![0, 1],
        rounds: serde_json::from_str(examples[0]).unwrap(),
        ..Case::default()
    };
    assert_eq!(case.validate(), Ok(()));
    assert!(case.has_schedule());

    let mut shown = BTreeSet::new();
    for line in blocks("moves").into_iter().flat_map(str::lines) {
        let next: Move = serde_json::from_str(line).unwrap();
        shown.insert(match next {
            Move::Start(_) => 0,
            Move::ToNode(_) => 1,
            Move::ToClient(Whose::Lane(_)) => 2,
            Move::ToClient(Whose::Named(_)) => 3,
            Move::End(_) => 4,
            Move::Cut(_) => 5,
        });
    }
    assert_eq!(shown.len(), 6);
}

#[test]
fn every_step_and_every_fault_is_shown() {
    let mut shown = BTreeSet::new();
    for line in blocks("steps").into_iter().flat_map(str::lines) {
        let placed: Placed = serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("{error}: {line}");
        });
        let written: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_value(&placed).unwrap(), written);
        shown.insert(kind(&placed.step));
    }
    let shown: Vec<_> = shown.into_iter().collect();
    assert_eq!(shown, (0..KINDS).collect::<Vec<_>>());
}

/// How many kinds of steps and faults there are.
const KINDS: usize = 26;

/// A number for each. Without a wildcard, so that none is forgotten.
fn kind(step: &Step) -> usize {
    match step {
        Step::Put { .. } => 0,
        Step::Get { .. } => 1,
        Step::Exists { .. } => 2,
        Step::Remove { .. } => 3,
        Step::Update { .. } => 4,
        Step::GetAll { .. } => 5,
        Step::GetChannels {} => 6,
        Step::RemoveChannel { .. } => 7,
        Step::BeginUpdate { .. } => 8,
        Step::Decide { .. } => 9,
        Step::OpenGetAll { .. } => 10,
        Step::OpenMirror { .. } => 11,
        Step::Suspend { .. } => 12,
        Step::Resume { .. } => 13,
        Step::Stop { .. } => 14,
        Step::Finish { .. } => 15,
        Step::Fault(Fault::Cut { .. }) => 16,
        Step::Fault(Fault::Split { .. }) => 17,
        Step::Fault(Fault::Coalesce { .. }) => 18,
        Step::Fault(Fault::Stall { .. }) => 19,
        Step::Fault(Fault::Halt { .. }) => 20,
        Step::Fault(Fault::Kill {}) => 21,
        Step::Wrong(_) => 22,
        Step::PutBatch { .. } => 23,
        Step::GetSize { .. } => 24,
        Step::OpenListen { .. } => 25,
    }
}
