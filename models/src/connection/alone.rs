//! What the machines do when nothing else happens: one request by itself, and bytes one by one.

use bytes::Bytes;

use super::end::{End, Fate, Machine};
use super::model::ConnectionModel;
use super::state::Side;
use dht_protocol::neo::Violation;

/// More turns than any conversation of the model takes.
const TURNS: usize = 16;

/// For each request of the frame what it is answered if nothing else is asked.
pub(super) fn answers(model: &ConnectionModel) -> Vec<Vec<Bytes>> {
    let asks = 0..model.frame().asks.len();
    asks.map(|ask| answer(model, ask)).collect()
}

fn answer(model: &ConnectionModel, ask: usize) -> Vec<Bytes> {
    let ask = &model.frame().asks[ask];
    let [mut client, mut node] = Side::BOTH.map(|side| model.fresh(side));
    let mut records = model.frame().records.clone();
    let mut asked = false;
    for _ in 0..TURNS {
        let said = client.take_output();
        node.read(&said, said.len(), model.now(Side::Node), &mut records);
        let said = node.take_output();
        client.read(&said, said.len(), model.now(Side::Client), &mut records);
        if client.is_open() && !asked {
            asked = true;
            client.send(ask.id, &ask.payload);
        }
    }
    client
        .heard()
        .iter()
        .map(|(_, payload)| payload.clone())
        .collect()
}

/// Would the machine at this end be the same if the bytes that it read had come one by one?
pub(super) fn is_invariant(model: &ConnectionModel, side: Side, end: &End) -> bool {
    if matches!(end.machine, Machine::Script(_))
        || end.fate == Fate::Gone
        // That bytes come together is what this one is about.
        || matches!(end.fate, Fate::Failed(Violation::EarlyBytes { .. }))
    {
        return true;
    }
    let mut other = model.fresh(side);
    let mut records = model.frame().records.clone();
    let take = |other: &mut End| {
        let said = other.take_output();
        other.wrote.extend_from_slice(&said);
    };
    take(&mut other);
    for byte in &end.read {
        other.read(&[*byte], 1, model.now(side), &mut records);
        take(&mut other);
    }
    let same = match (&end.machine, &other.machine) {
        // What it has sent is not a matter of what it read.
        (Machine::Client(one, heard), Machine::Client(other, also)) => {
            (one, heard) == (other, also)
        }
        (Machine::Node(one), Machine::Node(another)) => {
            one.client() == another.client()
                && one.active_requests() == another.active_requests()
                && end.wrote == other.wrote
        }
        _ => false,
    };
    same && end.fate == other.fate
}
