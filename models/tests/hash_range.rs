//! The models of GetHashRange, of routing, and of redistributions.

mod judging;

use judging::{entry, judge};

/// A test for each model.
macro_rules! models {
    ($($test:ident: $name:literal,)+) => {
        $(
            #[test]
            fn $test() {
                judge(&entry($name));
            }
        )+
    };
}

models! {
    hash_range: "hash-range",
    hash_range_stray: "hash-range-stray",
    hash_range_newest: "hash-range-newest",
    routing: "routing",
    redistribution_update: "redistribution-update",
    redistribution_updates: "redistribution-updates",
    redistribution_put: "redistribution-put",
    redistribution_get: "redistribution-get",
    redistribution_remove: "redistribution-remove",
    redistribution_get_all: "redistribution-get-all",
}
