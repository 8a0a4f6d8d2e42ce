//! GetChannels: every channel once, whoever creates and removes others meanwhile.

use std::collections::BTreeSet;

use bytes::Bytes;
use dht_protocol::neo::request::get_channels::Open;
use dht_protocol::neo::request::{RequestCode, put};
use dht_protocol::{ChannelName, fnv1a};
use dht_requirements as req;

use crate::checks::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::Link;
use crate::wire::shown;

/// How many channels there are, with names of `LONG` bytes, and how many lists nobody reads: more than
/// the system buffers for a connection.
const CROWD: u64 = 100;
const LONG: usize = 200;
const UNREAD: usize = 250;

pub(super) fn checks() -> Vec<Check> {
    let checks = [
        Check::raw(
            "listing.exact",
            "Each channel is reported by one message with the length and the bytes of its name.",
            &[&req::CHANNELS_NAME, &req::CHANNELS_FINISHED],
            |ground| Box::pin(exact(ground)),
        ),
        Check::raw(
            "listing.finished",
            "The list ends with one Finished, and nothing follows.",
            &[&req::CHANNELS_FINISHED],
            |ground| Box::pin(finished(ground)),
        ),
        Check::raw(
            "listing.unique",
            "Of twenty channels with several records each none is reported twice.",
            &[&req::CHANNELS_UNIQUE, &req::CHANNELS_COMPLETE],
            |ground| Box::pin(unique(ground)),
        ),
        Check::raw(
            "listing.empty-channel",
            "A channel whose last record was removed is still reported.",
            &[&req::CHANNELS_COMPLETE],
            |ground| Box::pin(empty_channel(ground)),
        ),
        Check::raw(
            "listing.creates-nothing",
            "GetChannels creates no channel.",
            &[&req::CHANNELS_READS_ONLY],
            |ground| Box::pin(creates_nothing(ground)),
        ),
        Check::raw(
            "listing.only-real",
            "A channel that was removed is not reported, nor one that never existed.",
            &[&req::CHANNELS_REAL],
            |ground| Box::pin(only_real(ground)),
        ),
        Check::raw(
            "listing.several-at-once",
            "Ten lists asked for in one segment are each complete.",
            &[&req::CHANNELS_COMPLETE, &req::CHANNELS_UNIQUE],
            |ground| Box::pin(several_at_once(ground)),
        ),
        Check::raw(
            "listing.created-meanwhile",
            "Channels that are created during the request disturb no other's place in the list.",
            &[&req::CHANNELS_COMPLETE, &req::CHANNELS_UNIQUE],
            |ground| Box::pin(changing(ground, false)),
        ),
        Check::raw(
            "listing.removed-meanwhile",
            "Channels that are removed during the request disturb no other's place in the list.",
            &[&req::CHANNELS_COMPLETE, &req::CHANNELS_UNIQUE],
            |ground| Box::pin(changing(ground, true)),
        ),
        Check::raw(
            "listing.order",
            "All names come, in any order.",
            &[&req::CHANNELS_ANY_ORDER, &req::CHANNELS_COMPLETE],
            |ground| Box::pin(order(ground)),
        ),
        Check::raw(
            "listing.ends",
            "The channels whose names come first and last of all are reported like any other.",
            &[&req::CHANNELS_COMPLETE],
            |ground| Box::pin(ends(ground)),
        )
        .tagged(Tag::Alone),
        Check::raw(
            "listing.unread",
            "Channels come and go while nobody reads 250 lists of them, which arrive complete \
             later.",
            &[&req::CHANNELS_CONCURRENT, &req::CHANNELS_COMPLETE],
            |ground| Box::pin(unread(ground)),
        )
        .lethal(),
    ];
    let checks = checks.into_iter();
    checks
        .map(|check| check.on(RequestCode::GetChannels))
        .collect()
}

/// The channels of the check with these names, each created by a record.
async fn create(ground: &Ground, link: &mut Link, names: &[String]) -> Checked {
    for name in names {
        let channel = ground.channel(name);
        link.store(&channel, ground.key(1), "record").await?;
    }
    Ok(())
}

fn numbered(what: &str, count: u64) -> Vec<String> {
    (0..count).map(|number| format!("{what}{number}")).collect()
}

/// All that is reported for a GetChannels that was opened, up to Finished: payloads as they came.
async fn listed(link: &mut Link, id: dht_protocol::neo::RequestId) -> Checked<Vec<Bytes>> {
    link.supported(id).await?;
    let mut payloads = Vec::new();
    loop {
        let payload = link.answer(id, "ChannelName or Finished").await?;
        match payload.first() {
            Some(2) => payloads.push(payload),
            Some(3) if payload.len() == 1 => return Ok(payloads),
            _ => {
                let (rule, outcome) = (&req::REQ_ANSWER_DEFINED, Outcome::Answer);
                let expected = ["ChannelName (02) or Finished (03)"];
                let observed = shown(&payload);
                return Err(broken(rule, outcome, "GetChannels", &expected, observed));
            }
        }
    }
}

