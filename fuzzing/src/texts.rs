//! Files that people write, or that were written earlier.

use std::net::SocketAddrV4;
use std::path::Path;

use dht_history::{History, ReadError};
use dht_protocol::neo::credentials::CredentialsError;
use dht_protocol::neo::{AuthKey, Credential, Credentials};
use dht_protocol::nodes_file::{self, NodesFileError};
use dht_reports::{Profile, ProfileError, Restart};
use dht_workload::corpus::{CorpusError, Kept};
use fakedht::config_file::{ConfigError, ConfigFile};

use crate::format::Format;
use crate::memory;

const NODES: Format<Vec<SocketAddrV4>, NodesFileError> = Format {
    read: nodes_file::parse,
    write: |nodes| nodes.iter().flat_map(line).collect(),
    line: |error| Some(error.line),
};

const CREDENTIALS: Format<Credentials, CredentialsError> = Format {
    read: Credentials::parse,
    write: |credentials| {
        let of = |name| credentials.key(name).expect("every name has a key");
        let names = credentials.names();
        names
            .flat_map(|name| line(format_args!("{name}:{}", hex(of(name)))))
            .collect()
    },
    line: |error| match error {
        CredentialsError::Entry { line, .. } => Some(*line),
        _ => None,
    },
};

const CONFIGURATION: Format<ConfigFile, ConfigError> = Format {
    read: |file| ConfigFile::parse(text(file)),
    write: |config| configuration(config).into_bytes(),
    line: |error| match error {
        ConfigError::Line { line } => Some(*line),
        _ => None,
    },
};

const PROFILE: Format<Profile, ProfileError> = Format {
    read: |file| Profile::from_toml(text(file)),
    write: |profile| toml(profile).into_bytes(),
    line: |error| Some(error.line),
};

const KEPT: Format<Kept, CorpusError> = Format {
    read: |file| Kept::parse(Path::new("case.json"), text(file)),
    write: |kept| kept.text().into_bytes(),
    line: |error| match error {
        CorpusError::Json { source, .. } => Some(source.line().max(1)),
        _ => None,
    },
};

const HISTORY: Format<History, ReadError> = Format {
    read: |file| dht_history::read(file),
    write: |history| {
        let mut text = Vec::new();
        dht_history::write(history, &mut text).expect("memory takes everything");
        text
    },
    line: |error| match error {
        ReadError::Io { line, .. }
        | ReadError::TooLong { line }
        | ReadError::Form { line, .. }
        | ReadError::Contradictory { line, .. } => Some(*line),
    },
};

/// The list of nodes.
pub fn nodes_file(data: &[u8]) {
    let _ = memory::bounded(data, 64, || NODES.check(data));
}

/// Names and keys.
pub fn credentials(data: &[u8]) {
    memory::bounded(data, 64, || {
        agree(Credential::parse_file(data), CREDENTIALS.check(data));
    });
}

/// A client's file is a node's file too, and an error is short however long the file is.
fn agree(own: Result<Credential, CredentialsError>, all: Result<Credentials, CredentialsError>) {
    match (own, all) {
        (Ok(own), Ok(all)) => assert_eq!(all.key(&own.name), Some(&own.key)),
        (Ok(own), Err(error)) => panic!("{} is no client: {error}", own.name),
        (Err(_), Ok(_)) => {}
        (Err(_), Err(error)) => assert!(error.to_string().len() < 1024, "{error}"),
    }
}

/// The configuration of a node.
pub fn config_file(data: &[u8]) {
    if std::str::from_utf8(data).is_ok() {
        let _ = memory::bounded(data, 64, || CONFIGURATION.check(data));
    }
}

/// The profile of a node.
pub fn profile(data: &[u8]) {
    if std::str::from_utf8(data).is_ok() {
        // The TOML reader notes every character that is wrong.
        let _ = memory::bounded(data, 4096, || PROFILE.check(data));
    }
}

/// A failure that was kept.
pub fn corpus_file(data: &[u8]) {
    if std::str::from_utf8(data).is_ok() {
        let _ = memory::bounded(data, 1024, || KEPT.check(data));
    }
}

/// A history of operations.
pub fn history(data: &[u8]) {
    let _ = memory::bounded(data, 1024, || HISTORY.check(data));
}

/// The configuration file that says the same.
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
            text.extend(["[", section, "]\n"]);
        }
        text.extend([&*ignored.key, "=\n"]);
    }
    text
}

/// The profile that says the same.
fn toml(profile: &Profile) -> String {
    let mut text = format!("name = {}\n", quoted(&profile.name));
    if let Some(description) = &profile.description {
        text.push_str(&format!("description = {}\n", quoted(description)));
    }
    match profile.restart {
        Some(Restart::Keeps) => text.push_str("restart = \"keeps\"\n"),
        Some(Restart::Loses) => text.push_str("restart = \"loses\"\n"),
        None => {}
    }
    for deviation in &profile.deviations {
        text.push_str(&format!(
            "[[deviation]]\nrequirement = {}\nsometimes = {}\ninstead = {}\nwhy = {}\n",
            quoted(&deviation.requirement),
            deviation.sometimes,
            quoted(&deviation.instead),
            quoted(&deviation.why),
        ));
        for (key, value) in [("check", &deviation.check), ("outcome", &deviation.outcome)] {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {}\n", quoted(value)));
            }
        }
    }
    text
}

/// As TOML writes a string: as JSON does, but it takes no DEL.
fn quoted(value: &str) -> String {
    let json = serde_json::to_string(value).expect("a text is JSON too");
    json.replace('\u{7f}', "\\u007f")
}

