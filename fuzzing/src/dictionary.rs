//! Words that the fuzzer may write into inputs, for all binary targets: codes and lengths of the protocol.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use dht_protocol::neo::header::{Header, ID_LEN};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{Kind, batch};

use crate::layout::{Field, LAYOUTS};

/// The dictionary in the form of libFuzzer, from the tables of the protocol.
pub fn dictionary() -> String {
    let mut words = Vec::new();
    for code in RequestCode::ALL {
        words.push((code.name().to_owned(), vec![code as u8, 0]));
    }
    for (name, layout) in LAYOUTS {
        if let Some(Field::Type(code, ..)) = layout.first() {
            words.push((format!("{name}_{code}"), vec![*code]));
        }
    }
    for length in [0, 1, 5, batch::LIMIT as u64, u64::MAX] {
        words.push((format!("length_{length}"), length.to_le_bytes().to_vec()));
    }
    for body_len in [ID_LEN as u64, 9, 10, 77] {
        for kind in [Kind::Request, Kind::Authentication] {
            let header = Header { kind, body_len };
            words.push((format!("{kind}_{body_len}"), header.encode().to_vec()));
        }
    }
    words.push(("block_end".to_owned(), vec![0x11, 0, 0]));
    let mut text = String::new();
    for (name, bytes) in words {
        let name = name.replace('-', "_");
        let bytes: String = bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02x}");
            text
        });
        text.push_str(&format!("{name}=\"{bytes}\"\n"));
    }
    text
}

/// The file that it is kept in.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol.dict")
}
