//! The models of Update.

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
    update: "update",
    update_update: "update-update",
    update_put: "update-put",
    update_remove: "update-remove",
    update_remove_channel: "update-remove-channel",
    update_move: "update-move",
    update_move_twice: "update-move-twice",
    update_move_written: "update-move-written",
    update_two_copies: "update-two-copies",
}
