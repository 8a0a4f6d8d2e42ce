//! Where defects are brought in: what a machine hears, wants and says is changed on its way in or out. The
//! machines themselves are the ones that run; they know of no defect.
//!
//! * `request`: requests for one record, GetChannels, and whatever every request does.
//! * `stream`: GetAll, and what it has in common with Mirror. `mirror`: the node of a Mirror.
//! * `update`: Update, and GetHashRange.
//!
//! The defects of what a node stores are in `store`, those of connections and of the redistribution where these
//! are.

pub(super) mod mirror;
pub(super) mod request;
pub(super) mod stream;
pub(super) mod update;

use super::client::{self, Input};
use super::note::{Note, Request};
use super::state::Asked;
use super::{World, node};

impl World {
    /// What a client does in a step, with its defects. `before` is where the request stood.
    pub(super) fn bend_client(
        &self,
        request: Request,
        before: &Asked,
        input: Input,
        step: client::Step,
    ) -> client::Step {
        if !self.frame.defects.any() {
            return step;
        }
        let step = self.bend_update_client(request, before, input, step);
        let step = self.bend_stream_client(request, input, step);
        self.bend_request_client(request, before, input, step)
    }

    /// What a node does in a step, with its defects.
    pub(super) fn bend_node(&self, request: Request, step: node::Step) -> node::Step {
        let defects = self.frame.defects;
        if !defects.any() {
            return step;
        }
        let asks = self.frame.requests[request].asks.as_ref();
        let after = self.served.get(step.served).half.as_ref();
        let (mut notes, mut sends) = (Vec::new(), Vec::new());
        for note in self.notes.get(step.notes) {
            let Note::NodeSent(_, node, payload) = note else {
                notes.push(note.clone());
                continue;
            };
            let said = stream::bend_said(defects, payload, after);
            let said = said.iter();
            for payload in said.flat_map(|payload| request::bend_said(defects, asks, payload)) {
                sends.push(self.messages.id(payload.clone()));
                notes.push(Note::NodeSent(request, *node, payload));
            }
        }
        node::Step {
            notes: self.notes.id(notes),
            sends,
            ..step
        }
    }
}
