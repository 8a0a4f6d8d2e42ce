//! What the doctor asks of a node that lets the client in: its range, a record, a channel, and how long an
//! answer takes.

use std::net::SocketAddrV4;

use dht_protocol::neo::Credential;
use dht_protocol::neo::request::{get, get_hash_range, put, remove, remove_channel};
use dht_protocol::{ChannelName, HashRange, Key};
use tokio::time::Instant;

use super::finding::{Finding, Question};
use super::{Examination, Way, now};
use crate::unkept::{Checked, Unkept};
use crate::wire::handshake::Step;
use crate::wire::{Link, Login};

/// The only client that may remove channels, unless a node lets everybody.
const ADMIN: &str = "admin";

const VALUE: &[u8] = b"dhtcheck doctor";

/// How often an answer is waited for, to tell how long it takes.
const ROUNDS: u32 = 10;

const HANGS: &str = "See what the node logs and whether it hangs. --timeout allows more time.";

/// A node that lets the client in.
pub(super) struct Patient<'a> {
    pub(super) node: SocketAddrV4,
    pub(super) credential: &'a Credential,
    pub(super) link: Link,
    /// The channel that everything is done in.
    pub(super) channel: ChannelName,
}

impl Examination<'_> {
    pub(super) async fn requests(&mut self, mut patient: Patient<'_>) -> Way {
        let range = self.range(&mut patient.link).await?;
        self.guest(&patient).await?;
        self.round_trip(&mut patient.link).await?;
        let record = if range == HashRange::EMPTY {
            let found = "no key to store a record under";
            let finding = Finding::cannot_tell(Question::Records, found);
            self.diagnosis.add(finding);
            Some(())
        } else {
            self.record(&mut patient, range.nth_key(1)).await
        };
        // Also where something is wrong with records; and last, since any request may create the channel.
        self.permission(&mut patient).await?;
        record
    }

    async fn range(&mut self, link: &mut Link) -> Way<HashRange> {
        match range(link).await {
            Err(unkept) => self.stop(Question::Range, why("GetHashRange", &unkept), HANGS),
            Ok(HashRange::EMPTY) => {
                let found = "empty: the node is responsible for no key";
                let advice =
                    "Give the node a hash range: with an empty one there is nothing to certify.";
                // The rest can be asked all the same.
                self.wrong(Question::Range, found, advice);
                Some(HashRange::EMPTY)
            }
            Ok(HashRange::FULL) => {
                let found = "full: no key is refused, so refusals cannot be checked";
                self.ok(Question::Range, found, HashRange::FULL)
            }
            Ok(range) => self.ok(Question::Range, range, range),
        }
    }

    async fn guest(&mut self, patient: &Patient<'_>) -> Way {
        let Some(guest) = &self.options.identity.guest else {
            return Some(());
        };
        let name = &guest.name;
        let advice = "Give name and key of a second client that the node knows, and that is not called \
                      \"admin\", with --guest NAME:HEXKEY; or leave it out.";
        if name.as_str() == ADMIN {
            let found = "the second client is called \"admin\", too";
            self.wrong(Question::Guest, found, advice);
            return Some(());
        }
        let mut login = match self.connect(patient.node).await {
            Ok(socket) => Login::new(socket),
            Err(error) => {
                let found = format!("no second connection: {error}");
                return self.stop(Question::Guest, found, HANGS);
            }
        };
        match login.log_in(guest, now()).await {
            Step::Said(true) => self.ok(Question::Guest, format!("\"{name}\" is accepted"), ()),
            Step::Said(false) => {
                let found = format!("\"{name}\" is refused (authentication answered 0)");
                self.wrong(Question::Guest, found, advice);
                Some(())
            }
            other => self.stop(Question::Guest, other, HANGS),
        }
    }

    async fn record(&mut self, patient: &mut Patient<'_>, key: Key) -> Way {
        match record(&mut patient.link, &patient.channel, key).await {
            Ok(()) => self.ok(Question::Records, "a record was put, got and removed", ()),
            Err(found) => {
                let advice = "See what the node logs. `dhtcheck certify --filter records` shows the \
                              messages. --timeout allows more time.";
                self.stop(Question::Records, found, advice)
            }
        }
    }

    async fn permission(&mut self, patient: &mut Patient<'_>) -> Way {
        let name = &patient.credential.name;
        match patient.link.remove_channel(&patient.channel).await {
            Ok(remove_channel::Reply::ChannelRemoved) => {
                let found = format!("\"{name}\" may remove channels");
                self.ok(Question::Permissions, found, ())
            }
            Ok(remove_channel::Reply::NotPermitted) => {
                let found = format!(
                    "\"{name}\" may not remove channels; \"{}\" stays on the node",
                    String::from_utf8_lossy(patient.channel.as_bytes())
                );
                let advice = match name.as_str() {
                    ADMIN => {
                        "See how the node knows who may remove channels: \"admin\" must be able to."
                    }
                    _ => {
                        "Log in as \"admin\" with --auth or --credentials. With another client a run \
                         cannot check RemoveChannel, and leaves its channels behind."
                    }
                };
                self.wrong(Question::Permissions, found, advice);
                Some(())
            }
            Ok(remove_channel::Reply::Error) => {
                let found = "RemoveChannel was answered Error";
                self.stop(Question::Permissions, found, HANGS)
            }
            Err(unkept) => self.stop(Question::Permissions, why("RemoveChannel", &unkept), HANGS),
        }
    }

    async fn round_trip(&mut self, link: &mut Link) -> Way {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            if let Err(unkept) = link.sentinel().await {
                return self.stop(Question::RoundTrip, why("Exists", &unkept), HANGS);
            }
        }
        let each = begun.elapsed().as_secs_f64() * 1_000.0 / f64::from(ROUNDS);
        self.ok(Question::RoundTrip, format!("{each:.2} ms"), ())
    }
}

async fn range(link: &mut Link) -> Checked<HashRange> {
    let id = link.open_supported(&get_hash_range::Open.encode()).await?;
    let payload = link.answer(id, "the hash range").await?;
    get_hash_range::Range::decode(&payload)
        .map(|range| range.0)
        .map_err(|error| Unkept::Inconclusive(format!("no hash range came: {error}")))
}

/// What is wrong with the life of a record, if anything is.
async fn record(link: &mut Link, channel: &ChannelName, key: Key) -> Result<(), String> {
    let put = link.put(channel, key, VALUE).await;
    match put.map_err(|unkept| why("Put", &unkept))? {
        put::Reply::Put => {}
        other => return Err(format!("Put was answered {}", other.name())),
    }
    let got = link.get(channel, key).await;
    match got.map_err(|unkept| why("Get", &unkept))? {
        (get::Reply::Got, Some(value)) if value == VALUE => {}
        (get::Reply::Got, _) => return Err("Get returned another value than was put".to_owned()),
        (other, _) => return Err(format!("Get behind Put was answered {}", other.name())),
    }
    let removed = link.remove(channel, key).await;
    match removed.map_err(|unkept| why("Remove", &unkept))? {
        remove::Reply::Removed => Ok(()),
        other => Err(format!("Remove behind Put was answered {}", other.name())),
    }
}

fn why(request: &str, unkept: &Unkept) -> String {
    match unkept {
        Unkept::Broken(broken) => format!("{request}: {}", broken.observed),
        Unkept::Inconclusive(reason) | Unkept::NotApplicable(reason) => {
            format!("{request}: {reason}")
        }
    }
}
