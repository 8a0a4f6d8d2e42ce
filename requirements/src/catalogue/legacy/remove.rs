//! Remove: remove a record.

requirements! {
    LEG_REMOVE_GONE = "LEG-REMOVE-01" Must Node
        "A Remove is answered Ok (200), and the record is gone from then on.",
        "legacy 7.5";
    LEG_REMOVE_ABSENT = "LEG-REMOVE-02" Must Node
        "A Remove of a record or in a channel that does not exist is answered Ok (200).",
        "legacy 7.5";
    LEG_REMOVE_CREATES_NOTHING = "LEG-REMOVE-03" Must Node
        "A Remove creates no channel.",
        "legacy 7.5";
    LEG_REMOVE_WRONG_NODE = "LEG-REMOVE-04" Must Node
        "A Remove of a key outside the node's range is answered WrongNode (404).",
        "legacy 6, 7.5";
    LEG_REMOVE_OTHERS_STAY = "LEG-REMOVE-05" Must Node
        "A Remove leaves all other records as they are.",
        "legacy 7.5";
    LEG_REMOVE_CHANNEL_STAYS = "LEG-REMOVE-06" Must Node
        "A channel whose last record was removed stays.",
        "legacy 6";
}
