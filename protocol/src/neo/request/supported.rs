//! The node's first word on every request: whether it knows it (`neo-transport.md` 8.3).

use std::fmt;

use crate::codec::{DecodeError, Reader, Reason};

/// Does the node know a request?
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum SupportedStatus {
    /// It does, and begins to handle it. Its fields have not been looked at yet.
    Supported = 0xfd,
    /// It knows the request, but not this version of it.
    VersionNotSupported = 0xfe,
    /// It does not know the request.
    NotSupported = 0xff,
}

impl SupportedStatus {
    /// The message's only byte.
    pub fn encode(self) -> [u8; 1] {
        [self as u8]
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let status = match reader.u8("supported status")? {
            0xfd => Self::Supported,
            0xfe => Self::VersionNotSupported,
            0xff => Self::NotSupported,
            value => {
                return Err(DecodeError {
                    field: "supported status",
                    offset: 0,
                    reason: Reason::Value { value },
                });
            }
        };
        reader.finish()?;
        Ok(status)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::VersionNotSupported => "version not supported",
            Self::NotSupported => "not supported",
        }
    }
}

impl fmt::Display for SupportedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supported => f.write_str(self.name()),
            Self::VersionNotSupported | Self::NotSupported => write!(f, "request {}", self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_and_no_others_are_a_status() {
        for byte in 0..=255 {
            match SupportedStatus::decode(&[byte]) {
                Ok(status) => assert_eq!(status.encode(), [byte]),
                Err(error) => {
                    assert!(byte < 0xfd);
                    assert_eq!(error.reason, Reason::Value { value: byte });
                }
            }
        }
        assert!(SupportedStatus::decode(&[]).is_err());
        assert!(SupportedStatus::decode(&[0xfd, 0]).is_err());
    }
}
