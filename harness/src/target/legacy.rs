//! Where a node speaks the legacy protocol, if anybody knows.

use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

use bytes::BytesMut;
use dht_protocol::legacy::{Answer, ClientRequest, Event, NEO_PORT_OFFSET, Order};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a node that may be elsewhere is waited for at most: it is only a guess.
const GUESS_LIMIT: Duration = Duration::from_secs(2);

/// Where a node speaks the legacy protocol.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Legacy {
    /// Nowhere that is known.
    #[default]
    Unknown,
    /// Nothing answered at this address, which is where it is by convention.
    NotAt(SocketAddrV4),
    /// Here, as was said.
    At(SocketAddrV4),
    /// Here, as was guessed and found.
    Guessed(SocketAddrV4),
}

impl Legacy {
    /// At `said`, if somebody said so; else where it is by convention, if a node of the protocol answers there.
    pub(super) async fn find(
        said: Option<SocketAddrV4>,
        neo: SocketAddrV4,
        limit: Duration,
    ) -> Self {
        if let Some(address) = said {
            return Self::At(address);
        }
        let Some(port) = neo
            .port()
            .checked_sub(NEO_PORT_OFFSET)
            .filter(|port| *port > 0)
        else {
            return Self::Unknown;
        };
        let address = SocketAddrV4::new(*neo.ip(), port);
        let tells = timeout(limit.min(GUESS_LIMIT), tells_version(address)).await;
        match tells {
            Ok(Some(())) => Self::Guessed(address),
            _ => Self::NotAt(address),
        }
    }

    /// The address.
    pub fn address(self) -> Option<SocketAddrV4> {
        match self {
            Self::At(address) | Self::Guessed(address) => Some(address),
            Self::Unknown | Self::NotAt(_) => None,
        }
    }

    /// Why there is no address, in words.
    pub fn missing(self) -> String {
        let found = match self {
            Self::NotAt(address) => {
                format!(
                    "no node of the legacy protocol answers on {address}, the neo port minus {NEO_PORT_OFFSET}"
                )
            }
            _ => "the legacy port is not known".to_owned(),
        };
        format!("{found}; --legacy HOST:PORT says where it is")
    }
}

/// Does a node answer GetVersion here?
async fn tells_version(address: SocketAddrV4) -> Option<()> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let mut order = Vec::new();
    Order::GetVersion.encode(&mut order);
    stream.write_all(&order).await.ok()?;
    let mut request = ClientRequest::new(Order::GetVersion.command());
    let mut input = BytesMut::new();
    loop {
        match request.receive(&mut input).ok()? {
            Some(Event::Answered(Answer::Version(_))) => return Some(()),
            Some(_) => return None,
            None => {}
        }
        if stream.read_buf(&mut input).await.ok()? == 0 {
            return None;
        }
    }
}

/// As the header of a report names it.
impl fmt::Display for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not known"),
            Self::NotAt(address) => write!(f, "not found on {address}"),
            Self::At(address) => address.fmt(f),
            Self::Guessed(address) => write!(f, "{address}, guessed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use fakedht::TestNode;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn what_was_said_is_believed_and_what_is_guessed_is_tried() {
        let mut node = TestNode::start().await.unwrap();
        let legacy = node.legacy_address();
        let neo = SocketAddrV4::new(*legacy.ip(), legacy.port() + NEO_PORT_OFFSET);
        let elsewhere = node.address();
        let said = Legacy::find(Some(elsewhere), neo, LIMIT).await;
        assert_eq!(said, Legacy::At(elsewhere));
        let guessed = Legacy::find(None, neo, LIMIT).await;
        assert_eq!(guessed, Legacy::Guessed(legacy));
        node.stop().await;
        let guessed = Legacy::find(None, neo, LIMIT).await;
        assert_eq!(guessed, Legacy::NotAt(legacy));
        assert!(guessed.missing().contains("--legacy"));
    }

    #[tokio::test]
    async fn a_port_below_the_offset_has_no_neighbour() {
        let neo = SocketAddrV4::new(Ipv4Addr::LOCALHOST, NEO_PORT_OFFSET);
        assert_eq!(Legacy::find(None, neo, LIMIT).await, Legacy::Unknown);
    }
}
