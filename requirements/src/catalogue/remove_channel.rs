//! RemoveChannel: delete a channel and all its records.

requirements! {
    RMCHANNEL_ANSWER = "NEO-RMCHANNEL-01" Must Node
        "A RemoveChannel by the client `admin` is answered ChannelRemoved (1).",
        "neo-requests 11";
    RMCHANNEL_UNLISTED = "NEO-RMCHANNEL-02" Must Node
        "After ChannelRemoved the channel is not listed, unless a request created it again.",
        "semantics-and-client A18";
    RMCHANNEL_STARTS_EMPTY = "NEO-RMCHANNEL-03" Must Node
        "A channel that is created again under a removed name holds only what was stored since.",
        "semantics-and-client A13";
    RMCHANNEL_OTHERS_STAY = "NEO-RMCHANNEL-04" Must Node
        "A RemoveChannel leaves every other channel as it was.",
        "semantics-and-client A6";
    RMCHANNEL_ABSENT = "NEO-RMCHANNEL-05" Must Node
        "A RemoveChannel of a channel that does not exist is answered ChannelRemoved (1).",
        "neo-requests 11";
    RMCHANNEL_ABSENT_CREATES_NOTHING = "NEO-RMCHANNEL-06" Must Node
        "A RemoveChannel of a channel that does not exist creates nothing.",
        "semantics-and-client A4";
    RMCHANNEL_FORBIDDEN = "NEO-RMCHANNEL-07" Must Node
        "A RemoveChannel by a client that is not named exactly `admin` removes nothing.",
        "neo-requests 11, P23";
    RMCHANNEL_FORBIDDEN_TOLD = "NEO-RMCHANNEL-08" Should Node
        "A RemoveChannel by a client that is not named `admin` is answered NotPermitted (2).",
        "neo-requests 11, P24, F01";
    RMCHANNEL_IN_USE = "NEO-RMCHANNEL-09" Must Node
        "A RemoveChannel is carried out and answered whatever other requests use the channel.",
        "semantics-and-client A13";
    RMCHANNEL_CLIENT_TOLD = "NEO-RMCHANNEL-10" Must Client
        "A client tells its user of a missing permission if any node reported it.",
        "neo-requests 11";
}
