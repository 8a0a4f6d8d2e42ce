//! Channel names that are not what the client has said.

use dht_protocol::ChannelName;
use dht_protocol::neo::request::{RecordName, RequestCode, put};

use crate::bugs::seam::{Fate, Message};

/// The name that a name is taken for.
type Rename = fn(&[u8]) -> Vec<u8>;

/// Takes the name of a channel for another one, in requests for single records.
pub(super) fn rename(message: &Message<'_>, rename: Rename) -> Fate {
    if message.number > 0 {
        return Fate::Pass;
    }
    let Some((_, fields)) = message.payload.split_at_checked(2) else {
        return Fate::Pass;
    };
    let other = |name: &ChannelName| ChannelName::copy_from(&rename(name.as_bytes()));
    match message.request {
        Some(RequestCode::Put) => {
            let Ok(mut open) = put::Open::decode(fields) else {
                return Fate::Pass;
            };
            open.record.channel = other(&open.record.channel);
            Fate::changed(open.encode())
        }
        Some(request @ (RequestCode::Get | RequestCode::Exists | RequestCode::Remove)) => {
            let Ok(mut record) = RecordName::decode_fields(fields) else {
                return Fate::Pass;
            };
            record.channel = other(&record.channel);
            Fate::changed(record.opening(request))
        }
        _ => Fate::Pass,
    }
}

/// Puts into the channel without a name go somewhere else.
pub(super) fn lose_unnamed(message: &Message<'_>) -> Fate {
    match message.is(RequestCode::Put) {
        true => rename(message, |name| match name {
            b"" => b"unnamed".to_vec(),
            name => name.to_vec(),
        }),
        false => Fate::Pass,
    }
}

pub(super) fn lower(name: &[u8]) -> Vec<u8> {
    name.to_ascii_lowercase()
}

pub(super) fn trimmed(name: &[u8]) -> Vec<u8> {
    name.trim_ascii().to_vec()
}

pub(super) fn cut_at_nul(name: &[u8]) -> Vec<u8> {
    until(name, 0)
}

pub(super) fn first_line(name: &[u8]) -> Vec<u8> {
    until(name, b'\n')
}

pub(super) fn as_text(name: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(name).into_owned().into_bytes()
}

pub(super) fn last_part(name: &[u8]) -> Vec<u8> {
    let parts = name.rsplit(|byte| *byte == b'/');
    parts.take(1).flatten().copied().collect()
}

pub(super) fn cut_to_255(name: &[u8]) -> Vec<u8> {
    name.iter().take(255).copied().collect()
}

pub(super) fn without_letters(name: &[u8]) -> Vec<u8> {
    let others = |byte: &&u8| !byte.is_ascii_alphabetic();
    name.iter().filter(others).copied().collect()
}

pub(super) fn shared(_: &[u8]) -> Vec<u8> {
    b"shared".to_vec()
}

fn until(name: &[u8], end: u8) -> Vec<u8> {
    name.iter()
        .take_while(|byte| **byte != end)
        .copied()
        .collect()
}
