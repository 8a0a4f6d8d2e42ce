//! Operations through a client, and what came of them in the words of the model.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use dht_client::{
    Client, Failure, PendingUpdate, RemoveChannelError, RequestError, Updated, get_all,
};
use dht_model::{Action, Answer, Decision, Operation};
use dht_protocol::{ChannelName, Key};
use futures_util::future::{Either, select};
use tokio::time::{Instant, timeout_at};

use super::link::Link;
use crate::world::{Ending, Violation};

/// What is asked of a connection.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A whole operation.
    Operation(Operation),
    /// The first half of an Update.
    Read(ChannelName, Key),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    /// It has ended.
    Ended(Ending),
    /// An Update awaits its decision.
    Read(PendingUpdate),
    /// The node has broken the protocol.
    Violation(Violation),
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        Self::Ended(Ending::Answer(answer))
    }
}

/// Does what is asked. What finds no connection is done when there is one again, if that takes no longer
/// than `patience`. What loses it has ended when there is one again, or when it has become clear that
/// there will be none: then it is known whether the node has survived it.
pub(super) async fn perform(link: &Link, asked: Asked, patience: Duration) -> Done {
    let mut deadline = None;
    loop {
        let before = link.sent();
        let error = match attempt(link, &asked).await {
            Ok(done) => return done,
            Err(error) if is_loss(&error) => error,
            Err(error) => return failed(error),
        };
        let sent = link.sent() != before;
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
        let is_back = connected(link, deadline).await;
        if sent {
            return failed(error);
        }
        if !is_back {
            return nothing("there was no connection");
        }
    }
}

/// Does the second half of an Update.
pub(super) async fn decide(
    link: &Link,
    update: PendingUpdate,
    decision: Decision,
    patience: Duration,
) -> Done {
    let read = update.value().clone();
    let before = link.sent();
    let error = match update.decide(wanted(&decision)).await {
        Ok(updated) => return updated_from(read, updated).into(),
        Err(error) => error,
    };
    let sent = link.sent() != before;
    if is_loss(&error) {
        connected(link, Instant::now() + patience).await;
        if !sent {
            return nothing("the connection was lost before the decision");
        }
    }
    failed(error)
}

/// Waits until there is a connection, but no longer than that.
async fn connected(link: &Link, deadline: Instant) -> bool {
    let connected = timeout_at(deadline, link.client.wait_all_connected()).await;
    matches!(connected, Ok(Ok(()))) && Instant::now() < deadline
}

fn nothing(why: &str) -> Done {
    Done::Ended(Ending::Nothing(why.to_owned()))
}

async fn attempt(link: &Link, asked: &Asked) -> Result<Done, RequestError> {
    let operation = match asked {
        Asked::Operation(operation) => operation,
        Asked::Read(channel, key) => {
            let read = link.client.update_later(channel.clone(), *key).await?;
            return Ok(match read {
                Some(update) => Done::Read(update),
                None => Answer::NoRecord.into(),
            });
        }
    };
    let answer = match operation {
        Operation::Record {
            channel,
            key,
            action,
        } => record(&link.client, channel.clone(), *key, action).await?,
        Operation::GetAll {
            channel,
            keys_only,
            filter,
        } => {
            let settings = get_all::Settings {
                keys_only: *keys_only,
                value_filter: filter.clone(),
            };
            let get_all = link.client.get_all(channel.clone(), settings);
            match keys_only {
                true => Answer::Keys(get_all.keys().await?),
                false => Answer::Records(get_all.records().await?),
            }
        }
        Operation::GetChannels => channels(link).await?,
        Operation::RemoveChannel { channel, .. } => remove_channel(link, channel.clone()).await?,
        Operation::Refresh { .. }
        | Operation::GetHashRange
        | Operation::PutBatch { .. }
        | Operation::GetSize { .. }
        | Operation::Listen { .. } => {
            return Ok(nothing("a client cannot be asked for this"));
        }
    };
    Ok(answer.into())
}

async fn record(
    client: &Client,
    channel: ChannelName,
    key: Key,
    action: &Action,
) -> Result<Answer, RequestError> {
    Ok(match action {
        Action::Put(value) => {
            client.put(channel, key, value.clone()).await?;
            Answer::Stored
        }
        Action::Get => match client.get(channel, key).await? {
            Some(value) => Answer::Value(value),
            None => Answer::NoRecord,
        },
        Action::Exists => Answer::Exists(client.exists(channel, key).await?),
        Action::Remove => Answer::Removed(client.remove(channel, key).await?),
        Action::Update(decision) => match client.update_later(channel, key).await? {
            Some(update) => {
                let read = update.value().clone();
                updated_from(read, update.decide(wanted(decision)).await?)
            }
            None => Answer::NoRecord,
        },
        // The client sends it by itself, if ever. The model keeps every possibility.
        Action::UpdateRecord { .. } => Answer::Unknown,
    })
}

/// Removes a channel once. The client would begin again after a loss of the connection, and so perhaps
/// remove a channel that others have created meanwhile; nobody could judge that.
async fn remove_channel(link: &Link, channel: ChannelName) -> Result<Answer, RequestError> {
    let removed = while_connected(link, link.client.remove_channel(channel)).await;
    match removed.ok_or_else(|| lost(link))? {
        Ok(()) => Ok(Answer::ChannelRemoved),
        Err(RemoveChannelError::NotPermitted { .. }) => Ok(Answer::NotPermitted),
        Err(RemoveChannelError::Request(error)) => Err(error),
        // Other reasons there are none so far.
        Err(_) => Err(lost(link)),
    }
}

