//! Requests that a client sends behind its code without waiting for the result.

use dht_protocol::neo::RequestId;
use dht_protocol::neo::frame::{write_authentication, write_request};
use dht_protocol::neo::request::{RequestCode, SupportedStatus, put};
use dht_requirements as req;

use super::steps::{Challenged, expect_accepted, expect_nothing_stored, proof};
use super::{Check, Ground, Tag};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::shown;
use crate::wire::talk::{exists_answer, record};

/// How many bytes of the second request wait for the result.
const HELD_BACK: usize = 11;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "behind.requests",
            "Requests in one piece with the code are handled after the result.",
            &[&req::AUTH_REQUESTS_BEHIND_CODE],
            |ground| Box::pin(handled(ground, 0)),
        ),
        Check::raw(
            "behind.begun-request",
            "A request that begins in one piece with the code and ends after the result is \
             handled.",
            &[&req::AUTH_REQUESTS_BEHIND_CODE],
            |ground| Box::pin(handled(ground, HELD_BACK)),
        ),
        Check::raw(
            "behind.refused",
            "A Put in one piece with a wrong code is not carried out.",
            &[&req::AUTH_REJECTED_REQUESTS_DISCARDED],
            |ground| Box::pin(discarded(ground)),
        )
        .tagged(Tag::Hostile),
    ]
}

/// Put and Exists of the same record, the last bytes held back until the result has come.
async fn handled(ground: &Ground, held_back: usize) -> Checked {
    let rule = &req::AUTH_REQUESTS_BEHIND_CODE;
    let wrong = shows(
        rule,
        "name and code, a Put and an Exists of its record in one piece",
        "the result 1, supported (fd) and Put (stored), supported (fd) and RecordExists",
    );
    let mut challenged = Challenged::now(ground).await?;
    let (first, second) = (RequestId::FIRST, RequestId::FIRST.next());
    let code = challenged.code(ground.credential());
    let mut bytes = beginning(ground, code);
    let exists = record(&ground.channel(""), ground.key(0)).opening(RequestCode::Exists);
    write_request(&mut bytes, second, &exists);
    let rest = bytes.split_off(bytes.len() - held_back);
    challenged.login.send(&bytes).await;
    let sent = "the right name and code, with requests behind it";
    expect_accepted(&mut challenged.login, rule, sent).await?;
    challenged.login.send(&rest).await;

    let mut link = ground.open(challenged.login);
    let status = SupportedStatus::Supported.encode();
    for id in [first, second] {
        let supported = link.expect(id, rule, "supported (fd)", &status).await;
        supported.map_err(&wrong)?;
        let answer = link.answer(id, "the answer").await.map_err(&wrong)?;
        let right = match id == first {
            true => put::Reply::decode(&answer) == Ok(put::Reply::Put),
            false => exists_answer(&answer) == Some(true),
        };
        if !right {
            let sent = format!("request #{id}");
            let found = broken(rule, Outcome::Answer, sent, &[], shown(&answer));
            return Err(wrong(found));
        }
    }
    Ok(())
}

async fn discarded(ground: &Ground) -> Checked {
    let mut challenged = Challenged::now(ground).await?;
    challenged.login.send(&beginning(ground, [0x5a; 64])).await;
    // Whatever the result says: when the connection ends, or the Put is answered, the node has decided.
    challenged.login.verdict().await;
    challenged.login.message().await;
    expect_nothing_stored(
        ground,
        &ground.channel(""),
        &req::AUTH_REJECTED_REQUESTS_DISCARDED,
        "a wrong code and a Put in one piece",
    )
    .await
}

/// Name, code, and a Put.
fn beginning(ground: &Ground, code: [u8; 64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let name = ground.credential().name.as_str().as_bytes();
    write_authentication(&mut bytes, &proof(name, code));
    let put = put::Open {
        record: record(&ground.channel(""), ground.key(0)),
        value: "value".into(),
    };
    write_request(&mut bytes, RequestId::FIRST, &put.encode());
    bytes
}
