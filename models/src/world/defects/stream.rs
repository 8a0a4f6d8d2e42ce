//! Defects of GetAll and Mirror where they are controlled, and of GetAll itself: what a machine hears, says
//! and tells is changed on its way.

use std::borrow::Cow;

use bytes::Bytes;
use dht_protocol::neo::client::{Backlog, ClientRequest, Told};
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::control::{ACK, Control, FromClient};
use dht_protocol::neo::request::get_all;
use dht_protocol::neo::request::stream::Notification;

use crate::defect::{Defect, Defects};
use crate::property::control::{is_stream, is_suspended};
use crate::world::World;
use crate::world::client::{self, Input};
use crate::world::frame::{NODES, address};
use crate::world::note::{Node, Note, Request};
use crate::world::state::Machine;

const FINISHED: u8 = 8;
/// A batch of a GetAll without a record.
const EMPTY_BATCH: &[u8] = &[
    7, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0,
];

impl World {
    /// What the client of a GetAll or Mirror does in a step.
    pub(super) fn bend_stream_client(
        &self,
        request: Request,
        input: Input,
        step: client::Step,
    ) -> client::Step {
        let defects = self.frame.defects;
        let acknowledged = match input {
            Input::Message(_, message) => self.messages.get(message)[..] == [ACK],
            Input::Control(_) => true,
            _ => false,
        };
        let (mut notes, mut sends) = (Vec::new(), Vec::new());
        for note in self.notes.get(step.notes) {
            match note {
                Note::ClientSent(_, node, payload) => {
                    for payload in bend_client_said(defects, payload) {
                        sends.push((*node, self.messages.id(payload.clone())));
                        notes.push(Note::ClientSent(request, *node, payload));
                    }
                }
                Note::Told(_, Told::GetAll(told)) => {
                    for told in bend_told(defects, acknowledged, told) {
                        notes.push(Note::Told(request, Told::GetAll(told)));
                    }
                }
                Note::Told(_, Told::Mirror(told)) => {
                    for told in bend_told(defects, acknowledged, told) {
                        notes.push(Note::Told(request, Told::Mirror(told)));
                    }
                }
                note => notes.push(note.clone()),
            }
        }
        if defects.has(Defect::M46) && input == Input::Pace(Backlog::High) {
            notes.push(Note::Told(request, Told::GetAll(Notification::Suspended)));
        }
        client::Step {
            notes: self.notes.id(notes),
            sends,
            ..step
        }
    }
}

fn bend_client_said(defects: Defects, payload: &Bytes) -> Vec<Bytes> {
    let is_control = matches!(
        (FromClient::decode(payload), payload.len()),
        (Ok(FromClient::Control(_)), 1)
    );
    let is_ack = payload[..] == [ACK];
    let twice = is_control && defects.has(Defect::M23) || is_ack && defects.has(Defect::M34);
    if is_ack && defects.has(Defect::M25) {
        return Vec::new();
    }
    if twice {
        return vec![payload.clone(), payload.clone()];
    }
    vec![bend_opening(defects, payload)]
}

/// M26 and M30: what a request begins with.
fn bend_opening(defects: Defects, payload: &Bytes) -> Bytes {
    let [code, version, fields @ ..] = &payload[..] else {
        return payload.clone();
    };
    if (*code, *version) != (RequestCode::GetAll as u8, 0) {
        return payload.clone();
    }
    let Ok(mut open) = get_all::Open::decode(fields) else {
        return payload.clone();
    };
    open.continue_from = open.continue_from.filter(|_| !defects.has(Defect::M26));
    open.start_suspended &= !defects.has(Defect::M30);
    open.encode().into()
}

