//! Values without bytes. The specification leaves open what they are; it does not leave open that the
//! connection survives them.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::get::{Reply, Value};
use dht_protocol::neo::request::{RequestCode, put, update};
use dht_requirements as req;

use super::records::{Records, answered, told};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::quoted;
use crate::wire::talk::{exists_answer, record};

/// Requests that use a record.
const USES: [RequestCode; 4] = [
    RequestCode::Get,
    RequestCode::Exists,
    RequestCode::Remove,
    RequestCode::Update,
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "empty.dialect",
            "An empty value is refused with Error, stored, or the absence of the record; it is no \
             other value.",
            &[&req::DATA_EMPTY_DIALECT],
            |ground| Box::pin(dialect(ground)),
        ),
        Check::raw(
            "empty.consistent",
            "Get, Exists and Update agree whether a record with an empty value is present.",
            &[&req::DATA_EMPTY_CONSISTENT, &req::DATA_EMPTY_ANSWERED],
            |ground| Box::pin(consistent(ground)),
        ),
        Check::raw(
            "empty.overwritten",
            "A Put of a value replaces an empty value.",
            &[&req::DATA_EMPTY_OVERWRITTEN],
            |ground| Box::pin(overwritten(ground)),
        ),
        Check::raw(
            "empty.over-value",
            "Once a Put of an empty value is acknowledged, the value before it is gone.",
            &[&req::DATA_PUT_VISIBLE, &req::DATA_EMPTY_ANSWERED],
            |ground| Box::pin(over_value(ground)),
        ),
    ];
    checks.extend(USES.map(|request| {
        let name = request.name();
        Check::raw(
            format!("empty.{}", name.to_lowercase()),
            format!("{name} of an empty value is answered, and the connection stays usable."),
            &[&req::DATA_EMPTY_HARMLESS, &req::DATA_EMPTY_ANSWERED],
            move |ground| Box::pin(used(ground, request)),
        )
        .on(request)
    }));
    checks
}

/// A record with an empty value, if the node takes it.
async fn with_empty(ground: &Ground, key: Key) -> Checked<(Records, bool)> {
    let mut records = Records::open(ground).await?;
    let put = put_empty(&mut records, key).await?;
    Ok((records, put))
}

async fn put_empty(records: &mut Records, key: Key) -> Checked<bool> {
    let put = records.link.put(&records.channel, key, Bytes::new());
    match put.await? {
        put::Reply::Put => Ok(true),
        put::Reply::Error => Ok(false),
        put::Reply::WrongNode => {
            let sent = format!("Put {key} \"\"");
            let (rule, expected) = (&req::DATA_EMPTY_DIALECT, "Put or Error");
            Err(answered(rule, &sent, expected, "WrongNode"))
        }
    }
}

/// All that the node says to a request, without waiting for what does not come.
async fn ask(records: &mut Records, key: Key, request: RequestCode) -> Checked<Vec<Bytes>> {
    let record = record(&records.channel, key);
    let opening = match request {
        RequestCode::Update => update::Open::GetRecord(record).encode(),
        request => record.opening(request),
    };
    let id = records.link.open(&opening).await;
    let sent = format!("{} of an empty value", request.name());
    // Two, in case the node has several threads.
    for _ in 0..2 {
        let usable = records.link.expect_usable(&req::DATA_EMPTY_HARMLESS, &sent);
        usable.await?;
    }
    let said = records.link.waiting(id);
    let due = match said.get(1) {
        Some(got) if request == RequestCode::Get && got[..] == Reply::Got.encode() => 3,
        _ => 2,
    };
    if request == RequestCode::Update && said.len() == 2 {
        let leave = update::FromClient::LeaveRecord.encode();
        records.link.say(id, &leave).await;
    }
    if said.len() >= due {
        return Ok(said);
    }
    let (rule, outcome) = (&req::DATA_EMPTY_ANSWERED, Outcome::Silence);
    let observed = format!("{} of {due} messages, and no more", said.len());
    Err(broken(rule, outcome, sent, &["a whole answer"], observed))
}

/// What Get says, of a whole answer: the value if there is a record.
fn got(said: &[Bytes]) -> Option<Bytes> {
    let value = said.get(2).map(|payload| Value::decode(payload));
    value.and_then(Result::ok).map(|Value(value)| value)
}

async fn used(ground: &Ground, request: RequestCode) -> Checked {
    let key = ground.key(1);
    let (mut records, _) = with_empty(ground, key).await?;
    ask(&mut records, key, request).await.map(drop)
}

async fn dialect(ground: &Ground) -> Checked {
    let key = ground.key(1);
    let (mut records, stored) = with_empty(ground, key).await?;
    let question = "Put of an empty value";
    if !stored {
        ground.note(question, "refused with Error");
        return Ok(());
    }
    let said = ask(&mut records, key, RequestCode::Get).await?;
    match got(&said) {
        None => ground.note(question, "carried out as a Remove"),
        Some(value) if value.is_empty() => ground.note(question, "stored"),
        Some(value) => {
            let (rule, outcome) = (&req::DATA_EMPTY_DIALECT, Outcome::Data);
            let expected = ["Error", "Put, and NoRecord", "Put, and an empty value"];
            let sent = "Put of an empty value, and Get";
            return Err(broken(rule, outcome, sent, &expected, quoted(&value)));
        }
    }
    Ok(())
}

async fn consistent(ground: &Ground) -> Checked {
    let key = ground.key(1);
    let (mut records, _) = with_empty(ground, key).await?;
    let get = ask(&mut records, key, RequestCode::Get).await?;
    let exists = ask(&mut records, key, RequestCode::Exists).await?;
    let update = ask(&mut records, key, RequestCode::Update).await?;
    let get = got(&get).is_some();
    let exists = exists.get(1).and_then(|payload| exists_answer(payload));
    let read = update.get(1).map(|said| update::FromNode::decode(said));
    let update = read.and_then(Result::ok);
    let value = matches!(update, Some(update::FromNode::RecordValue(_)));
    let kept = exists == Some(get) && value == get;
    let sent = "Get, Exists and Update of an empty value";
    let expected = ["a record for all three", "no record for all three"];
    ground.expect(&req::DATA_EMPTY_CONSISTENT, sent, &expected, kept, || {
        let get = if get { "Got" } else { "NoRecord" };
        let update = update.as_ref().map_or_else(String::new, told);
        format!("Get: {get}; Exists: {exists:?}; Update: {update}")
    })
}

async fn overwritten(ground: &Ground) -> Checked {
    let key = ground.key(1);
    let (mut records, _) = with_empty(ground, key).await?;
    let rule = &req::DATA_EMPTY_OVERWRITTEN;
    records.expect_put(key, "value", rule).await?;
    records.expect_value(key, "value", rule).await
}

async fn over_value(ground: &Ground) -> Checked {
    let mut records = Records::open(ground).await?;
    let key = ground.key(1);
    records.put(key, "value").await?;
    if !put_empty(&mut records, key).await? {
        return records
            .expect_value(key, "value", &req::DATA_PUT_VISIBLE)
            .await;
    }
    let said = ask(&mut records, key, RequestCode::Get).await?;
    let value = got(&said).unwrap_or_default();
    let sent = "Put of a value, Put of an empty one, and Get";
    let expected = ["NoRecord", "Got \"\""];
    let kept = value.is_empty();
    ground.expect(&req::DATA_PUT_VISIBLE, sent, &expected, kept, || {
        format!("Got {}", quoted(&value))
    })
}
