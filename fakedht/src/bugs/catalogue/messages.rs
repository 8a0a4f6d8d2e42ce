//! Bugs of the order of messages, and of messages that should harm nobody.

use dht_protocol::neo::request::RequestCode;

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, Message, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "unknown-request-closes",
        description: "A request with an unknown code makes the node close the connection.",
        breaks: "neo-transport 8.3",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match unknown(message) {
                true => Fate::Close,
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "unknown-request-crashes",
        description: "A request with an unknown code makes the node crash.",
        breaks: "neo-transport 8.3",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match unknown(message) {
                true => Fate::Crash,
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-channels-behind-removal-crashes",
        description: "A GetChannels that comes directly behind a RemoveChannel makes the node crash.",
        breaks: "neo-requests 11",
        seam: Seam::Arriving(|| {
            let mut removal = false;
            Box::new(move |message: &Message<'_>| {
                let behind =
                    std::mem::replace(&mut removal, message.is(RequestCode::RemoveChannel));
                match behind && message.is(RequestCode::GetChannels) {
                    true => Fate::Crash,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "remove-channel-during-get-all-crashes",
        description: "A RemoveChannel while any GetAll runs makes the node crash.",
        breaks: "neo-requests 11",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| removal_during(RequestCode::GetAll, message))
        }),
    },
    Bug {
        name: "remove-channel-during-mirror-crashes",
        description: "A RemoveChannel while any Mirror runs makes the node crash.",
        breaks: "neo-requests 11",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| removal_during(RequestCode::Mirror, message))
        }),
    },
    Bug {
        name: "remove-channel-during-update-crashes",
        description: "A RemoveChannel while any Update runs makes the node crash.",
        breaks: "neo-requests 11",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| removal_during(RequestCode::Update, message))
        }),
    },
    Bug {
        name: "status-behind-answer",
        description: "The supported status of a Put comes behind its answer.",
        breaks: "P01",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(RequestCode::Put) && message.number == 0 {
                    true => Fate::Hold,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-value-first",
        description: "A Get sends the value of a record before it says that there is one.",
        breaks: "P17",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::Get, 2) && message.number == 1 {
                    true => Fate::Hold,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "put-waits-for-next-message",
        description: "A Put is carried out behind the message that follows it on its connection.",
        breaks: "neo-transport 9",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match message.is(RequestCode::Put) {
                true => Fate::Hold,
                false => Fate::Pass,
            })
        }),
    },
];

/// Is it the first message of a request with an unknown code?
fn unknown(message: &Message<'_>) -> bool {
    message.request.is_none() && message.number == 0 && message.payload.len() >= 2
}

fn removal_during(request: RequestCode, message: &Message<'_>) -> Fate {
    match message.is(RequestCode::RemoveChannel) && message.running.any(request) {
        true => Fate::Crash,
        false => Fate::Pass,
    }
}
