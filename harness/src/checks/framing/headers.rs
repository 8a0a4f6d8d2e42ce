//! Wrong headers in the open phase.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};
use dht_requirements as req;

use super::{Check, Ground, all_answered, exists, put};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::Heard;
use crate::wire::shown;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for place in 0..HEADER_LEN {
        checks.push(Check::raw(
            format!("headers.parity-{place}"),
            format!("A request header with a bit flipped in byte {place} closes the connection."),
            &[&req::FRAME_PARITY_CHECKED],
            move |ground| Box::pin(flipped(ground, place)),
        ));
    }
    for kind in [0, 3, 4, 7, 16, 64, 127, 128, 254, 255] {
        checks.push(Check::raw(
            format!("headers.type-{kind}"),
            format!("A header of type {kind} closes the connection."),
            &[&req::FRAME_TYPE_UNKNOWN_DROPPED],
            move |ground| Box::pin(of_type(ground, kind)),
        ));
    }
    checks.push(Check::raw(
        "headers.zeros",
        "Ten bytes of zero in place of a header close the connection.",
        &[&req::FRAME_TYPE_UNKNOWN_DROPPED],
        |ground| Box::pin(zeros(ground)),
    ));
    for length in [0, 4, 20, 999, 1000] {
        checks.push(Check::raw(
            format!("headers.authentication-{length}"),
            format!(
                "After the authentication one of its messages with {length} bytes closes the \
                 connection."
            ),
            &[&req::FRAME_AUTH_TYPE_DROPPED],
            move |ground| Box::pin(late_authentication(ground, length)),
        ));
    }
    for length in 0..ID_LEN as u64 {
        checks.push(Check::raw(
            format!("headers.length-{length}"),
            format!(
                "A request message of {length} bytes, too short for an id, closes the connection."
            ),
            &[&req::FRAME_NO_ROOM_FOR_ID],
            move |ground| Box::pin(no_id(ground, length)),
        ));
    }
    for (name, garbage) in GARBAGE {
        checks.push(Check::raw(
            format!("headers.garbage-{name}"),
            "Bytes that are no message end no connection but their own.",
            &[
                &req::ROBUST_GARBAGE,
                &req::ROBUST_SURVIVES,
                &req::ROBUST_DROP_LOCAL,
                &req::ROBUST_NEW_CONNECTIONS,
            ],
            move |ground| Box::pin(noise(ground, garbage)),
        ));
    }
    checks.extend([
        Check::raw(
            "headers.without-body",
            "A wrong header closes the connection although the body that it announces never comes.",
            &[&req::FRAME_CHECKED_BEFORE_BODY],
            |ground| Box::pin(without_body(ground)),
        ),
        Check::raw(
            "headers.not-answered",
            "A wrong header is not answered.",
            &[&req::FRAME_DROP_SILENT],
            |ground| Box::pin(not_answered(ground)),
        ),
        Check::raw(
            "headers.requests-in-front",
            "Requests in front of a wrong header in the same segment are answered.",
            &[&req::FRAME_BEFORE_WRONG_ANSWERED],
            |ground| Box::pin(in_front(ground)),
        ),
        Check::raw(
            "headers.acknowledged-put",
            "A Put that was acknowledged stays when its connection is closed for a wrong header.",
            &[&req::ROBUST_ACKNOWLEDGED_STAYS, &req::FRAME_PARITY_CHECKED],
            |ground| Box::pin(acknowledged(ground)),
        ),
        Check::raw(
            "headers.requests-behind",
            "A Put behind a wrong header is not carried out.",
            &[&req::FRAME_BEHIND_WRONG_DISCARDED],
            |ground| Box::pin(behind(ground)),
        ),
    ]);
    checks.into_iter().map(Check::hostile).collect()
}

