//! The bugs that the checks of handshakes find.

use dht_requirements as req;
use dhtcheck::checks::Ground;

use super::{Case, PATIENCE, check, node};

#[rustfmt::skip]
pub(super) static FOUND_BY: &[Case] = &[
    ("handshake.length-1000-for-code", "authentication-too-long-skipped", &req::AUTH_MESSAGE_LIMIT),
    ("handshake.request-for-code", "request-before-login-skipped", &req::AUTH_REQUEST_TOO_EARLY),
    ("version.answered", "version-answered-2", &req::CONN_VERSION_ANSWERED),
    ("version.answered", "version-never-answered", &req::CONN_VERSION_ANSWERED),
    ("version.client-first", "version-sent-unasked", &req::CONN_CLIENT_SPEAKS_FIRST),
    ("version.waits-for-timestamp", "nonce-sent-unasked", &req::CONN_WAITS_FOR_TIMESTAMP),
    ("version.wrong-0", "version-mismatch-closes-all", &req::ROBUST_DROP_LOCAL),
    ("version.wrong-0", "version-any-accepted", &req::CONN_WRONG_VERSION_DROPPED),
    ("version.wrong-2", "version-any-accepted", &req::CONN_WRONG_VERSION_DROPPED),
    ("version.wrong-255", "version-mismatch-kept-open", &req::CONN_WRONG_VERSION_DROPPED),
    ("version.wrong-with-company", "version-mismatch-closes-all", &req::ROBUST_DROP_LOCAL),
    ("version.timestamp-along", "version-company-accepted", &req::CONN_EARLY_BYTES_DROPPED),
    ("version.timestamp-along", "version-company-dropped", &req::CONN_EARLY_BYTES_DROPPED),
    ("version.byte-along", "version-company-dropped", &req::CONN_EARLY_BYTES_DROPPED),
    ("connection.same-name", "one-connection-per-client", &req::CONN_SAME_NAME_TWICE),
    ("connection.same-name", "two-connections-at-once", &req::CONN_SAME_NAME_TWICE),
    ("connection.idle", "logins-close-oldest", &req::CONN_IDLE_STAYS_OPEN),
    ("connection.byte-by-byte", "login-in-pieces-refused", &req::FRAME_SPLIT),
    ("connection.silent-before-version", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("connection.silent-before-timestamp", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("connection.silent-in-header", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("connection.silent-in-timestamp", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("connection.silent-before-code", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("connection.silent-in-code", "two-connections-at-once", &req::ROBUST_SLOW_SENDER),
    ("time.right", "welcome-never-sent", &req::AUTH_CLOCK_TOLERATED),
    ("time.behind-1700", "login-narrow-window", &req::AUTH_CLOCK_TOLERATED),
    ("time.ahead-1700", "login-narrow-window", &req::AUTH_CLOCK_TOLERATED),
    ("time.behind-1900", "login-wide-window", &req::AUTH_TIMESTAMP_PAST),
    ("time.behind-a-day", "login-past-time", &req::AUTH_TIMESTAMP_PAST),
    ("time.of-1970", "login-past-time", &req::AUTH_TIMESTAMP_PAST),
    ("time.ahead-1900", "login-wide-window", &req::AUTH_TIMESTAMP_FUTURE),
    ("time.ahead-a-day", "login-future-time", &req::AUTH_TIMESTAMP_FUTURE),
    ("time.ahead-32-bits", "login-time-32-bits", &req::AUTH_TIMESTAMP_FUTURE),
    ("time.largest-signed", "login-future-time", &req::AUTH_TIMESTAMP_FUTURE),
    ("time.zero", "login-zero-time", &req::AUTH_TIMESTAMP_ZERO),
    ("time.sign-bit", "login-negative-time", &req::AUTH_TIMESTAMP_HUGE),
    ("time.sign-bit-and-now", "login-negative-time", &req::AUTH_TIMESTAMP_HUGE),
    ("time.minus-one", "login-any-time", &req::AUTH_TIMESTAMP_HUGE),
    ("time.length-0", "login-short-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-0", "login-malformed-crashes", &req::ROBUST_DROP_LOCAL),
    ("time.length-1", "login-short-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-4", "login-short-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-7", "login-short-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-7", "login-malformed-kept-open", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-9", "login-surplus-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-16", "login-surplus-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("time.length-999", "login-surplus-time", &req::AUTH_TIMESTAMP_LENGTH),
    ("nonce.four-bytes", "nonce-too-long", &req::AUTH_NONCE_SENT),
    ("nonce.four-bytes", "nonce-never-sent", &req::AUTH_NONCE_SENT),
    ("nonce.one-after-another", "nonce-constant", &req::AUTH_NONCE_FRESH),
    ("nonce.at-once", "nonce-constant", &req::AUTH_NONCE_FRESH),
    ("auth.unknown-name", "login-unknown-name", &req::AUTH_UNKNOWN_NAME),
    ("auth.unknown-name", "refusal-closes-all", &req::ROBUST_DROP_LOCAL),
    ("auth.unknown-name", "refusal-silent", &req::AUTH_UNKNOWN_NAME),
    ("name.unknown-100-bytes", "login-unknown-name", &req::AUTH_UNKNOWN_NAME),
    ("name.shortened", "login-name-prefix", &req::AUTH_UNKNOWN_NAME),
    ("name.extended", "login-name-prefix", &req::AUTH_UNKNOWN_NAME),
    ("name.nul-behind", "login-name-until-nul", &req::AUTH_UNKNOWN_NAME),
    ("name.nuls", "login-impossible-name", &req::AUTH_UNKNOWN_NAME),
    ("name.not-ascii", "login-impossible-name", &req::AUTH_UNKNOWN_NAME),
    ("name.blank-inside", "login-impossible-name", &req::AUTH_UNKNOWN_NAME),
    ("name.empty", "login-empty-name", &req::AUTH_EMPTY_NAME),
    ("name.101-bytes", "login-impossible-name", &req::AUTH_LONG_NAME),
    ("name.927-bytes", "login-impossible-name", &req::AUTH_LONG_NAME),
    ("name.filled-up", "login-name-until-nul", &req::AUTH_LONG_NAME),
    ("name.other-case", "login-any-case", &req::AUTH_NAME_EXACT),
    ("name.blank-before", "login-trims-name", &req::AUTH_NAME_EXACT),
    ("name.blank-behind", "login-trims-name", &req::AUTH_NAME_EXACT),
    ("name.line-end-behind", "login-trims-name", &req::AUTH_NAME_EXACT),
    ("code.byte-0", "login-any-key", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-1", "login-any-key", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-7", "login-any-key", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-8", "login-short-code", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-16", "login-short-code", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-32", "login-short-code", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-48", "login-short-code", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.byte-63", "login-short-code", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.two-bytes", "login-code-xor-summed", &req::AUTH_WHOLE_CODE_COMPARED),
    ("code.wrong-key", "login-any-key", &req::AUTH_WRONG_KEY),
    ("code.zeros", "login-zero-code", &req::AUTH_WRONG_KEY),
    ("code.other-timestamp", "login-code-of-near-time", &req::AUTH_CODE_COVERS_TIMESTAMP),
    ("code.other-clients-key", "login-key-of-anybody", &req::AUTH_WRONG_KEY),
    ("code.replay", "nonce-constant", &req::AUTH_REPLAY),
    ("code.replay-after-close", "nonce-constant", &req::AUTH_REPLAY),
    ("code.swapped", "nonce-constant", &req::AUTH_REPLAY),
    ("proof.empty-body", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.half-a-count", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.no-code", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.code-of-32", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.code-of-63", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.count-one-more", "login-malformed-kept-open", &req::AUTH_CODE_LENGTH),
    ("proof.surplus-1", "login-surplus-proof", &req::AUTH_CODE_SURPLUS),
    ("proof.surplus-64", "login-surplus-proof", &req::AUTH_CODE_SURPLUS),
    ("proof.count-beyond-body", "login-malformed-kept-open", &req::AUTH_NAME_BEYOND_BODY),
    ("proof.count-32-bits", "login-name-length-32-bits", &req::AUTH_NAME_BEYOND_BODY),
    ("proof.count-sign-bit", "login-name-length-32-bits", &req::AUTH_NAME_BEYOND_BODY),
    ("proof.count-largest", "login-malformed-kept-open", &req::AUTH_NAME_BEYOND_BODY),
    ("result.accepted", "welcome-never-sent", &req::AUTH_ACCEPTED),
    ("result.guest-accepted", "welcome-never-sent", &req::AUTH_ACCEPTED),
    ("result.form-accepted", "welcome-is-255", &req::AUTH_RESULT_FORM),
    ("result.form-refused", "refusal-is-2", &req::AUTH_RESULT_FORM),
    ("result.form-refused", "refusal-says-welcome", &req::AUTH_RESULT_FORM),
    ("result.refused-closed", "refusal-kept-open", &req::AUTH_REJECTED_DROPPED),
    ("result.refused-tries-again", "refusal-kept-open", &req::AUTH_REJECTED_DROPPED),
    ("result.refused-not-banned", "refusal-makes-unusable", &req::AUTH_REJECTED_NOT_BANNED),
    ("behind.requests", "login-company-dropped", &req::AUTH_REQUESTS_BEHIND_CODE),
    ("behind.begun-request", "login-company-dropped", &req::AUTH_REQUESTS_BEHIND_CODE),
    ("behind.refused", "login-any-key", &req::AUTH_REJECTED_REQUESTS_DISCARDED),
    ("handshake.parity-01-for-timestamp", "login-parity-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.parity-01-for-timestamp", "header-error-closes-all", &req::ROBUST_DROP_LOCAL),
    ("handshake.parity-80-for-timestamp", "login-parity-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.type-3-for-timestamp", "login-type-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.type-3-for-timestamp", "header-error-makes-unusable", &req::ROBUST_NEW_CONNECTIONS),
    ("handshake.type-255-for-timestamp", "login-type-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.zeros-for-timestamp", "login-type-zero-skipped", &req::AUTH_HEADER_CHECKED),
    ("handshake.length-1000-for-timestamp", "login-length-cut", &req::AUTH_MESSAGE_LIMIT),
    ("handshake.length-65536-for-timestamp", "login-length-cut", &req::AUTH_MESSAGE_LIMIT),
    ("handshake.request-for-timestamp", "request-before-login-skipped", &req::AUTH_REQUEST_TOO_EARLY),
    ("handshake.parity-01-for-code", "login-parity-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.parity-80-for-code", "login-parity-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.type-3-for-code", "login-type-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.type-255-for-code", "login-type-ignored", &req::AUTH_HEADER_CHECKED),
    ("handshake.zeros-for-code", "login-type-zero-skipped", &req::AUTH_HEADER_CHECKED),
    ("handshake.length-1000-for-code", "login-length-cut", &req::AUTH_MESSAGE_LIMIT),
    ("handshake.length-8000000000000000-for-code", "login-length-cut", &req::AUTH_MESSAGE_LIMIT),
];

/// What the specification allows, so that no check finds it broken: a check, a bug, and what the dialect of
/// a node with it says, which that of a healthy one does not.
pub(super) static NOTED: &[(&str, &str, &str)] = &[
    ("version.wrong-2", "version-mismatch-not-answered", "none"),
    (
        "version.timestamp-along",
        "version-company-answered",
        "its own version byte",
    ),
    (
        "proof.empty-body",
        "login-malformed-proof-answered",
        "the result 0",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_allowed_is_kept_and_noted() {
    for (check, bug, answer) in NOTED {
        assert_eq!(dialect(check, &["--bug", bug]).await, [*answer], "{bug}");
        assert_ne!(dialect(check, &[]).await, [*answer], "a healthy node");
    }
}

/// What a check, which ends with everything kept, tells of the dialect of a node.
async fn dialect(id: &str, options: &[&str]) -> Vec<String> {
    let target = node(options).await;
    let ground = Ground::new(&target, 1, id, PATIENCE);
    let check = check(id).expect("the check");
    let checked = check.run(&target, &ground).await;
    target.stop().await;
    assert!(checked.is_ok(), "{id}: {checked:?}");
    let dialect = ground.dialect().into_iter();
    dialect.map(|observation| observation.answer).collect()
}
