//! What all answers share: they end where they end, and a refusal is a status alone.

use dht_protocol::legacy::{Command, KeyText, Order, Status};
use dht_requirements as req;

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::legacy::link::{named, told};
use crate::wire::legacy::{talk, wrong};

/// The commands that are answered and over.
const COMMANDS: [Command; 14] = [
    Command::GetVersion,
    Command::GetResponsibleRange,
    Command::Put,
    Command::Get,
    Command::Exists,
    Command::Remove,
    Command::RemoveChannel,
    Command::GetChannels,
    Command::GetChannelSize,
    Command::GetSize,
    Command::GetAll,
    Command::GetAllKeys,
    Command::GetAllFilter,
    Command::PutBatch,
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![check(
        "answer.dead-statuses",
        "Statuses that are defined only are not sent.",
        &[&req::LEG_ANSWER_DEAD_STATUS],
        |ground| Box::pin(dead_statuses(ground)),
    )];
    checks.extend(COMMANDS.map(|command| {
        check(
            format!("answer.ends-{}", command.name().to_lowercase()),
            format!("Behind the answer to {command} comes nothing."),
            &[&req::LEG_ANSWER_NOTHING_MORE],
            move |ground| Box::pin(ends(ground, command)),
        )
    }));
    for command in [
        Command::Get,
        Command::Exists,
        Command::GetChannelSize,
        Command::GetAll,
        Command::GetAllKeys,
        Command::GetAllFilter,
    ] {
        checks.push(check(
            format!("answer.refused-{}", command.name().to_lowercase()),
            format!("A {command} that is refused is answered with a status and nothing else."),
            &[&req::LEG_ANSWER_NO_BODY],
            move |ground| Box::pin(refused(ground, command)),
        ));
    }
    checks
}

/// The order of this command in a channel.
pub(super) fn order_of(command: Command, scene: &Scene<'_>) -> Order {
    let key = KeyText::from(scene.key(1));
    let orders = talk::orders_in(&scene.channel, &key);
    let mut orders = orders.into_iter().chain(talk::PLAIN);
    let found = orders.find(|order| order.command() == command);
    found.unwrap_or(Order::GetVersion)
}

async fn ends(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let order = order_of(command, &scene);
    match command {
        Command::GetChannels | Command::GetAll | Command::GetAllKeys | Command::GetAllFilter => {
            scene.link.pieces(&order).await.map(drop)?
        }
        _ => scene.link.ask(&order).await.map(drop)?,
    }
    let rule = &req::LEG_ANSWER_NOTHING_MORE;
    scene.link.expect_nothing_more(rule, &named(&order)).await
}

async fn refused(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.channel = "bad.name".into();
    let order = order_of(command, &scene);
    let answer = scene.link.ask(&order).await?;
    let rule = &req::LEG_ANSWER_NO_BODY;
    if answer.status() != Status::BadChannelName {
        let (sent, expected) = (named(&order), ["BadChannelName (409)"]);
        return Err(broken(
            rule,
            Outcome::Answer,
            sent,
            &expected,
            told(&answer),
        ));
    }
    scene.link.expect_nothing_more(rule, &named(&order)).await
}

async fn dead_statuses(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let bad = "bad.name".into();
    let mut orders = talk::orders_in(&bad, &wrong::key("no key"));
    orders.push(scene.put(1, ""));
    orders.push(scene.put(1, vec![7; 131_073]));
    for order in &orders {
        let answer = scene.link.ask(order).await?;
        let dead = [Status::InvalidRequest, Status::NotSupported];
        let kept = !dead.contains(&answer.status());
        let rule = &req::LEG_ANSWER_DEAD_STATUS;
        expect(rule, &named(order), "another status", kept, || {
            told(&answer)
        })?;
    }
    Ok(())
}
