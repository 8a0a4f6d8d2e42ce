//! A recorded connection, as `protocol/tests/vectors/README.md` describes it.

use std::fs;
use std::io;
use std::path::Path;

use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};

/// The recordings that are small enough and say something that no other one says.
pub(super) const NAMES: &[&str] = &[
    "put-get",
    "get-missing",
    "getall",
    "getall-suspend-resume",
    "getall-drop-2-continue",
    "mirror-suspend-resume",
    "mirror-removechannel",
    "put-remove-channel",
    "put-remove-get",
    "put-too-big",
    "update",
    "update-empty-channel",
    "removechannel-getchannels",
];

/// What one side said.
#[derive(Default)]
pub(super) struct Words {
    /// The version byte and the messages of the authentication.
    pub(super) authentication: Vec<u8>,
    /// The messages of requests.
    pub(super) requests: Vec<u8>,
    payloads: Vec<Vec<u8>>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Recording {
    pub(super) client: Words,
    pub(super) node: Words,
}

impl Recording {
    pub(super) fn read(name: &str) -> io::Result<Self> {
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/vectors");
        let text =
            fs::read_to_string(Path::new(vectors).join(format!("dhtnode-neo-{name}.jsonl")))?;
        let mut recording = Self::default();
        for line in text.lines().skip(1) {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let bytes = line["hex"].as_str().and_then(hex);
            let bytes = bytes.ok_or_else(|| io::Error::other("no hexadecimal digits"))?;
            let words = match line["from"].as_str() {
                Some("client") => &mut recording.client,
                _ => &mut recording.node,
            };
            match line["kind"].as_str() {
                Some("request") => {
                    words.requests.extend_from_slice(&bytes);
                    let payload = bytes.get(HEADER_LEN + ID_LEN..).unwrap_or_default();
                    words.payloads.push(payload.to_vec());
                }
                _ => words.authentication.extend_from_slice(&bytes),
            }
        }
        Ok(recording)
    }

    /// The compressed blocks in what the node said: arrays behind the types of RecordBatch and
    /// RecordRefreshBatch that end as all blocks do.
    pub(super) fn blocks(&self) -> Vec<Vec<u8>> {
        let payloads = self.node.payloads.iter();
        payloads
            .filter(|payload| {
                matches!(payload.first(), Some(7 | 9)) && payload.ends_with(&[0x11, 0, 0])
            })
            .filter_map(|payload| payload.get(9..).map(<[u8]>::to_vec))
            .collect()
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