/// `names` are all in the list, and none twice.
fn complete(ground: &Ground, list: &[ChannelName], names: &[String], sent: &str) -> Checked {
    let mut seen = BTreeSet::new();
    for name in list {
        if !seen.insert(name) {
            let expected = ["each name once"];
            let (rule, outcome) = (&req::CHANNELS_UNIQUE, Outcome::Extra);
            let observed = format!("{name} twice");
            return Err(broken(rule, outcome, sent, &expected, observed));
        }
    }
    for name in names.iter().map(|name| ground.channel(name)) {
        ground.expect(
            &req::CHANNELS_COMPLETE,
            sent,
            &["every channel that exists during the request"],
            seen.contains(&name),
            || format!("{name} is missing"),
        )?;
    }
    Ok(())
}

async fn exact(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = ["a", "B", "0_9", "long-".repeat(30).as_str()].map(str::to_owned);
    create(ground, &mut link, &names).await?;
    let id = link.open(&Open.encode()).await;
    let payloads = listed(&mut link, id).await?;
    for name in &names {
        let channel = ground.channel(name);
        let name = channel.as_bytes();
        let length = (name.len() as u64).to_le_bytes();
        let due = [&[2], &length[..], name].concat();
        ground.expect(
            &req::CHANNELS_NAME,
            "GetChannels",
            &["02, the length of the name in 8 bytes, and its bytes, for each channel"],
            payloads.iter().any(|payload| payload[..] == due),
            || format!("no such message for {channel}"),
        )?;
    }
    Ok(())
}

async fn finished(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    create(ground, &mut link, &numbered("channel", 2)).await?;
    let id = link.open(&Open.encode()).await;
    listed(&mut link, id).await?;
    let sent = "GetChannels, answered up to Finished";
    link.expect_nothing_more(id, &req::CHANNELS_FINISHED, sent)
        .await
}

async fn unique(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = numbered("channel", 20);
    for key in 0..3 {
        for name in &names {
            let channel = ground.channel(name);
            link.store(&channel, ground.key(key), "record").await?;
        }
    }
    let list = link.channels().await?;
    complete(ground, &list, &names, "GetChannels")
}

/// A node that forgets the first or the last of its list forgets one of these, if it lists by name. The empty
/// name comes before all others, but may be refused, and may be somebody else's.
async fn ends(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = ["\u{1}", "~"].map(|end| ground.channel_of_run(end));
    for name in &names {
        link.store(name, ground.key(1), "record").await?;
    }
    let mut expected = names.to_vec();
    let nameless = ChannelName::from("");
    let key = ground.key(fnv1a(ground.channel("").as_bytes()));
    let mut other = ground.link().await?;
    if let Ok(put::Reply::Put) = other.put(&nameless, key, "record").await {
        other.remove(&nameless, key).await?;
        expected.push(nameless);
    }
    let list = link.channels().await?;
    for name in expected {
        let sent = format!("Put into channel {name:?}, GetChannels");
        let observed = || format!("{} other channels", list.len());
        let due = ["a list with this channel"];
        let is_there = list.contains(&name);
        ground.expect(&req::CHANNELS_COMPLETE, &sent, &due, is_there, observed)?;
    }
    Ok(())
}

async fn empty_channel(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = numbered("channel", 2);
    create(ground, &mut link, &names).await?;
    link.remove(&ground.channel(&names[0]), ground.key(1))
        .await?;
    let list = link.channels().await?;
    let sent = "Put and Remove of a record, then GetChannels";
    complete(ground, &list, &names, sent)
}

async fn creates_nothing(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    create(ground, &mut link, &numbered("channel", 2)).await?;
    let mut lists = Vec::new();
    for _ in 0..3 {
        let mut list = link.channels().await?;
        list.retain(|name| ground.owns(name));
        lists.push(list.into_iter().collect::<BTreeSet<_>>());
    }
    ground.expect(
        &req::CHANNELS_READS_ONLY,
        "GetChannels three times",
        &["the same channels each time"],
        lists.iter().all(|list| *list == lists[0]),
        || format!("{lists:?}"),
    )
}

