//! Many records, and everything that tells of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::legacy::Answer;
use dht_protocol::{ChannelName, Key, fnv1a};
use dht_requirements::{self as req, Requirement};
use futures_util::future::try_join_all;

use super::check;
use super::scene::{expect, same_records};
use crate::checks::{Check, Ground, Tag};
use crate::unkept::Checked;
use crate::wire::legacy::{LegacyLink, talk};

/// As many as the reference suite has.
const RECORDS: u64 = 10_000;
/// How many connections share them.
const LINKS: usize = 4;

const RULES: [&Requirement; 8] = [
    &req::LEG_PUT_STORED,
    &req::LEG_SIZE_RECORDS,
    &req::LEG_GETALL_COMPLETE,
    &req::LEG_GETALL_FILTER_MATCHES,
    &req::LEG_GETALL_KEYS,
    &req::LEG_EXISTS_PRESENT,
    &req::LEG_GET_VALUE,
    &req::LEG_REMOVE_GONE,
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (order, name, put, remove) in [
        (
            Order::Ordered,
            "sequential",
            "Ordered Put test",
            "Ordered Remove test",
        ),
        (
            Order::Spread,
            "spread",
            "Unordered Put test",
            "Unordered Remove test",
        ),
    ] {
        checks.push(
            check(
                format!("bulk.put-{name}"),
                format!("10000 records with {name} keys are found by everything that reads."),
                &RULES[..7],
                move |ground| Box::pin(puts(ground, order)),
            )
            .subsumes(put)
            .tagged(Tag::Slow),
        );
        checks.push(
            check(
                format!("bulk.remove-{name}"),
                format!("Of 10000 records with {name} keys the half that is removed is gone, and the other half stays."),
                &RULES,
                move |ground| Box::pin(removes(ground, order)),
            )
            .subsumes(remove)
            .tagged(Tag::Slow),
        );
    }
    checks
}

/// Which keys the records have.
#[derive(Clone, Copy, Debug)]
enum Order {
    Ordered,
    Spread,
}

/// Records on several connections.
struct Bulk {
    links: Vec<LegacyLink>,
    channel: ChannelName,
}

impl Bulk {
    async fn open(ground: &Ground) -> Checked<Self> {
        ground.need_keys()?;
        let mut links = Vec::new();
        for _ in 0..LINKS {
            links.push(ground.legacy_link().await?);
        }
        Ok(Self {
            links,
            channel: ground.channel(""),
        })
    }

    async fn store(&mut self, records: &[(Key, Bytes)]) -> Checked {
        let share = records.len().div_ceil(LINKS).max(1);
        let shares = self.links.iter_mut().zip(records.chunks(share));
        let storing = shares.map(async |(link, records)| {
            for (key, value) in records {
                link.store(&self.channel, *key, value.clone()).await?;
            }
            Ok(())
        });
        try_join_all(storing).await.map(drop)
    }

    async fn remove(&mut self, keys: &[Key]) -> Checked {
        let share = keys.len().div_ceil(LINKS).max(1);
        let shares = self.links.iter_mut().zip(keys.chunks(share));
        let removing = shares.map(async |(link, keys)| {
            for key in keys {
                link.remove(&self.channel, *key).await?;
            }
            Ok(())
        });
        try_join_all(removing).await.map(drop)
    }

    /// Everything that reads finds exactly these records.
    async fn verify(&mut self, records: &[(Key, Bytes)], gone: &[Key]) -> Checked {
        let link = &mut self.links[0];
        let size = link.channel_size(&self.channel).await?.records;
        let wanted = records.len() as u64;
        let (rule, expected) = (&req::LEG_SIZE_RECORDS, format!("{wanted} records"));
        expect(rule, "GetChannelSize", &expected, size == wanted, || {
            format!("{size} records")
        })?;
        let found = link.all(&self.channel).await?;
        same_records(&req::LEG_GETALL_COMPLETE, "GetAll", records, found)?;
        let matching = records.iter().filter(|(_, value)| value.contains(&b'0'));
        let matching: Vec<_> = matching.cloned().collect();
        let filter = talk::get_all_filter(&self.channel, "0");
        let found = link.records(&filter).await?;
        let rule = &req::LEG_GETALL_FILTER_MATCHES;
        same_records(rule, "GetAllFilter for \"0\"", &matching, found)?;
        let mut keys = link.all_keys(&self.channel).await?;
        keys.sort();
        let mut wanted: Vec<_> = records.iter().map(|(key, _)| *key).collect();
        wanted.sort();
        let expected = format!("{} keys", wanted.len());
        expect(
            &req::LEG_GETALL_KEYS,
            "GetAllKeys",
            &expected,
            keys == wanted,
            || format!("{} keys, not the same ones", keys.len()),
        )?;
        self.read(records, gone).await
    }

    /// Exists and Get find these, and Exists none of the others.
    async fn read(&mut self, records: &[(Key, Bytes)], gone: &[Key]) -> Checked {
        let share = records.len().div_ceil(LINKS).max(1);
        let shares = self.links.iter_mut().zip(records.chunks(share));
        let reading = shares.map(async |(link, records)| {
            for (key, value) in records {
                let (order, yes) = (talk::exists(&self.channel, *key), Answer::Exists(true));
                link.expect(&req::LEG_EXISTS_PRESENT, &order, &yes).await?;
                let (order, value) = (talk::get(&self.channel, *key), value.clone());
                let value = Answer::Value(value);
                link.expect(&req::LEG_GET_VALUE, &order, &value).await?;
            }
            Checked::Ok(())
        });
        try_join_all(reading).await?;
        for key in gone.iter().step_by(50) {
            let (order, no) = (talk::exists(&self.channel, *key), Answer::Exists(false));
            let rule = &req::LEG_REMOVE_GONE;
            self.links[0].expect(rule, &order, &no).await?;
        }
        Ok(())
    }
}

/// As the reference suite has them, as far as the node is responsible for them.
fn records(ground: &Ground, order: Order) -> Vec<(Key, Bytes)> {
    let keys = (0..RECORDS).map(|number| match order {
        Order::Ordered => ground.key(number),
        Order::Spread => {
            let spread = fnv1a(&(number as u32).to_le_bytes());
            match ground.range().covers(Key(spread)) {
                true => Key(spread),
                false => ground.key(spread >> 24),
            }
        }
    });
    let records: BTreeMap<_, _> = keys
        .map(|key| (key, Bytes::from(key.0.to_string())))
        .collect();
    records.into_iter().collect()
}

async fn puts(ground: &Ground, order: Order) -> Checked {
    let mut bulk = Bulk::open(ground).await?;
    let records = records(ground, order);
    ground.trace().hide();
    bulk.store(&records).await?;
    bulk.verify(&records, &[]).await?;
    ground.trace().show("10000 records, all found");
    Ok(())
}

async fn removes(ground: &Ground, order: Order) -> Checked {
    let mut bulk = Bulk::open(ground).await?;
    let records = records(ground, order);
    ground.trace().hide();
    bulk.store(&records).await?;
    let places = records.iter().enumerate();
    let (gone, left): (Vec<_>, Vec<_>) = places.partition(|(place, _)| place % 2 == 0);
    let gone: Vec<Key> = gone.into_iter().map(|(_, (key, _))| *key).collect();
    let left: Vec<_> = left.into_iter().map(|(_, record)| record.clone()).collect();
    bulk.remove(&gone).await?;
    bulk.verify(&left, &gone).await?;
    ground.trace().show("10000 records, half of them removed");
    Ok(())
}
