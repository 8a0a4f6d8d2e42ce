//! The arguments of Redistribute (`legacy.md` 7.16).

use bytes::Bytes;

use crate::codec::Put;
use crate::key::HashRange;
use crate::legacy::fields::{Fields, Stop};
use crate::legacy::{MAX_NODES, Violation};

/// The arguments of Redistribute.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Redistribute {
    /// The lower end of the node's new range.
    pub min: u64,
    /// The upper end, which may be below the lower one: it is for the node to refuse that with a status.
    pub max: u64,
    /// Who takes what the node is not responsible for any more.
    pub nodes: Vec<Target>,
}

/// A node that takes records in a redistribution.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Target {
    /// Its address as text; never empty.
    pub address: Bytes,
    /// Its legacy port.
    pub port: u16,
    /// What it is responsible for.
    pub range: HashRange,
}

impl Redistribute {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.min);
        out.put_u64(self.max);
        for node in &self.nodes {
            out.put_array(&node.address);
            out.extend_from_slice(&node.port.to_le_bytes());
            out.put_u64(node.range.min());
            out.put_u64(node.range.max());
        }
        out.put_array(b"");
    }

    pub(super) fn decode(fields: &mut Fields<'_>) -> Result<Self, Stop> {
        let (min, max) = fields.range_ends()?;
        let mut nodes = Vec::new();
        loop {
            let address = fields.array("address")?;
            if address.is_empty() {
                return Ok(Self { min, max, nodes });
            }
            if nodes.len() == MAX_NODES {
                return Err(Violation::TooManyNodes.into());
            }
            nodes.push(Target {
                address: Bytes::copy_from_slice(address),
                port: fields.port("port")?,
                range: fields.range()?,
            });
        }
    }
}
