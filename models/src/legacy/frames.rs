//! The frames: what clients order.

use bytes::Bytes;
use dht_protocol::legacy::batch::Batch;
use dht_protocol::legacy::{KeyText, Order};
use dht_protocol::{ChannelName, HashRange, Key};

use super::frame::{Client, Frame};
use super::store::CHANNEL;
use crate::frames::Bounds;

/// All frames within these bounds.
pub fn frames(bounds: Bounds) -> Vec<Frame> {
    vec![
        orders(bounds),
        listen(bounds),
        listen_two(bounds),
        listen_next(bounds),
        put_batch(bounds),
        get_all(bounds),
        broken(bounds),
    ]
}

fn orders(bounds: Bounds) -> Frame {
    let mut other = vec![put(2, "b"), remove(2)];
    if bounds > Bounds::Small {
        other.push(remove_channel());
    }
    Frame {
        about: "Two legacy clients write, read and remove one record; orders and answers are cut.",
        clients: vec![
            Client::patient(vec![put(2, "a"), get(2), remove(2), get(2)]),
            Client::patient(other),
        ],
        cuts: true,
        ..calm("legacy-orders")
    }
}

fn listen(bounds: Bounds) -> Frame {
    let mut writes = vec![put(2, "a"), put(2, "b"), remove(2), put(4, "c")];
    if bounds > Bounds::Small {
        writes.push(put(2, "d"));
    }
    Frame {
        about: "A Listen while a legacy client writes to its channel, and removes records from it.",
        clients: vec![
            Client::patient(vec![listen_order()]),
            Client::patient(writes),
        ],
        ..calm("legacy-listen")
    }
}

fn listen_two(bounds: Bounds) -> Frame {
    let mut writes = vec![put(2, "a"), remove_channel()];
    if bounds > Bounds::Small {
        writes.push(put(4, "b"));
    }
    Frame {
        about: "Two Listens on a channel that is removed; one of the clients goes on with another order.",
        clients: vec![
            Client::patient(vec![listen_order()]),
            Client::patient(vec![listen_order(), get(2)]),
            Client::patient(writes),
        ],
        ..calm("legacy-listen-two")
    }
}

fn listen_next(bounds: Bounds) -> Frame {
    let mut writes = vec![put(2, "b")];
    if bounds > Bounds::Small {
        writes.push(put(4, "c"));
    }
    Frame {
        about: "A client sends its next order while its Listen is under way, which that ends.",
        clients: vec![
            Client {
                orders: vec![listen_order(), get(2), listen_order()],
                impatient: true,
            },
            Client::patient(writes),
        ],
        cuts: true,
        ..calm("legacy-listen-next")
    }
}

fn put_batch(bounds: Bounds) -> Frame {
    let mut reads = vec![get(2), put(2, "b")];
    if bounds > Bounds::Small {
        reads.push(get(4));
    }
    Frame {
        about: "Batches of which the node refuses a record: for its key, its value, or for want of room.",
        clients: vec![
            Client::patient(vec![
                batch(&[(2, "a"), (3, "odd"), (4, "d")]),
                batch(&[(6, "f"), (8, ""), (10, "j")]),
                batch(&[(6, "g"), (12, "123456")]),
                batch(&[]),
            ]),
            Client::patient(reads),
        ],
        range: HashRange::new(0, u64::MAX / 2).unwrap_or(HashRange::FULL),
        room: 7,
        cuts: true,
        ..calm("legacy-put-batch")
    }
}

fn get_all(bounds: Bounds) -> Frame {
    // Each fills a batch, and up to five are handed out at once: the node then stands on one that is removed.
    let record = |key: u64| (Key(key), noise(key, 60_000));
    let records = match bounds {
        Bounds::Small | Bounds::Default => 1..=6,
        Bounds::Deep => 1..=10,
    };
    Frame {
        about: "A GetAll whose client reads slowly, while another one removes records and adds some.",
        clients: vec![
            Client::patient(vec![get_all_order()]),
            Client::patient(vec![remove(3), remove(4), remove(5), put(12, "new")]),
        ],
        records: records.map(record).collect(),
        stalls: true,
        ..calm("legacy-get-all")
    }
}

fn broken(bounds: Bounds) -> Frame {
    let mut other = vec![get(2)];
    if bounds > Bounds::Small {
        other.push(listen_order());
    }
    Frame {
        about: "A connection breaks at any time, with an order or its answer on the way; the other stays.",
        clients: vec![
            Client::patient(vec![put(2, "b"), listen_order()]),
            Client::patient(other),
        ],
        breaks: true,
        cuts: true,
        ..calm("legacy-break")
    }
}

fn calm(name: &'static str) -> Frame {
    Frame {
        name,
        about: "",
        clients: Vec::new(),
        range: HashRange::FULL,
        room: u64::MAX,
        records: Vec::new(),
        cuts: false,
        stalls: false,
        breaks: false,
    }
}

fn channel() -> ChannelName {
    CHANNEL.into()
}

fn put(key: u64, value: &'static str) -> Order {
    Order::Put {
        channel: channel(),
        key: KeyText::from(Key(key)),
        value: Bytes::from_static(value.as_bytes()),
    }
}

fn get(key: u64) -> Order {
    Order::Get {
        channel: channel(),
        key: KeyText::from(Key(key)),
    }
}

fn remove(key: u64) -> Order {
    Order::Remove {
        channel: channel(),
        key: KeyText::from(Key(key)),
    }
}

fn remove_channel() -> Order {
    Order::RemoveChannel { channel: channel() }
}

fn listen_order() -> Order {
    Order::Listen { channel: channel() }
}

fn get_all_order() -> Order {
    Order::GetAll { channel: channel() }
}

fn batch(records: &[(u64, &str)]) -> Order {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.push(Key(*key), value.as_bytes());
    }
    Order::PutBatch {
        channel: channel(),
        batch: batch.finish().into(),
    }
}

/// Bytes that cannot be compressed.
fn noise(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(next).collect()
}
