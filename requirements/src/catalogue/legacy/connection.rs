//! TCP, and orders as such.

requirements! {
    LEG_CONN_CLIENT_SPEAKS_FIRST = "LEG-CONN-01" Must Node
        "The node sends nothing before it has received a complete order.",
        "legacy 1, 6";
    LEG_CONN_PIECES = "LEG-CONN-02" Must Node
        "An order that arrives byte by byte is understood like one that arrives at once.",
        "legacy 1";
    LEG_CONN_GOES_ON = "LEG-CONN-03" Must Node
        "After every answer, whatever its status, the connection takes further orders.",
        "legacy 1";
    LEG_CONN_PIPELINING = "LEG-CONN-04" Should Node
        "Orders that come before the answers to earlier ones are handled one after the other, in the order in which they came.",
        "legacy 1, 12.1";
    LEG_CONN_HALF_CLOSE_ANSWERED = "LEG-CONN-05" Should Node
        "An order received completely before the client closes its sending side is answered.",
        "legacy 1";
    LEG_CONN_CUT_OFF = "LEG-CONN-06" Must Node
        "An order that the end of the stream cuts off is neither carried out nor answered.",
        "legacy 1";
    LEG_CONN_HALF_CLOSE_CLOSED = "LEG-CONN-07" Must Node
        "When the client closes its sending side, the node closes the connection.",
        "legacy 1";
    LEG_CONN_UNKNOWN_COMMAND = "LEG-CONN-08" Must Node
        "A command that does not exist closes the connection without a status.",
        "legacy 3.1, 12.1";
    LEG_CONN_UNKNOWN_BEHIND = "LEG-CONN-09" Must Node
        "Orders behind a command that does not exist are not carried out.",
        "legacy 3.1";
    LEG_CONN_UNKNOWN_BEFORE = "LEG-CONN-10" Must Node
        "An order in front of a command that does not exist is carried out.",
        "legacy 1, 3.1";
    LEG_CONN_ARRAY_LONGEST = "LEG-CONN-11" Must Node
        "An array of 10485760 bytes is accepted.",
        "legacy 2.2";
    LEG_CONN_ARRAY_TOO_LONG = "LEG-CONN-12" Must Node
        "An array of more than 10485760 bytes, unless it is the value of a Put, closes the connection without a status.",
        "legacy 2.2";
    LEG_CONN_SEVERAL = "LEG-CONN-13" Must Node
        "Several connections work at the same time, each with answers to its own orders.",
        "legacy 1";
    LEG_CONN_IDLE_STAYS_OPEN = "LEG-CONN-14" Must Node
        "A connection stays usable while orders on other connections are served.",
        "legacy 1";
    LEG_CONN_PORT = "LEG-CONN-15" Should Node
        "The legacy port is the neo port minus 100.",
        "legacy 1",
        hidden: "nodes inside tests listen on any two ports";
    LEG_CONN_OVER_LIMIT = "LEG-CONN-16" Must Node
        "A connection above the node's limit of connections is closed without a byte.",
        "legacy 1",
        hidden: "whether the node has a limit, and which, is a setting that no client is told";
    LEG_CONN_SHUTDOWN = "LEG-CONN-17" Should Node
        "A node that is told to end closes every connection without further bytes.",
        "legacy 7.14, 9",
        hidden: "only who controls the process can tell it to end";
    LEG_CONN_CLIENT_WAITS = "LEG-CONN-18" Should Client
        "A client sends no order before the answer to the one before it has come.",
        "legacy 1, 13";
    LEG_CONN_CLIENT_RECONNECTS = "LEG-CONN-19" Must Client
        "A client connects again after the connection broke.",
        "legacy 8.4";
}
