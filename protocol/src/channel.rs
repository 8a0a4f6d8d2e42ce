//! Names of channels.

use std::fmt;

use bytes::Bytes;

/// The name of a channel: any bytes, of any length (`semantics-and-client.md` A4). Shown as text, with
/// everything that is not a printable ASCII character escaped.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChannelName(Bytes);

impl ChannelName {
    /// A name with a copy of these bytes.
    pub fn copy_from(name: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(name))
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for ChannelName {
    fn from(name: &str) -> Self {
        Self::copy_from(name.as_bytes())
    }
}

impl From<String> for ChannelName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<&ChannelName> for ChannelName {
    fn from(name: &ChannelName) -> Self {
        name.clone()
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_wherever_it_comes_from() {
        let name = ChannelName::copy_from(b"demo");
        assert_eq!(name.as_bytes(), b"demo");
        assert_eq!(ChannelName::from("demo"), name);
        assert_eq!(ChannelName::from(String::from("demo")), name);
        assert_eq!(ChannelName::from(&name), name);
    }

    #[test]
    fn what_is_not_printable_is_shown_escaped() {
        let name = ChannelName::copy_from(b"a\"\n\xff");
        assert_eq!(name.to_string(), r#"a\"\n\xff"#);
        assert_eq!(format!("{name:?}"), r#""a\"\n\xff""#);
    }
}
