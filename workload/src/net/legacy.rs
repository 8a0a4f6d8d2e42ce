//! A connection of the world that speaks the legacy protocol: a client with one connection, which a Listen
//! occupies for as long as it runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dht_client::legacy::{Client, Failure, KeyText, RequestError, StreamEvent, Tap};
use dht_client::{NodeAddress, Side};
use dht_model::{Action, Answer, Operation};
use dht_protocol::ChannelName;
use dht_requirements as req;
use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::timeout;

use super::perform::Done;
use super::{ConnectError, LegacyOptions};
use crate::legacy::{TAKEN, UNKNOWN, refused};
use crate::world::{Ending, Event, Ticket, Violation};

/// A client with one connection.
#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    /// Where it connects to.
    address: NodeAddress,
    /// The Listen that runs, if one does, and how it is stopped.
    listening: Mutex<Option<(Ticket, AbortHandle)>>,
}

impl Link {
    /// Connects, and asks the node what has to be known of it.
    pub(super) async fn connect(
        address: NodeAddress,
        patience: Duration,
        options: &LegacyOptions,
    ) -> Result<Self, ConnectError> {
        let mut builder = Client::builder()
            .node(address)
            .connections(1)
            .request_timeout(patience)
            .connect_timeout(patience);
        let connected = Arc::new(AtomicBool::new(false));
        if let Some(tap) = &options.tap {
            builder = builder.tap(Arc::new(Watcher {
                tap: Arc::clone(tap),
                node: options.address,
                connected: Arc::clone(&connected),
            }));
        }
        let client = builder.build();
        // One node alone need not be responsible for all keys, so that this is less than a handshake.
        client.get_version().await.all()?;
        client.get_responsible_range().await.all()?;
        connected.store(true, Ordering::Relaxed);
        Ok(Self {
            client,
            address,
            listening: Mutex::default(),
        })
    }

    /// Begins to listen; `None` if it does already.
    pub(super) fn listen(
        &self,
        ticket: Ticket,
        channel: ChannelName,
    ) -> Option<BoxStream<'static, Result<Event, Violation>>> {
        let mut listening = self.listening();
        if listening.is_some() {
            return None;
        }
        let (handle, registration) = AbortHandle::new_pair();
        *listening = Some((ticket, handle));
        let client = self.client.without_timeout();
        let told = stream::once(async move { client.listen(channel).await }).flatten();
        // Stopped it is dropped, which closes its connection.
        let told = Abortable::new(told.map(words), registration);
        let ended = stream::once(async { vec![Ok(Event::Stopped)] });
        Some(told.chain(ended).flat_map(stream::iter).boxed())
    }

    /// Stops the Listen, if it is this one.
    pub(super) fn stop(&self, ticket: Ticket) -> bool {
        let stopped = self.over(ticket);
        if let Some(handle) = &stopped {
            handle.abort();
        }
        stopped.is_some()
    }

    /// The Listen is over, if it is this one.
    pub(super) fn over(&self, ticket: Ticket) -> Option<AbortHandle> {
        let mut listening = self.listening();
        let is_it = listening
            .as_ref()
            .is_some_and(|(other, _)| *other == ticket);
        listening.take_if(|_| is_it).map(|(_, handle)| handle)
    }

    fn listening(&self) -> MutexGuard<'_, Option<(Ticket, AbortHandle)>> {
        // Never locked while anything else is done that could panic.
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what belongs to the case.
#[derive(Debug)]
struct Watcher {
    tap: Arc<dyn Tap>,
    /// Whom the client reaches.
    node: NodeAddress,
    /// Has the client asked what it has to know?
    connected: Arc<AtomicBool>,
}

impl Tap for Watcher {
    fn opened(&self, connection: u64, _: NodeAddress) {
        self.tap.opened(connection, self.node);
    }

    fn bytes(&self, connection: u64, from: Side, bytes: &[u8]) {
        if self.connected.load(Ordering::Relaxed) {
            self.tap.bytes(connection, from, bytes);
        }
    }

    fn closed(&self, connection: u64, reason: &str) {
        self.tap.closed(connection, reason);
    }
}

/// The links by the numbers of their connections.
pub(super) type Links = BTreeMap<usize, Arc<Link>>;

