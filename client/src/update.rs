//! An Update between its two steps.

use bytes::Bytes;
use dht_protocol::neo::request::update::{Decision, Notification, Updated};

use crate::client::Client;
use crate::error::RequestError;
use crate::mailbox::Receiver;
use crate::shared::Writing;
use crate::ticket::{Ticket, next};

/// An Update that has read its record and awaits the decision on it; see [`Client::update_later`].
/// Dropped without one, it leaves the record as it is.
#[derive(Debug)]
pub struct PendingUpdate {
    client: Client,
    ticket: Ticket,
    events: Receiver<Notification>,
    value: Bytes,
}

impl PendingUpdate {
    /// Waits for the record; `None` if there is none.
    pub(crate) async fn read(
        client: Client,
        mut ticket: Ticket,
        mut events: Receiver<Notification>,
    ) -> Result<Option<Self>, RequestError> {
        match client.in_time(next(&mut events)).await? {
            Some(Notification::Received(value)) => Ok(Some(Self {
                client,
                ticket,
                events,
                value,
            })),
            Some(Notification::Ended(outcome)) => {
                ticket.ended = true;
                // Nothing was decided, so nothing but the lack of a record can be a success.
                outcome?;
                Ok(None)
            }
            None => Err(RequestError::Shutdown),
        }
    }

    /// The record's value.
    pub fn value(&self) -> &Bytes {
        &self.value
    }

    /// Does with the record what was decided, unless somebody else has changed it meanwhile.
    pub async fn decide(mut self, decision: Decision) -> Result<Updated, RequestError> {
        {
            let shared = self.client.shared();
            let mut state = shared.lock();
            let now = shared.now();
            state.core.decide(self.ticket.id, decision, now);
            shared.carry_out(&mut state, Writing::Now, now);
        }
        loop {
            let event = self.client.in_time(next(&mut self.events)).await?;
            match event {
                Some(Notification::Ended(outcome)) => {
                    self.ticket.ended = true;
                    return outcome.map_err(RequestError::from);
                }
                // Told once, before this object was made.
                Some(Notification::Received(_)) => {}
                None => return Err(RequestError::Shutdown),
            }
        }
    }
}
