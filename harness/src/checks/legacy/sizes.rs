//! GetChannelSize, GetSize and GetNumConnections.

use dht_protocol::legacy::{Answer, ClientRequest, Event, Order};
use dht_requirements::{self as req, Requirement};

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken, not_applicable};
use crate::wire::legacy::LegacyLink;
use crate::wire::legacy::link::{Said, told};

/// How often connections are counted before the number is taken for wrong.
const ATTEMPTS: usize = 3;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = of_channels();
    checks.extend(of_nodes());
    checks
}

fn of_channels() -> Vec<Check> {
    vec![
        check(
            "size.channel",
            "The size of a channel has all its fields.",
            &[&req::LEG_SIZE_CHANNEL],
            |ground| Box::pin(channel(ground)),
        ),
        check(
            "size.records",
            "The number of records of a channel grows by one with each.",
            &[&req::LEG_SIZE_RECORDS],
            |ground| Box::pin(records(ground)),
        ),
        check(
            "size.overwritten",
            "A record that is put twice counts once.",
            &[&req::LEG_SIZE_RECORDS],
            |ground| Box::pin(overwritten(ground)),
        ),
        check(
            "size.removed",
            "A record that was removed does not count.",
            &[&req::LEG_SIZE_RECORDS],
            |ground| Box::pin(removed(ground)),
        ),
        check(
            "size.only-channel",
            "Records of other channels do not count.",
            &[&req::LEG_SIZE_RECORDS],
            |ground| Box::pin(only_channel(ground)),
        ),
        check(
            "size.absent-channel",
            "A channel that does not exist has no records and no bytes.",
            &[&req::LEG_SIZE_ABSENT_CHANNEL],
            |ground| Box::pin(absent_channel(ground)),
        ),
        check(
            "size.creates-nothing",
            "GetChannelSize creates no channel.",
            &[&req::LEG_SIZE_CREATES_NOTHING],
            |ground| Box::pin(creates_nothing(ground)),
        ),
        check(
            "size.bytes",
            "The number of bytes does not become smaller by records that are added.",
            &[&req::LEG_SIZE_BYTES_GROW],
            |ground| Box::pin(bytes_grow(ground)),
        ),
    ]
}

fn of_nodes() -> Vec<Check> {
    vec![
        check(
            "size.all",
            "The size of all channels has all its fields, and no less than that of a channel.",
            &[&req::LEG_SIZE_ALL, &req::LEG_SIZE_ALL_RECORDS],
            |ground| Box::pin(all(ground)),
        ),
        check(
            "size.all-records",
            "The number of all records grows with the records of two channels, and shrinks with their removal.",
            &[&req::LEG_SIZE_ALL_RECORDS],
            |ground| Box::pin(all_records(ground)),
        )
        .tagged(Tag::Alone),
        check(
            "size.address",
            "The node says where it listens for legacy clients, or nothing.",
            &[&req::LEG_SIZE_ADDRESS],
            |ground| Box::pin(address(ground)),
        ),
        check(
            "connections.told",
            "GetNumConnections is answered with a number above 0.",
            &[&req::LEG_SIZE_CONNECTIONS],
            |ground| Box::pin(connections(ground)),
        ),
        check(
            "connections.counted",
            "Five connections more are five more.",
            &[&req::LEG_SIZE_CONNECTIONS_COUNTED],
            |ground| Box::pin(counted(ground)),
        )
        .tagged(Tag::Alone),
        check(
            "connections.legacy-only",
            "A neo connection does not count.",
            &[&req::LEG_SIZE_CONNECTIONS_LEGACY],
            |ground| Box::pin(legacy_only(ground)),
        )
        .tagged(Tag::Alone),
    ]
}

async fn channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let order = Order::GetChannelSize {
        channel: scene.channel.clone(),
    };
    has_size(&mut scene.link, &order, &req::LEG_SIZE_CHANNEL).await
}

