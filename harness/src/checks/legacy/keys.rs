//! Keys as text: what the node sends, and what it does about what is no key.

use dht_protocol::codec::Reader;
use dht_protocol::legacy::{Answer, Command, KeyText, Order, Status};
use dht_protocol::{ChannelName, Key, lzo};
use dht_requirements as req;

use super::check;
use super::scene::{Scene, expect};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::wire::legacy::link::{Said, named, told};
use crate::wire::legacy::{LegacyLink, talk, wrong};

/// What is no key.
const MALFORMED: [(&str, &str); 6] = [
    ("empty", ""),
    ("short", "00000000000000a"),
    ("long", "0000000000000000a"),
    ("letters", "000000000000000g"),
    ("prefix", "0x0000000000000a"),
    ("sign", "+00000000000000a"),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            "keys.digits-get-all",
            "GetAll tells keys as 16 digits in lower case.",
            &[&req::LEG_KEY_DIGITS],
            |ground| Box::pin(digits(ground, Command::GetAll)),
        ),
        check(
            "keys.digits-get-all-keys",
            "GetAllKeys tells keys as 16 digits in lower case.",
            &[&req::LEG_KEY_DIGITS],
            |ground| Box::pin(digits(ground, Command::GetAllKeys)),
        ),
        check(
            "keys.digits-listen",
            "Listen tells keys as 16 digits in lower case.",
            &[&req::LEG_KEY_DIGITS],
            |ground| Box::pin(digits_of_listen(ground)),
        ),
        check(
            "keys.upper-case",
            "A key in upper case names a record, the one of the key in lower case or another.",
            &[&req::LEG_KEY_UPPER_CASE],
            |ground| Box::pin(upper_case(ground)),
        ),
        check(
            "keys.all-bits",
            "Keys that differ in a single bit are different keys.",
            &[&req::LEG_KEY_SAME],
            |ground| Box::pin(all_bits(ground)),
        ),
    ];
    checks.extend(MALFORMED.map(|(kind, key)| {
        check(
            format!("keys.malformed-{kind}"),
            format!("A Put of the key {key:?} closes the connection or stores a record."),
            &[&req::LEG_KEY_MALFORMED, &req::LEG_KEY_MALFORMED_CLOSES],
            move |ground| Box::pin(malformed(ground, key)),
        )
    }));
    for command in [Command::Get, Command::Exists, Command::Remove] {
        checks.push(check(
            format!("keys.malformed-{}", command.name().to_lowercase()),
            format!("A {command} of a malformed key closes the connection or finds nothing."),
            &[&req::LEG_KEY_MALFORMED],
            move |ground| Box::pin(malformed_read(ground, command)),
        ));
    }
    checks
}

/// A key of the node whose digits are letters too.
fn with_letters(ground: &Ground) -> Key {
    let letters = |key: &Key| {
        key.to_string()
            .bytes()
            .any(|digit| digit.is_ascii_lowercase())
    };
    let mut keys = (0..1000).map(|number| ground.key(0xabc_def + number));
    keys.find(letters).unwrap_or(ground.key(0xabc_def))
}

async fn digits(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (key, channel) = (with_letters(ground), scene.channel.clone());
    scene.link.store(&channel, key, "value").await?;
    let order = match command {
        Command::GetAllKeys => talk::get_all_keys(&channel),
        _ => talk::get_all(&channel),
    };
    let plain = raw_batch(&mut scene.link, &order).await?;
    let expected = KeyText::from(key);
    let kept = Reader::new(&plain).array("key") == Ok(expected.as_bytes());
    let (rule, wanted) = (&req::LEG_KEY_DIGITS, format!("the key {expected}"));
    expect(rule, &named(&order), &wanted, kept, || {
        plain.escape_ascii().to_string()
    })
}

/// The plain bytes of the first batch of an answer that comes in batches.
async fn raw_batch(link: &mut LegacyLink, order: &Order) -> Checked<Vec<u8>> {
    use tokio::time::Instant;

    link.send(order).await;
    let limit = Instant::now() + link.socket().patience();
    loop {
        // A status, and an array.
        let bytes = link.rest().clone();
        let mut reader = Reader::new(&bytes);
        let block = reader.u32("status").and_then(|_| reader.array("batch"));
        if let Ok(block) = block {
            let plain = lzo::decompress(block, 1 << 20).map_err(|error| {
                let (rule, expected) = (&req::LEG_BATCH_SIZE, ["a batch"]);
                broken(
                    rule,
                    Outcome::Data,
                    named(order),
                    &expected,
                    error.to_string(),
                )
            })?;
            return Ok(plain);
        }
        if link.socket().closing().is_some() || !link.socket().receive(limit).await {
            let (rule, expected) = (&req::LEG_ANSWER_COMPLETE, ["Ok (200), and a batch"]);
            let observed = format!("{} bytes", bytes.len());
            let (sent, outcome) = (named(order), Outcome::Silence);
            return Err(broken(rule, outcome, sent, &expected, observed));
        }
    }
}

