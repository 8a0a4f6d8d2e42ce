//! The first step of an Update, and an Update that begins with the second.

use dht_protocol::key::fnv1a;
use dht_protocol::neo::request::update::FromNode;
use dht_requirements as req;

use super::talk::{NEW, OLD, Subject, decide, hear, replace};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;
use crate::wire::Link;

/// Values whose hashes go wrong in different ways: name, in words, the value.
type Value = (&'static str, &'static str, fn() -> Vec<u8>);
const VALUES: [Value; 6] = [
    ("one-byte", "a value of one byte", || vec![b'x']),
    ("zeros", "a value of zeros", || vec![0; 8]),
    ("high-bytes", "a value of bytes above 127", || {
        vec![0x80, 0xff, 0xfe, 0x81, 0xc3]
    }),
    ("every-byte", "a value with every byte", || {
        (0..=255).collect()
    }),
    ("unaligned", "a value of 1,001 bytes", || vec![b'u'; 1001]),
    ("largest", "a value of 65,512 bytes", || vec![b'l'; 65_512]),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "updating.read-value",
            "GetRecord is answered with the value in the same message.",
            &[&req::UPDATE_READ],
            |ground| Box::pin(read_value(ground)),
        ),
        Check::raw(
            "updating.read-absent",
            "GetRecord of a record that is not there is answered NoRecord, which ends the request.",
            &[&req::UPDATE_READ_ABSENT],
            |ground| Box::pin(read_absent(ground, true)),
        ),
        Check::raw(
            "updating.read-absent-channel",
            "GetRecord in a channel that does not exist is answered NoRecord.",
            &[&req::UPDATE_READ_ABSENT],
            |ground| Box::pin(read_absent(ground, false)),
        ),
        Check::raw(
            "updating.read-wrong-node",
            "GetRecord of a key outside the hash range is answered WrongNode.",
            &[&req::UPDATE_READ_WRONG_NODE],
            |ground| Box::pin(wrong_node(ground, false)),
        ),
        Check::raw(
            "updating.direct-match",
            "UpdateRecord as the first message replaces the value that has the hash.",
            &[&req::UPDATE_DIRECT_MATCH],
            |ground| Box::pin(direct_match(ground)),
        ),
        Check::raw(
            "updating.direct-conflict",
            "UpdateRecord as the first message is refused if the hash is another.",
            &[&req::UPDATE_DIRECT_CONFLICT, &req::UPDATE_CONFLICT_KEEPS],
            |ground| Box::pin(direct_conflict(ground)),
        ),
        Check::raw(
            "updating.direct-absent",
            "UpdateRecord as the first message stores a record that is not there.",
            &[&req::UPDATE_DIRECT_ABSENT],
            |ground| Box::pin(direct_absent(ground)),
        ),
        Check::raw(
            "updating.direct-wrong-node",
            "UpdateRecord as the first message of a key outside the hash range is answered \
             WrongNode.",
            &[&req::UPDATE_DIRECT_WRONG_NODE],
            |ground| Box::pin(wrong_node(ground, true)),
        ),
    ];
    for (name, what, value) in VALUES {
        checks.push(Check::raw(
            format!("updating.hash-{name}"),
            format!("The hash of {what} is the FNV-1a of its bytes, in either place."),
            &[&req::UPDATE_HASH, &req::UPDATE_READ],
            move |ground| Box::pin(hash(ground, value())),
        ));
    }
    checks
}

async fn read_value(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    let sent = "Update: GetRecord, answered RecordValue";
    link.expect_nothing_more(id, &req::UPDATE_READ, sent).await
}

async fn read_absent(ground: &Ground, channel_exists: bool) -> Checked {
    let mut link = ground.link().await?;
    if channel_exists {
        Subject::stored(ground, &mut link).await?;
    }
    let absent = Subject::new(ground, 2);
    let id = link.open(&absent.reading()).await;
    no_record(&mut link, id, "Update: GetRecord").await?;
    // The request is over, so that its id is free.
    link.say(id, &absent.reading()).await;
    no_record(&mut link, id, "Update: GetRecord, twice with one id").await
}

async fn no_record(link: &mut Link, id: dht_protocol::neo::RequestId, sent: &str) -> Checked {
    let (rule, due) = (&req::UPDATE_READ_ABSENT, FromNode::NoRecord);
    link.supported(id).await?;
    hear(link, id, sent, rule, "NoRecord (07)", &due).await?;
    link.expect_nothing_more(id, rule, sent).await
}

async fn wrong_node(ground: &Ground, direct: bool) -> Checked {
    let foreign = Subject {
        channel: ground.channel(""),
        key: ground.foreign_key(1)?,
    };
    let mut link = ground.link().await?;
    let (opening, rule, sent) = match direct {
        true => (
            foreign.writing(fnv1a(OLD), NEW),
            &req::UPDATE_DIRECT_WRONG_NODE,
            "Update: UpdateRecord of a key outside the hash range",
        ),
        false => (
            foreign.reading(),
            &req::UPDATE_READ_WRONG_NODE,
            "Update: GetRecord of a key outside the hash range",
        ),
    };
    let id = link.open_supported(&opening).await?;
    let due = FromNode::WrongNode;
    hear(&mut link, id, sent, rule, "WrongNode (09)", &due).await?;
    link.expect_nothing_more(id, rule, sent).await
}

async fn direct_match(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let sent = "Update: UpdateRecord with the hash of the value";
    let rule = &req::UPDATE_DIRECT_MATCH;
    let opening = subject.writing(fnv1a(OLD), NEW);
    let id = link.open_supported(&opening).await?;
    hear(&mut link, id, sent, rule, "Ok (06)", &FromNode::Ok).await?;
    link.expect_nothing_more(id, rule, sent).await?;
    subject.holds(&mut link, rule, sent, Some(NEW)).await
}

async fn direct_conflict(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let sent = "Update: UpdateRecord with the hash of another value";
    let opening = subject.writing(fnv1a(NEW), NEW);
    let id = link.open_supported(&opening).await?;
    let (rule, due) = (&req::UPDATE_DIRECT_CONFLICT, FromNode::UpdateConflict);
    hear(&mut link, id, sent, rule, "UpdateConflict (08)", &due).await?;
    let rule = &req::UPDATE_CONFLICT_KEEPS;
    subject.holds(&mut link, rule, sent, Some(OLD)).await
}

async fn direct_absent(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let rule = &req::UPDATE_DIRECT_ABSENT;
    let sent = "Update: UpdateRecord of a record that is not there";
    // With the hash of some value, of the empty value, and with one that stands for "nothing" perhaps.
    for (number, hash) in [(2, fnv1a(OLD)), (3, fnv1a(b"")), (4, 0)] {
        let absent = Subject::new(ground, number);
        let id = link.open_supported(&absent.writing(hash, NEW)).await?;
        hear(&mut link, id, sent, rule, "Ok (06)", &FromNode::Ok).await?;
        absent.holds(&mut link, rule, sent, Some(NEW)).await?;
    }
    Ok(())
}

async fn hash(ground: &Ground, value: Vec<u8>) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::new(ground, 1);
    let rule = &req::UPDATE_HASH;
    subject.store(&mut link, &value).await?;
    let id = subject.read(&mut link, &value).await?;
    let decision = replace(&value, &value);
    decide(&mut link, id, &decision, rule, &FromNode::Ok).await?;
    let opening = subject.writing(fnv1a(&value), NEW);
    let id = link.open_supported(&opening).await?;
    let sent = "Update: UpdateRecord with the hash of the value";
    hear(&mut link, id, sent, rule, "Ok (06)", &FromNode::Ok).await
}
