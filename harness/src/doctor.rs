//! `dhtcheck doctor`: why a node cannot be certified, a question a line, and what to do about it.
//!
//! The questions follow the way of a client: address, port, version, nonce, login, requests. The first step
//! that fails leaves the later questions open. Where nothing answers, all of it takes three times
//! the patience at most: the node that is silent, and the port beside it, on which it may be found.

mod clock;
mod finding;
mod requests;

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dht_protocol::neo::auth::{Timestamp, decode_nonce};
use dht_protocol::neo::{Credential, VERSION};
use dht_protocol::{ChannelName, Key};
use dht_reports::Exit;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::cli::{Doctor, Identity};
use crate::trace::Trace;
use crate::wire::handshake::Step;
use crate::wire::{Link, Login, Socket};

pub use finding::{Answer, Diagnosis, Finding, Question};

use requests::Patient;

/// By convention, a node's neo port is its legacy port and this.
const NEO_ABOVE_LEGACY: u16 = 100;

/// Examines the node and prints what was found. Status 0 if nothing is wrong, else 2.
pub async fn doctor(options: Doctor) -> Exit {
    let diagnosis = examine(&options).await;
    let exit = match diagnosis.is_healthy() {
        true => Exit::Kept,
        false => Exit::CouldNotRun,
    };
    // A reader that has gone away has what it wanted.
    let _ = write!(
        io::stdout(),
        "dhtcheck doctor, node {}\n\n{diagnosis}Exit {}.\n",
        options.node,
        exit.code()
    );
    exit
}

/// Asks all questions, as far as the node lets a client come.
pub async fn examine(options: &Doctor) -> Diagnosis {
    let mut examination = Examination {
        options,
        diagnosis: Diagnosis::default(),
    };
    // Where it ends is in the diagnosis.
    let _ = examination.walk().await;
    examination.diagnosis.leave_open();
    examination.diagnosis
}

struct Examination<'a> {
    options: &'a Doctor,
    diagnosis: Diagnosis,
}

/// A part of the way; nothing if it goes no further.
type Way<T = ()> = Option<T>;

