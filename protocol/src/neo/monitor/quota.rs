//! What a node may still send for a request that it has suspended (P31): what it had under way. The client's
//! halves take anything, since a client is not harmed by more; this is the one rule that is not theirs.

use super::breach::Wrong;
use super::name;
use crate::neo::request::{RequestCode, get_all, mirror};

/// How many batches of GetAll may come.
const BATCHES: u32 = 2;
/// How many updates, refresh batches and overflows of Mirror may come, of each.
const OF_A_KIND: u32 = 1;

/// Counts from the Ack of Suspend to the Ack of Resume.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quota {
    batches: u32,
    changes: u32,
    overflows: u32,
}

impl Quota {
    /// A message has come that the half has accepted.
    pub(super) fn count(&mut self, request: RequestCode, payload: &[u8]) -> Result<(), Wrong> {
        let (count, limit) = match request {
            RequestCode::GetAll => match get_all::FromNode::decode(payload) {
                Ok(get_all::FromNode::RecordBatch(_)) => (&mut self.batches, BATCHES),
                _ => return Ok(()),
            },
            RequestCode::Mirror => match mirror::FromNode::decode(payload) {
                Ok(mirror::FromNode::RecordChanged(..) | mirror::FromNode::RecordDeleted(_)) => {
                    (&mut self.changes, OF_A_KIND)
                }
                Ok(mirror::FromNode::RecordRefreshBatch(_)) => (&mut self.batches, OF_A_KIND),
                Ok(mirror::FromNode::UpdateOverflow) => (&mut self.overflows, OF_A_KIND),
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        *count += 1;
        match *count > limit {
            true => Err(Wrong::Suspended {
                message: name::of_node(request, payload),
                limit,
            }),
            false => Ok(()),
        }
    }
}