async fn only_real(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let names = numbered("channel", 3);
    create(ground, &mut link, &names).await?;
    link.remove_channel(&ground.channel(&names[1])).await?;
    let mut list = link.channels().await?;
    list.retain(|name| ground.owns(name) && *name != ground.channel("sentinel"));
    let real = [&names[0], &names[2]].map(|name| ground.channel(name));
    let real = BTreeSet::from(real);
    ground.expect(
        &req::CHANNELS_REAL,
        "GetChannels after RemoveChannel of one of three channels",
        &["only channels that exist"],
        list.iter().all(|name| real.contains(name)),
        || format!("{list:?}"),
    )
}

async fn several_at_once(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = numbered("channel", 20);
    create(ground, &mut link, &names).await?;
    for id in link.open_times(&Open.encode(), 10).await {
        let list = names_of(&listed(&mut link, id).await?)?;
        complete(ground, &list, &names, "ten GetChannels in one segment")?;
    }
    Ok(())
}

fn names_of(payloads: &[Bytes]) -> Checked<Vec<ChannelName>> {
    use dht_protocol::neo::request::get_channels::FromNode;

    let names = payloads
        .iter()
        .map(|payload| match FromNode::decode(payload) {
            Ok(FromNode::ChannelName(name)) => Ok(name),
            _ => {
                let (rule, outcome) = (&req::CHANNELS_NAME, Outcome::Answer);
                let expected = ["a ChannelName"];
                Err(broken(
                    rule,
                    outcome,
                    "GetChannels",
                    &expected,
                    shown(payload),
                ))
            }
        });
    names.collect()
}

/// On another connection channels come or go, while lists are made.
async fn changing(ground: &Ground, removed: bool) -> Checked {
    if removed {
        ground.need_admin()?;
    }
    let (mut link, mut other) = (ground.link().await?, ground.link().await?);
    let names = numbered("stays", 20);
    create(ground, &mut link, &names).await?;
    let passing = numbered("passes", 20);
    if removed {
        create(ground, &mut link, &passing).await?;
    }
    let mut ids = Vec::new();
    for name in &passing {
        ids.push(link.open(&Open.encode()).await);
        let channel = ground.channel(name);
        match removed {
            true => drop(other.remove_channel(&channel).await?),
            false => other.store(&channel, ground.key(1), "record").await?,
        }
    }
    let sent = match removed {
        true => "GetChannels while channels are removed",
        false => "GetChannels while channels are created",
    };
    for id in ids {
        let list = names_of(&listed(&mut link, id).await?)?;
        complete(ground, &list, &names, sent)?;
    }
    Ok(())
}

async fn order(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let names = ["d", "b", "e", "a", "c"].map(str::to_owned);
    create(ground, &mut link, &names).await?;
    let created: Vec<_> = names.iter().map(|name| ground.channel(name)).collect();
    let mut list = link.channels().await?;
    list.retain(|name| created.contains(name));
    let found: BTreeSet<_> = list.iter().collect();
    ground.expect(
        // No order of them breaks anything.
        &req::CHANNELS_COMPLETE,
        "GetChannels with five channels",
        &["all five, in whatever order"],
        found.len() == created.len(),
        || format!("{list:?}"),
    )?;
    let answer = match () {
        () if list.is_sorted() => "sorted",
        () if list == created => "that of their creation",
        () => "another",
    };
    ground.note("Order of the channels in GetChannels", answer);
    Ok(())
}

async fn unread(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut reader = ground.link().await?;
    let mut other = ground.link().await?;
    let names = numbered(&"n".repeat(LONG), CROWD);
    let going = numbered(&"going".repeat(10), CROWD);
    create(ground, &mut other, &names).await?;
    create(ground, &mut other, &going).await?;
    let ids = reader.open_times(&Open.encode(), UNREAD).await;
    let sent = "250 GetChannels, unread while channels are removed and created";
    let rule = &req::CHANNELS_CONCURRENT;
    let concurrent = shows(rule, sent, "every request is answered");
    // A node that stopped in the midst of its channels has fewer of them when it goes on.
    for name in &going {
        let gone = other.remove_channel(&ground.channel(name)).await;
        gone.map_err(&concurrent)?;
    }
    for name in numbered(&"passing".repeat(10), 10) {
        let channel = ground.channel(&name);
        let passing = come_and_go(&mut other, ground, &channel).await;
        passing.map_err(&concurrent)?;
    }
    for id in ids {
        let list = listed(&mut reader, id).await;
        let list = names_of(&list.map_err(&concurrent)?)?;
        complete(ground, &list, &names, sent)?;
    }
    Ok(())
}

async fn come_and_go(link: &mut Link, ground: &Ground, channel: &ChannelName) -> Checked {
    link.store(channel, ground.key(1), "record").await?;
    link.remove_channel(channel).await.map(drop)
}
