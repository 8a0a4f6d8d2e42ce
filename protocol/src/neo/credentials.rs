//! Who may connect: names and keys of clients, and the text form of both that nodes and clients keep in
//! a file (`neo-transport.md` section 7). Reading the file itself is left to the caller; what is proved
//! with a key is in [`super::auth`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Largest credentials file, in bytes.
pub const MAX_FILE: usize = 10_000_000;

/// The key that a client and the node share: 128 bytes. Neither shown nor logged by anything here.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct AuthKey([u8; Self::LENGTH]);

impl AuthKey {
    /// Bytes of a key.
    pub const LENGTH: usize = 128;
    /// The key of tests and of the original's fake node: no secret at all.
    pub const ZERO: Self = Self([0; Self::LENGTH]);

    /// A key of these bytes.
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Reads 256 hexadecimal digits, upper or lower case.
    pub fn from_hex(text: &[u8]) -> Result<Self, KeyError> {
        let mut key = [0; Self::LENGTH];
        if text.len() != 2 * key.len() {
            return Err(KeyError::Length {
                characters: text.len(),
            });
        }
        for (index, byte) in text.iter().enumerate() {
            let digit = char::from(*byte).to_digit(16).ok_or(KeyError::Digit {
                byte: *byte,
                position: index + 1,
            })?;
            key[index / 2] = key[index / 2] << 4 | digit as u8;
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey(..)")
    }
}

/// The name of a client: 1 to 100 ASCII characters that are neither blank nor control characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientName(String);

impl ClientName {
    /// Most bytes that a name has.
    pub const MAX_LENGTH: usize = 100;

    /// A name of these bytes, if they can be one. A colon is legal here, although no file can express it.
    pub fn new(name: &[u8]) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_LENGTH {
            return Err(NameError::Length { bytes: name.len() });
        }
        name.iter()
            .enumerate()
            .map(|(index, byte)| match byte.is_ascii_graphic() {
                true => Ok(char::from(*byte)),
                false => Err(NameError::Character {
                    byte: *byte,
                    position: index + 1,
                }),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one client identifies itself with.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Credential {
    /// Who it is.
    pub name: ClientName,
    /// What proves it.
    pub key: AuthKey,
}

impl Credential {
    /// The name `admin` with the all-zero key, which every test installation uses.
    pub fn default_admin() -> Self {
        Self {
            name: ClientName(String::from("admin")),
            key: AuthKey::ZERO,
        }
    }

    /// Reads `NAME:HEXKEY`: a line of a credentials file, or an argument of a command line.
    pub fn parse(entry: &[u8]) -> Result<Self, EntryError> {
        let Some(colon) = entry.iter().position(|byte| *byte == b':') else {
            return Err(match trim(entry) {
                [] => EntryError::Blank,
                _ => EntryError::NoColon,
            });
        };
        Ok(Self {
            name: ClientName::new(trim(&entry[..colon]))?,
            key: AuthKey::from_hex(trim(&entry[colon + 1..]))?,
        })
    }

    /// Reads a client's credentials file, which has exactly one client's entry.
    pub fn parse_file(text: &[u8]) -> Result<Self, CredentialsError> {
        let credentials = Credentials::parse(text)?;
        let clients = credentials.keys.len();
        let mut entries = credentials.keys.into_iter();
        match (entries.next(), entries.next()) {
            (Some((name, key)), None) => Ok(Self { name, key }),
            _ => Err(CredentialsError::NotOne { clients }),
        }
    }
}

impl FromStr for Credential {
    type Err = EntryError;

    fn from_str(entry: &str) -> Result<Self, EntryError> {
        Self::parse(entry.as_bytes())
    }
}

/// The clients that a node knows. None by default, and then nobody can connect.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Credentials {
    keys: BTreeMap<ClientName, AuthKey>,
}

impl Credentials {
    /// Only `admin` with the all-zero key, as the original's fake node has it.
    pub fn default_admin() -> Self {
        Self::from_iter([Credential::default_admin()])
    }

    /// Reads a credentials file: an entry `name:hexkey` a line, blanks around name and key ignored, empty
    /// lines skipped, no comments. Of several entries with one name the last counts. Any error refuses
    /// the whole file.
    pub fn parse(text: &[u8]) -> Result<Self, CredentialsError> {
        if text.len() > MAX_FILE {
            return Err(CredentialsError::TooLarge { size: text.len() });
        }
        text.split(|byte| *byte == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| {
                Credential::parse(line).map_err(|error| CredentialsError::Entry {
                    line: index + 1,
                    error,
                })
            })
            .collect()
    }

    /// The key of the client with this name.
    pub fn key(&self, name: &ClientName) -> Option<&AuthKey> {
        self.keys.get(name)
    }

    /// The names of all clients, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &ClientName> {
        self.keys.keys()
    }
}

impl FromIterator<Credential> for Credentials {
    fn from_iter<I: IntoIterator<Item = Credential>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self {
            keys: entries.map(|entry| (entry.name, entry.key)).collect(),
        }
    }
}

/// Why a credentials file was refused.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A file of this size is no credentials file.
    #[error("{size} bytes are too many for a credentials file, the limit is {MAX_FILE}")]
    TooLarge {
        /// Size of the file in bytes.
        size: usize,
    },
    /// A line is not an entry.
    #[error("line {line}: {error}")]
    Entry {
        /// Which line of the file, from 1; empty lines count.
        line: usize,
        /// What is wrong with it.
        error: EntryError,
    },
    /// A client's file has no entry, or those of several clients.
    #[error("has the credentials of {clients} clients instead of one")]
    NotOne {
        /// How many clients have an entry.
        clients: usize,
    },
}

