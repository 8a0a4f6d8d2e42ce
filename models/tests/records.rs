//! The models of Put, Get, Exists and Remove.

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
    put: "put",
    put_too_big: "put-too-big",
    get: "get",
    exists: "exists",
    remove: "remove",
    put_nodes: "put-nodes",
    get_nodes: "get-nodes",
    exists_nodes: "exists-nodes",
    remove_nodes: "remove-nodes",
    remove_half_way: "remove-half-way",
    wrong_node: "wrong-node",
    rude: "rude",
    agree: "agree",
    agree_get_all: "agree-get-all",
    race_put_get_remove: "race-put-get-remove",
    race_puts: "race-puts",
    race_exists: "race-exists",
    race_nodes: "race-nodes",
    one_client: "one-client",
    one_after_the_other: "one-after-the-other",
}
