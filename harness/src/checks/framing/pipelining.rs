//! Many requests on one connection, sent without waiting for answers.

use bytes::Bytes;
use dht_protocol::neo::forge;
use dht_protocol::neo::request::{RequestCode, exists, get, get_all, mirror, remove};
use dht_requirements as req;

use super::{Check, Ground, all_answered, exists, put};
use crate::unkept::{Checked, Outcome, blamed_on, broken};
use crate::wire::Heard;
use crate::wire::talk::record;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "pipelining.thousand",
            "Each of a thousand Exists that are sent at once is answered with its own id.",
            &[&req::MUX_PIPELINED_ALL_ANSWERED, &req::MUX_CROSS_ORDER_FREE],
            |ground| Box::pin(thousand(ground)),
        )
        .on(RequestCode::Exists),
        Check::raw(
            "pipelining.put-get",
            "A Get right behind a Put of the same key finds the new value.",
            &[&req::MUX_STARTED_IN_ORDER],
            |ground| Box::pin(put_then(ground, RequestCode::Get)),
        )
        .on(RequestCode::Get),
        Check::raw(
            "pipelining.put-exists",
            "An Exists right behind a Put of the same key finds the record.",
            &[&req::MUX_STARTED_IN_ORDER],
            |ground| Box::pin(put_then(ground, RequestCode::Exists)),
        )
        .on(RequestCode::Exists),
        Check::raw(
            "pipelining.put-remove",
            "A Remove right behind a Put of the same key finds the record.",
            &[&req::MUX_STARTED_IN_ORDER],
            |ground| Box::pin(put_then(ground, RequestCode::Remove)),
        )
        .on(RequestCode::Remove),
        Check::raw(
            "pipelining.own-order",
            "Of fifty Gets that are sent at once each is answered in its own order.",
            &[&req::MUX_OWN_ORDER_KEPT],
            |ground| Box::pin(own_order(ground)),
        )
        .on(RequestCode::Get),
        Check::raw(
            "pipelining.beside-active",
            "Short requests are served while GetHashRange, GetAll and Mirror are active.",
            &[&req::MUX_CONCURRENT],
            |ground| Box::pin(beside_active(ground)),
        ),
        Check::raw(
            "pipelining.during-get-all",
            "An Exists that is sent right behind a long GetAll is answered before its end.",
            &[&req::MUX_FAIR],
            |ground| Box::pin(during_get_all(ground)),
        )
        .on(RequestCode::GetAll),
        Check::raw(
            "pipelining.5000-active",
            "5000 requests are active on a connection at the same time.",
            &[&req::MUX_ACTIVE_5000],
            |ground| Box::pin(active(ground)),
        )
        .on(RequestCode::GetHashRange),
        Check::raw(
            "pipelining.5001-active",
            "One more than 5000 active requests closes the connection and no other.",
            &[&req::MUX_ACTIVE_LIMIT, &req::ROBUST_REQUEST_LIMIT_LOCAL],
            |ground| Box::pin(one_too_many(ground)),
        )
        .on(RequestCode::GetHashRange)
        .hostile(),
        Check::raw(
            "pipelining.5200-ended",
            "5200 requests of which each ends leave the connection usable.",
            &[&req::MUX_ENDED_NOT_COUNTED],
            |ground| Box::pin(ended(ground)),
        )
        .on(RequestCode::Exists),
        Check::raw(
            "pipelining.beside-failing",
            "A malformed request disturbs no request of another connection.",
            &[&req::ROBUST_FAILURE_LOCAL],
            |ground| Box::pin(beside_failing(ground)),
        )
        .hostile(),
    ]
}

async fn thousand(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let ids = link.open_times(&exists(ground), 1000).await;
    all_answered(&mut link, &ids, &req::MUX_PIPELINED_ALL_ANSWERED).await
}

async fn put_then(ground: &Ground, request: RequestCode) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let rule = &req::MUX_STARTED_IN_ORDER;
    for number in 0..20 {
        let key = record(&ground.channel(""), ground.key(number));
        let (first, second) = (link.fresh_id(), link.fresh_id());
        let put = put(ground, number, "value");
        link.say_at_once(&[(first, &put), (second, &key.opening(request))])
            .await;
        link.supported(second).await?;
        let payload = link.answer(second, "the answer").await?;
        let found = match request {
            RequestCode::Get => get::Reply::decode(&payload) == Ok(get::Reply::Got),
            RequestCode::Remove => remove::Reply::decode(&payload) == Ok(remove::Reply::Removed),
            _ => exists::Reply::decode(&payload) == Ok(exists::Reply::RecordExists),
        };
        let sent = format!("Put and {request} of the same key in one piece");
        let expected = ["the new record is found"];
        ground.expect(rule, &sent, &expected, found, || {
            format!("{request} answers {}", crate::wire::shown(&payload))
        })?;
        if request == RequestCode::Get {
            link.answer(second, "the value behind Got").await?;
        }
        all_answered(&mut link, &[first], &req::REQ_ANSWERED).await?;
    }
    Ok(())
}

