//! The bugs that the checks of GetHashRange find.

use dht_requirements as req;

use super::Case;

#[rustfmt::skip]
pub(super) static FOUND_BY: &[Case] = &[
    ("hashrange.layout", "range-has-type", &req::RANGE_ANSWER),
    ("hashrange.legal", "range-ends-swapped", &req::RANGE_LEGAL),
    ("hashrange.served", "range-announced-too-small", &req::RANGE_ANSWER),
    ("hashrange.many-on-one", "range-told-once", &req::RANGE_SAME_FOR_ALL),
    ("hashrange.many-connections", "range-told-once", &req::RANGE_SAME_FOR_ALL),
    ("hashrange.guest", "range-told-once", &req::RANGE_SAME_FOR_ALL),
    ("hashrange.updates-only", "range-repeated", &req::RANGE_UPDATES),
    ("hashrange.endless", "range-begins-again", &req::RANGE_ENDLESS),
    ("hashrange.message-empty", "range-begins-again", &req::RANGE_UNEXPECTED_MESSAGE),
    ("hashrange.message-byte", "range-begins-again", &req::RANGE_UNEXPECTED_MESSAGE),
    ("hashrange.message-ack", "range-begins-again", &req::RANGE_UNEXPECTED_MESSAGE),
    ("hashrange.message-opening", "range-begins-again", &req::RANGE_UNEXPECTED_MESSAGE),
    ("hashrange.message-long", "range-begins-again", &req::RANGE_UNEXPECTED_MESSAGE),
    ("hashrange.message-byte", "unexpected-message-crashes", &req::ROBUST_DROP_LOCAL),
    ("hashrange.served", "range-end-excluded", &req::RANGE_ANSWER),
];
