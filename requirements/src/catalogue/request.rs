//! What all requests share: status, answer, malformed bodies, responsibility, absent channels.

requirements! {
    REQ_STATUS_FIRST = "NEO-REQ-01" Must Node
        "The first message on a request id is the supported status: `fd`, `fe` or `ff`.",
        "neo-requests 2.1, P01";
    REQ_STATUS_ALONE = "NEO-REQ-02" Must Node
        "The supported status is a message of its own, of exactly one byte.",
        "neo-requests 2.1, P01";
    REQ_STATUS_ONCE = "NEO-REQ-03" Must Node
        "A request gets one supported status; what follows `fd` is the answer.",
        "neo-requests 2.1, P01";
    REQ_SUPPORTED = "NEO-REQ-04" Must Node
        "Codes 1 to 10 in version 0 are answered `fd`.",
        "neo-requests 1.1";
    REQ_CODE_UNKNOWN = "NEO-REQ-05" Must Node
        "Code 0 and the codes 11 to 255 are answered `ff`.",
        "neo-requests 1.1";
    REQ_VERSION_UNKNOWN = "NEO-REQ-06" Must Node
        "A known code with a version other than 0 is answered `fe`.",
        "neo-requests 1.1";
    REQ_UNSUPPORTED_ENDS = "NEO-REQ-07" Must Node
        "After `fe` or `ff` nothing more is sent on that id until the client uses it again.",
        "neo-requests 2.1, P02";
    REQ_ANSWERED = "NEO-REQ-08" Must Node
        "Where the answer to a well-formed and permitted request is due, it is sent or the \
         connection is closed.",
        "neo-requests 16.1, P03";
    REQ_ANSWER_DEFINED = "NEO-REQ-09" Must Node
        "A request is answered only with message types that this request defines.",
        "neo-requests 1.2";
    REQ_ANSWER_EXACT = "NEO-REQ-10" Must Node
        "An answer that consists of a type alone is a message of exactly one byte.",
        "neo-requests 2.4";
    REQ_ANSWER_LAST = "NEO-REQ-11" Must Node
        "After its final answer nothing more is sent for a request.",
        "neo-requests 15.2";
    REQ_TRUNCATED_NO_SUCCESS = "NEO-REQ-12" Must Node
        "A request whose body ends too early is never answered with success.",
        "neo-requests 2.4";
    REQ_TRUNCATED_NO_EFFECT = "NEO-REQ-13" Must Node
        "A request whose body ends too early changes no record and no channel.",
        "neo-requests 2.4";
    REQ_MALFORMED_CLOSES = "NEO-REQ-14" Should Node
        "A malformed body closes the connection, so that the client does not wait for ever.",
        "neo-requests 2.4, P03, F10";
    REQ_MALFORMED_STATUS = "NEO-REQ-15" Should Node
        "A supported request with a malformed body gets its `fd` before anything else happens.",
        "neo-requests 2.1";
    REQ_SURPLUS_ALL_OR_NOTHING = "NEO-REQ-16" Must Node
        "A request with surplus bytes behind its body is carried out as if they were absent, or \
         not at all.",
        "neo-requests 2.4";
    REQ_SURPLUS_DIALECT = "NEO-REQ-17" May Node
        "Surplus bytes behind a body may be ignored, end the request in silence, or close the \
         connection.",
        "neo-requests 2.4";
    REQ_BOOL_STRICT = "NEO-REQ-18" Should Node
        "A bool other than 0 and 1 is treated as malformed.",
        "neo-requests 0";
    REQ_HASH_REVERSED = "NEO-REQ-19" Must Node
        "A key belongs to a node if the key with its 64 bits reversed lies in the hash range.",
        "neo-requests 2.2";
    REQ_RANGE_MIN_INCLUSIVE = "NEO-REQ-20" Must Node
        "The key whose reversed bits equal the lower end of the hash range belongs to the node.",
        "semantics-and-client A3";
    REQ_RANGE_MAX_INCLUSIVE = "NEO-REQ-21" Must Node
        "The key whose reversed bits equal the upper end of the hash range belongs to the node.",
        "semantics-and-client A3";
    REQ_RANGE_EMPTY = "NEO-REQ-22" Must Node
        "A node with the empty hash range answers WrongNode for every key.",
        "semantics-and-client A3";
    REQ_INSIDE_SERVED = "NEO-REQ-23" Must Node
        "A key inside the hash range is never answered WrongNode.",
        "semantics-and-client A18";
    REQ_WRONG_NODE_NO_RECORD = "NEO-REQ-24" Must Node
        "A request answered WrongNode changes no record.",
        "neo-requests 2.2, P12";
    REQ_WRONG_NODE_NO_CHANNEL = "NEO-REQ-25" Must Node
        "A request answered WrongNode does not create its channel.",
        "neo-requests 2.2, P12";
    REQ_WHOLE_NODE = "NEO-REQ-26" Must Node
        "GetAll, Mirror, GetChannels and RemoveChannel are served whatever the hash range.",
        "neo-requests 2.2";
    REQ_CHANNEL_ABSENT = "NEO-REQ-27" Must Node
        "Get, Exists, Remove and GetRecord of Update answer NoRecord for a channel that does not \
         exist.",
        "neo-requests 2.3";
    REQ_READS_ONLY = "NEO-REQ-28" Must Node
        "Get, Exists and GetRecord of Update change no record.",
        "semantics-and-client A6";
    REQ_CHANNEL_BY_READ = "NEO-REQ-29" May Node
        "A request that only reads may create the channel that it names.",
        "neo-requests 2.3, F26";
    REQ_CHANNEL_FAILURE = "NEO-REQ-30" Must Node
        "A request whose channel cannot be created is answered Error.",
        "neo-requests 2.3",
        hidden: "the creation of a channel fails only for want of memory";
    REQ_CLIENT_ONE_END = "NEO-REQ-31" Must Client
        "The user of a client is told exactly once, and last, how a request ended.",
        "neo-requests 16.1, P07, P08";
    REQ_CLIENT_ISOLATED = "NEO-REQ-32" Must Client
        "An error on one connection ends no request on another.",
        "neo-requests 16.1, P09";
}
