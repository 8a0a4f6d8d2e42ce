//! GetAll, GetAllKeys and GetAllFilter: the records of a channel.

requirements! {
    LEG_GETALL_COMPLETE = "LEG-GETALL-01" Must Node
        "GetAll is answered Ok (200) and every record of the channel that fits into a batch.",
        "legacy 7.11";
    LEG_GETALL_VALUES = "LEG-GETALL-02" Must Node
        "In the absence of writers every record comes with its value.",
        "legacy 7.11";
    LEG_GETALL_UNIQUE = "LEG-GETALL-03" Must Node
        "In the absence of writers no record comes twice.",
        "legacy 7.11; semantics-and-client A18";
    LEG_GETALL_ONLY_CHANNEL = "LEG-GETALL-04" Must Node
        "No record of another channel comes.",
        "legacy 7.11";
    LEG_GETALL_END = "LEG-GETALL-05" Must Node
        "An empty array ends the answer.",
        "legacy 7.11";
    LEG_GETALL_NOTHING = "LEG-GETALL-06" Must Node
        "The answer for a channel that is empty or does not exist is Ok (200) without a record.",
        "legacy 7.11, 12.1";
    LEG_GETALL_CREATES_NOTHING = "LEG-GETALL-07" Must Node
        "None of the three creates a channel.",
        "legacy 6";
    LEG_GETALL_TOO_LARGE = "LEG-GETALL-08" Must Node
        "A record that does not fit into a batch is the only one that is left out.",
        "legacy 5, 7.11, 12.1";
    LEG_GETALL_STORED_ONCE = "LEG-GETALL-09" Must Node
        "Under concurrent writers no record comes with a value, other than the empty one, that was never stored.",
        "legacy 12.1";
    LEG_GETALL_KEYS = "LEG-GETALL-10" Must Node
        "GetAllKeys is answered Ok (200) and the key of every record, once.",
        "legacy 7.12";
    LEG_GETALL_KEYS_LARGE = "LEG-GETALL-11" Must Node
        "GetAllKeys lists also records that do not fit into a batch of GetAll.",
        "legacy 7.11, 12.1";
    LEG_GETALL_FILTER_MATCHES = "LEG-GETALL-12" Must Node
        "GetAllFilter is answered Ok (200) and every record whose value contains the filter.",
        "legacy 7.13";
    LEG_GETALL_FILTER_ONLY = "LEG-GETALL-13" Must Node
        "No record comes whose value does not contain the filter; keys are not searched.",
        "legacy 7.13";
    LEG_GETALL_FILTER_EMPTY = "LEG-GETALL-14" Must Node
        "GetAllFilter with an empty filter, of which nothing else is required, does not end the node's process.",
        "legacy 7.13, 12.2";
    LEG_GETALL_CLIENT_FILTER = "LEG-GETALL-15" Must Client
        "A client does not send an empty filter.",
        "legacy 7.13, 8.2";
}
