//! One storage behind both ports.

requirements! {
    LEG_BOTH_FROM_NEO = "LEG-BOTH-01" Must Node
        "What is written by a neo request is seen by every later legacy order.",
        "legacy 6; semantics-and-client A1, A8";
    LEG_BOTH_TO_NEO = "LEG-BOTH-02" Must Node
        "What is written by a legacy order is seen by every later neo request.",
        "legacy 6; semantics-and-client A1, A8";
    LEG_BOTH_MIRROR_PUT = "LEG-BOTH-03" Must Node
        "A Mirror is told of a legacy Put.",
        "legacy 7.2; semantics-and-client A7, A10";
    LEG_BOTH_MIRROR_REMOVE = "LEG-BOTH-04" Must Node
        "A Mirror is told of a legacy Remove of a record that is there.",
        "semantics-and-client A7, A10";
    LEG_BOTH_MIRROR_END = "LEG-BOTH-05" Must Node
        "A legacy RemoveChannel ends the channel's Mirrors.",
        "legacy 7.6; semantics-and-client A13";
    LEG_BOTH_LISTEN_PUT = "LEG-BOTH-06" Must Node
        "A Listen is told of a neo Put.",
        "legacy 7.14";
    LEG_BOTH_LISTEN_UPDATE = "LEG-BOTH-07" Must Node
        "A Listen is told of a neo Update that stores.",
        "legacy 7.14";
    LEG_BOTH_LISTEN_REMOVE = "LEG-BOTH-08" Must Node
        "A Listen is not told of a neo Remove.",
        "legacy 7.14";
    LEG_BOTH_LISTEN_END = "LEG-BOTH-09" Must Node
        "A neo RemoveChannel ends the channel's Listens with the end marker.",
        "legacy 7.14; semantics-and-client A13";
    LEG_BOTH_SIZES = "LEG-BOTH-10" Must Node
        "The sizes count what neo requests have written.",
        "legacy 7.8; semantics-and-client A7";
    LEG_BOTH_CHANNELS = "LEG-BOTH-11" Must Node
        "Both protocols list the same channels.",
        "legacy 7.7; semantics-and-client A4";
    LEG_BOTH_UPDATE = "LEG-BOTH-12" Must Node
        "A neo Update whose record a legacy Put changed meanwhile is answered UpdateConflict.",
        "semantics-and-client A12";
}
