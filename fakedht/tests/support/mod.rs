//! What the integration tests share: a raw client that sees every message, and a log to look into.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dht_protocol::Key;
use dht_protocol::codec::Put as _;
use dht_protocol::legacy::{self, Answer, ClientRequest, Order, Status};
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{Connection, Credential, Event, Limits, NodeAddress, RequestId};
use fakedht::server::{Clock, Log, Notice, SystemClock};
use fakedht::{NodeConfig, ServerOptions, TestNode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not happen within {LIMIT:?}"),
    }
}

/// The first message of a Put.
pub fn put(channel: &str, key: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut message = about(RequestCode::Put, channel, key);
    message.put_array(value.as_ref());
    message
}

/// The first message of a Get, Exists or Remove.
pub fn about(request: RequestCode, channel: &str, key: u64) -> Vec<u8> {
    let mut message = vec![request as u8, 0];
    message.put_array(channel.as_bytes());
    message.put_u64(key);
    message
}

/// A client that sends payloads and shows those that come.
pub struct Client {
    pub stream: TcpStream,
    connection: Connection<ClientHandshake>,
    next_id: RequestId,
    /// Messages that came while others were waited for.
    arrived: VecDeque<(RequestId, Vec<u8>)>,
}

impl Client {
    /// Connects and authenticates as `admin`.
    pub async fn connect(address: NodeAddress) -> Self {
        Self::connect_as(address, Credential::default_admin())
            .await
            .unwrap()
    }

    /// Connects and authenticates.
    pub async fn connect_as(address: NodeAddress, credential: Credential) -> io::Result<Self> {
        let mut client = Self {
            stream: TcpStream::connect(address).await?,
            connection: Connection::new(ClientHandshake::new(credential), Limits::default()),
            next_id: RequestId::FIRST,
            arrived: VecDeque::new(),
        };
        while !client.connection.is_open() {
            client.flush().await?;
            within("authentication", client.read()).await?;
        }
        Ok(client)
    }

    /// Starts a request.
    pub async fn start(&mut self, opening: impl AsRef<[u8]>) -> RequestId {
        let id = self.next_id;
        self.next_id = id.next();
        self.send(id, opening).await;
        id
    }

    /// Sends a message of a request.
    pub async fn send(&mut self, id: RequestId, payload: impl AsRef<[u8]>) {
        self.connection.send(id, payload.as_ref());
        self.flush().await.unwrap();
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next message of a request.
    pub async fn message(&mut self, id: RequestId) -> Vec<u8> {
        let what = format!("a message of request {id}");
        within(&what, async {
            loop {
                if let Some(at) = self.arrived.iter().position(|(of, _)| *of == id) {
                    return self.arrived.remove(at).unwrap().1;
                }
                assert!(self.read().await.unwrap() > 0, "closed instead of {what}");
            }
        })
        .await
    }

    /// So many messages of a request.
    pub async fn messages(&mut self, id: RequestId, count: usize) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(self.message(id).await);
        }
        messages
    }

    /// Starts a request that has `answers` answers, the supported status not counted.
    pub async fn ask(&mut self, opening: impl AsRef<[u8]>, answers: usize) -> Vec<Vec<u8>> {
        let id = self.start(opening).await;
        assert_eq!(self.message(id).await, [0xfd]);
        self.messages(id, answers).await
    }

    /// Messages of a request that are here already, once everything that the node sent before it
    /// answered a last question is.
    pub async fn so_far(&mut self, id: RequestId) -> Vec<Vec<u8>> {
        let last = self.start([11, 0]).await;
        assert_eq!(self.message(last).await, [0xff]);
        let (of, others) = self.arrived.drain(..).partition(|(of, _)| *of == id);
        self.arrived = others;
        let of: VecDeque<(RequestId, Vec<u8>)> = of;
        of.into_iter().map(|(_, payload)| payload).collect()
    }

    /// Waits until the node has closed the connection.
    pub async fn closed(&mut self) {
        within("the end of the connection", async {
            // A reset is an end as good as any.
            while matches!(self.read().await, Ok(1..)) {}
        })
        .await;
    }

    async fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(self.connection.output());
        self.stream.write_all(&output).await
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut bytes = vec![0; 64 * 1024];
        let len = self.stream.read(&mut bytes).await?;
        self.connection.feed(&bytes[..len]);
        let now = SystemClock::new().now();
        while let Some(event) = self.connection.next_event(now).map_err(io::Error::other)? {
            if let Event::Message { id, payload } = event {
                self.arrived.push_back((id, payload.to_vec()));
            }
        }
        match len == 0 && !self.connection.is_open() {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(len),
        }
    }
}

/// A client of the legacy protocol, one order at a time.
pub struct Legacy {
    pub stream: TcpStream,
    input: BytesMut,
}

impl Legacy {
    pub async fn connect(address: NodeAddress) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            input: BytesMut::new(),
        }
    }

    /// Sends an order; what comes back belongs to the request.
    pub async fn send(&mut self, order: &Order) -> ClientRequest {
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
        ClientRequest::new(order.command())
    }

    /// What the node says next.
    pub async fn event(&mut self, request: &mut ClientRequest) -> legacy::Event {
        let what = format!("an answer to {}", request.command());
        within(&what, async {
            loop {
                if let Some(event) = request.receive(&mut self.input).unwrap() {
                    return event;
                }
                let read = self.stream.read_buf(&mut self.input).await.unwrap();
                assert!(read > 0, "closed instead of {what}");
            }
        })
        .await
    }

    /// Everything that the node says to an order.
    pub async fn ask(&mut self, order: &Order) -> Vec<legacy::Event> {
        let mut request = self.send(order).await;
        let mut events = Vec::new();
        while !request.is_over() {
            events.push(self.event(&mut request).await);
        }
        events
    }

    /// The answer to an order that has a whole one.
    pub async fn answer(&mut self, order: &Order) -> Answer {
        match self.ask(order).await.pop() {
            Some(legacy::Event::Answered(answer)) => answer,
            other => panic!("{other:?} for {order:?}"),
        }
    }

    /// The status of an answer.
    pub async fn status(&mut self, order: &Order) -> Status {
        self.answer(order).await.status()
    }
}

/// A legacy Put.
pub fn legacy_put(channel: &str, key: u64, value: impl AsRef<[u8]>) -> Order {
    Order::Put {
        channel: channel.into(),
        key: Key(key).into(),
        value: Bytes::copy_from_slice(value.as_ref()),
    }
}

/// A legacy Get.
pub fn legacy_get(channel: &str, key: u64) -> Order {
    Order::Get {
        channel: channel.into(),
        key: Key(key).into(),
    }
}

/// Keeps every notice as the line that it is.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Log for Lines {
    fn log(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap().push(notice.to_string());
    }
}

/// A node whose log can be looked into.
pub async fn logging_node() -> (TestNode, Lines) {
    let lines = Lines::default();
    let options = ServerOptions {
        log: Arc::new(lines.clone()),
        ..ServerOptions::default()
    };
    let node = TestNode::start_with(NodeConfig::default(), options)
        .await
        .unwrap();
    (node, lines)
}
