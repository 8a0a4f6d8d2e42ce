//! Names of channels.

requirements! {
    LEG_NAME_LEGAL = "LEG-NAME-01" Must Node
        "Every name of letters, digits, underscores and hyphens is accepted, whatever its length.",
        "legacy 4.1";
    LEG_NAME_BAD = "LEG-NAME-02" Must Node
        "An order with a channel name that is empty, or has any other byte, is answered BadChannelName (409).",
        "legacy 4.1, 6";
    LEG_NAME_FIRST = "LEG-NAME-03" Must Node
        "The channel name is looked at before the key, the value and the batch.",
        "legacy 6, 7.2";
    LEG_NAME_EXACT = "LEG-NAME-04" Must Node
        "Names that differ in any byte, in case too, name different channels.",
        "legacy 4.1";
    LEG_NAME_NOT_CREATED = "LEG-NAME-05" Must Node
        "An order that is answered BadChannelName creates no channel.",
        "legacy 6";
    LEG_NAME_CLIENT = "LEG-NAME-06" Should Client
        "A client sends no order with a name that is not legal.",
        "legacy 4.1, 8.2";
}