/// What is no text has no meaning to these readers, which take `str`.
fn text(file: &[u8]) -> &str {
    std::str::from_utf8(file).expect("a text")
}

fn line(content: impl std::fmt::Display) -> Vec<u8> {
    format!("{content}\n").into_bytes()
}

fn hex(key: &AuthKey) -> String {
    key.as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::fs;

    use super::*;
    use crate::seeds;
    use crate::wrong::is_noticed;

    fn seed(name: &str) -> Vec<u8> {
        fs::read(seeds::folder().join(name)).unwrap()
    }

    /// A reader and a writer that are wrong, and an error that names no line, are noticed.
    fn notices<T: Debug + PartialEq, E: Debug + Display>(
        right: Format<T, E>,
        read: fn(&[u8]) -> Result<T, E>,
        write: fn(&T) -> Vec<u8>,
        [good, bad]: [&[u8]; 2],
    ) {
        assert!(right.check(good).is_ok());
        assert!(right.check(bad).is_err());
        assert!(
            is_noticed(|| _ = Format { read, ..right }.check(good)),
            "read"
        );
        assert!(
            is_noticed(|| _ = Format { write, ..right }.check(good)),
            "write"
        );
        let line = |_: &E| Some(0);
        assert!(
            is_noticed(|| _ = Format { line, ..right }.check(bad)),
            "no line 0"
        );
        let line = |_: &E| Some(1000);
        assert!(
            is_noticed(|| _ = Format { line, ..right }.check(bad)),
            "no line 1000"
        );
    }

    fn behind_first_line(file: &[u8]) -> &[u8] {
        let end = file.iter().position(|byte| *byte == b'\n');
        end.map_or(&[], |end| &file[end + 1..])
    }

    #[test]
    fn a_list_of_nodes_that_changes_is_noticed() {
        notices(
            NODES,
            |file| nodes_file::parse(behind_first_line(file)),
            |nodes| (NODES.write)(&nodes[1..].to_vec()),
            [b"127.0.0.1:1\n127.0.0.2:2\n", b"127.0.0.1\n"],
        );
    }

    #[test]
    fn credentials_that_change_are_noticed() {
        notices(
            CREDENTIALS,
            |file| Credentials::parse(behind_first_line(file)),
            |_| Vec::new(),
            [&seed("credentials/two"), b"nobody\n"],
        );
        let of = |file: &[u8]| (Credential::parse_file(file), Credentials::parse(file));
        let (one, two) = (seed("credentials/one"), seed("credentials/two"));
        let (own, all) = of(&one);
        agree(own.clone(), all);
        agree(of(&two).0, of(&two).1);
        assert!(is_noticed(|| agree(
            own.clone(),
            Ok(Credentials::default())
        )));
        assert!(is_noticed(|| agree(own, of(b"nobody\n").1)));
    }

    #[test]
    fn a_configuration_that_changes_is_noticed() {
        notices(
            CONFIGURATION,
            |file| {
                ConfigFile::parse(text(file)).map(|mut config| {
                    config.neo.set_port(config.neo.port() + 1);
                    config
                })
            },
            |config| {
                let connection_limit = config.connection_limit.map_or(Some(1), |_| None);
                let config = config.clone();
                configuration(&ConfigFile {
                    connection_limit,
                    ..config
                })
                .into_bytes()
            },
            [&seed("config_file/node"), b"[Server]\nport\n"],
        );
    }

    #[test]
    fn a_profile_that_changes_is_noticed() {
        let whole = br#"
            name = "a \" and a \u007f"
            description = ""
            restart = "loses"
            [[deviation]]
            requirement = "P01"
            check = "storage/*"
            outcome = "o"
            sometimes = true
            instead = "i"
            why = "w"
            [[deviation]]
            requirement = "P02"
            instead = "i"
            why = "w"
        "#;
        notices(
            PROFILE,
            |file| {
                Profile::from_toml(text(file)).map(|mut profile| {
                    profile.name.push('x');
                    profile
                })
            },
            |profile| {
                let restart = Some(Restart::Keeps);
                let profile = profile.clone();
                toml(&Profile { restart, ..profile }).into_bytes()
            },
            [whole, b"name = 1"],
        );
    }

    #[test]
    fn a_kept_failure_that_changes_is_noticed() {
        notices(
            KEPT,
            |file| {
                let kept = (KEPT.read)(file);
                kept.map(|mut kept| {
                    kept.about.push('x');
                    kept
                })
            },
            |kept| {
                let (sent, kept) = (String::new(), kept.clone());
                Kept { sent, ..kept }.text().into_bytes()
            },
            [&seed("corpus_file/empty-value-sticks.json"), b"{"],
        );
    }

    #[test]
    fn a_history_that_changes_is_noticed() {
        notices(
            HISTORY,
            |file| dht_history::read(behind_first_line(file)),
            |_| Vec::new(),
            [&seed("history/every_operation.jsonl"), b"{\n"],
        );
    }

    #[test]
    fn an_error_without_a_word_or_an_end_is_noticed() {
        let error = |error: fn(&[u8]) -> Result<(), String>| Format {
            read: error,
            write: |()| Vec::new(),
            line: |_| None,
        };
        let says = |format: Format<(), String>| !is_noticed(|| _ = format.check(b"file"));
        assert!(says(error(|_| Err("wrong".to_owned()))));
        assert!(!says(error(|_| Err(String::new()))));
        assert!(!says(error(|_| Err("wrong".repeat(1000)))));
    }
}
