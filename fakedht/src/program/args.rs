//! The command line, and how it becomes a [`Setup`].

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use clap::Parser;
use dht_protocol::neo::Credentials;
use dht_protocol::{HashRange, legacy};
use fakedht::bugs::{Bug, Bugs};
use fakedht::config_file::{ConfigFile, parse_bound};
use fakedht::{NodeConfig, RemoveChannels};

use crate::{Failure, Setup, complain};

/// Where the original looks for credentials, from its working directory.
const CREDENTIALS_FILE: &str = "etc/credentials";
const DEFAULT_NEO: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10100);
const DEFAULT_LEGACY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10000);
const MAX_CONNECTIONS: usize = 5000;

/// A DHT node in memory, for tests. Without options: port 10000 of 127.0.0.1 for the legacy protocol and
/// 10100 for neo, every key, and the client "admin" with a key of zeros. When it listens on all ports it
/// prints a line for each; "listening on neo ..." is the last.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Where to listen for the neo protocol; port 0: a free one, which is printed [default:
    /// 127.0.0.1:10100].
    #[arg(long, value_name = "ADDR")]
    neo: Option<SocketAddrV4>,

    /// Where to listen for the legacy protocol, or "none" [default: 127.0.0.1:10000, but none if --neo is
    /// given]. What it stores is the same as behind the neo port.
    #[arg(long, value_name = "ADDR", value_parser = parse_legacy)]
    legacy: Option<Legacy>,

    /// Who may connect: a file with lines "name:key", the key in 256 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    /// Lower end of the hash range, 16 hexadecimal digits. The empty range is ffffffffffffffff to
    /// 0000000000000000.
    #[arg(long, value_name = "HASH", value_parser = parse_bound, default_value = "0000000000000000")]
    min: u64,

    /// Upper end of the hash range, 16 hexadecimal digits.
    #[arg(long, value_name = "HASH", value_parser = parse_bound, default_value = "ffffffffffffffff")]
    max: u64,

    /// Take address, ports and hash range from an original node's configuration file, and who may
    /// connect from etc/credentials. "port" is the legacy one; the neo port is "neoport", or else 100
    /// above it.
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["neo", "credentials", "min", "max"])]
    config: Option<PathBuf>,

    /// Let every client remove channels, not only "admin".
    #[arg(long)]
    everyone_may_remove_channels: bool,

    /// How many connections may be open at once on each port; 0: any number [default: 5000].
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,

    /// How many bytes of values there may be for legacy clients to store another one; 0: any number.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    size_limit: u64,

    /// The largest value that a legacy client may store, in bytes. GetAll cannot return larger ones than
    /// the default, except by neo.
    #[arg(long, value_name = "BYTES", default_value_t = legacy::MAX_VALUE)]
    max_legacy_value: u64,

    /// Be wrong in this way; may be given several times.
    #[arg(long = "bug", value_name = "NAME", value_parser = find_bug)]
    bugs: Vec<&'static Bug>,

    /// Print the ways in which the node can be wrong.
    #[arg(long)]
    pub(crate) list_bugs: bool,
}

/// Where to listen for the legacy protocol, if anywhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Legacy(Option<SocketAddrV4>);

