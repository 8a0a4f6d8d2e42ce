//! How nodes with bugs take what clients do to them in bare bytes.

use dht_protocol::neo::AuthKey;
use dht_protocol::neo::auth::{self, Proof};
use fakedht::Bugs;

use super::deeds::{DEEDS, Deed, unread};
use super::stage::{NOW, Stage, authentication, header};

/// How a node is after a deed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum After {
    /// The connection is closed and others are served.
    Closed,
    /// It is open before the authentication.
    Outside,
    /// It is open, and the client is let in.
    Welcome,
    /// No connection is served any more, but a new one is.
    AllClosed,
    /// New connections are not served.
    Unusable,
    /// The node has crashed.
    Crashed,
}

use After::{AllClosed, Closed, Crashed, Outside, Unusable, Welcome};

/// How a node with these bugs is after a deed, and what was seen.
fn after(bugs: Bugs, deed: Deed) -> (After, String) {
    let mut stage = Stage::new(bugs);
    let bystander = stage.open();
    let id = deed(&mut stage);
    let bystander = stage.is_served(bystander);
    let is_open = stage.node.connections().any(|open| open == id);
    let is_known = stage.node.client(id).is_some();
    let newcomer = stage.open();
    let newcomer = stage.is_served(newcomer);
    let after = match (is_open, is_known) {
        _ if stage.node.has_crashed() => Crashed,
        _ if !newcomer => Unusable,
        _ if !bystander => AllClosed,
        (false, _) => Closed,
        (true, false) => Outside,
        (true, true) => Welcome,
    };
    (after, stage.seen)
}

/// All that is seen when a node with these bugs meets all deeds.
pub(crate) fn seen(bugs: Bugs) -> String {
    DEEDS
        .iter()
        .map(|(name, deed)| format!("{name}: {}", after(bugs.clone(), *deed).1))
        .collect()
}

#[test]
fn each_bug_does_what_it_says_and_nothing_without_it() {
    for (bug, name, healthy, wrong) in CASES {
        let deed = DEEDS.iter().find(|(deed, _)| deed == name).unwrap().1;
        let bugs = Bugs::from_iter([Bugs::find(bug).unwrap()]);
        assert_eq!(after(Bugs::none(), deed).0, *healthy, "healthy, {name}");
        assert_eq!(after(bugs, deed).0, *wrong, "{bug}, {name}");
    }
}

#[test]
fn a_recorded_authentication_can_be_replayed_with_a_constant_nonce() {
    for (bugs, replayed) in [("", false), ("nonce-constant", true)] {
        let mut stage = Stage::new(Bugs::from_iter(Bugs::find(bugs)));
        let (first, nonce) = stage.tell_time(NOW);
        let proof = Proof {
            name: b"admin".to_vec(),
            code: auth::code(&AuthKey::ZERO, NOW, nonce),
        };
        let recorded = authentication(&proof.encode());
        stage.say(first, &recorded);
        assert!(stage.node.client(first).is_some());
        let (second, _) = stage.tell_time(NOW);
        stage.say(second, &recorded);
        assert_eq!(stage.node.client(second).is_some(), replayed);
    }
}

#[test]
fn a_node_that_stands_still_goes_on_when_the_slow_client_reads_or_goes() {
    for reads in [true, false] {
        let bug = Bugs::find("slow-reader-blocks-others");
        let mut stage = Stage::new(Bugs::from_iter(bug));
        let (other, slow) = (stage.open(), stage.open());
        unread(&mut stage, slow);
        assert!(stage.node.output(slow).unwrap().len() > 100_000);
        assert!(!stage.is_served(other));
        assert!(!stage.node.wants_input(other));
        while stage.node.pop_woken().is_some() {}
        match reads {
            true => _ = stage.listen(slow),
            false => stage.node.close(slow),
        }
        assert_eq!(stage.node.pop_woken(), Some(other));
        assert!(!stage.listen(other).is_empty());
        assert!(stage.node.wants_input(other) && stage.is_served(other));
    }
}

#[test]
fn a_crashed_node_can_be_restarted() {
    let bug = Bugs::find("id-zero-crashes");
    let mut stage = Stage::new(Bugs::from_iter(bug));
    let bystander = stage.open();
    stage.open_and_say(&[header(1, 8), vec![0; 8]].concat());
    assert!(stage.node.has_crashed());
    assert_eq!(stage.node.connections().count(), 0);
    let mut told = std::iter::from_fn(|| stage.node.pop_woken());
    assert!(told.any(|id| id == bystander), "whoever drives it is told");
    stage.node.restart();
    assert!(!stage.node.has_crashed());
    let newcomer = stage.open();
    assert!(stage.is_served(newcomer));
}

