//! Defects of the legacy protocol that take connections for themselves: a Listen that needs somebody who writes, and
//! clients that do not read, or do not go on.

use std::sync::Arc;
use std::time::Duration;

use dht_protocol::legacy::{Command, Order, Status};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;
use dht_workload::case::Defect;
use dht_workload::world::Violation;
use tokio::time::Instant;

use super::violation;
use crate::fuzz::place::Place;
use crate::fuzz::verdict;
use crate::trace::Trace;
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::legacy::link::encoded;
use crate::wire::legacy::{LegacyLink, talk};
use crate::wire::{Socket, shown};

/// How large the values are that nobody reads, in bytes, and how many of them are sent.
const UNREAD: (usize, u64) = (60_000, 64);
/// How long a Listen is looked at before something else is written to its channel: a node may notice what its client
/// does only then.
const ROUND: Duration = Duration::from_millis(50);

/// Does something wrong on new connections. The error is what the node broke.
pub(in crate::fuzz) async fn commit(
    place: Place,
    defect: Defect,
    variant: u32,
    trace: Arc<Trace>,
) -> Result<(), Violation> {
    let channel = match defect {
        // What is told there is to be of this Listen's own making.
        Defect::LegacyListenInterrupted | Defect::LegacyListenHalfClose => {
            ChannelName::from(format!("{}_l{}", place.spare.channel, variant % 64))
        }
        _ => ChannelName::from(format!("{}_listened", place.spare.channel)),
    };
    let deed = Deed {
        place,
        variant,
        trace,
        channel,
    };
    let done = match defect {
        Defect::LegacyListenUnread => deed.listen_unread().await,
        Defect::LegacyListenInterrupted => deed.listen_interrupted().await,
        Defect::LegacyListenHalfClose => deed.listen_half_close().await,
        Defect::LegacyUnread => deed.unread().await,
        Defect::LegacySilent => deed.silent().await,
        _ => None,
    };
    // Whether the node takes connections at all is seen by others.
    violation(done.unwrap_or(Ok(())), None)
}

/// Does a node answer a GetVersion?
pub(in crate::fuzz) async fn answers(place: &Place) -> bool {
    let deed = Deed {
        place: place.clone(),
        variant: 0,
        trace: Arc::default(),
        channel: place.spare.channel.clone(),
    };
    let Some(mut link) = deed.link().await else {
        return false;
    };
    link.ask(&Order::GetVersion).await.is_ok()
}

struct Deed {
    place: Place,
    variant: u32,
    trace: Arc<Trace>,
    /// A channel that no case names.
    channel: ChannelName,
}

/// What came of a deed; none if it could not be done.
type Done = Option<Checked>;

impl Deed {
    /// A Listen is told much, and reads nothing.
    async fn listen_unread(&self) -> Done {
        let rule = &req::LEG_LISTEN_UNREAD;
        let (length, count) = UNREAD;
        let mut writer = self.link().await?;
        let mut slow = self.narrow_link().await?;
        slow.socket()
            .send_what_fits(&encoded(&talk::listen(&self.channel)));
        let mut served = Ok(());
        for number in 0..count {
            let order = talk::put(&self.channel, self.key(number), vec![0x5a; length]);
            match writer.ask(&order).await {
                // So large a value is not stored by every node.
                Ok(answer) if answer.status() != Status::Ok => break,
                Ok(_) => {}
                Err(unkept) => {
                    served = Err(blamed_on(rule)(unkept));
                    break;
                }
            }
        }
        self.go(slow);
        Some(served)
    }

    /// An order comes while a Listen runs, which ends it.
    async fn listen_interrupted(&self) -> Done {
        let mut writer = self.link().await?;
        let mut link = self.link().await?;
        link.send(&talk::listen(&self.channel)).await;
        if self.variant.is_multiple_of(2) {
            self.write(&mut writer, 0).await?;
        }
        link.send(&Order::GetVersion).await;
        let limit = Instant::now() + self.place.patience;
        let mut number = 0;
        while !link.rest().ends_with(&verdict::legacy::version()) {
            if Instant::now() >= limit || link.socket().closing().is_some() {
                let (rule, sent) = (&req::LEG_LISTEN_INPUT_ENDS, "Listen, and GetVersion");
                let observed = format!("the node said {}", shown(link.rest()));
                let expected = ["the answer to GetVersion"];
                return Some(Err(broken(
                    rule,
                    Outcome::Silence,
                    sent,
                    &expected,
                    observed,
                )));
            }
            self.provoke(&mut link, &mut writer, number, limit).await?;
            number += 1;
        }
        Some(Ok(()))
    }

