//! An authenticated connection: requests opened on it, what came for each, and what did not come.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::request::{Command, RecordName, RequestCode, SupportedStatus};
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};
use tokio::time::Instant;

use super::handshake::Login;
use super::inbox::Inbox;
use super::shown::shown;
use super::socket::{Closing, Socket};
use crate::unkept::{Checked, Outcome, broken, shows};

/// An authenticated connection. Dropping it closes it.
#[derive(Debug)]
pub struct Link {
    socket: Socket,
    inbox: Inbox,
    next_id: RequestId,
    sentinel: (ChannelName, Key),
    /// What was asked for, so that a failure can say so.
    opened: BTreeMap<RequestId, RequestCode>,
}

/// What the node did about a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// It sent this payload.
    Message(Bytes),
    /// It closed the connection.
    Closed(Closing),
    /// Nothing, in all the time that it may take.
    Silence,
}

/// What the node did about something that breaks the protocol. Any of them may be right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reaction {
    /// It closed the connection.
    Closed(Closing),
    /// It answered, with this payload first.
    Answered(Bytes),
    /// It went on as if nothing had come: a request behind it was answered.
    Ignored,
    /// Nothing at all is answered on the connection any more, but it stays open.
    Stuck,
}

impl Link {
    /// On a connection whose login has succeeded. Sentinels ask for the record `sentinel`.
    pub fn new(login: Login, sentinel: (ChannelName, Key)) -> Self {
        let (socket, frames) = login.into_parts();
        Self {
            socket,
            inbox: Inbox::new(frames),
            next_id: RequestId::FIRST,
            sentinel,
            opened: BTreeMap::new(),
        }
    }

    /// The connection below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Closes the connection abruptly.
    pub fn reset(self) {
        self.socket.reset();
    }

    /// An id that was not used on this connection.
    pub fn fresh_id(&mut self) -> RequestId {
        let id = self.next_id;
        self.next_id = id.next();
        id
    }

    /// Opens a request with this first message, command included.
    pub async fn open(&mut self, opening: &[u8]) -> RequestId {
        let id = self.fresh_id();
        self.say(id, opening).await;
        id
    }

    /// Opens a request and hears that it is supported.
    pub async fn open_supported(&mut self, opening: &[u8]) -> Checked<RequestId> {
        let id = self.open(opening).await;
        self.supported(id).await?;
        Ok(id)
    }

    /// Sends a message of a request.
    pub async fn say(&mut self, id: RequestId, payload: &[u8]) {
        self.note(id, payload);
        let mut message = Vec::new();
        write_request(&mut message, id, payload);
        self.socket.send(&message).await;
    }

    /// Sends messages of requests in one piece, as far as the system leaves it one.
    pub async fn say_at_once(&mut self, messages: &[(RequestId, &[u8])]) {
        let mut bytes = Vec::new();
        for (id, payload) in messages {
            self.note(*id, payload);
            write_request(&mut bytes, *id, payload);
        }
        self.socket.send(&bytes).await;
    }

    /// Remembers what the first message of a request asks for.
    fn note(&mut self, id: RequestId, payload: &[u8]) {
        if let Ok((command, _)) = Command::decode(payload)
            && let Some(code) = RequestCode::from_code(command.code)
        {
            self.opened.entry(id).or_insert(code);
        }
    }

    /// A request as a failure calls it.
    fn called(&self, id: RequestId) -> String {
        match self.opened.get(&id) {
            Some(code) => format!("{} (request #{id})", code.name()),
            None => format!("request #{id}"),
        }
    }

