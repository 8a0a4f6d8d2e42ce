//! Bugs of RemoveChannel.

use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::remove_channel::Reply;
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{answered, arriving, crashing, leaving, lost};
use crate::bugs::host_bug::{on_permission, on_remove_channel, refused};
use crate::bugs::message::{answer, during};

const REMOVE_CHANNEL: RequestCode = RequestCode::RemoveChannel;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "remove-channel-says-error",
        description: "A RemoveChannel that was carried out is answered Error.",
        breaks: &req::RMCHANNEL_ANSWER,
        seam: || answered(Reply::ChannelRemoved, Reply::Error),
    },
    Bug {
        name: "remove-channel-keeps-channel",
        description: "A RemoveChannel is acknowledged, and the channel and its records stay.",
        breaks: &req::RMCHANNEL_UNLISTED,
        seam: || on_remove_channel(|_, _| Ok(())),
    },
    Bug {
        name: "remove-channel-takes-longer-names",
        description: "A RemoveChannel also removes the channels whose names begin with the name.",
        breaks: &req::RMCHANNEL_OTHERS_STAY,
        seam: || {
            on_remove_channel(|host, name| {
                let begins = |longer: &[u8]| longer.starts_with(name.as_bytes());
                while let Some(longer) = host.channel_after(Some(name))
                    && begins(longer.as_bytes())
                {
                    host.remove_channel(&longer)?;
                }
                host.remove_channel(name)
            })
        },
    },
    Bug {
        name: "remove-channel-needs-channel",
        description: "A RemoveChannel of a channel that does not exist is answered Error.",
        breaks: &req::RMCHANNEL_ABSENT,
        seam: || {
            on_remove_channel(|host, name| match host.find_channel(name) {
                Some(_) => host.remove_channel(name),
                None => refused(),
            })
        },
    },
    Bug {
        name: "remove-channel-creates",
        description: "A RemoveChannel of a channel that does not exist creates it.",
        breaks: &req::RMCHANNEL_ABSENT_CREATES_NOTHING,
        seam: || {
            on_remove_channel(|host, name| match host.find_channel(name) {
                Some(_) => host.remove_channel(name),
                None => host.open_channel(name).map(drop),
            })
        },
    },
    Bug {
        name: "remove-channel-by-everybody",
        description: "Every client may remove channels.",
        breaks: &req::RMCHANNEL_FORBIDDEN,
        seam: || on_permission(|_, _| true),
    },
    Bug {
        name: "remove-channel-not-refused",
        description: "A client that may not remove channels gets no answer.",
        breaks: &req::RMCHANNEL_FORBIDDEN_TOLD,
        seam: || leaving(lost(answer(Reply::NotPermitted))),
    },
    Bug {
        name: "remove-channel-during-get-all-crashes",
        description: "A RemoveChannel while any GetAll runs makes the node crash.",
        breaks: &req::RMCHANNEL_IN_USE,
        seam: || arriving(crashing(during(RequestCode::GetAll, REMOVE_CHANNEL))),
    },
    Bug {
        name: "remove-channel-during-mirror-crashes",
        description: "A RemoveChannel while any Mirror runs makes the node crash.",
        breaks: &req::RMCHANNEL_IN_USE,
        seam: || arriving(crashing(during(RequestCode::Mirror, REMOVE_CHANNEL))),
    },
    Bug {
        name: "remove-channel-during-update-crashes",
        description: "A RemoveChannel while any Update runs makes the node crash.",
        breaks: &req::RMCHANNEL_IN_USE,
        seam: || arriving(crashing(during(RequestCode::Update, REMOVE_CHANNEL))),
    },
];
