//! Put: store a record.

requirements! {
    LEG_PUT_STORED = "LEG-PUT-01" Must Node
        "A Put is answered Ok (200), and the record is stored from then on.",
        "legacy 7.2; semantics-and-client A7, A8";
    LEG_PUT_REPLACES = "LEG-PUT-02" Must Node
        "A Put replaces the record of the same channel and key.",
        "legacy 7.2; semantics-and-client A1";
    LEG_PUT_OPAQUE = "LEG-PUT-03" Must Node
        "Values are stored as they are, whatever bytes they have.",
        "legacy 7.2";
    LEG_PUT_CREATES = "LEG-PUT-04" Must Node
        "A Put that is answered Ok creates the channel if need be.",
        "legacy 6";
    LEG_PUT_WRONG_NODE = "LEG-PUT-05" Must Node
        "A Put of a key outside the node's range is answered WrongNode (404).",
        "legacy 7.2";
    LEG_PUT_EMPTY = "LEG-PUT-06" Must Node
        "A Put of an empty value is answered EmptyValue (408).",
        "legacy 7.2";
    LEG_PUT_SMALL = "LEG-PUT-07" Must Node
        "Values of up to 992 bytes are stored.",
        "legacy 7.2, 12.1";
    LEG_PUT_LARGE = "LEG-PUT-08" Should Node
        "Values of up to 65503 bytes are stored.",
        "legacy 7.2, 12.1";
    LEG_PUT_TOO_BIG = "LEG-PUT-09" Should Node
        "A Put of a value of more than 131072 bytes is answered ValueTooBig (410).",
        "legacy 7.2, 12.1";
    LEG_PUT_TOO_BIG_READ = "LEG-PUT-10" Must Node
        "A value that is too big, also above 10485760 bytes, is read to its end, and the connection goes on.",
        "legacy 2.2, 7.2";
    LEG_PUT_ONE_LIMIT = "LEG-PUT-11" Must Node
        "A node that refuses a value as too big refuses longer ones, and stores shorter ones.",
        "legacy 7.2";
    LEG_PUT_RANGE_FIRST = "LEG-PUT-12" Must Node
        "The key's place in the range is looked at before the length of the value: WrongNode (404) wins over ValueTooBig (410) and EmptyValue (408).",
        "legacy 7.2";
    LEG_PUT_REFUSED_NOT_STORED = "LEG-PUT-13" Must Node
        "A Put that is refused leaves the record as it was.",
        "legacy 7.2";
    LEG_PUT_REFUSED_NOT_CREATED = "LEG-PUT-14" Should Node
        "A Put that is refused creates no channel.",
        "legacy 6, 7.2";
    LEG_PUT_MEMORY = "LEG-PUT-15" May Node
        "A Put that would take the node above its limit of memory is answered OutOfMemory (407).",
        "legacy 7.2",
        hidden: "whether the node has such a limit is a setting that no client is told";
    LEG_PUT_CLIENT_EMPTY = "LEG-PUT-16" Must Client
        "A client refuses to put an empty value and sends nothing.",
        "legacy 8.2";
}
