//! Redistribute: a node gives records away.
//!
//! It changes the range of the node, so these checks are run only against a node that was started for the run, or
//! if they are asked for; each leaves the range as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use dht_protocol::legacy::{Answer, ClientRequest, Command, Event, Order, Status};
use dht_protocol::{HashRange, Key};
use dht_requirements as req;
use tokio::time::{Instant, sleep};

use super::lethal;
use super::scene::{Scene, expect};
use crate::checks::bystander::KEY as BYSTANDER;
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken, not_applicable};
use crate::wire::legacy::link::{Said, told};
use crate::wire::legacy::{LegacyLink, talk, wrong};

mod taker;

use taker::Taker;

/// How much longer than for any other answer a node may take to move its records.
const MOVING: Duration = Duration::from_secs(3);
/// Between two attempts to change a range that is being changed. No node tells when that is over.
const PAUSE: Duration = Duration::from_millis(100);
/// How many records are there to be given away, or not.
const RECORDS: u64 = 40;

pub(super) fn checks() -> Vec<Check> {
    vec![
        lethal(
            "redistribute.same-range",
            "A Redistribute to the range that the node has is answered Ok, and changes nothing.",
            &[&req::LEG_REDIST_SUPPORTED, &req::LEG_REDIST_RANGE],
            |ground| Box::pin(same_range(ground)),
        ),
        lethal(
            "redistribute.new-range",
            "After Ok the range is the new one.",
            &[&req::LEG_REDIST_RANGE],
            |ground| Box::pin(new_range(ground)),
        ),
        lethal(
            "redistribute.invalid-range",
            "A range that is upside down is refused, and changes nothing.",
            &[&req::LEG_REDIST_INVALID],
            |ground| Box::pin(invalid_range(ground)),
        ),
        lethal(
            "redistribute.invalid-node",
            "A node whose range is upside down is refused, and nothing is moved.",
            &[&req::LEG_REDIST_BAD_NODE],
            |ground| Box::pin(invalid_node(ground)),
        ),
        lethal(
            "redistribute.moves",
            "Records of another node's range are sent to it, and gone.",
            &[&req::LEG_REDIST_MOVES],
            |ground| Box::pin(moves(ground)),
        ),
        lethal(
            "redistribute.keeps",
            "Records that nobody takes stay.",
            &[&req::LEG_REDIST_KEEPS],
            |ground| Box::pin(keeps(ground)),
        ),
        lethal(
            "redistribute.refuses",
            "A Put of a key that was given away is refused.",
            &[&req::LEG_REDIST_REFUSES],
            |ground| Box::pin(refuses(ground)),
        ),
        lethal(
            "redistribute.waits",
            "The status comes when the other node has taken the records, not before; a second Redistribute \
             meanwhile is refused.",
            &[&req::LEG_REDIST_WAITS, &req::LEG_REDIST_ONE],
            |ground| Box::pin(waits(ground)),
        ),
    ]
}

/// A node whose range can be changed: its two halves.
struct Halves {
    /// It has the key of the bystander, who is not to suffer.
    kept: HashRange,
    given: HashRange,
}

/// The halves of the node's range. The check is not applicable if it does not know the order.
async fn halves(ground: &Ground) -> Checked<Halves> {
    redistribute(ground, ground.range()).await?;
    let (min, max) = (ground.range().min(), ground.range().max());
    let middle = min + (max - min) / 2;
    let range = |min, max| HashRange::new(min, max).unwrap_or(HashRange::EMPTY);
    let (low, high) = (range(min, middle), range(middle + 1, max));
    let (kept, given) = match low.covers(ground.key(BYSTANDER)) {
        true => (low, high),
        false => (high, low),
    };
    Ok(Halves { kept, given })
}

/// Gives the node this range, and nobody anything. The check is not applicable if it does not know the order.
async fn redistribute(ground: &Ground, range: HashRange) -> Checked {
    let mut link = ground.legacy_link().await?;
    let order = wrong::redistribute((range.min(), range.max()), None);
    link.send_bytes(&order).await;
    let mut request = ClientRequest::new(Command::Redistribute);
    match link.hear(&mut request).await {
        Said::Event(Event::Answered(Answer::Status(Status::Ok))) => Ok(()),
        Said::Closed(_) if request == ClientRequest::new(Command::Redistribute) => {
            not_applicable("the node closes the connection on Redistribute: unsupported")
        }
        Said::Event(Event::Answered(answer)) => {
            let (rule, expected) = (&req::LEG_REDIST_SUPPORTED, ["Ok (200)"]);
            let sent = "Redistribute";
            Err(broken(
                rule,
                Outcome::Answer,
                sent,
                &expected,
                told(&answer),
            ))
        }
        other => Err(link.unanswered(&request, other)),
    }
}

