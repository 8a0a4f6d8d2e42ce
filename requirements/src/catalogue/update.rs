//! Update: read, then write if nobody else did.

requirements! {
    UPDATE_READ = "NEO-UPDATE-01" Must Node
        "GetRecord of a record that is present is answered RecordValue (5) with the value in the \
         same message.",
        "neo-requests 12.1";
    UPDATE_READ_ABSENT = "NEO-UPDATE-02" Must Node
        "GetRecord of a record that is absent is answered NoRecord (7), which ends the request.",
        "neo-requests 12.1";
    UPDATE_READ_WRONG_NODE = "NEO-UPDATE-03" Must Node
        "GetRecord of a key outside the hash range is answered WrongNode (9).",
        "neo-requests 12.3";
    UPDATE_WRITE = "NEO-UPDATE-04" Must Node
        "UpdateRecord with the hash of the stored value is answered Ok (6).",
        "neo-requests 12.3, P70";
    UPDATE_HASH = "NEO-UPDATE-05" Must Node
        "The hash of a value is the 64-bit FNV-1a of its bytes, without length and key.",
        "neo-requests 12.2";
    UPDATE_CONFLICT = "NEO-UPDATE-06" Must Node
        "UpdateRecord with another hash than that of the stored value is answered UpdateConflict \
         (8).",
        "neo-requests 12.3, P70";
    UPDATE_CONFLICT_KEEPS = "NEO-UPDATE-07" Must Node
        "An UpdateRecord that is answered UpdateConflict changes nothing.",
        "neo-requests 16.7, P71";
    UPDATE_ONE_WINNER = "NEO-UPDATE-08" Must Node
        "Of several Updates that read the same value and each write another, at most one is \
         answered Ok if nobody else writes.",
        "neo-requests 16.7, P72";
    UPDATE_VALUE_CAME_BACK = "NEO-UPDATE-09" Must Node
        "UpdateRecord succeeds if the value that was read was overwritten and then put back.",
        "semantics-and-client A12";
    UPDATE_IDENTICAL = "NEO-UPDATE-10" Must Node
        "UpdateRecord with the value that is stored already is answered Ok.",
        "semantics-and-client A12";
    UPDATE_RECREATES_RECORD = "NEO-UPDATE-11" Should Node
        "UpdateRecord stores the record again if it was removed since it was read.",
        "neo-requests 12.3, F17";
    UPDATE_RECREATES_CHANNEL = "NEO-UPDATE-12" Should Node
        "UpdateRecord creates the channel again if it was removed since the record was read.",
        "semantics-and-client A12";
    UPDATE_DIRECT_MATCH = "NEO-UPDATE-13" Must Node
        "An Update that opens with UpdateRecord and the right hash replaces the value.",
        "neo-requests 12.3";
    UPDATE_DIRECT_CONFLICT = "NEO-UPDATE-14" Must Node
        "An Update that opens with UpdateRecord and a wrong hash is answered UpdateConflict (8).",
        "neo-requests 12.3, P71";
    UPDATE_DIRECT_ABSENT = "NEO-UPDATE-15" Must Node
        "An Update that opens with UpdateRecord stores a record that is absent, whatever the hash.",
        "neo-requests 12.3";
    UPDATE_DIRECT_WRONG_NODE = "NEO-UPDATE-16" Must Node
        "An Update that opens with UpdateRecord of a key outside the hash range is answered \
         WrongNode (9).",
        "neo-requests 12.3";
    UPDATE_REMOVE = "NEO-UPDATE-17" Must Node
        "RemoveRecord removes the record and is answered Ok (6).",
        "neo-requests 12.3";
    UPDATE_REMOVE_ABSENT = "NEO-UPDATE-18" Must Node
        "RemoveRecord of a record that is gone already is answered Ok (6).",
        "neo-requests 12.3";
    UPDATE_REMOVE_CHANGED = "NEO-UPDATE-19" Should Node
        "RemoveRecord removes the record even if its value changed since it was read.",
        "neo-requests 12.3, F15";
    UPDATE_LEAVE = "NEO-UPDATE-20" Must Node
        "LeaveRecord is answered Ok (6).",
        "neo-requests 12.3";
    UPDATE_LEAVE_KEEPS = "NEO-UPDATE-21" Must Node
        "LeaveRecord changes nothing.",
        "neo-requests 12.3";
    UPDATE_NO_LOCK = "NEO-UPDATE-22" Must Node
        "An Update that waits for the client's decision keeps no other request from the record.",
        "neo-requests 12.3";
    UPDATE_ABANDONED = "NEO-UPDATE-23" Must Node
        "An Update whose connection breaks before the decision changes nothing.",
        "neo-requests 12.3";
    UPDATE_OPENING_UNKNOWN = "NEO-UPDATE-24" Should Node
        "An Update that opens with another type than GetRecord and UpdateRecord closes the \
         connection.",
        "neo-requests 12.3";
    UPDATE_DECISION_UNKNOWN = "NEO-UPDATE-25" Should Node
        "A decision other than UpdateRecord, RemoveRecord and LeaveRecord closes the connection.",
        "neo-requests 12.3";
    UPDATE_DECISION_INVALID_KEEPS = "NEO-UPDATE-26" Must Node
        "A decision that is unknown, empty or ends too early changes nothing.",
        "neo-requests 2.4";
    UPDATE_RANGE_CHECKED_AGAIN = "NEO-UPDATE-27" Must Node
        "UpdateRecord never stores a record that left the node's hash range since it was read.",
        "neo-requests 16.7, P79, F16",
        hidden: "the range changes only in a redistribution, which no neo request starts";
    UPDATE_CLIENT_LEAVES = "NEO-UPDATE-28" Must Client
        "A client whose user provides no new value leaves the record unchanged.",
        "neo-requests 16.7, P74, F33";
    UPDATE_CLIENT_CLOSES = "NEO-UPDATE-29" Must Client
        "A client ends every Update that it opened on a node, with a decision or with the \
         connection.",
        "neo-requests 16.7, P76";
    UPDATE_CLIENT_ONE_VALUE = "NEO-UPDATE-30" Must Client
        "A client asks no other node once an Update has succeeded.",
        "neo-requests 16.7, P77, F35";
}
