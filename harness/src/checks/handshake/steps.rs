//! Steps of the authentication with what is due at each.

use dht_protocol::ChannelName;
use dht_protocol::neo::auth::{self, Code, Nonce, Proof};
use dht_protocol::neo::request::exists::Reply;
use dht_protocol::neo::{Credential, VERSION};
use dht_requirements::{self as req, Requirement};

use super::Ground;
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Login;
use crate::wire::handshake::Step;

/// A connection on which the node waits for name and code.
pub(super) struct Challenged {
    pub(super) login: Login,
    pub(super) timestamp: u64,
    pub(super) nonce: Nonce,
}

impl Challenged {
    /// A client that told this time and has its nonce.
    pub(super) async fn at(ground: &Ground, timestamp: u64) -> Checked<Self> {
        let mut login = ground.login().await?;
        match login.nonce_for(timestamp).await {
            Step::Said(nonce) => Ok(Self {
                login,
                timestamp,
                nonce,
            }),
            other => Err(broken(
                &req::AUTH_NONCE_SENT,
                other.outcome(),
                "the version byte 1, and a timestamp behind the node's",
                &["a nonce of four bytes"],
                other.to_string(),
            )),
        }
    }

    /// The same with the right time.
    pub(super) async fn now(ground: &Ground) -> Checked<Self> {
        Self::at(ground, ground.now()).await
    }

    /// The code that the client with this credential owes.
    pub(super) fn code(&self, credential: &Credential) -> Code {
        auth::code(&credential.key, self.timestamp, self.nonce)
    }

    /// Sends a well-formed message of name and code.
    pub(super) async fn prove(&mut self, name: &[u8], code: Code) {
        self.login.send_message(&proof(name, code)).await;
    }

    /// Sends the right name and code of this client.
    pub(super) async fn prove_rightly(&mut self, credential: &Credential) {
        let code = self.code(credential);
        self.prove(credential.name.as_str().as_bytes(), code).await;
    }
}

/// The body of a message of name and code.
pub(super) fn proof(name: &[u8], code: Code) -> Vec<u8> {
    let proof = Proof {
        name: name.to_vec(),
        code,
    };
    proof.encode()
}

/// A connection on which the versions have been exchanged.
pub(super) async fn versions_exchanged(ground: &Ground) -> Checked<Login> {
    let mut login = ground.login().await?;
    login.send(&[VERSION]).await;
    expect_version(&mut login).await?;
    Ok(login)
}

/// The node's version byte is due.
pub(super) async fn expect_version(login: &mut Login) -> Checked {
    match login.version().await {
        Step::Said(VERSION) => Ok(()),
        other => Err(broken(
            &req::CONN_VERSION_ANSWERED,
            other.outcome(),
            "the version byte 1",
            &["the version byte 1"],
            match other {
                Step::Said(version) => format!("the version byte {version}"),
                other => other.to_string(),
            },
        )),
    }
}

/// The nonce is due.
pub(super) async fn expect_nonce(
    login: &mut Login,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked<Nonce> {
    let (outcome, observed) = match login.message().await {
        Step::Said(body) => match Nonce::try_from(&body[..]) {
            Ok(nonce) => return Ok(nonce),
            Err(_) => (Outcome::Data, format!("a message, {body:02x?}")),
        },
        other => (other.outcome(), other.to_string()),
    };
    let expected = ["the nonce, a message of four bytes"];
    Err(broken(requirement, outcome, sent, &expected, observed))
}

/// The client must be let in.
pub(super) async fn expect_accepted(
    login: &mut Login,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    expect_verdict(login, true, requirement, sent).await
}

/// The client must be refused, in so many words.
pub(super) async fn expect_refused(
    login: &mut Login,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    expect_verdict(login, false, requirement, sent).await
}

async fn expect_verdict(
    login: &mut Login,
    due: bool,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let verdict = login.verdict().await;
    let observed = match &verdict {
        Step::Said(accepted) if *accepted == due => return Ok(()),
        Step::Said(accepted) => format!("the result {}", u8::from(*accepted)),
        other => other.to_string(),
    };
    let expected = format!("the result {}", u8::from(due));
    let outcome = verdict.outcome();
    Err(broken(requirement, outcome, sent, &[&expected], observed))
}

/// The node must close the connection, and say nothing before it does.
pub(super) async fn expect_closed(
    login: &mut Login,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let expected = ["the connection closed without another message"];
    let (outcome, observed) = match login.message().await {
        Step::Closed(_) => return Ok(()),
        Step::Silent => (Outcome::Open, Step::<bool>::Silent.to_string()),
        Step::Said(body) => (Outcome::Answer, format!("a message, {body:02x?}")),
        Step::Garbage(garbage) => (Outcome::Answer, garbage),
    };
    Err(broken(requirement, outcome, sent, &expected, observed))
}

/// There is no record of the first key in this channel, as a connection of its own shows.
pub(super) async fn expect_nothing_stored(
    ground: &Ground,
    channel: &ChannelName,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let mut link = ground.link().await?;
    let exists = link.exists(channel, ground.key(0)).await?;
    ground.expect(
        requirement,
        &format!("{sent}, and Exists on another connection"),
        &["NoRecord: the Put was not carried out"],
        exists == Reply::NoRecord,
        || exists.name().to_owned(),
    )
}
