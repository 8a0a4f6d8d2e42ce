//! Nodes of the legacy protocol: ours, and one that says what a test has it say.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use dht_client::legacy::{Answer, Client, Command, Order};
use dht_client::{HashRange, NodeAddress};
use dht_protocol::legacy::Incoming;
use fakedht::{
    MemoryStorage, Node, NodeConfig, Server, ServerOptions, SharedNode, server::listen as listen_on,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::PATIENCE;

/// A client of these nodes, after its handshake.
pub async fn connect(nodes: impl IntoIterator<Item = NodeAddress>) -> Client {
    let nodes = nodes.into_iter();
    let builder = nodes.fold(Client::builder(), |builder, node| builder.node(node));
    let client = builder.build();
    client.ready(PATIENCE).await.unwrap();
    client
}

/// Our node, which speaks the legacy protocol until this is dropped.
#[derive(Debug)]
pub struct LegacyNode {
    pub node: SharedNode<MemoryStorage>,
    server: Option<Server>,
    pub address: NodeAddress,
}

impl LegacyNode {
    /// A node with these keys.
    pub fn start(range: HashRange) -> Self {
        Self::start_with(NodeConfig {
            range,
            ..NodeConfig::default()
        })
    }

    pub fn start_with(config: NodeConfig) -> Self {
        let node = SharedNode::new(Node::new(config, MemoryStorage::new()));
        let listener = listen_on(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let options = ServerOptions::default();
        let server = Server::start_legacy(listener, node.clone(), options).unwrap();
        let address = server.address();
        Self {
            node,
            server: Some(server),
            address,
        }
    }

    /// Closes everything.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// Listens again, with the same data.
    pub fn restart(&mut self) {
        let listener = listen_on(self.address).unwrap();
        let options = ServerOptions::default();
        let server = Server::start_legacy(listener, self.node.clone(), options).unwrap();
        self.server = Some(server);
    }
}

/// A node with every key, and a client of it.
pub async fn one_node() -> (LegacyNode, Client) {
    let node = LegacyNode::start(HashRange::FULL);
    let client = connect([node.address]).await;
    (node, client)
}

/// An order that came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// On which connection, from 0.
    pub connection: usize,
    pub order: Order,
}

/// What the node says.
#[derive(Clone, Debug)]
pub enum Say {
    Answer(Answer),
    /// Bytes, whatever they are.
    Raw(Vec<u8>),
    /// These bytes again and again, as long as they are taken; how often they were is told.
    Repeat(Vec<u8>, Arc<watch::Sender<u64>>),
    /// Nothing more: the connection is closed.
    Close,
}

/// The answers of a healthy node with these keys to the orders of a handshake.
pub fn handshake(order: &Order, range: HashRange) -> Option<Vec<Say>> {
    match order.command() {
        Command::GetVersion => Some(vec![Say::Answer(Answer::version())]),
        Command::GetResponsibleRange => Some(vec![Say::Answer(Answer::Range(range))]),
        _ => None,
    }
}

/// A node that says what a test has it say, and remembers what it heard.
#[derive(Debug)]
pub struct Scripted {
    pub address: NodeAddress,
    heard: Arc<Mutex<Vec<(usize, Command)>>>,
    task: AbortHandle,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// `script` gives the answers to all orders but those of the handshake; a node with every key.
    pub async fn start(mut script: impl FnMut(Heard) -> Vec<Say> + Send + 'static) -> Self {
        Self::start_all(move |heard| {
            handshake(&heard.order, HashRange::FULL).unwrap_or_else(|| script(heard))
        })
        .await
    }

    /// `script` gives the answers to all orders.
    pub async fn start_all(script: impl FnMut(Heard) -> Vec<Say> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            unreachable!("it was bound to an IPv4 address");
        };
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                conversations.spawn(converse(stream, connection, script, log));
            }
        });
        Self {
            address,
            heard,
            task: task.abort_handle(),
        }
    }

    /// Which orders came on which connection, those of handshakes left out.
    pub fn heard(&self) -> Vec<(usize, Command)> {
        let asks = |command| matches!(command, Command::GetVersion | Command::GetResponsibleRange);
        let mut heard = self.heard.lock().unwrap().clone();
        heard.retain(|(_, command)| !asks(*command));
        heard
    }

    /// On which connections orders came, without repetitions.
    pub fn connections(&self) -> Vec<usize> {
        let mut connections: Vec<usize> = self.heard().into_iter().map(|(on, _)| on).collect();
        connections.dedup();
        connections
    }

    /// Waits until so many orders have come.
    pub async fn wait_heard(&self, count: usize) {
        super::within(async {
            while self.heard().len() < count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

type Script = Box<dyn FnMut(Heard) -> Vec<Say> + Send>;

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    script: Arc<Mutex<Script>>,
    log: Arc<Mutex<Vec<(usize, Command)>>>,
) {
    let mut input = BytesMut::new();
    loop {
        while let Some((incoming, length)) = Order::decode(&input, u64::MAX).unwrap() {
            let _ = input.split_to(length);
            let Incoming::Order(order) = incoming else {
                unreachable!("any value is waited for");
            };
            log.lock().unwrap().push((connection, order.command()));
            let says = (script.lock().unwrap())(Heard { connection, order });
            for say in says {
                let mut bytes = Vec::new();
                match say {
                    Say::Answer(answer) => answer.encode(&mut bytes),
                    Say::Raw(raw) => bytes = raw,
                    Say::Repeat(raw, taken) => {
                        while stream.write_all(&raw).await.is_ok() {
                            taken.send_modify(|count| *count += 1);
                        }
                        return;
                    }
                    Say::Close => return,
                }
                // The client may go at any time.
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
        match stream.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
