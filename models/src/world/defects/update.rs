//! Defects of Update and of GetHashRange: what a machine wants in a step is changed on its way out, and
//! what a node does with a message on its way in.

use bytes::Bytes;
use dht_protocol::neo::client::{ClientRequest, Event, Request as Asks, Told};
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::update::{
    self, Decision, FromClient, FromNode, Notification, Open, Replacement, Updated,
};
use dht_protocol::neo::request::{
    Command, Effect, Failure, Host, RecordName, RequestCode, get_hash_range,
};
use dht_protocol::{HashRange, fnv1a};

use crate::defect::{Defect, Defects};
use crate::intern::Id;
use crate::world::World;
use crate::world::client::{self, Input};
use crate::world::frame::address;
use crate::world::note::{Node, Note, Request};
use crate::world::state::{Asked, Machine, Served};
use crate::world::store::StoreHost;

/// F33: what becomes of a decision.
pub(in crate::world) fn bend_decision(defects: Defects, decision: &Decision) -> Decision {
    match decision {
        Decision::Leave if defects.has(Defect::F33) => Decision::Replace(Bytes::new()),
        decision => decision.clone(),
    }
}

impl World {
    /// What the client of an Update does in a step.
    pub(super) fn bend_update_client(
        &self,
        request: Request,
        before: &Asked,
        input: Input,
        step: client::Step,
    ) -> client::Step {
        let defects = self.frame.defects;
        let Some(Asks::Update(record)) = &self.frame.requests[request].asks else {
            return step;
        };
        let phase = match before {
            Asked::Active {
                half: Machine::Request(ClientRequest::Update(half)),
                ..
            } => half.phase(),
            _ => "",
        };
        let moving = matches!(phase, "Moving" | "MovingAwaitSupported");
        if moving && defects.has(Defect::F34) && self.sends(&step, &FromClient::RemoveRecord) {
            self.closes_instead(request, step)
        } else if moving && defects.has(Defect::F37) && self.sends(&step, &FromClient::LeaveRecord)
        {
            self.is_told_at_once(request, step)
        } else if moving && defects.has(Defect::M53) {
            self.leaves(request, step)
        } else if defects.has(Defect::F35) {
            self.goes_on(request, record, input, step)
        } else if defects.has(Defect::F36) && !matches!(input, Input::Disconnected(_)) {
            self.hangs(phase, step)
        } else {
            step
        }
    }

    fn sends(&self, step: &client::Step, message: &FromClient) -> bool {
        let message = message.encode();
        let mut sends = step.sends.iter();
        sends.any(|(_, sent)| self.payload(*sent) == message)
    }

    /// F34: the connection is closed instead of what was to be sent, and nobody is told.
    fn closes_instead(&self, request: Request, mut step: client::Step) -> client::Step {
        step.closes
            .extend(step.sends.drain(..).map(|(node, _)| node));
        self.without(step, request, |note| matches!(note, Note::ClientSent(..)))
    }

    /// M53: what was to be removed is left.
    fn leaves(&self, request: Request, mut step: client::Step) -> client::Step {
        let (remove, leave) = (FromClient::RemoveRecord, FromClient::LeaveRecord);
        let (remove, leave) = (remove.encode(), Bytes::from(leave.encode()));
        for (_, sent) in &mut step.sends {
            if self.payload(*sent) == remove {
                *sent = self.messages.id(leave.clone());
            }
        }
        let notes = self.notes.get(step.notes).iter().map(|note| match note {
            Note::ClientSent(_, node, payload) if *payload == remove => {
                Note::ClientSent(request, *node, leave.clone())
            }
            note => note.clone(),
        });
        step.notes = self.notes.id(notes.collect());
        step
    }

    /// F37: what was to be sent is not; the user is told as if it had been, and answered.
    fn is_told_at_once(&self, request: Request, mut step: client::Step) -> client::Step {
        let mut told = Vec::new();
        if let Asked::Active {
            half: Machine::Request(half),
            ..
        } = self.asked.get(step.asked)
        {
            let mut ok = Vec::new();
            FromNode::Ok.encode(&mut ok);
            let mut half = half.clone();
            for (node, _) in step.sends.drain(..) {
                half.handle(Event::Message(address(node), &ok), &mut told);
            }
        }
        let mut step = self.without(step, request, |note| matches!(note, Note::ClientSent(..)));
        let told = told.into_iter().filter_map(|effect| match effect {
            Effect::Notify(told) => Some(Note::Told(request, told)),
            _ => None,
        });
        let notes = self.notes.get(step.notes).iter().cloned().chain(told);
        step.notes = self.notes.id(notes.collect());
        step
    }

    /// The request ends, without some of what has happened.
    fn without(
        &self,
        step: client::Step,
        request: Request,
        not: fn(&Note) -> bool,
    ) -> client::Step {
        let notes = self.notes.get(step.notes).iter();
        let mut notes: Vec<Note> = notes.filter(|note| !not(note)).cloned().collect();
        notes.push(Note::Over(request));
        client::Step {
            asked: self.nothing.over,
            notes: self.notes.id(notes),
            ..step
        }
    }

