//! Requests for one key on two connections at the same time: whatever their order is, there is one.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use bytes::Bytes;
use dht_protocol::neo::request::{RequestCode, put, remove};
use dht_requirements as req;

use super::records::Records;
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::quoted;
use crate::wire::talk::record;

/// How often something is tried.
const ROUNDS: u64 = 20;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "history.writer-reader",
            "While one client puts 1, 2, 3 and so on, another reads no value that is older than what \
             was acknowledged, newer than what was sent, or older than what it has read.",
            &[&req::DATA_LINEARIZABLE],
            |ground| Box::pin(writer_reader(ground)),
        )
        .on(RequestCode::Get),
        Check::raw(
            "history.two-writers",
            "After two clients have put at the same time, both read the same: a value that one of \
             them put last.",
            &[&req::DATA_LINEARIZABLE],
            |ground| Box::pin(two_writers(ground)),
        )
        .on(RequestCode::Put),
        Check::raw(
            "history.put-remove",
            "Of a Put and a Remove at the same time one came first, and answer and record agree on \
             which.",
            &[&req::DATA_LINEARIZABLE],
            |ground| Box::pin(put_remove(ground)),
        )
        .on(RequestCode::Remove),
        Check::raw(
            "history.whole-values",
            "While a client puts a short and a long value in turn, another reads one of them \
             whole.",
            &[&req::GET_VALUE_OF_AN_INSTANT],
            |ground| Box::pin(whole_values(ground)),
        )
        .on(RequestCode::Get),
    ]
}

async fn writer_reader(ground: &Ground) -> Checked {
    let mut writer = Records::open(ground).await?;
    let mut reader = Records::open(ground).await?;
    let key = ground.key(1);
    let (sent, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
    writer.put(key, "0").await?;
    let writing = async {
        for number in 1..=ROUNDS {
            sent.store(number, SeqCst);
            writer.put(key, number.to_string()).await?;
            acknowledged.store(number, SeqCst);
        }
        Ok(())
    };
    let reading = async {
        let mut before = 0;
        // The last look is at a record that nobody changes any more.
        loop {
            let oldest = acknowledged.load(SeqCst).max(before);
            let (reply, value) = reader.link.get(&reader.channel, key).await?;
            let newest = sent.load(SeqCst);
            let text = value.as_deref().map(String::from_utf8_lossy);
            let number = text.as_deref().and_then(|text| text.parse().ok());
            let sent = format!("Get while \"0\", \"1\" ... \"{ROUNDS}\" are put");
            match number {
                Some(number) if (oldest..=newest).contains(&number) => before = number,
                _ => {
                    let expected = format!("\"{oldest}\" to \"{newest}\"");
                    let value = value.as_ref().map(|value| quoted(value));
                    let observed = format!("{} {}", reply.name(), value.unwrap_or_default());
                    let (rule, outcome) = (&req::DATA_LINEARIZABLE, Outcome::Data);
                    return Err(broken(rule, outcome, sent, &[&expected], observed));
                }
            }
            if oldest == ROUNDS {
                return Ok(());
            }
        }
    };
    tokio::try_join!(writing, reading).map(drop)
}

async fn two_writers(ground: &Ground) -> Checked {
    let mut one = Records::open(ground).await?;
    let mut other = Records::open(ground).await?;
    let key = ground.key(1);
    tokio::try_join!(
        put_many(&mut one, key, "one"),
        put_many(&mut other, key, "other")
    )?;
    let (_, here) = one.link.get(&one.channel, key).await?;
    let (_, there) = other.link.get(&other.channel, key).await?;
    let last = [last_of("one"), last_of("other")];
    let kept = here == there && here.as_ref().is_some_and(|value| last.contains(value));
    let expected = [
        format!("twice {:?}", last[0]),
        format!("twice {:?}", last[1]),
    ];
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    let sent = format!("{ROUNDS} Puts of one key on each of two connections, and Get on both");
    ground.expect(&req::DATA_LINEARIZABLE, &sent, &expected, kept, || {
        format!("{here:?} and {there:?}")
    })
}

async fn put_many(records: &mut Records, key: dht_protocol::Key, name: &str) -> Checked {
    for number in 1..=ROUNDS {
        records.put(key, format!("{name} {number}")).await?;
    }
    Ok(())
}

fn last_of(name: &str) -> Bytes {
    format!("{name} {ROUNDS}").into()
}

async fn put_remove(ground: &Ground) -> Checked {
    let mut putter = Records::open(ground).await?;
    let mut remover = Records::open(ground).await?;
    for round in 0..ROUNDS {
        let key = ground.key(round);
        let open = put::Open {
            record: record(&putter.channel, key),
            value: "value".into(),
        };
        let removal = record(&putter.channel, key).opening(RequestCode::Remove);
        let put = putter.link.open(&open.encode()).await;
        let remove = remover.link.open(&removal).await;
        putter.link.supported(put).await?;
        putter
            .link
            .expect(put, &req::PUT_ANSWER, "Put", &put::Reply::Put.encode())
            .await?;
        remover.link.supported(remove).await?;
        let answer = remover.link.answer(remove, "Removed or NoRecord").await?;
        let removed = answer[..] == remove::Reply::Removed.encode();
        let (_, value) = putter.link.get(&putter.channel, key).await?;
        let sent = "Put and Remove of one key on two connections, and Get";
        let expected = ["Removed, and no record", "NoRecord, and the record"];
        let kept = removed == value.is_none();
        ground.expect(&req::DATA_LINEARIZABLE, sent, &expected, kept, || {
            let remove = if removed { "Removed" } else { "NoRecord" };
            let get = if value.is_some() { "the" } else { "no" };
            format!("{remove}, and {get} record")
        })?;
    }
    Ok(())
}

async fn whole_values(ground: &Ground) -> Checked {
    let mut writer = Records::open(ground).await?;
    let mut reader = Records::open(ground).await?;
    let key = ground.key(1);
    let values = [Bytes::from(vec![b'l'; 20_000]), Bytes::from(vec![b's'; 3])];
    writer.put(key, values[0].clone()).await?;
    let done = AtomicU64::new(0);
    let writing = async {
        for value in values.iter().cycle().take(2 * ROUNDS as usize) {
            writer.put(key, value.clone()).await?;
        }
        done.store(1, SeqCst);
        Ok(())
    };
    let reading = async {
        loop {
            let last = done.load(SeqCst) == 1;
            let (reply, value) = reader.link.get(&reader.channel, key).await?;
            let kept = value.as_ref().is_some_and(|value| values.contains(value));
            let sent = "Get while two values are put in turn";
            let expected = ["20,000 times \"l\"", "three times \"s\""];
            let rule = &req::GET_VALUE_OF_AN_INSTANT;
            ground.expect(rule, sent, &expected, kept, || {
                let value = value.as_ref().map(|value| quoted(value));
                format!("{} {}", reply.name(), value.unwrap_or_default())
            })?;
            if last {
                return Ok(());
            }
        }
    };
    tokio::try_join!(writing, reading).map(drop)
}
