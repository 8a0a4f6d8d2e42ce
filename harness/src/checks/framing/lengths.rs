//! Lengths that headers announce.

use dht_protocol::neo::VERSION;
use dht_protocol::neo::forge::{self, REQUEST};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::put::Reply;
use dht_requirements as req;

use super::{Check, Ground, newcomers_served, put};
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::Heard;
use crate::wire::handshake::Step;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, length) in UNALLOCATABLE.into_iter().chain(OVERFLOWING) {
        let survived = match OVERFLOWING.iter().any(|(other, _)| *other == name) {
            true => &req::ROBUST_LENGTH_OVERFLOWING,
            false => &req::ROBUST_LENGTH_UNALLOCATABLE,
        };
        checks.push(Check::raw(
            format!("lengths.{name}"),
            format!(
                "A request header that announces {length} bytes closes its connection and no more."
            ),
            &[survived, &req::ROBUST_LENGTH_DROPPED],
            move |ground| Box::pin(announced(ground, length)),
        ).lethal());
    }
    for (name, length) in [("2-40", 1 << 40), ("2-64-less-1", u64::MAX)] {
        for told in [false, true] {
            let (phase, when) = match told {
                false => ("version", "after the version byte"),
                true => ("time", "after the client's time"),
            };
            checks.push(
                Check::raw(
                    format!("lengths.{name}-behind-{phase}"),
                    format!(
                        "A header that announces {length} bytes {when} closes its connection \
                         and no more."
                    ),
                    &[
                        &req::ROBUST_LENGTH_UNAUTHENTICATED,
                        &req::ROBUST_LENGTH_DROPPED,
                    ],
                    move |ground| Box::pin(announced_early(ground, length, told)),
                )
                .lethal(),
            );
        }
    }
    checks.extend([
        Check::raw(
            "lengths.many-announced",
            "Thirty connections that announce 8 MiB each and send nothing leave the node working.",
            &[&req::ROBUST_LENGTH_MANY],
            |ground| Box::pin(many_announced(ground)),
        )
        .hostile(),
        Check::raw(
            "lengths.largest-put",
            "A Put with a value of 65512 bytes is stored.",
            &[&req::FRAME_LARGEST_ACCEPTED],
            |ground| Box::pin(largest_put(ground)),
        )
        .on(RequestCode::Put),
        Check::raw(
            "lengths.larger-put",
            "A Put with a value of 1 MiB is answered, or its connection closed; if stored, \
                 it is stored whole.",
            &[&req::FRAME_LARGER_ACCEPTED, &req::GET_VALUE_EXACT],
            |ground| Box::pin(larger_put(ground)),
        )
        .on(RequestCode::Put)
        .hostile(),
        Check::raw(
            "lengths.value-beyond-message",
            "A Put whose value is said to be longer than the message is not answered with \
                 success.",
            &[&req::FRAME_ARRAY_BEYOND_BODY],
            |ground| Box::pin(value_beyond_message(ground)),
        )
        .on(RequestCode::Put)
        .hostile(),
    ]);
    checks
}

/// More than a machine has.
const UNALLOCATABLE: [(&str, u64); 3] = [
    ("2-40", 1 << 40),
    ("2-44", 1 << 44),
    ("2-63-less-1", i64::MAX as u64),
];

/// With the ten bytes of the header added, more than there are numbers; the last but one not quite.
const OVERFLOWING: [(&str, u64); 4] = [
    ("2-63", 1 << 63),
    ("2-64-less-11", u64::MAX - 10),
    ("2-64-less-10", u64::MAX - 9),
    ("2-64-less-1", u64::MAX),
];

async fn announced(ground: &Ground, length: u64) -> Checked {
    let mut link = ground.link().await?;
    link.send(&forge::message(REQUEST, length, &[])).await;
    let sent = format!("a request header that announces {length} bytes");
    link.expect_closed(&req::ROBUST_LENGTH_DROPPED, &sent).await
}

