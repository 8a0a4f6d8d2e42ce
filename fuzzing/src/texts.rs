//! Files that people write, or that were written earlier: read, and written again where there is a writer.

use std::path::Path;

use dht_protocol::neo::credentials::CredentialsError;
use dht_protocol::neo::{AuthKey, Credential, Credentials};
use dht_protocol::nodes_file;
use dht_reports::Profile;
use dht_workload::corpus::Kept;
use fakedht::config_file::{ConfigError, ConfigFile};

use crate::memory;

/// The list of nodes.
pub fn nodes_file(data: &[u8]) {
    memory::bounded(data, 64, || match nodes_file::parse(data) {
        Ok(nodes) => {
            let text: String = nodes.iter().map(|node| format!("{node}\n")).collect();
            assert_eq!(nodes_file::parse(text.as_bytes()), Ok(nodes));
        }
        Err(error) => assert!((1..=lines(data)).contains(&error.line), "{error}"),
    });
}

/// Names and keys.
pub fn credentials(data: &[u8]) {
    memory::bounded(data, 64, || {
        match Credentials::parse(data) {
            Ok(credentials) => {
                let text: String = credentials
                    .names()
                    .map(|name| {
                        let key = credentials.key(name).expect("every name has a key");
                        format!("{name}:{}\n", hex(key))
                    })
                    .collect();
                assert_eq!(Credentials::parse(text.as_bytes()), Ok(credentials));
            }
            Err(error) => {
                if let CredentialsError::Entry { line, .. } = &error {
                    assert!((1..=lines(data)).contains(line), "{error}");
                }
                assert!(error.to_string().len() < 1024, "an error of any length");
            }
        }
        if let Ok(credential) = Credential::parse_file(data) {
            let all = Credentials::parse(data).expect("a client's file is a node's file too");
            assert_eq!(all.key(&credential.name), Some(&credential.key));
        }
    });
}

/// The configuration of a node.
pub fn config_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    memory::bounded(data, 64, || match ConfigFile::parse(text) {
        Ok(config) => assert_eq!(ConfigFile::parse(&configuration(&config)), Ok(config)),
        Err(error) => {
            if let ConfigError::Line { line } = &error {
                assert!((1..=lines(data)).contains(line), "{error}");
            }
            assert!(error.to_string().len() < 1024 + 8 * text.len());
        }
    });
}

/// The file that says the same.
fn configuration(config: &ConfigFile) -> String {
    let mut text = format!(
        "[Server]\naddress={}\nport={}\nneoport={}\nminval={:016x}\nmaxval={:016x}\n",
        config.legacy.ip(),
        config.legacy.port(),
        config.neo.port(),
        config.range.min(),
        config.range.max(),
    );
    if let Some(limit) = config.connection_limit {
        text.push_str(&format!("connection_limit={limit}\n"));
    }
    let mut section = "Server";
    for ignored in &config.ignored {
        if section != &*ignored.section {
            section = &ignored.section;
            text.push_str(&format!("[{section}]\n"));
        }
        text.push_str(&format!("{}=\n", ignored.key));
    }
    text
}

/// The profile of a node.
pub fn profile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // The TOML reader notes every character that is wrong.
    memory::bounded(data, 4096, || {
        if let Err(error) = Profile::from_toml(text) {
            assert!(!error.to_string().is_empty());
        }
    });
}

/// A failure that was kept: what is written of it is read as the same.
pub fn corpus_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let path = Path::new("case.json");
    memory::bounded(data, 1024, || match Kept::parse(path, text) {
        Ok(kept) => {
            let again = Kept::parse(path, &kept.text()).expect("what is written is read");
            assert_eq!(again.text(), kept.text());
            assert_eq!(again.file_name(), kept.file_name());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    });
}

/// A history of operations: what is written of it is read as the same.
pub fn history(data: &[u8]) {
    memory::bounded(data, 1024, || {
        if let Ok(history) = dht_history::read(data) {
            let mut text = Vec::new();
            dht_history::write(&history, &mut text).expect("memory takes everything");
            let again = dht_history::read(&*text).expect("what is written is read");
            assert_eq!(again.entries(), history.entries());
        }
    });
}

fn lines(text: &[u8]) -> usize {
    1 + text.iter().filter(|byte| **byte == b'\n').count()
}

fn hex(key: &AuthKey) -> String {
    key.as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
