//! Bugs of Exists.

use dht_protocol::neo::request::exists::Reply;
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{answered, leaving, rewritten};
use crate::bugs::message::FromNode;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "exists-never",
        description: "Exists says of every record that it does not exist.",
        breaks: &req::EXISTS_PRESENT,
        seam: || answered(Reply::RecordExists, Reply::NoRecord),
    },
    Bug {
        name: "exists-inverted",
        description: "Exists uses the numbers of Get for its answers, which mean the opposite.",
        breaks: &req::EXISTS_PRESENT,
        seam: || {
            leaving(rewritten(|reply| match reply {
                Reply::RecordExists => Some(Reply::NoRecord.payload()),
                Reply::NoRecord => Some(Reply::RecordExists.payload()),
                Reply::WrongNode | Reply::Error => None,
            }))
        },
    },
    Bug {
        name: "exists-always",
        description: "Exists says of every record that it exists.",
        breaks: &req::EXISTS_ABSENT,
        seam: || answered(Reply::NoRecord, Reply::RecordExists),
    },
];