    /// Sends bytes as they are; [`forge`](dht_protocol::neo::forge) makes wrong ones.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.socket.send(bytes).await;
    }

    /// The node's next message for a request.
    pub async fn hear(&mut self, id: RequestId) -> Heard {
        let limit = Instant::now() + self.socket.patience();
        loop {
            self.sort();
            if let Some(payload) = self.inbox.take(id) {
                return Heard::Message(payload);
            }
            if let Some(closing) = self.socket.closing() {
                return Heard::Closed(closing);
            }
            if !self.socket.receive(limit).await {
                return Heard::Silence;
            }
        }
    }

    /// The node's next message for a request, which is due: `what` it should be.
    pub async fn answer(&mut self, id: RequestId, what: &str) -> Checked<Bytes> {
        let sent = self.called(id);
        match self.hear(id).await {
            Heard::Message(payload) => Ok(payload),
            Heard::Closed(closing) => {
                let observed = self.how_it_ended(closing);
                let (rule, outcome) = (&req::REQ_ANSWERED, Outcome::Closed);
                Err(broken(rule, outcome, sent, &[what], observed))
            }
            Heard::Silence => {
                let observed = self.how_it_fell_silent();
                let (rule, outcome) = (&req::REQ_ANSWERED, Outcome::Silence);
                Err(broken(rule, outcome, sent, &[what], observed))
            }
        }
    }

    /// The node's next message for a request is this one, `what` is its name; else `requirement` is broken.
    pub async fn expect(
        &mut self,
        id: RequestId,
        requirement: &'static Requirement,
        what: &str,
        payload: &[u8],
    ) -> Checked {
        let came = self.answer(id, what).await?;
        if came == payload {
            return Ok(());
        }
        let sent = self.called(id);
        let observed = shown(&came);
        Err(broken(
            requirement,
            Outcome::Answer,
            sent,
            &[what],
            observed,
        ))
    }

    /// The node's first answer to a request: it is supported.
    pub async fn supported(&mut self, id: RequestId) -> Checked {
        let status = SupportedStatus::Supported.encode();
        self.expect(id, &req::REQ_STATUS_FIRST, "supported (fd)", &status)
            .await
    }

    /// A request that is answered after everything that was sent before it on this connection.
    pub async fn sentinel(&mut self) -> Checked {
        let id = self.send_sentinel().await;
        self.supported(id).await?;
        self.answer(id, "an answer to Exists").await.map(drop)
    }

    /// Nothing more comes for a request, as a sentinel shows; else `requirement` is broken.
    pub async fn expect_nothing_more(
        &mut self,
        id: RequestId,
        requirement: &'static Requirement,
        sent: &str,
    ) -> Checked {
        self.sentinel().await?;
        match self.waiting(id).first() {
            None => Ok(()),
            Some(payload) => {
                let observed = format!("another message, {}", shown(payload));
                let expected = ["nothing more for this request"];
                let outcome = Outcome::Extra;
                Err(broken(requirement, outcome, sent, &expected, observed))
            }
        }
    }

    /// Messages for a request that came and were not looked at.
    pub fn waiting(&mut self, id: RequestId) -> Vec<Bytes> {
        self.sort();
        self.inbox.of(id).cloned().collect()
    }

    /// Ids for which messages came that were not looked at.
    pub fn ids_waiting(&mut self) -> Vec<RequestId> {
        self.sort();
        self.inbox.ids().collect()
    }

    /// What the node does about what was just sent for a request, which it must not or need not answer.
    pub async fn reaction(&mut self, id: RequestId) -> Reaction {
        let sentinel = self.send_sentinel().await;
        let answered = self.hear(sentinel).await;
        if let Some(payload) = self.waiting(id).first() {
            return Reaction::Answered(payload.clone());
        }
        match answered {
            Heard::Closed(closing) => Reaction::Closed(closing),
            Heard::Silence => Reaction::Stuck,
            Heard::Message(_) => match self.hear(sentinel).await {
                Heard::Closed(closing) => Reaction::Closed(closing),
                Heard::Silence => Reaction::Stuck,
                Heard::Message(_) => match self.waiting(id).first() {
                    Some(payload) => Reaction::Answered(payload.clone()),
                    None => Reaction::Ignored,
                },
            },
        }
    }

    /// The node closes the connection, else `requirement` is broken. A sentinel that is answered shows
    /// that it does not.
    pub async fn expect_closed(
        &mut self,
        requirement: &'static Requirement,
        sent: &str,
    ) -> Checked {
        let sentinel = self.send_sentinel().await;
        let expected = ["the node closes the connection"];
        loop {
            match self.hear(sentinel).await {
                Heard::Closed(_) => return Ok(()),
                Heard::Message(payload) if payload[..] == SupportedStatus::Supported.encode() => {}
                Heard::Message(_) => {
                    let observed = "the connection stays open, and requests on it are answered";
                    let outcome = Outcome::Open;
                    return Err(broken(requirement, outcome, sent, &expected, observed));
                }
                Heard::Silence => {
                    let observed = "the connection stays open, and nothing on it is answered";
                    let outcome = Outcome::Silence;
                    return Err(broken(requirement, outcome, sent, &expected, observed));
                }
            }
        }
    }

    /// The node has not closed the connection, and answers on it; else `requirement` is broken.
    pub async fn expect_usable(
        &mut self,
        requirement: &'static Requirement,
        sent: &str,
    ) -> Checked {
        let usable = self.sentinel().await;
        usable.map_err(shows(requirement, sent, "the connection stays usable"))
    }

    async fn send_sentinel(&mut self) -> RequestId {
        let (channel, key) = self.sentinel.clone();
        let record = RecordName { channel, key };
        self.open(&record.opening(RequestCode::Exists)).await
    }

    fn sort(&mut self) {
        let received = self.socket.received().split();
        self.inbox.feed(&received);
    }

    fn how_it_ended(&self, closing: Closing) -> String {
        match self.inbox.garbage() {
            Some(garbage) => format!("no message of the protocol: {garbage}"),
            None => format!("the connection closed ({closing})"),
        }
    }

    fn how_it_fell_silent(&self) -> String {
        match self.inbox.garbage() {
            Some(garbage) => format!("no message of the protocol: {garbage}"),
            None => {
                let seconds = self.socket.patience().as_secs_f32();
                format!("no answer within {seconds} s")
            }
        }
    }
}

impl Heard {
    /// What it is where something else was due.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Message(_) => Outcome::Answer,
            Self::Closed(_) => Outcome::Closed,
            Self::Silence => Outcome::Silence,
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(payload) => f.write_str(&shown(payload)),
            Self::Closed(closing) => write!(f, "the connection closed ({closing})"),
            Self::Silence => f.write_str("nothing, and the connection stays open"),
        }
    }
}

impl Reaction {
    /// As the dialect of a node is told.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed(_) => "closes the connection",
            Self::Answered(_) => "answers",
            Self::Ignored => "ignores it",
            Self::Stuck => "answers nothing on the connection any more",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::unkept::Unkept;

    #[tokio::test]
    async fn bytes_that_are_no_message_are_not_reported_as_silence() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let patience = Duration::from_millis(300);
        let socket = Socket::connect(address.parse().unwrap(), Arc::default(), patience);
        let login = Login::new(socket.await.unwrap());
        let (node, _) = listener.accept().await.unwrap();
        node.writable().await.unwrap();
        assert_eq!(node.try_write(&[0x77; 64]).unwrap(), 64);

        let mut link = Link::new(login, (ChannelName::copy_from(b"sentinel"), Key(0)));
        let id = link.fresh_id();
        let Err(Unkept::Broken(found)) = link.answer(id, "an answer").await else {
            panic!("64 times 77 is no answer");
        };
        let observed = found.observed;
        assert!(
            observed.starts_with("no message of the protocol"),
            "{observed}"
        );
    }
}
