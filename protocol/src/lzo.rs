//! LZO1X compression with the bounds that a peer cannot be trusted to keep.

use thiserror::Error;

/// Why a compressed block was refused.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LzoError {
    /// The block does not decompress to as many bytes as it announces.
    #[error("decompresses to {actual} bytes instead of {announced}")]
    Length {
        /// Bytes that were announced.
        announced: u64,
        /// Bytes that came out.
        actual: usize,
    },
}
