//! An Update that waits for its decision: it keeps nobody from the record, and if its connection ends it
//! has done nothing.

use dht_protocol::neo::forge;
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::update::{FromClient, FromNode};
use dht_requirements::{self as req, Requirement};

use super::talk::{NEW, OLD, Subject, decide, replace};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::Link;

const NO_LOCK: &Requirement = &req::UPDATE_NO_LOCK;
const ABANDONED: &Requirement = &req::UPDATE_ABANDONED;

/// A way to end a connection: name, in words, the way.
type End = (&'static str, &'static str, Way);
const ENDS: [End; 5] = [
    ("reset", "is reset", Way::Reset),
    ("closed", "is closed", Way::Closed),
    ("half-closed", "is closed in one direction", Way::HalfClosed),
    (
        "cut",
        "is closed in the middle of the decision",
        Way::MiddleOfDecision,
    ),
    (
        "wrong-header",
        "ends because of a wrong header",
        Way::WrongHeader,
    ),
];

#[derive(Clone, Copy, Debug)]
enum Way {
    Reset,
    Closed,
    HalfClosed,
    MiddleOfDecision,
    WrongHeader,
}

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for request in OTHERS {
        let name = request.name();
        let title = format!("While an Update waits for its decision {name} works on its record.");
        checks.push(Check::raw(
            format!("updating.waits-during-{}", name.to_lowercase()),
            title,
            &[NO_LOCK],
            move |ground| Box::pin(others(ground, request)),
        ));
    }
    for (name, end, way) in ENDS {
        let mut requirements = vec![ABANDONED];
        if matches!(way, Way::HalfClosed) {
            requirements.push(&req::ROBUST_HALF_CLOSE_CLOSED);
        }
        let title =
            format!("An Update whose connection {end} before the decision changes nothing.");
        let check = Check::raw(
            format!("updating.abandoned-{name}"),
            title,
            &requirements,
            move |ground| Box::pin(abandoned(ground, way)),
        );
        checks.push(check.hostile());
    }
    checks
}

/// The requests that use a record or its channel.
const OTHERS: [RequestCode; 6] = [
    RequestCode::Put,
    RequestCode::Get,
    RequestCode::Exists,
    RequestCode::Remove,
    RequestCode::GetAll,
    RequestCode::Update,
];

async fn others(ground: &Ground, request: RequestCode) -> Checked {
    let mut link = ground.link().await?;
    let mut other = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    // On another connection and on the same.
    let sent = format!("Update: GetRecord; then {} of its record", request.name());
    for link in [&mut other, &mut link] {
        let works = use_record(link, &subject, request).await;
        works.map_err(shows(NO_LOCK, &sent, "the same as without the Update"))?;
    }
    decide(
        &mut link,
        id,
        &FromClient::LeaveRecord,
        NO_LOCK,
        &FromNode::Ok,
    )
    .await
}

/// Makes the request, and sees that it works. Afterwards the record is as it was.
async fn use_record(link: &mut Link, subject: &Subject, request: RequestCode) -> Checked {
    use dht_protocol::neo::request::{exists, remove};

    let (channel, key) = (&subject.channel, subject.key);
    let works = match request {
        RequestCode::Put => {
            subject.store(link, NEW).await?;
            let put = link.get(channel, key).await?.1.as_deref() == Some(NEW);
            subject.store(link, OLD).await?;
            put
        }
        RequestCode::Get => link.get(channel, key).await?.1.as_deref() == Some(OLD),
        RequestCode::Exists => link.exists(channel, key).await? == exists::Reply::RecordExists,
        RequestCode::Remove => {
            let removed = link.remove(channel, key).await? == remove::Reply::Removed;
            subject.store(link, OLD).await?;
            removed
        }
        RequestCode::GetAll => {
            let records = link.all_records(channel).await?;
            records.len() == 1 && records[0].0 == key && records[0].1 == OLD
        }
        _ => {
            let id = subject.read(link, OLD).await?;
            let decision = replace(OLD, OLD);
            decide(link, id, &decision, NO_LOCK, &FromNode::Ok).await?;
            true
        }
    };
    match works {
        true => Ok(()),
        false => Err(broken(
            NO_LOCK,
            Outcome::Data,
            request.name(),
            &["the same as without the Update"],
            "the record is not what it is",
        )),
    }
}

async fn abandoned(ground: &Ground, way: Way) -> Checked {
    let mut link = ground.link().await?;
    let mut other = ground.link().await?;
    let subject = Subject::stored(ground, &mut other).await?;
    let id = subject.read(&mut link, OLD).await?;
    match way {
        Way::Reset => link.reset(),
        Way::Closed => drop(link),
        Way::HalfClosed => {
            link.socket().half_close();
            if link.socket().closed().await.is_none() {
                let rule = &req::ROBUST_HALF_CLOSE_CLOSED;
                let sent = "Update: GetRecord, then FIN";
                let expected = ["the node closes the connection"];
                return Err(broken(
                    rule,
                    Outcome::Open,
                    sent,
                    &expected,
                    "it stays open",
                ));
            }
        }
        Way::MiddleOfDecision => {
            let mut message = Vec::new();
            write_request(&mut message, id, &replace(OLD, NEW).encode());
            message.pop();
            link.send(&message).await;
            drop(link);
        }
        Way::WrongHeader => {
            link.send(&forge::message(0x77, 1, &[3])).await;
            // Whether the node closes it is the business of another check; if it does, it has done with it.
            link.socket().closed().await;
        }
    }
    let sent = "Update: GetRecord; then its connection ends";
    subject
        .holds(&mut other, ABANDONED, sent, Some(OLD))
        .await?;
    let mut later = ground.link().await?;
    subject
        .holds(&mut later, ABANDONED, sent, Some(OLD))
        .await?;
    let id = subject.read(&mut later, OLD).await?;
    let decision = replace(OLD, NEW);
    decide(&mut later, id, &decision, ABANDONED, &FromNode::Ok).await?;
    subject.holds(&mut other, ABANDONED, sent, Some(NEW)).await
}
