//! A DHT node in memory: library, test environment and program.
