//! Request ids, many requests on one connection, and the answer to unknown requests.

requirements! {
    MUX_NODE_STARTS_NOTHING = "NEO-MUX-01" Must Node
        "The node sends messages only with the ids of requests that the client has started.",
        "neo-transport 8.2";
    MUX_ANY_ID = "NEO-MUX-02" Must Node
        "Request ids are accepted in any order and of any value except 0.",
        "neo-transport 8.2";
    MUX_ID_PER_CONNECTION = "NEO-MUX-03" Must Node
        "Requests with the same id on two connections do not disturb each other.",
        "neo-transport 8.2; neo-requests 16.1, P11";
    MUX_ID_REUSED = "NEO-MUX-04" Must Node
        "The id of a request that has ended, or was not supported, can be used for a new one.",
        "neo-transport 8.2";
    MUX_ACTIVE_ID_TAKEN = "NEO-MUX-05" Must Node
        "A message with the id of an active request never starts another request.",
        "neo-transport 8.2; neo-requests 16.1, P11";
    MUX_OUT_OF_TURN_DROPPED = "NEO-MUX-06" May Node
        "A message for an active request that does not wait for one closes the connection.",
        "neo-transport 9.2, Q13";
    MUX_ZERO_ID_DROPPED = "NEO-MUX-07" Should Node
        "A request with the id 0 closes the connection.",
        "neo-transport 8.2, Q9; neo-requests 2.1, F13";
    MUX_NO_COMMAND = "NEO-MUX-08" Must Node
        "A first message with fewer than two bytes of payload closes the connection.",
        "neo-transport 8.4, 10.1";
    MUX_UNKNOWN_CODE = "NEO-MUX-09" Must Node
        "A request of an unknown code is answered with the supported status -1, whatever its version.",
        "neo-transport 8.3";
    MUX_UNKNOWN_VERSION = "NEO-MUX-10" Must Node
        "A request of a known code in an unknown version is answered with the supported status -2.",
        "neo-transport 8.3";
    MUX_UNSUPPORTED_SILENT = "NEO-MUX-11" Must Node
        "Nothing but the supported status comes of a request that is not supported.",
        "neo-transport 8.3; neo-requests 16.1, P02";
    MUX_UNSUPPORTED_STAYS_OPEN = "NEO-MUX-12" Must Node
        "The connection stays usable after a request that is not supported.",
        "neo-transport 8.3, 10.1";
    MUX_CONCURRENT = "NEO-MUX-13" Must Node
        "Requests are served while others on the same connection stay active.",
        "neo-transport 8, 9.1";
    MUX_FAIR = "NEO-MUX-14" Should Node
        "A short request is answered before a long GetAll on the same connection has ended.",
        "neo-transport 9.1, 9.3";
    MUX_STARTED_IN_ORDER = "NEO-MUX-15" Must Node
        "Of two single-record requests sent without waiting, the second sees the effect of the first.",
        "neo-transport 9.1";
    MUX_OWN_ORDER_KEPT = "NEO-MUX-16" Must Node
        "The node sends the messages of each request in the order of its exchange, whatever else is under way.",
        "neo-transport 9.1";
    MUX_PIPELINED_ALL_ANSWERED = "NEO-MUX-17" Must Node
        "Each of a thousand requests sent without waiting is answered with its own id.",
        "neo-transport 9.1";
    MUX_CROSS_ORDER_FREE = "NEO-MUX-18" May Node
        "Answers to different requests come in any order.",
        "neo-transport 9.1";
    MUX_ACTIVE_5000 = "NEO-MUX-19" Must Node
        "5000 requests can be active on a connection at the same time.",
        "neo-transport 12.1";
    MUX_ACTIVE_LIMIT = "NEO-MUX-20" Should Node
        "One more than 5000 active requests closes the connection.",
        "neo-transport 10.1, 12.1";
    MUX_ENDED_NOT_COUNTED = "NEO-MUX-21" Must Node
        "Requests that have ended do not count as active.",
        "neo-transport 12.1";
    MUX_ENDS_WITH_CONNECTION = "NEO-MUX-22" Must Node
        "A new connection receives no message of a request of an earlier one.",
        "neo-transport 10.1; neo-requests 16.1, P11";
    MUX_CLIENT_ID_NOT_ZERO = "NEO-MUX-23" Must Client
        "The client never uses the request id 0.",
        "neo-transport 8.2, Q9";
    MUX_CLIENT_ID_UNIQUE = "NEO-MUX-24" Must Client
        "The client never has two active requests with one id on a connection.",
        "neo-transport 8.2; neo-requests 16.1, P11";
    MUX_CLIENT_IGNORES_UNKNOWN_ID = "NEO-MUX-25" Must Client
        "The client ignores a message for a request that it does not know.",
        "neo-transport 8.4";
    MUX_CLIENT_SILENT_AFTER_END = "NEO-MUX-26" Must Client
        "The client sends nothing on a request id after the end of the request.",
        "neo-transport 8.4; neo-requests 16.1, P06";
    MUX_CLIENT_NOT_RESENT = "NEO-MUX-27" Must Client
        "A single-record request whose connection is lost is reported and never sent again.",
        "neo-transport 10.2";
}
