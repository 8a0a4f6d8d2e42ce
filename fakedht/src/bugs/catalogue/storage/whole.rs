//! Bugs of requests for records that do something else, whatever the value is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::request::{
    ChannelId, Host, HostError, RecordName, RequestCode, put, update,
};
use dht_protocol::{ChannelName, Key};

use crate::bugs::seam::{Call, Fate, HostBug, Message, MessageBug};
use crate::bugs::wire::{Frame, InputBug, Phase, RawHeader, Reading};

/// See `put-stacks-values`.
#[derive(Default)]
pub(super) struct Stacked {
    before: BTreeMap<(ChannelId, Key), Bytes>,
}

impl HostBug for Stacked {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        if let Some(before) = host.get(channel, key)? {
            self.before.insert((channel, key), before);
        }
        host.put(channel, key, value)
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let removed = host.remove(channel, key)?;
        if let Some(before) = self.before.remove(&(channel, key)) {
            host.put(channel, key, &before)?;
        }
        Ok(removed)
    }
}

/// See `get-only-once`.
#[derive(Default)]
pub(super) struct OnlyOnce(RefCell<BTreeSet<(ChannelId, Key)>>);

impl HostBug for OnlyOnce {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        match call.is(RequestCode::Get) && !self.0.borrow_mut().insert((channel, key)) {
            true => Ok(None),
            false => host.get(channel, key),
        }
    }
}

/// See `remove-takes-next`.
pub(super) struct TakesNext;

impl HostBug for TakesNext {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let removed = host.remove(channel, key)?;
        let next = host.record_after(channel, Some(key));
        if let (true, Some((next, _))) = (call.is(RequestCode::Remove), next) {
            host.remove(channel, next)?;
        }
        Ok(removed)
    }
}

/// GetChannels lists only channels that have records, or only those that have none.
pub(super) struct Lists {
    pub(super) filled: bool,
}

impl HostBug for Lists {
    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        let mut name = host.channel_after(after)?;
        loop {
            let channel = host.find_channel(&name)?;
            if host.record_after(channel, None).is_some() == self.filled {
                return Some(name);
            }
            name = host.channel_after(Some(&name))?;
        }
    }
}

/// See `keys-without-low-byte`.
pub(super) struct NoLowByte;

fn high(key: Key) -> Key {
    Key(key.0 & !0xff)
}

impl HostBug for NoLowByte {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        host.put(channel, high(key), value)
    }

    fn get(
        &self,
        host: &dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        host.get(channel, high(key))
    }
}

/// See `empty-value-no-get`.
pub(super) struct NoEmptyGet;

impl HostBug for NoEmptyGet {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        Ok(value.filter(|value| !call.is(RequestCode::Get) || !value.is_empty()))
    }
}

/// What happens to requests for records with an empty value, which Puts have stored.
pub(super) struct EmptyValues {
    fate: Fate,
    records: Vec<RecordName>,
}

impl EmptyValues {
    pub(super) fn new(fate: Fate) -> Self {
        let records = Vec::new();
        Self { fate, records }
    }

    fn holds(&self, record: &RecordName) -> Fate {
        match self.records.contains(record) {
            true => self.fate.clone(),
            false => Fate::Pass,
        }
    }
}

impl MessageBug for EmptyValues {
    fn meet(&mut self, message: &Message<'_>) -> Fate {
        let Some((_, fields)) = message.payload.split_at_checked(2) else {
            return Fate::Pass;
        };
        match message.request {
            _ if message.number > 0 => Fate::Pass,
            Some(RequestCode::Put) => {
                if let Ok(open) = put::Open::decode(fields)
                    && open.value.is_empty()
                {
                    self.records.push(open.record);
                }
                Fate::Pass
            }
            Some(RequestCode::Update) => match update::Open::decode(fields) {
                Ok(update::Open::GetRecord(record)) => self.holds(&record),
                _ => Fate::Pass,
            },
            Some(RequestCode::Get | RequestCode::Exists | RequestCode::Remove) => {
                let record = RecordName::decode_fields(fields);
                record.map_or(Fate::Pass, |record| self.holds(&record))
            }
            _ => Fate::Pass,
        }
    }
}

/// A message with more bytes than this is cut in two.
const LONG: u64 = 512 << 10;

/// See `put-begun-is-stored`.
#[derive(Default)]
pub(super) struct BegunIsStored {
    cut: bool,
}

impl InputBug for BegunIsStored {
    fn header(&mut self, phase: Phase, header: &mut RawHeader) -> Reading {
        self.cut = phase == Phase::Open && header.body_len > LONG;
        if self.cut {
            header.body_len /= 2;
            header.parity = header.right_parity();
        }
        Reading::Take
    }

    fn body(&mut self, _: &Frame, body: &mut Vec<u8>) -> Reading {
        if self.cut {
            correct_length(body);
        }
        Reading::Take
    }
}

/// Makes the value of a Put as long as what there is of it.
fn correct_length(body: &mut [u8]) -> Option<()> {
    // Request id, code and version are in front of the name, the key behind it.
    let (_, fields) = body.split_at_mut_checked(ID_LEN + 2)?;
    let (name, rest) = fields.split_first_chunk_mut()?;
    let name = usize::try_from(u64::from_le_bytes(*name)).ok()?;
    let (_, rest) = rest.split_at_mut_checked(name.checked_add(8)?)?;
    let (length, value) = rest.split_first_chunk_mut()?;
    *length = (value.len() as u64).to_le_bytes();
    Some(())
}