/// What is wrong with an entry `name:hexkey`.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum EntryError {
    /// Nothing but blanks; only a line that is wholly empty is skipped.
    #[error("nothing but blanks where NAME:HEXKEY should be")]
    Blank,
    /// Nothing separates name and key.
    #[error("no colon between name and key")]
    NoColon,
    /// The name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key cannot be one.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why bytes are not the name of a client.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum NameError {
    /// There are none.
    #[error("the name is empty")]
    Empty,
    /// Too many.
    #[error(
        "the name has {bytes} bytes, at most {} are allowed",
        ClientName::MAX_LENGTH
    )]
    Length {
        /// How many.
        bytes: usize,
    },
    /// One is blank, a control character or not ASCII.
    #[error("the name has '{}' at position {position}, which is not a printable ASCII character", .byte.escape_ascii())]
    Character {
        /// The byte at fault.
        byte: u8,
        /// Its place in the name, from 1.
        position: usize,
    },
}

/// Why bytes are not a key.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not as many digits as a key has.
    #[error("the key has {characters} characters instead of {} hexadecimal digits", 2 * AuthKey::LENGTH)]
    Length {
        /// How many characters there are.
        characters: usize,
    },
    /// A character is no digit.
    #[error("the key has '{}' at position {position}, which is not a hexadecimal digit", .byte.escape_ascii())]
    Digit {
        /// The byte at fault.
        byte: u8,
        /// Its place in the key, from 1.
        position: usize,
    },
}