async fn digits_of_listen(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (key, channel) = (with_letters(ground), scene.channel.clone());
    let mut listen = ground.legacy_listen(&channel, &mut scene.link).await?;
    scene.link.store(&channel, key, "value").await?;
    listen.settle(&mut scene.link).await?;
    let expected = KeyText::from(key);
    let kept = listen.told().any(|(key, _)| *key == expected);
    let (rule, wanted) = (&req::LEG_KEY_DIGITS, format!("the key {expected}"));
    expect(rule, "Listen, and a Put", &wanted, kept, || {
        let keys = listen.told().map(|(key, _)| key.to_string());
        keys.collect::<Vec<_>>().join(", ")
    })
}

async fn upper_case(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let key = with_letters(ground);
    let upper = wrong::key(&key.to_string().to_uppercase());
    let channel = scene.channel.clone();
    let (rule, value) = (&req::LEG_KEY_UPPER_CASE, Answer::Value("upper".into()));
    let put = talk::put(&channel, upper.clone(), "upper");
    let stored = scene.link.ask(&put).await;
    let stored = stored.map_err(crate::unkept::blamed_on(rule))?;
    expect(
        rule,
        &named(&put),
        "Ok (200)",
        stored.status() == Status::Ok,
        || told(&stored),
    )?;
    let get = talk::get(&channel, upper);
    scene.link.expect(rule, &get, &value).await?;
    let same = scene.link.get(&channel, key).await? == "upper";
    ground.note(
        "legacy: is a key in upper case the one in lower case?",
        if same { "yes" } else { "no, another one" },
    );
    Ok(())
}

async fn all_bits(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let base = ground.key(1).0;
    let keys = (0..64).map(|bit| base ^ (1 << bit));
    let keys = keys.chain([base]).map(Key);
    let keys: Vec<Key> = keys.filter(|key| ground.range().covers(*key)).collect();
    let channel = scene.channel.clone();
    for key in &keys {
        scene.link.store(&channel, *key, key.to_string()).await?;
    }
    for key in &keys {
        let (rule, order) = (&req::LEG_KEY_SAME, talk::get(&channel, *key));
        let value = Answer::Value(key.to_string().into());
        scene.link.expect(rule, &order, &value).await?;
    }
    Ok(())
}

/// What became of an order with a key that is none.
enum Fate {
    Closed,
    Answered(Answer),
}

async fn fate(link: &mut LegacyLink, order: &Order) -> Checked<Fate> {
    link.send(order).await;
    let mut request = dht_protocol::legacy::ClientRequest::new(order.command());
    match link.hear(&mut request).await {
        Said::Closed(_) if link.rest().is_empty() => Ok(Fate::Closed),
        Said::Event(dht_protocol::legacy::Event::Answered(answer)) => Ok(Fate::Answered(answer)),
        other => Err(link.unanswered(&request, other)),
    }
}

async fn malformed(ground: &Ground, key: &'static str) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let (key, channel) = (wrong::key(key), scene.channel.clone());
    let question = "legacy: what becomes of a key that is not 16 digits?";
    let order = talk::put(&channel, key.clone(), "value");
    match fate(&mut scene.link, &order).await? {
        Fate::Closed => {
            ground.note(question, "the connection is closed");
            Ok(())
        }
        Fate::Answered(answer) if answer.status() == Status::Ok => {
            ground.note(question, "it names a record");
            reads_back(&mut scene.link, &channel, key).await
        }
        Fate::Answered(answer) => Err(refused(&order, &answer)),
    }
}

async fn reads_back(link: &mut LegacyLink, channel: &ChannelName, key: KeyText) -> Checked {
    let value = Answer::Value("value".into());
    let rule = &req::LEG_KEY_MALFORMED;
    link.expect(rule, &talk::get(channel, key), &value).await
}

async fn malformed_read(ground: &Ground, command: Command) -> Checked {
    let mut scene = Scene::open(ground).await?;
    // A Get of a channel that is not there is another matter.
    scene.store(1, "value").await?;
    let (key, channel) = (wrong::key("no key"), scene.channel.clone());
    let (order, expected) = match command {
        Command::Get => (talk::get(&channel, key), Answer::Value("".into())),
        Command::Exists => (talk::exists(&channel, key), Answer::Exists(false)),
        _ => (talk::remove(&channel, key), Answer::Status(Status::Ok)),
    };
    match fate(&mut scene.link, &order).await? {
        Fate::Answered(answer) if answer != expected => Err(refused(&order, &answer)),
        _ => Ok(()),
    }
}

fn refused(order: &Order, answer: &Answer) -> Unkept {
    let expected = ["the connection is closed without a status", "Ok (200)"];
    let (rule, outcome) = (&req::LEG_KEY_MALFORMED, Outcome::Answer);
    broken(rule, outcome, named(order), &expected, told(answer))
}
