//! The bytes that a history names: channels, keys and values.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// As many bytes are shown to a person.
const SHOWN: usize = 40;

/// Any bytes. In JSON a string where they are UTF-8, and `{"hex":"00ff"}` where they are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(pub Bytes);

impl Octets {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Octets {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Octets {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// Escaped and in quotes, with the number of bytes if not all are shown.
impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match str::from_utf8(&self.0) {
            Ok(text) if self.0.len() <= SHOWN => write!(f, "{text:?}"),
            _ => {
                let shown = &self.0[..self.0.len().min(SHOWN)];
                write!(f, "\"{}\"", shown.escape_ascii())?;
                match self.0.len() > SHOWN {
                    true => write!(f, "... ({} bytes)", self.0.len()),
                    false => Ok(()),
                }
            }
        }
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let hex = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                Hex { hex }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_any(Form)?;
        Ok(Self(match bytes {
            Cow::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Cow::Owned(bytes) => bytes.into(),
        }))
    }
}

/// Reads either form, and copies nothing that it need not.
pub(crate) struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or {\"hex\":\"...\"} for bytes that are not UTF-8")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text.as_bytes()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Hex { hex } = Hex::deserialize(MapAccessDeserializer::new(map))?;
        let bytes = unhex(&hex).map(Cow::Owned);
        bytes.ok_or_else(|| A::Error::custom("\"hex\" needs an even number of hexadecimal digits"))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hex {
    hex: String,
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_other_bytes_become_hexadecimal() {
        for (octets, json) in [
            (Octets::from("a\"b"), r#""a\"b""#),
            (Octets::from(vec![0x00, 0xff]), r#"{"hex":"00ff"}"#),
        ] {
            assert_eq!(serde_json::to_string(&octets).expect("writes"), json);
            let read: Octets = serde_json::from_str(json).expect("reads");
            assert_eq!(read, octets);
        }
    }

    #[test]
    fn hexadecimal_text_is_the_same_bytes() {
        let read: Octets = serde_json::from_str(r#"{"hex":"6A"}"#).expect("reads");
        assert_eq!(read, Octets::from("j"));
    }

    #[test]
    fn other_forms_are_refused() {
        for json in [
            "7",
            "null",
            r#"{"hex":"123"}"#,
            r#"{"hex":"1g"}"#,
            r#"{"hex":"+1"}"#,
        ] {
            assert!(serde_json::from_str::<Octets>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn long_values_are_cut() {
        let long = Octets::from("x".repeat(100));
        assert_eq!(
            long.to_string(),
            format!("\"{}\"... (100 bytes)", "x".repeat(40))
        );
    }
}
