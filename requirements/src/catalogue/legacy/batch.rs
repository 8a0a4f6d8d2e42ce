//! Compressed batches, as the node sends them.

requirements! {
    LEG_BATCH_SIZE = "LEG-BATCH-01" Must Node
        "A batch begins with the size of its data, and is an LZO1X stream that decompresses to exactly so much.",
        "legacy 5";
    LEG_BATCH_ENTRIES = "LEG-BATCH-02" Must Node
        "The data of a batch are entries back to back, and end where the last entry ends.",
        "legacy 5";
    LEG_BATCH_FULL = "LEG-BATCH-03" Must Node
        "Records that do not fit into one batch come in further ones.",
        "legacy 5";
    LEG_BATCH_EMPTY = "LEG-BATCH-04" May Node
        "An answer without records has one empty batch.",
        "legacy 5, 7.11, 12.1";
    LEG_BATCH_CLIENT_EMPTY = "LEG-BATCH-05" Must Client
        "A client accepts an empty batch, and an answer without a batch.",
        "legacy 5, 12.1";
    LEG_BATCH_CLIENT_SIZE = "LEG-BATCH-06" Must Client
        "A client accepts batches of any capacity.",
        "legacy 5";
}
