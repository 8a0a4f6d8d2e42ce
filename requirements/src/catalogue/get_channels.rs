//! GetChannels: the names of all channels.

requirements! {
    CHANNELS_NAME = "NEO-CHANNELS-01" Must Node
        "Each channel is reported by one ChannelName (2) with the length and the bytes of its \
         name.",
        "neo-requests 8";
    CHANNELS_FINISHED = "NEO-CHANNELS-02" Must Node
        "The list ends with exactly one Finished (3).",
        "neo-requests 8, P25";
    CHANNELS_UNIQUE = "NEO-CHANNELS-03" Must Node
        "No name is reported twice.",
        "neo-requests 16.2, P25";
    CHANNELS_COMPLETE = "NEO-CHANNELS-04" Must Node
        "Every channel that exists during the whole request is reported, with or without records.",
        "neo-requests 16.2, P25";
    CHANNELS_REAL = "NEO-CHANNELS-05" Must Node
        "Only channels are reported that existed at some time during the request.",
        "neo-requests 16.2, P25";
    CHANNELS_READS_ONLY = "NEO-CHANNELS-06" Must Node
        "GetChannels creates no channel.",
        "semantics-and-client A4";
    CHANNELS_CONCURRENT = "NEO-CHANNELS-07" Must Node
        "GetChannels survives that channels come and go while the client does not read.",
        "neo-requests 16.2, P25, F12";
    CHANNELS_ANY_ORDER = "NEO-CHANNELS-08" May Node
        "The names may come in any order.",
        "semantics-and-client A18";
    CHANNELS_CLIENT_UNIQUE = "NEO-CHANNELS-09" Must Client
        "A client reports each name once, over all nodes and reconnections.",
        "neo-requests 16.2, P26, F38";
}
