//! Exists: is there a record under this key?

requirements! {
    EXISTS_PRESENT = "NEO-EXISTS-01" Must Node
        "An Exists of a record that is present is answered RecordExists (1).",
        "neo-requests 9";
    EXISTS_ABSENT = "NEO-EXISTS-02" Must Node
        "An Exists of a record that is absent is answered NoRecord (2).",
        "neo-requests 9";
    EXISTS_WRONG_NODE = "NEO-EXISTS-03" Must Node
        "An Exists of a key outside the hash range is answered WrongNode (3).",
        "neo-requests 9";
}
