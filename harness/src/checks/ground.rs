//! What every check stands on: the node, connections to it, channels and keys of its own, and a place
//! for what it finds out.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dht_protocol::neo::Credential;
use dht_protocol::{ChannelName, HashRange, Key};
use dht_reports::Observation;
use dht_requirements::{self as req, Requirement};

use crate::target::{Legacy, Target};
use crate::trace::Trace;
use crate::unkept::{Checked, Outcome, Unkept, broken, not_applicable};
use crate::wire::handshake::Step;
use crate::wire::legacy::{LegacyLink, LegacyListen};
use crate::wire::{Link, Login, Socket};

/// How many keys a range must have, so that the few thousand that a check uses differ.
const KEYS: u64 = 1 << 24;
/// The number of the key that tells that a Listen runs.
const SENTINEL: u64 = 0xdead;

/// What a check stands on.
#[derive(Debug)]
pub struct Ground {
    node: SocketAddrV4,
    legacy: Legacy,
    credential: Credential,
    guest: Option<Credential>,
    range: HashRange,
    trace: Arc<Trace>,
    prefix: String,
    seed: u64,
    patience: Duration,
    dialect: Mutex<BTreeMap<&'static str, String>>,
}

impl Ground {
    /// `name` must be unique in the run; the check's channels are named after it. The node may take
    /// `patience` for an answer.
    pub fn new(target: &Target, seed: u64, name: &str, patience: Duration) -> Self {
        Self {
            node: target.address(),
            legacy: target.legacy(),
            credential: target.credential().clone(),
            guest: target.guest().cloned(),
            range: target.range(),
            trace: Arc::new(Trace::default()),
            prefix: format!("dhtcheck_{seed:x}_{}", name.replace(['.', '-'], "_")),
            seed,
            patience,
            dialect: Mutex::default(),
        }
    }

    /// The messages so far.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How long the node may take for an answer.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The node's hash range.
    pub fn range(&self) -> HashRange {
        self.range
    }

    /// The name and key of the check's client.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The name and key of a client that is not "admin"; the check is not applicable if there is none.
    pub fn guest(&self) -> Checked<&Credential> {
        match &self.guest {
            Some(guest) => Ok(guest),
            None => {
                not_applicable("no client but \"admin\" is known; --guest NAME:HEXKEY names one")
            }
        }
    }

    /// A channel of the check; "" is its main one.
    pub fn channel(&self, name: &str) -> ChannelName {
        match name {
            "" => self.prefix.clone().into(),
            name => format!("{}-{name}", self.prefix).into(),
        }
    }

    /// A channel that is of no check, but of the run, which removes it at the end. Its name decides where it
    /// stands among all channels of the run.
    pub fn channel_of_run(&self, name: &str) -> ChannelName {
        format!("dhtcheck_{:x}_{name}", self.seed).into()
    }

    /// Is it a channel of this check, and not of one whose name begins with the name of this one?
    pub fn owns(&self, channel: &ChannelName) -> bool {
        match channel.as_bytes().strip_prefix(self.prefix.as_bytes()) {
            Some(rest) => rest.is_empty() || rest.starts_with(b"-"),
            None => false,
        }
    }

    /// The check is not applicable if its client may not remove channels.
    pub fn need_admin(&self) -> Checked {
        match self.credential.name.as_str() {
            "admin" => Ok(()),
            _ => not_applicable("only a client called \"admin\" may remove channels"),
        }
    }

    /// The key with this number, in the node's range.
    pub fn key(&self, number: u64) -> Key {
        self.range.nth_key(number)
    }

    /// A key outside the node's range; the check is not applicable if there is none.
    pub fn foreign_key(&self, number: u64) -> Checked<Key> {
        let below = self.range.min().checked_sub(1);
        let above = self.range.max().checked_add(1);
        let outside = match (below, above) {
            _ if self.range == HashRange::EMPTY => HashRange::FULL,
            (Some(below), _) => HashRange::new(0, below).unwrap_or(HashRange::FULL),
            (None, Some(above)) => HashRange::new(above, u64::MAX).unwrap_or(HashRange::FULL),
            (None, None) => return not_applicable("the node's range is full"),
        };
        Ok(outside.nth_key(number))
    }

    /// The check is not applicable if the node's range has too few keys for it.
    pub fn need_keys(&self) -> Checked {
        let width = self.range.max().checked_sub(self.range.min());
        match width {
            Some(width) if width >= KEYS => Ok(()),
            _ => not_applicable(format!(
                "the node's range {} has too few keys for the checks",
                self.range
            )),
        }
    }

