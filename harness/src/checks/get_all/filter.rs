//! GetAll with a filter.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::get_all::{Open, Settings};
use dht_requirements as req;

use super::complete::read;
use super::walk::{Records, whole};
use super::{Check, Ground, Group};
use crate::unkept::{Checked, Outcome};

/// Names and filters.
const FILTERS: [(&str, &[u8]); 12] = [
    ("start", b"abra"),
    ("middle", b"cad"),
    ("end", b"bra"),
    ("whole", b"abracadabra"),
    ("longer", b"abracadabra!"),
    ("overlapping", b"aab"),
    ("one-byte", b"a"),
    ("zero-byte", b"\0"),
    ("byte-255", b"\xff\xff"),
    ("upper-case", b"ABRA"),
    ("pattern", b".*"),
    ("nowhere", b"nowhere"),
];
/// Values, of which each filter matches some and others not.
const VALUES: [&[u8]; 14] = [
    b"abracadabra",
    b"cadabra",
    b"bra",
    b"br",
    b"ABRACADABRA",
    b"aaab",
    b"aba",
    b"xyz",
    b"\0",
    b"x\0y",
    b"\xff\xfe\xff",
    b"\xfe\xff\xff",
    b"a.*b",
    b".",
];

pub(super) fn checks() -> Vec<Check> {
    let whole_values = FILTERS.map(|(name, filter)| {
        Check::raw(
            format!("getall-filter.{name}"),
            format!(
                "The filter \"{}\" lets those records pass whose value contains it.",
                filter.escape_ascii()
            ),
            &[
                &req::GETALL_FILTER_ONLY_MATCHING,
                &req::GETALL_FILTER_ALL_MATCHING,
            ],
            move |ground| Box::pin(filtered(ground, values(ground), filter, false)),
        )
    });
    let keys = [("start", &b"abra"[..]), ("nowhere", b"nowhere")].map(|(name, filter)| {
        Check::raw(
            format!("getall-filter.keys-{name}"),
            format!(
                "With keys_only the filter \"{}\" still tests the values.",
                filter.escape_ascii()
            ),
            &[&req::GETALL_FILTER_KEYS_ONLY],
            move |ground| Box::pin(filtered(ground, values(ground), filter, true)),
        )
    });
    let largest = Check::raw(
        "getall-filter.end-of-largest",
        "A filter finds the last bytes of a value of 65,512 bytes.",
        &[
            &req::GETALL_FILTER_ONLY_MATCHING,
            &req::GETALL_FILTER_ALL_MATCHING,
        ],
        |ground| Box::pin(filtered(ground, largest(ground), b"needle", false)),
    );
    let checks = whole_values.into_iter().chain(keys).chain([largest]);
    checks.map(|check| check.in_group(Group::Streams)).collect()
}

fn values(ground: &Ground) -> Records {
    let values = (0..).zip(VALUES);
    values
        .map(|(number, value)| (ground.key(number), Bytes::from_static(value)))
        .collect()
}

/// One that ends with the filter, and one that ends with a part of it.
fn largest(ground: &Ground) -> Records {
    let ending = |end: &[u8]| {
        let mut value = vec![b'-'; MAX_VALUE - end.len()];
        value.extend_from_slice(end);
        Bytes::from(value)
    };
    [(0, ending(b"needle")), (1, ending(b"needl"))]
        .map(|(number, value)| (ground.key(number), value))
        .into()
}

async fn filtered(
    ground: &Ground,
    records: Records,
    filter: &'static [u8],
    keys_only: bool,
) -> Checked {
    let open = Open {
        settings: Settings {
            keys_only,
            value_filter: Bytes::from_static(filter),
        },
        ..whole(ground)
    };
    let mut walk = read(ground, &records, &open).await?;
    walk.sent = format!("GetAll with the filter \"{}\"", filter.escape_ascii());
    let (only, all) = match keys_only {
        true => (&req::GETALL_FILTER_KEYS_ONLY, &req::GETALL_FILTER_KEYS_ONLY),
        false => (
            &req::GETALL_FILTER_ONLY_MATCHING,
            &req::GETALL_FILTER_ALL_MATCHING,
        ),
    };
    let mut matching = records;
    matching.retain(|_, value| value.windows(filter.len()).any(|part| part == filter));
    if let Some((key, _)) = walk.got.iter().find(|(key, _)| !matching.contains_key(key)) {
        let expected = ["only records whose value contains the filter"];
        let observed = format!("the record of {key}");
        return Err(walk.broke(only, Outcome::Data, &expected, observed));
    }
    walk.complete(&matching, all)
}
