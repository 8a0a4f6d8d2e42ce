//! A connection of the legacy protocol: orders, and what the node answers.

use bytes::BytesMut;
use dht_protocol::legacy::{Answer, ClientRequest, Command, Event, Order, Status, Violation};
use dht_requirements::{self as req, Requirement};
use tokio::time::Instant;

use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::shown::{quoted, shown};
use crate::wire::socket::{Closing, Socket};

/// A connection of the legacy protocol. Dropping it closes it.
#[derive(Debug)]
pub struct LegacyLink {
    socket: Socket,
}

/// What the node did about an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Said {
    /// It said this.
    Event(Event),
    /// It said what no node says.
    Garbage(Violation),
    /// It closed the connection.
    Closed(Closing),
    /// Nothing, or not all of it, in all the time that it may take.
    Silence,
}

impl LegacyLink {
    /// On a connection on which nothing was said yet.
    pub fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// The connection below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Closes the connection abruptly.
    pub fn reset(self) {
        self.socket.reset();
    }

    /// Sends an order.
    pub async fn send(&mut self, order: &Order) {
        self.send_bytes(&encoded(order)).await;
    }

    /// Sends bytes as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.send(bytes).await;
    }

    /// Waits for the next piece of an answer.
    pub async fn hear(&mut self, request: &mut ClientRequest) -> Said {
        let limit = Instant::now() + self.socket.patience();
        self.hear_until(request, limit).await
    }

    /// The same, not beyond `limit`.
    pub async fn hear_until(&mut self, request: &mut ClientRequest, limit: Instant) -> Said {
        loop {
            match request.receive(self.socket.received()) {
                Ok(Some(event)) => return Said::Event(event),
                Ok(None) => {}
                Err(violation) => return Said::Garbage(violation),
            }
            if let Some(closing) = self.socket.closing() {
                return Said::Closed(closing);
            }
            if !self.socket.receive(limit).await {
                return Said::Silence;
            }
        }
    }

    /// The next piece of an answer, which has to come.
    pub async fn piece(&mut self, request: &mut ClientRequest) -> Checked<Event> {
        match self.hear(request).await {
            Said::Event(event) => Ok(event),
            other => Err(self.unanswered(request, other)),
        }
    }

    /// Sends an order whose answer comes in one piece, and hears it.
    pub async fn ask(&mut self, order: &Order) -> Checked<Answer> {
        self.send(order).await;
        self.answer(order.command()).await
    }

    /// Hears an answer that comes in one piece, or the status instead of one that does not.
    pub async fn answer(&mut self, command: Command) -> Checked<Answer> {
        match self.piece(&mut ClientRequest::new(command)).await? {
            Event::Answered(answer) => Ok(answer),
            _ => Ok(Answer::Status(Status::Ok)),
        }
    }

    /// Sends an order and hears that it has this status. If it has another one, `rule` is broken.
    pub async fn expect_status(
        &mut self,
        rule: &'static Requirement,
        order: &Order,
        status: Status,
    ) -> Checked {
        let answer = self.ask(order).await?;
        if answer.status() == status {
            return Ok(());
        }
        let (sent, expected) = (named(order), [named_status(status)]);
        let expected = expected.each_ref().map(String::as_str);
        Err(broken(
            rule,
            Outcome::Answer,
            sent,
            &expected,
            told(&answer),
        ))
    }

    /// Sends an order and hears exactly this answer. If it is another one, `rule` is broken.
    pub async fn expect(
        &mut self,
        rule: &'static Requirement,
        order: &Order,
        expected: &Answer,
    ) -> Checked {
        let answer = self.ask(order).await?;
        if answer == *expected {
            return Ok(());
        }
        let outcome = match answer.status() == expected.status() {
            true => Outcome::Data,
            false => Outcome::Answer,
        };
        let (sent, expected) = (named(order), told(expected));
        Err(broken(rule, outcome, sent, &[&expected], told(&answer)))
    }

    /// The node closes the connection, and says nothing before. `rule` is broken if not; `sent` was sent.
    pub async fn expect_closed(&mut self, rule: &'static Requirement, sent: &str) -> Checked {
        let expected = ["the connection is closed, without a byte"];
        let closed = self.socket.closed().await;
        if !self.socket.received().is_empty() {
            let observed = shown(self.socket.received());
            return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
        }
        match closed {
            Some(_) => Ok(()),
            None => {
                let observed = "it stays open";
                Err(broken(rule, Outcome::Open, sent, &expected, observed))
            }
        }
    }

    /// A GetVersion is answered, and nothing comes before its answer. `rule` is broken if not; `sent` was sent.
    pub async fn expect_nothing_more(&mut self, rule: &'static Requirement, sent: &str) -> Checked {
        self.send(&Order::GetVersion).await;
        let mut expected = Vec::new();
        Answer::version().encode(&mut expected);
        let limit = Instant::now() + self.socket.patience();
        while self.socket.received().len() < expected.len()
            && self.socket.closing().is_none()
            && self.socket.receive(limit).await
        {}
        let received = self.socket.received();
        if received[..] == expected {
            received.clear();
            return Ok(());
        }
        let outcome = match received.is_empty() {
            false => Outcome::Extra,
            true if self.socket.closing().is_some() => Outcome::Closed,
            true => Outcome::Silence,
        };
        let observed = match outcome {
            Outcome::Extra => shown(self.socket.received()),
            Outcome::Closed => "the connection is closed".to_owned(),
            _ => self.waited_in_vain(),
        };
        let sent = format!("{sent}, and GetVersion behind it");
        let expected = ["the answer to GetVersion, and nothing before it"];
        Err(broken(rule, outcome, sent, &expected, observed))
    }

    /// Has something come that was not looked at?
    pub fn has_more(&mut self) -> bool {
        self.socket.glance();
        !self.socket.received().is_empty()
    }

    /// What came and was not looked at.
    pub fn rest(&mut self) -> &mut BytesMut {
        self.socket.received()
    }

    /// What it means that an answer did not come as it should.
    pub fn unanswered(&self, request: &ClientRequest, said: Said) -> Unkept {
        let command = request.command();
        let begun = *request != ClientRequest::new(command);
        let (rule, outcome, observed) = match said {
            Said::Event(event) => (
                &req::LEG_ANSWER_COMPLETE,
                Outcome::Answer,
                format!("{event:?}"),
            ),
            Said::Garbage(violation) => (
                blamed(command, &violation),
                Outcome::Data,
                violation.to_string(),
            ),
            Said::Closed(closing) => (due(begun), Outcome::Closed, closing.to_string()),
            Said::Silence => (due(begun), Outcome::Silence, self.waited_in_vain()),
        };
        let expected = match begun {
            true => ["the rest of the answer"],
            false => ["an answer"],
        };
        broken(rule, outcome, command.name(), &expected, observed)
    }

    fn waited_in_vain(&self) -> String {
        let patience = self.socket.patience().as_secs_f32();
        format!("nothing more within {patience} s")
    }
}

