//! Requests to all nodes, and to a certain one.

use std::future::poll_fn;

use bytes::Bytes;
use dht_protocol::legacy::batch::{Batch, MAX_VALUE, Pushed};
use dht_protocol::legacy::{Answer, Command, Event, Order, Redistribute, Status, Target};
use dht_protocol::neo::NodeAddress;
use dht_protocol::{ChannelName, HashRange, Key, Size};

use super::client::Client;
use super::error::{Failure, RequestError};
use super::join::{Boxed, join_all};
use super::lease::{Lease, within};
use super::per_node::PerNode;
use super::records::done;
use crate::waiters::MAX_NAMES;

/// Requests to all nodes, which are asked side by side.
impl Client {
    /// Lists the channels.
    pub async fn get_channels(&self) -> PerNode<Vec<ChannelName>> {
        let order = Order::GetChannels;
        self.everywhere(order.command(), |node| Box::pin(self.names(node, &order)))
            .await
    }

    /// How much is in a channel?
    pub async fn get_channel_size(&self, channel: impl Into<ChannelName>) -> PerNode<Size> {
        let channel = channel.into();
        self.ask_all(Order::GetChannelSize { channel }, size).await
    }

    /// How much is in all channels? What the bytes count is the node's affair.
    pub async fn get_size(&self) -> PerNode<Size> {
        self.ask_all(Order::GetSize, size).await
    }

    /// How many connections of legacy clients are open, those of this client among them?
    pub async fn get_num_connections(&self) -> PerNode<u64> {
        self.ask_all(Order::GetNumConnections, |answer| match answer {
            Answer::Connections(_, connections) => Ok(connections),
            other => Err(other),
        })
        .await
    }

    /// Which version of the protocol do the nodes speak? What they say decides whether the client uses
    /// them, as in a [handshake](Self::handshake).
    pub async fn get_version(&self) -> PerNode<Bytes> {
        let versions = self.ask_all(Order::GetVersion, |answer| match answer {
            Answer::Version(version) => Ok(version),
            other => Err(other),
        });
        let versions = versions.await;
        for (node, version) in &versions.nodes {
            if let Ok(version) = version {
                let answer = Answer::Version(version.clone());
                self.shared.lock().core.learn(*node, &answer);
            }
        }
        versions
    }

    /// Which keys are the nodes responsible for? What they say decides which of them the client asks for a
    /// key, as in a [handshake](Self::handshake).
    pub async fn get_responsible_range(&self) -> PerNode<HashRange> {
        let ranges = self.ask_all(Order::GetResponsibleRange, |answer| match answer {
            Answer::Range(range) => Ok(range),
            other => Err(other),
        });
        let ranges = ranges.await;
        for (node, range) in &ranges.nodes {
            if let Ok(range) = range {
                let answer = Answer::Range(*range);
                self.shared.lock().core.learn(*node, &answer);
            }
        }
        ranges
    }

    /// Removes a channel with all its records. Listens to it end.
    pub async fn remove_channel(&self, channel: impl Into<ChannelName>) -> PerNode<()> {
        let channel = channel.into();
        self.ask_all(Order::RemoveChannel { channel }, done).await
    }
}

/// Requests to a certain node, as nodes and their tools make them.
impl Client {
    /// Stores records in as few batches as they fit in, one after the other. A record that is refused
    /// ends it; those before it stay stored. Without any records an empty batch is sent.
    pub async fn put_batch(
        &self,
        node: NodeAddress,
        channel: impl Into<ChannelName>,
        records: impl IntoIterator<Item = (Key, Bytes)>,
    ) -> Result<(), RequestError> {
        let channel = channel.into();
        let order = |batch: Vec<u8>| Order::PutBatch {
            channel: channel.clone(),
            batch: batch.into(),
        };
        let records: Vec<(Key, Bytes)> = records.into_iter().collect();
        self.admit(node, &order(Vec::new()))?;
        for (_, value) in &records {
            let failure = match value.len() {
                0 => Failure::EmptyValue,
                1..=MAX_VALUE => continue,
                _ => Failure::ValueTooBig,
            };
            return Err(RequestError::unsent(Command::PutBatch, Some(node), failure));
        }
        let mut batch = Batch::default();
        for (key, value) in &records {
            if batch.push(*key, value) == Pushed::Full {
                self.ask(node, &order(batch.finish()), done).await?;
                // It is empty now, so that any value fits.
                batch.push(*key, value);
            }
        }
        self.ask(node, &order(batch.finish()), done).await
    }

