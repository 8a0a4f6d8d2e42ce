//! GetSize, GetChannelSize and GetNumConnections: numbers.

requirements! {
    LEG_SIZE_CHANNEL = "LEG-SIZE-01" Must Node
        "GetChannelSize is answered Ok (200), address, port, and the numbers of records and of bytes of the channel.",
        "legacy 7.8";
    LEG_SIZE_RECORDS = "LEG-SIZE-02" Must Node
        "The number of records of a channel is exact.",
        "legacy 7.8; semantics-and-client A7";
    LEG_SIZE_ABSENT_CHANNEL = "LEG-SIZE-03" Must Node
        "The size of a channel that does not exist is no records and no bytes.",
        "legacy 7.8";
    LEG_SIZE_CREATES_NOTHING = "LEG-SIZE-04" Must Node
        "GetChannelSize creates no channel.",
        "legacy 6";
    LEG_SIZE_ALL = "LEG-SIZE-05" Must Node
        "GetSize is answered Ok (200), address, port, and the numbers of records and of bytes of all channels.",
        "legacy 7.8";
    LEG_SIZE_ALL_RECORDS = "LEG-SIZE-06" Must Node
        "The number of records of all channels is exact.",
        "legacy 7.8; semantics-and-client A7";
    LEG_SIZE_BYTES_GROW = "LEG-SIZE-07" Should Node
        "The number of bytes of a channel does not become smaller by a record that is added.",
        "semantics-and-client A7";
    LEG_SIZE_ADDRESS = "LEG-SIZE-08" May Node
        "The address and port are those that the node listens on for legacy clients.",
        "legacy 7.8, 12.1";
    LEG_SIZE_CONNECTIONS = "LEG-SIZE-09" May Node
        "GetNumConnections is answered Ok (200), address, port and number.",
        "legacy 7.9, 12.1";
    LEG_SIZE_CONNECTIONS_COUNTED = "LEG-SIZE-10" Must Node
        "A node that answers GetNumConnections counts all open legacy connections, the asking one too.",
        "legacy 7.9";
    LEG_SIZE_CONNECTIONS_LEGACY = "LEG-SIZE-11" Must Node
        "A node that answers GetNumConnections does not count neo connections.",
        "legacy 7.9";
}