impl Examination<'_> {
    async fn walk(&mut self) -> Way {
        let credential = self.credential();
        let node = self.address().await?;
        let mut login = Login::new(self.port(node).await?);
        self.version(node, &mut login).await?;
        // A file that cannot be read is told even if there is no node.
        let credential = credential?;
        self.login(node, &credential, &mut login).await?;
        let channel = channel();
        let patient = Patient {
            node,
            credential: &credential,
            link: Link::new(login, (channel.clone(), Key(0))),
            channel,
        };
        self.requests(patient).await
    }

    fn credential(&mut self) -> Way<Credential> {
        match self.options.identity.credential() {
            Ok(credential) => Some(credential),
            Err(error) => self.stop(Question::Credentials, error, Identity::FILE),
        }
    }

    async fn address(&mut self) -> Way<SocketAddrV4> {
        let node = &self.options.node;
        let advice = "Give the host and the neo port of the node, as in --node 127.0.0.1:10100.";
        let found = match timeout(self.patience(), lookup_host(node)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                return self.stop(Question::Address, format!("\"{node}\": {error}"), advice);
            }
            Err(_) => {
                let found = format!("\"{node}\" is not found in {}", self.waited());
                let advice = "See whether the name server answers, or give the IPv4 address.";
                return self.stop(Question::Address, found, advice);
            }
        };
        let mut found = found.filter_map(|address| match address {
            SocketAddr::V4(address) => Some(address),
            SocketAddr::V6(_) => None,
        });
        match found.next() {
            Some(address) => self.ok(Question::Address, address, address),
            None => {
                let found = format!("\"{node}\" has no IPv4 address; the protocol knows no others");
                self.stop(Question::Address, found, advice)
            }
        }
    }

    async fn port(&mut self, node: SocketAddrV4) -> Way<Socket> {
        let (found, advice) = match self.connect(node).await {
            Ok(socket) => return self.ok(Question::Port, "accepts connections", socket),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => (
                "nothing listens there (connection refused)".to_owned(),
                "Start the node, or give the port on which it listens: the neo port, by convention the \
                 legacy port + 100.",
            ),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => (
                format!("no connection within {}", self.waited()),
                "See whether the address is right, and whether a firewall drops connections. --timeout \
                 allows more time.",
            ),
            Err(error) => (
                error.to_string(),
                "See whether the address is right and the network there.",
            ),
        };
        let advice = self.neo_port_beside(node).await.unwrap_or(advice.into());
        self.stop(Question::Port, found, advice)
    }

    async fn version(&mut self, node: SocketAddrV4, login: &mut Login) -> Way {
        login.send(&[VERSION]).await;
        let (found, advice) = match login.version().await {
            Step::Said(VERSION) => {
                return self.ok(Question::Version, format!("neo {VERSION}"), ());
            }
            Step::Said(other) => (
                format!("the node says {other}, this program speaks {VERSION}"),
                "See whether this is a neo port, and how old the node is.",
            ),
            Step::Silent => (
                format!(
                    "connections are accepted, but the version byte is not answered within {}",
                    self.waited()
                ),
                "See whether the node hangs, and whether this is its neo port: a legacy port does not \
                 answer a neo version. --timeout allows more time.",
            ),
            other => (
                other.to_string(),
                "See whether this is the node's neo port, and whether the node has too many connections.",
            ),
        };
        let advice = self.neo_port_beside(node).await.unwrap_or(advice.into());
        self.stop(Question::Version, found, advice)
    }

    async fn login(
        &mut self,
        node: SocketAddrV4,
        credential: &Credential,
        login: &mut Login,
    ) -> Way {
        let now = now();
        login.send_message(&Timestamp(now).encode()).await;
        let nonce = match login.message().await {
            Step::Said(body) => decode_nonce(&body).map_err(|error| error.to_string()),
            other => Err(other.to_string()),
        };
        let hangs = "See whether the node hangs and what it logs. --timeout allows more time.";
        let nonce = match nonce {
            Ok(nonce) => self.ok(Question::Nonce, "comes", nonce)?,
            Err(came) => return self.stop(Question::Nonce, came, hangs),
        };
        login.prove(credential, now, nonce).await;
        let accepted = match login.verdict().await {
            Step::Said(accepted) => accepted,
            other => return self.stop(Question::Credentials, other, hangs),
        };
        let logins = clock::Logins {
            node,
            credential,
            patience: self.patience(),
        };
        let name = &credential.name;
        let clock = match accepted {
            true => clock::near(&logins).await,
            false => clock::far(&logins).await,
        };
        if accepted || clock.is_told() {
            let finding = Finding::ok(Question::Credentials, format!("\"{name}\" is accepted"));
            self.diagnosis.add(finding);
        } else {
            let found = format!("\"{name}\" is refused (authentication answered 0)");
            let advice = "Give name and key as the node knows them with --auth NAME:HEXKEY or \
                          --credentials FILE. Which of the two is wrong a node does not tell; case \
                          matters in names.";
            self.wrong(Question::Credentials, found, advice);
        }
        self.diagnosis.add(clock.finding());
        accepted.then_some(())
    }

    /// If the port is the legacy port, the neo port is found where convention puts it.
    async fn neo_port_beside(&self, node: SocketAddrV4) -> Option<String> {
        let port = node.port().checked_add(NEO_ABOVE_LEGACY)?;
        let beside = SocketAddrV4::new(*node.ip(), port);
        let mut login = Login::new(self.connect(beside).await.ok()?);
        login.send(&[VERSION]).await;
        (login.version().await == Step::Said(VERSION)).then(|| {
            format!("{beside} answers as a neo port does. If {node} is its legacy port, give --node {beside}.")
        })
    }

    /// A connection on which nothing was said yet.
    async fn connect(&self, node: SocketAddrV4) -> io::Result<Socket> {
        Socket::connect(node, Arc::new(Trace::default()), self.patience()).await
    }

    fn patience(&self) -> Duration {
        self.options.timeout
    }

    fn waited(&self) -> String {
        format!("{} s", self.patience().as_secs_f32())
    }

    fn ok<T>(&mut self, question: Question, found: impl Display, then: T) -> Way<T> {
        self.diagnosis.add(Finding::ok(question, found));
        Some(then)
    }

    /// Something is wrong, and the way ends here.
    fn stop<T>(
        &mut self,
        question: Question,
        found: impl Display,
        advice: impl Into<String>,
    ) -> Way<T> {
        self.wrong(question, found, advice);
        None
    }

    /// Something is wrong, but the way goes on.
    fn wrong(&mut self, question: Question, found: impl Display, advice: impl Into<String>) {
        self.diagnosis.add(Finding::wrong(question, found, advice));
    }
}

/// A channel that no other run uses.
fn channel() -> ChannelName {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = since.unwrap_or_default().as_nanos();
    format!("dhtcheck_doctor_{nanoseconds:x}_{:x}", std::process::id()).into()
}

/// The time here, in seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
