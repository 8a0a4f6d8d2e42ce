//! Defects of neo that are shown on connections of their own: those of the authentication, and those that take a
//! connection for themselves.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use dht_protocol::ChannelName;
use dht_protocol::legacy::Order;
use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::frame::{write_authentication, write_request};
use dht_protocol::neo::request::{RecordName, RequestCode, mirror};
use dht_protocol::neo::{RequestId, VERSION};
use dht_requirements as req;
use dht_workload::case::Defect;
use dht_workload::world::Violation;

use super::violation;
use crate::fuzz::forgery::neo::{flipped, immense};
use crate::fuzz::place::Place;
use crate::fuzz::verdict::Allowed;
use crate::trace::Trace;
use crate::wire::handshake::Step;
use crate::wire::legacy::link::encoded;
use crate::wire::{Link, Login, Socket};

/// How large the answers are that nobody reads, in bytes, and how many of them are asked for.
const UNREAD: (usize, usize) = (60_000, 64);
/// How many requests a connection may have active.
const ACTIVE: u64 = 5000;

/// Does something wrong on a new connection. The error is what the node broke.
pub(in crate::fuzz) async fn commit(
    place: Place,
    defect: Defect,
    variant: u32,
    trace: Arc<Trace>,
) -> Result<(), Violation> {
    let Ok(socket) = Socket::connect(place.address, Arc::clone(&trace), place.patience).await
    else {
        // Whether the node takes connections at all is seen by others.
        return Ok(());
    };
    trace.show_authentication(socket.id());
    let mut deed = Deed {
        place,
        defect,
        variant,
        trace,
        login: Login::new(socket),
    };
    match defect {
        Defect::WrongVersion => deed.wrong_version().await,
        Defect::LoginBadHeader => deed.bad_header().await,
        Defect::LoginHugeLength => deed.huge_length().await,
        Defect::LoginTruncated => deed.truncated().await,
        Defect::LoginWrongCode => deed.wrong_code().await,
        Defect::LoginTooEarly => deed.too_early().await,
        Defect::LoginBehindCode => deed.behind_code().await,
        Defect::LoginAbandoned => deed.abandoned().await,
        Defect::Unread => deed.unread().await,
        Defect::TooManyRequests => deed.too_many_requests().await,
        Defect::LoginLegacyOrder => deed.legacy_order().await,
        _ => Ok(()),
    }
}

struct Deed {
    place: Place,
    defect: Defect,
    variant: u32,
    trace: Arc<Trace>,
    login: Login,
}

impl Deed {
    async fn wrong_version(&mut self) -> Result<(), Violation> {
        let version = [0, 2, 16, 255][self.variant as usize % 4];
        self.login.send(&[version]).await;
        self.expect_closed().await
    }

    async fn legacy_order(&mut self) -> Result<(), Violation> {
        // Their first bytes are no version of neo.
        let orders = [
            Order::GetVersion,
            Order::GetChannels,
            Order::GetSize,
            Order::GetAll {
                channel: self.place.spare.channel.clone(),
            },
        ];
        let order = &orders[self.variant as usize % orders.len()];
        self.login.send(&encoded(order)).await;
        self.expect_closed().await
    }

    async fn bad_header(&mut self) -> Result<(), Violation> {
        if self.challenged().await.is_none() {
            return Ok(());
        }
        let right = forge::message(AUTHENTICATION, 8, &[0; 8]);
        let message = match self.variant % 2 {
            0 => flipped(right, self.variant as usize / 2),
            _ => forge::message([0, 3, 255][self.variant as usize / 2 % 3], 8, &[0; 8]),
        };
        self.login.send(&message).await;
        self.expect_closed().await
    }

    async fn huge_length(&mut self) -> Result<(), Violation> {
        let kind = [AUTHENTICATION, REQUEST][self.variant as usize % 2];
        let message = forge::message(kind, immense(self.variant / 4), &[]);
        match self.variant / 2 % 2 {
            0 if self.greeted().await => {}
            1 if self.challenged().await.is_some() => {}
            _ => return Ok(()),
        }
        self.login.send(&message).await;
        self.expect_closed().await
    }

    async fn truncated(&mut self) -> Result<(), Violation> {
        let Some((time, nonce)) = self.challenged().await else {
            return Ok(());
        };
        let proof = self.proof(time, nonce);
        let left = proof.len() - 1 - self.variant as usize % proof.len();
        self.login.send_message(&proof[..left]).await;
        self.expect_refusal().await
    }

    async fn wrong_code(&mut self) -> Result<(), Violation> {
        let Some((time, nonce)) = self.challenged().await else {
            return Ok(());
        };
        // The code is at the end.
        let mut proof = self.proof(time, nonce);
        let place = proof.len() - 1 - self.variant as usize % 64;
        proof[place] ^= 1 << (self.variant / 64 % 8);
        self.login.send_message(&proof).await;
        self.expect_refusal().await
    }

    async fn too_early(&mut self) -> Result<(), Violation> {
        match self.variant % 2 {
            0 if self.greeted().await => {}
            1 if self.challenged().await.is_some() => {}
            _ => return Ok(()),
        }
        let message = self.request(RequestId::FIRST);
        self.login.send(&message).await;
        self.expect_closed().await
    }

    async fn behind_code(mut self) -> Result<(), Violation> {
        let Some((time, nonce)) = self.challenged().await else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        write_authentication(&mut bytes, &self.proof(time, nonce));
        bytes.extend(flipped(
            self.request(RequestId::FIRST),
            self.variant as usize,
        ));
        self.login.send(&bytes).await;
        // The result may come first; a healthy node says nothing more.
        let _ = self.login.verdict().await;
        let closed = self.expect_closed().await;
        if closed.is_err() {
            // An original node that is left in this state keeps its processor busy until it is reset.
            self.reset();
        }
        closed
    }

