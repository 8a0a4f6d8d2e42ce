//! How connections end: half closed, closed and reset in every phase, and right behind the login.

use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::{self, Proof};
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::request::{RequestCode, get_all};
use dht_requirements as req;

use super::{Check, Ground, Group, all_answered, exists, newcomers_served, put};
use crate::unkept::{Checked, Outcome, blamed_on, broken, shows};
use crate::wire::handshake::Step;
use crate::wire::talk::record;
use crate::wire::{Link, Login, Socket};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for phase in Phase::ALL {
        let (name, when) = phase.names();
        checks.push(
            Check::raw(
                format!("closing.half-{name}"),
                format!("The node closes the connection of a client that sends FIN {when}."),
                &[&req::ROBUST_HALF_CLOSE_CLOSED],
                move |ground| Box::pin(half_closed(ground, phase)),
            )
            .in_group(Group::Connection),
        );
        checks.push(
            Check::raw(
                format!("closing.abrupt-{name}"),
                format!("A client that closes or resets its connection {when} affects no other."),
                &[&req::ROBUST_CLOSED_ANY_PHASE],
                move |ground| Box::pin(abruptly_closed(ground, phase)),
            )
            .hostile(),
        );
    }
    checks.extend([
        Check::raw(
            "closing.half-answered",
            "Requests that came before the FIN of the client are answered.",
            &[
                &req::ROBUST_HALF_CLOSE_ANSWERED,
                &req::ROBUST_HALF_CLOSE_CLOSED,
            ],
            |ground| Box::pin(half_answered(ground)),
        )
        .in_group(Group::Connection),
        Check::raw(
            "closing.unread",
            "A client that sends 150 kB of Puts and closes without reading does no harm.",
            &[&req::ROBUST_CLOSED_UNREAD],
            |ground| Box::pin(unread(ground)),
        )
        .lethal(),
        Check::raw(
            "closing.reset-while-answering",
            "A client that resets its connection during a GetAll does no harm.",
            &[&req::ROBUST_RESET_ANSWERING],
            |ground| Box::pin(reset_while_answering(ground)),
        )
        .on(RequestCode::GetAll)
        .lethal(),
        Check::raw(
            "closing.drop-within-burst",
            "A message that closes the connection, with half a message behind it, does no harm \
             to new ones.",
            &[&req::ROBUST_DROP_WITHIN_BURST],
            |ground| Box::pin(drop_within_burst(ground)),
        )
        .lethal(),
        Check::raw(
            "closing.parity-behind-code",
            "A wrong parity sent with the client's code closes the connection.",
            &[&req::ROBUST_WRONG_BEHIND_CODE],
            |ground| {
                let mut wrong = forge::message(REQUEST, 8, &[1; 8]);
                wrong[9] ^= 1;
                Box::pin(behind_code(ground, wrong, &req::ROBUST_WRONG_BEHIND_CODE))
            },
        )
        .lethal(),
        Check::raw(
            "closing.type-behind-code",
            "A header of type 9 sent with the client's code closes the connection.",
            &[&req::ROBUST_WRONG_BEHIND_CODE],
            |ground| {
                let wrong = forge::message(9, 8, &[1; 8]);
                Box::pin(behind_code(ground, wrong, &req::ROBUST_WRONG_BEHIND_CODE))
            },
        )
        .lethal(),
        Check::raw(
            "closing.no-command-behind-code",
            "A first message without a command sent with the client's code closes the connection.",
            &[&req::ROBUST_NO_COMMAND_BEHIND_CODE],
            |ground| {
                let wrong = forge::request_message(1, &[]);
                let rule = &req::ROBUST_NO_COMMAND_BEHIND_CODE;
                Box::pin(behind_code(ground, wrong, rule))
            },
        )
        .lethal(),
    ]);
    checks
}

/// How far a connection has got.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    Connected,
    Version,
    Time,
    Open,
    InHeader,
    InBody,
    Active,
}

/// A connection in a phase.
pub(super) enum Stalled {
    Early(Login),
    Open(Link),
}

impl Phase {
    pub(super) const ALL: [Self; 7] = [
        Self::Connected,
        Self::Version,
        Self::Time,
        Self::Open,
        Self::InHeader,
        Self::InBody,
        Self::Active,
    ];

    /// In an id, and in a sentence.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Connected => ("connected", "before it has sent anything"),
            Self::Version => ("version", "behind its version byte"),
            Self::Time => ("time", "behind its time"),
            Self::Open => ("open", "behind the authentication"),
            Self::InHeader => ("in-header", "inside a header"),
            Self::InBody => ("in-body", "inside the body of a message"),
            Self::Active => ("active", "while a request is active"),
        }
    }

    /// A connection that has got so far.
    pub(super) async fn reach(self, ground: &Ground) -> Checked<Stalled> {
        if matches!(self, Self::Connected | Self::Version | Self::Time) {
            let mut login = ground.login().await?;
            match self {
                Self::Time => _ = login.nonce_for(ground.now()).await,
                Self::Version => {
                    login.send(&[VERSION]).await;
                    login.version().await;
                }
                _ => {}
            }
            return Ok(Stalled::Early(login));
        }
        let mut link = ground.link().await?;
        let message = forge::request_message(1, &exists(ground));
        match self {
            Self::InHeader => link.send(&message[..5]).await,
            Self::InBody => link.send(&message[..25]).await,
            Self::Active => {
                let range = [RequestCode::GetHashRange as u8, 0];
                let id = link.open_supported(&range).await?;
                link.answer(id, "the hash range").await?;
            }
            _ => {}
        }
        Ok(Stalled::Open(link))
    }
}

