//! Several connections at once, idle ones, and clients that fall silent on the way.

use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::{self, Timestamp};
use dht_protocol::neo::frame::write_authentication;
use dht_protocol::neo::request::exists::Reply;
use dht_requirements as req;

use super::steps::{expect_accepted, expect_nonce, expect_version, proof};
use super::{Check, Ground};
use crate::unkept::{Checked, shows};
use crate::wire::Login;

/// How many connections one client has at once.
const AT_ONCE: u64 = 5;
/// How many clients fall silent at once.
const SILENT: usize = 4;
/// How many clients come and go while a connection is idle.
const GUESTS: usize = 12;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "connection.same-name",
            "Several connections of one client work at the same time.",
            &[&req::CONN_SAME_NAME_TWICE],
            |ground| Box::pin(same_name(ground)),
        ),
        Check::raw(
            "connection.idle",
            "A connection that is idle while others come and go stays usable.",
            &[&req::CONN_IDLE_STAYS_OPEN],
            |ground| Box::pin(idle(ground)),
        ),
        Check::raw(
            "connection.byte-by-byte",
            "A client that sends the messages of the handshake byte by byte is let in.",
            &[&req::FRAME_SPLIT, &req::AUTH_ACCEPTED],
            |ground| Box::pin(byte_by_byte(ground)),
        ),
    ];
    let places = [
        (0, "before-version", "before their version byte"),
        (1, "before-timestamp", "before their timestamp"),
        (2, "in-header", "inside the header of their timestamp"),
        (3, "in-timestamp", "inside their timestamp"),
        (4, "before-code", "before their name and code"),
        (5, "in-code", "inside their name and code"),
    ];
    checks.extend(places.map(silent));
    checks
}

/// Clients that fall silent after so many steps of their handshake.
fn silent((steps, case, place): (usize, &'static str, &'static str)) -> Check {
    Check::raw(
        format!("connection.silent-{case}"),
        format!("Clients that fall silent {place} hold up no other, and may go on later."),
        &[&req::ROBUST_SLOW_SENDER, &req::AUTH_ACCEPTED],
        move |ground| Box::pin(others_are_served(ground, steps)),
    )
}

async fn same_name(ground: &Ground) -> Checked {
    let wrong = shows(
        &req::CONN_SAME_NAME_TWICE,
        "the same name and key on several connections, and requests on all of them",
        "all connections stay open, and all requests are answered",
    );
    let mut links = Vec::new();
    for _ in 0..AT_ONCE {
        links.push(ground.link().await.map_err(&wrong)?);
    }
    let channel = ground.channel("");
    for (number, link) in (0..).zip(&mut links) {
        let stored = link.store(&channel, ground.key(number), "value").await;
        stored.map_err(&wrong)?;
    }
    for (number, link) in (0..).zip(links.iter_mut().rev()) {
        let exists = link.exists(&channel, ground.key(number)).await;
        let exists = exists.map_err(&wrong)?;
        ground.expect(
            &req::CONN_SAME_NAME_TWICE,
            "Exists of what another connection of the same client has stored",
            &["RecordExists"],
            exists == Reply::RecordExists,
            || exists.name().to_owned(),
        )?;
    }
    Ok(())
}

async fn idle(ground: &Ground) -> Checked {
    let mut idle = ground.link().await?;
    for _ in 0..GUESTS {
        ground.link().await?.sentinel().await?;
    }
    let sent = "nothing, while other connections came and went, and then Exists";
    idle.expect_usable(&req::CONN_IDLE_STAYS_OPEN, sent).await
}

async fn byte_by_byte(ground: &Ground) -> Checked {
    let mut halting = Halting::new(ground).await?;
    halting.bytewise = true;
    let wrong = shows(
        &req::FRAME_SPLIT,
        "the messages of a right handshake, byte by byte",
        "the nonce, and the result 1",
    );
    halting
        .go_on(ground, Halting::STEPS)
        .await
        .map_err(&wrong)?;
    halting.expect_accepted(ground).await.map_err(&wrong)
}

async fn others_are_served(ground: &Ground, steps: usize) -> Checked {
    let wrong = shows(
        &req::ROBUST_SLOW_SENDER,
        "handshakes that are begun and not continued, and a whole one on another connection",
        "the other connection is served",
    );
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        let mut halting = Halting::new(ground).await.map_err(&wrong)?;
        halting.go_on(ground, steps).await.map_err(&wrong)?;
        silent.push(halting);
    }
    let other = async { ground.link().await?.sentinel().await };
    other.await.map_err(&wrong)?;
    for mut halting in silent {
        halting.go_on(ground, Halting::STEPS).await?;
        halting.expect_accepted(ground).await?;
    }
    Ok(())
}

/// A handshake in small steps.
struct Halting {
    login: Login,
    done: usize,
    bytewise: bool,
    timestamp: u64,
    /// The messages of the client, as far as they are known.
    time: Vec<u8>,
    proof: Vec<u8>,
}

impl Halting {
    const STEPS: usize = 6;

    async fn new(ground: &Ground) -> Checked<Self> {
        let (mut time, timestamp) = (Vec::new(), ground.now());
        write_authentication(&mut time, &Timestamp(timestamp).encode());
        Ok(Self {
            login: ground.login().await?,
            done: 0,
            bytewise: false,
            timestamp,
            time,
            proof: Vec::new(),
        })
    }

    /// Goes on until so many steps are done.
    async fn go_on(&mut self, ground: &Ground, steps: usize) -> Checked {
        while self.done < steps {
            self.step(ground).await?;
            self.done += 1;
        }
        Ok(())
    }

    async fn step(&mut self, ground: &Ground) -> Checked {
        match self.done {
            0 => {
                self.login.send(&[VERSION]).await;
                expect_version(&mut self.login).await?;
            }
            1 => send(&mut self.login, &self.time[..5], self.bytewise).await,
            2 => send(&mut self.login, &self.time[5..14], self.bytewise).await,
            3 => {
                send(&mut self.login, &self.time[14..], self.bytewise).await;
                let sent = "a timestamp in pieces";
                let nonce = expect_nonce(&mut self.login, &req::AUTH_NONCE_SENT, sent).await?;
                let credential = ground.credential();
                let code = auth::code(&credential.key, self.timestamp, nonce);
                let body = proof(credential.name.as_str().as_bytes(), code);
                write_authentication(&mut self.proof, &body);
            }
            4 => send(&mut self.login, &self.proof[..40], self.bytewise).await,
            _ => send(&mut self.login, &self.proof[40..], self.bytewise).await,
        }
        Ok(())
    }

    /// After the last step the client is let in, and its requests are answered.
    async fn expect_accepted(mut self, ground: &Ground) -> Checked {
        let sent = "name and code in pieces";
        expect_accepted(&mut self.login, &req::AUTH_ACCEPTED, sent).await?;
        ground.open(self.login).sentinel().await
    }
}

async fn send(login: &mut Login, bytes: &[u8], bytewise: bool) {
    let pieces = bytes.chunks(if bytewise { 1 } else { bytes.len() });
    for piece in pieces {
        login.send(piece).await;
    }
}
