//! What models of requests for records and channels are made of.

use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::RecordName;
use dht_protocol::neo::request::put::Open;
use dht_protocol::{HashRange, Key};

use super::Bounds;
use crate::property::connections::{NothingOutlivesItsConnection, OthersGoOn};
use crate::property::dialogue::{
    ClientIsSilentAfterEnd, GotThenValue, NodeEnds, RefusedIsOver, StatusFirst,
};
use crate::property::every_request::{ALL_END, AskedOnce, EndsOnce, Reaches, Reception};
use crate::property::records::{NoRecordAnywhere, PutStores, RemoveCountsAll};
use crate::property::stored::{GetReturnsWhatWas, RemoveRemoves, WrongNodeChangesNothing};
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store, Write, WriteKind};

/// The channel of all records.
pub(super) const CHANNEL: &str = "c";
/// On the lower half of all positions.
pub(super) const KEY: Key = Key(2);
/// Another one, in front of it.
pub(super) const OTHER: Key = Key(0);

/// With the properties of every request, and those of a record that hold whatever happens to it.
pub(super) fn every_request(frame: Frame) -> Frame {
    frame
        .property(watch(Reception))
        .property(watch(EndsOnce))
        .property(watch(ALL_END))
        .property(watch(StatusFirst))
        .property(watch(RefusedIsOver))
        .property(watch(GotThenValue))
        .property(watch(NodeEnds))
        .property(watch(ClientIsSilentAfterEnd))
        .property(watch(AskedOnce))
        .property(watch(OthersGoOn))
        .property(watch(NothingOutlivesItsConnection))
        .property(watch(WrongNodeChangesNothing))
        .property(watch(PutStores))
        .property(watch(NoRecordAnywhere))
        .property(watch(RemoveCountsAll))
        .property(watch(GetReturnsWhatWas(record())))
        .property(watch(RemoveRemoves(record())))
}

/// So many breaks, and one more where there is time; and so many users that lose patience.
pub(super) fn budget(bounds: Bounds, breaks: u8, abandons: u8) -> Budget {
    let more = u8::from(bounds == Bounds::Deep);
    Budget {
        breaks: breaks + more,
        abandons,
        ..Budget::default()
    }
}

/// Something that has to happen in some run.
pub(super) fn goal(
    id: &'static str,
    sentence: &'static str,
    when: fn(&Note) -> bool,
) -> Box<dyn crate::property::AnyProperty> {
    watch(Reaches { id, sentence, when })
}

/// The store of a node that is responsible for all keys and has the record.
pub(super) fn full(value: &'static str) -> Store {
    Store::new(HashRange::FULL).with(CHANNEL, KEY, value)
}

/// The record.
pub(super) fn record() -> RecordName {
    RecordName {
        channel: CHANNEL.into(),
        key: KEY,
    }
}

/// A Put of the record.
pub(super) fn store(value: &'static str) -> Request {
    Request::Put(Open {
        record: record(),
        value: value.into(),
    })
}

/// Somebody else's write on the first node.
pub(super) fn write(what: WriteKind) -> Write {
    Write {
        node: 0,
        channel: CHANNEL.into(),
        what,
    }
}
