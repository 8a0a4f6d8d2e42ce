//! PutBatch with what is no batch.

use dht_protocol::legacy::{Command, Status};
use dht_requirements::{self as req, Requirement};

use super::robustness::still_serves;
use super::scene::{Scene, expect};
use super::{check, lethal};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, not_applicable};
use crate::wire::legacy::{talk, wrong};

/// What a batch with a fault is made of: data of two good records.
type Make = fn(data: &[u8]) -> Vec<u8>;

pub(super) fn checks() -> Vec<Check> {
    let closing: [(&str, &str, Make, &Requirement); 6] = [
        (
            "size-larger",
            "A batch that says a larger size than it has closes the connection.",
            |data| wrong::batch_of_size(&wrong::batch(data), data.len() as u64 + 1),
            &req::LEG_PUTBATCH_SIZE,
        ),
        (
            "size-smaller",
            "A batch that says a smaller size than it has closes the connection.",
            |data| wrong::batch_of_size(&wrong::batch(data), data.len() as u64 - 1),
            &req::LEG_PUTBATCH_SIZE,
        ),
        (
            "cut-off",
            "A batch whose last value is cut off closes the connection.",
            |data| wrong::batch(&data[..data.len() - 1]),
            &req::LEG_PUTBATCH_ENTRIES,
        ),
        (
            "key-alone",
            "A batch that ends with a key closes the connection.",
            |data| wrong::batch(&[data, &wrong::strings(&[b"0000000000000001"])].concat()),
            &req::LEG_PUTBATCH_ENTRIES,
        ),
        (
            "half-length",
            "A batch that ends inside a length closes the connection.",
            |data| wrong::batch(&[data, &[1, 2, 3]].concat()),
            &req::LEG_PUTBATCH_ENTRIES,
        ),
        (
            "long-entry",
            "A batch with an entry of 2^63 bytes closes the connection.",
            |data| wrong::batch(&[data, &(1_u64 << 63).to_le_bytes()].concat()),
            &req::LEG_PUTBATCH_ENTRIES,
        ),
    ];
    let mut checks: Vec<_> = closing
        .into_iter()
        .map(|(name, title, make, rule)| {
            check(format!("badbatch.{name}"), title, &[rule], move |ground| {
                Box::pin(closes(ground, make, rule))
            })
        })
        .collect();
    checks.push(check(
        "badbatch.entries-before",
        "Entries in front of one that is cut off are stored, or not; the connection is closed.",
        &[
            &req::LEG_PUTBATCH_ENTRIES,
            &req::LEG_PUTBATCH_ENTRIES_BEFORE,
        ],
        |ground| Box::pin(entries_before(ground)),
    ));
    checks.push(check(
        "badbatch.malformed-key",
        "A batch with a malformed key closes the connection, or stores the record.",
        &[&req::LEG_KEY_MALFORMED],
        |ground| Box::pin(malformed_key(ground)),
    ));
    let lethals: [(&str, &str, Make, &Requirement); 8] = [
        (
            "nothing",
            "An array of no bytes instead of a batch does not end the node.",
            |_| Vec::new(),
            &req::LEG_PUTBATCH_GARBAGE,
        ),
        (
            "seven-bytes",
            "Seven bytes instead of a batch do not end the node.",
            |_| vec![1; 7],
            &req::LEG_PUTBATCH_GARBAGE,
        ),
        (
            "no-stream",
            "A size without a stream does not end the node.",
            |data| (data.len() as u64).to_le_bytes().to_vec(),
            &req::LEG_PUTBATCH_GARBAGE,
        ),
        (
            "garbage",
            "A stream that is none does not end the node.",
            |data| wrong::batch_of_size(&[0xa5; 100], data.len() as u64),
            &req::LEG_PUTBATCH_GARBAGE,
        ),
        (
            "truncated",
            "A stream without its end does not end the node.",
            |data| {
                let batch = wrong::batch(data);
                batch[..batch.len() - 4].to_vec()
            },
            &req::LEG_PUTBATCH_GARBAGE,
        ),
        (
            "size-2-40",
            "A batch that claims 2^40 bytes does not end the node.",
            |data| wrong::batch_of_size(&wrong::batch(data), 1 << 40),
            &req::LEG_PUTBATCH_HUGE,
        ),
        (
            "size-2-63",
            "A batch that claims 2^63 bytes does not end the node.",
            |data| wrong::batch_of_size(&wrong::batch(data), 1 << 63),
            &req::LEG_PUTBATCH_HUGE,
        ),
        (
            "size-max",
            "A batch that claims 2^64 - 1 bytes does not end the node.",
            |data| wrong::batch_of_size(&wrong::batch(data), u64::MAX),
            &req::LEG_PUTBATCH_HUGE,
        ),
    ];
    checks.extend(lethals.into_iter().map(|(name, title, make, rule)| {
        lethal(format!("badbatch.{name}"), title, &[rule], move |ground| {
            Box::pin(survives(ground, make, rule))
        })
    }));
    checks
}

/// The data of two good records.
fn data(ground: &Ground) -> Vec<u8> {
    let keys = [1, 2].map(|number| ground.key(number).to_string());
    let [one, two] = &keys;
    wrong::strings(&[one.as_bytes(), b"value 1", two.as_bytes(), b"value 2"])
}

async fn closes(ground: &Ground, make: Make, rule: &'static Requirement) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let batch = make(&data(ground));
    scene
        .link
        .send(&talk::put_batch(&scene.channel, batch))
        .await;
    scene
        .link
        .expect_closed(rule, "PutBatch with a faulty batch")
        .await
}

async fn entries_before(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let mut data = data(ground);
    data.pop();
    let order = talk::put_batch(&scene.channel, wrong::batch(&data));
    scene.link.send(&order).await;
    let rule = &req::LEG_PUTBATCH_ENTRIES;
    scene.link.expect_closed(rule, "PutBatch, cut off").await?;
    let mut scene = Scene::open(ground).await?;
    let (channel, keys) = (
        scene.channel.clone(),
        [1, 2].map(|number| ground.key(number)),
    );
    let stored = scene.link.exists(&channel, keys[0]).await?;
    ground.note(
        "legacy: are entries in front of one that is cut off stored?",
        if stored { "yes" } else { "no" },
    );
    let half = scene.link.exists(&channel, keys[1]).await?;
    expect(
        rule,
        "PutBatch, cut off",
        "no record of the last entry",
        !half,
        || "there is one".to_owned(),
    )
}

async fn malformed_key(ground: &Ground) -> Checked {
    let mut scene = Scene::open(ground).await?;
    let data = wrong::strings(&[b"no key", b"value"]);
    let order = talk::put_batch(&scene.channel, wrong::batch(&data));
    scene.link.send(&order).await;
    let rule = &req::LEG_KEY_MALFORMED;
    let sent = "PutBatch with a malformed key";
    let limit = tokio::time::Instant::now() + ground.patience();
    scene.link.socket().receive(limit).await;
    if scene.link.rest().is_empty() {
        return scene.link.expect_closed(rule, sent).await;
    }
    let status = scene.link.answer(Command::PutBatch).await?.status();
    let expected = "Ok (200), or the connection is closed";
    expect(rule, sent, expected, status == Status::Ok, || {
        status.to_string()
    })
}

async fn survives(ground: &Ground, make: Make, rule: &'static Requirement) -> Checked {
    let mut scene = Scene::open(ground).await?;
    if scene.link.ask(&scene.put(0, "value")).await?.status() != Status::Ok {
        return not_applicable("the node stores nothing");
    }
    closes(ground, make, rule).await?;
    still_serves(ground, rule).await
}