/// Does what is asked for.
pub(super) async fn perform(link: &Link, operation: Operation, patience: Duration) -> Done {
    if link.listening().is_some() {
        return nothing(TAKEN);
    }
    match timeout(patience, attempt(link, operation)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => failed(&error),
        Err(_) => Done::Ended(Ending::Unknown("it was not answered in time".to_owned())),
    }
}

async fn attempt(link: &Link, operation: Operation) -> Result<Done, RequestError> {
    let Link {
        client, address, ..
    } = link;
    let answer = match operation {
        Operation::Record {
            channel,
            key,
            action,
        } => match action {
            Action::Put(value) => {
                client.put(channel, key, value).await?;
                Answer::Stored
            }
            Action::Get => match client.get(channel, key).await? {
                Some(value) => Answer::Value(value),
                None => Answer::NothingThere,
            },
            Action::Exists => Answer::Exists(client.exists(channel, key).await?),
            Action::Remove => {
                client.remove(channel, key).await?;
                Answer::Gone
            }
            Action::Update(_) | Action::UpdateRecord { .. } => return Ok(unknown()),
        },
        Operation::GetAll {
            channel,
            keys_only,
            filter,
        } => match (keys_only, filter.is_empty()) {
            (false, true) => Answer::Records(client.get_all(channel).records().await?),
            (false, false) => {
                Answer::Records(client.get_all_filter(channel, filter).records().await?)
            }
            (true, true) => Answer::Keys(client.get_all_keys(channel).keys().await?),
            (true, false) => return Ok(unknown()),
        },
        Operation::GetChannels => {
            let channels = client.get_channels().await.all()?;
            Answer::Channels(channels.into_iter().flat_map(|(_, names)| names).collect())
        }
        Operation::RemoveChannel { channel, .. } => {
            client.remove_channel(channel).await.all()?;
            Answer::ChannelRemoved
        }
        Operation::GetHashRange => {
            let ranges = client.get_responsible_range().await.all()?;
            Answer::HashRanges(ranges.into_iter().map(|(_, range)| range).collect())
        }
        Operation::PutBatch { channel, records } => {
            client.put_batch(*address, channel, records).await?;
            Answer::Stored
        }
        Operation::GetSize { channel } => {
            let size = match channel {
                Some(channel) => client.get_channel_size(channel).await.merged()?,
                None => client.get_size().await.merged()?,
            };
            Answer::Size {
                records: size.records,
                bytes: size.bytes,
            }
        }
        Operation::Listen { .. } | Operation::Refresh { .. } => return Ok(unknown()),
    };
    Ok(answer.into())
}

/// What a Listen tells, in our words.
fn words(event: StreamEvent<(KeyText, Bytes)>) -> Vec<Result<Event, Violation>> {
    vec![match event {
        StreamEvent::Started(_) => Ok(Event::Started),
        StreamEvent::Item(_, (key, value)) => match key.parse() {
            Some(key) => Ok(Event::Updated(key, value)),
            None => Err(Violation {
                requirement: &req::LEG_KEY_DIGITS,
                text: format!("{key} is no key"),
            }),
        },
        StreamEvent::Ended(_) => Ok(Event::ChannelRemoved),
        StreamEvent::Failed(error) => match error.failure {
            Failure::Violation(violation) => Err(Violation::of_legacy(&violation)),
            Failure::Status(status) => Ok(Event::Failed(status.to_string())),
            // It does not begin again by itself.
            _ => Ok(Event::Disconnected),
        },
        StreamEvent::Finished => Ok(Event::Finished),
        StreamEvent::Stopped => Ok(Event::Stopped),
    }]
}

/// What to make of something that did not end as it should. The texts name no addresses: they differ from
/// run to run.
fn failed(error: &RequestError) -> Done {
    if let Failure::Violation(violation) = &error.failure {
        return Done::Violation(Violation::of_legacy(violation));
    }
    match error.status() {
        Some(status) => refused(status).into(),
        None if error.may_have_been_done() => {
            Done::Ended(Ending::Unknown(error.failure.to_string()))
        }
        None => nothing(&error.failure.to_string()),
    }
}

fn nothing(why: &str) -> Done {
    Done::Ended(Ending::Nothing(why.to_owned()))
}

fn unknown() -> Done {
    nothing(UNKNOWN)
}
