//! The nodes file, by which a client learns where to connect first: `a.b.c.d:port` a line, `#` starts a
//! comment (`neo-transport.md` 7.3, `semantics-and-client.md` B2). Reading the file itself is left to
//! the caller, and what answers at the addresses is not its concern.

use std::net::{Ipv4Addr, SocketAddrV4};

use thiserror::Error;

/// The addresses of a nodes file in their order, repetitions included. None is no error.
///
/// Unlike the original, which takes port 65,537 for port 1 and leaves port 0 to fail later, both are
/// refused, and so are numbers with a sign or another base and addresses of less than four numbers.
pub fn parse(text: &[u8]) -> Result<Vec<SocketAddrV4>, NodesFileError> {
    let mut nodes = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let content = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let entry = content.trim_ascii();
        if !entry.is_empty() {
            let node = parse_entry(entry).map_err(|error| NodesFileError {
                line: index + 1,
                error,
            })?;
            nodes.push(node);
        }
    }
    Ok(nodes)
}

/// Why a nodes file was refused.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[error("line {line}: {error}")]
pub struct NodesFileError {
    /// Which line of the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: NodeError,
}

/// What is wrong with an entry `a.b.c.d:port`. The texts are cut off when they are long, and what is not
/// printable in them is escaped.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum NodeError {
    /// Nothing separates address and port.
    #[error("\"{entry}\" has no colon between address and port")]
    NoColon {
        /// The entry.
        entry: String,
    },
    /// The address is not four decimal numbers; names of hosts and IPv6 are not supported.
    #[error("\"{address}\" is not an IPv4 address like 127.0.0.1")]
    Address {
        /// What stands in its place.
        address: String,
    },
    /// The port is not a decimal number from 1 to 65535.
    #[error("\"{port}\" is not a port, a number from 1 to 65535")]
    Port {
        /// What stands in its place.
        port: String,
    },
}

/// One entry without blanks around it.
fn parse_entry(entry: &[u8]) -> Result<SocketAddrV4, NodeError> {
    let Some(colon) = entry.iter().position(|byte| *byte == b':') else {
        return Err(NodeError::NoColon {
            entry: excerpt(entry),
        });
    };
    let (address, port) = (&entry[..colon], &entry[colon + 1..]);
    let Some(ip) = text(address).and_then(|address| address.parse::<Ipv4Addr>().ok()) else {
        return Err(NodeError::Address {
            address: excerpt(address),
        });
    };
    // `u16::from_str` would take a plus sign.
    let digits = port.iter().all(u8::is_ascii_digit);
    match text(port).and_then(|port| port.parse().ok()) {
        Some(number @ 1..) if digits => Ok(SocketAddrV4::new(ip, number)),
        _ => Err(NodeError::Port {
            port: excerpt(port),
        }),
    }
}

/// As text, if it is any.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What a message shows of a text that may be anything.
fn excerpt(text: &[u8]) -> String {
    const SHOWN: usize = 60;
    let shown = text[..text.len().min(SHOWN)].escape_ascii();
    match text.len() > SHOWN {
        true => format!("{shown}..."),
        false => shown.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: impl AsRef<[u8]>) -> String {
        parse(text.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn the_file_of_the_specification() {
        let text = b"# comment lines start with '#', blank lines are ignored\n\n\
            127.0.0.1:10100\n\t 192.168.0.7:1  # one more \xff\r\n   \n127.0.0.1:65535";
        let nodes: Vec<String> = parse(text)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            nodes,
            ["127.0.0.1:10100", "192.168.0.7:1", "127.0.0.1:65535"]
        );
        assert_eq!(parse(b""), Ok(vec![]));
        assert_eq!(parse(b"# nobody"), Ok(vec![]));
    }

    #[test]
    fn errors_say_line_and_reason() {
        assert_eq!(
            refusal("127.0.0.1:1\n\n# x\n127.0.0.1"),
            "line 4: \"127.0.0.1\" has no colon between address and port"
        );
        for port in [
            "65536",
            "75636",
            "0",
            "",
            "+5",
            "-1",
            "0x10",
            "1:2",
            "1.5",
            "99999999999999999999",
        ] {
            assert_eq!(
                refusal(format!("\n1.2.3.4:{port}#")),
                format!("line 2: \"{port}\" is not a port, a number from 1 to 65535")
            );
        }
        for address in [
            "localhost",
            "1.2.3",
            "1.2.3.256",
            "1.2.3.4.5",
            "",
            "1.2.3.4 ",
        ] {
            assert_eq!(
                refusal(format!("{address}:1")),
                format!("line 1: \"{address}\" is not an IPv4 address like 127.0.0.1")
            );
        }
        assert_eq!(
            refusal(b"::1\n"),
            "line 1: \"\" is not an IPv4 address like 127.0.0.1"
        );
        assert_eq!(
            refusal(b"\xff\"\n"),
            "line 1: \"\\xff\\\"\" has no colon between address and port"
        );
    }

    #[test]
    fn a_message_stays_short() {
        let shown = "x".repeat(60);
        for (entry, excerpt) in [(&shown, &shown), (&"x".repeat(61), &format!("{shown}..."))] {
            assert_eq!(
                refusal(entry),
                format!("line 1: \"{excerpt}\" has no colon between address and port")
            );
        }
        let message = refusal(vec![b'x'; 1_000_000]);
        assert!(
            message.len() < 130 && message.contains("xxx..."),
            "{message}"
        );
    }

    proptest! {
        #[test]
        fn addresses_round_trip(nodes: Vec<([u8; 4], u16)>) {
            let nodes: Vec<SocketAddrV4> = nodes
                .into_iter()
                .map(|(ip, port)| SocketAddrV4::new(ip.into(), port.max(1)))
                .collect();
            let text: String = nodes.iter().map(|node| format!("{node}\n")).collect();
            prop_assert_eq!(parse(text.as_bytes()), Ok(nodes));
        }

        #[test]
        fn any_file_gives_an_answer(text in "[0-9.:# \n\\PC]*") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn any_bytes_give_an_answer(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