/// What is broken by an answer that does not come, or by the rest of one.
fn due(begun: bool) -> &'static Requirement {
    match begun {
        true => &req::LEG_ANSWER_COMPLETE,
        false => &req::LEG_ANSWER_COMES,
    }
}

/// What is broken by an answer that no node gives.
fn blamed(command: Command, violation: &Violation) -> &'static Requirement {
    match violation {
        Violation::UnknownStatus { .. } => &req::LEG_ANSWER_STATUS,
        Violation::Boolean { .. } => &req::LEG_EXISTS_BYTE,
        Violation::Range { .. } => &req::LEG_RANGE_VALID,
        Violation::Batch { error } if error.field == "batch" => &req::LEG_BATCH_SIZE,
        Violation::Batch { .. } => &req::LEG_BATCH_ENTRIES,
        _ if command == Command::Listen => &req::LEG_KEY_DIGITS,
        _ => &req::LEG_ANSWER_COMPLETE,
    }
}

/// The bytes of an order.
pub fn encoded(order: &Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    order.encode(&mut bytes);
    bytes
}

/// An order as a failure calls it.
pub fn named(order: &Order) -> String {
    let name = order.command().name();
    let mut text = name.to_owned();
    if let Some(channel) = order.channel() {
        text.push_str(&format!(" in {}", quoted(channel.as_bytes())));
    }
    match order {
        Order::Put { key, value, .. } => {
            text.push_str(&format!(" of {key}, {} bytes", value.len()));
        }
        Order::Get { key, .. } | Order::Exists { key, .. } | Order::Remove { key, .. } => {
            text.push_str(&format!(" of {key}"));
        }
        Order::GetAllFilter { filter, .. } => text.push_str(&format!(" for {}", quoted(filter))),
        Order::PutBatch { batch, .. } => {
            text.push_str(&format!(", a batch of {} bytes", batch.len()))
        }
        _ => {}
    }
    text
}

/// An answer as a failure shows it.
pub fn told(answer: &Answer) -> String {
    let status = named_status(answer.status());
    match answer {
        Answer::Status(_) => status,
        Answer::Version(version) => format!("{status}, version {}", quoted(version)),
        Answer::Range(range) => format!("{status}, range {range}"),
        Answer::Value(value) => format!("{status}, {} bytes: {}", value.len(), quoted(value)),
        Answer::Exists(exists) => format!("{status}, {}", u8::from(*exists)),
        Answer::Size(_, size) => {
            format!("{status}, {} records, {} bytes", size.records, size.bytes)
        }
        Answer::Connections(_, number) => format!("{status}, {number} connections"),
    }
}

fn named_status(status: Status) -> String {
    format!("{} ({})", status.name(), status.code())
}
