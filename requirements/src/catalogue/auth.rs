//! Authentication: timestamp, nonce, name with code, result.

requirements! {
    AUTH_NONCE_SENT = "NEO-AUTH-01" Must Node
        "The node answers the timestamp with a nonce of exactly four bytes.",
        "neo-transport 6";
    AUTH_NONCE_FRESH = "NEO-AUTH-02" Must Node
        "Each connection gets a fresh nonce.",
        "neo-transport 6";
    AUTH_ACCEPTED = "NEO-AUTH-03" Must Node
        "A known name with the right code gets the result 1, after which the connection accepts requests.",
        "neo-transport 6.2";
    AUTH_RESULT_FORM = "NEO-AUTH-04" Must Node
        "The result is one byte of value 0 or 1.",
        "neo-transport 6";
    AUTH_REQUESTS_BEHIND_CODE = "NEO-AUTH-05" Should Node
        "Valid requests sent behind the code, without waiting for the result, are handled after the result 1.",
        "neo-transport 6.3";
    AUTH_UNKNOWN_NAME = "NEO-AUTH-06" Must Node
        "An unknown name, of whatever bytes, gets the result 0.",
        "neo-transport 6.1, 6.2, Q3";
    AUTH_EMPTY_NAME = "NEO-AUTH-07" Must Node
        "An empty name gets the result 0.",
        "neo-transport 6.1, 6.2, Q3";
    AUTH_LONG_NAME = "NEO-AUTH-08" Must Node
        "A name of 101 to 927 bytes gets the result 0.",
        "neo-transport 6.1, 6.2, Q3";
    AUTH_NAME_EXACT = "NEO-AUTH-09" Must Node
        "A name that differs from a known one only in case or surrounding blanks gets the result 0.",
        "neo-transport 6.1, Q3";
    AUTH_WRONG_KEY = "NEO-AUTH-10" Must Node
        "A code made with another key gets the result 0.",
        "neo-transport 6.2, Q3";
    AUTH_WHOLE_CODE_COMPARED = "NEO-AUTH-11" Must Node
        "A code that is wrong in any one of its 64 bytes gets the result 0.",
        "neo-transport 6, 6.2, Q3";
    AUTH_CODE_COVERS_TIMESTAMP = "NEO-AUTH-12" Must Node
        "A code made for another timestamp than the one sent gets the result 0.",
        "neo-transport 6, 6.2, Q3";
    AUTH_REPLAY = "NEO-AUTH-13" Must Node
        "A code recorded on one connection gets the result 0 on another.",
        "neo-transport 6, 6.2, Q3";
    AUTH_CLOCK_TOLERATED = "NEO-AUTH-14" Must Node
        "A timestamp that differs from the node's clock by less than 1800 seconds is accepted.",
        "neo-transport 6.1, Q4";
    AUTH_TIMESTAMP_PAST = "NEO-AUTH-15" Must Node
        "A timestamp more than 1800 seconds behind the node's clock gets the result 0.",
        "neo-transport 6.1, Q4";
    AUTH_TIMESTAMP_FUTURE = "NEO-AUTH-16" Must Node
        "A timestamp more than 1800 seconds ahead of the node's clock gets the result 0.",
        "neo-transport 6.1, Q4";
    AUTH_TIMESTAMP_ZERO = "NEO-AUTH-17" Must Node
        "The timestamp 0 gets the result 0.",
        "neo-transport 6.1, 6.2, Q3";
    AUTH_TIMESTAMP_HUGE = "NEO-AUTH-18" Must Node
        "A timestamp of 2^63 or more gets the result 0.",
        "neo-transport 6.1, 6.2, Q3";
    AUTH_REJECTED_DROPPED = "NEO-AUTH-19" Must Node
        "The node closes the connection after the result 0.",
        "neo-transport 6.2";
    AUTH_REJECTED_REQUESTS_DISCARDED = "NEO-AUTH-20" Must Node
        "Requests sent behind a code that is rejected are not carried out.",
        "neo-transport 6.2, 6.3";
    AUTH_REJECTED_NOT_BANNED = "NEO-AUTH-21" Must Node
        "A rejected client is accepted at its next attempt with the right code.",
        "neo-transport 6.2";
    AUTH_TIMESTAMP_LENGTH = "NEO-AUTH-22" Must Node
        "A timestamp message whose body is not eight bytes closes the connection without a nonce.",
        "neo-transport 6.2";
    AUTH_CODE_LENGTH = "NEO-AUTH-23" Must Node
        "A code of fewer than 64 bytes, or none, closes the connection and is never accepted.",
        "neo-transport 6.2, Q3";
    AUTH_CODE_SURPLUS = "NEO-AUTH-24" Must Node
        "Surplus bytes behind the code in its message close the connection and are never accepted.",
        "neo-transport 6.2, Q3";
    AUTH_NAME_BEYOND_BODY = "NEO-AUTH-25" Must Node
        "A name longer than the rest of its message closes the connection and is never accepted.",
        "neo-transport 6.2, Q3";
    AUTH_MALFORMED_SILENT = "NEO-AUTH-26" May Node
        "A malformed message of name and code is dropped without a result.",
        "neo-transport 6.2, Q3";
    AUTH_MESSAGE_LIMIT = "NEO-AUTH-27" Must Node
        "An authentication header that announces more than 999 bytes closes the connection.",
        "neo-transport 4.1, 6.2";
    AUTH_HEADER_CHECKED = "NEO-AUTH-28" Must Node
        "A header of wrong parity or unknown type closes the connection before the authentication is over.",
        "neo-transport 6.2";
    AUTH_REQUEST_TOO_EARLY = "NEO-AUTH-29" Must Node
        "A request before the authentication is over closes the connection and is not carried out.",
        "neo-transport 4.1, 6.2";
    AUTH_RELOAD = "NEO-AUTH-30" Must Node
        "After a reload of the credentials new connections are judged by the new ones.",
        "neo-transport 7.2",
        hidden: "only who controls the node's files can change its credentials";
    AUTH_RELOAD_KEEPS_OPEN = "NEO-AUTH-31" Must Node
        "A reload of the credentials closes no connection.",
        "neo-transport 7.2",
        hidden: "only who controls the node's files can change its credentials";
    AUTH_CLIENT_CHECKS_LENGTHS = "NEO-AUTH-32" Must Client
        "The client closes the connection on a nonce or a result of another length.",
        "neo-transport 6.2";
}
