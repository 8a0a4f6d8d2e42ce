//! The ids of requests.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::forge;
use dht_protocol::neo::request::RequestCode;
use dht_requirements::{self as req, Requirement};

use super::{Check, Ground, answered, exists, put};
use crate::unkept::Checked;
use crate::wire::Link;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, id) in VALUES {
        checks.push(Check::raw(
            format!("ids.{name}"),
            format!("A request with the id {id} is answered."),
            &[&req::MUX_ANY_ID],
            move |ground| Box::pin(any_id(ground, id)),
        ));
    }
    checks.extend([
        Check::raw(
            "ids.descending",
            "Requests whose ids fall are answered.",
            &[&req::MUX_ANY_ID],
            |ground| Box::pin(descending(ground)),
        ),
        Check::raw(
            "ids.on-two-connections",
            "Two connections use the same id at the same time.",
            &[&req::MUX_ID_PER_CONNECTION],
            |ground| Box::pin(on_two_connections(ground)),
        )
        .on(RequestCode::GetHashRange),
        Check::raw(
            "ids.reused",
            "The id of a request that has ended is used for the next one.",
            &[&req::MUX_ID_REUSED],
            |ground| Box::pin(reused(ground)),
        ),
        Check::raw(
            "ids.reused-unsupported",
            "The id of a request that was not supported is used for another one.",
            &[&req::MUX_ID_REUSED],
            |ground| Box::pin(reused_unsupported(ground)),
        ),
        Check::raw(
            "ids.nothing-unasked",
            "The node sends no message for a request that was not made.",
            &[&req::MUX_NODE_STARTS_NOTHING],
            |ground| Box::pin(nothing_unasked(ground)),
        ),
        Check::raw(
            "ids.of-earlier-connection",
            "A new connection hears nothing of the requests of an earlier one.",
            &[&req::MUX_ENDS_WITH_CONNECTION],
            |ground| Box::pin(of_earlier_connection(ground)),
        ),
        Check::raw(
            "ids.active-put",
            "A Put with the id of an active GetHashRange is not carried out.",
            &[&req::MUX_ACTIVE_ID_TAKEN, &req::MUX_OUT_OF_TURN_DROPPED],
            |ground| Box::pin(active_put(ground)),
        )
        .hostile(),
        Check::raw(
            "ids.zero",
            "A request with the id 0 closes its connection and no more.",
            &[&req::MUX_ZERO_ID_DROPPED, &req::ROBUST_ZERO_ID],
            |ground| Box::pin(zero(ground, exists(ground))),
        )
        .lethal(),
        Check::raw(
            "ids.zero-unknown",
            "An unknown request with the id 0 closes its connection and no more.",
            &[&req::MUX_ZERO_ID_DROPPED, &req::ROBUST_ZERO_ID],
            |ground| Box::pin(zero(ground, vec![200, 0])),
        )
        .lethal(),
        Check::raw(
            "ids.no-payload",
            "A first message that ends with its id closes the connection.",
            &[&req::MUX_NO_COMMAND],
            |ground| Box::pin(no_command(ground, &[])),
        )
        .hostile(),
        Check::raw(
            "ids.one-byte",
            "A first message with one byte behind its id closes the connection.",
            &[&req::MUX_NO_COMMAND],
            |ground| Box::pin(no_command(ground, &[4])),
        )
        .hostile(),
    ]);
    checks
}

const VALUES: [(&str, u64); 6] = [
    ("2-31", 1 << 31),
    ("2-32", 1 << 32),
    ("2-40", 1 << 40),
    ("2-63", 1 << 63),
    ("bytes", 0x0102_0304_0506_0708),
    ("2-64-less-1", u64::MAX),
];

/// An id far from those that a link gives.
const FAR: u64 = 1 << 50;

fn id(number: u64) -> RequestId {
    RequestId::new(number).unwrap_or(RequestId::FIRST)
}

async fn asked(
    link: &mut Link,
    ground: &Ground,
    number: u64,
    requirement: &'static Requirement,
) -> Checked {
    link.say(id(number), &exists(ground)).await;
    answered(link, id(number), requirement).await
}

