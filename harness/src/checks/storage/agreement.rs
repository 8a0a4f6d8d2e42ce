//! Different requests tell the same of a record that nobody changes.

use std::collections::BTreeMap;

use dht_protocol::neo::request::{RequestCode, exists, get, update};
use dht_requirements as req;

use super::records::{Records, told};
use crate::checks::{Check, Ground, sample};
use crate::unkept::Checked;

/// How long the values are.
const LENGTHS: [usize; 6] = [1, 2, 300, 4_096, 65_511, 65_512];

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::raw(
            "agree.get-exists",
            "Exists and Get agree on which of some keys have records.",
            &[&req::DATA_GET_EXISTS_AGREE],
            |ground| Box::pin(get_exists(ground)),
        )
        .on(RequestCode::Exists),
        Check::raw(
            "agree.get-update",
            "GetRecord of Update and Get agree on which of some keys have records, and on the \
             values.",
            &[&req::DATA_GET_UPDATE_AGREE],
            |ground| Box::pin(get_update(ground)),
        )
        .on(RequestCode::Update),
        Check::raw(
            "agree.get-get-all",
            "GetAll and Get agree on records of 1 to 65,512 bytes.",
            &[&req::DATA_GET_ALL_AGREE],
            |ground| Box::pin(get_get_all(ground)),
        )
        .on(RequestCode::GetAll),
    ]
}

/// Every second of twelve keys has a record.
async fn some_records(ground: &Ground) -> Checked<Records> {
    let mut records = Records::open(ground).await?;
    for (number, length) in (0..).step_by(2).zip(LENGTHS) {
        records
            .put(ground.key(number), sample::value(1, length))
            .await?;
    }
    Ok(records)
}

/// As many as are put, and as many between them.
const KEYS: u64 = 2 * LENGTHS.len() as u64;

async fn get_exists(ground: &Ground) -> Checked {
    let mut records = some_records(ground).await?;
    for number in 0..KEYS {
        let key = ground.key(number);
        let (got, _) = records.link.get(&records.channel, key).await?;
        let exists = records.link.exists(&records.channel, key).await?;
        let agree = match got {
            get::Reply::Got => exists == exists::Reply::RecordExists,
            get::Reply::NoRecord => exists == exists::Reply::NoRecord,
            get::Reply::WrongNode | get::Reply::Error => false,
        };
        let sent = format!("Get and Exists of {key}");
        let expected = ["Got and RecordExists", "NoRecord and NoRecord"];
        let requirement = &req::DATA_GET_EXISTS_AGREE;
        ground.expect(requirement, &sent, &expected, agree, || {
            format!("{} and {}", got.name(), exists.name())
        })?;
    }
    Ok(())
}

async fn get_update(ground: &Ground) -> Checked {
    let mut records = some_records(ground).await?;
    for number in 0..KEYS {
        let key = ground.key(number);
        let (got, value) = records.link.get(&records.channel, key).await?;
        let reading = records.link.read_for_update(&records.channel, key);
        let (id, read) = reading.await?;
        let agree = match &read {
            update::FromNode::RecordValue(read) => {
                let leave = update::FromClient::LeaveRecord;
                records.link.say(id, &leave.encode()).await;
                value.as_ref() == Some(read)
            }
            update::FromNode::NoRecord => got == get::Reply::NoRecord,
            _ => false,
        };
        let sent = format!("Get and Update (GetRecord) of {key}");
        let expected = ["Got and RecordValue, the same", "NoRecord and NoRecord"];
        let requirement = &req::DATA_GET_UPDATE_AGREE;
        ground.expect(requirement, &sent, &expected, agree, || {
            format!("{} and {}", got.name(), told(&read))
        })?;
    }
    Ok(())
}

async fn get_get_all(ground: &Ground) -> Checked {
    let mut records = some_records(ground).await?;
    let channel = records.channel.clone();
    let listed = records.link.all_records(&channel).await?;
    let listed: BTreeMap<_, _> = listed.into_iter().collect();
    for number in 0..KEYS {
        let key = ground.key(number);
        let (got, value) = records.link.get(&channel, key).await?;
        let kept = listed.get(&key) == value.as_ref();
        let sent = format!("GetAll and Get of {key}");
        let expected = ["the same from both"];
        let requirement = &req::DATA_GET_ALL_AGREE;
        ground.expect(requirement, &sent, &expected, kept, || {
            let bytes = listed.get(&key).map(bytes::Bytes::len);
            let listed = bytes.map_or("none".to_owned(), |bytes| format!("one of {bytes} bytes"));
            format!("{} from Get; GetAll: {listed}", got.name())
        })?;
    }
    Ok(())
}
