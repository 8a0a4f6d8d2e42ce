//! The bytes under way in one direction, and where they may be cut.

use dht_protocol::neo::Limits;
use dht_protocol::neo::header::{HEADER_LEN, Header};

/// Bytes that were written and not yet read.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Pipe {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    ending: Ending,
}

/// A place at which it matters whether a chunk ends there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Mark {
    at: usize,
    /// The end of a message, not a place inside one.
    whole: bool,
}

/// What becomes of a direction.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Ending {
    /// It goes on.
    #[default]
    None,
    /// The writer has closed it: what is under way arrives, and then the end of the stream.
    Finished,
    /// The connection broke: any first part of what is under way arrives.
    Cut,
    /// The reader is gone: nothing arrives.
    Shut,
}

/// Which chunks the reader may get.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cuts {
    /// Any number of bytes.
    Every,
    /// One byte, everything up to the next mark, or everything. Each place is the end of a chunk.
    Byte,
    /// Everything up to the next mark (inside a header, behind it, inside a body, behind it), or everything.
    Marks,
    /// Everything up to the end of the next message, or everything.
    Messages,
}

/// Something that happens to a direction.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Change {
    /// So many bytes are read.
    Taken(usize),
    /// The writer closes it.
    Finished,
    /// It breaks.
    Cut,
    /// The reader goes.
    Shut,
}

impl Pipe {
    /// What is under way.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What becomes of it.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Is there nothing to read any more but the end of the stream?
    pub fn is_at_its_end(&self) -> bool {
        match self.ending {
            Ending::Finished => self.bytes.is_empty(),
            Ending::Cut => true,
            Ending::None | Ending::Shut => false,
        }
    }

    /// The lengths of the chunks that may be read next.
    pub fn cuts(&self, cuts: Cuts) -> Vec<usize> {
        let len = self.bytes.len();
        if len == 0 {
            return Vec::new();
        }
        let mark = |whole: bool| {
            let mut marks = self.marks.iter().filter(|mark| mark.whole || !whole);
            marks.next().map(|mark| mark.at)
        };
        let mut lengths: Vec<_> = match cuts {
            Cuts::Every => (1..=len).collect(),
            Cuts::Byte => [Some(1), mark(false), mark(true), Some(len)]
                .into_iter()
                .flatten()
                .collect(),
            Cuts::Marks => [mark(false), Some(len)].into_iter().flatten().collect(),
            Cuts::Messages => [mark(true), Some(len)].into_iter().flatten().collect(),
        };
        lengths.dedup();
        lengths
    }

    /// How many of the first `len` bytes belong to messages that are whole within them.
    pub(super) fn whole_within(&self, len: usize) -> usize {
        let whole = self
            .marks
            .iter()
            .filter(|mark| mark.whole && mark.at <= len);
        whole.map(|mark| mark.at).max().unwrap_or(0)
    }

    /// Takes what an end writes at once. Whoever writes to nobody writes nothing.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.ending != Ending::None || bytes.is_empty() {
            return;
        }
        let mut at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = message_len(rest).unwrap_or(rest.len()).min(rest.len());
            // Inside the header, behind it, and inside the body, at the last byte.
            for inside in [HEADER_LEN / 2, HEADER_LEN, len.saturating_sub(1)] {
                if (1..len).contains(&inside)
                    && self.marks.last().is_none_or(|mark| mark.at < at + inside)
                {
                    let at = at + inside;
                    self.marks.push(Mark { at, whole: false });
                }
            }
            at += len;
            self.marks.push(Mark { at, whole: true });
            rest = &rest[len..];
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Taken(len) => {
                self.bytes.drain(..len.min(self.bytes.len()));
                self.marks.retain(|mark| mark.at > len);
                for mark in &mut self.marks {
                    mark.at -= len;
                }
            }
            Change::Finished if self.ending == Ending::None => self.ending = Ending::Finished,
            Change::Cut if self.ending != Ending::Shut => self.ending = Ending::Cut,
            Change::Finished | Change::Cut => {}
            Change::Shut => {
                *self = Self {
                    ending: Ending::Shut,
                    ..Self::default()
                };
            }
        }
    }
}

/// The length of the message that begins here, if one does.
fn message_len(bytes: &[u8]) -> Option<usize> {
    let header = Header::decode(*bytes.first_chunk()?, Limits::default().message).ok()?;
    Some(HEADER_LEN + usize::try_from(header.body_len).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two messages of authentication, with bodies of 4 bytes and 1 byte.
    fn pipe() -> Pipe {
        let mut pipe = Pipe::default();
        pipe.write(&[
            2, 4, 0, 0, 0, 0, 0, 0, 0, 6, 1, 2, 3, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 3, 1,
        ]);
        pipe
    }

    #[test]
    fn chunks_end_at_marks() {
        let mut pipe = pipe();
        assert_eq!(pipe.cuts(Cuts::Marks), [5, 25]);
        assert_eq!(pipe.cuts(Cuts::Messages), [14, 25]);
        assert_eq!(pipe.cuts(Cuts::Byte), [1, 5, 14, 25]);
        assert_eq!(pipe.cuts(Cuts::Every).len(), 25);
        for next in [5, 5, 3, 1, 5, 5, 1] {
            assert_eq!(pipe.cuts(Cuts::Marks)[0], next);
            pipe.change(Change::Taken(next));
        }
        assert!(pipe.bytes().is_empty());
        assert!(pipe.cuts(Cuts::Every).is_empty());
    }

    #[test]
    fn what_is_whole() {
        let pipe = pipe();
        let whole = [13, 14, 24, 25].map(|len| pipe.whole_within(len));
        assert_eq!(whole, [0, 14, 14, 25]);
    }

    #[test]
    fn an_ended_direction_takes_nothing() {
        for change in [Change::Finished, Change::Cut, Change::Shut] {
            let mut pipe = pipe();
            pipe.change(change);
            let before = pipe.clone();
            pipe.write(&[1]);
            assert_eq!(pipe, before);
        }
    }
}
