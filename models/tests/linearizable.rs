//! Which histories of a record can be explained, and which cannot.

use bytes::Bytes;
use dht_models::property::Property;
use dht_models::property::linearizable::{Linearizable, Memory};
use dht_models::world::{Frame, Note, Request, Store, address};
use dht_protocol::neo::client::{Request as Asked, Told};
use dht_protocol::neo::request::put::Open;
use dht_protocol::neo::request::{Failure, RecordName, gather};
use dht_protocol::{HashRange, Key};

/// A client with an administrator's rights asks this of a record that is "v".
fn asked(asks: Vec<Asked>) -> (Linearizable, Memory) {
    let frame = Frame::new("test")
        .node(Store::new(HashRange::FULL).with("c", Key(2), "v"))
        .client(&[0]);
    let frame = asks.into_iter().fold(frame, Frame::asks);
    let property = Linearizable(record());
    let memory = property.start(&frame);
    (property, memory)
}

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(2),
    }
}

fn put(value: &'static str) -> Asked {
    Asked::Put(Open {
        record: record(),
        value: value.into(),
    })
}

fn get() -> Asked {
    Asked::Get(record())
}

fn found(request: Request, value: Option<&'static str>) -> Note {
    Note::Told(request, Told::Get(Ok(value.map(Bytes::from))))
}

fn lost() -> Failure {
    Failure::Disconnected { node: address(0) }
}

/// Which of the notes cannot be explained any more?
fn first_wrong((property, mut memory): (Linearizable, Memory), notes: &[Note]) -> Option<usize> {
    notes
        .iter()
        .position(|note| property.note(&mut memory, note))
}

#[test]
fn a_request_takes_effect_between_its_beginning_and_its_end() {
    use Note::{Begun, Told as Says};
    let asks = || asked(vec![put("a"), get(), get(), get()]);
    let stored = || Says(0, Told::Put(Ok(())));
    for seen in ["v", "a"] {
        let overlapping = [Begun(1), Begun(0), stored(), found(1, Some(seen))];
        assert_eq!(first_wrong(asks(), &overlapping), None);
    }
    let after = [Begun(0), stored(), Begun(1), found(1, Some("v"))];
    assert_eq!(first_wrong(asks(), &after), Some(3));
    let before = [Begun(1), found(1, Some("a"))];
    assert_eq!(first_wrong(asks(), &before), Some(1));
    let back_and_forth = [
        Begun(0),
        Begun(1),
        found(1, Some("a")),
        Begun(2),
        found(2, Some("v")),
    ];
    assert_eq!(first_wrong(asks(), &back_and_forth), Some(4));
}

#[test]
fn an_unknown_outcome_leaves_both_possible_until_somebody_sees() {
    use Note::{Begun, Told as Says};
    let asks = || asked(vec![put("a"), get(), get(), get()]);
    let mut notes = vec![
        Begun(0),
        Says(0, Told::Put(Err(lost()))),
        Begun(1),
        found(1, Some("v")),
        Begun(2),
        found(2, Some("a")),
        Begun(3),
    ];
    notes.push(found(3, Some("a")));
    assert_eq!(first_wrong(asks(), &notes), None, "late, but once");
    notes.pop();
    notes.push(found(3, Some("v")));
    assert_eq!(first_wrong(asks(), &notes), Some(7), "not undone");
    let node = address(0);
    let refused = Told::Put(Err(Failure::WrongNode { node }));
    let refused = [Begun(0), Says(0, refused), Begun(1), found(1, Some("a"))];
    assert_eq!(first_wrong(asks(), &refused), Some(3));
}

#[test]
fn a_put_takes_effect_once_and_a_channel_is_removed_again_after_a_break() {
    use Note::{Begun, Told as Says};
    let again = || gather::Notification::Disconnected(address(0));
    let remove = Asked::RemoveChannel("c".into());
    let asks = || asked(vec![remove.clone(), put("a"), get(), get()]);
    let stored = || Says(1, Told::Put(Ok(())));
    let gone_twice = |cut: bool| {
        let mut notes = vec![Begun(0), Begun(2), found(2, None), Begun(1), stored()];
        if cut {
            notes.insert(3, Says(0, Told::RemoveChannel(again())));
        }
        notes.extend([Begun(3), found(3, None)]);
        notes
    };
    assert_eq!(first_wrong(asks(), &gone_twice(true)), None);
    assert_eq!(first_wrong(asks(), &gone_twice(false)), Some(6));
}

#[test]
fn what_others_write_takes_effect_at_once() {
    use Note::{Begun, Wrote};
    let (channel, key) = (record().channel, record().key);
    let asks = || asked(vec![get()]);
    let other = Wrote(0, channel, key, None, None);
    let old = [other.clone(), Begun(0), found(0, Some("v"))];
    assert_eq!(first_wrong(asks(), &old), Some(2));
    let meanwhile = [Begun(0), other, found(0, Some("v"))];
    assert_eq!(first_wrong(asks(), &meanwhile), None);
}
