//! Mirror: refreshes, changes and deletions of a channel as a stream.

requirements! {
    MIRROR_ABSENT_CHANNEL = "NEO-MIRROR-01" Must Node
        "A Mirror of a channel that does not exist starts and reports later changes of it.",
        "neo-requests 2.3, P63";
    MIRROR_QUIET = "NEO-MIRROR-02" Must Node
        "A Mirror without refreshes sends nothing while nobody changes the channel.",
        "neo-requests 6.1";

    MIRROR_REFRESH_COMPLETE = "NEO-MIRROR-03" Must Node
        "The initial refresh delivers every record of the channel.",
        "neo-requests 6.1, P54";
    MIRROR_REFRESH_VALUES = "NEO-MIRROR-04" Must Node
        "The initial refresh of a channel that nobody changes delivers the values byte for byte.",
        "neo-requests 6.1, P54";
    MIRROR_REFRESH_REMOVALS = "NEO-MIRROR-05" Must Node
        "A refresh delivers every record that nobody touches, whatever others are removed during it.",
        "neo-requests 6.2, P54, F06";
    MIRROR_PERIODIC_REPEATS = "NEO-MIRROR-06" Must Node
        "Each period brings a refresh that delivers every record of the channel.",
        "neo-requests 6.1, P62";
    MIRROR_PERIODIC_FIRST = "NEO-MIRROR-07" Must Node
        "The first periodic refresh comes no earlier than one period after the start.",
        "neo-requests 6.1";

    MIRROR_PUT_REPORTED = "NEO-MIRROR-08" Must Node
        "A Put is reported by RecordChanged with its key and value.",
        "neo-requests 6.2, P63";
    MIRROR_UPDATE_REPORTED = "NEO-MIRROR-09" Must Node
        "An Update that stores a value is reported by RecordChanged.",
        "neo-requests 6.2, P63";
    MIRROR_EVERY_WRITE = "NEO-MIRROR-10" Must Node
        "Each write of a record that stays present gives one RecordChanged, also if it repeats the value.",
        "semantics-and-client A10, P63";
    MIRROR_CHANGED_VALUE = "NEO-MIRROR-11" Must Node
        "RecordChanged carries the value of the write that it reports or of a later one.",
        "neo-requests 6.3, P55";
    MIRROR_CHANGED_LARGE = "NEO-MIRROR-12" Must Node
        "RecordChanged carries a value larger than any batch whole.",
        "neo-requests 1.3, P63";
    MIRROR_REMOVE_REPORTED = "NEO-MIRROR-13" Must Node
        "The Remove of a present record is reported by RecordDeleted with its key.",
        "neo-requests 6.2, P57";
    MIRROR_UPDATE_REMOVAL_REPORTED = "NEO-MIRROR-14" Must Node
        "An Update that removes the record is reported by RecordDeleted.",
        "neo-requests 6.2, P57";
    MIRROR_DELETED_ABSENT = "NEO-MIRROR-15" May Node
        "The Remove of an absent record is reported by RecordDeleted or not at all.",
        "neo-requests 6.2, F29";

    MIRROR_ORDER_PER_KEY = "NEO-MIRROR-16" Must Node
        "RecordChanged and RecordDeleted of a key come in the order of its writes and removals.",
        "neo-requests 6.3, P55";
    MIRROR_LAST_AGREES = "NEO-MIRROR-17" Must Node
        "The last RecordChanged or RecordDeleted of a key agrees with what the channel holds.",
        "neo-requests 6.3, P57";
    MIRROR_NO_STALE_REFRESH = "NEO-MIRROR-18" Must Node
        "A refresh never delivers an older value of a key than was delivered before.",
        "neo-requests 6.3, P55, F05";
    MIRROR_NO_RESURRECTION = "NEO-MIRROR-19" Must Node
        "A refresh delivers no record after its RecordDeleted, unless it was put again.",
        "neo-requests 6.3, P56, F05";
    MIRROR_CONVERGES = "NEO-MIRROR-20" Must Node
        "A copy made from the initial refresh and all that follows equals the channel once writing has stopped.",
        "neo-requests 6.3, P54, F05";

    MIRROR_QUEUE_CAPACITY = "NEO-MIRROR-21" Must Node
        "A suspended Mirror keeps at least 16384 updates.",
        "semantics-and-client A18";
    MIRROR_OVERFLOW_REPORTED = "NEO-MIRROR-22" Must Node
        "An update that did not fit the queue is followed by UpdateOverflow.",
        "neo-requests 6.2, P58";
    MIRROR_OVERFLOW_AFTER_UPDATES = "NEO-MIRROR-23" Must Node
        "UpdateOverflow comes after the updates that did fit the queue.",
        "neo-requests 6.2";
    MIRROR_OVERFLOW_NOT_INVENTED = "NEO-MIRROR-24" Must Node
        "UpdateOverflow is sent only if an update was lost.",
        "neo-requests 6.2, P59";
    MIRROR_OVERFLOW_AGAIN = "NEO-MIRROR-25" Must Node
        "A second overflow is reported however soon it follows the report of the first.",
        "neo-requests 6.2, P58, F19";
    MIRROR_WRITERS_NOT_BLOCKED = "NEO-MIRROR-26" Must Node
        "A Mirror whose client does not read holds up no writer.",
        "neo-requests 6.2, P65";

    MIRROR_REMOVED_IDLE = "NEO-MIRROR-27" Must Node
        "The removal of the channel is reported by ChannelRemoved.",
        "neo-requests 6.2, P60";
    MIRROR_REMOVED_SUSPENDED = "NEO-MIRROR-28" Must Node
        "ChannelRemoved reaches also a Mirror that is suspended with nothing pending.",
        "neo-requests 6.2, P60";
    MIRROR_REMOVED_PENDING = "NEO-MIRROR-29" Must Node
        "ChannelRemoved reaches, after Resume at the latest, also a Mirror that is suspended with updates pending.",
        "neo-requests 6.2, P60, F03";
    MIRROR_REMOVED_BUSY = "NEO-MIRROR-30" Must Node
        "ChannelRemoved reaches also a Mirror that is sending updates when the channel is removed.",
        "neo-requests 6.2, P60, F03";
    MIRROR_REMOVED_NO_DELETIONS = "NEO-MIRROR-31" Must Node
        "The removal of the channel gives no RecordDeleted for the records in it.",
        "neo-requests 6.3";
    MIRROR_REMOVED_DETACHED = "NEO-MIRROR-32" Must Node
        "A Mirror of a removed channel reports nothing of a new channel with the same name.",
        "semantics-and-client A13, P61";

    MIRROR_ONLY_CHANNEL = "NEO-MIRROR-33" Must Node
        "A Mirror delivers nothing of another channel.",
        "neo-requests 6, P61";
    MIRROR_NO_LEAK = "NEO-MIRROR-34" Must Node
        "A Mirror of a removed channel delivers nothing of a channel created afterwards.",
        "neo-requests 6, P61, F04";
    MIRROR_EACH_SERVED = "NEO-MIRROR-35" Must Node
        "Each of several Mirrors of a channel receives every update.",
        "neo-requests 6.2, P63";
    MIRROR_SUSPENDED_NEIGHBOUR = "NEO-MIRROR-36" Must Node
        "A suspended Mirror holds up no other Mirror of the channel.",
        "neo-requests 6.2, P05";
    MIRROR_DISCONNECT_HARMLESS = "NEO-MIRROR-37" Must Node
        "The disconnection of a Mirror disturbs no later write to the channel.",
        "neo-requests 6.2, P05";

    MIRROR_START_SUSPENDED = "NEO-MIRROR-38" Must Node
        "A Mirror that is started suspended delivers no record before Resume.",
        "semantics-and-client A10";
    MIRROR_SUSPEND_BOUND = "NEO-MIRROR-39" Must Node
        "At most one update and one refresh batch follow the Ack of Suspend before Resume.",
        "neo-requests 2.8, P31";
    MIRROR_SUSPEND_QUIET = "NEO-MIRROR-40" Should Node
        "No update and no refresh batch follow the Ack of Suspend before Resume.",
        "neo-requests 2.8, P31, F24";
    MIRROR_SUSPEND_KEEPS = "NEO-MIRROR-41" Must Node
        "Updates made during a suspension are reported after Resume.",
        "neo-requests 6.2, P63";
    MIRROR_UPDATES_SURVIVE = "NEO-MIRROR-42" Must Node
        "Updates are reported after Resume although a periodic refresh fell due during the suspension.",
        "neo-requests 6.2, P63, F02";
    MIRROR_REFRESHES_SURVIVE = "NEO-MIRROR-43" Must Node
        "Periodic refreshes go on after Resume although updates came during the suspension.",
        "neo-requests 6.2, P62, F02";
    MIRROR_CLIENT_RECONNECTS = "NEO-MIRROR-44" Must Client
        "After a reconnect the client starts the Mirror again, with the same settings.",
        "neo-requests 6.3, P10, F42";
}
