//! Listen: hear of what is written.

requirements! {
    LEG_LISTEN_STATUS = "LEG-LISTEN-01" Must Node
        "Listen is answered Ok (200) with the first record at the latest.",
        "legacy 7.14, 12.1";
    LEG_LISTEN_TELLS = "LEG-LISTEN-02" Must Node
        "A Put that is answered after the node has handled the Listen is told: key and value.",
        "legacy 7.14";
    LEG_LISTEN_SETTLES = "LEG-LISTEN-03" Must Node
        "The last record of a key that is told carries its current value, once nothing is written any more.",
        "legacy 7.14, 12.1";
    LEG_LISTEN_ONLY_STORED = "LEG-LISTEN-04" Must Node
        "No value is told, other than the empty one of a removed record, that the key never had.",
        "legacy 7.14, 12.1";
    LEG_LISTEN_NOT_BEFORE = "LEG-LISTEN-05" Must Node
        "Records that were stored before the Listen are not told.",
        "legacy 7.14";
    LEG_LISTEN_REMOVE = "LEG-LISTEN-06" Must Node
        "A Remove is not told.",
        "legacy 7.5, 7.14";
    LEG_LISTEN_ONLY_CHANNEL = "LEG-LISTEN-07" Must Node
        "Nothing is told of other channels.",
        "legacy 7.14";
    LEG_LISTEN_CREATES = "LEG-LISTEN-08" Must Node
        "A Listen creates the channel if need be.",
        "legacy 6, 7.14";
    LEG_LISTEN_ALL = "LEG-LISTEN-09" Must Node
        "Each of several Listens of one channel is told everything.",
        "legacy 7.14";
    LEG_LISTEN_END = "LEG-LISTEN-10" Must Node
        "When the channel is removed, an empty key and an empty value end the answer.",
        "legacy 7.14";
    LEG_LISTEN_END_LAST = "LEG-LISTEN-11" Must Node
        "Nothing is told behind the end.",
        "legacy 7.14";
    LEG_LISTEN_GOES_ON = "LEG-LISTEN-12" Must Node
        "After the end the connection takes further orders, another Listen too.",
        "legacy 7.14";
    LEG_LISTEN_INPUT_ENDS = "LEG-LISTEN-13" Must Node
        "An order that the client sends during a Listen ends it without an end marker, at the next event at the latest, and is answered.",
        "legacy 7.14";
    LEG_LISTEN_HALF_CLOSE = "LEG-LISTEN-14" Must Node
        "A client that closes its sending side during a Listen ends it without an end marker, at the next event at the latest, and the node closes the connection.",
        "legacy 7.14";
    LEG_LISTEN_DROPPED = "LEG-LISTEN-15" Must Node
        "A client that closes its connection during a Listen disturbs neither writers nor other Listens.",
        "legacy 7.14";
    LEG_LISTEN_BAD_NAME = "LEG-LISTEN-16" Must Node
        "A Listen with a channel name that is not legal is answered BadChannelName (409), and does not end the node's process.",
        "legacy 7.14, 12.2";
    LEG_LISTEN_NEW_CHANNEL = "LEG-LISTEN-17" Must Node
        "A Listen that has ended is told nothing of a channel of the same name that is created later.",
        "legacy 7.14; semantics-and-client A11";
    LEG_LISTEN_UNREAD = "LEG-LISTEN-18" Must Node
        "A client that does not read what it is told holds up neither writers nor other Listens.",
        "legacy 7.14, 8.5";
    LEG_LISTEN_MANY = "LEG-LISTEN-19" Should Node
        "Up to 32768 records that wait for a client are all told.",
        "legacy 7.14";
    LEG_LISTEN_CLIENT_SILENT = "LEG-LISTEN-20" Must Client
        "A client sends nothing while a Listen runs, unless to end it.",
        "legacy 7.14, 13";
    LEG_LISTEN_CLIENT_STATUS = "LEG-LISTEN-21" Must Client
        "A client does not wait for the status before it does what a record will tell of.",
        "legacy 7.14";
}
