//! Names of channels: legal ones, others, and what is looked at before what.

use bytes::Bytes;
use dht_protocol::ChannelName;
use dht_protocol::legacy::{Answer, Command, KeyText, Order, Status};
use dht_requirements as req;

use super::scene::{Scene, expect, expect_listed};
use super::{check, lethal};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::legacy::link::{named, told};
use crate::wire::legacy::{talk, wrong};

/// Names that are not legal.
const BAD: [(&str, &[u8]); 8] = [
    ("empty", b""),
    ("dot", b"chan.nel"),
    ("blank", b"chan nel"),
    ("nul", b"channel\0"),
    ("slash", b"chan/nel"),
    ("newline", b"channel\n"),
    ("plus", b"chan+nel"),
    ("utf-8", "ch\u{e4}nnel".as_bytes()),
];

/// The commands that may be sent with a bad name.
const COMMANDS: [Command; 10] = [
    Command::Put,
    Command::Get,
    Command::Exists,
    Command::Remove,
    Command::GetChannelSize,
    Command::RemoveChannel,
    Command::GetAll,
    Command::GetAllKeys,
    Command::GetAllFilter,
    Command::PutBatch,
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "names.every-byte",
            "A name of all letters, digits, underscore and hyphen is legal.",
            &[&req::LEG_NAME_LEGAL],
            |ground| Box::pin(every_byte(ground)),
        ),
        check(
            "names.long",
            "A name of 300 bytes is legal.",
            &[&req::LEG_NAME_LEGAL],
            |ground| Box::pin(long(ground)),
        ),
        check(
            "names.exact",
            "Names that differ in case, or of which one begins with the other, are of different channels.",
            &[&req::LEG_NAME_EXACT],
            |ground| Box::pin(exact(ground)),
        ),
        check(
            "names.not-created",
            "Orders that are refused for the name of the channel create none.",
            &[&req::LEG_NAME_NOT_CREATED],
            |ground| Box::pin(not_created(ground)),
        ),
        check(
            "names.before-empty-value",
            "A Put with a bad name and an empty value is refused for the name.",
            &[&req::LEG_NAME_FIRST],
            |ground| Box::pin(before_value(ground, 0)),
        ),
        check(
            "names.before-large-value",
            "A Put with a bad name and a value that is too big is refused for the name.",
            &[&req::LEG_NAME_FIRST],
            |ground| Box::pin(before_value(ground, 200_000)),
        ),
        check(
            "names.before-batch",
            "A PutBatch with a bad name and an empty value is refused for the name.",
            &[&req::LEG_NAME_FIRST],
            |ground| Box::pin(before_batch(ground)),
        ),
        lethal(
            "names.listen",
            "A Listen with a bad name is refused.",
            &[&req::LEG_LISTEN_BAD_NAME],
            |ground| Box::pin(listen(ground)),
        ),
    ];
    checks.extend(BAD.map(|(kind, name)| {
        check(
            format!("names.bad-{kind}"),
            format!(
                "Every command is refused in a channel called {:?}.",
                String::from_utf8_lossy(name)
            ),
            &[&req::LEG_NAME_BAD],
            move |ground| Box::pin(bad(ground, name)),
        )
    }));
    checks.extend(COMMANDS.map(|command| {
        check(
            format!("names.refused-{}", command.name().to_lowercase()),
            format!("{command} in a channel of a bad name is answered BadChannelName, and changes nothing."),
            &[&req::LEG_NAME_BAD],
            move |ground| Box::pin(refused(ground, command)),
        )
    }));
    for command in [Command::Put, Command::Get, Command::Exists, Command::Remove] {
        checks.push(check(
            format!("names.before-key-{}", command.name().to_lowercase()),
            format!("A {command} with a bad name and a malformed key is refused for the name."),
            &[&req::LEG_NAME_FIRST],
            move |ground| Box::pin(before_key(ground, command)),
        ));
    }
    checks
}

/// Stores and reads a record in this channel, and removes it again.
async fn serves(ground: &Ground, channel: &ChannelName) -> Checked {
    let mut link = ground.legacy_link().await?;
    let (rule, key) = (&req::LEG_NAME_LEGAL, ground.key(1));
    let put = talk::put(channel, key, "value");
    link.expect_status(rule, &put, Status::Ok).await?;
    let value = Answer::Value(Bytes::from_static(b"value"));
    link.expect(rule, &talk::get(channel, key), &value).await?;
    link.remove_channel(channel).await
}

