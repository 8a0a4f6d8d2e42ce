//! GetHashRange: which keys belong to the node, now and later.

requirements! {
    RANGE_ANSWER = "NEO-RANGE-01" Must Node
        "The first answer is the lower and the upper end of the hash range, 16 bytes without a \
         type.",
        "neo-requests 3.1";
    RANGE_LEGAL = "NEO-RANGE-02" Must Node
        "The lower end is not above the upper end, unless the range is the empty one.",
        "semantics-and-client A3";
    RANGE_ENDLESS = "NEO-RANGE-03" Must Node
        "The node does not end a GetHashRange while the connection lasts.",
        "neo-requests 3";
    RANGE_UPDATES = "NEO-RANGE-04" Must Node
        "After the first answer only ChangeHashRange (2) and NewNode (1) follow, each of its exact \
         length.",
        "neo-requests 3.1";
    RANGE_SAME_FOR_ALL = "NEO-RANGE-05" Must Node
        "Several GetHashRanges at the same time, on one connection or many, get the same range.",
        "neo-requests 3.2";
    RANGE_UNEXPECTED_MESSAGE = "NEO-RANGE-06" Should Node
        "A message to a running GetHashRange closes the connection or leaves the request running.",
        "neo-requests 14.1, F14";
    RANGE_CHANGE_TOLD = "NEO-RANGE-07" Must Node
        "Each change of the node's range reaches every GetHashRange as a ChangeHashRange.",
        "neo-requests 16.6, P67",
        hidden: "the range changes only in a redistribution, which no neo request starts";
    RANGE_NEW_NODE_TOLD = "NEO-RANGE-08" Must Node
        "Each node that takes over keys is announced by a NewNode with the address of its neo \
         port.",
        "neo-requests 3.1",
        hidden: "the range changes only in a redistribution, which no neo request starts";
    RANGE_HISTORY = "NEO-RANGE-09" Must Node
        "The first answer and the updates are all ranges that the node had since then, in order.",
        "neo-requests 16.6, P66",
        hidden: "the range changes only in a redistribution, which no neo request starts";
    RANGE_NEW_NODE_FIRST = "NEO-RANGE-10" Should Node
        "The nodes that take over keys are announced before the range of the old one shrinks.",
        "neo-requests 16.6, P68, F28",
        hidden: "the range changes only in a redistribution, which no neo request starts";
    RANGE_CLIENT_SILENT = "NEO-RANGE-11" Must Client
        "The client sends nothing on a GetHashRange after its first message.",
        "neo-requests 3.1";
    RANGE_CLIENT_NEW_NODE = "NEO-RANGE-12" Must Client
        "A client connects to each announced node and runs its all-nodes requests there as well.",
        "neo-requests 3.3";
}