impl Stalled {
    fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Early(login) => login.socket(),
            Self::Open(link) => link.socket(),
        }
    }
}

async fn half_closed(ground: &Ground, phase: Phase) -> Checked {
    let mut stalled = phase.reach(ground).await?;
    stalled.socket().half_close();
    if stalled.socket().closed().await.is_some() {
        return Ok(());
    }
    Err(broken(
        &req::ROBUST_HALF_CLOSE_CLOSED,
        Outcome::Open,
        format!("FIN {}", phase.names().1),
        &["the node closes the connection"],
        "the connection stays open",
    ))
}

async fn abruptly_closed(ground: &Ground, phase: Phase) -> Checked {
    let rule = &req::ROBUST_CLOSED_ANY_PHASE;
    drop(phase.reach(ground).await.map_err(blamed_on(rule))?);
    match phase.reach(ground).await.map_err(blamed_on(rule))? {
        Stalled::Open(link) => link.reset(),
        // Dropped with the nonce unread, the system resets it by itself.
        Stalled::Early(login) => drop(login),
    }
    newcomers_served(ground, rule).await
}

async fn half_answered(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let ids = link.open_times(&exists(ground), 20).await;
    link.socket().half_close();
    let sent = "20 Exists and FIN";
    let rule = &req::ROBUST_HALF_CLOSE_ANSWERED;
    let answered = all_answered(&mut link, &ids, rule).await;
    let expected = "all are answered, then FIN";
    answered.map_err(shows(rule, sent, expected))?;
    let closed = link.socket().closed().await.is_some();
    let rule = &req::ROBUST_HALF_CLOSE_CLOSED;
    ground.expect(rule, sent, &[expected], closed, || {
        "the connection stays open".to_owned()
    })
}

async fn unread(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let put = put(ground, 1, vec![7; 1000]);
    let messages: Vec<u8> = (1..=150)
        .flat_map(|id| forge::request_message(id, &put))
        .collect();
    link.socket().send_what_fits(&messages);
    drop(link);
    newcomers_served(ground, &req::ROBUST_CLOSED_UNREAD).await
}

async fn reset_while_answering(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    for number in 0..100 {
        link.store(&channel, ground.key(number), vec![7; 30_000])
            .await?;
    }
    let mut other = ground.link().await?;
    let open = get_all::Open {
        start_suspended: false,
        channel: channel.clone(),
        continue_from: None,
        settings: get_all::Settings::default(),
    };
    let id = link.start_get_all(&open).await?;
    let opening = record(&channel, ground.key(1)).opening(RequestCode::Get);
    link.open(&opening).await;
    link.hear_get_all(id).await?;
    link.reset();
    newcomers_served(ground, &req::ROBUST_RESET_ANSWERING).await?;
    other
        .expect_usable(&req::ROBUST_RESET_ANSWERING, "a reset during a GetAll")
        .await
}

async fn drop_within_burst(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let id = link.fresh_id().get();
    let mut burst = forge::request_message(id, &[]);
    let cut = forge::request_message(id + 1, &put(ground, 1, vec![7; 1000]));
    burst.extend(&cut[..cut.len() - 100]);
    link.send(&burst).await;
    let sent =
        "a first message without a command, and a Put without its last 100 bytes, in one piece";
    let rule = &req::ROBUST_DROP_WITHIN_BURST;
    let closed = link.socket().closed().await.is_some();
    ground.expect(rule, sent, &["the connection is closed"], closed, || {
        "it stays open".to_owned()
    })?;
    newcomers_served(ground, rule).await
}

async fn behind_code(ground: &Ground, wrong: Vec<u8>, rule: &'static req::Requirement) -> Checked {
    let mut login = ground.login().await?;
    let time = ground.now();
    if let Step::Said(nonce) = login.nonce_for(time).await {
        let credential = ground.credential();
        let proof = Proof {
            name: credential.name.as_str().into(),
            code: auth::code(&credential.key, time, nonce),
        };
        let body = proof.encode();
        let mut bytes = forge::message(AUTHENTICATION, body.len() as u64, &body);
        bytes.extend(wrong);
        login.send(&bytes).await;
    }
    let closed = login.socket().closed().await.is_some();
    let sent = "the client's name and code, and what closes an open connection, in one piece";
    ground.expect(rule, sent, &["the connection is closed"], closed, || {
        "it stays open".to_owned()
    })
}
