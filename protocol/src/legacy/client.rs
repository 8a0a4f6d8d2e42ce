//! The client's half of every command: what is sent is an [`Order`](super::Order), what comes back is taken
//! apart here (`legacy.md` 7, 8.4).

use bytes::{Buf, Bytes, BytesMut};

use super::Violation;
use super::answer::Answer;
use super::batch;
use super::command::{Command, Status};
use super::fields::{Fields, Stop, complete};
use super::key::KeyText;
use crate::channel::ChannelName;
use crate::key::Key;

/// What a node has said.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Event {
    /// A whole answer; the request is over.
    Answered(Answer),
    /// Ok, and pieces follow.
    Started,
    /// The name of a channel.
    Channel(ChannelName),
    /// Records of the channel.
    Records(Vec<(Key, Bytes)>),
    /// Keys of records of the channel.
    Keys(Vec<Key>),
    /// A record was written to the channel that the request listens to. The value is empty if the record
    /// was removed meanwhile. The key is any bytes, as a fakedht sends them.
    Written(KeyText, Bytes),
    /// All pieces have come; the request is over. For Listen: the channel was removed.
    Ended,
}

/// The client's half of a request. It does not know the order's arguments: no answer depends on them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ClientRequest {
    command: Command,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum State {
    /// The status has not come.
    Waiting,
    /// Ok has come, the body has not.
    Answered,
    /// Pieces come.
    Pieces,
    Over,
}

impl ClientRequest {
    /// A request whose order is being sent.
    pub fn new(command: Command) -> Self {
        Self {
            command,
            state: State::Waiting,
        }
    }

    /// Which command it is.
    pub fn command(&self) -> Command {
        self.command
    }

    /// Has everything been said?
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Takes the next piece of the answer off the front of what has come; `None` if it is not complete,
    /// or if the request is over. After an error the connection is to be closed.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Violation> {
        loop {
            let mut fields = Fields::new(input);
            let Some(step) = complete(self.step(&mut fields))? else {
                return Ok(None);
            };
            let taken = fields.offset();
            input.advance(taken);
            self.state = step.state;
            if step.event.is_some() {
                return Ok(step.event);
            }
        }
    }

    fn step(&self, fields: &mut Fields<'_>) -> Result<Step, Stop> {
        match self.state {
            State::Waiting => self.status(fields),
            State::Answered => match Answer::body(self.command, fields) {
                Some(answer) => Ok(Step::over(Event::Answered(answer?))),
                None => Ok(Step::to(State::Pieces, Event::Started)),
            },
            State::Pieces => self.piece(fields),
            State::Over => Err(Stop::Incomplete),
        }
    }

    fn status(&self, fields: &mut Fields<'_>) -> Result<Step, Stop> {
        let code = fields.code("status")?;
        match Status::from_code(code) {
            None => Err(Violation::UnknownStatus { code }.into()),
            Some(Status::Ok) => Ok(Step {
                state: State::Answered,
                event: None,
            }),
            Some(status) => Ok(Step::over(Event::Answered(Answer::Status(status)))),
        }
    }

    fn piece(&self, fields: &mut Fields<'_>) -> Result<Step, Stop> {
        if self.command == Command::Listen {
            let key = fields.array("key")?;
            let value = fields.array("value")?;
            return match (key, value) {
                (b"", b"") => Ok(Step::over(Event::Ended)),
                _ => {
                    let value = Bytes::copy_from_slice(value);
                    Ok(Step::piece(Event::Written(KeyText::copy_from(key), value)))
                }
            };
        }
        let piece = fields.array("piece")?;
        if piece.is_empty() {
            return Ok(Step::over(Event::Ended));
        }
        let malformed = |error| Violation::Batch { error };
        Ok(Step::piece(match self.command {
            Command::GetChannels => Event::Channel(ChannelName::copy_from(piece)),
            Command::GetAllKeys => Event::Keys(batch::decode_keys(piece).map_err(malformed)?),
            _ => Event::Records(batch::decode_records(piece).map_err(malformed)?),
        }))
    }
}

/// What reading a piece leads to.
struct Step {
    state: State,
    event: Option<Event>,
}

impl Step {
    fn to(state: State, event: Event) -> Self {
        Self {
            state,
            event: Some(event),
        }
    }

    fn piece(event: Event) -> Self {
        Self::to(State::Pieces, event)
    }

