//! The node's half of an Update.

use bytes::Bytes;

use super::{CODE, FromClient, FromNode, Open, Replacement};
use crate::key::fnv1a;
use crate::neo::request::{Host, NodeHalf, Opening, Progress, RecordName};
use crate::neo::violation::Violation;

/// The node's half. It holds no lock between the two steps; the second one compares the hash and
/// writes at once.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// The record's value is to be sent.
    SendingValue(RecordName, Bytes),
    /// The client's decision is awaited.
    Deciding(RecordName),
    /// The last answer is to be sent.
    Answering(FromNode),
    /// Everything was said.
    Ended,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        Ok(
            match Open::decode(opening.fields).map_err(CODE.malformed_first())? {
                Open::GetRecord(record) if !host.range().covers(record.key) => {
                    Self::Answering(FromNode::WrongNode)
                }
                Open::GetRecord(record) => {
                    match host
                        .open_channel(&record.channel)
                        .and_then(|id| host.get(id, record.key))
                    {
                        Ok(Some(value)) => Self::SendingValue(record, value),
                        Ok(None) => Self::Answering(FromNode::NoRecord),
                        Err(_) => Self::Answering(FromNode::Error),
                    }
                }
                Open::UpdateRecord(record, replacement) => {
                    Self::Answering(compare_and_write(&record, &replacement, host))
                }
            },
        )
    }

    fn receive<H: Host>(&mut self, payload: &[u8], host: &mut H) -> Result<(), Violation> {
        let Self::Deciding(record) = &*self else {
            return Err(CODE.unexpected_second());
        };
        *self = Self::Answering(
            match FromClient::decode(payload).map_err(CODE.malformed("second"))? {
                FromClient::UpdateRecord(replacement) => {
                    compare_and_write(record, &replacement, host)
                }
                FromClient::RemoveRecord => {
                    let removed = host
                        .open_channel(&record.channel)
                        .and_then(|id| host.remove(id, record.key));
                    removed.map_or(FromNode::Error, |_| FromNode::Ok)
                }
                FromClient::LeaveRecord => FromNode::Ok,
            },
        );
        Ok(())
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        match std::mem::replace(self, Self::Ended) {
            Self::SendingValue(record, value) => {
                FromNode::RecordValue(value).encode(out);
                *self = Self::Deciding(record);
                Progress::Sent
            }
            Self::Answering(answer) => {
                answer.encode(out);
                Progress::Sent
            }
            deciding @ Self::Deciding(_) => {
                *self = deciding;
                Progress::Idle
            }
            Self::Ended => Progress::Ended,
        }
    }

    fn is_over(&self) -> bool {
        *self == Self::Ended
    }
}

/// Writes the new value unless the record has another value than the one that was read. A record that
/// is gone is written as well (F17). The range is looked at again: the node may have lost the key since
/// the record was read (P79, F16).
fn compare_and_write<H: Host>(
    record: &RecordName,
    replacement: &Replacement,
    host: &mut H,
) -> FromNode {
    if !host.is_writable(record.key) {
        return FromNode::WrongNode;
    }
    let written = host.open_channel(&record.channel).and_then(|channel| {
        match host.get(channel, record.key)? {
            Some(value) if fnv1a(&value) != replacement.original_hash => {
                Ok(FromNode::UpdateConflict)
            }
            _ => host
                .put(channel, record.key, &replacement.new_value)
                .map(|()| FromNode::Ok),
        }
    });
    written.unwrap_or(FromNode::Error)
}
