//! The reference model: what a DHT means.
