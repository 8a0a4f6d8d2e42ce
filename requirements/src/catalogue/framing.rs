//! Headers of messages, their validation, lengths, and the encoding of payloads.

requirements! {
    FRAME_SENT_PARITY = "NEO-FRAME-01" Must Node
        "The XOR of the ten bytes of every header from the node is 0.",
        "neo-transport 4";
    FRAME_SENT_TYPE = "NEO-FRAME-02" Must Node
        "Messages of the node have type 2 up to the result of the authentication, and type 1 after it.",
        "neo-transport 2, 4";
    FRAME_SENT_EXACT_LENGTH = "NEO-FRAME-03" Must Node
        "The body of a message from the node ends where its last field ends.",
        "neo-transport 5";
    FRAME_SENT_LITTLE_ENDIAN = "NEO-FRAME-04" Must Node
        "Integers in the node's messages are little-endian.",
        "neo-transport 5";
    FRAME_SENT_ARRAY_COUNT = "NEO-FRAME-05" Must Node
        "An array in the node's messages begins with its eight-byte count, also when it is the only field.",
        "neo-transport 5";
    FRAME_PARITY_CHECKED = "NEO-FRAME-06" Must Node
        "A request header with wrong parity closes the connection.",
        "neo-transport 4.1, 10.1";
    FRAME_TYPE_UNKNOWN_DROPPED = "NEO-FRAME-07" Must Node
        "A header of a type other than 1 and 2 closes the connection.",
        "neo-transport 4.1, 10.1";
    FRAME_AUTH_TYPE_DROPPED = "NEO-FRAME-08" Must Node
        "An authentication message after the authentication closes the connection.",
        "neo-transport 4.1, 10.1";
    FRAME_NO_ROOM_FOR_ID = "NEO-FRAME-09" Must Node
        "A request message whose announced length is below 8 closes the connection.",
        "neo-transport 4.1, 10.1";
    FRAME_CHECKED_BEFORE_BODY = "NEO-FRAME-10" Must Node
        "A wrong header closes the connection without waiting for the body.",
        "neo-transport 4.1, 10.1";
    FRAME_DROP_SILENT = "NEO-FRAME-11" Must Node
        "The node answers a wrong header with no message of any kind.",
        "neo-transport 4.1, 10.1";
    FRAME_BEFORE_WRONG_ANSWERED = "NEO-FRAME-12" Should Node
        "Requests in front of a wrong header in the same segment are answered before the connection is closed.",
        "neo-transport 10.1";
    FRAME_BEHIND_WRONG_DISCARDED = "NEO-FRAME-13" Must Node
        "Requests behind a wrong header are not carried out.",
        "neo-transport 10.1";
    FRAME_SPLIT = "NEO-FRAME-14" Must Node
        "A message that arrives byte by byte, in the handshake or later, is understood like one that arrives at once.",
        "neo-transport 1";
    FRAME_COALESCED = "NEO-FRAME-15" Must Node
        "Each of several messages that arrive in one segment is handled, also if the last continues in the next.",
        "neo-transport 1";
    FRAME_INCOMPLETE_DISCARDED = "NEO-FRAME-16" Must Node
        "A message that the end of the stream cuts off is not carried out.",
        "neo-transport 1";
    FRAME_LARGEST_ACCEPTED = "NEO-FRAME-17" Must Node
        "A message body of 65546 bytes plus the length of a channel name is accepted.",
        "neo-transport 4.2";
    FRAME_LARGER_ACCEPTED = "NEO-FRAME-18" May Node
        "Messages that are larger than the largest of the original client are accepted.",
        "neo-transport 4.2, Q8";
    FRAME_ARRAY_BEYOND_BODY = "NEO-FRAME-19" Must Node
        "A request with an array longer than the rest of its message, up to 2^64 - 1, is never answered with success.",
        "neo-transport 5";
    FRAME_CLIENT_CHECKS_HEADERS = "NEO-FRAME-20" Must Client
        "The client closes the connection on a wrong header.",
        "neo-transport 4.1, 10.2";
}
