//! Keys as text.

requirements! {
    LEG_KEY_DIGITS = "LEG-KEY-01" Must Node
        "The node sends keys as 16 hexadecimal digits in lower case.",
        "legacy 4.2";
    LEG_KEY_UPPER_CASE = "LEG-KEY-02" May Node
        "Digits in upper case mean the same key as those in lower case.",
        "legacy 4.2, 12.1";
    LEG_KEY_MALFORMED = "LEG-KEY-03" Must Node
        "A key that is not 16 hexadecimal digits closes the connection without a status, or names a record of its own.",
        "legacy 4.2, 12.1";
    LEG_KEY_MALFORMED_CLOSES = "LEG-KEY-04" May Node
        "A key that is not 16 hexadecimal digits closes the connection.",
        "legacy 4.2, 12.1";
    LEG_KEY_SAME = "LEG-KEY-05" Must Node
        "The digits of a key are its number of 64 bits, the most significant digit first.",
        "legacy 4.2";
    LEG_KEY_CLIENT = "LEG-KEY-06" Must Client
        "A client sends keys as 16 hexadecimal digits in lower case.",
        "legacy 4.2";
}
