//! Put: store a value under a key.

requirements! {
    PUT_ANSWER = "NEO-PUT-01" Must Node
        "A Put of a key inside the hash range is answered Put (1).",
        "neo-requests 4.1";
    PUT_REPLACES = "NEO-PUT-02" Must Node
        "A Put of a key that is present replaces the whole value, be it longer or shorter.",
        "semantics-and-client A6";
    PUT_ONE_RECORD = "NEO-PUT-03" Must Node
        "A key that was put several times is still one record.",
        "semantics-and-client A1";
    PUT_IDENTICAL = "NEO-PUT-04" Must Node
        "A Put of the value that is stored already is answered like any other.",
        "semantics-and-client A6";
    PUT_CREATES_CHANNEL = "NEO-PUT-05" Must Node
        "A Put into a channel that does not exist creates the channel.",
        "neo-requests 2.3";
    PUT_WRONG_NODE = "NEO-PUT-06" Must Node
        "A Put of a key outside the hash range is answered WrongNode (2).",
        "neo-requests 4.2";
    PUT_DISCONNECTED = "NEO-PUT-07" Must Node
        "A Put whose connection breaks before the answer is carried out whole or not at all.",
        "neo-requests 4.2";
    PUT_CLIENT_LIMIT = "NEO-PUT-08" Should Client
        "A client refuses a value of more than 65,512 bytes without asking a node.",
        "neo-requests 4.3";
}
