//! What a node answers: a status, and behind Ok what was asked for (`legacy.md` 3.2, 7).

use super::VERSION;
use crate::codec::Put;
use crate::key::HashRange;

/// How an order went.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(i32)]
pub enum Status {
    /// Done.
    Ok = 200,
    /// The node is not responsible for the key.
    WrongNode = 404,
    /// The name of the channel is not a legal one.
    BadChannelName = 409,
    /// The node could not do it.
    Error = 500,
}

/// A whole answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Answer {
    /// A status alone.
    Status(Status),
    /// Ok and the version of the protocol.
    Version,
    /// Ok and the node's hash range.
    Range(HashRange),
}

impl Answer {
    /// Appends the answer.
    pub fn encode(self, out: &mut Vec<u8>) {
        let status = match self {
            Self::Status(status) => status,
            Self::Version | Self::Range(_) => Status::Ok,
        };
        out.extend_from_slice(&(status as i32).to_le_bytes());
        match self {
            Self::Status(_) => {}
            Self::Version => out.put_array(VERSION.as_bytes()),
            Self::Range(range) => {
                out.put_u64(range.min());
                out.put_u64(range.max());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(answer: Answer) -> Vec<u8> {
        let mut out = Vec::new();
        answer.encode(&mut out);
        out
    }

    #[test]
    fn the_recorded_bytes() {
        let mut version = vec![0xc8, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0];
        version.extend_from_slice(b"20110401");
        assert_eq!(encoded(Answer::Version), version);
        let mut range = vec![0xc8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        range.extend_from_slice(&[0xff; 8]);
        assert_eq!(encoded(Answer::Range(HashRange::FULL)), range);
        assert_eq!(encoded(Answer::Status(Status::WrongNode)), [0x94, 1, 0, 0]);
        assert_eq!(
            encoded(Answer::Status(Status::BadChannelName)),
            [0x99, 1, 0, 0]
        );
    }
}
