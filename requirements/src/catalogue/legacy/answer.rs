//! What all answers share.

requirements! {
    LEG_ANSWER_COMES = "LEG-ANSWER-01" Must Node
        "An order that the node understands is answered.",
        "legacy 6";
    LEG_ANSWER_STATUS = "LEG-ANSWER-02" Must Node
        "An answer begins with a status of the protocol, four bytes, little-endian.",
        "legacy 3.2";
    LEG_ANSWER_COMPLETE = "LEG-ANSWER-03" Must Node
        "Behind the status Ok (200) come all fields that the answer has.",
        "legacy 7";
    LEG_ANSWER_NO_BODY = "LEG-ANSWER-04" Must Node
        "A status other than Ok (200) is followed by nothing.",
        "legacy 3.2";
    LEG_ANSWER_NOTHING_MORE = "LEG-ANSWER-05" Must Node
        "Behind the last field of an answer nothing comes before the next order.",
        "legacy 1, 7";
    LEG_ANSWER_DEAD_STATUS = "LEG-ANSWER-06" Should Node
        "InvalidRequest (400) and NotSupported (406), which are defined only, are never sent.",
        "legacy 3.2, 12.1";
    LEG_ANSWER_CLIENT_KEEPS = "LEG-ANSWER-07" Should Client
        "A client keeps the connection after a status that is defined, unless it is Error (500).",
        "legacy 3.2, 8.4";
    LEG_ANSWER_CLIENT_CLOSES = "LEG-ANSWER-08" Must Client
        "A client closes the connection after Error (500) and after a status that is not defined.",
        "legacy 3.2, 8.4";
}
