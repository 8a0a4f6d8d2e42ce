//! Defects of requests for one record and of those that gather from all nodes, where they can be brought in
//! from outside: what a machine has said and told in a step is changed on its way out.

use bytes::Bytes;
use dht_protocol::ChannelName;
use dht_protocol::neo::client::{ClientRequest, Request as Asks, Told};
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::{
    Failure, Host, RecordName, RequestCode, SupportedStatus, exists, gather, get, get_channels,
    put, remove,
};

use crate::defect::{Defect, Defects};
use crate::property::every_request::{failure, is_end};
use crate::world::World;
use crate::world::client::{self, Input};
use crate::world::frame::{NODES, address};
use crate::world::note::{Note, Request};
use crate::world::state::{Asked, Machine};
use crate::world::store::StoreHost;

impl World {
    /// What a client does in a step.
    pub(super) fn bend_request_client(
        &self,
        request: Request,
        before: &Asked,
        input: Input,
        step: client::Step,
    ) -> client::Step {
        let defects = self.frame.defects;
        let mut notes = Vec::new();
        let mut sends = step.sends;
        for note in self.notes.get(step.notes).iter() {
            match note {
                Note::ClientSent(..) if defects.has(Defect::M04) => {
                    notes.extend([note.clone(), note.clone()]);
                    sends.extend(sends.clone());
                }
                Note::Told(_, told) => {
                    let told = bend_told(defects, input, self, told);
                    let ended = told.as_ref().is_some_and(is_end);
                    notes.extend(told.iter().map(|told| Note::Told(request, told.clone())));
                    if ended && defects.has(Defect::M06) {
                        notes.extend(told.map(|told| Note::Told(request, told)));
                    }
                    if let (Input::Message(node, _), true) =
                        (input, ended && defects.has(Defect::M05))
                    {
                        let thanks = Bytes::from_static(&[1]);
                        sends.push((node, self.messages.id(thanks.clone())));
                        notes.push(Note::ClientSent(request, node, thanks));
                    }
                }
                note => notes.push(note.clone()),
            }
        }
        if defects.has(Defect::M44) && self.is_first_end(request, before, input) {
            let told = Told::GetChannels(gather::Notification::Finished);
            notes.push(Note::Told(request, told));
        }
        if defects.has(Defect::F38)
            && let Some(name) = self.forgotten(before, input, &notes)
        {
            let told = Told::GetChannels(gather::Notification::Notice(name));
            notes.push(Note::Told(request, told));
        }
        let notes = self.notes.id(notes);
        client::Step {
            notes,
            sends,
            ..step
        }
    }

    /// F38: a name that was told before, but is told again because a node has ended since.
    fn forgotten(&self, before: &Asked, input: Input, notes: &[Note]) -> Option<ChannelName> {
        let Asked::Active {
            half: Machine::Request(half @ ClientRequest::GetChannels(_)),
            ..
        } = before
        else {
            return None;
        };
        let Input::Message(_, message) = input else {
            return None;
        };
        let ended = (0..NODES).any(|node| half.phase(address(node)) == "Ended");
        let told = notes.iter().any(|note| matches!(note, Note::Told(..)));
        match get_channels::FromNode::decode(&self.payload(message)) {
            Ok(get_channels::FromNode::ChannelName(name)) if ended && !told => Some(name),
            _ => None,
        }
    }

    /// M44: a node has finished its list, and another one has not.
    fn is_first_end(&self, request: Request, before: &Asked, input: Input) -> bool {
        let lists = self.frame.requests[request].asks == Some(Asks::GetChannels);
        let (Input::Message(node, message), Asked::Active { half, .. }) = (input, before) else {
            return false;
        };
        let Machine::Request(half) = half else {
            return false;
        };
        let mut others = (0..NODES).filter(|other| *other != node);
        lists
            && others.any(|other| half.phase(address(other)) == "Running")
            && get_channels::FromNode::decode(&self.payload(message))
                == Ok(get_channels::FromNode::Finished)
    }

    /// M15: what a client that asks in the wrong order knows.
    pub(in crate::world) fn bend_registry(&self, asks: &Asks, registry: &Registry) -> Registry {
        let (true, Asks::Remove(record)) = (self.frame.defects.has(Defect::M15), asks) else {
            return registry.clone();
        };
        let mut bent = Registry::default();
        for node in registry.covering(record.key) {
            let range = registry.range(node);
            range.map(|range| bent.learn(node, range));
        }
        bent
    }
}

/// What a user is told.
fn bend_told(defects: Defects, input: Input, world: &World, told: &Told) -> Option<Told> {
    let message = match input {
        Input::Message(_, message) => Some(world.payload(message)),
        _ => None,
    };
    match (told, message) {
        // The node that was to be asked next is away.
        (Told::Get(Err(Failure::Disconnected { .. })), Some(_)) if defects.has(Defect::F40) => {
            Some(Told::Get(Ok(None)))
        }
        (Told::Exists(Err(Failure::Disconnected { .. })), Some(_)) if defects.has(Defect::F40) => {
            Some(Told::Exists(Ok(false)))
        }
        (Told::Remove(Ok(_)), Some(message)) if defects.has(Defect::F39) => {
            let removed = message[..] == remove::Reply::Removed.encode();
            Some(Told::Remove(Ok(removed)))
        }
        (told, _)
            if defects.has(Defect::F44)
                && matches!(failure(told), Some(Failure::Violation { .. })) =>
        {
            None
        }
        (told, _) => Some(told.clone()),
    }
}

/// What a node says.
pub(super) fn bend_said(defects: Defects, asks: Option<&Asks>, payload: &Bytes) -> Vec<Bytes> {
    let is_status = SupportedStatus::decode(payload).is_ok();
    let byte = |byte: u8| vec![Bytes::copy_from_slice(&[byte])];
    match asks {
        _ if is_status && defects.has(Defect::M01) => Vec::new(),
        _ if is_status && defects.has(Defect::M02) => {
            byte(SupportedStatus::VersionNotSupported as u8)
        }
        _ if is_status && defects.has(Defect::F44) => byte(0),
        Some(Asks::Get(_))
            if defects.has(Defect::M03) && payload[..] == get::Reply::Got.encode() =>
        {
            vec![payload.clone(), payload.clone()]
        }
        Some(Asks::GetChannels) if defects.has(Defect::M45) && payload.len() > 1 => {
            vec![payload.clone(), payload.clone()]
        }
        Some(Asks::Exists(_)) if defects.has(Defect::M13) && !is_status => {
            byte(exists::Reply::NoRecord as u8)
        }
        _ => vec![payload.clone()],
    }
}

/// M10 and M43: what a node does before it looks whether it is responsible.
pub(in crate::world) fn bend_opening(
    defects: Defects,
    request: RequestCode,
    fields: &[u8],
    host: &mut StoreHost<'_>,
) {
    let (opens, puts) = (defects.has(Defect::M10), defects.has(Defect::M43));
    if !opens && !puts {
        return;
    }
    let put = put::Open::decode(fields);
    let put = put.ok().filter(|_| request == RequestCode::Put);
    let record = match &put {
        Some(put) => Ok(put.record.clone()),
        None => RecordName::decode_fields(fields),
    };
    let Ok(record) = record else {
        return;
    };
    // In a model this cannot fail.
    let Ok(channel) = host.open_channel(&record.channel) else {
        return;
    };
    if let Some(put) = put.filter(|_| puts) {
        let _ = host.put(channel, record.key, &put.value);
    }
}
