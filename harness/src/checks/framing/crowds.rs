//! Slow clients, and many of them. Where they are many nothing else runs: nodes take few waiting connections.

use bytes::Bytes;
use dht_protocol::neo::VERSION;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{RequestId, forge};
use dht_requirements as req;

use super::closing::Phase;
use super::{Check, Ground, Group, Tag};
use crate::unkept::{Checked, blamed_on};
use crate::wire::Login;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "crowds.slow-reader",
            "A client that does not read holds up nobody, and gets every answer when it reads.",
            &[
                &req::ROBUST_UNREAD_OTHERS_SERVED,
                &req::ROBUST_UNREAD_COMPLETE,
            ],
            |ground| Box::pin(slow_reader(ground)),
        )
        .on(RequestCode::Get),
        Check::raw(
            "crowds.hundred",
            "A hundred connections at the same time are served.",
            &[&req::ROBUST_MANY_CONNECTIONS],
            |ground| Box::pin(hundred(ground)),
        )
        .tagged(Tag::Alone),
        Check::raw(
            "crowds.thousand-cycles",
            "After a thousand connections that came and went new ones are served.",
            &[&req::ROBUST_MANY_CYCLES],
            |ground| Box::pin(thousand_cycles(ground)),
        )
        .tagged(Tag::Alone),
    ];
    for phase in Phase::ALL {
        let (name, when) = phase.names();
        checks.push(Check::raw(
            format!("crowds.silent-{name}"),
            format!("Three clients that fall silent {when} hold up no other."),
            &[&req::ROBUST_SLOW_SENDER],
            move |ground| Box::pin(silent(ground, phase)),
        ));
    }
    checks
        .into_iter()
        .map(|check| check.in_group(Group::Connection))
        .collect()
}

/// So many large answers are more than the buffers of the system hold.
const ANSWERS: u64 = 200;
const LARGE: usize = 65_000;

async fn slow_reader(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let (mut slow, mut other) = (ground.link().await?, ground.link().await?);
    let (channel, key) = (ground.channel(""), ground.key(1));
    let value = Bytes::from(vec![7; LARGE]);
    other.store(&channel, key, value.clone()).await?;
    let opening = record(&channel, key).opening(RequestCode::Get);
    let numbers = 1000..1000 + ANSWERS;
    for number in numbers.clone() {
        // One by one, so that some of them come when the answers to others wait already.
        let request = forge::request_message(number, &opening);
        slow.socket().send_what_fits(&request);
        let served = other.sentinel().await;
        served.map_err(blamed_on(&req::ROBUST_UNREAD_OTHERS_SERVED))?;
    }
    let rule = &req::ROBUST_UNREAD_COMPLETE;
    let right = [&(LARGE as u64).to_le_bytes()[..], &value].concat();
    for number in numbers {
        let id = RequestId::new(number).unwrap_or(RequestId::FIRST);
        let read = async {
            slow.supported(id).await?;
            slow.answer(id, "Got").await?;
            slow.answer(id, "the value behind Got").await
        };
        let payload = read.await.map_err(blamed_on(rule))?;
        let sent = "200 Gets of 65000 bytes, read late";
        ground.expect(rule, sent, &["every value"], payload == right, || {
            format!("a value of {} bytes", payload.len())
        })?;
    }
    Ok(())
}

async fn hundred(ground: &Ground) -> Checked {
    let rule = &req::ROBUST_MANY_CONNECTIONS;
    let mut links = Vec::new();
    for _ in 0..100 {
        links.push(ground.link().await.map_err(blamed_on(rule))?);
    }
    for link in &mut links {
        link.sentinel().await.map_err(blamed_on(rule))?;
    }
    Ok(())
}

async fn thousand_cycles(ground: &Ground) -> Checked {
    let rule = &req::ROBUST_MANY_CYCLES;
    for number in 0..1000 {
        // Most leave before the authentication, which costs the node the most.
        if number % 20 == 0 {
            ground.link().await.map_err(blamed_on(rule))?;
        } else {
            let mut login = Login::new(ground.socket().await.map_err(blamed_on(rule))?);
            login.send(&[VERSION]).await;
            login.version().await;
        }
    }
    let served = async { ground.link().await?.sentinel().await };
    served.await.map_err(blamed_on(rule))
}

async fn silent(ground: &Ground, phase: Phase) -> Checked {
    let mut silent = Vec::new();
    for _ in 0..3 {
        let reached = phase.reach(ground).await;
        silent.push(reached.map_err(blamed_on(&req::ROBUST_SLOW_SENDER))?);
    }
    let served = async { ground.link().await?.sentinel().await };
    served.await.map_err(blamed_on(&req::ROBUST_SLOW_SENDER))
}