    /// Has a node be responsible for other keys, and move its records to the nodes that take them. The
    /// answer comes only when all have been moved, so this may need
    /// [more time](Self::with_timeout). Once it has begun the node carries on whatever becomes of the
    /// request; the client learns of the new ranges by the next [handshake](Self::handshake).
    pub async fn redistribute(
        &self,
        node: NodeAddress,
        range: HashRange,
        targets: impl IntoIterator<Item = (NodeAddress, HashRange)>,
    ) -> Result<(), RequestError> {
        let targets = targets.into_iter().map(|(address, range)| Target {
            address: address.ip().to_string().into(),
            port: address.port(),
            range,
        });
        let order = Order::Redistribute(Redistribute {
            min: range.min(),
            max: range.max(),
            nodes: targets.collect(),
        });
        self.ask(node, &order, done).await
    }
}

impl Client {
    /// Sends an order to all nodes and waits for the answers, which come at once.
    async fn ask_all<T: Send + 'static>(
        &self,
        order: Order,
        read: fn(Answer) -> Result<T, Answer>,
    ) -> PerNode<T> {
        let ask = |node| -> Boxed<'_, _> { Box::pin(self.ask(node, &order, read)) };
        self.everywhere(order.command(), ask).await
    }

    async fn everywhere<'a, T>(
        &self,
        command: Command,
        ask: impl Fn(NodeAddress) -> Boxed<'a, Result<T, RequestError>>,
    ) -> PerNode<T> {
        let nodes = self.nodes();
        let answers = join_all(nodes.iter().map(|node| ask(*node)).collect()).await;
        PerNode {
            command,
            nodes: nodes.into_iter().zip(answers).collect(),
        }
    }

    /// The names of a node's channels.
    async fn names(
        &self,
        node: NodeAddress,
        order: &Order,
    ) -> Result<Vec<ChannelName>, RequestError> {
        let fail = |failure, sent| RequestError {
            command: order.command(),
            node: Some(node),
            failure,
            sent,
        };
        self.admit(node, order)?;
        let patience = self.request_timeout;
        let lease = Lease::take(&self.shared, node, patience).await;
        let mut lease = lease.map_err(|failure| fail(failure, false))?;
        let told = within(patience, async {
            lease.send(order, None).await?;
            collect_names(&mut lease).await
        });
        let told = told.await.unwrap_or(Err(Failure::TimedOut));
        let sent = lease.is_sent();
        lease.give_back();
        told.map_err(|failure| fail(failure, sent))
    }
}

async fn collect_names(lease: &mut Lease) -> Result<Vec<ChannelName>, Failure> {
    let (mut names, mut weight) = (Vec::new(), 0);
    loop {
        match poll_fn(|context| lease.poll_next(context)).await? {
            Some(Event::Channel(name)) => {
                weight += size_of::<ChannelName>() + name.as_bytes().len();
                if weight > MAX_NAMES {
                    return Err(Failure::TooMuch);
                }
                names.push(name);
            }
            Some(Event::Answered(answer)) if answer.status() != Status::Ok => {
                return Err(Failure::Status(answer.status()));
            }
            Some(_) => {}
            None => return Ok(names),
        }
    }
}

fn size(answer: Answer) -> Result<Size, Answer> {
    match answer {
        Answer::Size(_, size) => Ok(size),
        other => Err(other),
    }
}
