//! What happens in a run, in words.

use bytes::Bytes;
use dht_protocol::legacy::batch::decode_records;
use dht_protocol::legacy::{Answer, KeyText, Order, Status};
use dht_protocol::neo::client::{Request as Asks, Told};
use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::request::update::{Decision, Notification as Updated};
use dht_protocol::neo::request::{RecordName, gather, get_all, mirror, stream};
use dht_protocol::{ChannelName, Key};

use super::{body, prefix};
use crate::world::{Request, RequestSetup, node_at, order_of};

/// How long a value is shown.
const SHOWN: usize = 12;

/// What a message says.
pub(super) fn message(
    dissector: &mut Dissector,
    request: Request,
    from: Side,
    payload: &[u8],
) -> String {
    let (kind, body) = body(request, payload);
    let line = dissector.message(from, kind, &body);
    match line.strip_prefix(&prefix(request)) {
        Some(rest) => rest.to_owned(),
        None => line,
    }
}

/// What a user asks for.
pub(super) fn asks(setup: &RequestSetup) -> String {
    let of = |what: &str, record: &RecordName| format!("{what} {}", key(record.key));
    match &setup.asks {
        None => "asks for the ranges".to_owned(),
        Some(Asks::Put(open)) => format!("puts {} = {}", key(open.record.key), value(&open.value)),
        Some(Asks::Get(record)) => of("gets", record),
        Some(Asks::Exists(record)) => of("asks whether there is", record),
        Some(Asks::Remove(record)) => of("removes", record),
        Some(Asks::Update(record)) => of("updates", record),
        Some(Asks::GetAll(channel, _)) => format!("reads all of {channel}"),
        Some(Asks::Mirror(channel, _)) => format!("mirrors {channel}"),
        Some(Asks::GetChannels) => "lists the channels".to_owned(),
        Some(Asks::RemoveChannel(channel)) => format!("removes channel {channel}"),
    }
}

/// What a user decides.
pub(super) fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Replace(new) => format!("writes {}", value(new)),
        Decision::Delete => "removes the record".to_owned(),
        Decision::Leave => "leaves the record".to_owned(),
    }
}

/// What a user is told.
pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Put(Ok(())) => "stored".to_owned(),
        Told::Get(Ok(Some(found))) => value(found),
        Told::Get(Ok(None)) => "no record".to_owned(),
        Told::Exists(Ok(true)) => "there is a record".to_owned(),
        Told::Exists(Ok(false)) => "no record".to_owned(),
        Told::Remove(Ok(true)) => "removed".to_owned(),
        Told::Remove(Ok(false)) => "no record".to_owned(),
        Told::Put(Err(failure))
        | Told::Get(Err(failure))
        | Told::Exists(Err(failure))
        | Told::Remove(Err(failure))
        | Told::Update(Updated::Ended(Err(failure))) => failure.to_string(),
        Told::Update(Updated::Received(found)) => format!("it is {}", value(found)),
        Told::Update(Updated::Ended(Ok(how))) => format!("{how:?}").to_lowercase(),
        Told::GetAll(told) => streamed(told, |item| match item {
            get_all::Item::Record(of, found) => format!("{} = {}", key(*of), value(found)),
            get_all::Item::Key(of) => key(*of),
        }),
        Told::Mirror(told) => streamed(told, |item| match item {
            mirror::Item::Updated(of, new) => format!("{} is {} now", key(*of), value(new)),
            mirror::Item::Refreshed(of, found) => format!("{} = {}", key(*of), value(found)),
            mirror::Item::Deleted(of) => format!("{} was removed", key(*of)),
            mirror::Item::UpdatesLost => "changes were lost".to_owned(),
            mirror::Item::ChannelRemoved => "the channel was removed".to_owned(),
        }),
        Told::GetChannels(told) => gathered(told, ToString::to_string),
        Told::RemoveChannel(told) => gathered(told, |notice| format!("{notice:?}")),
    }
}

fn streamed<T>(told: &stream::Notification<T>, item: impl Fn(&T) -> String) -> String {
    match told {
        stream::Notification::Started => "started".to_owned(),
        stream::Notification::Item(_, told) => item(told),
        stream::Notification::Suspended => "suspended".to_owned(),
        stream::Notification::Resumed => "resumed".to_owned(),
        stream::Notification::Disconnected(node) => format!("{} is away", named(*node)),
        stream::Notification::NodeError(node) => format!("{} failed", named(*node)),
        stream::Notification::Unsupported(node, status) => format!("{}: {status}", named(*node)),
        stream::Notification::Stopped => "stopped".to_owned(),
        stream::Notification::Finished => "finished".to_owned(),
    }
}

fn gathered<T>(told: &gather::Notification<T>, notice: impl Fn(&T) -> String) -> String {
    match told {
        gather::Notification::Notice(told) => notice(told),
        gather::Notification::Disconnected(node) => format!("{} is away", named(*node)),
        gather::Notification::NodeError(node) => format!("{} failed", named(*node)),
        gather::Notification::Unsupported(node, status) => format!("{}: {status}", named(*node)),
        gather::Notification::Finished => "finished".to_owned(),
    }
}

fn named(node: dht_protocol::neo::NodeAddress) -> String {
    node_at(node).map_or_else(|| node.to_string(), |node| format!("node {}", node + 1))
}

/// What was written.
pub(super) fn wrote(channel: &ChannelName, of: Key, written: Option<&Bytes>) -> String {
    match written {
        Some(new) => format!("stores {} = {} in {channel}", key(of), value(new)),
        None => format!("removes {} from {channel}", key(of)),
    }
}

/// What one node says to another.
pub(super) fn order(bytes: &Bytes) -> String {
    match order_of(bytes) {
        Some(Order::PutBatch { batch, .. }) => {
            let records = decode_records(&batch).unwrap_or_default().into_iter();
            let records = records.map(|(of, found)| format!(" {} = {}", key(of), value(&found)));
            format!("PutBatch{}", records.collect::<String>())
        }
        Some(Order::Remove { key, .. }) => format!("Remove {}", named_key(&key)),
        Some(other) => other.command().to_string(),
        None => {
            let code = bytes.first_chunk().map(|code| i32::from_le_bytes(*code));
            let status = code.and_then(Status::from_code);
            status.map_or_else(|| "?".to_owned(), |status| status.to_string())
        }
    }
}

/// What a legacy client has ordered, and what came of it.
pub(super) fn ordered(order: &Order, answer: &Answer) -> String {
    match (order, answer) {
        (_, Answer::Status(status)) if *status != Status::Ok => {
            format!("orders {}: {status}", order.command())
        }
        (
            Order::Put {
                key, value: new, ..
            },
            _,
        ) => {
            format!("puts {} = {}", named_key(key), value(new))
        }
        (Order::Remove { key, .. }, _) => format!("removes {}", named_key(key)),
        (Order::Get { key, .. }, Answer::Value(found)) => {
            format!("gets {}: {}", named_key(key), value(found))
        }
        _ => format!("orders {}", order.command()),
    }
}

fn named_key(text: &KeyText) -> String {
    text.parse().map_or_else(|| text.to_string(), key)
}

/// The name of a record: models have few, with small keys.
pub(super) fn key(key: Key) -> String {
    format!("k{}", key.0)
}

/// A value; of a long one, how it begins.
pub(super) fn value(value: &Bytes) -> String {
    let shown = value[..value.len().min(SHOWN)].escape_ascii();
    match value.len() {
        0 => "nothing".to_owned(),
        len if len > SHOWN => format!("{shown}.. ({len} bytes)"),
        _ => shown.to_string(),
    }
}
