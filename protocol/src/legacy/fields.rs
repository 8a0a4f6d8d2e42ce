//! Reading fields of a stream that has no frames: bytes may not have come yet, and a claim of a length is
//! judged before anybody waits for what it claims (`legacy.md` 2).

use super::{MAX_ARRAY, Violation};
use crate::codec::Reader;
use crate::key::HashRange;

/// Why a message cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// Its end has not come yet.
    Incomplete,
    /// It breaks a rule.
    Violation(Violation),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// A message that is complete, or not yet.
pub(super) fn complete<T>(read: Result<T, Stop>) -> Result<Option<T>, Violation> {
    match read {
        Ok(message) => Ok(Some(message)),
        Err(Stop::Incomplete) => Ok(None),
        Err(Stop::Violation(violation)) => Err(violation),
    }
}

/// Reads the fields at the start of what has come.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    reader: Reader<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
        }
    }

    /// How many bytes were read.
    pub(super) fn offset(&self) -> usize {
        self.reader.offset()
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, Stop> {
        self.reader.u8(field).map_err(|_| Stop::Incomplete)
    }

    /// A command or a status.
    pub(super) fn code(&mut self, field: &'static str) -> Result<i32, Stop> {
        let code = self.reader.u32(field).map_err(|_| Stop::Incomplete)?;
        Ok(code.cast_signed())
    }

    /// A port, which is little-endian here.
    pub(super) fn port(&mut self, field: &'static str) -> Result<u16, Stop> {
        let bytes = self.reader.fixed(field).map_err(|_| Stop::Incomplete)?;
        Ok(u16::from_le_bytes(bytes))
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, Stop> {
        self.reader.u64(field).map_err(|_| Stop::Incomplete)
    }

    /// The two ends of a range, which may stand in the wrong order.
    pub(super) fn range_ends(&mut self) -> Result<(u64, u64), Stop> {
        Ok((self.u64("min")?, self.u64("max")?))
    }

    /// A range.
    pub(super) fn range(&mut self) -> Result<HashRange, Stop> {
        let (min, max) = self.range_ends()?;
        Ok(HashRange::new(min, max).ok_or(Violation::Range { min, max })?)
    }

    /// An array. A length that nobody reads is refused before the bytes are waited for.
    pub(super) fn array(&mut self, field: &'static str) -> Result<&'a [u8], Stop> {
        let claimed = self.reader.clone().u64(field);
        let claimed = claimed.map_err(|_| Stop::Incomplete)?;
        if claimed > MAX_ARRAY {
            return Err(Violation::TooLong { field, claimed }.into());
        }
        self.reader.array(field).map_err(|_| Stop::Incomplete)
    }
}
