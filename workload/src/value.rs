//! Values of a case: short to read, as long as they have to be.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// A value that is put: a text that no other value of the case has, made longer if its size matters.
///
/// In JSON it is the text, or `{"text": "v1", "length": 65512}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(from = "Form", into = "Form")]
pub struct Value {
    /// What it begins with.
    pub text: String,
    /// How many bytes it has, if more than the text. What fills it follows from the text, and does not
    /// compress.
    pub length: Option<u32>,
}

/// A value as it is written.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
enum Form {
    Text(String),
    Long { text: String, length: u32 },
}

impl Value {
    /// Just this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            length: None,
        }
    }

    /// This text, filled up.
    pub fn long(text: impl Into<String>, length: u32) -> Self {
        let text = text.into();
        Self {
            length: (length as usize > text.len()).then_some(length),
            text,
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.length
            .map_or(self.text.len(), |length| length as usize)
    }

    /// Is it the empty value?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes.
    pub fn bytes(&self) -> Bytes {
        let Some(length) = self.length else {
            return Bytes::copy_from_slice(self.text.as_bytes());
        };
        let length = length as usize;
        let mut bytes = Vec::with_capacity(length + 8);
        bytes.extend_from_slice(self.text.as_bytes());
        let mut filling = Rng::new(fnv1a(self.text.as_bytes()));
        while bytes.len() < length {
            bytes.extend_from_slice(&filling.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes.into()
    }
}

/// Any hash does, if it never changes.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl From<Form> for Value {
    fn from(form: Form) -> Self {
        match form {
            Form::Text(text) => Self::new(text),
            Form::Long { text, length } => Self::long(text, length),
        }
    }
}

impl From<Value> for Form {
    fn from(value: Value) -> Self {
        match value.length {
            None => Self::Text(value.text),
            Some(length) => Self::Long {
                text: value.text,
                length,
            },
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.text.escape_debug())?;
        match self.length {
            None => Ok(()),
            Some(length) => write!(f, "... ({length} bytes)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_text_and_its_length() {
        assert_eq!(Value::new("v1").bytes(), "v1");
        let long = Value::long("v1", 100);
        assert_eq!(long.bytes().len(), 100);
        assert!(long.bytes().starts_with(b"v1"));
        assert_eq!(long.bytes(), long.clone().bytes());
        assert_ne!(long.bytes(), Value::long("v2", 100).bytes());
        assert_eq!(Value::long("text", 2), Value::new("text"));
        assert!(Value::new("").is_empty());
    }

    #[test]
    fn json() {
        for value in [Value::new("v"), Value::new(""), Value::long("v", 70_000)] {
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&json).unwrap(),
                value,
                "{json}"
            );
        }
        assert_eq!(serde_json::to_string(&Value::new("v")).unwrap(), "\"v\"");
        assert!(serde_json::from_str::<Value>(r#"{"text":"v","length":-1}"#).is_err());
    }
}
