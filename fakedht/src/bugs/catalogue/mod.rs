//! The bugs, filed by what they concern under the names that the catalogue of requirements has for it, and
//! in the order of the requirements that they break; three lists hold those that random cases are for, because
//! they show only at edges, when requests meet, or late; those of the legacy protocol come last. To add one, add an entry to the list where it belongs,
//! and to `tests/bugs` what makes it visible if nothing there does yet.

// What is wrong with a first message, for `request`.
mod openings;

macro_rules! areas {
    ($($area:ident)+) => {
        $(mod $area;)+

        static AREAS: &[&[Bug]] = &[$($area::BUGS),+];
    };
}

areas! {
    connection framing auth auth_messages multiplexing robustness
    request put get exists remove update get_channels remove_channel get_hash_range records names
    control get_all mirror mirror_refresh batch
    boundaries interleavings long_runs
    legacy_connection legacy_names legacy_storage legacy_lists legacy_streams legacy_batches legacy_mixed
}

use super::Bug;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Bug> {
    AREAS.iter().copied().flatten()
}
