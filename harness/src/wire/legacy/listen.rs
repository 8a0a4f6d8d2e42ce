//! A Listen that runs.
//!
//! A node may keep the status back until there is something to tell, and nothing says that it has registered
//! the Listen. So a record is put until it is told: a sentinel. What was written between two sentinels has been
//! told when the second one after it is: a node may tell the keys that wait in any order.

use std::time::Duration;

use bytes::Bytes;
use dht_protocol::legacy::{ClientRequest, Event, KeyText};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;
use tokio::time::Instant;

use super::link::{LegacyLink, Said};
use super::talk::listen;
use crate::unkept::{Checked, Outcome, Unkept, blamed_on, broken};

/// How long a sentinel is waited for before the next one is put.
const ROUND: Duration = Duration::from_millis(100);

/// A running Listen.
#[derive(Debug)]
pub struct LegacyListen {
    link: LegacyLink,
    request: ClientRequest,
    channel: ChannelName,
    sentinel: Key,
    /// How many sentinels were put.
    rounds: u64,
    told: Vec<(KeyText, Bytes)>,
    /// Has Ok come?
    started: bool,
}

impl LegacyListen {
    /// Listens, and puts the record `sentinel` on `writer` until it is told.
    pub async fn begin(
        link: LegacyLink,
        channel: &ChannelName,
        sentinel: Key,
        writer: &mut LegacyLink,
    ) -> Checked<Self> {
        let mut listen = Self::order(link, channel, sentinel).await;
        listen.sentinel(writer).await?;
        listen.told.clear();
        Ok(listen)
    }

    /// Sends the order, and waits for nothing.
    pub async fn order(mut link: LegacyLink, channel: &ChannelName, sentinel: Key) -> Self {
        let order = listen(channel);
        link.send(&order).await;
        Self {
            link,
            request: ClientRequest::new(order.command()),
            channel: channel.clone(),
            sentinel,
            rounds: 0,
            told: Vec::new(),
            started: false,
        }
    }

    /// The connection, which serves as any other when the Listen has ended.
    pub fn into_link(self) -> LegacyLink {
        self.link
    }

    /// The connection.
    pub fn link(&mut self) -> &mut LegacyLink {
        &mut self.link
    }

    /// Was it answered Ok?
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// What was told, sentinels left out.
    pub fn told(&self) -> impl Iterator<Item = (&KeyText, &Bytes)> {
        let told = self.told.iter();
        told.filter(|(key, _)| key.parse() != Some(self.sentinel))
            .map(|(key, value)| (key, value))
    }

    /// Puts a sentinel until it is told.
    pub async fn sentinel(&mut self, writer: &mut LegacyLink) -> Checked {
        let limit = Instant::now() + self.link.socket().patience();
        let sentinel = self.sentinel;
        loop {
            self.rounds += 1;
            let value = Bytes::from(format!("sentinel {}", self.rounds));
            let channel = self.channel.clone();
            writer.store(&channel, self.sentinel, value.clone()).await?;
            let round = limit.min(Instant::now() + ROUND);
            if self
                .hear_until(round, |told| has(told, sentinel, &value))
                .await?
            {
                return Ok(());
            }
            if Instant::now() >= limit {
                return Err(self.silent("Put of a record, again and again"));
            }
        }
    }

    /// All that was written before has been told.
    pub async fn settle(&mut self, writer: &mut LegacyLink) -> Checked {
        self.sentinel(writer).await?;
        self.sentinel(writer).await
    }

    /// Waits until this record is told.
    pub async fn expect(&mut self, key: Key, value: impl Into<Bytes>) -> Checked {
        let value = value.into();
        let limit = Instant::now() + self.link.socket().patience();
        match self
            .hear_until(limit, |told| has(told, key, &value))
            .await?
        {
            true => Ok(()),
            false => Err(self.silent(&format!("a write of {key}"))),
        }
    }

    /// Waits for the end.
    pub async fn expect_end(&mut self) -> Checked {
        loop {
            match self.link.hear(&mut self.request).await {
                Said::Event(Event::Ended) => return Ok(()),
                Said::Event(event) => self.note(event)?,
                other => {
                    let (outcome, observed) = match other {
                        Said::Closed(closing) => (Outcome::Closed, closing.to_string()),
                        Said::Garbage(garbage) => (Outcome::Data, garbage.to_string()),
                        _ => (Outcome::Silence, "nothing more".to_owned()),
                    };
                    let expected = ["an empty key and an empty value"];
                    let sent = "the removal of the channel that is listened to";
                    let rule = &req::LEG_LISTEN_END;
                    return Err(broken(rule, outcome, sent, &expected, observed));
                }
            }
        }
    }

    /// Hears until `done`, or until `limit`. Whether it is done.
    async fn hear_until(
        &mut self,
        limit: Instant,
        done: impl Fn(&[(KeyText, Bytes)]) -> bool,
    ) -> Checked<bool> {
        while !done(&self.told) {
            match self.link.hear_until(&mut self.request, limit).await {
                Said::Event(event) => self.note(event)?,
                Said::Silence => return Ok(false),
                Said::Closed(closing) => {
                    let (sent, expected) = ("Listen, and a write", ["a record"]);
                    let rule = &req::LEG_LISTEN_TELLS;
                    let observed = closing.to_string();
                    return Err(broken(rule, Outcome::Closed, sent, &expected, observed));
                }
                other => {
                    let unkept = self.link.unanswered(&self.request, other);
                    return Err(match self.started {
                        true => unkept,
                        false => blamed_on(&req::LEG_LISTEN_STATUS)(unkept),
                    });
                }
            }
        }
        Ok(true)
    }

    fn note(&mut self, event: Event) -> Checked {
        match event {
            Event::Started => self.started = true,
            Event::Written(key, value) => self.told.push((key, value)),
            other => {
                let (sent, expected) = ("Listen, and writes", ["Ok (200), and records"]);
                let rule = match other {
                    Event::Answered(_) => &req::LEG_LISTEN_STATUS,
                    _ => &req::LEG_LISTEN_TELLS,
                };
                let observed = format!("{other:?}");
                return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
            }
        }
        Ok(())
    }

    fn silent(&self, sent: &str) -> Unkept {
        let rule = match self.started {
            true => &req::LEG_LISTEN_TELLS,
            false => &req::LEG_LISTEN_STATUS,
        };
        let observed = format!("{} records were told, not this one", self.told.len());
        let sent = format!("Listen, and {sent}");
        let expected = ["Ok (200), and key and value of the record"];
        broken(rule, Outcome::Silence, sent, &expected, observed)
    }
}

/// Was this record told? It is looked for from the end: the first ones may be many.
fn has(told: &[(KeyText, Bytes)], key: Key, value: &Bytes) -> bool {
    let mut told = told.iter().rev();
    told.any(|(of, told)| told == value && of.parse() == Some(key))
}
