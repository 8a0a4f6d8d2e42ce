//! Starting requests, and waiting for what they tell.

use std::sync::Arc;

use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::Failure;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::client::Client;
use crate::error::RequestError;
use crate::mailbox::{Letter, Receiver, Sender, mailbox};
use crate::shared::{Shared, State, Writing};
use crate::waiters::{Answer, Queue};
use dht_protocol::neo::client::Request;

impl Client {
    /// Starts a request and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        request: Request,
        answer: fn(oneshot::Sender<Result<T, Failure>>) -> Answer,
    ) -> Result<T, RequestError> {
        let (sender, mut waiting) = oneshot::channel();
        let mut ticket = {
            let shared = self.shared();
            let mut state = shared.lock();
            let now = shared.now();
            let id = begin(&mut state, request, shared)?;
            state.waiters.expect(id, answer(sender));
            // Who is alone is served at once; a crowd is served together.
            let writing = match state.waiters.answers() {
                1 => Writing::Now,
                _ => Writing::Later,
            };
            shared.carry_out(&mut state, writing, now);
            Ticket::new(self, id)
        };
        let answer = match self.request_timeout {
            None => waiting.await,
            Some(limit) => match timeout(limit, &mut waiting).await {
                Ok(answer) => answer,
                Err(_) => {
                    ticket.abandon();
                    // Either the answer has come after all, or it says that it came too late.
                    waiting.await
                }
            },
        };
        ticket.ended = true;
        Ok(answer.map_err(|_| RequestError::Shutdown)??)
    }

    /// Starts a request that tells more than one thing.
    pub(crate) fn follow<T: Letter>(
        &self,
        request: Request,
        queue: impl FnOnce(Sender<T>) -> Queue,
    ) -> Result<(Ticket, Receiver<T>), RequestError> {
        let (sender, receiver) = mailbox(self.marks);
        let shared = self.shared();
        let mut state = shared.lock();
        let now = shared.now();
        let id = begin(&mut state, request, shared)?;
        state.waiters.follow(id, queue(sender));
        shared.carry_out(&mut state, Writing::Later, now);
        Ok((Ticket::new(self, id), receiver))
    }

    /// Waits for an answer as long as requests are waited for.
    pub(crate) async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        match self.request_timeout {
            None => Ok(answer.await),
            Some(limit) => timeout(limit, answer).await.map_err(|_| Failure::TimedOut),
        }
    }
}

/// A request that somebody waits for. Dropped before the request has ended, it gives the request up.
#[derive(Debug)]
pub(crate) struct Ticket {
    shared: Arc<Shared>,
    pub(crate) id: RequestId,
    /// Has it ended?
    pub(crate) ended: bool,
}

impl Ticket {
    fn new(client: &Client, id: RequestId) -> Self {
        Self {
            shared: Arc::clone(client.shared()),
            id,
            ended: false,
        }
    }

    /// Waits no longer; the request tells so if it can.
    fn abandon(&mut self) {
        let mut state = self.shared.lock();
        let now = self.shared.now();
        state.core.abandon(self.id, now);
        self.shared.carry_out(&mut state, Writing::Later, now);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.drop_request(self.id);
        }
    }
}

/// The next thing that a request tells. For requests whose pace does not matter.
pub(crate) async fn next<T: Letter>(events: &mut Receiver<T>) -> Option<T> {
    std::future::poll_fn(|context| events.poll_next(context).0).await
}

fn begin(state: &mut State, request: Request, shared: &Shared) -> Result<RequestId, RequestError> {
    match state.shutdown {
        true => Err(RequestError::Shutdown),
        false => Ok(state.core.start(request, shared.now())?),
    }
}
