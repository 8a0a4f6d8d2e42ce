//! The DHT protocol without I/O.

pub mod channel;
pub mod codec;
pub mod key;
pub mod lzo;

pub use channel::ChannelName;
pub use codec::DecodeError;
pub use key::{HashRange, Key, fnv1a};
