//! Bugs of channel names: which are one and the same.

use dht_protocol::ChannelName;
use dht_protocol::neo::request::{RecordName, RequestCode, put};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, opened};
use crate::bugs::message::Message;
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "channels-share-records",
        description: "All channels have the same records.",
        breaks: &req::DATA_CHANNELS_SEPARATE,
        seam: || taken_for(|_| b"shared".to_vec()),
    },
    Bug {
        name: "channel-names-without-letters",
        description: "The letters in channel names do not count.",
        breaks: &req::DATA_NAME_PLAIN,
        seam: || {
            taken_for(|name| {
                let others = name.iter().filter(|byte| !byte.is_ascii_alphabetic());
                others.copied().collect()
            })
        },
    },
    Bug {
        name: "channel-names-any-case",
        description: "Channel names are compared without regard to upper and lower case.",
        breaks: &req::DATA_NAME_EXACT,
        seam: || taken_for(<[u8]>::to_ascii_lowercase),
    },
    Bug {
        name: "channel-names-trimmed",
        description: "Blanks around channel names are ignored.",
        breaks: &req::DATA_NAME_EXACT,
        seam: || taken_for(|name| name.trim_ascii().to_vec()),
    },
    Bug {
        name: "channel-names-cut-to-255",
        description: "Only the first 255 bytes of channel names are compared.",
        breaks: &req::DATA_NAME_LONG,
        seam: || taken_for(|name| name.iter().take(255).copied().collect()),
    },
    Bug {
        name: "channel-names-cut-at-nul",
        description: "Channel names end at their first zero byte.",
        breaks: &req::DATA_NAME_ODD,
        seam: || taken_for(|name| until(name, 0)),
    },
    Bug {
        name: "channel-names-one-line",
        description: "Of a channel name only its first line counts.",
        breaks: &req::DATA_NAME_ODD,
        seam: || taken_for(|name| until(name, b'\n')),
    },
    Bug {
        name: "channel-names-as-text",
        description: "Bytes of channel names that are no UTF-8 are all the same.",
        breaks: &req::DATA_NAME_ODD,
        seam: || taken_for(|name| String::from_utf8_lossy(name).into_owned().into_bytes()),
    },
    Bug {
        name: "channel-names-as-paths",
        description: "Only what is behind the last slash of a channel name counts.",
        breaks: &req::DATA_NAME_ODD,
        seam: || {
            taken_for(|name| {
                let last = name.rsplit(|byte| *byte == b'/').next();
                last.unwrap_or_default().to_vec()
            })
        },
    },
    Bug {
        name: "channel-name-empty-lost",
        description: "What is put into the channel with the empty name is lost.",
        breaks: &req::DATA_NAME_ODD,
        seam: || {
            opened(|put: &mut put::Open| {
                if put.record.channel.as_bytes().is_empty() {
                    put.record.channel = "unnamed".into();
                }
            })
        },
    },
];

/// Requests for single records take the name of a channel for another one.
fn taken_for(other: fn(&[u8]) -> Vec<u8>) -> Seam {
    arriving(move |message| Fate::changed_if(renamed(message, other)))
}

fn renamed(message: &Message<'_>, other: fn(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let rename = |record: &mut RecordName| {
        record.channel = ChannelName::copy_from(&other(record.channel.as_bytes()));
    };
    match message.request? {
        _ if !message.is_first() => None,
        RequestCode::Put => {
            let mut open: put::Open = message.opens()?;
            rename(&mut open.record);
            Some(open.encode())
        }
        request @ (RequestCode::Get | RequestCode::Exists | RequestCode::Remove) => {
            let mut record = RecordName::decode_fields(message.fields()).ok()?;
            rename(&mut record);
            Some(record.opening(request))
        }
        _ => None,
    }
}

fn until(name: &[u8], end: u8) -> Vec<u8> {
    let bytes = name.iter().take_while(|byte| **byte != end);
    bytes.copied().collect()
}
