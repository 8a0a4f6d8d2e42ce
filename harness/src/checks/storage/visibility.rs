//! What one client has changed, as others see it once the change was acknowledged.

use dht_protocol::fnv1a;
use dht_protocol::neo::request::{RequestCode, update};
use dht_requirements as req;

use super::records::{Records, answered, told};
use crate::checks::{Check, Ground};
use crate::unkept::Checked;

/// Who looks.
#[derive(Clone, Copy, Debug)]
enum Observer {
    /// A connection that was there before.
    Other,
    /// A connection that comes afterwards.
    New,
    /// A client that is not "admin", there before.
    Guest,
}

const OBSERVERS: [(&str, &str, Observer); 3] = [
    ("other", "on another connection", Observer::Other),
    ("new", "on a new connection", Observer::New),
    ("guest", "by another client", Observer::Guest),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (id, title, observer) in OBSERVERS {
        checks.push(
            Check::raw(
                format!("visible.put-{id}"),
                format!("A Put that was acknowledged is seen {title}, whichever request reads."),
                &[&req::DATA_PUT_VISIBLE],
                move |ground| Box::pin(put(ground, observer)),
            )
            .on(RequestCode::Put),
        );
        checks.push(
            Check::raw(
                format!("visible.remove-{id}"),
                format!("A Remove that was acknowledged is seen {title}, whichever request reads."),
                &[&req::DATA_REMOVE_VISIBLE],
                move |ground| Box::pin(remove(ground, observer)),
            )
            .on(RequestCode::Remove),
        );
        checks.push(
            Check::raw(
                format!("visible.update-{id}"),
                format!("An Update that was acknowledged is seen {title}."),
                &[&req::DATA_UPDATE_VISIBLE],
                move |ground| Box::pin(update(ground, observer)),
            )
            .on(RequestCode::Update),
        );
    }
    checks
}

/// The observer, and a connection that makes changes once `self` is there.
struct Pair<'a> {
    ground: &'a Ground,
    writer: Records,
    reader: Option<Records>,
}

impl<'a> Pair<'a> {
    async fn open(ground: &'a Ground, observer: Observer) -> Checked<Self> {
        let writer = Records::open(ground).await?;
        let reader = match observer {
            Observer::Other => Some(Records::open(ground).await?),
            Observer::Guest => Some(Records::as_guest(ground).await?),
            Observer::New => None,
        };
        Ok(Self {
            ground,
            writer,
            reader,
        })
    }

    /// Who looks now.
    async fn reader(&mut self) -> Checked<&mut Records> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Records::open(self.ground).await?,
        };
        Ok(self.reader.insert(reader))
    }
}

async fn put(ground: &Ground, observer: Observer) -> Checked {
    let requirement = &req::DATA_PUT_VISIBLE;
    let mut pair = Pair::open(ground, observer).await?;
    let key = ground.key(1);
    for value in ["first", "second"] {
        pair.writer.put(key, value).await?;
        let reader = pair.reader().await?;
        reader.expect_value(key, value, requirement).await?;
        reader.expect_exists(key, true, requirement).await?;
        let channel = reader.channel.clone();
        let listed = reader.link.all_records(&channel).await?;
        let kept = listed == [(key, value.into())];
        let (sent, expected) = ("GetAll after the Put", ["the record"]);
        ground.expect(requirement, sent, &expected, kept, || format!("{listed:?}"))?;
    }
    Ok(())
}

async fn remove(ground: &Ground, observer: Observer) -> Checked {
    let requirement = &req::DATA_REMOVE_VISIBLE;
    let mut pair = Pair::open(ground, observer).await?;
    let key = ground.key(1);
    pair.writer.put(key, "value").await?;
    pair.writer
        .expect_removed(key, true, &req::REMOVE_PRESENT)
        .await?;
    let reader = pair.reader().await?;
    reader.expect_absent(key, requirement).await?;
    reader.expect_exists(key, false, requirement).await?;
    reader.expect_removed(key, false, requirement).await?;
    let channel = reader.channel.clone();
    let listed = reader.link.all_records(&channel).await?;
    let (sent, expected) = ("GetAll after the Remove", ["no records"]);
    let kept = listed.is_empty();
    ground.expect(requirement, sent, &expected, kept, || format!("{listed:?}"))
}

async fn update(ground: &Ground, observer: Observer) -> Checked {
    let requirement = &req::DATA_UPDATE_VISIBLE;
    let mut pair = Pair::open(ground, observer).await?;
    let key = ground.key(1);
    pair.writer.put(key, "before").await?;
    let channel = pair.writer.channel.clone();
    let link = &mut pair.writer.link;
    let (id, read) = link.read_for_update(&channel, key).await?;
    let update::FromNode::RecordValue(value) = read else {
        let sent = format!("Update (GetRecord) {key}");
        return Err(answered(requirement, &sent, "RecordValue", &told(&read)));
    };
    let replacement = update::Replacement {
        original_hash: fnv1a(&value),
        new_value: "after".into(),
    };
    let write = update::FromClient::UpdateRecord(replacement);
    link.say(id, &write.encode()).await;
    match link.hear_update(id).await? {
        update::FromNode::Ok => {}
        other => return Err(answered(requirement, "UpdateRecord", "Ok", &told(&other))),
    }
    let reader = pair.reader().await?;
    reader.expect_value(key, "after", requirement).await?;
    reader.expect_exists(key, true, requirement).await
}
