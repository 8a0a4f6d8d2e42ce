//! Names and keys of clients (stand-in while the parser is being written).
use std::collections::BTreeMap;

/// A key.
#[derive(Clone, Eq, Hash, PartialEq, Debug)]
pub struct AuthKey([u8; 128]);
impl AuthKey {
    /// zero
    pub const ZERO: Self = Self([0; 128]);
    /// new
    pub fn new(bytes: [u8; 128]) -> Self {
        Self(bytes)
    }
    /// bytes
    pub fn as_bytes(&self) -> &[u8; 128] {
        &self.0
    }
}
/// name
#[derive(Clone, Eq, Hash, PartialEq, Debug, Ord, PartialOrd)]
pub struct ClientName(String);
impl ClientName {
    /// new
    pub fn new(name: &[u8]) -> Result<Self, String> {
        if name.is_empty() || name.len() > 100 || !name.iter().all(u8::is_ascii_graphic) {
            return Err("bad".into());
        }
        Ok(Self(String::from_utf8_lossy(name).into_owned()))
    }
    /// str
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl std::fmt::Display for ClientName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
/// cred
#[derive(Clone, Eq, Hash, PartialEq, Debug)]
pub struct Credential {
    /// name
    pub name: ClientName,
    /// key
    pub key: AuthKey,
}
/// creds
#[derive(Clone, Eq, Hash, PartialEq, Debug, Default)]
pub struct Credentials(BTreeMap<ClientName, AuthKey>);
impl Credentials {
    /// key
    pub fn key(&self, name: &ClientName) -> Option<&AuthKey> {
        self.0.get(name)
    }
    /// admin
    pub fn default_admin() -> Self {
        Self([(ClientName("admin".into()), AuthKey::ZERO)].into())
    }
}
