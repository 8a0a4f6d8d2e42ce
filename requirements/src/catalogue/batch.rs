//! The container of record batches, of GetAll and of the refreshes of Mirror.

requirements! {
    BATCH_FILLS_MESSAGE = "NEO-BATCH-01" Must Node
        "A batch is one array whose length is that of the rest of the message.",
        "neo-requests 6.1, 7.1";
    BATCH_LZO = "NEO-BATCH-02" Must Node
        "Behind eight bytes of plain length a batch holds one valid LZO1X stream that ends with its end mark.",
        "neo-transport 13";
    BATCH_EXACT_LENGTH = "NEO-BATCH-03" Must Node
        "A batch decompresses to exactly its plain length.",
        "neo-requests 7.1, P48";
    BATCH_WHOLE_RECORDS = "NEO-BATCH-04" Must Node
        "A decompressed batch consists of whole records and nothing else.",
        "neo-requests 7.1, P48";
    BATCH_GETALL_RECORD = "NEO-BATCH-05" Must Node
        "In a GetAll batch with values a record is the length 8, the key, the length of the value and the value.",
        "neo-requests 7.1, P48";
    BATCH_GETALL_KEY = "NEO-BATCH-06" Must Node
        "In a GetAll batch with keys only a record is the length 8 and the key, nothing of the value.",
        "neo-requests 7.1, P48";
    BATCH_GETALL_LIMIT = "NEO-BATCH-07" Must Node
        "The plain length of a GetAll batch is at most 65536.",
        "neo-requests 1.3, P48";
    BATCH_REFRESH_RECORD = "NEO-BATCH-08" Must Node
        "In a refresh batch a record is the eight bytes of the key without a length, then the value with its length.",
        "neo-requests 6.1";
    BATCH_REFRESH_LIMIT = "NEO-BATCH-09" Must Node
        "The plain length of a refresh batch is at most 131071.",
        "neo-requests 1.3";
    BATCH_REFRESH_NOT_EMPTY = "NEO-BATCH-10" Must Node
        "A refresh batch holds at least one record.",
        "neo-requests 6.1";
    BATCH_VALUES = "NEO-BATCH-11" Must Node
        "Values come out of a batch byte for byte, whether they compress well or not at all.",
        "neo-transport 13";
    BATCH_BOUNDARIES_FREE = "NEO-BATCH-12" May Node
        "A node distributes records over batches as it likes, within the limits of size.",
        "semantics-and-client A18";
    BATCH_GETALL_EMPTY = "NEO-BATCH-13" May Node
        "The last batch of a GetAll is empty or left out if no record is left.",
        "neo-requests 14.4";
    BATCH_CLIENT_ANY_LZO = "NEO-BATCH-14" Must Client
        "The client accepts any LZO1X stream, also one of literals only.",
        "neo-requests 6.1";
    BATCH_CLIENT_BOUNDED = "NEO-BATCH-15" Must Client
        "The client rejects a stream that does not decompress to exactly the plain length.",
        "neo-requests 6.1, F43";
    BATCH_CLIENT_INNER_LENGTHS = "NEO-BATCH-16" Must Client
        "The client rejects a batch in which a length exceeds what is left of it.",
        "neo-requests 6.1, F43";
    BATCH_CLIENT_EMPTY = "NEO-BATCH-17" Must Client
        "The client accepts an empty GetAll batch.",
        "neo-requests 7.1";
}
