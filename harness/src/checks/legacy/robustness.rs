//! Clients that behave badly: what they do must concern nobody else.

use std::time::Duration;

use dht_protocol::legacy::{Command, Order};
use dht_requirements::{self as req, Requirement};

use super::scene::Scene;
use super::{check, lethal};
use crate::checks::{Check, Ground, Tag, sample};
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::legacy::link::encoded;
use crate::wire::legacy::{LegacyLink, talk, wrong};

/// Lengths that nobody can allocate.
const IMMENSE: [(&str, u64); 4] = [
    ("2-40", 1 << 40),
    ("2-62", 1 << 62),
    ("2-63", 1 << 63),
    ("max", u64::MAX),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        lethal(
            "robust.garbage",
            "Random bytes end at most their own connection.",
            &[&req::LEG_ROBUST_GARBAGE, &req::LEG_ROBUST_SURVIVES],
            |ground| Box::pin(garbage(ground)),
        ),
        check(
            "robust.dropped",
            "A connection that the node drops leaves another one as it is, and new ones are accepted.",
            &[&req::LEG_ROBUST_DROP_LOCAL, &req::LEG_ROBUST_NEW_CONNECTIONS],
            |ground| Box::pin(dropped(ground)),
        ),
        check(
            "robust.acknowledged",
            "A record whose Put was answered is there after its connection was dropped.",
            &[&req::LEG_ROBUST_ACKNOWLEDGED_STAYS],
            |ground| Box::pin(acknowledged(ground)),
        ),
        check(
            "robust.silent",
            "Twenty clients that fall silent inside an order hold up no other.",
            &[&req::LEG_ROBUST_SLOW_SENDER],
            |ground| Box::pin(silent(ground)),
        ),
        check(
            "robust.unread",
            "A client that does not read its answers holds up no other, and reads all of them in the end.",
            &[&req::LEG_ROBUST_UNREAD, &req::LEG_ROBUST_UNREAD_COMPLETE],
            |ground| Box::pin(unread(ground)),
        )
        .tagged(Tag::Slow),
        check(
            "robust.closed-answering",
            "Clients that close or reset their connections while they are answered disturb no other.",
            &[&req::LEG_ROBUST_CLOSED_ANSWERING],
            |ground| Box::pin(closed_answering(ground)),
        ),
        check(
            "robust.hundred",
            "A hundred connections at the same time are served.",
            &[&req::LEG_ROBUST_MANY_CONNECTIONS],
            |ground| Box::pin(hundred(ground)),
        )
        .tagged(Tag::Alone),
        check(
            "robust.cycles",
            "After five hundred connections that came and went new ones are served.",
            &[&req::LEG_ROBUST_MANY_CYCLES],
            |ground| Box::pin(cycles(ground)),
        )
        .tagged(Tag::Alone),
    ];
    checks.extend(IMMENSE.map(|(name, length)| {
        lethal(
            format!("robust.length-{name}"),
            format!("Arrays that claim {length} bytes, in any place, do not end the node."),
            &[&req::LEG_ROBUST_LENGTH_IMMENSE],
            move |ground| Box::pin(immense(ground, length)),
        )
    }));
    checks
}

/// New connections are served; `rule` is broken if not.
pub(super) async fn still_serves(ground: &Ground, rule: &'static Requirement) -> Checked {
    let served = async {
        let mut link = ground.legacy_link().await?;
        link.expect_nothing_more(rule, "what this check did, and a new connection")
            .await
    };
    served.await.map_err(|unkept| {
        unkept.seen_as(|found| {
            found.requirement = rule;
            found.outcome = Outcome::Harm;
        })
    })
}

async fn garbage(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let rule = &req::LEG_ROBUST_GARBAGE;
    for number in 0..30 {
        let mut link = ground.legacy_link().await.map_err(blamed_on(rule))?;
        let mut bytes = sample::value(number + 1, 300).to_vec();
        // Every other one begins with a command that there is.
        if let Some(command) = Command::ALL.get(usize::try_from(number).unwrap_or(0)) {
            // But for those whose bad arguments are other checks' business.
            let known = match command {
                Command::Listen | Command::PutBatch | Command::Redistribute => Command::Get,
                other => *other,
            };
            bytes.splice(..4, wrong::code(known.code()));
        }
        link.send_bytes(&bytes).await;
        link.socket().half_close();
        link.socket().closed().await;
    }
    still_serves(ground, rule).await?;
    scene.expect_value(rule, 1, "value").await
}

async fn dropped(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    for _ in 0..10 {
        let mut link = ground.legacy_link().await?;
        link.send_bytes(&wrong::code(99)).await;
        link.socket().closed().await;
    }
    let rule = &req::LEG_ROBUST_DROP_LOCAL;
    let works = scene
        .link
        .expect_nothing_more(rule, "ten connections that were dropped");
    works.await?;
    still_serves(ground, &req::LEG_ROBUST_NEW_CONNECTIONS).await
}

