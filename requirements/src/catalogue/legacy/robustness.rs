//! What hostile, broken, slow or vanishing clients must not be able to do to a node.

requirements! {
    LEG_ROBUST_SURVIVES = "LEG-ROBUST-01" Must Node
        "No input whatsoever ends the node's process.",
        "legacy 1, 12.2";
    LEG_ROBUST_DROP_LOCAL = "LEG-ROBUST-02" Must Node
        "A connection that the node drops leaves other connections untouched.",
        "legacy 1";
    LEG_ROBUST_NEW_CONNECTIONS = "LEG-ROBUST-03" Must Node
        "After it dropped a connection the node accepts new ones.",
        "legacy 1";
    LEG_ROBUST_ACKNOWLEDGED_STAYS = "LEG-ROBUST-04" Must Node
        "A write that was acknowledged before the connection was dropped stays in force.",
        "semantics-and-client A8";
    LEG_ROBUST_LENGTH_IMMENSE = "LEG-ROBUST-05" Must Node
        "An announced length that cannot be allocated, up to 2^64 - 1, does not end the node's process.",
        "legacy 2.2";
    LEG_ROBUST_SLOW_SENDER = "LEG-ROBUST-06" Must Node
        "A client that falls silent inside an order holds up no other connection.",
        "legacy 1";
    LEG_ROBUST_UNREAD = "LEG-ROBUST-07" Must Node
        "A client that does not read its answers holds up no other connection.",
        "legacy 1.1";
    LEG_ROBUST_UNREAD_COMPLETE = "LEG-ROBUST-08" Must Node
        "A client that reads late receives every answer complete.",
        "legacy 1.1";
    LEG_ROBUST_CLOSED_ANSWERING = "LEG-ROBUST-09" Must Node
        "A client that closes or resets its connection while it is answered affects no other.",
        "legacy 1";
    LEG_ROBUST_MANY_CONNECTIONS = "LEG-ROBUST-10" Must Node
        "A hundred connections at the same time are all served.",
        "legacy 1";
    LEG_ROBUST_MANY_CYCLES = "LEG-ROBUST-11" Must Node
        "Five hundred connections opened and closed one after the other leave the node working.",
        "legacy 1";
    LEG_ROBUST_GARBAGE = "LEG-ROBUST-12" Must Node
        "Random bytes in place of an order end at most their own connection.",
        "legacy 1, 3.1";
}
