//! Both sides of the authentication as state machines (`neo-transport.md` section 2). The exchange of
//! version bytes before it is the same on both sides and part of [`Connection`](super::Connection).

use std::fmt::Debug;
use std::sync::Arc;

use super::auth::{self, Nonce, Proof, Timestamp};
use super::credentials::{ClientName, Credential, Credentials};
use super::frame::write_authentication;
use super::violation::Violation;
use crate::codec::DecodeError;

/// One side of the authentication.
pub trait Handshake: Debug {
    /// What this side knows when the authentication has succeeded.
    type Established: Debug;

    /// Does this side send its version byte first?
    const SPEAKS_FIRST: bool;

    /// The version bytes have been exchanged. `now` is in seconds since the UNIX epoch.
    fn begin(&mut self, now: u64, out: &mut Vec<u8>);

    /// An authentication message came. `Some` when the connection is open.
    fn receive(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Self::Established>, Violation>;
}

/// The client's side: sends its time, proves its key, waits for the verdict.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ClientHandshake {
    credential: Credential,
    state: ClientState,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum ClientState {
    Idle,
    AwaitNonce { timestamp: u64 },
    AwaitVerdict,
}

impl ClientHandshake {
    /// A client with this name and key.
    pub fn new(credential: Credential) -> Self {
        Self {
            credential,
            state: ClientState::Idle,
        }
    }
}

impl Handshake for ClientHandshake {
    type Established = ();

    const SPEAKS_FIRST: bool = true;

    fn begin(&mut self, now: u64, out: &mut Vec<u8>) {
        write_authentication(out, &Timestamp(now).encode());
        self.state = ClientState::AwaitNonce { timestamp: now };
    }

    fn receive(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Option<()>, Violation> {
        match self.state {
            ClientState::Idle => Err(Violation::Phase {
                kind: super::Kind::Authentication,
            }),
            ClientState::AwaitNonce { timestamp } => {
                let nonce = auth::decode_nonce(body).map_err(malformed("nonce"))?;
                let proof = Proof {
                    name: self.credential.name.as_str().into(),
                    code: auth::code(&self.credential.key, timestamp, nonce),
                };
                write_authentication(out, &proof.encode());
                self.state = ClientState::AwaitVerdict;
                Ok(None)
            }
            ClientState::AwaitVerdict => {
                match auth::decode_verdict(body).map_err(malformed("verdict"))? {
                    true => Ok(Some(())),
                    false => Err(Violation::Rejected),
                }
            }
        }
    }
}

/// The node's side: answers the client's time with a nonce and judges the proof.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NodeHandshake {
    credentials: Arc<Credentials>,
    nonce: Nonce,
    now: u64,
    timestamp: Option<Timestamp>,
}

impl NodeHandshake {
    /// `nonce` must be unpredictable and new on each connection.
    pub fn new(credentials: Arc<Credentials>, nonce: Nonce) -> Self {
        Self {
            credentials,
            nonce,
            now: 0,
            timestamp: None,
        }
    }
}

impl Handshake for NodeHandshake {
    type Established = ClientName;

    const SPEAKS_FIRST: bool = false;

    fn begin(&mut self, now: u64, _: &mut Vec<u8>) {
        self.now = now;
    }

    fn receive(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Option<ClientName>, Violation> {
        let Some(timestamp) = self.timestamp else {
            self.timestamp = Some(Timestamp::decode(body).map_err(malformed("timestamp"))?);
            write_authentication(out, &self.nonce);
            return Ok(None);
        };
        let proof = Proof::decode(body).map_err(malformed("proof"))?;
        let verdict = auth::judge(&self.credentials, self.now, timestamp, self.nonce, &proof);
        write_authentication(out, &[u8::from(verdict.is_ok())]);
        verdict.map(Some).map_err(Violation::Refused)
    }
}

fn malformed(message: &'static str) -> impl FnOnce(DecodeError) -> Violation {
    move |error| Violation::Authentication { message, error }
}