/// Does a check, and gives the node its range back whatever came of it.
async fn restoring(ground: &Ground, check: impl Future<Output = Checked>) -> Checked {
    let checked = check.await;
    // What the check has begun may not be over, and nobody is told when it is.
    let limit = Instant::now() + ground.patience();
    let mut restored = redistribute(ground, ground.range()).await;
    while restored.is_err() && Instant::now() < limit {
        sleep(PAUSE).await;
        restored = redistribute(ground, ground.range()).await;
    }
    checked.and(restored)
}

async fn expect_range(
    ground: &Ground,
    rule: &'static req::Requirement,
    range: HashRange,
) -> Checked {
    let mut link = ground.legacy_link().await?;
    let order = Order::GetResponsibleRange;
    link.expect(rule, &order, &Answer::Range(range)).await
}

async fn same_range(ground: &Ground) -> Checked {
    ground.need_keys()?;
    redistribute(ground, ground.range()).await?;
    expect_range(ground, &req::LEG_REDIST_RANGE, ground.range()).await
}

async fn new_range(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let Halves { kept, given } = halves(ground).await?;
    let narrowed = async {
        redistribute(ground, kept).await?;
        let rule = &req::LEG_REDIST_RANGE;
        expect_range(ground, rule, kept).await?;
        let mut neo = ground.link().await?;
        let put = neo
            .put(&ground.channel(""), given.nth_key(1), "value")
            .await?;
        let expected = "WrongNode";
        let kept = put == dht_protocol::neo::request::put::Reply::WrongNode;
        let sent = "a neo Put of a key that is outside now";
        expect(rule, sent, expected, kept, || put.name().to_owned())
    };
    restoring(ground, narrowed).await
}

async fn invalid_range(ground: &Ground) -> Checked {
    ground.need_keys()?;
    halves(ground).await?;
    let mut link = ground.legacy_link().await?;
    link.send_bytes(&wrong::redistribute((5, 4), None)).await;
    let answer = link.answer(Command::Redistribute).await?;
    let (rule, kept) = (&req::LEG_REDIST_INVALID, answer.status() == Status::Error);
    let sent = "Redistribute to 5..4";
    expect(rule, sent, "Error (500)", kept, || told(&answer))?;
    expect_range(ground, rule, ground.range()).await
}

async fn invalid_node(ground: &Ground) -> Checked {
    ground.need_keys()?;
    halves(ground).await?;
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let mut link = ground.legacy_link().await?;
    let range = (ground.range().min(), ground.range().max());
    let node = Some(("127.0.0.1", 1, 5, 4));
    link.send_bytes(&wrong::redistribute(range, node)).await;
    let rule = &req::LEG_REDIST_BAD_NODE;
    let mut request = ClientRequest::new(Command::Redistribute);
    match link.hear(&mut request).await {
        Said::Closed(_) => {}
        Said::Event(Event::Answered(Answer::Status(Status::Error))) => {}
        other => {
            let expected = ["the connection is closed", "Error (500)"];
            let sent = "Redistribute with a node of range 5..4";
            let observed = format!("{other:?}");
            return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
        }
    }
    scene.expect_value(rule, 1, "value").await
}

/// Stores records in both halves, and returns those of each.
async fn spread(scene: &mut Scene<'_>, halves: &Halves) -> Checked<[BTreeMap<Key, Bytes>; 2]> {
    let mut spread = [BTreeMap::new(), BTreeMap::new()];
    let channel = scene.channel.clone();
    for (half, range) in spread.iter_mut().zip([halves.kept, halves.given]) {
        for number in 0..RECORDS / 2 {
            let (key, value) = (range.nth_key(number), format!("value {number}"));
            scene.link.store(&channel, key, value.clone()).await?;
            half.insert(key, Bytes::from(value));
        }
    }
    Ok(spread)
}