    fn over(event: Event) -> Self {
        Self::to(State::Over, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// All events of an answer that comes byte by byte, and what is left of it.
    fn events(command: Command, bytes: &[u8]) -> (Vec<Event>, Result<BytesMut, Violation>) {
        let mut request = ClientRequest::new(command);
        let (mut input, mut events) = (BytesMut::new(), Vec::new());
        for byte in bytes {
            input.extend_from_slice(&[*byte]);
            loop {
                match request.receive(&mut input) {
                    Ok(Some(event)) => events.push(event),
                    Ok(None) => break,
                    Err(violation) => return (events, Err(violation)),
                }
            }
        }
        (events, Ok(input))
    }

    #[test]
    fn answers_come_in_any_pieces() {
        let record = |number: u64| (Key(number), Bytes::from(format!("record {number}")));
        for (command, bytes, expected) in [
            (
                Command::Get,
                "c8000000 0300000000000000 666f6f",
                vec![Event::Answered(Answer::Value(Bytes::from("foo")))],
            ),
            (
                Command::Get,
                "99010000",
                vec![Event::Answered(Answer::Status(Status::BadChannelName))],
            ),
            (
                Command::Put,
                "c8000000",
                vec![Event::Answered(Answer::Status(Status::Ok))],
            ),
            (
                Command::GetChannels,
                "c8000000 0c00000000000000 746573745f6368616e6e656c 0000000000000000",
                vec![
                    Event::Started,
                    Event::Channel(ChannelName::from("test_channel")),
                    Event::Ended,
                ],
            ),
            (
                Command::GetAllKeys,
                "c8000000 2c00000000000000 4800000000000000
                 06 10 00 00 00 00 00 00 00 30 2d 00 00 35 5d 00
                 31 2a 5c 00 09 30 30 30 30 30 30 30 30 30 30 30 32 11 00 00
                 0000000000000000",
                vec![
                    Event::Started,
                    Event::Keys(vec![Key(0), Key(1), Key(2)]),
                    Event::Ended,
                ],
            ),
            (
                Command::GetAllFilter,
                "c8000000 2d00000000000000 2800000000000000
                 06 10 00 00 00 00 00 00 00 30 2a 00 00 00 01 30 30 32 08 00 00 00 00 00 00 00
                 72 65 63 6f 72 64 20 32 11 00 00 0000000000000000",
                vec![
                    Event::Started,
                    Event::Records(vec![record(2)]),
                    Event::Ended,
                ],
            ),
            (
                Command::Listen,
                "c8000000 1000000000000000 30303030303030303030303030616263
                 0500000000000000 6865617264 0000000000000000 0000000000000000",
                vec![
                    Event::Started,
                    Event::Written(KeyText::from(Key(0xabc)), Bytes::from("heard")),
                    Event::Ended,
                ],
            ),
        ] {
            let mut bytes = hex(bytes);
            bytes.extend_from_slice(b"next");
            let expected = (expected, Ok(BytesMut::from(&b"next"[..])));
            assert_eq!(events(command, &bytes), expected, "{command}");
        }
    }

    #[test]
    fn what_no_node_says_is_refused() {
        for (command, bytes, violation) in [
            (
                Command::Put,
                "e7030000",
                Violation::UnknownStatus { code: 999 },
            ),
            (
                Command::Exists,
                "c8000000 02",
                Violation::Boolean { value: 2 },
            ),
            (
                Command::GetResponsibleRange,
                "c8000000 0200000000000000 0100000000000000",
                Violation::Range { min: 2, max: 1 },
            ),
            (
                Command::Get,
                "c8000000 0000000000000080",
                Violation::TooLong {
                    field: "value",
                    claimed: 1 << 63,
                },
            ),
        ] {
            assert_eq!(events(command, &hex(bytes)), (vec![], Err(violation)));
        }
        let (said, refused) = events(Command::GetAll, &hex("c8000000 0100000000000000 00"));
        assert_eq!(said, [Event::Started]);
        assert!(matches!(refused, Err(Violation::Batch { .. })));
    }
    #[test]
    fn a_request_is_over_with_its_last_piece() {
        let status = "c8000000";
        let (bare, nothing) = ("0000000000000000", "0000000000000000 0000000000000000");
        for (command, pieces) in [
            (Command::Put, &[status][..]),
            (Command::Get, &[status, bare]),
            (Command::GetAll, &[status, bare]),
            (Command::Listen, &[status, nothing]),
            (Command::Exists, &["99010000"]),
        ] {
            let mut request = ClientRequest::new(command);
            assert_eq!(request.command(), command);
            let mut input = BytesMut::new();
            for piece in pieces {
                assert!(!request.is_over(), "{command}");
                input.extend_from_slice(&hex(piece));
                while request.receive(&mut input).unwrap().is_some() {}
            }
            assert!(request.is_over(), "{command}");
        }
    }
}