async fn has_size(link: &mut LegacyLink, order: &Order, rule: &'static Requirement) -> Checked {
    let answer = link.ask(order).await;
    let answer = answer.map_err(crate::unkept::blamed_on(rule))?;
    let (sent, kept) = (order.command().name(), matches!(answer, Answer::Size(..)));
    expect(rule, sent, "Ok (200), and a size", kept, || told(&answer))?;
    link.expect_nothing_more(rule, sent).await
}

async fn expect_records(scene: &mut Scene<'_>, count: u64, after: &str) -> Checked {
    let channel = scene.channel.clone();
    let found = scene.link.channel_size(&channel).await?.records;
    let (rule, sent) = (
        &req::LEG_SIZE_RECORDS,
        format!("{after}, and GetChannelSize"),
    );
    let expected = format!("{count} records");
    expect(rule, &sent, &expected, found == count, || {
        format!("{found} records")
    })
}

async fn records(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..10 {
        scene.store(number, "value").await?;
        expect_records(&mut scene, number + 1, "Puts").await?;
    }
    Ok(())
}

async fn overwritten(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for value in ["one", "two", "three"] {
        scene.store(1, value).await?;
    }
    expect_records(&mut scene, 1, "three Puts of one key").await
}

async fn removed(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..4 {
        scene.store(number, "value").await?;
    }
    for (number, left) in [(0, 3), (1, 2), (1, 2), (9, 2), (2, 1), (3, 0)] {
        scene.remove(number).await?;
        expect_records(&mut scene, left, "Puts and Removes").await?;
    }
    Ok(())
}

async fn only_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (other, key) = (ground.channel("other"), scene.key(1));
    scene.link.store(&other, key, "value").await?;
    scene.store(2, "value").await?;
    expect_records(&mut scene, 1, "a Put in each of two channels").await
}

async fn absent_channel(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let size = scene.link.channel_size(&channel).await?;
    let kept = size.records == 0 && size.bytes == 0;
    let (rule, sent) = (&req::LEG_SIZE_ABSENT_CHANNEL, "GetChannelSize");
    expect(rule, sent, "no records, no bytes", kept, || {
        format!("{size:?}")
    })
}

async fn creates_nothing(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    scene.link.channel_size(&channel).await?;
    let rule = &req::LEG_SIZE_CREATES_NOTHING;
    scene.expect_listed(rule, "GetChannelSize", false).await
}

async fn bytes_grow(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let mut before = 0;
    for number in 0..10 {
        scene.store(number, vec![7; 900]).await?;
        let bytes = scene.link.channel_size(&channel).await?.bytes;
        let (rule, sent) = (&req::LEG_SIZE_BYTES_GROW, "Puts, and GetChannelSize");
        let expected = format!("{before} bytes or more");
        expect(rule, sent, &expected, bytes >= before, || {
            format!("{bytes} bytes")
        })?;
        before = bytes;
    }
    let expected = "more bytes than none";
    expect(
        &req::LEG_SIZE_BYTES_GROW,
        "ten Puts",
        expected,
        before > 0,
        || "none".to_owned(),
    )
}

async fn all(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..5 {
        scene.store(number, "value").await?;
    }
    has_size(&mut scene.link, &Order::GetSize, &req::LEG_SIZE_ALL).await?;
    let found = scene.link.size(&Order::GetSize).await?.records;
    let (rule, expected) = (&req::LEG_SIZE_ALL_RECORDS, "5 records or more");
    expect(rule, "GetSize", expected, found >= 5, || {
        format!("{found} records")
    })
}

async fn all_records(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let before = scene.link.size(&Order::GetSize).await?.records;
    let channels = ["a", "b"].map(|name| ground.channel(name));
    for channel in &channels {
        for number in 0..3 {
            let key = scene.key(number);
            scene.link.store(channel, key, "value").await?;
        }
    }
    let added = |found: u64, wanted: u64, after: &str| {
        let (rule, sent) = (&req::LEG_SIZE_ALL_RECORDS, format!("{after}, and GetSize"));
        let expected = format!("{} records", before + wanted);
        expect(rule, &sent, &expected, found == before + wanted, || {
            format!("{found} records")
        })
    };
    let found = scene.link.size(&Order::GetSize).await?.records;
    added(found, 6, "six Puts")?;
    let key = scene.key(1);
    scene.link.remove(&channels[0], key).await?;
    let found = scene.link.size(&Order::GetSize).await?.records;
    added(found, 5, "six Puts and a Remove")?;
    scene.link.remove_channel(&channels[1]).await?;
    let found = scene.link.size(&Order::GetSize).await?.records;
    added(found, 2, "six Puts, a Remove and a RemoveChannel")
}

