//! The seeds: what the original client and node said to each other while they were recorded, and one of
//! everything that an encoder here writes. All of them are small, and made anew they are the same.

mod recording;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arbitrary::Unstructured;
use dht_protocol::lzo;
use dht_protocol::neo::header::HEADER_LEN;

use crate::layout::{LAYOUTS, Written};
use crate::messages::MESSAGES;
use recording::Recording;

/// An input that fuzzing starts from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seed {
    /// The target that it is for.
    pub target: &'static str,
    /// What its file is called.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Longer inputs make fuzzing slow.
const LONGEST: usize = 4096;

/// All seeds, made from the files of the workspace.
///
/// # Errors
///
/// If a file cannot be read, or a recording is none.
pub fn seeds() -> io::Result<Vec<Seed>> {
    let mut seeds = Seeds::default();
    seeds.of_recordings()?;
    seeds.of_messages();
    seeds.of_blocks();
    seeds.of_files()?;
    seeds.of_noise();
    let mut seeds = seeds.0;
    seeds.retain(|seed| seed.bytes.len() <= LONGEST);
    Ok(seeds)
}

/// The folder with a folder of seeds for each target.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

#[derive(Default)]
struct Seeds(Vec<Seed>);

impl Seeds {
    fn add(&mut self, target: &'static str, name: impl Into<String>, bytes: Vec<u8>) {
        self.0.push(Seed {
            target,
            name: name.into(),
            bytes,
        });
    }

    fn of_recordings(&mut self) -> io::Result<()> {
        let login = Recording::read("put-get")?;
        for name in recording::NAMES {
            let recording = Recording::read(name)?;
            // An even first byte for requests, an odd one for the authentication; then the cuts differ.
            let frames = |kind: u8, bytes: &[u8]| [&[kind + 4][..], bytes].concat();
            self.add(
                "frames",
                format!("{name}-client"),
                frames(0, &recording.client.requests),
            );
            self.add(
                "frames",
                format!("{name}-node"),
                frames(0, &recording.node.requests),
            );
            let node = [
                &[7][..],
                &login.client.authentication,
                &recording.client.requests,
            ];
            self.add("node_connection", *name, node.concat());
            let client = [
                &[7][..],
                &recording.node.authentication,
                &recording.node.requests,
            ];
            self.add("client_connection", *name, client.concat());
            for (number, block) in recording.blocks().into_iter().enumerate() {
                self.block(&format!("{name}-{number}"), &block);
            }
        }
        let words = &login.client.authentication[1..];
        self.add("frames", "authentication", [&[1], words].concat());
        for (name, bytes) in [
            ("authentication", words),
            ("request", &login.client.requests),
        ] {
            self.add("header", name, bytes[..HEADER_LEN].to_vec());
        }
        Ok(())
    }

    fn of_messages(&mut self) {
        for (number, (name, layout)) in LAYOUTS.iter().enumerate() {
            let place = MESSAGES.iter().position(|message| message.name == *name);
            let values = noise(number as u64, 200);
            let written = Written::any(layout, &mut Unstructured::new(&values));
            if let (Some(place), Ok(written)) = (place, written) {
                let bytes = [&[place as u8][..], &written.payload].concat();
                self.add("messages", format!("{name}-{number}"), bytes);
            }
        }
    }

    fn of_blocks(&mut self) {
        let repeating = b"the same and the same and the same and something else".repeat(3);
        for (name, plain) in [
            ("empty", vec![]),
            ("text", b"record".to_vec()),
            ("repeating", repeating),
            ("zeros", vec![0; 3000]),
            ("noise", noise(1, 300)),
        ] {
            self.block(name, &lzo::compress(&plain));
            self.add("compress", name, plain);
        }
    }

    fn block(&mut self, name: &str, block: &[u8]) {
        self.add("batches", name, [&[0], block].concat());
        self.add("decompress", name, [&block[..3], &block[8..]].concat());
        if let Ok(mut plain) = lzo::decompress(block, LONGEST) {
            plain.insert(0, 1);
            self.add("batches", format!("{name}-plain"), plain);
        }
    }

    fn of_files(&mut self) -> io::Result<()> {
        self.add(
            "nodes_file",
            "two",
            b"# nodes\n127.0.0.1:11120\n 10.0.0.255:65535 # two\n".to_vec(),
        );
        let key = "0123456789abcdef".repeat(16);
        let clients = format!("admin:{}\n other :{key}\n\n", "0".repeat(256));
        self.add("credentials", "two", clients.into_bytes());
        self.add("credentials", "one", format!("reader:{key}\n").into_bytes());
        for (target, path) in [
            ("profile", "harness/profiles/strict.toml"),
            ("profile", "harness/profiles/dhtnode-original.toml"),
            ("profile", "harness/profiles/fakedht-original.toml"),
            ("corpus_file", "corpus/empty-value-sticks.json"),
            (
                "corpus_file",
                "corpus/get-all-blind-in-refilled-channel.json",
            ),
            ("history", "history/tests/data/every_operation.jsonl"),
            ("history", "history/tests/data/register.jsonl"),
            ("history", "history/tests/data/stale.jsonl"),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            self.add(target, name.unwrap_or_default(), fs::read(&path)?);
        }
        let config = "; a node\n[Server]\naddress = 127.0.0.1\nport = 10000\nminval = 0x0000000000000000\n\
            maxval = 7fffffffffffffff\nconnection_limit = 0\n\n[Options_Memory]\nlock_memory = false\n";
        self.add("config_file", "node", config.into());
        let array = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let orders = [
            &[24, 0, 0, 0, 20, 0, 0, 0, 12, 0, 0, 0][..],
            &array("channel"),
            &array("000000000000000c"),
            &[22, 0, 0, 0],
            &array("channel"),
        ];
        self.add("legacy_orders", "all", orders.concat());
        self.add("legacy_node", "all", [&[7], &orders.concat()[..]].concat());
        let value = [&[1, 3, 200, 0, 0, 0][..], &array("value")].concat();
        self.add("legacy_answers", "value", value);
        let record = [&[1][..], &array("000000000000000c"), &array("value")].concat();
        self.add("legacy_batches", "record", record);
        Ok(())
    }

    /// What is read as structured input has no other natural form.
    fn of_noise(&mut self) {
        for target in ["damage", "conversation", "storage", "connection"] {
            for number in 0..8 {
                let bytes = noise(100 + number, 40 << (number % 3));
                self.add(target, format!("noise-{number}"), bytes);
            }
        }
    }
}

/// Bytes that look random, the same for the same `seed` (xorshift).
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    bytes.take(length).collect()
}