/// The Redistribute that gives one half to `taker`.
fn giving(halves: &Halves, taker: &Taker) -> Vec<u8> {
    let (kept, given) = (halves.kept, halves.given);
    let node = ("127.0.0.1", taker.port(), given.min(), given.max());
    wrong::redistribute((kept.min(), kept.max()), Some(node))
}

async fn give(link: &mut LegacyLink, order: &[u8]) -> Checked {
    // A node goes through all its channels first.
    link.socket().allow(MOVING);
    link.send_bytes(order).await;
    let answer = link.answer(Command::Redistribute).await?;
    let (rule, kept) = (&req::LEG_REDIST_MOVES, answer.status() == Status::Ok);
    expect(rule, "Redistribute", "Ok (200)", kept, || told(&answer))
}

async fn moves(ground: &Ground) -> Checked {
    let halves = halves(ground).await?;
    let mut scene = Scene::open(ground).await?;
    let [low, high] = spread(&mut scene, &halves).await?;
    let mut taker = Taker::listen(ground).await?;
    let order = giving(&halves, &taker);
    let moved = async {
        let mut link = ground.legacy_link().await?;
        let given = tokio::select! {
            given = give(&mut link, &order) => given,
            never = taker.take() => never,
        };
        given?;
        let taken = taker.taken(&scene.channel);
        let rule = &req::LEG_REDIST_MOVES;
        let expected = format!("{} records", high.len());
        expect(rule, "Redistribute", &expected, taken == high, || {
            format!("{} records, not the same ones", taken.len())
        })?;
        for (keys, there) in [(high.keys(), false), (low.keys(), true)] {
            for key in keys {
                let order = talk::exists(&scene.channel, *key);
                scene
                    .link
                    .expect(rule, &order, &Answer::Exists(there))
                    .await?;
            }
        }
        Ok(())
    };
    restoring(ground, moved).await
}

async fn keeps(ground: &Ground) -> Checked {
    let halves = halves(ground).await?;
    let mut scene = Scene::open(ground).await?;
    let [_, high] = spread(&mut scene, &halves).await?;
    let kept = async {
        redistribute(ground, halves.kept).await?;
        for (key, value) in high {
            let (order, value) = (talk::get(&scene.channel, key), Answer::Value(value));
            let rule = &req::LEG_REDIST_KEEPS;
            scene.link.expect(rule, &order, &value).await?;
        }
        Ok(())
    };
    restoring(ground, kept).await
}

async fn refuses(ground: &Ground) -> Checked {
    let halves = halves(ground).await?;
    let mut scene = Scene::open(ground).await?;
    let refused = async {
        redistribute(ground, halves.kept).await?;
        let order = talk::put(&scene.channel, halves.given.nth_key(1), "value");
        let rule = &req::LEG_REDIST_REFUSES;
        scene.expect_status(rule, &order, Status::WrongNode).await
    };
    restoring(ground, refused).await
}

/// An order on another connection, which the node answers meanwhile.
async fn ask_elsewhere(ground: &Ground) -> Checked {
    let mut link = ground.legacy_link().await?;
    link.ask(&Order::GetVersion).await.map(drop)
}

async fn waits(ground: &Ground) -> Checked {
    let halves = halves(ground).await?;
    let mut scene = Scene::open(ground).await?;
    spread(&mut scene, &halves).await?;
    let mut taker = Taker::listen(ground).await?;
    let order = giving(&halves, &taker);
    let waited = async {
        let mut link = ground.legacy_link().await?;
        link.socket().allow(MOVING);
        link.send_bytes(&order).await;
        // The first order of the node has come, and is not answered.
        taker.hold().await?;
        ask_elsewhere(ground).await?;
        let early = link.has_more();
        let (rule, expected) = (&req::LEG_REDIST_WAITS, "nothing yet");
        let sent = "Redistribute, whose records the other node has not taken";
        expect(rule, sent, expected, !early, || "an answer".to_owned())?;
        let mut second = ground.legacy_link().await?;
        second.send_bytes(&order).await;
        let answer = second.answer(Command::Redistribute).await?;
        let (rule, kept) = (&req::LEG_REDIST_ONE, answer.status() == Status::Error);
        let sent = "Redistribute while another one is under way";
        expect(rule, sent, "Error (500)", kept, || told(&answer))?;
        taker.release().await?;
        tokio::select! {
            answer = link.answer(Command::Redistribute) => answer.map(drop),
            never = taker.take() => never,
        }
    };
    restoring(ground, waited).await
}
