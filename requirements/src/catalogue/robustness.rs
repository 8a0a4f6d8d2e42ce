//! What hostile, broken, slow or vanishing clients must not be able to do to a node.

requirements! {
    ROBUST_SURVIVES = "NEO-ROBUST-01" Must Node
        "No input whatsoever ends the node's process.",
        "neo-transport 10.1; neo-requests 16.1, P04";
    ROBUST_DROP_LOCAL = "NEO-ROBUST-02" Must Node
        "A connection that the node drops leaves other connections and their requests untouched.",
        "neo-transport 10.1";
    ROBUST_NEW_CONNECTIONS = "NEO-ROBUST-03" Must Node
        "After it dropped a connection the node accepts new ones.",
        "neo-transport 10.1, Q7";
    ROBUST_FAILURE_LOCAL = "NEO-ROBUST-04" Must Node
        "A request that fails disturbs no other request, unless by the end of its own connection.",
        "neo-transport 10; neo-requests 16.1, P05";
    ROBUST_ACKNOWLEDGED_STAYS = "NEO-ROBUST-05" Must Node
        "A write that was acknowledged before the connection was dropped stays in force.",
        "semantics-and-client A18";
    ROBUST_GARBAGE = "NEO-ROBUST-06" Must Node
        "Random bytes in place of a message end at most their own connection.",
        "neo-transport 10, Q18";
    ROBUST_ZERO_ID = "NEO-ROBUST-07" Must Node
        "A request with the id 0 does not end the node's process.",
        "neo-transport 10.1, Q9; neo-requests 16.1, P04, F13";
    ROBUST_LENGTH_UNALLOCATABLE = "NEO-ROBUST-08" Must Node
        "An announced length that cannot be allocated, such as 2^40, does not end the node's process.",
        "neo-transport 4.2, Q8; neo-requests 16.1, P04";
    ROBUST_LENGTH_OVERFLOWING = "NEO-ROBUST-09" Must Node
        "An announced length near 2^64, which overflows with the header added, does not end the node's process.",
        "neo-transport 4.2, Q8; neo-requests 16.1, P04";
    ROBUST_LENGTH_UNAUTHENTICATED = "NEO-ROBUST-10" Must Node
        "An immense announced length does not end the node's process before the authentication either.",
        "neo-transport 4.2, Q8; neo-requests 16.1, P04";
    ROBUST_LENGTH_DROPPED = "NEO-ROBUST-11" Should Node
        "A message whose announced length the node cannot take closes the connection at its header.",
        "neo-transport 4.2, Q8";
    ROBUST_LENGTH_MANY = "NEO-ROBUST-12" Must Node
        "Many connections that each announce a large message and send none of it do not keep the node from working.",
        "neo-transport 4.2, Q8; neo-requests 16.1, P04";
    ROBUST_WRONG_BEHIND_CODE = "NEO-ROBUST-13" Must Node
        "A wrong header sent behind the code, without waiting for the result, closes the connection.",
        "neo-transport 6.3, Q6";
    ROBUST_NO_COMMAND_BEHIND_CODE = "NEO-ROBUST-14" Must Node
        "A first message without a command sent behind the code, without waiting for the result, closes the connection.",
        "neo-transport 6.3, Q6";
    ROBUST_NO_SPINNING = "NEO-ROBUST-15" Must Node
        "No broken or abandoned connection keeps the node's processor busy.",
        "neo-transport 16, Q6",
        hidden: "the load of the processor is not visible on the connections";
    ROBUST_DROP_WITHIN_BURST = "NEO-ROBUST-16" Must Node
        "A drop within a burst that ends in an incomplete message does not affect later connections.",
        "neo-transport 16, Q7";
    ROBUST_CLOSED_UNREAD = "NEO-ROBUST-17" Must Node
        "A client that pipelines requests and closes without reading the answers does not affect later connections.",
        "neo-transport 16, Q7";
    ROBUST_CLOSED_ANY_PHASE = "NEO-ROBUST-18" Must Node
        "A client that closes its connection in any phase, also inside a message, affects no other.",
        "neo-transport 10.1";
    ROBUST_RESET_ANSWERING = "NEO-ROBUST-19" Must Node
        "A client that resets its connection while answers are sent affects no other.",
        "neo-transport 10.1";
    ROBUST_HALF_CLOSE_ANSWERED = "NEO-ROBUST-20" Should Node
        "Requests received completely before the client closes its sending side are answered.",
        "neo-transport 1";
    ROBUST_HALF_CLOSE_CLOSED = "NEO-ROBUST-21" Must Node
        "When the client closes its sending side, in any phase, the node closes the connection.",
        "neo-transport 1, 10.1";
    ROBUST_UNREAD_OTHERS_SERVED = "NEO-ROBUST-22" Must Node
        "A client that does not read its answers holds up no other connection.",
        "neo-transport 9.1";
    ROBUST_UNREAD_COMPLETE = "NEO-ROBUST-23" Must Node
        "A client that reads late receives every answer complete.",
        "neo-transport 9.1";
    ROBUST_UNREAD_BOUNDED = "NEO-ROBUST-24" Must Node
        "What the node stores for a client that does not read has a limit.",
        "neo-transport 9.1, 12.1",
        hidden: "the memory that a process uses is not visible on its connections";
    ROBUST_SLOW_SENDER = "NEO-ROBUST-25" Must Node
        "A client that falls silent, in any step of the handshake or inside a message, holds up no other connection.",
        "neo-transport 1, Q21";
    ROBUST_REQUEST_LIMIT_LOCAL = "NEO-ROBUST-26" Must Node
        "A connection with too many active requests is the only one that suffers for it.",
        "neo-transport 10.1, 12.1";
    ROBUST_MANY_CONNECTIONS = "NEO-ROBUST-27" Must Node
        "A hundred connections at the same time are all served.",
        "neo-transport 12.2";
    ROBUST_MANY_CYCLES = "NEO-ROBUST-28" Must Node
        "A thousand connections opened and closed one after the other leave the node working.",
        "neo-transport 12.2; neo-requests 16.1, P04";
}
