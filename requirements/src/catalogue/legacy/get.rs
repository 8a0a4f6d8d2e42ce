//! Get: read the value of a key.

requirements! {
    LEG_GET_VALUE = "LEG-GET-01" Must Node
        "A Get of a record that is present is answered Ok (200) and its value.",
        "legacy 7.3";
    LEG_GET_ABSENT = "LEG-GET-02" Must Node
        "A Get of a record that is absent is answered Ok (200) and the empty value.",
        "legacy 7.3";
    LEG_GET_ABSENT_CHANNEL = "LEG-GET-03" Must Node
        "A Get in a channel that does not exist is answered Ok (200) and the empty value.",
        "legacy 7.3, 12.1";
    LEG_GET_CREATES_NOTHING = "LEG-GET-04" Must Node
        "A Get creates no channel.",
        "legacy 6";
    LEG_GET_ANY_KEY = "LEG-GET-05" Must Node
        "A Get of a key outside the node's range is not answered WrongNode (404).",
        "legacy 6";
    LEG_GET_WHOLE = "LEG-GET-06" Must Node
        "The value of a Get is one that was stored as a whole, never a mixture of two.",
        "semantics-and-client A8";
}
