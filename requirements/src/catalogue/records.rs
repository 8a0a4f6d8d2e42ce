//! What the stored data means, whichever request reads or writes it.
//!
//! Where nothing else is said, a record has a value that is not empty: empty values are a dialect.

requirements! {
    DATA_PUT_VISIBLE = "NEO-DATA-01" Must Node
        "A Put that was acknowledged is seen by every later request on any connection.",
        "semantics-and-client A8";
    DATA_REMOVE_VISIBLE = "NEO-DATA-02" Must Node
        "A record whose removal was acknowledged is absent for every later request on any \
         connection.",
        "semantics-and-client A8";
    DATA_UPDATE_VISIBLE = "NEO-DATA-03" Must Node
        "An Update that was acknowledged is seen by every later request on any connection.",
        "semantics-and-client A8";
    DATA_LINEARIZABLE = "NEO-DATA-04" Must Node
        "Requests for one key from many clients take effect one after the other, each between its \
         start and its answer.",
        "semantics-and-client A8";
    DATA_GET_EXISTS_AGREE = "NEO-DATA-05" Must Node
        "In the absence of writers Exists and Get agree on which records are present.",
        "neo-requests 16.2, P19";
    DATA_GET_UPDATE_AGREE = "NEO-DATA-06" Must Node
        "In the absence of writers GetRecord of Update and Get agree on presence and value.",
        "neo-requests 16.2, P19";
    DATA_GET_ALL_AGREE = "NEO-DATA-07" Must Node
        "In the absence of writers GetAll and Get agree on every record of at most 65,512 bytes.",
        "neo-requests 16.2, P19";
    DATA_KEY_EXTREMES = "NEO-DATA-08" Must Node
        "The keys 0, 2^63 and 2^64 - 1 are keys like any other.",
        "semantics-and-client A2";
    DATA_KEY_ALL_BITS = "NEO-DATA-09" Must Node
        "Keys that differ in a single bit are different records.",
        "semantics-and-client A2";
    DATA_VALUE_SIZES = "NEO-DATA-10" Must Node
        "Values of 1 to 65,512 bytes are stored and returned whole.",
        "neo-requests 14.4";
    DATA_VALUE_LARGE = "NEO-DATA-11" Should Node
        "Values of more than 65,512 bytes are accepted.",
        "neo-requests 1.3, F22";
    DATA_VALUE_LARGE_WHOLE = "NEO-DATA-12" Must Node
        "A larger value that was acknowledged is returned whole by Get.",
        "semantics-and-client A5";
    DATA_VALUE_OPAQUE = "NEO-DATA-13" Must Node
        "Values are any bytes, returned unchanged.",
        "semantics-and-client A6";
    DATA_EMPTY_HARMLESS = "NEO-DATA-14" Must Node
        "Storing an empty value and then using its key leaves the connection usable.",
        "semantics-and-client A5";
    DATA_EMPTY_ANSWERED = "NEO-DATA-15" Should Node
        "Every request for a key with an empty value is answered.",
        "neo-requests 14.1, P03, F09";
    DATA_EMPTY_CONSISTENT = "NEO-DATA-16" Should Node
        "All requests agree whether a record with an empty value is present.",
        "neo-requests 14.1, P19, F09";
    DATA_EMPTY_OVERWRITTEN = "NEO-DATA-17" Must Node
        "A Put of a value replaces an empty value.",
        "semantics-and-client A5";
    DATA_EMPTY_DIALECT = "NEO-DATA-18" May Node
        "An empty value may be refused with Error, stored, or treated as the absence of the \
         record.",
        "neo-requests 14.1, F09";
    DATA_CHANNELS_SEPARATE = "NEO-DATA-19" Must Node
        "The same key in two channels is two records.",
        "semantics-and-client A1";
    DATA_NAME_PLAIN = "NEO-DATA-20" Must Node
        "Names of letters, digits, `_` and `-` are channels.",
        "semantics-and-client A4";
    DATA_NAME_EXACT = "NEO-DATA-21" Must Node
        "Channel names are compared byte by byte, with case and without trimming.",
        "semantics-and-client A1";
    DATA_NAME_LONG = "NEO-DATA-22" Should Node
        "Names of 1,000 bytes are channels.",
        "semantics-and-client A4";
    DATA_NAME_ODD = "NEO-DATA-23" Must Node
        "A name with other bytes, or none, is a channel like any other or is refused.",
        "neo-requests 14.1, F11";
    DATA_RESTART_RECORDS = "NEO-DATA-24" Must Node
        "Records survive a clean restart.",
        "neo-requests 16.1, P13",
        hidden: "no neo request restarts a node";
    DATA_RESTART_CHANNELS = "NEO-DATA-25" Must Node
        "Empty channels survive a clean restart.",
        "semantics-and-client A15",
        hidden: "no neo request restarts a node";
    DATA_RESTART_REMOVED = "NEO-DATA-26" Must Node
        "A removed channel does not come back with a restart.",
        "semantics-and-client A13",
        hidden: "no neo request restarts a node";
    DATA_RESTART_ODD_NAMES = "NEO-DATA-27" Must Node
        "No channel name keeps other channels from surviving a clean restart.",
        "neo-requests 14.1, P13, F11",
        hidden: "no neo request restarts a node";
    DATA_NAME_NO_PATH = "NEO-DATA-28" Must Node
        "No channel name makes the node write outside its data directory.",
        "semantics-and-client A15",
        hidden: "the files of a node are not visible on its neo port";
    DATA_REDISTRIBUTED = "NEO-DATA-29" Should Node
        "A record that moves to another node loses no value that was acknowledged.",
        "neo-requests 16.7, P73, F15, F16, F18",
        hidden: "the range changes only in a redistribution, which no neo request starts";
}
