//! The bugs that the checks of GetChannels and RemoveChannel find.

use dht_requirements as req;

use super::Case;

#[rustfmt::skip]
pub(super) static FOUND_BY: &[Case] = &[
    ("channels.put-remove", "remove-channel-keeps-channel", &req::RMCHANNEL_STARTS_EMPTY),
    ("channels.list", "get-channels-misses-first", &req::CHANNELS_COMPLETE),
    ("channels.list", "get-channels-never-finishes", &req::REQ_ANSWERED),
    ("channels.list-after-removal", "get-channels-lists-removed", &req::CHANNELS_REAL),
    ("listing.exact", "get-channels-cuts-names", &req::CHANNELS_NAME),
    ("listing.finished", "get-channels-finishes-twice", &req::CHANNELS_FINISHED),
    ("listing.unique", "get-channels-repeats", &req::CHANNELS_UNIQUE),
    ("listing.empty-channel", "get-channels-misses-empty", &req::CHANNELS_COMPLETE),
    ("listing.creates-nothing", "get-channels-creates", &req::CHANNELS_READS_ONLY),
    ("listing.only-real", "get-channels-lists-removed", &req::CHANNELS_REAL),
    ("listing.several-at-once", "get-channels-repeats", &req::CHANNELS_UNIQUE),
    ("listing.created-meanwhile", "get-channels-repeats", &req::CHANNELS_UNIQUE),
    ("listing.removed-meanwhile", "get-channels-repeats", &req::CHANNELS_UNIQUE),
    ("listing.order", "get-channels-misses-first", &req::CHANNELS_COMPLETE),
    ("listing.ends", "get-channels-misses-first", &req::CHANNELS_COMPLETE),
    ("listing.unread", "remove-channel-during-get-channels-crashes", &req::CHANNELS_CONCURRENT),
    ("rmchannel.answer", "remove-channel-says-error", &req::RMCHANNEL_ANSWER),
    ("rmchannel.unlisted", "remove-channel-keeps-channel", &req::RMCHANNEL_UNLISTED),
    ("rmchannel.starts-empty", "remove-channel-keeps-channel", &req::RMCHANNEL_STARTS_EMPTY),
    ("rmchannel.others-stay", "remove-channel-takes-longer-names", &req::RMCHANNEL_OTHERS_STAY),
    ("rmchannel.absent", "remove-channel-needs-channel", &req::RMCHANNEL_ABSENT),
    ("rmchannel.absent-creates-nothing", "remove-channel-creates", &req::RMCHANNEL_ABSENT_CREATES_NOTHING),
    ("rmchannel.forbidden", "remove-channel-by-everybody", &req::RMCHANNEL_FORBIDDEN),
    ("rmchannel.forbidden-told", "remove-channel-not-refused", &req::RMCHANNEL_FORBIDDEN_TOLD),
    ("rmchannel.forbidden-absent", "remove-channel-not-refused", &req::RMCHANNEL_FORBIDDEN_TOLD),
    ("rmchannel.during-get", "remove-channel-keeps-channel", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-update", "remove-channel-keeps-channel", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-getall", "remove-channel-keeps-channel", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-mirror", "remove-channel-keeps-channel", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-getchannels", "remove-channel-keeps-channel", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-put", "remove-channel-says-error", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-update", "remove-channel-during-update-crashes", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-getall", "remove-channel-during-get-all-crashes", &req::RMCHANNEL_IN_USE),
    ("rmchannel.during-mirror", "remove-channel-during-mirror-crashes", &req::RMCHANNEL_IN_USE),
    ("rmchannel.unlisted", "get-channels-behind-removal-crashes", &req::REQ_ANSWERED),
    ("rmchannel.forbidden-told", "remove-channel-by-everybody", &req::RMCHANNEL_FORBIDDEN_TOLD),
    ("listing.unread", "get-channels-ends-at-removal", &req::CHANNELS_COMPLETE),
    ("listing.finished", "get-channels-never-finishes", &req::REQ_ANSWERED),
];