    /// F35: after a success the next node is asked as well.
    fn goes_on(
        &self,
        request: Request,
        record: &RecordName,
        input: Input,
        mut step: client::Step,
    ) -> client::Step {
        let notes = self.notes.get(step.notes);
        let done = Told::Update(Notification::Ended(Ok(Updated::Done)));
        let done = notes.contains(&Note::Told(request, done));
        let (Input::Message(node, _), true) = (input, done) else {
            return step;
        };
        if let Some(older) = self.older(request, node) {
            let payload = Bytes::from(Open::GetRecord(record.clone()).encode());
            let mut notes = Vec::clone(notes);
            notes.push(Note::ClientSent(request, older, payload.clone()));
            step.sends.push((older, self.messages.id(payload)));
            step.notes = self.notes.id(notes);
        }
        step
    }

    /// The node that the client has known for longer.
    fn older(&self, request: Request, node: Node) -> Option<Node> {
        let client = &self.frame.clients[self.frame.requests[request].client];
        let place = client.knows.iter().position(|known| *known == node)?;
        client.knows.get(place.checked_sub(1)?).copied()
    }

    /// F36: that a node is away is not told, and what waits for it waits for ever.
    fn hangs(&self, phase: &str, mut step: client::Step) -> client::Step {
        let away = |note: &Note| match note {
            Note::Told(_, Told::Update(Notification::Ended(Err(Failure::Disconnected { .. })))) => {
                true
            }
            Note::ClientSent(_, _, payload) => {
                phase == "Deciding" && payload[..] == FromClient::LeaveRecord.encode()
            }
            _ => false,
        };
        let moves = matches!(
            self.asked.get(step.asked),
            Asked::Active { half: Machine::Request(half), .. } if half.phase(address(0)) == "AwaitEnd"
        );
        let notes = self.notes.get(step.notes);
        // Who decides to leave the record says so himself.
        let left = notes
            .iter()
            .any(|note| matches!(note, Note::Decided(_, Decision::Leave)));
        if left || (phase == "Deciding" && !moves) {
            return step;
        }
        let heard = notes.iter().filter(|note| !away(note)).cloned().collect();
        if phase == "Deciding" && self.sends(&step, &FromClient::LeaveRecord) {
            step.sends.clear();
        }
        step.notes = self.notes.id(heard);
        step
    }
}

/// What a node does with a message of the client that is not the first one, with its defects. Is that all?
pub(in crate::world) fn bend_second(
    defects: Defects,
    served: &mut Served,
    message: Id<Bytes>,
    payload: &[u8],
    host: &mut StoreHost<'_>,
) -> bool {
    match &served.half {
        Some(NodeRequest::GetHashRange(_)) if defects.has(Defect::F14) => {
            *served = Served::default();
            true
        }
        Some(NodeRequest::Update(_)) if defects.has(Defect::F16) => {
            host.range = Some(HashRange::FULL);
            false
        }
        Some(NodeRequest::Update(update::Node::Deciding(record))) if defects.has(Defect::M40) => {
            let fits = match FromClient::decode(payload) {
                Ok(FromClient::UpdateRecord(replacement)) => {
                    host.range().covers(record.key) && fits(record, &replacement, host)
                }
                _ => false,
            };
            served.held = fits.then_some(message);
            fits
        }
        _ => false,
    }
}

/// M40: what was compared before is written now, whatever there is by now.
pub(in crate::world) fn write_late(served: &mut Served, payload: &[u8], host: &mut StoreHost<'_>) {
    let Some(NodeRequest::Update(half)) = &mut served.half else {
        return;
    };
    let (update::Node::Deciding(record), Ok(FromClient::UpdateRecord(replacement))) =
        (&*half, FromClient::decode(payload))
    else {
        return;
    };
    let original_hash = stored(record, host).unwrap_or(replacement.original_hash);
    let replacement = Replacement {
        original_hash,
        ..replacement
    };
    let payload = FromClient::UpdateRecord(replacement).encode();
    // It is what the client said, with another hash.
    let _ = dht_protocol::neo::request::NodeHalf::receive(half, &payload, host);
}

/// M41: what has to be written although there is another value.
pub(in crate::world) fn written_all_the_same(
    defects: Defects,
    half: Option<&NodeRequest>,
    payload: &[u8],
    host: &StoreHost<'_>,
) -> Option<(RecordName, Bytes)> {
    if !defects.has(Defect::M41) {
        return None;
    }
    let (record, replacement) = match half {
        Some(NodeRequest::Update(update::Node::Deciding(record))) => {
            match FromClient::decode(payload).ok()? {
                FromClient::UpdateRecord(replacement) => (record.clone(), replacement),
                _ => return None,
            }
        }
        Some(_) => return None,
        None => {
            let (command, fields) = Command::decode(payload).ok()?;
            match (command.request(), Open::decode(fields)) {
                (Ok(RequestCode::Update), Ok(Open::UpdateRecord(record, replacement))) => {
                    (record, replacement)
                }
                _ => return None,
            }
        }
    };
    let conflict = !fits(&record, &replacement, host);
    conflict.then_some((record, replacement.new_value))
}

fn fits(record: &RecordName, replacement: &Replacement, host: &StoreHost<'_>) -> bool {
    stored(record, host).is_none_or(|hash| hash == replacement.original_hash)
}

/// The hash of the value that there is.
fn stored(record: &RecordName, host: &StoreHost<'_>) -> Option<u64> {
    let channel = host.find_channel(&record.channel)?;
    let value = host.get(channel, record.key).ok()??;
    Some(fnv1a(&value))
}

/// M42: what a node tells of other nodes.
pub(in crate::world) fn is_untold(defects: Defects, update: &get_hash_range::Update) -> bool {
    defects.has(Defect::M42) && matches!(update, get_hash_range::Update::NewNode(..))
}
