//! Reading an order off the front of what has come.

use bytes::Bytes;

use super::{Incoming, Order, Redistribute};
use crate::channel::ChannelName;
use crate::legacy::Violation;
use crate::legacy::command::Command;
use crate::legacy::fields::{Fields, Stop};
use crate::legacy::key::KeyText;

/// Any order.
pub(super) fn incoming(fields: &mut Fields<'_>, max_value: u64) -> Result<Incoming, Stop> {
    let code = fields.code("command")?;
    let command = Command::from_code(code).ok_or(Violation::UnknownCommand { code })?;
    let order = match command {
        Command::Put => return put(fields, max_value),
        Command::Get => Order::Get {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::Exists => Order::Exists {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::Remove => Order::Remove {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::GetChannels => Order::GetChannels,
        Command::GetChannelSize => Order::GetChannelSize {
            channel: channel(fields)?,
        },
        Command::GetSize => Order::GetSize,
        Command::GetResponsibleRange => Order::GetResponsibleRange,
        Command::RemoveChannel => Order::RemoveChannel {
            channel: channel(fields)?,
        },
        Command::GetNumConnections => Order::GetNumConnections,
        Command::GetVersion => Order::GetVersion,
        Command::Listen => Order::Listen {
            channel: channel(fields)?,
        },
        Command::GetAll => Order::GetAll {
            channel: channel(fields)?,
        },
        Command::GetAllKeys => Order::GetAllKeys {
            channel: channel(fields)?,
        },
        Command::GetAllFilter => Order::GetAllFilter {
            channel: channel(fields)?,
            filter: Bytes::copy_from_slice(fields.array("filter")?),
        },
        Command::Redistribute => Order::Redistribute(Redistribute::decode(fields)?),
        Command::PutBatch => Order::PutBatch {
            channel: channel(fields)?,
            batch: Bytes::copy_from_slice(fields.array("batch")?),
        },
    };
    Ok(Incoming::Order(order))
}

/// A Put. A value that is too large is announced, for the node answers it with a status (`legacy.md` 7.2).
fn put(fields: &mut Fields<'_>, max_value: u64) -> Result<Incoming, Stop> {
    let channel = fields.array("channel")?;
    let key = fields.array("key")?;
    let length = fields.clone().u64("value")?;
    if length > max_value {
        fields.u64("value")?;
        return Ok(Incoming::TooBig {
            channel: ChannelName::copy_from(channel),
            key: KeyText::copy_from(key),
            length,
        });
    }
    // Nothing is copied before the value is there.
    let value = fields.array("value")?;
    Ok(Incoming::Order(Order::Put {
        channel: ChannelName::copy_from(channel),
        key: KeyText::copy_from(key),
        value: Bytes::copy_from_slice(value),
    }))
}

fn channel(fields: &mut Fields<'_>) -> Result<ChannelName, Stop> {
    Ok(ChannelName::copy_from(fields.array("channel")?))
}

fn key(fields: &mut Fields<'_>) -> Result<KeyText, Stop> {
    Ok(KeyText::copy_from(fields.array("key")?))
}
