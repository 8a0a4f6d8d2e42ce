//! Well-formed messages with one thing wrong, and what the decoder has to say about it.

use arbitrary::{Arbitrary, Unstructured};
use dht_protocol::DecodeError;
use dht_protocol::codec::Reason;

use crate::layout::{Field, LAYOUTS, Written};
use crate::messages::{CONTROL, MESSAGES, Message};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Damage {
    None,
    /// The end is missing.
    Truncated(u16),
    /// Bytes follow.
    Surplus(u8),
    /// An array claims more bytes than there are.
    Length {
        field: u8,
        more: u64,
    },
    /// A boolean that is none.
    Bool {
        field: u8,
        value: u8,
    },
    /// A type that the direction does not have.
    Type(u8),
    /// Bounds of a range the wrong way round.
    UpsideDown(u8),
}

/// A message with any values is damaged in one place, and the decoder's error names this place and this
/// damage; undamaged it is understood.
pub fn damage(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let _ = attempt(&mut input);
}

fn attempt(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let damage = Damage::arbitrary(input)?;
    let (name, layout) = *input.choose(LAYOUTS)?;
    examine(damage, name, layout, input).map(drop)
}

/// Does a message of this layout have a place for the damage?
fn examine(
    damage: Damage,
    name: &str,
    layout: &[Field],
    input: &mut Unstructured<'_>,
) -> arbitrary::Result<bool> {
    let message = MESSAGES.iter().find(|message| message.name == name);
    let message = message.expect("a layout of a message");
    let mut written = Written::any(layout, input)?;
    let expected = damage.inflict(name, &mut written);
    let inflicted = expected.is_some();
    if let Some(expected) = expected {
        check(message, damage, &written, expected);
    }
    Ok(inflicted)
}

/// Where the decoder has to find fault, and with what; `Ok` if with nothing.
type Expected = Result<(), (usize, Option<Reason>)>;

fn check(message: &Message, damage: Damage, written: &Written, expected: Expected) {
    let said = (message.read)(&written.payload);
    let right = match (&said, &expected) {
        (Ok(()), Ok(())) => true,
        (Err(DecodeError { offset, reason, .. }), Err((place, what))) => {
            let same = what.as_ref().is_none_or(|what| what == reason);
            offset == place && same
        }
        _ => false,
    };
    assert!(
        right,
        "{} {damage:?}: {said:?} instead of {expected:?}",
        message.name
    );
}

impl Damage {
    /// Damages the message, and says what follows. `None` if it has no place for this damage.
    fn inflict(self, name: &str, written: &mut Written) -> Option<Expected> {
        let length = written.payload.len();
        match self {
            Self::None => Some(Ok(())),
            Self::Truncated(left) => {
                let left = usize::from(left).checked_rem(length)?;
                let place = written.read_from(left);
                written.payload.truncate(left);
                // Truncated or Overlong, depending on how much of an array is there.
                Some(Err((place, None)))
            }
            Self::Surplus(0) => None,
            Self::Surplus(extra) => {
                let extra = usize::from(extra);
                written.payload.resize(length + extra, 0);
                Some(match name {
                    CONTROL => Ok(()),
                    _ => Err((length, Some(Reason::Surplus { extra }))),
                })
            }
            Self::Length { field, more } => {
                let place = written.nth(field, |field| field == Field::Array)?;
                let left = length - place - 8;
                let claimed = (left as u64 + 1).saturating_add(more);
                written.payload[place..place + 8].copy_from_slice(&claimed.to_le_bytes());
                Some(Err((place, Some(Reason::Overlong { claimed, left }))))
            }
            Self::Bool { field, value } => {
                let place = written.nth(field, |field| field == Field::Bool)?;
                let value = value.max(2);
                written.payload[place] = value;
                Some(Err((place, Some(Reason::Value { value }))))
            }
            Self::Type(value) => match written.fields.first()? {
                (_, Field::Type(_, first, last)) if !(*first..=*last).contains(&value) => {
                    written.payload[0] = value;
                    Some(Err((0, Some(Reason::Value { value }))))
                }
                _ => None,
            },
            Self::UpsideDown(field) => {
                let place = written.nth(field, |field| field == Field::Range)?;
                let (min, max) = (1 << 63 | u64::from(field), u64::from(field));
                written.payload[place..place + 8].copy_from_slice(&min.to_le_bytes());
                written.payload[place + 8..place + 16].copy_from_slice(&max.to_le_bytes());
                Some(Err((place, Some(Reason::Range { min, max }))))
            }
        }
    }
}

impl Written {
    /// Where one of the fields of a kind stands.
    fn nth(&self, number: u8, is_meant: impl Fn(Field) -> bool) -> Option<usize> {
        let meant = self.fields.iter().filter(|(_, field)| is_meant(*field));
        let places: Vec<_> = meant.map(|(place, _)| *place).collect();
        let index = usize::from(number).checked_rem(places.len())?;
        Some(places[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrong::is_noticed;

    #[test]
    fn every_damage_in_every_layout() {
        let values: Vec<u8> = (0..200).collect();
        let damages = |number: u8| {
            [
                Damage::None,
                Damage::Truncated(number.into()),
                Damage::Surplus(number),
                Damage::Length {
                    field: number,
                    more: u64::MAX >> number,
                },
                Damage::Bool {
                    field: number,
                    value: number,
                },
                Damage::Type(number),
                Damage::UpsideDown(number),
            ]
        };
        let mut inflicted = [0; 7];
        for (name, layout) in LAYOUTS {
            for number in 0..64 {
                for (index, damage) in damages(number).into_iter().enumerate() {
                    let mut input = Unstructured::new(&values);
                    let done = examine(damage, name, layout, &mut input).unwrap();
                    inflicted[index] += usize::from(done);
                }
            }
        }
        assert!(inflicted.iter().all(|count| *count > 100), "{inflicted:?}");
    }

    #[test]
    fn a_decoder_that_finds_nothing_or_something_else_is_noticed() {
        let written = Written {
            payload: vec![7],
            fields: Vec::new(),
        };
        let wrong = Reason::Value { value: 7 };
        let found = |read, expected| {
            let message = Message {
                name: "double",
                read,
                again: |_| {},
            };
            !is_noticed(|| check(&message, Damage::None, &written, expected))
        };
        fn refuse(payload: &[u8]) -> Result<(), DecodeError> {
            dht_protocol::neo::request::put::Reply::decode(payload).map(drop)
        }
        assert!(found(|_| Ok(()), Ok(())));
        assert!(found(refuse, Err((0, Some(wrong.clone())))));
        assert!(!found(|_| Ok(()), Err((0, None))));
        assert!(!found(refuse, Ok(())));
        assert!(!found(refuse, Err((1, Some(wrong)))));
        assert!(!found(refuse, Err((0, Some(Reason::Value { value: 8 })))));
    }

    #[test]
    fn every_message_has_a_layout() {
        for message in MESSAGES {
            let described = LAYOUTS.iter().any(|(name, _)| *name == message.name);
            assert!(described, "{}", message.name);
        }
    }
}