async fn announced_early(ground: &Ground, length: u64, told: bool) -> Checked {
    let mut login = ground.login().await?;
    if told {
        login.nonce_for(ground.now()).await;
    } else {
        login.send(&[VERSION]).await;
        login.version().await;
    }
    login.send(&forge::message(REQUEST, length, &[])).await;
    match login.message().await {
        Step::Closed(_) => Ok(()),
        other => Err(broken(
            &req::ROBUST_LENGTH_DROPPED,
            Outcome::Open,
            format!("before the authentication, a request header that announces {length} bytes"),
            &["the node closes the connection"],
            other.to_string(),
        )),
    }
}

async fn many_announced(ground: &Ground) -> Checked {
    let mut links = Vec::new();
    for _ in 0..30 {
        let link = ground.link().await;
        let mut link = link.map_err(blamed_on(&req::ROBUST_LENGTH_MANY))?;
        link.send(&forge::message(REQUEST, 8 << 20, &[1; 8])).await;
        links.push(link);
    }
    newcomers_served(ground, &req::ROBUST_LENGTH_MANY).await
}

async fn largest_put(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let (channel, key, value) = (ground.channel(""), ground.key(1), vec![7; 65_512]);
    let rule = &req::FRAME_LARGEST_ACCEPTED;
    let stored = link.store(&channel, key, value.clone()).await;
    stored.map_err(blamed_on(rule))?;
    let (_, found) = link.get(&channel, key).await?;
    let sent = "Get of the largest record";
    let kept = found.as_ref().is_some_and(|found| found[..] == value);
    ground.expect(rule, sent, &["its value"], kept, || match found {
        Some(found) => format!("another value, of {} bytes", found.len()),
        None => "no record".to_owned(),
    })
}

async fn larger_put(ground: &Ground) -> Checked {
    const QUESTION: &str = "Answer to a Put of 1 MiB";
    let mut link = ground.link().await?;
    let value = vec![7; 1 << 20];
    let id = link.open(&put(ground, 1, value.clone())).await;
    let mut last = link.hear(id).await;
    if let Heard::Message(_) = last {
        last = link.hear(id).await;
    }
    let reply = match last {
        Heard::Message(payload) => Reply::decode(&payload).ok(),
        Heard::Closed(_) => {
            ground.note(QUESTION, "none, and the connection is closed");
            return Ok(());
        }
        Heard::Silence => {
            ground.note(QUESTION, "none");
            return Ok(());
        }
    };
    ground.note(QUESTION, reply.map_or("undefined", Reply::name));
    let (_, found) = link.get(&ground.channel(""), ground.key(1)).await?;
    let right = match reply {
        Some(Reply::Put) => found.as_ref().is_some_and(|found| found[..] == value),
        _ => found.is_none(),
    };
    let expected = ["the whole value if it was stored, else no record"];
    let sent = "Get of a record with a value of 1 MiB";
    ground.expect(&req::GET_VALUE_EXACT, sent, &expected, right, || {
        let length = found.map(|found| found.len());
        format!("a value of {length:?} bytes")
    })
}

async fn value_beyond_message(ground: &Ground) -> Checked {
    for count in [6, 1 << 20, 1 << 40, i64::MAX as u64, u64::MAX - 7, u64::MAX] {
        let mut link = ground.link().await?;
        let mut opening = put(ground, 1, "value");
        let at = opening.len() - 5 - 8;
        opening[at..at + 8].copy_from_slice(&count.to_le_bytes());
        let id = link.open(&opening).await;
        let sent = format!("Put whose value of 5 bytes is said to have {count}");
        link.reaction(id).await;
        let stored = Reply::Put.encode();
        let success = link
            .waiting(id)
            .iter()
            .any(|payload| payload == &stored[..]);
        let expected = [
            "no answer behind the supported status",
            "the connection closed",
        ];
        let rule = &req::FRAME_ARRAY_BEYOND_BODY;
        ground.expect(rule, &sent, &expected, !success, || {
            "Put (stored)".to_owned()
        })?;
    }
    Ok(())
}