    /// The client of a Listen sends nothing more, which ends it without a mark.
    async fn listen_half_close(&self) -> Done {
        let mut writer = self.link().await?;
        let mut link = self.link().await?;
        link.send(&talk::listen(&self.channel)).await;
        self.write(&mut writer, 0).await?;
        link.socket().half_close();
        let limit = Instant::now() + self.place.patience;
        let mut number = 0;
        while link.socket().closing().is_none() && Instant::now() < limit {
            self.provoke(&mut link, &mut writer, number, limit).await?;
            number += 1;
        }
        let (rule, sent) = (&req::LEG_LISTEN_HALF_CLOSE, "Listen, FIN, and Puts");
        let found = |outcome, observed: String| {
            let expected = ["the connection is closed, without an end marker"];
            Some(Err(broken(rule, outcome, sent, &expected, observed)))
        };
        if link.socket().closing().is_none() {
            return found(Outcome::Open, "the connection stays open".to_owned());
        }
        match link.rest().ends_with(&[0; 16]) {
            true => found(Outcome::Extra, "an end marker came".to_owned()),
            false => Some(Ok(())),
        }
    }

    /// Large values are asked for and not read.
    async fn unread(&self) -> Done {
        let rule = &req::LEG_ROBUST_UNREAD;
        let (length, count) = UNREAD;
        let mut other = self.link().await?;
        let put = talk::put(&self.channel, self.key(0), vec![0x5a; length]);
        other.ask(&put).await.ok()?;
        let mut slow = self.narrow_link().await?;
        let get = encoded(&talk::get(&self.channel, self.key(0)));
        slow.socket()
            .send_what_fits(&get.repeat(usize::try_from(count).unwrap_or(1)));
        let served = self.served(&mut other).await;
        self.go(slow);
        Some(served.map_err(blamed_on(rule)))
    }

    /// A client falls silent inside an order, and goes on when others were served.
    async fn silent(&self) -> Done {
        let mut other = self.link().await?;
        let mut silent = self.link().await?;
        let order = talk::put(&self.channel, self.key(0), "value");
        let bytes = encoded(&order);
        let (begun, rest) = bytes.split_at(1 + self.variant as usize % (bytes.len() - 1));
        silent.send_bytes(begun).await;
        let served = self.served(&mut other).await;
        if let Err(unkept) = served {
            return Some(Err(blamed_on(&req::LEG_ROBUST_SLOW_SENDER)(unkept)));
        }
        silent.send_bytes(rest).await;
        let answer = silent.answer(Command::Put).await;
        Some(answer.map(drop).map_err(blamed_on(&req::LEG_CONN_PIECES)))
    }

    /// Others are served. More than once: the node may not have begun with this client yet.
    async fn served(&self, other: &mut LegacyLink) -> Checked {
        for _ in 0..8 {
            other.ask(&Order::GetVersion).await?;
        }
        Ok(())
    }

    /// Something is written to the channel; then the Listen is looked at.
    async fn provoke(
        &self,
        link: &mut LegacyLink,
        writer: &mut LegacyLink,
        number: u64,
        limit: Instant,
    ) -> Option<()> {
        link.socket()
            .receive(limit.min(Instant::now() + ROUND))
            .await;
        self.write(writer, number).await
    }

    async fn write(&self, writer: &mut LegacyLink, number: u64) -> Option<()> {
        let value = format!("value {number}");
        let order = talk::put(&self.channel, self.key(0), value);
        writer.ask(&order).await.ok().map(drop)
    }

    fn key(&self, number: u64) -> Key {
        self.place.range.nth_key(number + 1)
    }

    /// The connection ends in one of two ways.
    fn go(&self, link: LegacyLink) {
        if self.variant.is_multiple_of(2) {
            link.reset();
        }
    }

    async fn link(&self) -> Option<LegacyLink> {
        let (trace, patience) = (Arc::clone(&self.trace), self.place.patience);
        let socket = Socket::connect(self.place.legacy?, trace, patience).await;
        self.legacy(socket.ok()?)
    }

    async fn narrow_link(&self) -> Option<LegacyLink> {
        let (trace, patience) = (Arc::clone(&self.trace), self.place.patience);
        let socket = Socket::connect_narrow(self.place.legacy?, trace, patience).await;
        self.legacy(socket.ok()?)
    }

    fn legacy(&self, socket: Socket) -> Option<LegacyLink> {
        self.trace.speaks_legacy(socket.id());
        Some(LegacyLink::new(socket))
    }
}
