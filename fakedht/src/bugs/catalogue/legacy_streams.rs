//! Bugs of the legacy protocol: Listen.

use std::collections::{BTreeMap, BTreeSet};

use dht_protocol::codec::{Put as _, Reader};
use dht_protocol::legacy::Command;
use dht_requirements as req;

use super::legacy_batches::strange;
use crate::bugs::Bug;
use crate::bugs::legacy::{After, Instead, on_end, on_order, on_said};
use crate::bugs::seam::Seam;

/// An empty key and an empty value.
const END: [u8; 16] = [0; 16];

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-listen-misses-new-keys",
        description: "A Listen is not told of the first write of a key.",
        breaks: &req::LEG_LISTEN_TELLS,
        seam: || {
            let mut known = BTreeSet::new();
            telling(move |key, value, out| match known.insert(key.to_vec()) {
                true => {}
                false => record(key, value, out),
            })
        },
    },
    Bug {
        name: "legacy-listen-cuts-values",
        description: "A Listen is told the first 200 bytes of longer values.",
        breaks: &req::LEG_LISTEN_SETTLES,
        seam: || telling(|key, value, out| record(key, &value[..value.len().min(200)], out)),
    },
    Bug {
        name: "legacy-listen-repeats-old",
        description: "Behind a record a Listen is told once more what the key had before.",
        breaks: &req::LEG_LISTEN_SETTLES,
        seam: || {
            let mut before = BTreeMap::new();
            telling(move |key, value, out| {
                record(key, value, out);
                if let Some(old) = before.insert(key.to_vec(), value.to_vec()) {
                    record(key, &old, out);
                }
            })
        },
    },
    Bug {
        name: "legacy-listen-invents",
        description: "Behind every record a Listen is told one that is not there.",
        breaks: &req::LEG_LISTEN_ONLY_STORED,
        seam: || {
            telling(|key, value, out| {
                record(key, value, out);
                strange(out, true);
            })
        },
    },
    Bug {
        name: "legacy-listen-no-status",
        description: "A Listen is told records without a status before them.",
        breaks: &req::LEG_LISTEN_STATUS,
        seam: || {
            on_said(|asked, first, bytes| {
                if asked.command() == Command::Listen && first {
                    bytes.drain(..4);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-listen-never-ends",
        description: "A Listen is not told of the end of its channel.",
        breaks: &req::LEG_LISTEN_END,
        seam: || at_end(|bytes| bytes.truncate(bytes.len() - END.len()), After::GoOn),
    },
    Bug {
        name: "legacy-listen-ends-twice",
        description: "A Listen is told of the end of its channel twice.",
        breaks: &req::LEG_LISTEN_END_LAST,
        seam: || at_end(|bytes| bytes.extend(END), After::GoOn),
    },
    Bug {
        name: "legacy-listen-end-closes",
        description: "The end of a Listen closes the connection.",
        breaks: &req::LEG_LISTEN_GOES_ON,
        seam: || at_end(|_| {}, After::Close),
    },
    Bug {
        name: "legacy-listen-input-ignored",
        description: "An order behind a Listen is not done.",
        breaks: &req::LEG_LISTEN_INPUT_ENDS,
        seam: || {
            on_order(|_, asked| match asked.previous {
                Some(Command::Listen) => Instead::Ignore,
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-listen-half-close-marked",
        description: "A Listen whose client sends nothing more ends with an end marker.",
        breaks: &req::LEG_LISTEN_HALF_CLOSE,
        seam: || {
            on_end(|asked, _| {
                let listens = asked.is_some_and(|asked| asked.command() == Command::Listen);
                if listens { END.to_vec() } else { Vec::new() }
            })
        },
    },
];

fn record(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.put_array(key);
    out.put_array(value);
}

/// Something else is told instead of each record.
fn telling(mut tell: impl FnMut(&[u8], &[u8], &mut Vec<u8>) + Send + 'static) -> Seam {
    on_said(move |asked, first, bytes| {
        if asked.command() != Command::Listen {
            return After::GoOn;
        }
        let status = if first { 4.min(bytes.len()) } else { 0 };
        let mut out = bytes[..status].to_vec();
        let mut reader = Reader::new(&bytes[status..]);
        while let (Ok(key), Ok(value)) = (reader.array("key"), reader.array("value")) {
            match key.is_empty() {
                true => record(key, value, &mut out),
                false => tell(key, value, &mut out),
            }
        }
        *bytes = out;
        After::GoOn
    })
}

/// Something else is said at the end of a Listen.
fn at_end(change: impl Fn(&mut Vec<u8>) + Send + 'static, after: After) -> Seam {
    on_said(move |asked, _, bytes| {
        let ends = asked.command() == Command::Listen && bytes.ends_with(&END);
        if !ends {
            return After::GoOn;
        }
        change(bytes);
        after
    })
}
