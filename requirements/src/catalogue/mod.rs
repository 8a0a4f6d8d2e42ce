//! The requirements themselves, a file for each area.

/// Defines the requirements of an area: a constant each, and the list `ALL` of them.
macro_rules! requirements {
    ($(
        $name:ident = $id:literal $level:ident $party:ident $sentence:literal, $source:literal
        $(, hidden: $hidden:literal)?;
    )+) => {
        $(
            #[doc = $sentence]
            pub static $name: crate::Requirement = crate::Requirement {
                id: $id,
                level: crate::Level::$level,
                party: crate::Party::$party,
                sentence: $sentence,
                source: $source,
                hidden: requirements!(@hidden $($hidden)?),
            };
        )+

        pub(super) static ALL: &[&crate::Requirement] = &[$(&$name),+];
    };
    (@hidden) => { None };
    (@hidden $hidden:literal) => { Some($hidden) };
}

// A report begins with what everything else stands on.
macro_rules! areas {
    ($($area:ident)+) => {
        $(
            mod $area;
            pub use $area::*;
        )+

        pub(crate) static AREAS: &[&[&crate::Requirement]] = &[$($area::ALL),+];
    };
}

areas! {
    connection framing auth multiplexing robustness
    request put get exists remove update get_channels remove_channel get_hash_range records
    control get_all mirror batch
}

mod legacy;
pub use legacy::*;

/// Every requirement, those of the neo protocol first.
pub(crate) fn all() -> impl Iterator<Item = &'static crate::Requirement> {
    let areas = AREAS.iter().chain(legacy::AREAS);
    areas.copied().flatten().copied()
}