/// Lists the channels. The client would add what there is after a loss of the connection to what there was
/// before it; here the list is begun anew.
async fn channels(link: &Link) -> Result<Answer, RequestError> {
    loop {
        let listing = link.client.channels().collect_all();
        if let Some(channels) = while_connected(link, listing).await {
            return channels.map(Answer::Channels);
        }
    }
}

/// What comes of a request that is begun when there is a connection, unless that is lost first.
async fn while_connected<T>(link: &Link, request: impl Future<Output = T>) -> Option<T> {
    let mut losses = link.losses();
    // Without a client that can connect, the request says so itself.
    let _ = link.client.wait_all_connected().await;
    losses.mark_unchanged();
    match select(pin!(request), pin!(losses.changed())).await {
        Either::Left((came, _)) => Some(came),
        Either::Right(_) => None,
    }
}

fn lost(link: &Link) -> RequestError {
    let node = link.node();
    Failure::Disconnected { node }.into()
}

fn wanted(decision: &Decision) -> dht_client::Decision {
    match decision {
        Decision::Replace(value) => dht_client::Decision::Replace(value.clone()),
        Decision::Leave => dht_client::Decision::Leave,
        Decision::Delete => dht_client::Decision::Delete,
    }
}

fn updated_from(read: Bytes, updated: Updated) -> Answer {
    match updated {
        Updated::Done => Answer::Updated { read },
        Updated::NoRecord => Answer::NoRecord,
        Updated::Conflict => Answer::Conflict,
    }
}

fn is_loss(error: &RequestError) -> bool {
    matches!(error, RequestError::Failed(Failure::Disconnected { .. }))
}

/// What to make of something that did not end as it should. The texts name no addresses: they differ from
/// run to run.
fn failed(error: RequestError) -> Done {
    let failure = match error {
        RequestError::Failed(failure) => failure,
        RequestError::TooManyRequests(error) => return nothing(&error.to_string()),
        error => return Done::Ended(Ending::Unknown(error.to_string())),
    };
    match failure {
        Failure::NoNode => Answer::NoNode.into(),
        Failure::WrongNode { .. } => Answer::WrongNode.into(),
        Failure::ValueTooBig { .. } => Answer::ValueTooBig.into(),
        Failure::NodeError { .. } => Answer::Error.into(),
        Failure::Violation { violation, .. } => Done::Violation(violation.to_string().into()),
        Failure::Unsupported { status, .. } => Done::Violation(status.to_string().into()),
        Failure::Disconnected { .. } => {
            Done::Ended(Ending::Unknown("the connection was lost".to_owned()))
        }
        error => Done::Ended(Ending::Unknown(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use dht_client::Credential;
    use dht_protocol::neo::monitor::Listener;
    use fakedht::TestNode;
    use futures_util::future::join;

    use super::super::health::Health;
    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);

    /// A node, and a link to it whose client knows that the connection is lost.
    async fn stopped() -> (TestNode, Link) {
        let (mut node, link) = connected().await;
        stop(&mut node, &link).await;
        (node, link)
    }

    async fn connected() -> (TestNode, Link) {
        let node = TestNode::start().await.unwrap();
        let address = node.address();
        let admin = Credential::default_admin();
        let breaches = Health::new(address).breaches();
        let listener = Listener::new();
        let link = Link::new(address, address, admin, None, breaches, listener);
        link.client.ready(LONG).await.unwrap();
        (node, link)
    }

    async fn stop(node: &mut TestNode, link: &Link) {
        let mut losses = link.losses();
        let (_, lost) = join(node.stop(), losses.changed()).await;
        lost.unwrap();
    }

    fn put() -> Asked {
        Asked::Operation(Operation::put("c", 1, "v"))
    }

    fn ending(done: Done) -> Ending {
        match done {
            Done::Ended(ending) => ending,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_finds_no_connection_is_done_when_there_is_one() {
        for asked in [
            put(),
            Asked::Operation(Operation::remove_channel("c")),
            Asked::Operation(Operation::GetChannels),
            Asked::Operation(Operation::get_all("c")),
            Asked::Read("c".into(), 1.into()),
        ] {
            let (mut node, link) = stopped().await;
            let doing = perform(&link, asked.clone(), LONG);
            let (done, restarted) = join(doing, node.restart()).await;
            restarted.unwrap();
            let ending = ending(done);
            assert!(matches!(ending, Ending::Answer(_)), "{asked:?}: {ending}");
        }
    }

    #[tokio::test]
    async fn what_was_never_sent_has_no_effect() {
        let (mut node, link) = stopped().await;
        let done = perform(&link, put(), SHORT).await;
        let nothing = Ending::Nothing("there was no connection".to_owned());
        assert_eq!(ending(done), nothing);
        node.restart().await.unwrap();
        link.client.ready(LONG).await.unwrap();
        assert_eq!(node.get("c", 1), None);
    }

    #[tokio::test]
    async fn an_update_that_is_lost_before_its_decision_has_no_effect() {
        let (mut node, link) = connected().await;
        node.put("c", 1, "old");
        let read = perform(&link, Asked::Read("c".into(), 1.into()), LONG).await;
        let Done::Read(update) = read else {
            panic!("{read:?}");
        };
        stop(&mut node, &link).await;
        let done = decide(&link, update, Decision::Delete, SHORT).await;
        assert!(matches!(ending(done), Ending::Nothing(_)));
        assert_eq!(node.get("c", 1).as_deref(), Some(&b"old"[..]));
    }
}
