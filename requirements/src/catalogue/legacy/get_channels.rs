//! GetChannels: the names of all channels.

requirements! {
    LEG_CHANNELS_COMPLETE = "LEG-CHANNELS-01" Must Node
        "GetChannels is answered Ok (200) and the name of every channel.",
        "legacy 7.7";
    LEG_CHANNELS_UNIQUE = "LEG-CHANNELS-02" Must Node
        "No name comes twice.",
        "legacy 7.7; semantics-and-client A18";
    LEG_CHANNELS_REAL = "LEG-CHANNELS-03" Must Node
        "No name comes of a channel that does not exist.",
        "legacy 7.7";
    LEG_CHANNELS_END = "LEG-CHANNELS-04" Must Node
        "An empty name ends the list.",
        "legacy 2.3, 7.7";
    LEG_CHANNELS_EMPTY_CHANNEL = "LEG-CHANNELS-05" Must Node
        "A channel without records is listed.",
        "legacy 6";
    LEG_CHANNELS_NAMELESS = "LEG-CHANNELS-06" Should Node
        "A channel without a name, which neo can make, does not end the list.",
        "legacy 2.3, 7.7";
}