async fn address(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let Answer::Size(about, _) = link.ask(&Order::GetSize).await? else {
        return Err(crate::unkept::Unkept::Inconclusive(
            "GetSize was not answered with a size".to_owned(),
        ));
    };
    let port = ground.legacy_address()?.port();
    let empty = about.address.is_empty() && about.port == 0;
    let said = match empty {
        true => "nothing".to_owned(),
        false => format!("{}:{}", about.address.escape_ascii(), about.port),
    };
    ground.note(
        "legacy: which address and port does GetSize tell?",
        said.clone(),
    );
    // A node behind something that forwards connections cannot know the port that is dialled.
    let is_text = about.address.iter().all(u8::is_ascii_graphic);
    let expected = format!("an address as text and port {port}, or neither");
    let rule = &req::LEG_SIZE_ADDRESS;
    expect(
        rule,
        "GetSize",
        &expected,
        empty || is_text && about.port != 0,
        || said,
    )
}

/// The number of connections; the check is not applicable if the node does not tell it.
async fn number(link: &mut LegacyLink) -> Checked<u64> {
    let order = Order::GetNumConnections;
    link.send(&order).await;
    let mut request = ClientRequest::new(order.command());
    match link.hear(&mut request).await {
        Said::Event(Event::Answered(Answer::Connections(_, number))) => Ok(number),
        Said::Closed(_) if request == ClientRequest::new(order.command()) => {
            not_applicable("the node closes the connection on GetNumConnections: unsupported")
        }
        Said::Event(Event::Answered(answer)) => {
            let (rule, outcome) = (&req::LEG_SIZE_CONNECTIONS, Outcome::Answer);
            let expected = ["Ok (200), and a number"];
            let sent = order.command().name();
            Err(broken(rule, outcome, sent, &expected, told(&answer)))
        }
        other => Err(link.unanswered(&request, other)),
    }
}

/// The number of connections, when those of checks before this one have ended.
async fn settled(link: &mut LegacyLink) -> Checked<u64> {
    let (mut last, mut times) = (number(link).await?, 0);
    for _ in 0..500 {
        let now = number(link).await?;
        times = if now == last { times + 1 } else { 0 };
        last = now;
        if times == 20 {
            break;
        }
    }
    Ok(last)
}

async fn connections(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let number = number(&mut link).await?;
    let (rule, sent) = (&req::LEG_SIZE_CONNECTIONS, "GetNumConnections");
    expect(rule, sent, "1 or more", number > 0, || number.to_string())
}

async fn counted(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let (mut expected, mut now) = (0, 0);
    // The end of a connection of an earlier check may come in between.
    for _ in 0..ATTEMPTS {
        expected = settled(&mut link).await? + 5;
        let mut others = Vec::new();
        for _ in 0..5 {
            let mut other = ground.legacy_link().await?;
            // By then the node has accepted it.
            other.ask(&Order::GetVersion).await?;
            others.push(other);
        }
        now = number(&mut link).await?;
        if now == expected {
            return Ok(());
        }
    }
    let rule = &req::LEG_SIZE_CONNECTIONS_COUNTED;
    let sent = "five more connections, and GetNumConnections";
    expect(rule, sent, &expected.to_string(), false, || now.to_string())
}

async fn legacy_only(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    let (mut before, mut now) = (0, 0);
    for _ in 0..ATTEMPTS {
        before = settled(&mut link).await?;
        let neo = ground.link().await?;
        now = number(&mut link).await?;
        drop(neo);
        if now == before {
            return Ok(());
        }
    }
    let rule = &req::LEG_SIZE_CONNECTIONS_LEGACY;
    let sent = "a neo connection, and GetNumConnections";
    expect(rule, sent, &before.to_string(), false, || now.to_string())
}
