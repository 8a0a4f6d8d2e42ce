//! Keys that are another node's: WrongNode, and nothing changes. Also the first and the last key of one's
//! own.

use dht_protocol::Key;
use dht_protocol::neo::request::{RequestCode, exists, get, put, remove};
use dht_requirements::{self as req, Requirement};

use super::records::{Records, answered};
use crate::checks::{Check, Ground, sample};
use crate::unkept::Checked;

/// How many foreign keys each check tries.
const KEYS: u64 = 8;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "foreign.put",
            "A Put of a key outside the hash range is answered WrongNode, and nothing is stored.",
            &[&req::PUT_WRONG_NODE],
            |ground| Box::pin(put_foreign(ground, 5)),
        )
        .on(RequestCode::Put),
        Check::raw(
            "foreign.put-large",
            "So is a Put of 65,512 bytes.",
            &[&req::PUT_WRONG_NODE],
            |ground| Box::pin(put_foreign(ground, 65_512)),
        )
        .on(RequestCode::Put),
        Check::raw(
            "foreign.get",
            "A Get of a key outside the hash range is answered WrongNode.",
            &[&req::GET_WRONG_NODE],
            |ground| Box::pin(get_foreign(ground)),
        )
        .on(RequestCode::Get),
        Check::raw(
            "foreign.exists",
            "An Exists of a key outside the hash range is answered WrongNode.",
            &[&req::EXISTS_WRONG_NODE],
            |ground| Box::pin(exists_foreign(ground)),
        )
        .on(RequestCode::Exists),
        Check::raw(
            "foreign.remove",
            "A Remove of a key outside the hash range is answered WrongNode, and nothing is \
             removed.",
            &[&req::REMOVE_WRONG_NODE],
            |ground| Box::pin(remove_foreign(ground)),
        )
        .on(RequestCode::Remove),
    ];
    for (id, title, last) in [
        ("foreign.first-own-key", "first", false),
        ("foreign.last-own-key", "last", true),
    ] {
        checks.push(
            Check::raw(
                id,
                format!("The {title} key of the hash range is not foreign."),
                &[&req::PUT_ANSWER, &req::GET_PRESENT, &req::REMOVE_PRESENT],
                move |ground| Box::pin(own(ground, last)),
            )
            .on(RequestCode::Put),
        );
    }
    checks
}

/// Records with one of the node's own.
async fn beside_own(ground: &Ground) -> Checked<(Records, Vec<Key>)> {
    let mut records = Records::open(ground).await?;
    let keys: Checked<Vec<_>> = (0..KEYS).map(|number| ground.foreign_key(number)).collect();
    let keys = keys?;
    records.put(ground.key(1), "own").await?;
    Ok((records, keys))
}

/// The channel has its own record and no other.
async fn untouched(
    ground: &Ground,
    records: &mut Records,
    requirement: &'static Requirement,
) -> Checked {
    let channel = records.channel.clone();
    let listed = records.link.all_records(&channel).await?;
    let kept = listed == [(ground.key(1), "own".into())];
    let expected = ["only the record that was put with a key of the range"];
    let sent = "requests with foreign keys, and GetAll";
    ground.expect(requirement, sent, &expected, kept, || format!("{listed:?}"))
}

async fn put_foreign(ground: &Ground, length: usize) -> Checked {
    let requirement = &req::PUT_WRONG_NODE;
    let (mut records, keys) = beside_own(ground).await?;
    for key in keys {
        let put = records
            .link
            .put(&records.channel, key, sample::value(1, length));
        match put.await? {
            put::Reply::WrongNode => {}
            other => return Err(wrong(requirement, "Put", key, other.name())),
        }
    }
    untouched(ground, &mut records, requirement).await
}

async fn get_foreign(ground: &Ground) -> Checked {
    let requirement = &req::GET_WRONG_NODE;
    let (mut records, keys) = beside_own(ground).await?;
    for key in keys {
        match records.link.get(&records.channel, key).await? {
            (get::Reply::WrongNode, _) => {}
            (other, _) => return Err(wrong(requirement, "Get", key, other.name())),
        }
    }
    untouched(ground, &mut records, requirement).await
}

async fn exists_foreign(ground: &Ground) -> Checked {
    let requirement = &req::EXISTS_WRONG_NODE;
    let (mut records, keys) = beside_own(ground).await?;
    for key in keys {
        match records.link.exists(&records.channel, key).await? {
            exists::Reply::WrongNode => {}
            other => return Err(wrong(requirement, "Exists", key, other.name())),
        }
    }
    untouched(ground, &mut records, requirement).await
}

async fn remove_foreign(ground: &Ground) -> Checked {
    let requirement = &req::REMOVE_WRONG_NODE;
    let (mut records, keys) = beside_own(ground).await?;
    for key in keys {
        match records.link.remove(&records.channel, key).await? {
            remove::Reply::WrongNode => {}
            other => return Err(wrong(requirement, "Remove", key, other.name())),
        }
    }
    untouched(ground, &mut records, requirement).await
}

fn wrong(
    requirement: &'static Requirement,
    request: &str,
    key: Key,
    observed: &str,
) -> crate::unkept::Unkept {
    let sent = format!("{request} {key}, outside the range");
    answered(requirement, &sent, "WrongNode", observed)
}

async fn own(ground: &Ground, last: bool) -> Checked {
    let mut records = Records::open(ground).await?;
    let position = match last {
        false => ground.range().min(),
        true => ground.range().max(),
    };
    let key = Key(position.reverse_bits());
    records.put(key, "value").await?;
    records
        .expect_value(key, "value", &req::GET_PRESENT)
        .await?;
    records
        .expect_removed(key, true, &req::REMOVE_PRESENT)
        .await
}
