//! PutBatch: store many records.

requirements! {
    LEG_PUTBATCH_STORED = "LEG-PUTBATCH-01" Must Node
        "A PutBatch is answered Ok (200), and every record of the batch is stored from then on.",
        "legacy 7.15";
    LEG_PUTBATCH_REPLACES = "LEG-PUTBATCH-02" Must Node
        "Records of a batch replace those of the same key, the later of two in one batch the earlier.",
        "legacy 7.15";
    LEG_PUTBATCH_NOTHING = "LEG-PUTBATCH-03" Must Node
        "A batch without records is answered Ok (200).",
        "legacy 7.15";
    LEG_PUTBATCH_EMPTY = "LEG-PUTBATCH-04" Must Node
        "A batch with an empty value is answered EmptyValue (408).",
        "legacy 7.15";
    LEG_PUTBATCH_WRONG_NODE = "LEG-PUTBATCH-05" Must Node
        "A batch with a key outside the node's range is answered WrongNode (404).",
        "legacy 7.15";
    LEG_PUTBATCH_EMPTY_FIRST = "LEG-PUTBATCH-06" Must Node
        "Of one record the value is looked at before the key: EmptyValue (408) wins over WrongNode (404).",
        "legacy 7.15";
    LEG_PUTBATCH_FIRST_BAD = "LEG-PUTBATCH-07" Must Node
        "The first bad record of a batch decides over the status.",
        "legacy 7.15, 12.1";
    LEG_PUTBATCH_BEFORE = "LEG-PUTBATCH-08" Must Node
        "Records in front of a bad one stay stored.",
        "legacy 7.15, 12.1";
    LEG_PUTBATCH_BEHIND = "LEG-PUTBATCH-09" Must Node
        "Neither a bad record nor one behind it is stored.",
        "legacy 7.15";
    LEG_PUTBATCH_LARGE = "LEG-PUTBATCH-10" Should Node
        "The limit that Put has for values is none for those of a batch.",
        "legacy 7.15";
    LEG_PUTBATCH_ANY_STREAM = "LEG-PUTBATCH-11" Must Node
        "Every valid LZO1X stream is accepted, whoever compressed it.",
        "legacy 5";
    LEG_PUTBATCH_SIZE = "LEG-PUTBATCH-12" Must Node
        "A batch whose data have another size than it says closes the connection without a status.",
        "legacy 7.15";
    LEG_PUTBATCH_ENTRIES = "LEG-PUTBATCH-13" Must Node
        "A batch whose entries do not end with its data closes the connection without a status.",
        "legacy 7.15";
    LEG_PUTBATCH_ENTRIES_BEFORE = "LEG-PUTBATCH-14" May Node
        "Entries in front of one that does not end with its data stay stored.",
        "legacy 7.15";
    LEG_PUTBATCH_GARBAGE = "LEG-PUTBATCH-15" Must Node
        "A batch that is too short, or whose stream is none, closes the connection without a status, and does not end the node's process.",
        "legacy 7.15, 12.2";
    LEG_PUTBATCH_HUGE = "LEG-PUTBATCH-16" Must Node
        "A batch that claims an immense size of its data does not end the node's process.",
        "legacy 5, 7.15";
    LEG_PUTBATCH_LISTEN = "LEG-PUTBATCH-17" May Node
        "Listens are told of the records of a batch.",
        "legacy 7.14, 12.1";
    LEG_PUTBATCH_CREATES = "LEG-PUTBATCH-18" Must Node
        "A PutBatch that stores a record creates the channel if need be.",
        "legacy 6, 7.15";
}
