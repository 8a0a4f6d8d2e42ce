//! GetVersion and GetResponsibleRange: the handshake.

requirements! {
    LEG_VERSION_ANSWER = "LEG-HANDSHAKE-01" Must Node
        "GetVersion is answered Ok (200) and the text 20110401.",
        "legacy 7.1";
    LEG_RANGE_ANSWER = "LEG-HANDSHAKE-02" Must Node
        "GetResponsibleRange is answered Ok (200) and the smallest and the largest value of the range.",
        "legacy 7.10";
    LEG_RANGE_VALID = "LEG-HANDSHAKE-03" Must Node
        "The range has a smallest value up to the largest, or is the empty one, 2^64 - 1 and 0.",
        "legacy 4.3";
    LEG_RANGE_SAME = "LEG-HANDSHAKE-04" Must Node
        "The range is the one that GetHashRange tells on the neo port.",
        "legacy 4.3; semantics-and-client A1";
    LEG_HANDSHAKE_CLIENT = "LEG-HANDSHAKE-05" Must Client
        "A client sends orders other than these two only to a node whose version it has confirmed.",
        "legacy 8.2";
    LEG_HANDSHAKE_CLIENT_RANGES = "LEG-HANDSHAKE-06" Must Client
        "A client reports a handshake as complete only if the ranges of all nodes leave no gap and do not overlap.",
        "legacy 8.3";
}
