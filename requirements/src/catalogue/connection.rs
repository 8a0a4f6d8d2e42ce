//! TCP and the exchange of version bytes.

requirements! {
    CONN_CLIENT_SPEAKS_FIRST = "NEO-CONN-01" Must Node
        "The node sends nothing before it has received the client's version byte.",
        "neo-transport 3";
    CONN_VERSION_ANSWERED = "NEO-CONN-02" Must Node
        "The node answers the version byte 1 with its own, one raw byte of value 1.",
        "neo-transport 3";
    CONN_WAITS_FOR_TIMESTAMP = "NEO-CONN-03" Must Node
        "After its version byte the node sends nothing before it has received the client's timestamp.",
        "neo-transport 3";
    CONN_WRONG_VERSION_DROPPED = "NEO-CONN-04" Must Node
        "A version byte other than 1 closes the connection, with nothing sent but at most the node's own version byte.",
        "neo-transport 3, Q2";
    CONN_WRONG_VERSION_ANSWERED = "NEO-CONN-05" May Node
        "The node sends its own version byte before it closes a connection of another version.",
        "neo-transport 3, Q2";
    CONN_EARLY_BYTES_DROPPED = "NEO-CONN-06" Should Node
        "Bytes that come together with the version byte close the connection.",
        "neo-transport 3, Q1";
    CONN_SAME_NAME_TWICE = "NEO-CONN-07" Must Node
        "Several connections of clients with the same name work at the same time.",
        "neo-transport 1";
    CONN_IDLE_STAYS_OPEN = "NEO-CONN-08" Must Node
        "An authenticated connection stays usable however long nothing is sent on it.",
        "neo-transport 1";
    CONN_PORT_OFFSET = "NEO-CONN-09" Must Node
        "The neo port is the legacy port plus 100.",
        "neo-transport 1",
        hidden: "the legacy port is not visible on the neo port";
    CONN_OVER_LIMIT_SILENT = "NEO-CONN-10" Must Node
        "A connection above the node's limit of connections is closed without a byte.",
        "neo-transport 12.2",
        hidden: "whether the node has a limit, and which, is a setting that no client is told";
    CONN_SHUTDOWN_CLOSES = "NEO-CONN-11" Should Node
        "A node that is told to end closes every connection without further messages.",
        "neo-transport 12.2",
        hidden: "only who controls the process can tell it to end";
    CONN_CLIENT_WAITS_FOR_VERSION = "NEO-CONN-12" Must Client
        "After its version byte the client sends nothing before it has received the node's.",
        "neo-transport 3, Q1";
    CONN_CLIENT_DROPS_WRONG_VERSION = "NEO-CONN-13" Must Client
        "The client closes the connection to a node of another version.",
        "neo-transport 3";
    CONN_CLIENT_RECONNECTS = "NEO-CONN-14" Must Client
        "The client connects again after any failure, until it is shut down.",
        "neo-transport 11";
}
