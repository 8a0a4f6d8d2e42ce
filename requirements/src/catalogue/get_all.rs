//! GetAll: all records or keys of a channel.

requirements! {
    GETALL_ABSENT_CHANNEL = "NEO-GETALL-01" Must Node
        "A GetAll of a channel that does not exist finishes without a record.",
        "neo-requests 2.3";
    GETALL_EMPTY_CHANNEL = "NEO-GETALL-02" Must Node
        "A GetAll of a channel that holds no record finishes without a record.",
        "neo-requests 7.1";
    GETALL_COMPLETE = "NEO-GETALL-03" Must Node
        "Every record of a channel that nobody changes is delivered.",
        "neo-requests 7, P44";
    GETALL_NO_DUPLICATE = "NEO-GETALL-04" Must Node
        "No record of a channel that nobody changes is delivered twice.",
        "neo-requests 7, P45";
    GETALL_VALUES = "NEO-GETALL-05" Must Node
        "Each record of a channel that nobody changes is delivered with its value, byte for byte.",
        "neo-requests 7, P46";
    GETALL_ONLY_CHANNEL = "NEO-GETALL-06" Must Node
        "No record of another channel is delivered.",
        "neo-requests 7, P46";
    GETALL_ENDS_UNDER_WRITES = "NEO-GETALL-07" Must Node
        "A GetAll finishes although records are put during it.",
        "neo-requests 7.2, P49";
    GETALL_LARGEST_VALUE = "NEO-GETALL-08" Must Node
        "A record with a value of 65512 bytes is delivered.",
        "neo-requests 1.3, P44";
    GETALL_OVERSIZE_WHOLE = "NEO-GETALL-09" Must Node
        "A record with a value above 65512 bytes is delivered whole or not at all.",
        "neo-requests 7.1, P52";
    GETALL_OVERSIZE_OTHERS = "NEO-GETALL-10" Must Node
        "A record with a value above 65512 bytes keeps no other record from being delivered.",
        "neo-requests 7.1, P44";

    GETALL_KEYS_COMPLETE = "NEO-GETALL-11" Must Node
        "With keys_only every key of the channel is delivered.",
        "neo-requests 7.1, P44";
    GETALL_KEYS_OVERSIZE = "NEO-GETALL-12" Must Node
        "With keys_only the key of a record above 65512 bytes is delivered.",
        "neo-requests 1.3, P52";
    GETALL_FILTER_ONLY_MATCHING = "NEO-GETALL-13" Must Node
        "With a filter no record is delivered whose value does not contain it.",
        "neo-requests 7.1, P47";
    GETALL_FILTER_ALL_MATCHING = "NEO-GETALL-14" Must Node
        "With a filter, of any bytes, every record is delivered whose value contains it anywhere.",
        "neo-requests 7.1, P44, P47";
    GETALL_FILTER_KEYS_ONLY = "NEO-GETALL-15" Must Node
        "With keys_only the filter still tests the values.",
        "neo-requests 7.1";

    GETALL_CONTINUE_REST = "NEO-GETALL-16" Must Node
        "Continuing from a key delivers every record that comes after it in the order of the node.",
        "neo-requests 7.1, P44";
    GETALL_CONTINUE_NO_REPEAT = "NEO-GETALL-17" Must Node
        "Continuing from a key that exists delivers neither its record nor one that came before it.",
        "neo-requests 7.1, P45";
    GETALL_CONTINUE_REMOVED = "NEO-GETALL-18" Must Node
        "Continuing from a key that was removed still delivers every record that was not delivered before.",
        "neo-requests 7.2, P44, F08";
    GETALL_CONTINUE_IGNORED = "NEO-GETALL-19" Must Node
        "The key to continue from has no effect unless continuing is set.",
        "neo-requests 7.1";

    GETALL_REMOVALS_ELSEWHERE = "NEO-GETALL-20" Must Node
        "A record that nobody touches is delivered whatever other records are removed during the request.",
        "neo-requests 7.2, P44, F06";
    GETALL_ITERATIONS_APART = "NEO-GETALL-21" Must Node
        "A second GetAll of the channel does not change what the first delivers.",
        "neo-requests 7.2, P53, F07";
    GETALL_INSERTED_ONCE = "NEO-GETALL-22" Must Node
        "A record put during the request for the first time is delivered at most once.",
        "semantics-and-client A9, P45";
    GETALL_OVERWRITTEN_ONCE = "NEO-GETALL-23" Must Node
        "A record overwritten during the request is delivered exactly once.",
        "semantics-and-client A9, P44, P45";
    GETALL_OVERWRITTEN_VALUE = "NEO-GETALL-24" Must Node
        "A record overwritten during the request is delivered with a value that it had during the request.",
        "semantics-and-client A9, P46";
    GETALL_NO_PHANTOM = "NEO-GETALL-25" Should Node
        "A record removed during the request is not delivered with a value that it never had.",
        "neo-requests 7.2, P46, F29";
    GETALL_ENDS_WITHOUT_CHANNEL = "NEO-GETALL-26" Must Node
        "A GetAll finishes although its channel is removed during it.",
        "semantics-and-client A13, P03";
    GETALL_NO_LEAK = "NEO-GETALL-27" Must Node
        "A GetAll whose channel is removed during it delivers no record of a channel created afterwards.",
        "neo-requests 7.2, P46, F04";

    GETALL_START_SUSPENDED = "NEO-GETALL-28" Must Node
        "A GetAll that is started suspended delivers no record before Resume.",
        "neo-requests 7.2";
    GETALL_SUSPEND_BOUND = "NEO-GETALL-29" Must Node
        "At most two batches follow the Ack of Suspend before Resume.",
        "neo-requests 2.8, P31";
    GETALL_SUSPEND_QUIET = "NEO-GETALL-30" Should Node
        "No batch follows the Ack of Suspend before Resume, unless it is the last.",
        "neo-requests 2.8, P31, F24";
    GETALL_SUSPEND_LOSSLESS = "NEO-GETALL-31" Must Node
        "Suspending and resuming lose no record.",
        "neo-requests 7.2, P44";
    GETALL_FINISHED_SUSPENDED = "NEO-GETALL-32" May Node
        "A suspended GetAll that has no record left to deliver finishes without Resume.",
        "neo-requests 2.8, F23";
    GETALL_CLIENT_CONTINUES = "NEO-GETALL-33" Must Client
        "After a reconnect the client continues from the last key it received, or from the start if it received none.",
        "neo-requests 7.3, P51, F45";
}
