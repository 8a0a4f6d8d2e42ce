//! Bugs of the exchange of version bytes.

use dht_protocol::neo::{VERSION, Violation};

use crate::bugs::Bug;
use crate::bugs::reaction::{Admission, Reaction};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{OnSegment, Phase, Said};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "version-any-accepted",
        description: "Every version byte of a client is taken for the right one.",
        breaks: "neo-transport 3",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, mut bytes| {
                if let (Phase::Version, Some(version)) = (phase, bytes.first_mut()) {
                    *version = VERSION;
                }
                vec![bytes]
            }))
        }),
    },
    Bug {
        name: "version-mismatch-kept-open",
        description: "After a wrong version byte the connection stays open and another byte is awaited.",
        breaks: "neo-transport 3",
        seam: Seam::Violation(|violation| match violation {
            Violation::Version { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "version-mismatch-not-answered",
        description: "A client with a wrong version byte is disconnected without the node's version byte.",
        breaks: "neo-transport Q2",
        seam: Seam::Violation(|violation| match violation {
            Violation::Version { .. } => Reaction::CloseMute,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "version-company-accepted",
        description: "Bytes that come with the version byte are read as messages.",
        breaks: "neo-transport 3",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, mut bytes| match phase {
                Phase::Version if bytes.len() > 1 => {
                    let rest = bytes.split_off(1);
                    vec![bytes, rest]
                }
                _ => vec![bytes],
            }))
        }),
    },
    Bug {
        name: "version-company-dropped",
        description: "Bytes that come with the version byte are dropped and the connection stays open.",
        breaks: "neo-transport 3",
        seam: Seam::Input(|| {
            Box::new(OnSegment(|phase, mut bytes| {
                if phase == Phase::Version {
                    bytes.truncate(1);
                }
                vec![bytes]
            }))
        }),
    },
    Bug {
        name: "version-company-answered",
        description: "A client that is disconnected for bytes behind its version byte gets the node's.",
        breaks: "neo-transport Q1",
        seam: Seam::Input(|| {
            // The second piece is none that could follow.
            Box::new(OnSegment(|phase, mut bytes| match phase {
                Phase::Version if bytes.len() > 1 => {
                    bytes.truncate(1);
                    vec![bytes, vec![0xff; 10]]
                }
                _ => vec![bytes],
            }))
        }),
    },
    Bug {
        name: "version-answered-2",
        description: "The node's version byte is 2.",
        breaks: "neo-transport 3",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Version {
                    *bytes = vec![2];
                }
            })
        }),
    },
    Bug {
        name: "version-never-answered",
        description: "The node's version byte is never sent.",
        breaks: "neo-transport 3",
        seam: Seam::Output(|| {
            Box::new(|said, bytes: &mut Vec<u8>| {
                if said == Said::Version {
                    bytes.clear();
                }
            })
        }),
    },
    Bug {
        name: "version-sent-unasked",
        description: "The node's version byte is sent before the client's has come, and again then.",
        breaks: "neo-transport 3",
        seam: Seam::Accept(|| Box::new(|_| Admission::Greet(&[VERSION]))),
    },
];
