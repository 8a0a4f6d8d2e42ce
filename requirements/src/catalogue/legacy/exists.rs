//! Exists: is there a record?

requirements! {
    LEG_EXISTS_PRESENT = "LEG-EXISTS-01" Must Node
        "An Exists of a record that is present is answered Ok (200) and 1.",
        "legacy 7.4";
    LEG_EXISTS_ABSENT = "LEG-EXISTS-02" Must Node
        "An Exists of a record that is absent is answered Ok (200) and 0.",
        "legacy 7.4";
    LEG_EXISTS_ABSENT_CHANNEL = "LEG-EXISTS-03" Must Node
        "An Exists in a channel that does not exist is answered Ok (200) and 0.",
        "legacy 7.4";
    LEG_EXISTS_CREATES_NOTHING = "LEG-EXISTS-04" Must Node
        "An Exists creates no channel.",
        "legacy 6";
    LEG_EXISTS_ANY_KEY = "LEG-EXISTS-05" Must Node
        "An Exists of a key outside the node's range is not answered WrongNode (404).",
        "legacy 6";
    LEG_EXISTS_BYTE = "LEG-EXISTS-06" Must Node
        "The answer is one byte, 0 or 1.",
        "legacy 2.1, 7.4";
}
