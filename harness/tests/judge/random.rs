//! The bugs that are for random cases: they show at edges, when requests meet, or late, where no list of
//! checks would look.

use dht_workload::hunt::{Hunt, Technique};
use fakedht::{Bugs, NodeConfig};

/// See the module.
pub(super) static RANDOM_ONLY: &[&str] = &[
    // boundaries
    "values-of-255-cut",
    "values-of-256-empty",
    "values-of-65511-refused",
    "values-of-4-kib-as-before",
    "get-all-loses-behind-full-batch",
    "get-all-skips-65th",
    "get-all-value-once-in-batch",
    "get-all-filter-misses-end",
    "get-all-blind-in-refilled-channel",
    "first-key-not-walked-to",
    "last-key-not-removed",
    "last-key-update-lost",
    "last-key-refused-after-first",
    "remove-channel-leaves-last-key",
    "remove-channel-leaves-65th",
    "empty-value-in-get-all-ends-it",
    // interleavings
    "update-misses-put-between",
    "update-misses-update-between",
    "update-deleted-still-exists",
    "update-answered-as-neighbour",
    "get-cached-by-connection",
    "get-old-during-get-all",
    "get-old-during-update",
    "get-value-of-other-connection",
    "put-lost-behind-another",
    "remove-won-twice",
    "exists-true-behind-remove",
    "put-unanswered-during-update",
    "get-all-forgets-rewritten",
    "get-all-repeats-after-put",
    "mirror-misses-change-of-refreshed",
    "mirror-misses-change-behind-resume",
    "mirror-misses-removal-behind-write",
    "mirror-told-once-for-two",
    "mirror-third-is-deaf",
    // messages that clients ignore: the wire monitor does not
    "exists-answered-again-during-update",
    "get-channels-status-behind-end",
    "mirror-overflow-behind-third-ack",
    // long_runs
    "put-every-1024th-lost",
    "put-every-300th-stored-next-door",
    "update-every-64th-not-stored",
    "remove-every-200th-not-done",
    "remove-every-150th-denied",
    "exists-every-250th-wrong",
    "get-every-400th-value-of-another",
    "get-longer-after-3000-requests",
    "answer-lost-after-5000",
    "id-4096-forgotten",
    "get-all-every-60th-incomplete",
    "get-channels-every-20th-short",
    "get-channels-every-30th-ends-early",
    "mirror-tires-of-changes",
    // both protocols
    "legacy-put-every-12th-tells-nobody",
    "legacy-put-every-70th-lost",
    "legacy-remove-every-30th-not-done",
    "legacy-remove-channel-leaves-seventh",
    "legacy-putbatch-every-20th-only-first",
];

/// How many cases they get. Which of them finds what follows from their number alone.
const TURNS: usize = 400;

#[test]
fn every_bug_without_a_check_is_found_by_random_cases() {
    for name in RANDOM_ONLY {
        let hunt = Hunt::new(NodeConfig {
            bugs: Bugs::find(name).into_iter().collect(),
            ..NodeConfig::default()
        });
        let mut search = hunt.begin(0, Technique::ALL.to_vec());
        let caught = (0..TURNS).find_map(|_| search.turn());
        assert!(caught.is_some(), "{name}");
    }
}

#[test]
fn a_healthy_node_is_left_alone() {
    let mut search = Hunt::default().begin(0, Technique::ALL.to_vec());
    let caught = (0..60).find_map(|_| search.turn());
    assert_eq!(caught, None);
}
