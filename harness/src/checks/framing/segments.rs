//! Messages in several segments, and several messages in one.

use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::{self, Proof, Timestamp};
use dht_protocol::neo::forge::{self, AUTHENTICATION};
use dht_requirements as req;

use super::{Check, Ground, Group, answered, exists, put};
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::handshake::Step;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "segments.byte-by-byte",
            "A Put that arrives byte by byte is carried out.",
            &[&req::FRAME_SPLIT],
            |ground| Box::pin(byte_by_byte(ground)),
        ),
        Check::raw(
            "segments.handshake-byte-by-byte",
            "A client whose authentication arrives byte by byte is let in.",
            &[&req::FRAME_SPLIT],
            |ground| Box::pin(handshake_byte_by_byte(ground)),
        )
        .in_group(Group::Connection),
        Check::raw(
            "segments.many-in-one",
            "Of a hundred requests in one segment each is handled.",
            &[&req::FRAME_COALESCED],
            |ground| Box::pin(many_in_one(ground, None)),
        ),
        Check::raw(
            "segments.last-cut",
            "Of two requests in one segment of which the second ends in the next, both are \
             handled.",
            &[&req::FRAME_COALESCED],
            |ground| Box::pin(many_in_one(ground, Some(5))),
        ),
        Check::raw(
            "segments.last-header-cut",
            "Of two requests in one segment of which the second's header ends in the next, both \
             are handled.",
            &[&req::FRAME_COALESCED],
            |ground| Box::pin(many_in_one(ground, Some(60))),
        ),
        Check::raw(
            "segments.cut-off-put",
            "A Put whose last byte never comes because the client is done is not carried out.",
            &[&req::FRAME_INCOMPLETE_DISCARDED],
            |ground| Box::pin(cut_off(ground)),
        ),
    ];
    for at in [1, 9, 10, 11, 17, 18, 19] {
        checks.push(Check::raw(
            format!("segments.cut-at-{at}"),
            format!("A request that arrives in two pieces, {at} bytes and the rest, is answered."),
            &[&req::FRAME_SPLIT],
            move |ground| Box::pin(cut_at(ground, at)),
        ));
    }
    checks
}

async fn byte_by_byte(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let id = link.fresh_id();
    for byte in forge::request_message(id.get(), &put(ground, 1, "value")) {
        link.send(&[byte]).await;
    }
    answered(&mut link, id, &req::FRAME_SPLIT).await?;
    let (_, value) = link.get(&ground.channel(""), ground.key(1)).await?;
    let kept = value.as_deref() == Some(b"value");
    let sent = "Put byte by byte, and Get";
    ground.expect(&req::FRAME_SPLIT, sent, &["the value"], kept, || {
        format!("{value:?}")
    })
}

/// Another connection is served between the pieces, so the node has time to look at the first.
async fn cut_at(ground: &Ground, at: usize) -> Checked {
    let (mut link, mut other) = (ground.link().await?, ground.link().await?);
    let id = link.fresh_id();
    let message = forge::request_message(id.get(), &exists(ground));
    link.send(&message[..at]).await;
    other.sentinel().await?;
    link.send(&message[at..]).await;
    answered(&mut link, id, &req::FRAME_SPLIT).await
}

async fn handshake_byte_by_byte(ground: &Ground) -> Checked {
    let mut login = ground.login().await?;
    login.send(&[VERSION]).await;
    login.version().await;
    let time = ground.now();
    let body = Timestamp(time).encode();
    for byte in forge::message(AUTHENTICATION, body.len() as u64, &body) {
        login.send(&[byte]).await;
    }
    let nonce = match login.message().await {
        Step::Said(body) => auth::decode_nonce(&body).map_err(|error| error.to_string()),
        other => Err(other.to_string()),
    };
    let verdict = match nonce {
        Ok(nonce) => {
            let credential = ground.credential();
            let proof = Proof {
                name: credential.name.as_str().into(),
                code: auth::code(&credential.key, time, nonce),
            };
            let body = proof.encode();
            for byte in forge::message(AUTHENTICATION, body.len() as u64, &body) {
                login.send(&[byte]).await;
            }
            match login.verdict().await {
                Step::Said(true) => return Ok(()),
                other => other.to_string(),
            }
        }
        Err(observed) => observed,
    };
    Err(broken(
        &req::FRAME_SPLIT,
        Outcome::Answer,
        "the authentication byte by byte",
        &["the client is let in"],
        verdict,
    ))
}

/// With `cut`, two requests of which the second misses so many bytes at first.
async fn many_in_one(ground: &Ground, cut: Option<usize>) -> Checked {
    ground.need_keys()?;
    let (mut link, mut other) = (ground.link().await?, ground.link().await?);
    let count = if cut.is_some() { 2 } else { 100 };
    let ids: Vec<_> = (0..count).map(|_| link.fresh_id()).collect();
    let message =
        |id: &dht_protocol::neo::RequestId| forge::request_message(id.get(), &exists(ground));
    let bytes: Vec<u8> = ids.iter().flat_map(message).collect();
    let at = bytes.len() - cut.unwrap_or_default();
    link.send(&bytes[..at]).await;
    if cut.is_some() {
        other.sentinel().await?;
        link.send(&bytes[at..]).await;
    }
    for id in ids {
        answered(&mut link, id, &req::FRAME_COALESCED).await?;
    }
    Ok(())
}

async fn cut_off(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let id = link.fresh_id();
    let message = forge::request_message(id.get(), &put(ground, 1, "value"));
    link.send(&message[..message.len() - 1]).await;
    link.socket().half_close();
    link.socket().closed().await;
    let mut other = ground.link().await?;
    let found = other.get(&ground.channel(""), ground.key(1)).await;
    let (_, value) = found.map_err(blamed_on(&req::FRAME_INCOMPLETE_DISCARDED))?;
    ground.expect(
        &req::FRAME_INCOMPLETE_DISCARDED,
        "Put without its last byte, and FIN; Get on another connection",
        &["no record"],
        value.is_none(),
        || format!("{value:?}"),
    )
}
