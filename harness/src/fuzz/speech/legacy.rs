//! A client that speaks the legacy protocol: one order at a time.

use bytes::Bytes;
use dht_client::ControlError;
use dht_workload::case::Wrong;
use dht_workload::names::Names;
use dht_workload::sim::legacy::Client;
use dht_workload::world::{Control, Happening, Stream, Ticket};

use super::{Asked, Heard, Wish};
use crate::fuzz::forgery;
use crate::fuzz::place::Place;
use crate::fuzz::probe::{Hearing, Probe};

/// A client that speaks the legacy protocol.
#[derive(Default)]
pub(in crate::fuzz) struct Legacy {
    client: Client,
    /// A connection was asked for.
    asked: bool,
    /// It has a connection, and nobody was told that it is ready.
    ready: bool,
}

impl Legacy {
    pub(super) fn is_idle(&self) -> bool {
        self.client.is_idle()
    }

    pub(super) fn is_listening(&self) -> bool {
        self.client.is_listening()
    }

    pub(super) fn connected(&mut self) {
        self.client.connected();
        self.ready = true;
    }

    pub(super) fn disconnected(&mut self) {
        self.client.disconnected();
        self.ready = false;
    }

    pub(super) fn output(&mut self) -> (Vec<u8>, u64) {
        match self.client.output_len() {
            0 => (Vec::new(), 0),
            _ => (std::mem::take(self.client.output()), 1),
        }
    }

    pub(super) fn hear(&mut self, bytes: &[u8], probed: bool) -> Heard {
        let mut heard = Heard::default();
        match probed {
            true => heard.forged.push((0, Bytes::copy_from_slice(bytes))),
            false => heard.enough = self.client.received(bytes),
        }
        // What comes at once is hardly more than one answer.
        heard.messages = 1;
        heard
    }

    pub(super) fn next_wish(&mut self) -> Option<Wish> {
        if !std::mem::replace(&mut self.asked, true) {
            return Some(Wish::Connect);
        }
        if std::mem::take(&mut self.ready) {
            return Some(Wish::Ready);
        }
        self.client.next_happening().map(Wish::Happened)
    }

    pub(super) fn start(&mut self, ticket: Ticket, asked: Asked) -> Option<Happening> {
        match asked {
            Asked::Operation(operation) => self.client.begin(ticket, operation),
            Asked::Stream(channel, Stream::Listen) => self.client.listen(ticket, channel),
            Asked::Update(..) | Asked::Stream(..) => {
                return Some(asked.undone(ticket, "the legacy protocol does not know this"));
            }
        }
        None
    }

    /// Whoever listens can only hang up.
    pub(super) fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError> {
        match control == Control::Stop && self.client.stop(stream) {
            true => Ok(()),
            false => Err(ControlError::Ended),
        }
    }

    pub(super) fn forge(
        &mut self,
        ticket: Ticket,
        wrong: &Wrong,
        names: &Names,
        place: &Place,
    ) -> Result<(Probe, Vec<u8>), &'static str> {
        if !self.client.is_idle() {
            return Err("the connection is taken");
        }
        let forged = forgery::legacy::forge(wrong, names, &place.spare);
        let forged = forged.ok_or("it has no place in this")?;
        let (deed, hearing) = Hearing::legacy(forged);
        let last = forgery::legacy::sentinel();
        Ok(Probe::begin(ticket, wrong.defect, deed, hearing, last))
    }
}