fn bend_told<T: Clone>(
    defects: Defects,
    acknowledged: bool,
    told: &Notification<T>,
) -> Vec<Notification<T>> {
    match told {
        Notification::Suspended if defects.has(Defect::M28) => Vec::new(),
        Notification::Suspended | Notification::Resumed
            if !acknowledged && defects.has(Defect::F32) =>
        {
            Vec::new()
        }
        Notification::Stopped
            if defects.has(Defect::M33) || !acknowledged && defects.has(Defect::F32) =>
        {
            vec![Notification::Finished]
        }
        Notification::Started if defects.has(Defect::M29) => vec![told.clone(), told.clone()],
        _ => vec![told.clone()],
    }
}

/// What a node says, which is in this state afterwards.
pub(super) fn bend_said(
    defects: Defects,
    payload: &Bytes,
    after: Option<&NodeRequest>,
) -> Vec<Bytes> {
    let mut said = vec![payload.clone()];
    if payload[..] == [FINISHED] && defects.has(Defect::M47) {
        said.push(Bytes::from_static(EMPTY_BATCH));
    }
    if payload[..] == [ACK] {
        if defects.has(Defect::M20) {
            said.push(payload.clone());
        }
        if after.is_none() && defects.has(Defect::M21) {
            said.push(Bytes::from_static(EMPTY_BATCH));
        }
        if after.is_none() && defects.has(Defect::M22) {
            said.push(Bytes::from_static(&[FINISHED]));
        }
        if is_suspended(after) && defects.has(Defect::M24) {
            said.extend([EMPTY_BATCH; 3].map(Bytes::from_static));
        }
    }
    if payload[..] == [FINISHED] && defects.has(Defect::M38) {
        return Vec::new();
    }
    let is_batch = matches!(
        get_all::FromNode::decode(payload),
        Ok(get_all::FromNode::RecordBatch(_))
    );
    if is_batch && defects.has(Defect::M37) {
        said = vec![payload.slice(..payload.len() - 1)];
    }
    said
}

/// M31 and M36: what a node understands of a first message.
pub(in crate::world) fn bend_fields(
    defects: Defects,
    request: RequestCode,
    fields: &[u8],
) -> Cow<'_, [u8]> {
    let decoded = get_all::Open::decode(fields);
    let (RequestCode::GetAll, true, Ok(mut open)) = (request, defects.any(), decoded) else {
        return Cow::Borrowed(fields);
    };
    open.start_suspended &= !defects.has(Defect::M31);
    if defects.has(Defect::M36) {
        open.settings.value_filter = Bytes::new();
    }
    Cow::Owned(open.encode().split_off(2))
}

/// What becomes of a message that a node hears.
pub(in crate::world) enum Hearing {
    /// It is understood.
    Clear,
    /// M27: It is overlooked.
    Overlooked,
    /// M32: It ends the request.
    Fatal,
}

impl Hearing {
    pub(in crate::world) fn of(defects: Defects, payload: &[u8]) -> Self {
        const STOP: &[u8] = &[Control::Stop as u8];
        const RESUME: &[u8] = &[Control::Resume as u8];
        match payload {
            STOP if defects.has(Defect::M27) => Self::Overlooked,
            RESUME if defects.has(Defect::M32) => Self::Fatal,
            _ => Self::Clear,
        }
    }
}

/// F30: the nodes whose connection is closed by a control call.
pub(in crate::world) fn closed_by_call(defects: Defects, half: &ClientRequest) -> Vec<Node> {
    if !defects.has(Defect::F30) {
        return Vec::new();
    }
    let opening = |node: &Node| half.phase(address(*node)).starts_with("AwaitS");
    (0..NODES).filter(opening).collect()
}

/// F31: is a stop told at once, and otherwise forgotten?
pub(in crate::world) fn forgets_stop(defects: Defects, half: &Machine, control: Control) -> bool {
    let Machine::Request(half) = half else {
        return false;
    };
    let away = |node| matches!(half.phase(address(node)), "AwaitConnection" | "Ended");
    let forgets = defects.has(Defect::F31) && control == Control::Stop;
    forgets && is_stream(half) && (0..NODES).all(away)
}
