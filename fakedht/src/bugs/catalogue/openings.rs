//! First messages taken apart: what is wrong with one, and what a careless node makes of it.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};
use dht_protocol::neo::request::{
    RecordName, RequestCode, get_all, get_channels, get_hash_range, mirror, put, remove_channel,
    update,
};
use dht_protocol::{ChannelName, Key};

use crate::bugs::fate::Fate;
use crate::bugs::message::Message;
use crate::bugs::wire::Phase;

/// The largest first message that is tinkered with, in bytes.
const SMALL: usize = 1024;

/// What is wrong with a first message.
pub(super) enum Fault {
    /// It is right up to here, and goes on.
    Surplus(usize),
    Wrong,
}

pub(super) fn first_fault(message: &Message<'_>) -> Option<Fault> {
    match message.number {
        0 => fault(message.payload),
        _ => None,
    }
}

/// `None` also if the request is unknown.
fn fault(payload: &[u8]) -> Option<Fault> {
    let request = RequestCode::from_code(*payload.first()?)?;
    if payload.get(1) != Some(&0) || payload.len() > SMALL || is_right(request, &payload[2..]) {
        return None;
    }
    let right = (2..payload.len()).find(|end| is_right(request, &payload[2..*end]));
    Some(right.map_or(Fault::Wrong, Fault::Surplus))
}

fn is_right(request: RequestCode, fields: &[u8]) -> bool {
    match request {
        RequestCode::GetHashRange => get_hash_range::Open::decode(fields).is_ok(),
        RequestCode::Put => put::Open::decode(fields).is_ok(),
        RequestCode::Get | RequestCode::Exists | RequestCode::Remove => {
            RecordName::decode_fields(fields).is_ok()
        }
        RequestCode::Mirror => mirror::Open::decode(fields).is_ok(),
        RequestCode::GetAll => get_all::Open::decode(fields).is_ok(),
        RequestCode::GetChannels => get_channels::Open::decode(fields).is_ok(),
        RequestCode::RemoveChannel => remove_channel::Open::decode(fields).is_ok(),
        RequestCode::Update => update::Open::decode(fields).is_ok(),
    }
}

/// With zeros for what is missing, or with lengths that fit, or with a type that Update has.
pub(super) fn repaired(payload: &[u8]) -> Option<Vec<u8>> {
    let request = RequestCode::from_code(*payload.first()?)?;
    let right = |payload: &Vec<u8>| is_right(request, &payload[2..]);
    let mut typed = payload.to_vec();
    if let (RequestCode::Update, Some(code @ (0 | 3..))) = (request, typed.get_mut(2)) {
        *code = 2;
    }
    if right(&typed) {
        return Some(typed);
    }
    let filled = (0..256).map(|zeros| [payload, &vec![0; zeros]].concat());
    if let Some(filled) = filled.into_iter().find(right) {
        return Some(filled);
    }
    for at in 2..payload.len().saturating_sub(7) {
        let left = payload.len() - at - 8;
        for length in (0..=left).rev() {
            let mut fitted = payload.to_vec();
            fitted[at..at + 8].copy_from_slice(&(length as u64).to_le_bytes());
            if right(&fitted) {
                return Some(fitted);
            }
        }
    }
    None
}

pub(super) fn carry_out_malformed(phase: Phase, bytes: Vec<u8>) -> Vec<Vec<u8>> {
    beside(phase, bytes, |payload| match fault(payload)? {
        Fault::Wrong => repaired(payload),
        Fault::Surplus(_) => None,
    })
}

pub(super) fn store_surplus(phase: Phase, bytes: Vec<u8>) -> Vec<Vec<u8>> {
    beside(phase, bytes, |payload| match fault(payload)? {
        Fault::Surplus(end) => {
            let channel = channel(payload)?;
            let key = Key(0);
            let record = RecordName { channel, key };
            let value = payload[end..].to_vec().into();
            Some(put::Open { record, value }.encode())
        }
        Fault::Wrong => None,
    })
}

/// Puts a request under another id in front of one that came by itself.
fn beside(
    phase: Phase,
    bytes: Vec<u8>,
    other: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let payload = bytes.get(HEADER_LEN + ID_LEN..).unwrap_or_default();
    match (phase, other(payload), RequestId::new(u64::MAX)) {
        (Phase::Open, Some(other), Some(id)) => {
            let mut message = Vec::new();
            write_request(&mut message, id, &other);
            vec![message, bytes]
        }
        _ => vec![bytes],
    }
}

/// The channel of a first message.
fn channel(payload: &[u8]) -> Option<ChannelName> {
    let at = channel_at(RequestCode::from_code(*payload.first()?)?)?;
    let length = payload.get(at..)?.first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let name = payload.get(at + 8..)?.get(..length)?;
    Some(ChannelName::copy_from(name))
}

fn channel_at(request: RequestCode) -> Option<usize> {
    match request {
        RequestCode::GetHashRange | RequestCode::GetChannels => None,
        RequestCode::Mirror | RequestCode::GetAll | RequestCode::Update => Some(3),
        _ => Some(2),
    }
}

/// The record that the first message of a request is for.
pub(super) fn of_record(message: &Message<'_>) -> Option<RecordName> {
    let request = message.request?;
    if !message.is_first() || !is_right(request, message.fields()) {
        return None;
    }
    match request {
        RequestCode::Put
        | RequestCode::Get
        | RequestCode::Exists
        | RequestCode::Remove
        | RequestCode::Update => {
            let channel = channel(message.payload)?;
            let at = key_at(request, &channel)?;
            let key = message.payload.get(at..)?.first_chunk::<8>()?;
            let key = Key(u64::from_le_bytes(*key));
            Some(RecordName { channel, key })
        }
        _ => None,
    }
}

fn key_at(request: RequestCode, channel: &ChannelName) -> Option<usize> {
    Some(channel_at(request)? + 8 + channel.as_bytes().len())
}

/// The first message with another key.
pub(super) fn with_key(payload: &[u8], channel: &ChannelName, key: Key) -> Vec<u8> {
    let mut payload = payload.to_vec();
    let request = payload.first().copied().and_then(RequestCode::from_code);
    if let Some(at) = request.and_then(|request| key_at(request, channel)) {
        payload[at..at + 8].copy_from_slice(&key.0.to_le_bytes());
    }
    payload
}

/// Adds a request for the even key below the odd one that a request is for.
pub(super) fn behind_odd_key(
    message: &Message<'_>,
    other: impl FnOnce(RecordName) -> Vec<u8>,
) -> Fate {
    match of_record(message) {
        Some(RecordName { channel, key }) if key.0 % 2 == 1 => {
            let key = Key(key.0 - 1);
            Fate::followed(message, other(RecordName { channel, key }))
        }
        _ => Fate::Pass,
    }
}

/// With 1 for the bools that are neither 0 nor 1.
pub(super) fn with_right_bools(payload: &[u8]) -> Option<Vec<u8>> {
    // Whether to start suspended is in front of the channel.
    let mut places = vec![2];
    if let Some(channel) = channel(payload) {
        let behind = places[0] + 1 + 8 + channel.as_bytes().len();
        match RequestCode::from_code(*payload.first()?)? {
            RequestCode::Mirror => places.push(behind),
            // Whether to continue, from which key, and whether to send keys only.
            RequestCode::GetAll => places.extend([behind, behind + 1 + 8]),
            _ => return None,
        }
    }
    let mut payload = payload.to_vec();
    for place in places {
        if let Some(bool @ 2..) = payload.get_mut(place) {
            *bool = 1;
        }
    }
    Some(payload)
}
