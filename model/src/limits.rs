//! Lengths of values beyond which the protocol allows less (A5, `neo-requests.md` 1.3,
//! `legacy.md` 5).

/// A client need not Put a longer value, and a GetAll with values need not deliver it, in bytes.
pub const GET_ALL_VALUE: usize = 65_512;

/// Every node takes values up to this length by a legacy Put, and sends them with a legacy GetAll, in
/// bytes (`legacy.md` 12.1).
pub const LEGACY_VALUE: usize = 992;

/// The same for a node with batches of the usual capacity.
pub const FULL_LEGACY_VALUE: usize = 65_504;

/// The refresh of a Mirror need not deliver a longer value, in bytes.
pub const REFRESH_VALUE: usize = 65_520;
