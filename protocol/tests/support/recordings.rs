//! The recordings of what the original client and node said to each other.

use std::fs;
use std::path::PathBuf;

/// Our own.
pub(crate) const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// The recordings of neo connections in our own directory, and in `DHTCHECK_CAPTURES` if that is set.
pub(crate) fn recordings() -> Vec<PathBuf> {
    of("-neo-")
}

/// The same of legacy connections.
pub(crate) fn legacy_recordings() -> Vec<PathBuf> {
    of("-legacy-")
}

fn of(protocol: &str) -> Vec<PathBuf> {
    let other = std::env::var_os("DHTCHECK_CAPTURES").map(PathBuf::from);
    let mut files: Vec<_> = std::iter::once(PathBuf::from(VECTORS))
        .chain(other)
        .flat_map(|directory| fs::read_dir(directory).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.contains(protocol) && name.ends_with(".jsonl")
        })
        .collect();
    files.sort();
    files
}