async fn every_byte(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9');
    let name: String = letters.chain(['_', '-']).collect();
    for name in [name.clone(), format!("-{name}"), format!("9{name}")] {
        let channel = format!("{name}{}", ground.channel("every"));
        serves(ground, &channel.into()).await?;
    }
    Ok(())
}

async fn long(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut name = ground.channel("long").to_string();
    name.extend(std::iter::repeat_n('x', 300 - name.len().min(300)));
    serves(ground, &name.into()).await
}

async fn exact(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let names = ["name", "Name", "NAME", "name1"].map(|name| ground.channel(name));
    let key = scene.key(1);
    for name in &names {
        scene.link.store(name, key, name.to_string()).await?;
    }
    for name in &names {
        let value = Answer::Value(name.to_string().into());
        let order = talk::get(name, key);
        let rule = &req::LEG_NAME_EXACT;
        scene.link.expect(rule, &order, &value).await?;
    }
    Ok(())
}

async fn bad(ground: &Ground, name: &'static [u8]) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let key = KeyText::from(scene.key(1));
    for order in talk::orders_in(&ChannelName::copy_from(name), &key) {
        let rule = &req::LEG_NAME_BAD;
        scene
            .expect_status(rule, &order, Status::BadChannelName)
            .await?;
    }
    Ok(())
}

fn order_in(command: Command, channel: &ChannelName, key: &KeyText) -> Order {
    let orders = talk::orders_in(channel, key);
    let found = orders.into_iter().find(|it| it.command() == command);
    found.unwrap_or(Order::GetVersion)
}

async fn refused(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    scene.store(1, "value").await?;
    let name = format!("{}.bad", scene.channel);
    let order = order_in(command, &name.into(), &scene.key(1).into());
    let rule = &req::LEG_NAME_BAD;
    scene
        .expect_status(rule, &order, Status::BadChannelName)
        .await?;
    scene.expect_value(rule, 1, "value").await
}

async fn before_key(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = order_in(command, &"bad.name".into(), &wrong::key("no key"));
    let rule = &req::LEG_NAME_FIRST;
    scene
        .expect_status(rule, &order, Status::BadChannelName)
        .await
}

async fn before_value(ground: &Ground, length: usize) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let order = talk::put(&"bad.name".into(), scene.key(1), vec![7; length]);
    let rule = &req::LEG_NAME_FIRST;
    scene
        .expect_status(rule, &order, Status::BadChannelName)
        .await
}

async fn before_batch(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let batch = talk::batch_of(&[(scene.key(1), Bytes::new())]);
    let order = talk::put_batch(&"bad.name".into(), batch);
    let rule = &req::LEG_NAME_FIRST;
    scene
        .expect_status(rule, &order, Status::BadChannelName)
        .await
}

async fn not_created(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let name: ChannelName = format!("{}.bad", scene.channel).into();
    for order in talk::orders_in(&name, &scene.key(1).into()) {
        scene.link.ask(&order).await?;
    }
    let rule = &req::LEG_NAME_NOT_CREATED;
    expect_listed(
        &mut scene.link,
        rule,
        "orders with a bad name",
        &name,
        false,
    )
    .await
}

async fn listen(ground: &Ground) -> Checked {
    for name in ["bad.name", ""] {
        let mut link = ground.legacy_link().await?;
        let order = talk::listen(&name.into());
        let rule = &req::LEG_LISTEN_BAD_NAME;
        link.send(&order).await;
        let answer = link.answer(Command::Listen).await;
        let answer = answer.map_err(crate::unkept::blamed_on(rule))?;
        let kept = answer.status() == Status::BadChannelName;
        let expected = "BadChannelName (409)";
        expect(rule, &named(&order), expected, kept, || told(&answer))?;
        if !link.rest().is_empty() {
            let observed = format!("{} bytes behind it", link.rest().len());
            return Err(broken(
                rule,
                Outcome::Extra,
                named(&order),
                &[expected],
                observed,
            ));
        }
    }
    Ok(())
}
