//! A node that says what a test has it say.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dht_client::{HashRange, NodeAddress};
use dht_protocol::neo::handshake::NodeHandshake;
use dht_protocol::neo::{Connection, Credentials, Event, Limits, Now, RequestId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A message of the client.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// The request.
    pub id: RequestId,
    /// How many messages of this request came before on this connection.
    pub nth: usize,
    /// What came behind the id.
    pub payload: Vec<u8>,
}

impl Heard {
    /// The request's code, if this is its first message.
    pub fn opens(&self) -> Option<u8> {
        (self.nth == 0).then(|| self.payload[0])
    }
}

/// What the node says.
#[derive(Clone, Debug)]
pub enum Say {
    /// A message of the request that was heard last.
    Message(Vec<u8>),
    /// A message of any request.
    Of(u64, Vec<u8>),
    /// Bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing more: the connection is closed.
    Close,
    /// Nothing more, and nothing is read any more.
    Stall,
}

/// Says that a request is supported, and then these messages.
pub fn supported<const N: usize>(messages: [&[u8]; N]) -> Vec<Say> {
    let status = std::iter::once(&[0xfd][..]);
    let all = status.chain(messages).map(|m| Say::Message(m.to_vec()));
    all.collect()
}

/// The answer to GetHashRange.
pub fn range(range: HashRange) -> Vec<Say> {
    let mut message = range.min().to_le_bytes().to_vec();
    message.extend(range.max().to_le_bytes());
    supported([&message])
}

/// A node that says what a test has it say; GetHashRange alone it answers by itself, with every key.
#[derive(Debug)]
pub struct Scripted {
    pub address: NodeAddress,
    task: AbortHandle,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// `script` gives the answer to each message of any request but GetHashRange.
    pub async fn start(mut script: impl FnMut(Heard) -> Vec<Say> + Send + 'static) -> Self {
        Self::start_all(move |heard| match heard.opens() {
            Some(1) => range(HashRange::FULL),
            _ => script(heard),
        })
        .await
    }

    /// `script` gives the answer to each message.
    pub async fn start_all(script: impl FnMut(Heard) -> Vec<Say> + Send + 'static) -> Self {
        let script = Arc::new(std::sync::Mutex::new(script));
        listen(move |mut stream, connection| {
            let script = Arc::clone(&script);
            async move {
                let answer = move |heard| (script.lock().unwrap())(heard);
                // The client may go at any time.
                let _ = converse(&mut stream, connection, answer).await;
            }
        })
        .await
    }

    /// A node that reads nothing any more after it has told its range.
    pub async fn stalling() -> Self {
        listen(|mut stream, connection| async move {
            let answer = |_| {
                let mut says = range(HashRange::FULL);
                says.push(Say::Stall);
                says
            };
            // The client may go at any time.
            let _ = converse(&mut stream, connection, answer).await;
        })
        .await
    }

    /// A node that does not even speak the protocol: each connection is left to `talk`.
    pub async fn raw<F>(talk: impl FnMut(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        listen(talk).await
    }
}

async fn listen<F>(mut talk: impl FnMut(TcpStream, usize) -> F + Send + 'static) -> Scripted
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
        unreachable!("it was bound to an IPv4 address");
    };
    let task = tokio::spawn(async move {
        let mut conversations = JoinSet::new();
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            conversations.spawn(talk(stream, connection));
        }
    });
    Scripted {
        address,
        task: task.abort_handle(),
    }
}

async fn converse(
    stream: &mut TcpStream,
    connection: usize,
    mut answer: impl FnMut(Heard) -> Vec<Say>,
) -> io::Result<()> {
    let handshake = NodeHandshake::new(Arc::new(Credentials::default_admin()), [1, 2, 3, 4]);
    let mut talk = Connection::new(handshake, Limits::default());
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Now {
        unix: unix.as_secs(),
        ..Now::default()
    };
    let mut counts = BTreeMap::new();
    let mut buffer = [0; 4096];
    loop {
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        talk.feed(&buffer[..len]);
        while let Some(event) = talk.next_event(now).map_err(io::Error::other)? {
            let Event::Message { id, payload } = event else {
                continue;
            };
            let count: &mut usize = counts.entry(id).or_default();
            let nth = std::mem::replace(count, *count + 1);
            let payload = payload.to_vec();
            for say in answer(Heard {
                connection,
                id,
                nth,
                payload,
            }) {
                match say {
                    Say::Message(message) => talk.send(id, &message),
                    Say::Of(id, message) => talk.send(RequestId::new(id).unwrap(), &message),
                    Say::Raw(bytes) => talk.output().extend(bytes),
                    Say::Stall => {
                        stream.write_all(talk.output()).await?;
                        return std::future::pending().await;
                    }
                    Say::Close => {
                        stream.write_all(talk.output()).await?;
                        return stream.shutdown().await;
                    }
                }
            }
        }
        stream.write_all(talk.output()).await?;
        talk.output().clear();
    }
}