async fn acknowledged(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    scene.link.send_bytes(&wrong::code(99)).await;
    scene.link.socket().closed().await;
    let mut scene = Scene::open(ground).await?;
    let rule = &req::LEG_ROBUST_ACKNOWLEDGED_STAYS;
    scene.expect_value(rule, 1, "value").await
}

async fn silent(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = encoded(&scene.put(1, vec![7; 500]));
    let mut silent = Vec::new();
    for number in 0..20 {
        let mut link = ground.legacy_link().await?;
        link.send_bytes(&order[..number * order.len() / 20]).await;
        silent.push(link);
    }
    let rule = &req::LEG_ROBUST_SLOW_SENDER;
    let stored = scene.store(2, "value").await;
    stored.map_err(blamed_on(rule))?;
    still_serves(ground, rule).await
}

/// So many large answers are more than the buffers of the system hold.
const ANSWERS: u64 = 150;

async fn unread(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let value = sample::value(1, 60_000);
    scene.store(1, value.clone()).await?;
    let mut slow = ground.narrow_legacy_link().await?;
    let order = encoded(&scene.get(1));
    for _ in 0..ANSWERS {
        slow.socket().send_what_fits(&order);
        let served = scene.link.ask(&Order::GetVersion).await;
        served.map_err(blamed_on(&req::LEG_ROBUST_UNREAD))?;
    }
    let rule = &req::LEG_ROBUST_UNREAD_COMPLETE;
    for _ in 0..ANSWERS {
        let answer = slow.answer(Command::Get).await.map_err(blamed_on(rule))?;
        if answer != dht_protocol::legacy::Answer::Value(value.clone()) {
            let sent = format!("{ANSWERS} Gets of 60000 bytes, read late");
            let expected = ["every value"];
            let observed = crate::wire::legacy::link::told(&answer);
            return Err(broken(rule, Outcome::Data, sent, &expected, observed));
        }
    }
    Ok(())
}

async fn closed_answering(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    for number in 0..20 {
        scene.store(number, sample::value(number, 50_000)).await?;
    }
    let order = talk::get_all(&scene.channel);
    for number in 0..10 {
        let mut link = ground.legacy_link().await?;
        link.send(&order).await;
        let limit = tokio::time::Instant::now() + ground.patience();
        link.socket().receive(limit).await;
        end(link, number % 2 == 0);
    }
    let rule = &req::LEG_ROBUST_CLOSED_ANSWERING;
    scene
        .expect_value(rule, 3, sample::value(3, 50_000))
        .await
        .map_err(blamed_on(rule))?;
    still_serves(ground, rule).await
}

fn end(link: LegacyLink, abruptly: bool) {
    match abruptly {
        true => link.reset(),
        false => drop(link),
    }
}

async fn hundred(ground: &Ground) -> Checked {
    let rule = &req::LEG_ROBUST_MANY_CONNECTIONS;
    let mut links = Vec::new();
    for _ in 0..100 {
        links.push(ground.legacy_link().await.map_err(blamed_on(rule))?);
    }
    for link in &mut links {
        link.expect_nothing_more(rule, "a hundred connections")
            .await?;
    }
    Ok(())
}

async fn cycles(ground: &Ground) -> Checked {
    let rule = &req::LEG_ROBUST_MANY_CYCLES;
    for number in 0..500 {
        let mut link = ground.legacy_link().await.map_err(blamed_on(rule))?;
        if number % 5 == 0 {
            let asked = link.ask(&Order::GetVersion).await;
            asked.map_err(blamed_on(rule))?;
        }
    }
    still_serves(ground, rule).await
}

/// How long a node that reads what was announced is watched.
const GLANCE: Duration = Duration::from_millis(200);

async fn immense(ground: &Ground, length: u64) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let channel = scene.channel.clone();
    let mut orders: Vec<Vec<u8>> = [Command::GetChannelSize, Command::Listen, Command::Put]
        .map(|command| wrong::first_array(command, length, b"name"))
        .to_vec();
    for command in [Command::Get, Command::GetAllFilter, Command::PutBatch] {
        orders.push(wrong::second_array(command, &channel, length));
    }
    orders.push(wrong::put_of_length(&channel, ground.key(1), length));
    let rule = &req::LEG_ROBUST_LENGTH_IMMENSE;
    for order in orders {
        let mut link = ground.legacy_link().await?;
        link.send_bytes(&order).await;
        link.send_bytes(&[7; 1000]).await;
        // A node may read on for ever (legacy 2.2).
        let limit = tokio::time::Instant::now() + GLANCE;
        link.socket().receive(limit).await;
        still_serves(ground, rule).await?;
    }
    scene.store(1, "value").await.map_err(blamed_on(rule))
}
