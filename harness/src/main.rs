//! Certifies DHT nodes.
fn main() {}