    async fn abandoned(mut self) -> Result<(), Violation> {
        let reached = match self.variant % 4 {
            0 => true,
            1 => self.greeted().await,
            _ => self.challenged().await.is_some(),
        };
        if reached && self.variant % 4 == 3 {
            let mut message = Vec::new();
            write_authentication(&mut message, &[0; 72]);
            let part = 1 + self.variant as usize / 8 % (message.len() - 1);
            self.login.send(&message[..part]).await;
        }
        if self.variant / 4 % 2 == 1 {
            self.reset();
        }
        Ok(())
    }

    async fn unread(&mut self) -> Result<(), Violation> {
        let (length, count) = UNREAD;
        let Some(mut other) = self.link().await else {
            return Ok(());
        };
        let RecordName { channel, key } = self.place.spare.clone();
        let channel = ChannelName::from(format!("{channel}_unread"));
        let value = Bytes::from(vec![0x5a; length]);
        if other.store(&channel, key, value).await.is_err() {
            return Ok(());
        }
        let narrow = Socket::connect_narrow(
            self.place.address,
            Arc::clone(&self.trace),
            self.place.patience,
        );
        let Ok(narrow) = narrow.await else {
            return Ok(());
        };
        let Some(mut slow) = self.authenticated(Login::new(narrow)).await else {
            return Ok(());
        };
        let record = RecordName {
            channel: channel.clone(),
            key,
        };
        let mut gets = Vec::new();
        for _ in 0..count {
            write_request(
                &mut gets,
                slow.fresh_id(),
                &record.opening(RequestCode::Get),
            );
        }
        slow.socket().send_what_fits(&gets);
        // More than once: the node may not have begun with the others yet.
        let mut served = Ok(());
        for _ in 0..8 {
            served = served.and(other.sentinel().await);
        }
        if self.variant.is_multiple_of(2) {
            slow.reset();
        }
        let rule = &req::ROBUST_UNREAD_OTHERS_SERVED;
        violation(served, Some(rule))
    }

    async fn too_many_requests(&mut self) -> Result<(), Violation> {
        let Some(mut link) = self.link().await else {
            return Ok(());
        };
        let open = mirror::Open {
            start_suspended: false,
            channel: self.place.spare.channel.clone(),
            settings: mirror::Settings::default(),
        };
        let opening = open.encode();
        for part in [ACTIVE - 1, 1 + u64::from(self.variant % 3)] {
            let mut bytes = Vec::new();
            for _ in 0..part {
                write_request(&mut bytes, link.fresh_id(), &opening);
            }
            link.send(&bytes).await;
            if part == ACTIVE - 1 && link.sentinel().await.is_err() {
                // It has a lower limit, which is its own affair here.
                return Ok(());
            }
        }
        // The sentinel is a request too.
        let closed = link.expect_closed(&req::MUX_ACTIVE_LIMIT, "requests").await;
        violation(closed, None)
    }

    /// Behind the exchange of versions.
    async fn greeted(&mut self) -> bool {
        self.login.send(&[VERSION]).await;
        self.login.version().await == Step::Said(VERSION)
    }

    /// Behind the nonce.
    async fn challenged(&mut self) -> Option<(u64, Nonce)> {
        let time = now();
        if !self.greeted().await {
            return None;
        }
        self.login.send_message(&Timestamp(time).encode()).await;
        match self.login.message().await {
            Step::Said(body) => Some((time, auth::decode_nonce(&body).ok()?)),
            _ => None,
        }
    }

    fn proof(&self, time: u64, nonce: Nonce) -> Vec<u8> {
        let credential = &self.place.credential;
        let proof = Proof {
            name: credential.name.as_str().into(),
            code: auth::code(&credential.key, time, nonce),
        };
        proof.encode()
    }

    fn request(&self, id: RequestId) -> Vec<u8> {
        let mut message = Vec::new();
        write_request(
            &mut message,
            id,
            &self.place.spare.opening(RequestCode::Get),
        );
        message
    }

    /// Another connection, on which everything is right.
    async fn link(&self) -> Option<Link> {
        let place = &self.place;
        let socket = Socket::connect(place.address, Arc::clone(&self.trace), place.patience);
        self.authenticated(Login::new(socket.await.ok()?)).await
    }

    async fn authenticated(&self, mut login: Login) -> Option<Link> {
        let in_ = login.log_in(&self.place.credential, now()).await;
        let RecordName { channel, key } = self.place.spare.clone();
        (in_ == Step::Said(true)).then(|| Link::new(login, (channel, key)))
    }

    fn reset(self) {
        let RecordName { channel, key } = self.place.spare;
        Link::new(self.login, (channel, key)).reset();
    }

    async fn expect_closed(&mut self) -> Result<(), Violation> {
        match self.login.socket().closed().await {
            Some(_) => Ok(()),
            None => Err(self.broken("the connection stays open")),
        }
    }

    /// Whatever is said, it is not that the client is accepted; and the connection ends.
    async fn expect_refusal(&mut self) -> Result<(), Violation> {
        if self.login.verdict().await == Step::Said(true) {
            return Err(self.broken("the client was accepted"));
        }
        self.expect_closed().await
    }

    fn broken(&self, observed: &str) -> Violation {
        Violation {
            requirement: Allowed::about(self.defect).requirement(),
            text: format!("{}: {observed}", self.defect),
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