/// Without the white space at both ends. As C's `isspace` has it, unlike [`u8::is_ascii_whitespace`]
/// with the vertical tab.
fn trim(text: &[u8]) -> &[u8] {
    let is_ink = |byte: &u8| !byte.is_ascii_whitespace() && *byte != 0x0b;
    let start = text.iter().position(is_ink).unwrap_or(text.len());
    let end = text.iter().rposition(is_ink).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zeros() -> String {
        "0".repeat(256)
    }

    fn names(credentials: &Credentials) -> Vec<&str> {
        credentials.names().map(ClientName::as_str).collect()
    }

    /// What a file is refused with, in words.
    fn refusal(text: impl AsRef<[u8]>) -> String {
        Credentials::parse(text.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn the_file_of_every_test_installation() {
        let file = format!("admin:{}\n", zeros());
        let credentials = Credentials::parse(file.as_bytes()).unwrap();
        assert_eq!(credentials, Credentials::default_admin());
        assert_eq!(
            Credential::parse_file(file.as_bytes()),
            Ok(Credential::default_admin())
        );
        assert_eq!(file.trim_end().parse(), Ok(Credential::default_admin()));
        let admin = Credential::default_admin();
        assert_eq!(credentials.key(&admin.name), Some(&admin.key));
    }

    #[test]
    fn blanks_are_trimmed_and_empty_lines_skipped() {
        let key = zeros();
        let file = format!("\n\n  one\t: {key}\r\n\n\n#two:{key} \x0b\nthree:{key}");
        let credentials = Credentials::parse(file.as_bytes()).unwrap();
        assert_eq!(names(&credentials), ["#two", "one", "three"]);
    }

    #[test]
    fn an_empty_file_lets_nobody_in() {
        for file in [&b""[..], b"\n", b"\n\n\n"] {
            assert_eq!(Credentials::parse(file), Ok(Credentials::default()));
        }
    }

    #[test]
    fn the_last_of_several_entries_with_a_name_counts() {
        let file = format!("a:{}\na:{}", zeros(), "f".repeat(256));
        let ones = AuthKey::new([0xff; 128]);
        let credentials = Credentials::parse(file.as_bytes()).unwrap();
        assert_eq!(
            credentials.key(&ClientName::new(b"a").unwrap()),
            Some(&ones)
        );
        assert_eq!(Credential::parse_file(file.as_bytes()).unwrap().key, ones);
    }

    #[test]
    fn keys_are_read_in_either_case() {
        let bytes = std::array::from_fn(|index| index as u8 * 2 + 1);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(AuthKey::from_hex(hex.as_bytes()), Ok(AuthKey::new(bytes)));
        let hex = hex.to_uppercase();
        assert_eq!(AuthKey::from_hex(hex.as_bytes()), Ok(AuthKey::new(bytes)));
    }

    #[test]
    fn errors_say_line_and_reason() {
        let key = zeros();
        assert_eq!(
            refusal(format!("a:{key}\n\n\nb c:{key}")),
            "line 4: the name has ' ' at position 2, which is not a printable ASCII character"
        );
        assert_eq!(refusal(format!(":{key}")), "line 1: the name is empty");
        assert_eq!(
            refusal(format!("{}:{key}", "n".repeat(101))),
            "line 1: the name has 101 bytes, at most 100 are allowed"
        );
        assert_eq!(
            refusal(format!("a:{key}\n\t \n")),
            "line 2: nothing but blanks where NAME:HEXKEY should be"
        );
        assert_eq!(
            refusal(format!("a:{key}\r\n\r\n")),
            "line 2: nothing but blanks where NAME:HEXKEY should be"
        );
        assert_eq!(
            refusal("# comment"),
            "line 1: no colon between name and key"
        );
        assert_eq!(
            refusal(format!("a:{key}0")),
            "line 1: the key has 257 characters instead of 256 hexadecimal digits"
        );
        assert_eq!(
            refusal(format!("a:{}g", "0".repeat(255))),
            "line 1: the key has 'g' at position 256, which is not a hexadecimal digit"
        );
        assert_eq!(
            refusal([b"a\xffb:", key.as_bytes()].concat()),
            "line 1: the name has '\\xff' at position 2, which is not a printable ASCII character"
        );
        assert_eq!(
            refusal(vec![b'\n'; MAX_FILE + 1]),
            "10000001 bytes are too many for a credentials file, the limit is 10000000"
        );
        assert_eq!(
            Credentials::parse(&vec![b'\n'; MAX_FILE]),
            Ok(Credentials::default())
        );
    }

    #[test]
    fn a_client_has_one_entry() {
        let two = format!("a:{0}\nb:{0}\n", zeros());
        for (file, clients) in [("", 0), (&two, 2)] {
            let error = Credential::parse_file(file.as_bytes());
            assert_eq!(error, Err(CredentialsError::NotOne { clients }));
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let credentials = Credentials::from_iter([Credential {
            key: AuthKey::new([0xab; 128]),
            ..Credential::default_admin()
        }]);
        let shown = format!("{credentials:?} {credentials:#?}");
        assert!(shown.contains("admin"));
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_names_and_keys_round_trip(
            entries in proptest::collection::btree_map("[!-9;-~]{1,100}", any::<[u8; 4]>(), 0..10)
        ) {
            let mut file = String::new();
            for (name, seed) in &entries {
                let hex: String = seed.iter().cycle().take(128).map(|byte| format!("{byte:02x}")).collect();
                file += &format!("{name}:{hex}\n");
            }
            let credentials = Credentials::parse(file.as_bytes()).unwrap();
            prop_assert_eq!(names(&credentials), entries.keys().collect::<Vec<_>>());
            for (name, seed) in entries {
                let key = credentials.key(&ClientName::new(name.as_bytes()).unwrap()).unwrap();
                prop_assert!(key.as_bytes().chunks(4).all(|chunk| chunk == seed));
            }
        }

        #[test]
        fn any_file_gives_an_answer(text: Vec<u8>) {
            let _ = (Credentials::parse(&text), Credential::parse_file(&text));
        }
    }
}
