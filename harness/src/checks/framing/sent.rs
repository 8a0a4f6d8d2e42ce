//! What the node sends, byte by byte.

use bytes::Buf;
use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::{self, Proof, Timestamp};
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::header::HEADER_LEN;
use dht_protocol::neo::request::get_hash_range::{self, Range};
use dht_protocol::neo::request::{RequestCode, get_all, mirror};
use dht_requirements as req;
use tokio::time::Instant;

use super::{Check, Ground, Group, put};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::Socket;
use crate::wire::shown;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "sent.handshake",
            "The headers of the node's authentication messages are right.",
            &[&req::FRAME_SENT_PARITY, &req::FRAME_SENT_TYPE],
            |ground| Box::pin(handshake(ground)),
        )
        .in_group(Group::Connection),
        Check::raw(
            "sent.range",
            "The hash range is two little-endian numbers, and nothing behind them.",
            &[
                &req::FRAME_SENT_EXACT_LENGTH,
                &req::FRAME_SENT_LITTLE_ENDIAN,
            ],
            |ground| Box::pin(range(ground)),
        )
        .on(RequestCode::GetHashRange),
        Check::raw(
            "sent.value",
            "The value that Get sends is eight bytes of length and the value, and nothing \
             behind it.",
            &[&req::FRAME_SENT_ARRAY_COUNT, &req::FRAME_SENT_EXACT_LENGTH],
            |ground| Box::pin(value(ground)),
        )
        .on(RequestCode::Get),
    ];
    for (request, answers) in ANSWERS {
        let name = request.name().to_lowercase();
        checks.push(
            Check::raw(
                format!("sent.headers-{name}"),
                format!("The headers of the first {answers} messages for a {request} are right."),
                &[&req::FRAME_SENT_PARITY, &req::FRAME_SENT_TYPE],
                move |ground| Box::pin(headers(ground, request, answers)),
            )
            .on(request),
        );
    }
    checks
}

/// How many messages come for a request at least.
const ANSWERS: [(RequestCode, usize); 8] = [
    (RequestCode::GetHashRange, 2),
    (RequestCode::Put, 2),
    (RequestCode::Get, 2),
    (RequestCode::Exists, 2),
    (RequestCode::Remove, 2),
    (RequestCode::GetChannels, 2),
    (RequestCode::GetAll, 2),
    (RequestCode::Mirror, 2),
];

/// A message as it came.
struct Raw {
    header: [u8; HEADER_LEN],
    body: Vec<u8>,
}

/// The next message, of which only the length has to be right.
async fn next(socket: &mut Socket, sent: &str) -> Checked<Raw> {
    let limit = Instant::now() + socket.patience();
    loop {
        let received = socket.received();
        if let Some(header) = received.first_chunk::<HEADER_LEN>().copied() {
            let [_, length @ .., _] = header;
            let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
            if received.len() - HEADER_LEN >= length {
                received.advance(HEADER_LEN);
                let body = received.split_to(length).to_vec();
                return Ok(Raw { header, body });
            }
        }
        if socket.closing().is_some() || !socket.receive(limit).await {
            let (outcome, observed) = match socket.closing() {
                Some(closing) => (Outcome::Closed, closing.to_string()),
                None => (Outcome::Silence, "nothing".to_owned()),
            };
            let expected = ["a whole message"];
            return Err(broken(
                &req::REQ_ANSWERED,
                outcome,
                sent,
                &expected,
                observed,
            ));
        }
    }
}

impl Raw {
    /// The header has this type and the right parity.
    fn judge(&self, ground: &Ground, sent: &str, kind: u8) -> Checked {
        let header = self.header;
        let parity = header.iter().fold(0, |parity, byte| parity ^ byte);
        ground.expect(
            &req::FRAME_SENT_PARITY,
            sent,
            &["a message whose header bytes XOR to 0"],
            parity == 0,
            || format!("header {}, which XORs to {parity:02x}", shown(&header)),
        )?;
        ground.expect(
            &req::FRAME_SENT_TYPE,
            sent,
            &[&format!("a message of type {kind}")],
            header[0] == kind,
            || format!("header {}", shown(&header)),
        )
    }
}

