//! What is stored instead of the value of a Put.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};

use crate::bugs::seam::{Call, HostBug};

/// What is stored when this value is put where that one was.
type Store = fn(Key, &Bytes, Option<Bytes>) -> Result<Bytes, HostError>;

/// Puts that store something else, or nothing.
pub(super) struct Stored(pub(super) Store);

impl HostBug for Stored {
    fn put(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        if !call.is(RequestCode::Put) {
            return host.put(channel, key, value);
        }
        let before = host.get(channel, key)?;
        host.put(channel, key, &(self.0)(key, value, before)?)
    }
}

pub(super) fn identical_refused(
    _: Key,
    value: &Bytes,
    before: Option<Bytes>,
) -> Result<Bytes, HostError> {
    match before {
        Some(before) if before == value => Err(refused()),
        _ => Ok(value.clone()),
    }
}

pub(super) fn keep_tail(_: Key, value: &Bytes, before: Option<Bytes>) -> Result<Bytes, HostError> {
    let tail = before.and_then(|before| Some(before.get(value.len()..)?.to_vec()));
    Ok([value, &tail.unwrap_or_default()[..]].concat().into())
}

pub(super) fn cut_to_old_length(
    _: Key,
    value: &Bytes,
    before: Option<Bytes>,
) -> Result<Bytes, HostError> {
    let length = before.map_or(value.len(), |before| before.len());
    Ok(value.slice(..value.len().min(length)))
}

pub(super) fn extreme_refused(
    key: Key,
    value: &Bytes,
    _: Option<Bytes>,
) -> Result<Bytes, HostError> {
    match key.0 {
        0 | 0x8000_0000_0000_0000 | u64::MAX => Err(refused()),
        _ => Ok(value.clone()),
    }
}

pub(super) fn cut_at_nul(_: Key, value: &Bytes, _: Option<Bytes>) -> Result<Bytes, HostError> {
    let end = value.iter().position(|byte| *byte == 0);
    Ok(value.slice(..end.unwrap_or(value.len())))
}

pub(super) fn as_text(_: Key, value: &Bytes, _: Option<Bytes>) -> Result<Bytes, HostError> {
    Ok(String::from_utf8_lossy(value).into_owned().into())
}

pub(super) fn trimmed(_: Key, value: &Bytes, _: Option<Bytes>) -> Result<Bytes, HostError> {
    Ok(Bytes::copy_from_slice(value.trim_ascii()))
}

pub(super) fn large_refused(_: Key, value: &Bytes, _: Option<Bytes>) -> Result<Bytes, HostError> {
    match value.len() > MAX_VALUE {
        true => Err(refused()),
        false => Ok(value.clone()),
    }
}

pub(super) fn filled(_: Key, value: &Bytes, _: Option<Bytes>) -> Result<Bytes, HostError> {
    Ok(match value.is_empty() {
        true => Bytes::from_static(&[0]),
        false => value.clone(),
    })
}

pub(super) fn empty_sticks(
    _: Key,
    value: &Bytes,
    before: Option<Bytes>,
) -> Result<Bytes, HostError> {
    Ok(match before {
        Some(before) if before.is_empty() => before,
        _ => value.clone(),
    })
}

fn refused() -> HostError {
    HostError("refused".to_owned())
}
