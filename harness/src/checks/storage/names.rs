//! Names of channels: which there are, and which are the same.

use dht_protocol::ChannelName;
use dht_protocol::neo::request::{RequestCode, put};
use dht_requirements::{self as req, Requirement};

use super::records::{Records, answered};
use crate::checks::nameless::Nameless;
use crate::checks::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, Unkept};

/// Two names that are different, as what is behind the check's own part of them.
struct Pair {
    id: &'static str,
    title: &'static str,
    requirement: &'static Requirement,
    one: &'static [u8],
    other: &'static [u8],
}

const fn pair(
    id: &'static str,
    title: &'static str,
    requirement: &'static Requirement,
    one: &'static [u8],
    other: &'static [u8],
) -> Pair {
    Pair {
        id,
        title,
        requirement,
        one,
        other,
    }
}

#[rustfmt::skip]
static PAIRS: [Pair; 12] = [
    pair("letters", "names of letters", &req::DATA_NAME_PLAIN, b"abcxyz", b"abcdef"),
    pair("digits", "names with digits", &req::DATA_NAME_PLAIN, b"0123456789", b"0123456788"),
    pair("marks", "names with `_` and `-`", &req::DATA_NAME_PLAIN, b"a_b-c", b"a-b_c"),
    pair("case", "names that differ in case", &req::DATA_NAME_EXACT, b"Name", b"name"),
    pair("beginning", "a name and its beginning", &req::DATA_NAME_EXACT, b"name", b"nam"),
    pair("trailing-blank", "names with and without a trailing blank", &req::DATA_NAME_EXACT, b"name ", b"name"),
    pair("trailing-tab", "names with and without a trailing tab", &req::DATA_NAME_EXACT, b"name\t", b"name"),
    pair("nul", "names that differ behind a zero byte", &req::DATA_NAME_ODD, b"nul\0one", b"nul\0other"),
    pair("no-utf8", "names that are no UTF-8", &req::DATA_NAME_ODD, b"\xff", b"\xfe"),
    pair("newline", "names that differ in their second line", &req::DATA_NAME_ODD, b"\none", b"\nother"),
    pair("slash", "names that differ before a slash", &req::DATA_NAME_ODD, b"one/name", b"other/name"),
    pair("dots", "names that are paths", &req::DATA_NAME_ODD, b"/../x", b"/one/../../x"),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks: Vec<_> = PAIRS.iter().map(pair_check).collect();
    checks.extend([
        Check::raw(
            "names.long",
            "Names of 1,000 bytes that differ in the last one are two channels.",
            &[&req::DATA_NAME_LONG],
            |ground| Box::pin(long(ground)),
        ),
        Check::raw(
            "names.empty",
            "The empty name is a channel like any other or is refused.",
            &[&req::DATA_NAME_ODD],
            |ground| Box::pin(empty(ground)),
        )
        // Where there is such a channel, lists of the legacy protocol end at it.
        .tagged(Tag::Alone),
        Check::raw(
            "names.separate",
            "The same key in two channels is two records, of which one can be removed.",
            &[&req::DATA_CHANNELS_SEPARATE],
            |ground| Box::pin(separate(ground)),
        ),
    ]);
    let checks = checks.into_iter();
    checks.map(|check| check.on(RequestCode::Put)).collect()
}

fn pair_check(pair: &'static Pair) -> Check {
    let check = Check::raw(
        format!("names.{}", pair.id),
        format!("Two channels: {}.", pair.title),
        &[pair.requirement],
        move |ground| Box::pin(different(ground, pair)),
    );
    // With such a channel an original node does not save all others when it stops.
    match pair.one.contains(&b'/') {
        true => check.tagged(Tag::Lethal),
        false => check,
    }
}

/// A channel of the check, with these bytes at the end.
fn named(ground: &Ground, end: &[u8]) -> ChannelName {
    let begin = ground.channel("name-");
    ChannelName::copy_from(&[begin.as_bytes(), end].concat())
}

async fn different(ground: &Ground, pair: &Pair) -> Checked {
    let names = [named(ground, pair.one), named(ground, pair.other)];
    two_channels(ground, names, pair.requirement).await
}

async fn long(ground: &Ground) -> Checked {
    let names = [b'1', b'2'].map(|last| {
        let mut name = ground.channel("long").as_bytes().to_vec();
        name.resize(999, b'x');
        name.push(last);
        ChannelName::copy_from(&name)
    });
    two_channels(ground, names, &req::DATA_NAME_LONG).await
}

/// Each of two channels has its own record, and is listed.
async fn two_channels(
    ground: &Ground,
    names: [ChannelName; 2],
    requirement: &'static Requirement,
) -> Checked {
    let key = ground.key(1);
    let mut records = Records::open(ground).await?;
    for (name, value) in names.iter().zip(["one", "other"]) {
        records.channel = name.clone();
        if !put(ground, &mut records, key, value, requirement).await? {
            return Ok(());
        }
    }
    for (name, value) in names.iter().zip(["one", "other"]) {
        records.channel = name.clone();
        records.expect_value(key, value, requirement).await?;
    }
    let listed = records.link.channels().await?;
    let kept = names.iter().all(|name| listed.contains(name));
    let sent = "Puts into two channels, and GetChannels";
    ground.expect(requirement, sent, &["both names"], kept, || {
        let listed = listed.iter().filter(|name| ground.owns(name));
        format!("{:?}", listed.collect::<Vec<_>>())
    })
}

/// Puts a record. Is the name of its channel not refused, if it may be?
async fn put(
    ground: &Ground,
    records: &mut Records,
    key: dht_protocol::Key,
    value: &'static str,
    requirement: &'static Requirement,
) -> Checked<bool> {
    let name = records.channel.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let odd = name.is_empty() || !name.iter().all(plain);
    let question = "Put into a channel with an unusual name";
    match records.link.put(&records.channel, key, value).await {
        Ok(put::Reply::Put) => {
            if odd {
                ground.note(question, "stored");
            }
            Ok(true)
        }
        Ok(put::Reply::Error) if odd => {
            ground.note(question, "refused with Error");
            Ok(false)
        }
        Err(Unkept::Broken(found)) if odd && found.outcome == Outcome::Closed => {
            ground.note(question, "closes the connection");
            Ok(false)
        }
        Ok(other) => {
            let sent = format!("Put into {}", records.channel);
            Err(answered(requirement, &sent, "Put (stored)", other.name()))
        }
        Err(other) => Err(other),
    }
}

async fn empty(ground: &Ground) -> Checked {
    let rule = &req::DATA_NAME_ODD;
    let nameless = Nameless::find(ground).await;
    let key = Nameless::key(ground);
    let mut records = Records::of(ground, nameless.channel.clone()).await?;
    if !put(ground, &mut records, key, "value", rule).await? {
        return Ok(());
    }
    records.expect_value(key, "value", rule).await?;
    records.expect_exists(key, true, rule).await?;
    records.expect_removed(key, true, rule).await?;
    records.expect_absent(key, rule).await?;
    nameless.leave(&mut records.link).await;
    Ok(())
}

async fn separate(ground: &Ground) -> Checked {
    let rule = &req::DATA_CHANNELS_SEPARATE;
    let key = ground.key(1);
    let mut one = Records::of(ground, ground.channel("one")).await?;
    let mut other = Records::of(ground, ground.channel("other")).await?;
    one.put(key, "one").await?;
    other.expect_absent(key, rule).await?;
    other.put(key, "other").await?;
    one.expect_value(key, "one", rule).await?;
    one.expect_removed(key, true, rule).await?;
    other.expect_value(key, "other", rule).await
}
