//! Random DHTs and what happens to them.

use bytes::Bytes;
use dht_model::{Action, Decision, HashRange, Operation, fnv1a};
use proptest::prelude::*;

/// One node, several that cover the same keys, and some that cover a part.
pub(crate) fn layouts() -> impl Strategy<Value = Vec<HashRange>> {
    let lower = HashRange::new(0, u64::MAX / 2).unwrap_or(HashRange::EMPTY);
    let upper = HashRange::new(u64::MAX / 2 + 1, u64::MAX).unwrap_or(HashRange::EMPTY);
    prop_oneof![
        4 => Just(vec![HashRange::FULL]),
        1 => Just(vec![lower]),
        1 => Just(vec![lower, upper]),
        3 => Just(vec![HashRange::FULL, HashRange::FULL]),
        2 => Just(vec![lower, HashRange::FULL]),
        1 => Just(vec![HashRange::FULL, HashRange::EMPTY, upper]),
    ]
}

/// Operations on so many keys of two channels, with these values.
fn operations(keys: u64, values: &'static [&'static str]) -> BoxedStrategy<Operation> {
    let value = prop::sample::select(values).prop_map(Bytes::from);
    let decision = prop_oneof![
        2 => value.clone().prop_map(Decision::Replace),
        1 => Just(Decision::Leave),
        1 => Just(Decision::Delete),
    ];
    let action = prop_oneof![
        4 => value.clone().prop_map(Action::Put),
        2 => Just(Action::Get),
        1 => Just(Action::Exists),
        3 => Just(Action::Remove),
        3 => decision.prop_map(Action::Update),
        1 => (value.clone(), value).prop_map(|(old, value)| {
            let hash = fnv1a(&old);
            Action::UpdateRecord { hash, value }
        }),
    ];
    let channel = || prop::sample::select(vec!["a", "b"]);
    let filter = prop::sample::select(vec!["", "", "v", "vw"]).prop_map(Bytes::from);
    prop_oneof![
        14 => (channel(), 0..keys, action)
            .prop_map(|(channel, key, action)| Operation::record(channel, key, action)),
        3 => (channel(), any::<bool>(), filter).prop_map(|(channel, keys_only, filter)| {
            Operation::GetAll { channel: channel.into(), keys_only, filter }
        }),
        1 => channel().prop_map(|channel| Operation::Refresh { channel: channel.into() }),
        2 => Just(Operation::GetChannels),
        2 => (channel(), prop::bool::weighted(0.8)).prop_map(|(channel, permitted)| {
            Operation::RemoveChannel { channel: channel.into(), permitted }
        }),
        1 => Just(Operation::GetHashRange),
    ]
    .boxed()
}

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An operation by a client, or on some node.
    Operation(Option<prop::sample::Index>, Operation),
    /// A node announces a range.
    Announce(prop::sample::Index, HashRange),
}

/// Operations, and now and then an announcement.
pub(crate) fn steps(keys: u64, values: &'static [&'static str]) -> impl Strategy<Value = Step> {
    let node = any::<prop::sample::Index>;
    let range = layouts().prop_map(|ranges| ranges[0]);
    prop_oneof![
        12 => (prop::option::weighted(0.2, node()), operations(keys, values))
            .prop_map(|(node, operation)| Step::Operation(node, operation)),
        1 => (node(), range).prop_map(|(node, range)| Step::Announce(node, range)),
    ]
}
