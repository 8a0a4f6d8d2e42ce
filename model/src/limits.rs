//! Lengths of values beyond which the protocol allows less (A5, `neo-requests.md` 1.3).

/// A client need not Put a longer value, and a GetAll with values need not deliver it, in bytes.
pub const GET_ALL_VALUE: usize = 65_512;

/// The refresh of a Mirror need not deliver a longer value, in bytes.
pub const REFRESH_VALUE: usize = 65_520;
