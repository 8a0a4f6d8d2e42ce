//! The way to an open connection, a step a method, so that each step can be taken wrongly.

use std::fmt;

use bytes::Buf;
use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::frame::{FrameBuffer, write_authentication};
use dht_protocol::neo::{Credential, Kind, VERSION};
use tokio::time::Instant;

use super::socket::{Closing, Socket};
use crate::unkept::Outcome;

/// A connection that is not open yet.
#[derive(Debug)]
pub struct Login {
    socket: Socket,
    frames: FrameBuffer,
    /// Why no message can be read any more.
    garbage: Option<String>,
}

/// What the node did next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step<T> {
    /// It said this.
    Said(T),
    /// It closed the connection.
    Closed(Closing),
    /// Nothing, in all the time that it may take.
    Silent,
    /// Something that is not of the protocol.
    Garbage(String),
}

impl Login {
    /// On a connection on which nothing was said yet.
    pub fn new(socket: Socket) -> Self {
        Self {
            socket,
            frames: FrameBuffer::default(),
            garbage: None,
        }
    }

    /// The connection below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.socket.send(bytes).await;
    }

    /// Sends an authentication message.
    pub async fn send_message(&mut self, body: &[u8]) {
        let mut message = Vec::new();
        write_authentication(&mut message, body);
        self.socket.send(&message).await;
    }

    /// The node's version byte.
    pub async fn version(&mut self) -> Step<u8> {
        let limit = Instant::now() + self.socket.patience();
        loop {
            if !self.socket.received().is_empty() {
                return Step::Said(self.socket.received().get_u8());
            }
            if let Some(closing) = self.socket.closing() {
                return Step::Closed(closing);
            }
            if !self.socket.receive(limit).await {
                return Step::Silent;
            }
        }
    }

    /// The node's next authentication message.
    pub async fn message(&mut self) -> Step<Vec<u8>> {
        let limit = Instant::now() + self.socket.patience();
        loop {
            if let Some(garbage) = &self.garbage {
                return Step::Garbage(garbage.clone());
            }
            let received = self.socket.received().split();
            self.frames.feed(&received);
            match self.frames.next(Kind::Authentication, u64::MAX) {
                Ok(Some(body)) => return Step::Said(body.to_vec()),
                Ok(None) => {}
                Err(violation) => {
                    self.garbage = Some(violation.to_string());
                    continue;
                }
            }
            if let Some(closing) = self.socket.closing() {
                return Step::Closed(closing);
            }
            if !self.socket.receive(limit).await {
                return Step::Silent;
            }
        }
    }

    /// Exchanges the versions and sends a time, in seconds since 1970; the node's nonce.
    pub async fn nonce_for(&mut self, timestamp: u64) -> Step<Nonce> {
        self.send(&[VERSION]).await;
        match self.version().await.said() {
            Ok(VERSION) => {}
            Ok(other) => return Step::Garbage(format!("version {other}")),
            Err(other) => return other,
        }
        self.send_message(&Timestamp(timestamp).encode()).await;
        self.message().await.then(|body| auth::decode_nonce(&body))
    }

    /// Sends the proof that a client with this credential owes for its time and the node's nonce.
    pub async fn prove(&mut self, credential: &Credential, timestamp: u64, nonce: Nonce) {
        let proof = Proof {
            name: credential.name.as_str().into(),
            code: auth::code(&credential.key, timestamp, nonce),
        };
        self.send_message(&proof.encode()).await;
    }

    /// Whether the node lets the client in.
    pub async fn verdict(&mut self) -> Step<bool> {
        self.message()
            .await
            .then(|body| auth::decode_verdict(&body))
    }

    /// All of it, with the right proof for this time.
    pub async fn log_in(&mut self, credential: &Credential, timestamp: u64) -> Step<bool> {
        match self.nonce_for(timestamp).await.said() {
            Ok(nonce) => {
                self.prove(credential, timestamp, nonce).await;
                self.verdict().await
            }
            Err(other) => other,
        }
    }

    /// What is below, and what of it was read already.
    pub(super) fn into_parts(self) -> (Socket, FrameBuffer) {
        (self.socket, self.frames)
    }
}

impl<T> Step<T> {
    /// What it is where something else was due.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Said(_) | Self::Garbage(_) => Outcome::Answer,
            Self::Closed(_) => Outcome::Closed,
            Self::Silent => Outcome::Silence,
        }
    }

    /// What was said, or what happened instead.
    fn said<U>(self) -> Result<T, Step<U>> {
        match self {
            Self::Said(said) => Ok(said),
            Self::Closed(closing) => Err(Step::Closed(closing)),
            Self::Silent => Err(Step::Silent),
            Self::Garbage(garbage) => Err(Step::Garbage(garbage)),
        }
    }

    fn then<U, E: fmt::Display>(self, read: impl FnOnce(T) -> Result<U, E>) -> Step<U> {
        match self.said() {
            Ok(said) => match read(said) {
                Ok(value) => Step::Said(value),
                Err(error) => Step::Garbage(error.to_string()),
            },
            Err(other) => other,
        }
    }
}

impl<T: fmt::Debug> fmt::Display for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(said) => write!(f, "{said:?}"),
            Self::Closed(closing) => write!(f, "the connection closed ({closing})"),
            Self::Silent => f.write_str("nothing, and the connection stays open"),
            Self::Garbage(garbage) => write!(f, "no such message: {garbage}"),
        }
    }
}