/// A GetHashRange with this id, which is answered and goes on.
async fn ask_range(link: &mut Link, number: u64, requirement: &'static Requirement) -> Checked {
    let opening = [RequestCode::GetHashRange as u8, 0];
    link.say(id(number), &opening).await;
    answered(link, id(number), requirement).await
}

async fn any_id(ground: &Ground, number: u64) -> Checked {
    let mut link = ground.link().await?;
    asked(&mut link, ground, number, &req::MUX_ANY_ID).await
}

async fn descending(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    for number in (1..=20).rev() {
        asked(&mut link, ground, number * 7, &req::MUX_ANY_ID).await?;
    }
    Ok(())
}

async fn on_two_connections(ground: &Ground) -> Checked {
    let (mut one, mut other) = (ground.link().await?, ground.link().await?);
    // Other checks may use the connections' usual ids for such a request.
    let number = FAR + ground.seed() % FAR;
    for link in [&mut one, &mut other] {
        ask_range(link, number, &req::MUX_ID_PER_CONNECTION).await?;
    }
    for link in [&mut one, &mut other] {
        let sent = "GetHashRange with the same id on two connections";
        link.expect_nothing_more(id(number), &req::MUX_ID_PER_CONNECTION, sent)
            .await?;
    }
    Ok(())
}

async fn reused(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    for _ in 0..5 {
        asked(&mut link, ground, FAR, &req::MUX_ID_REUSED).await?;
    }
    Ok(())
}

async fn reused_unsupported(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    link.say(id(FAR), &[200, 0]).await;
    link.answer(id(FAR), "not supported").await?;
    asked(&mut link, ground, FAR, &req::MUX_ID_REUSED).await?;
    link.say(id(FAR), &[RequestCode::Get as u8, 9]).await;
    link.answer(id(FAR), "version not supported").await?;
    asked(&mut link, ground, FAR, &req::MUX_ID_REUSED).await
}

async fn nothing_unasked(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    for _ in 0..3 {
        link.sentinel().await?;
    }
    let sent = "three Exists, all answered";
    none_waiting(ground, &mut link, &req::MUX_NODE_STARTS_NOTHING, sent)
}

async fn of_earlier_connection(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let number = FAR + 1;
    ask_range(&mut link, number, &req::REQ_ANSWERED).await?;
    drop(link);
    let mut link = ground.link().await?;
    link.sentinel().await?;
    link.sentinel().await?;
    let sent = "GetHashRange; on a new connection two Exists";
    none_waiting(ground, &mut link, &req::MUX_ENDS_WITH_CONNECTION, sent)
}

fn none_waiting(
    ground: &Ground,
    link: &mut Link,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    let ids = link.ids_waiting();
    let expected = ["no message for any other request"];
    ground.expect(requirement, sent, &expected, ids.is_empty(), || {
        format!("a message for request #{}", ids[0])
    })
}

async fn active_put(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let number = FAR + 2;
    ask_range(&mut link, number, &req::REQ_ANSWERED).await?;
    link.say(id(number), &put(ground, 1, "value")).await;
    let reaction = link.reaction(id(number)).await;
    ground.note(
        "Reaction to a message of a request that waits for none",
        reaction.name(),
    );
    let mut other = ground.link().await?;
    let (_, value) = other.get(&ground.channel(""), ground.key(1)).await?;
    let rule = &req::MUX_ACTIVE_ID_TAKEN;
    let sent = "a Put with the id of an active GetHashRange; Get on another connection";
    ground.expect(rule, sent, &["no record"], value.is_none(), || {
        format!("{value:?}")
    })
}

async fn zero(ground: &Ground, payload: Vec<u8>) -> Checked {
    let mut link = ground.link().await?;
    // A node may take 0 for another id, but the sentinel's is not the first.
    link.sentinel().await?;
    link.send(&forge::request_message(0, &payload)).await;
    link.expect_closed(&req::MUX_ZERO_ID_DROPPED, "a request with the id 0")
        .await
}

async fn no_command(ground: &Ground, payload: &[u8]) -> Checked {
    let mut link = ground.link().await?;
    link.open(payload).await;
    let sent = format!("a first message with {} bytes of payload", payload.len());
    link.expect_closed(&req::MUX_NO_COMMAND, &sent).await
}