async fn own_order(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let (channel, key) = (ground.channel(""), ground.key(1));
    link.store(&channel, key, "value").await?;
    let opening = record(&channel, key).opening(RequestCode::Get);
    let ids = link.open_times(&opening, 50).await;
    let rule = &req::MUX_OWN_ORDER_KEPT;
    let value = [&5u64.to_le_bytes()[..], b"value"].concat();
    for id in ids {
        link.supported(id).await.map_err(blamed_on(rule))?;
        let got = get::Reply::Got.encode();
        link.expect(id, rule, "Got", &got).await?;
        link.expect(id, rule, "the value behind Got", &value)
            .await?;
    }
    Ok(())
}

fn suspended_get_all(ground: &Ground, start_suspended: bool) -> get_all::Open {
    get_all::Open {
        start_suspended,
        channel: ground.channel(""),
        continue_from: None,
        settings: get_all::Settings::default(),
    }
}

async fn beside_active(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let (channel, key) = (ground.channel(""), ground.key(1));
    link.store(&channel, key, "value").await?;
    link.open_supported(&[RequestCode::GetHashRange as u8, 0])
        .await?;
    link.start_get_all(&suspended_get_all(ground, true)).await?;
    let follow = mirror::Open {
        start_suspended: true,
        channel: channel.clone(),
        settings: mirror::Settings::default(),
    };
    link.start_mirror(&follow).await?;
    let served = async {
        link.store(&channel, key, "other").await?;
        link.exists(&channel, key).await?;
        link.get(&channel, key).await
    };
    let (_, value) = served.await.map_err(blamed_on(&req::MUX_CONCURRENT))?;
    let rule = &req::MUX_CONCURRENT;
    let sent = "Put, Exists and Get while GetHashRange, GetAll and Mirror are active";
    let kept = value == Some(Bytes::from_static(b"other"));
    ground.expect(rule, sent, &["the new value"], kept, || {
        format!("{value:?}")
    })
}

async fn during_get_all(ground: &Ground) -> Checked {
    ground.need_keys()?;
    let mut link = ground.link().await?;
    let value = Bytes::from(vec![7; 30_000]);
    let ids: Vec<_> = (0..RECORDS).map(|_| link.fresh_id()).collect();
    for (number, id) in ids.iter().enumerate() {
        link.say(*id, &put(ground, number as u64, value.clone()))
            .await;
    }
    all_answered(&mut link, &ids, &req::REQ_ANSWERED).await?;
    let (all, short) = (link.fresh_id(), link.fresh_id());
    let get_all = suspended_get_all(ground, false).encode();
    link.say_at_once(&[(all, &get_all), (short, &exists(ground))])
        .await;
    link.supported(all).await?;
    while link.hear_get_all(all).await? != get_all::FromNode::Finished {}
    let answers = link.waiting(short).len();
    link.acknowledge(all).await;
    let sent = "a GetAll of 300 records of 30000 bytes and an Exists in one piece";
    let expected = ["the Exists is answered before Finished"];
    ground.expect(&req::MUX_FAIR, sent, &expected, answers == 2, || {
        format!("Finished, and before it {answers} messages for the Exists")
    })
}

const RECORDS: usize = 300;
const RANGE: [u8; 2] = [RequestCode::GetHashRange as u8, 0];

async fn active(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let ids = link.open_times(&RANGE, 5000).await;
    all_answered(&mut link, &ids, &req::MUX_ACTIVE_5000).await
}

async fn one_too_many(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let ids = link.open_times(&RANGE, 5000).await;
    all_answered(&mut link, &ids, &req::REQ_ANSWERED).await?;
    let last = link.open(&RANGE).await;
    let (outcome, observed) = match link.hear(last).await {
        Heard::Closed(_) => return Ok(()),
        Heard::Message(_) => (Outcome::Answer, "it is answered"),
        Heard::Silence => (Outcome::Open, "nothing, and the connection stays open"),
    };
    let sent = "GetHashRange while 5000 of them are active";
    let expected = ["the node closes the connection"];
    let rule = &req::MUX_ACTIVE_LIMIT;
    Err(broken(rule, outcome, sent, &expected, observed))
}

async fn ended(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    for _ in 0..4 {
        let ids = link.open_times(&exists(ground), 1300).await;
        all_answered(&mut link, &ids, &req::MUX_ENDED_NOT_COUNTED).await?;
    }
    Ok(())
}

async fn beside_failing(ground: &Ground) -> Checked {
    let (mut link, mut other) = (ground.link().await?, ground.link().await?);
    let follow = mirror::Open {
        start_suspended: false,
        channel: ground.channel(""),
        settings: mirror::Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        },
    };
    let mirror = other.start_mirror(&follow).await?;
    // A Get without its key.
    let opening = exists(ground);
    let id = link.fresh_id();
    let cut = &opening[2..opening.len() - 8];
    let message = forge::opening(RequestCode::Get as u8, 0, cut);
    link.say(id, &message).await;
    link.reaction(id).await;
    let rule = &req::ROBUST_FAILURE_LOCAL;
    let told = async {
        other
            .store(&ground.channel(""), ground.key(1), "value")
            .await?;
        other.hear_mirror(mirror).await
    };
    let told = told.await.map_err(blamed_on(rule))?;
    let kept = matches!(told, mirror::FromNode::RecordChanged { .. });
    let sent = "a malformed Get; a Put on another connection with a Mirror";
    ground.expect(rule, sent, &["RecordChanged"], kept, || format!("{told:?}"))
}
