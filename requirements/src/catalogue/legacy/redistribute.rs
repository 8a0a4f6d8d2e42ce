//! Redistribute: change the range of a node and move its records.

requirements! {
    LEG_REDIST_SUPPORTED = "LEG-REDIST-01" May Node
        "Redistribute is answered with a status.",
        "legacy 7.16, 12.1";
    LEG_REDIST_RANGE = "LEG-REDIST-02" Must Node
        "After Ok (200) the node's range is the new one, on both ports.",
        "legacy 7.16; semantics-and-client A14";
    LEG_REDIST_INVALID = "LEG-REDIST-03" Must Node
        "A new range whose smallest value is above its largest is answered Error (500), and changes nothing.",
        "legacy 7.16";
    LEG_REDIST_BAD_NODE = "LEG-REDIST-04" Must Node
        "A node in the list whose smallest value is above its largest closes the connection or is answered Error (500), and moves nothing.",
        "legacy 7.16, 12.1";
    LEG_REDIST_MOVES = "LEG-REDIST-05" Must Node
        "Every record that another node of the list is responsible for is sent to it, and is gone when the status Ok (200) comes.",
        "legacy 7.16; semantics-and-client A14";
    LEG_REDIST_KEEPS = "LEG-REDIST-06" Must Node
        "A record that no node of the list is responsible for stays.",
        "legacy 7.16";
    LEG_REDIST_REFUSES = "LEG-REDIST-07" Must Node
        "A Put of a key that was given away is answered WrongNode (404) once the redistribution is over.",
        "legacy 7.16";
    LEG_REDIST_WAITS = "LEG-REDIST-08" Must Node
        "The status comes only when everything has been moved.",
        "legacy 7.16";
    LEG_REDIST_ONE = "LEG-REDIST-09" Must Node
        "A Redistribute while another one is under way is answered Error (500).",
        "legacy 7.16";
}
