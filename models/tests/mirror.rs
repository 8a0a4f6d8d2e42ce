//! The models of Mirror.

mod judging;

use dht_models::frames::all;
use judging::{entry, judge};

/// A test for each model, so that one can be run alone.
macro_rules! models {
    ($($test:ident: $name:literal,)+) => {
        const NAMES: &[&str] = &[$($name,)+];

        $(
            #[test]
            fn $test() {
                judge(&entry($name));
            }
        )+
    };
}

models! {
    writers: "mirror-writers",
    overflow: "mirror-overflow",
    removal: "mirror-removal",
    recreated: "mirror-recreated",
    controlled: "mirror-control",
    with_put: "mirror-put",
    twice: "mirror-twice",
    nodes: "mirror-nodes",
    nodes_controlled: "mirror-nodes-control",
    transfer: "mirror-transfer",
    dump: "mirror-dump",
    dump_removal: "mirror-dump-removal",
    large: "mirror-large",
    broken: "mirror-break",
    period: "mirror-period",
}

#[test]
fn every_model_of_mirror_is_tested() {
    let models = all().into_iter().map(|entry| entry.name);
    let models = models.filter(|name| name.starts_with("mirror"));
    assert_eq!(models.collect::<Vec<_>>(), NAMES);
}
