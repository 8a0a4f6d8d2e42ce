//! Remove: delete the record of a key.

requirements! {
    REMOVE_PRESENT = "NEO-REMOVE-01" Must Node
        "A Remove of a record that is present is answered Removed (2).",
        "neo-requests 10, P20";
    REMOVE_ABSENT = "NEO-REMOVE-02" Must Node
        "A Remove of a record that is absent is answered NoRecord (1).",
        "neo-requests 10, P20";
    REMOVE_GONE = "NEO-REMOVE-03" Must Node
        "After Removed the record is absent.",
        "neo-requests 16.2, P20";
    REMOVE_ONE_WINNER = "NEO-REMOVE-04" Must Node
        "Of several Removes of one record at the same time exactly one is answered Removed.",
        "semantics-and-client A8";
    REMOVE_OTHERS_STAY = "NEO-REMOVE-05" Must Node
        "A Remove leaves every other record of the channel as it was.",
        "semantics-and-client A6";
    REMOVE_CHANNEL_STAYS = "NEO-REMOVE-06" Must Node
        "A channel whose last record was removed is still listed.",
        "semantics-and-client A4";
    REMOVE_WRONG_NODE = "NEO-REMOVE-07" Must Node
        "A Remove of a key outside the hash range is answered WrongNode (3).",
        "neo-requests 10";
    REMOVE_CLIENT_OLDEST_FIRST = "NEO-REMOVE-08" Must Client
        "A client removes from the oldest covering node first, so that no older copy comes to \
         light.",
        "neo-requests 10, P22";
    REMOVE_CLIENT_RESULT = "NEO-REMOVE-09" Must Client
        "A client reports a removal if any node answered Removed and none failed.",
        "neo-requests 16.2, P21, F39";
}