async fn handshake(ground: &Ground) -> Checked {
    let mut socket = ground.socket().await?;
    socket.send(&[VERSION]).await;
    let limit = Instant::now() + socket.patience();
    while socket.received().is_empty() && socket.closing().is_none() {
        if !socket.receive(limit).await {
            break;
        }
    }
    if socket.received().is_empty() {
        let expected = ["the node's version byte"];
        let (rule, outcome) = (&req::REQ_ANSWERED, Outcome::Silence);
        return Err(broken(
            rule,
            outcome,
            "the version byte",
            &expected,
            "nothing",
        ));
    }
    socket.received().advance(1);
    let (time, sent) = (ground.now(), "the time of the client");
    let body = Timestamp(time).encode();
    let message = forge::message(AUTHENTICATION, body.len() as u64, &body);
    socket.send(&message).await;
    let nonce = next(&mut socket, sent).await?;
    nonce.judge(ground, sent, AUTHENTICATION)?;
    let Ok(nonce) = auth::decode_nonce(&nonce.body) else {
        let (rule, observed) = (&req::FRAME_SENT_TYPE, shown(&nonce.body));
        let expected = ["a nonce of eight bytes"];
        return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
    };
    let credential = ground.credential();
    let proof = Proof {
        name: credential.name.as_str().into(),
        code: auth::code(&credential.key, time, nonce),
    };
    let body = proof.encode();
    let message = forge::message(AUTHENTICATION, body.len() as u64, &body);
    socket.send(&message).await;
    let sent = "name and code of the client";
    let verdict = next(&mut socket, sent).await?;
    verdict.judge(ground, sent, AUTHENTICATION)
}

async fn headers(ground: &Ground, request: RequestCode, answers: usize) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let channel = ground.channel("");
    let opening = match request {
        RequestCode::Put => put(ground, 1, "value"),
        RequestCode::GetAll => get_all::Open {
            start_suspended: true,
            channel,
            continue_from: None,
            settings: get_all::Settings::default(),
        }
        .encode(),
        RequestCode::Mirror => mirror::Open {
            start_suspended: true,
            channel,
            settings: mirror::Settings::default(),
        }
        .encode(),
        RequestCode::GetHashRange | RequestCode::GetChannels => vec![request as u8, 0],
        request => record(&channel, ground.key(1)).opening(request),
    };
    link.open(&opening).await;
    for _ in 0..answers {
        let sent = format!("{request}");
        let message = next(link.socket(), &sent).await?;
        message.judge(ground, &sent, REQUEST)?;
    }
    Ok(())
}

async fn range(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let id = link.open_supported(&get_hash_range::Open.encode()).await?;
    let payload = link.answer(id, "the hash range").await?;
    let mut right = Vec::new();
    Range(ground.range()).encode(&mut right);
    let expected = [&*shown(&right)];
    ground.expect(
        &req::FRAME_SENT_EXACT_LENGTH,
        "GetHashRange",
        &expected,
        payload.len() == right.len(),
        || shown(&payload),
    )?;
    ground.expect(
        &req::FRAME_SENT_LITTLE_ENDIAN,
        "GetHashRange",
        &expected,
        payload == right,
        || shown(&payload),
    )
}

async fn value(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let (channel, key) = (ground.channel(""), ground.key(1));
    link.store(&channel, key, "value").await?;
    let opening = record(&channel, key).opening(RequestCode::Get);
    let id = link.open_supported(&opening).await?;
    link.answer(id, "Got").await?;
    let payload = link.answer(id, "the value behind Got").await?;
    let right = [&5u64.to_le_bytes()[..], b"value"].concat();
    let sent = "Get of a record with the value \"value\"";
    let expected = [&*shown(&right)];
    ground.expect(
        &req::FRAME_SENT_ARRAY_COUNT,
        sent,
        &expected,
        payload.starts_with(&right[..8]),
        || shown(&payload),
    )?;
    ground.expect(
        &req::FRAME_SENT_EXACT_LENGTH,
        sent,
        &expected,
        payload == right,
        || shown(&payload),
    )
}