impl Args {
    /// Reads the files that are named.
    pub(crate) fn setup(self) -> Result<Setup, Failure> {
        let (neo, legacy, range, limit, credentials) = match &self.config {
            Some(path) => {
                let file = read_config(path)?;
                for key in &file.ignored {
                    complain(format_args!("ignored: {key}"));
                }
                let credentials = read_credentials(Path::new(CREDENTIALS_FILE))?;
                (
                    file.neo,
                    Some(file.legacy),
                    file.range,
                    file.connection_limit,
                    credentials,
                )
            }
            None => {
                let range = HashRange::new(self.min, self.max).ok_or_else(|| {
                    Failure(format!(
                        "--min {:016x} is above --max {:016x}",
                        self.min, self.max
                    ))
                })?;
                let credentials = match &self.credentials {
                    Some(path) => read_credentials(path)?,
                    None => Credentials::default_admin(),
                };
                // Who chooses a port, perhaps to have several nodes, should not meet another one.
                let legacy = self.neo.is_none().then_some(DEFAULT_LEGACY);
                let neo = self.neo.unwrap_or(DEFAULT_NEO);
                (neo, legacy, range, None, credentials)
            }
        };
        let max_connections = match self.max_connections.or(limit).unwrap_or(MAX_CONNECTIONS) {
            0 => usize::MAX,
            limit => limit,
        };
        Ok(Setup {
            neo,
            legacy: self.legacy.map_or(legacy, |Legacy(address)| address),
            max_connections,
            node: NodeConfig {
                range,
                credentials,
                remove_channels: match self.everyone_may_remove_channels {
                    true => RemoveChannels::Everybody,
                    false => RemoveChannels::AdminOnly,
                },
                size_limit: (self.size_limit > 0).then_some(self.size_limit),
                max_legacy_value: self.max_legacy_value,
                bugs: self.bugs.into_iter().collect::<Bugs>(),
                ..NodeConfig::default()
            },
        })
    }
}

fn read_config(path: &Path) -> Result<ConfigFile, Failure> {
    let text = fs::read_to_string(path)
        .map_err(Failure::new(format_args!("cannot read {}", path.display())))?;
    ConfigFile::parse(&text).map_err(Failure::new(path.display()))
}

fn read_credentials(path: &Path) -> Result<Credentials, Failure> {
    let text = fs::read(path).map_err(Failure::new(format_args!(
        "cannot read the credentials file {}",
        path.display()
    )))?;
    Credentials::parse(&text).map_err(Failure::new(path.display()))
}

fn parse_legacy(text: &str) -> Result<Legacy, String> {
    match text {
        "none" => Ok(Legacy(None)),
        _ => match text.parse() {
            Ok(address) => Ok(Legacy(Some(address))),
            Err(_) => Err("an IPv4 address with a port is needed, or \"none\"".into()),
        },
    }
}

fn find_bug(name: &str) -> Result<&'static Bug, String> {
    Bugs::find(name).ok_or_else(|| "there is no such bug; --list-bugs prints them all".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn without_arguments_it_is_the_original_fake_node() {
        let setup = Args::parse_from(["fakedht"]).setup().unwrap();
        assert_eq!(setup.neo, DEFAULT_NEO);
        assert_eq!(setup.legacy, Some(DEFAULT_LEGACY));
        assert_eq!(setup.node.range, HashRange::FULL);
        assert_eq!(setup.node.credentials, Credentials::default_admin());
    }

    #[test]
    fn who_chooses_the_neo_port_chooses_the_legacy_port_too() {
        let ports = |arguments: &[&str]| {
            let arguments = [&["fakedht"], arguments].concat();
            let setup = Args::parse_from(arguments).setup().unwrap();
            (setup.neo.port(), setup.legacy.map(|legacy| legacy.port()))
        };
        assert_eq!(ports(&["--neo", "127.0.0.1:7"]), (7, None));
        assert_eq!(ports(&["--legacy", "127.0.0.1:8"]), (10100, Some(8)));
        assert_eq!(ports(&["--legacy", "none"]), (10100, None));
        let both = ["--neo", "127.0.0.1:7", "--legacy", "127.0.0.1:8"];
        assert_eq!(ports(&both), (7, Some(8)));
        assert!(Args::try_parse_from(["fakedht", "--legacy", "8"]).is_err());
    }

    #[test]
    fn the_empty_range_is_a_range_and_others_upside_down_are_not() {
        let range = |min: &str, max: &str| {
            Args::parse_from(["fakedht", "--min", min, "--max", max])
                .setup()
                .map(|setup| setup.node.range)
                .map_err(|Failure(reason)| reason)
        };
        assert_eq!(
            range("0xffffffffffffffff", "0000000000000000"),
            Ok(HashRange::EMPTY)
        );
        assert!(range("0000000000000002", "0000000000000001").is_err());
    }
}