/// A bug, a deed, and how a healthy node and one with the bug are after it.
const CASES: &[(&str, &str, After, After)] = &[
    ("version-any-accepted", "version 2", Closed, Outside),
    ("version-mismatch-kept-open", "version 2", Closed, Outside),
    ("version-company-accepted", "company", Closed, Outside),
    ("version-company-dropped", "company", Closed, Outside),
    (
        "version-mismatch-closes-all",
        "version 2",
        Closed,
        AllClosed,
    ),
    ("parity-not-checked", "parity", Closed, Welcome),
    ("parity-error-skipped", "parity", Closed, Welcome),
    ("parity-ignores-length", "long message", Welcome, Closed),
    ("type-not-checked", "type 9", Closed, Welcome),
    ("type-unknown-skipped", "type 9", Closed, Welcome),
    ("request-without-id-skipped", "no id", Closed, Welcome),
    ("huge-length-awaited", "huge", Closed, Welcome),
    (
        "huge-length-awaited-before-login",
        "huge early",
        Closed,
        Outside,
    ),
    (
        "authentication-too-long-skipped",
        "long authentication",
        Closed,
        Outside,
    ),
    (
        "authentication-when-open-skipped",
        "late authentication",
        Closed,
        Welcome,
    ),
    (
        "request-before-login-skipped",
        "early request",
        Closed,
        Outside,
    ),
    ("id-zero-taken-for-1", "id 0", Closed, Welcome),
    ("id-zero-ignored", "id 0", Closed, Welcome),
    ("id-zero-crashes", "id 0", Closed, Crashed),
    ("no-command-ignored", "no command", Closed, Welcome),
    ("no-command-crashes", "no command", Closed, Crashed),
    ("login-any-key", "wrong code", Closed, Welcome),
    ("login-any-time", "two days ago", Closed, Welcome),
    ("login-any-time", "in two days", Closed, Welcome),
    ("login-future-time", "in two days", Closed, Welcome),
    ("login-future-time", "two days ago", Closed, Closed),
    ("login-past-time", "two days ago", Closed, Welcome),
    ("login-past-time", "in two days", Closed, Closed),
    ("login-past-time", "time 0", Closed, Closed),
    ("login-zero-time", "time 0", Closed, Welcome),
    ("login-negative-time", "time -1", Closed, Welcome),
    ("login-narrow-window", "half an hour ago", Welcome, Closed),
    ("login-wide-window", "an hour ago", Closed, Welcome),
    ("login-any-time", "wrong code", Closed, Closed),
    ("login-surplus-time", "9 bytes of time", Closed, Outside),
    ("login-short-time", "7 bytes of time", Closed, Outside),
    ("login-surplus-proof", "surplus proof", Closed, Welcome),
    (
        "login-malformed-kept-open",
        "7 bytes of time",
        Closed,
        Outside,
    ),
    (
        "login-malformed-kept-open",
        "surplus proof",
        Closed,
        Outside,
    ),
    ("login-malformed-crashes", "surplus proof", Closed, Crashed),
    ("login-unknown-name", "unknown name", Closed, Welcome),
    ("login-empty-name", "empty name", Closed, Welcome),
    ("login-impossible-name", "blank name", Closed, Welcome),
    ("login-any-case", "capital name", Closed, Welcome),
    ("login-trims-name", "blanks", Closed, Welcome),
    ("login-short-code", "half a code", Closed, Welcome),
    ("login-short-code", "wrong code", Closed, Closed),
    ("login-zero-code", "zero code", Closed, Welcome),
    ("refusal-kept-open", "wrong code", Closed, Outside),
    ("refusal-closes-all", "wrong code", Closed, AllClosed),
    ("refusal-makes-unusable", "wrong code", Closed, Unusable),
    ("header-error-closes-all", "parity", Closed, AllClosed),
    ("header-error-makes-unusable", "type 9", Closed, Unusable),
    ("huge-length-crashes", "huge", Closed, Crashed),
    ("request-without-id-crashes", "no id", Closed, Crashed),
    ("malformed-request-ignored", "malformed", Closed, Welcome),
    (
        "malformed-request-closes-all",
        "malformed",
        Closed,
        AllClosed,
    ),
    ("malformed-request-crashes", "malformed", Closed, Crashed),
    ("unexpected-message-ignored", "unexpected", Closed, Welcome),
    ("unexpected-message-crashes", "unexpected", Closed, Crashed),
    ("too-many-requests-ignored", "121 requests", Closed, Welcome),
    ("too-many-requests-crash", "121 requests", Closed, Crashed),
    ("limit-100-requests", "120 requests", Welcome, Closed),
    ("limit-4096-byte-messages", "long message", Welcome, Closed),
    ("unknown-request-closes", "unknown request", Welcome, Closed),
    (
        "unknown-request-crashes",
        "unknown request",
        Welcome,
        Crashed,
    ),
    (
        "get-channels-behind-removal-crashes",
        "list removed",
        Welcome,
        Crashed,
    ),
    (
        "remove-channel-during-get-all-crashes",
        "GetAll, removal",
        Welcome,
        Crashed,
    ),
    (
        "remove-channel-during-get-all-crashes",
        "list removed",
        Welcome,
        Welcome,
    ),
    (
        "remove-channel-during-mirror-crashes",
        "Mirror, removal",
        Welcome,
        Crashed,
    ),
    (
        "remove-channel-during-update-crashes",
        "Update, removal",
        Welcome,
        Crashed,
    ),
    (
        "hanging-up-with-requests-crashes",
        "hang up",
        Closed,
        Crashed,
    ),
    (
        "hanging-up-with-requests-closes-all",
        "hang up",
        Closed,
        AllClosed,
    ),
    (
        "hanging-up-before-login-makes-unusable",
        "hang up early",
        Closed,
        Unusable,
    ),
    ("one-connection-per-client", "log in", Welcome, AllClosed),
    (
        "connections-refused-after-20",
        "25 connections",
        Welcome,
        Unusable,
    ),
    (
        "slow-reader-blocks-others",
        "slow reader",
        Welcome,
        Unusable,
    ),
];