    /// The time of the check's client, in seconds since 1970.
    pub fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    }

    /// A TCP connection on which nothing was said yet.
    pub async fn socket(&self) -> Checked<Socket> {
        Socket::connect(self.node, self.trace.clone(), self.patience)
            .await
            .map_err(not_accepted)
    }

    /// A connection on which the authentication can be done step by step. The trace shows it.
    pub async fn login(&self) -> Checked<Login> {
        let socket = self.socket().await?;
        self.trace.show_authentication(socket.id());
        Ok(Login::new(socket))
    }

    /// An authenticated connection of the check's client.
    pub async fn link(&self) -> Checked<Link> {
        self.link_as(&self.credential).await
    }

    /// An authenticated connection of the check's client on which little is under way at a time
    /// ([`Socket::connect_narrow`]).
    pub async fn narrow_link(&self) -> Checked<Link> {
        let connecting = Socket::connect_narrow(self.node, self.trace.clone(), self.patience);
        let login = Login::new(connecting.await.map_err(not_accepted)?);
        self.authenticated(login, &self.credential).await
    }

    /// An authenticated connection of the client with this name and key.
    pub async fn link_as(&self, credential: &Credential) -> Checked<Link> {
        let login = Login::new(self.socket().await?);
        self.authenticated(login, credential).await
    }

    async fn authenticated(&self, mut login: Login, credential: &Credential) -> Checked<Link> {
        match login.log_in(credential, self.now()).await {
            Step::Said(true) => Ok(self.open(login)),
            other => {
                let sent = format!("version and authentication as \"{}\"", credential.name);
                let (rule, outcome, expected) =
                    (&req::AUTH_ACCEPTED, other.outcome(), ["accepted"]);
                let observed = match other {
                    Step::Said(_) => "refused".to_owned(),
                    other => other.to_string(),
                };
                Err(broken(rule, outcome, sent, &expected, observed))
            }
        }
    }

    /// Where the node speaks the legacy protocol; the check is not applicable if that is not known.
    pub fn legacy_address(&self) -> Checked<SocketAddrV4> {
        match self.legacy.address() {
            Some(address) => Ok(address),
            None => not_applicable(self.legacy.missing()),
        }
    }

    /// A connection of the legacy protocol.
    pub async fn legacy_link(&self) -> Checked<LegacyLink> {
        let connecting = Socket::connect(self.legacy_address()?, self.trace.clone(), self.patience);
        self.legacy_on(connecting.await)
    }

    /// A connection of the legacy protocol on which little is under way at a time
    /// ([`Socket::connect_narrow`]).
    pub async fn narrow_legacy_link(&self) -> Checked<LegacyLink> {
        let connecting =
            Socket::connect_narrow(self.legacy_address()?, self.trace.clone(), self.patience);
        self.legacy_on(connecting.await)
    }

    fn legacy_on(&self, connected: io::Result<Socket>) -> Checked<LegacyLink> {
        let socket = connected.map_err(|error| {
            let (sent, expected) = ("a TCP connection", ["the connection is accepted"]);
            let (rule, outcome) = (&req::LEG_ROBUST_NEW_CONNECTIONS, Outcome::Died);
            broken(rule, outcome, sent, &expected, error.to_string())
        })?;
        self.trace.speaks_legacy(socket.id());
        Ok(LegacyLink::new(socket))
    }

    /// A Listen that runs, on a connection of its own; `writer` has put its sentinels.
    pub async fn legacy_listen(
        &self,
        channel: &ChannelName,
        writer: &mut LegacyLink,
    ) -> Checked<LegacyListen> {
        let link = self.legacy_link().await?;
        LegacyListen::begin(link, channel, self.key(SENTINEL), writer).await
    }

    /// The key of the sentinels of Listens.
    pub fn legacy_sentinel(&self) -> Key {
        self.key(SENTINEL)
    }

    /// A connection whose authentication has succeeded.
    pub fn open(&self, login: Login) -> Link {
        let sentinel = (self.channel("sentinel"), self.key(0));
        Link::new(login, sentinel)
    }

    /// The requirement is kept if `kept`.
    pub fn expect(
        &self,
        requirement: &'static Requirement,
        sent: &str,
        expected: &[&str],
        kept: bool,
        observed: impl FnOnce() -> String,
    ) -> Checked {
        if kept {
            return Ok(());
        }
        let outcome = Outcome::Data;
        Err(broken(requirement, outcome, sent, expected, observed()))
    }

    /// Where the specification allows several behaviours: which one the node has shown.
    pub fn note(&self, question: &'static str, answer: impl Into<String>) {
        let mut dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        dialect.insert(question, answer.into());
    }

    /// All that was noted.
    pub fn dialect(&self) -> Vec<Observation> {
        let dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let observations = dialect.iter().map(|(question, answer)| Observation {
            question: (*question).to_owned(),
            answer: answer.clone(),
        });
        observations.collect()
    }
}

/// What it means that a connection was not accepted.
fn not_accepted(error: io::Error) -> Unkept {
    let (sent, expected) = ("a TCP connection", ["the connection is accepted"]);
    let (rule, outcome) = (&req::ROBUST_NEW_CONNECTIONS, Outcome::Died);
    broken(rule, outcome, sent, &expected, error.to_string())
}

/// What can be said of a check that took too long.
pub fn too_slow(limit: Duration) -> Unkept {
    let expected = format!("all of them answered within {} s", limit.as_secs_f32());
    broken(
        &req::REQ_ANSWERED,
        Outcome::Silence,
        "the requests of this check",
        &[&expected],
        "the check was not over by then",
    )
}