/// Text of another protocol, a message without a header, and noise.
const GARBAGE: [(&str, &[u8]); 3] = [
    ("text", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("body", &[5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    (
        "noise",
        &[
            0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0xf3, 0x9c, 0xc0, 0x60, 0x5c, 0xed,
            0xc8, 0x34, 0x10, 0x82, 0x27, 0x6b, 0xf3, 0xa2, 0x72, 0x51, 0xf8, 0x6c, 0x6a, 0x11,
        ],
    ),
];

/// A header with a wrong parity, and nothing else of its message.
fn wrong_parity(length: u64) -> Vec<u8> {
    let mut header = forge::message(REQUEST, length, &[]);
    if let Some(parity) = header.last_mut() {
        *parity ^= 1;
    }
    header
}

async fn flipped(ground: &Ground, place: usize) -> Checked {
    let mut link = ground.link().await?;
    let mut message = request(link.fresh_id(), &exists(ground));
    message[place] ^= 1;
    // As much behind the header as it announces, if that is not too much.
    let announced = match place {
        0 | 1 | 9 => usize::from(message[1]),
        _ => 0,
    };
    message.resize(HEADER_LEN + announced, 0);
    link.send(&message).await;
    let sent = format!("a request header with the lowest bit of byte {place} flipped");
    link.expect_closed(&req::FRAME_PARITY_CHECKED, &sent).await
}

async fn of_type(ground: &Ground, kind: u8) -> Checked {
    let mut link = ground.link().await?;
    link.send(&forge::message(kind, 18, &[7; 18])).await;
    let sent = format!("a message of type {kind} with the right parity");
    link.expect_closed(&req::FRAME_TYPE_UNKNOWN_DROPPED, &sent)
        .await
}

async fn zeros(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    link.send(&[0; HEADER_LEN]).await;
    link.expect_closed(&req::FRAME_TYPE_UNKNOWN_DROPPED, "ten bytes of zero")
        .await
}

async fn late_authentication(ground: &Ground, length: usize) -> Checked {
    let mut link = ground.link().await?;
    let body = vec![0; length];
    link.send(&forge::message(AUTHENTICATION, length as u64, &body))
        .await;
    let sent = format!("an authentication message of {length} bytes in the open phase");
    link.expect_closed(&req::FRAME_AUTH_TYPE_DROPPED, &sent)
        .await
}

async fn no_id(ground: &Ground, length: u64) -> Checked {
    let mut link = ground.link().await?;
    let body = [1; ID_LEN];
    let body = &body[..usize::try_from(length).unwrap_or_default()];
    link.send(&forge::message(REQUEST, length, body)).await;
    let sent = format!("a request message with a body of {length} bytes");
    link.expect_closed(&req::FRAME_NO_ROOM_FOR_ID, &sent).await
}

async fn noise(ground: &Ground, garbage: &[u8]) -> Checked {
    let mut link = ground.link().await?;
    link.send(garbage).await;
    let id = link.fresh_id();
    // That others are not harmed is seen afterwards.
    let reaction = link.reaction(id).await;
    ground.note("Reaction to bytes that are no message", reaction.name());
    Ok(())
}

async fn without_body(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    link.send(&wrong_parity(1 << 20)).await;
    if link.socket().closed().await.is_some() {
        return Ok(());
    }
    Err(broken(
        &req::FRAME_CHECKED_BEFORE_BODY,
        Outcome::Open,
        "a header with a wrong parity that announces 1 MiB, and nothing behind it",
        &["the node closes the connection"],
        "the connection stays open",
    ))
}

async fn not_answered(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let sent = "a header with a wrong parity";
    link.send(&wrong_parity(8)).await;
    link.expect_closed(&req::FRAME_DROP_SILENT, sent).await?;
    let answered = link.ids_waiting();
    ground.expect(
        &req::FRAME_DROP_SILENT,
        sent,
        &["no message at all"],
        answered.is_empty(),
        || format!("a message for request #{}", answered[0]),
    )
}

async fn in_front(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let ids: Vec<_> = (0..3).map(|_| link.fresh_id()).collect();
    let mut bytes: Vec<u8> = ids
        .iter()
        .flat_map(|id| request(*id, &exists(ground)))
        .collect();
    bytes.extend(wrong_parity(8));
    link.send(&bytes).await;
    let sent = "three Exists and a header with a wrong parity in one piece";
    let rule = &req::FRAME_BEFORE_WRONG_ANSWERED;
    let answered = all_answered(&mut link, &ids, rule).await;
    answered.map_err(shows(rule, sent, "all three are answered"))?;
    link.expect_closed(rule, sent).await
}

async fn acknowledged(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let (channel, key) = (ground.channel(""), ground.key(1));
    link.store(&channel, key, "value").await?;
    link.send(&wrong_parity(8)).await;
    let rule = &req::ROBUST_ACKNOWLEDGED_STAYS;
    let sent = "Put, acknowledged; a header with a wrong parity; Get on another connection";
    link.expect_closed(&req::FRAME_PARITY_CHECKED, sent).await?;
    let (_, value) = ground.link().await?.get(&channel, key).await?;
    let kept = value.as_deref() == Some(b"value");
    ground.expect(rule, sent, &["the value"], kept, || format!("{value:?}"))
}

async fn behind(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let id = link.fresh_id();
    let mut bytes = wrong_parity(8);
    bytes.extend([7; 8]);
    bytes.extend(request(id, &put(ground, 1, "value")));
    link.send(&bytes).await;
    let sent = "a header with a wrong parity and a Put in one piece";
    let rule = &req::FRAME_BEHIND_WRONG_DISCARDED;
    if let Heard::Message(payload) = link.hear(id).await {
        let expected = ["the Put is not answered", "the connection is closed"];
        let observed = format!("an answer to the Put, {}", shown(&payload));
        return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
    }
    let (_, value) = ground
        .link()
        .await?
        .get(&ground.channel(""), ground.key(1))
        .await?;
    ground.expect(rule, sent, &["no record"], value.is_none(), || {
        "the record is stored".to_owned()
    })
}

fn request(id: RequestId, payload: &[u8]) -> Vec<u8> {
    forge::request_message(id.get(), payload)
}
