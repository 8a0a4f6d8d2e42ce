//! Defects of a Mirror's node.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::Limits;
use dht_protocol::neo::batch;
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::mirror::{Change, FromNode, Node};

use crate::defect::{Defect, Defects};
use crate::world::state::Lame;

/// What becomes of a message that a Mirror sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::world) enum Twist {
    /// It is sent.
    None,
    /// It is not sent.
    Unsaid,
    /// It is sent after the next one.
    Late,
    /// It is sent, and this behind it.
    And(Bytes),
}

/// F05, M60, M61, M62.
pub(in crate::world) fn twist(defects: Defects, half: &NodeRequest, message: &[u8]) -> Twist {
    let NodeRequest::Mirror(mirror) = half else {
        return Twist::None;
    };
    if !defects.any() {
        return Twist::None;
    }
    match FromNode::decode(message) {
        // The batch was sent because of the update that is next.
        Ok(FromNode::RecordRefreshBatch(block))
            if defects.has(Defect::F05)
                && mirror.next_update().is_some_and(|next| is_in(next, &block)) =>
        {
            Twist::Late
        }
        Ok(FromNode::UpdateOverflow) if defects.has(Defect::M60) => Twist::Unsaid,
        Ok(FromNode::RecordDeleted(_)) if defects.has(Defect::M61) => {
            let mut overflow = Vec::new();
            FromNode::UpdateOverflow.encode(&mut overflow);
            Twist::And(overflow.into())
        }
        Ok(FromNode::RecordDeleted(key))
            if defects.has(Defect::M62) && mirror.next_update() == Some(Change::Changed(key)) =>
        {
            Twist::Late
        }
        _ => Twist::None,
    }
}

/// F02: only one of updates and dump can wait for Resume. The other one takes no further part.
pub(in crate::world) fn is_lame(
    defects: Defects,
    mirror: &Node,
    lame: &mut Lame,
    what: Lame,
) -> bool {
    let second = match what {
        Lame::Dump => mirror.next_update().is_some() && !mirror.is_refreshing(),
        Lame::Updates => mirror.is_refreshing() && mirror.next_update().is_none(),
        Lame::Not => false,
    };
    if defects.has(Defect::F02) && *lame == Lame::Not && mirror.is_suspended() && second {
        *lame = what;
    }
    *lame != Lame::Not && *lame == what
}

/// F03: only a Mirror that waits for something to happen hears that its channel is removed.
pub(in crate::world) fn misses_removal(defects: Defects, mirror: &Node) -> bool {
    defects.has(Defect::F03) && mirror.has_work()
}

/// M63.
pub(in crate::world) fn limits(defects: Defects, limits: &Limits) -> Limits {
    Limits {
        mirror_queue: match defects.has(Defect::M63) {
            true => usize::MAX,
            false => limits.mirror_queue,
        },
        ..*limits
    }
}

fn is_in(change: Change, block: &Bytes) -> bool {
    let (Change::Changed(changed) | Change::Deleted(changed)) = change;
    let records = batch::decode_refresh(block).unwrap_or_default();
    records
        .iter()
        .any(|(key, _): &(Key, Bytes)| *key == changed)
}
