//! Puts whose connection ends before they are answered, or before they are there.

use bytes::Bytes;
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::request::{RequestCode, put};
use dht_requirements as req;

use super::records::Records;
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::Checked;
use crate::wire::quoted;
use crate::wire::talk::record;

/// How long the interrupted values are.
const LENGTH: usize = 1 << 20;
const OLD: &[u8] = b"the old value";

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        Check::raw(
            "interrupted.whole",
            "A Put of 1 MiB whose client sends nothing more and hears no answer is carried out whole \
             or not at all.",
            &[&req::PUT_DISCONNECTED],
            |ground| Box::pin(whole(ground)),
        ),
        Check::raw(
            "interrupted.half",
            "A Put of 1 MiB of which three quarters come before the connection ends is not carried \
             out.",
            &[&req::PUT_DISCONNECTED],
            |ground| Box::pin(part(ground, LENGTH / 4 * 3)),
        ),
        Check::raw(
            "interrupted.last-byte",
            "A Put of 1 MiB without its last byte is not carried out.",
            &[&req::PUT_DISCONNECTED],
            |ground| Box::pin(part(ground, LENGTH)),
        ),
    ];
    let tagged = |check: Check| check.on(RequestCode::Put).tagged(Tag::Hostile);
    checks.into_iter().map(tagged).collect()
}

async fn whole(ground: &Ground) -> Checked {
    let (mut records, message) = prepare(ground).await?;
    let mut other = ground.link().await?;
    other.send(&message).await;
    other.socket().half_close();
    other.socket().closed().await;
    see(
        ground,
        &mut records,
        &[OLD.into(), sample::value(1, LENGTH)],
    )
    .await
}

/// The first bytes of the message are all that come.
async fn part(ground: &Ground, length: usize) -> Checked {
    let (mut records, message) = prepare(ground).await?;
    let mut other = ground.link().await?;
    let length = length.min(message.len() - 1);
    other.send(&message[..length]).await;
    other.socket().half_close();
    other.socket().closed().await;
    see(ground, &mut records, &[OLD.into()]).await
}

/// A record, and the message that overwrites it.
async fn prepare(ground: &Ground) -> Checked<(Records, Vec<u8>)> {
    let mut records = Records::open(ground).await?;
    records.put(ground.key(1), OLD).await?;
    let open = put::Open {
        record: record(&records.channel, ground.key(1)),
        value: sample::value(1, LENGTH),
    };
    let mut message = Vec::new();
    // The first request of a connection.
    let id = dht_protocol::neo::RequestId::FIRST;
    write_request(&mut message, id, &open.encode());
    Ok((records, message))
}

/// The record has one of these values.
async fn see(ground: &Ground, records: &mut Records, values: &[Bytes]) -> Checked {
    let (reply, value) = records.link.get(&records.channel, ground.key(1)).await?;
    let kept = value.as_ref().is_some_and(|value| values.contains(value));
    let expected: Vec<_> = values.iter().map(|value| quoted(value)).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    let sent = "a Put whose connection ends, and Get on another one";
    ground.expect(&req::PUT_DISCONNECTED, sent, &expected, kept, || {
        let value = value.as_ref().map(|value| quoted(value));
        format!("{} {}", reply.name(), value.unwrap_or_default())
    })
}
