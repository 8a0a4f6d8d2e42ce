//! A tokio client for the DHT protocol.
