//! The configuration file of an original node, of which the section `[Server]` matters
//! (`semantics-and-client.md` D1). What is in it besides is ignored, and listed so that it can be told.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use dht_protocol::HashRange;
use dht_protocol::legacy::NEO_PORT_OFFSET;
use thiserror::Error;

/// The section that matters.
const SECTION: &str = "Server";

/// What the file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigFile {
    /// Where to listen for the legacy protocol.
    pub legacy: SocketAddrV4,
    /// Where to listen for the neo protocol.
    pub neo: SocketAddrV4,
    /// The keys that the node is responsible for.
    pub range: HashRange,
    /// How many connections there may be, 0 for any number.
    pub connection_limit: Option<usize>,
    /// What else is in the file.
    pub ignored: Vec<Ignored>,
}

/// A key that means nothing to this node. Shown as `[section] key`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ignored {
    /// Its section; all keys of one share its name, so that a long one costs no more than it is long.
    pub section: Arc<str>,
    /// The key.
    pub key: String,
}

/// Why a file is not a node's configuration.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ConfigError {
    /// A line is neither a section nor a key with a value.
    #[error("line {line} is neither \"[section]\" nor \"key = value\"")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A key that a node needs is not there.
    #[error("[Server] has no \"{key}\"")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A key has a value that it cannot have.
    #[error("[Server] {key} = \"{value}\": {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The legacy port leaves no room for the neo port.
    #[error("[Server] port = {port}: the neo port would be {NEO_PORT_OFFSET} above it")]
    NoNeoPort {
        /// The port.
        port: u16,
    },
    /// The range is upside down.
    #[error("[Server] minval {min:016x} is above maxval {max:016x}")]
    Range {
        /// The lower end.
        min: u64,
        /// The upper end.
        max: u64,
    },
}

impl ConfigFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// If it does not say where to listen and for which keys.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut server = Server::parse(text)?;
        let address: Ipv4Addr = server.require("address", |text| text.parse().map_err(show))?;
        let port: u16 = server.require("port", |text| text.parse().map_err(show))?;
        let neo_port = match server.take("neoport", |text| text.parse().map_err(show))? {
            Some(neo_port) => neo_port,
            // Port 0 is any free port, and what is above it is not known yet.
            None if port == 0 => 0,
            None => port
                .checked_add(NEO_PORT_OFFSET)
                .ok_or(ConfigError::NoNeoPort { port })?,
        };
        let min = server.require("minval", parse_bound)?;
        let max = server.require("maxval", parse_bound)?;
        let connection_limit =
            server.take("connection_limit", |text| text.parse().map_err(show))?;
        let section: Arc<str> = SECTION.into();
        let rest = server.values.into_keys().map(|key| Ignored {
            section: section.clone(),
            key,
        });
        let ignored = server.ignored.into_iter().chain(rest).collect();
        Ok(Self {
            legacy: SocketAddrV4::new(address, port),
            neo: SocketAddrV4::new(address, neo_port),
            range: HashRange::new(min, max).ok_or(ConfigError::Range { min, max })?,
            connection_limit,
            ignored,
        })
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.section, self.key)
    }
}

/// A bound of a hash range: 16 hexadecimal digits, with or without `0x`.
///
/// # Errors
///
/// If it is anything else; the text says what is needed.
pub fn parse_bound(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    match digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => u64::from_str_radix(digits, 16).map_err(show),
        false => Err("16 hexadecimal digits are needed".into()),
    }
}

/// The keys of the section `[Server]` that were not looked at yet.
struct Server {
    values: BTreeMap<String, String>,
    /// Keys of other sections.
    ignored: Vec<Ignored>,
}

impl Server {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut section: Arc<str> = "".into();
        let (mut values, mut ignored) = (BTreeMap::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with([';', '#']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name.trim().into();
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .ok_or(ConfigError::Line { line: number + 1 })?;
            let (key, value) = (key.trim(), value.trim());
            match *section == *SECTION {
                true => _ = values.insert(key.to_owned(), value.to_owned()),
                false => ignored.push(Ignored {
                    section: section.clone(),
                    key: key.to_owned(),
                }),
            }
        }
        Ok(Self { values, ignored })
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.values.remove(key) else {
            return Ok(None);
        };
        match parse(&value) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(reason) => Err(ConfigError::Value { key, value, reason }),
        }
    }

    fn require<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.take(key, parse)?.ok_or(ConfigError::Missing { key })
    }
}

fn show(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
; a node
[Server]
address = 127.0.0.1
port = 10000
minval = 0x0000000000000000
maxval = 7fffffffffffffff
data_dir = data

[Options_Memory]
lock_memory = false
";

    fn parse(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_node_is_found_among_the_rest() {
        let config = parse(FILE).unwrap();
        assert_eq!(config.legacy.to_string(), "127.0.0.1:10000");
        assert_eq!(config.neo.to_string(), "127.0.0.1:10100");
        assert_eq!(Some(config.range), HashRange::new(0, u64::MAX / 2));
        assert_eq!(config.connection_limit, None);
        let ignored: Vec<_> = config.ignored.iter().map(Ignored::to_string).collect();
        assert_eq!(
            ignored,
            ["[Options_Memory] lock_memory", "[Server] data_dir"]
        );
    }

    #[test]
    fn the_neo_port_may_be_given() {
        let config = parse(&FILE.replace("port = 10000", "port = 65500\nneoport=7\n")).unwrap();
        assert_eq!((config.legacy.port(), config.neo.port()), (65500, 7));
        let free = parse(&FILE.replace("10000", "0")).unwrap();
        assert_eq!((free.legacy.port(), free.neo.port()), (0, 0));
        let error = parse(&FILE.replace("10000", "65500")).unwrap_err();
        assert_eq!(
            error,
            "[Server] port = 65500: the neo port would be 100 above it"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let changed = |from: &str, to: &str| parse(&FILE.replace(from, to)).unwrap_err();
        assert_eq!(
            changed("address = 127.0.0.1", ""),
            "[Server] has no \"address\""
        );
        assert_eq!(
            changed("7fff", "7ff"),
            "[Server] maxval = \"7ffffffffffffff\": 16 hexadecimal digits are needed"
        );
        assert_eq!(
            changed("0x0000", "0xffff"),
            "[Server] minval ffff000000000000 is above maxval 7fffffffffffffff"
        );
        assert_eq!(
            changed("data_dir = data", "data_dir"),
            "line 7 is neither \"[section]\" nor \"key = value\""
        );
    }

    #[test]
    fn bounds_have_sixteen_digits() {
        assert_eq!(parse_bound("0x00000000000000ff"), Ok(255));
        assert_eq!(parse_bound("FFFFFFFFFFFFFFFF"), Ok(u64::MAX));
        for text in ["", "0x", "ff", "+000000000000000", "00000000000000000"] {
            assert!(parse_bound(text).is_err(), "{text}");
        }
    }
}
