//! RemoveChannel: remove a channel with its records.

requirements! {
    LEG_RMCHANNEL_GONE = "LEG-RMCHANNEL-01" Must Node
        "A RemoveChannel is answered Ok (200), and the channel's records are gone from then on.",
        "legacy 7.6";
    LEG_RMCHANNEL_UNLISTED = "LEG-RMCHANNEL-02" Must Node
        "A channel that was removed is not listed any more.",
        "legacy 6, 7.6";
    LEG_RMCHANNEL_ABSENT = "LEG-RMCHANNEL-03" Must Node
        "A RemoveChannel of a channel that does not exist is answered Ok (200), and creates nothing.",
        "legacy 7.6";
    LEG_RMCHANNEL_OTHERS_STAY = "LEG-RMCHANNEL-04" Must Node
        "A RemoveChannel leaves all other channels as they are.",
        "legacy 7.6";
    LEG_RMCHANNEL_AGAIN = "LEG-RMCHANNEL-05" Must Node
        "A channel that is created again after its removal starts empty.",
        "legacy 7.6; semantics-and-client A13";
}
