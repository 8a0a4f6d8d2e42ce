//! Get: read the value of a key.

requirements! {
    GET_PRESENT = "NEO-GET-01" Must Node
        "A Get of a record that is present is answered Got (2).",
        "neo-requests 5.1";
    GET_VALUE_FOLLOWS = "NEO-GET-02" Must Node
        "Got is followed by exactly one message with the value, and nothing before it.",
        "neo-requests 5.1, P17";
    GET_VALUE_LAYOUT = "NEO-GET-03" Must Node
        "The value message is the length and the bytes of the value, without a type, and nothing \
         else.",
        "neo-requests 5.1";
    GET_VALUE_EXACT = "NEO-GET-04" Must Node
        "In the absence of writers Get returns exactly the value that was acknowledged last.",
        "semantics-and-client A18";
    GET_VALUE_OF_AN_INSTANT = "NEO-GET-05" Must Node
        "The value of a Get is one that the record had at an instant during the request, never a \
         mixture.",
        "neo-requests 5.2, P16";
    GET_ABSENT = "NEO-GET-06" Must Node
        "A Get of a record that is absent is answered NoRecord (1).",
        "neo-requests 5.1";
    GET_WRONG_NODE = "NEO-GET-07" Must Node
        "A Get of a key outside the hash range is answered WrongNode (3).",
        "neo-requests 5.2";
    GET_CLIENT_NO_RECORD = "NEO-GET-08" Must Client
        "A client reports that there is no record only if every node that covers the key said so.",
        "neo-requests 16.2, P18, F40";
}
