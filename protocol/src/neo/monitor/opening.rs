//! From the first message of a request to a client's half that would send it.

use super::breach::Wrong;
use super::watched::{Half, NODE, OTHER, Wanted, Watched};
use crate::codec::DecodeError;
use crate::key::Key;
use crate::neo::batch::GetAllBatch;
use crate::neo::client::{ClientRequest, Event, Request};
use crate::neo::registry::Registry;
use crate::neo::request::control::Control;
use crate::neo::request::gather::Gathering;
use crate::neo::request::{
    Command, RecordName, RequestCode, SupportedStatus, get_all, get_channels, get_hash_range,
    mirror, put, remove_channel, update,
};

/// The request, and what its first message is called; or of which request the message seems to be, and what
/// is wrong with it.
pub(super) fn begin(
    payload: &[u8],
    registry: &Registry,
) -> Result<(Watched, &'static str), (Option<RequestCode>, Wrong)> {
    let (command, fields) =
        Command::decode(payload).map_err(|error| (None, Wrong::Opening(error)))?;
    let code = command
        .request()
        .map_err(|status| (None, Wrong::Unknown(status)))?;
    let mut wanted = Wanted::default();
    let (half, message) = half(code, fields, registry, &mut wanted)
        .map_err(|error| (Some(code), Wrong::Opening(error)))?;
    match half {
        Some(half) if wanted.is_just(payload) => {
            Ok((Watched::new(code, half, wanted.suspended), message))
        }
        _ => Err((Some(code), Wrong::NobodysOpening)),
    }
}

/// A half of which a user has asked for just this. `None` if it refuses.
fn half(
    code: RequestCode,
    fields: &[u8],
    registry: &Registry,
    wanted: &mut Wanted,
) -> Result<(Option<Half>, &'static str), DecodeError> {
    let record = || RecordName::decode_fields(fields);
    let request = match code {
        RequestCode::GetHashRange => {
            get_hash_range::Open::decode(fields)?;
            let mut ranges = Gathering::new(get_hash_range::Client);
            wanted.of_ranges(|effects| ranges.connected(NODE, effects));
            return Ok((Some(Half::Ranges(ranges)), code.name()));
        }
        RequestCode::Update => {
            return Ok(match update::Open::decode(fields)? {
                update::Open::GetRecord(record) => {
                    let update = start(Request::Update(record), registry, wanted);
                    (update.map(Half::Request), "GetRecord")
                }
                update::Open::UpdateRecord(record, replacement) => {
                    let nodes = [NODE, OTHER];
                    let update = wanted.of_update(|effects| {
                        update::Client::moving(record, replacement, nodes, effects)
                    });
                    let half = Half::Request(ClientRequest::Update(update));
                    (Some(half), "UpdateRecord")
                }
            });
        }
        RequestCode::GetAll => {
            let open = get_all::Open::decode(fields)?;
            let keys_only = open.settings.keys_only;
            let request = Request::GetAll(open.channel, open.settings);
            let half = start(request, registry, wanted).map(|mut half| {
                if let Some(key) = open.continue_from {
                    be_interrupted_behind(&mut half, key, keys_only);
                }
                connect(&mut half, open.start_suspended, wanted);
                Half::Request(half)
            });
            return Ok((half, code.name()));
        }
        RequestCode::Mirror => {
            let open = mirror::Open::decode(fields)?;
            let request = Request::Mirror(open.channel, open.settings);
            let half = start(request, registry, wanted).map(|mut half| {
                connect(&mut half, open.start_suspended, wanted);
                Half::Request(half)
            });
            return Ok((half, code.name()));
        }
        RequestCode::Put => Request::Put(put::Open::decode(fields)?),
        RequestCode::Get => Request::Get(record()?),
        RequestCode::Exists => Request::Exists(record()?),
        RequestCode::Remove => Request::Remove(record()?),
        RequestCode::GetChannels => {
            get_channels::Open::decode(fields)?;
            Request::GetChannels
        }
        RequestCode::RemoveChannel => {
            Request::RemoveChannel(remove_channel::Open::decode(fields)?.0)
        }
    };
    let half = start(request, registry, wanted).map(|mut half| {
        wanted.of(|effects| half.handle(Event::Connected(NODE), effects));
        Half::Request(half)
    });
    Ok((half, code.name()))
}

fn start(request: Request, registry: &Registry, wanted: &mut Wanted) -> Option<ClientRequest> {
    wanted.of(|effects| ClientRequest::start(request, registry, effects))
}

/// The connection is up; or its user has suspended the request, and then the connection is up.
fn connect(half: &mut ClientRequest, suspended: bool, wanted: &mut Wanted) {
    wanted.of(|effects| {
        if suspended {
            // Nothing is under way that could make it refuse.
            let _ = half.control(Control::Suspend, effects);
        }
        half.handle(Event::Connected(NODE), effects);
    });
}

/// A GetAll goes on behind a key if it has received that on an earlier connection: this is one.
fn be_interrupted_behind(half: &mut ClientRequest, key: Key, keys_only: bool) {
    let mut batch = GetAllBatch::default();
    match keys_only {
        true => batch.push_key(key),
        false => batch.push(key, b"v"),
    };
    let (mut started, mut records) = (Vec::new(), Vec::new());
    get_all::FromNode::Started.encode(&mut started);
    get_all::FromNode::RecordBatch(batch.finish().into()).encode(&mut records);
    let supported = SupportedStatus::Supported.encode();

    let mut past = Vec::new();
    half.handle(Event::Connected(NODE), &mut past);
    for message in [&supported[..], &started, &records] {
        half.handle(Event::Message(NODE, message), &mut past);
    }
    half.handle(Event::Disconnected(NODE), &mut past);
}
