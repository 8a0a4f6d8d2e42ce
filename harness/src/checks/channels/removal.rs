//! RemoveChannel: by whom it is permitted, what it takes along, and that nothing that runs keeps it off.

use dht_protocol::neo::request::remove_channel::{Open, Reply};
use dht_protocol::neo::request::{RequestCode, exists, get_all, get_channels, mirror};
use dht_requirements::{self as req, Requirement};

use crate::checks::update::talk::{OLD, Subject};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Outcome, broken, shows};
use crate::wire::{Heard, Link};

/// What runs on a channel when it is removed.
const RUNNING: [(RequestCode, &str); 6] = [
    (RequestCode::Put, "put"),
    (RequestCode::Get, "get"),
    (RequestCode::Update, "update"),
    (RequestCode::GetAll, "getall"),
    (RequestCode::Mirror, "mirror"),
    (RequestCode::GetChannels, "getchannels"),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::raw(
            "rmchannel.answer",
            "RemoveChannel by \"admin\" is answered ChannelRemoved, and nothing follows.",
            &[&req::RMCHANNEL_ANSWER],
            |ground| Box::pin(answer(ground)),
        ),
        Check::raw(
            "rmchannel.unlisted",
            "After ChannelRemoved the channel is not listed.",
            &[&req::RMCHANNEL_UNLISTED],
            |ground| Box::pin(unlisted(ground)),
        ),
        Check::raw(
            "rmchannel.starts-empty",
            "A channel that is created again under a removed name holds only what is new.",
            &[&req::RMCHANNEL_STARTS_EMPTY],
            |ground| Box::pin(starts_empty(ground)),
        ),
        Check::raw(
            "rmchannel.others-stay",
            "RemoveChannel leaves channels whose names begin alike.",
            &[&req::RMCHANNEL_OTHERS_STAY],
            |ground| Box::pin(others_stay(ground)),
        ),
        Check::raw(
            "rmchannel.absent",
            "RemoveChannel of a channel that does not exist is answered ChannelRemoved.",
            &[&req::RMCHANNEL_ABSENT],
            |ground| Box::pin(absent(ground)),
        ),
        Check::raw(
            "rmchannel.absent-creates-nothing",
            "RemoveChannel of a channel that does not exist creates none.",
            &[&req::RMCHANNEL_ABSENT_CREATES_NOTHING],
            |ground| Box::pin(absent_creates_nothing(ground)),
        ),
        Check::raw(
            "rmchannel.forbidden",
            "RemoveChannel by another client than \"admin\" removes nothing.",
            &[&req::RMCHANNEL_FORBIDDEN],
            |ground| Box::pin(forbidden(ground)),
        ),
        Check::raw(
            "rmchannel.forbidden-told",
            "RemoveChannel by another client than \"admin\" is answered NotPermitted.",
            &[&req::RMCHANNEL_FORBIDDEN_TOLD],
            |ground| Box::pin(forbidden_told(ground, true)),
        ),
        Check::raw(
            "rmchannel.forbidden-absent",
            "RemoveChannel by another client than \"admin\" is refused for an absent channel as \
             well.",
            &[&req::RMCHANNEL_FORBIDDEN_TOLD],
            |ground| Box::pin(forbidden_told(ground, false)),
        ),
    ];
    for (running, name) in RUNNING {
        let title = format!(
            "RemoveChannel is answered and carried out while {} uses the channel.",
            running.name()
        );
        checks.push(Check::raw(
            format!("rmchannel.during-{name}"),
            title,
            &[&req::RMCHANNEL_IN_USE],
            move |ground| Box::pin(in_use(ground, running)),
        ));
    }
    let checks = checks.into_iter();
    checks
        .map(|check| check.on(RequestCode::RemoveChannel))
        .collect()
}

/// Removes the channel of `subject`; else `requirement` is broken.
async fn remove(
    link: &mut Link,
    subject: &Subject,
    requirement: &'static Requirement,
    sent: &str,
) -> Checked {
    match link.remove_channel(&subject.channel).await? {
        Reply::ChannelRemoved => Ok(()),
        other => {
            let (outcome, expected) = (Outcome::Answer, ["ChannelRemoved (01)"]);
            Err(broken(requirement, outcome, sent, &expected, other.name()))
        }
    }
}

async fn answer(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let opening = Open(subject.channel.clone()).encode();
    let id = link.open_supported(&opening).await?;
    let rule = &req::RMCHANNEL_ANSWER;
    link.expect(id, rule, "ChannelRemoved (01)", &[1]).await?;
    link.expect_nothing_more(id, rule, "RemoveChannel").await
}

async fn unlisted(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let (rule, sent) = (&req::RMCHANNEL_UNLISTED, "RemoveChannel, then GetChannels");
    remove(&mut link, &subject, rule, sent).await?;
    let listed = link.channels().await?.contains(&subject.channel);
    let expected = ["the channel is not listed"];
    ground.expect(rule, sent, &expected, !listed, || "it is listed".to_owned())
}

async fn starts_empty(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let rule = &req::RMCHANNEL_STARTS_EMPTY;
    let sent = "Put of two records, RemoveChannel, Put of a third to the same channel";
    Subject::new(ground, 2).store(&mut link, OLD).await?;
    remove(&mut link, &subject, rule, sent).await?;
    let third = Subject::new(ground, 3);
    third.store(&mut link, OLD).await?;
    let records = link.all_records(&subject.channel).await?;
    let only_new = records.len() == 1 && records[0].0 == third.key;
    let expected = ["GetAll delivers the third only"];
    ground.expect(rule, sent, &expected, only_new, || {
        format!("{} records", records.len())
    })?;
    subject.holds(&mut link, rule, sent, None).await
}

async fn others_stay(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let names = ["0", "other", "z"];
    let others = names.map(|name| Subject {
        channel: ground.channel(name),
        key: subject.key,
    });
    for other in &others {
        other.store(&mut link, OLD).await?;
    }
    let rule = &req::RMCHANNEL_OTHERS_STAY;
    let sent = "RemoveChannel of another channel, whose name is the beginning of this one's";
    remove(&mut link, &subject, rule, sent).await?;
    for other in &others {
        other.holds(&mut link, rule, sent, Some(OLD)).await?;
    }
    Ok(())
}

async fn absent(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::new(ground, 1);
    let (rule, sent) = (&req::RMCHANNEL_ABSENT, "RemoveChannel of an absent channel");
    remove(&mut link, &subject, rule, sent).await?;
    remove(&mut link, &subject, rule, sent).await
}

async fn absent_creates_nothing(ground: &Ground) -> Checked {
    ground.need_admin()?;
    let mut link = ground.link().await?;
    let subject = Subject::new(ground, 1);
    let rule = &req::RMCHANNEL_ABSENT_CREATES_NOTHING;
    let sent = "RemoveChannel of an absent channel, then GetChannels";
    remove(&mut link, &subject, rule, sent).await?;
    let listed = link.channels().await?.contains(&subject.channel);
    let expected = ["the channel is not listed"];
    ground.expect(rule, sent, &expected, !listed, || "it is listed".to_owned())
}

async fn forbidden(ground: &Ground) -> Checked {
    let mut guest = ground.link_as(ground.guest()?).await?;
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    guest.open(&Open(subject.channel.clone()).encode()).await;
    // What the answer is, if any, is not the question here.
    guest.sentinel().await?;
    let rule = &req::RMCHANNEL_FORBIDDEN;
    let sent = "RemoveChannel by a client that is not \"admin\"";
    subject.holds(&mut link, rule, sent, Some(OLD)).await
}

async fn forbidden_told(ground: &Ground, exists: bool) -> Checked {
    let mut guest = ground.link_as(ground.guest()?).await?;
    let subject = match exists {
        true => Subject::stored(ground, &mut guest).await?,
        false => Subject::new(ground, 1),
    };
    let opening = Open(subject.channel.clone()).encode();
    let id = guest.open_supported(&opening).await?;
    let rule = &req::RMCHANNEL_FORBIDDEN_TOLD;
    match guest.hear(id).await {
        Heard::Message(payload) if payload[..] == Reply::NotPermitted.encode() => {
            guest.expect_usable(rule, "RemoveChannel, refused").await
        }
        other => {
            let (outcome, expected) = (other.outcome(), ["NotPermitted (02)"]);
            let sent = "RemoveChannel by a client that is not \"admin\"";
            Err(broken(rule, outcome, sent, &expected, other.to_string()))
        }
    }
}

async fn in_use(ground: &Ground, running: RequestCode) -> Checked {
    ground.need_admin()?;
    let mut user = ground.link().await?;
    let mut admin = ground.link().await?;
    let subject = Subject::stored(ground, &mut user).await?;
    start(&mut user, &subject, running).await?;
    let rule = &req::RMCHANNEL_IN_USE;
    let sent = format!("RemoveChannel while {} uses the channel", running.name());
    let blamed = shows(rule, &sent, "ChannelRemoved (01)");
    let removed = remove(&mut admin, &subject, rule, &sent).await;
    removed.map_err(&blamed)?;
    user.sentinel().await.map_err(&blamed)?;
    // A Put that was under way may have come later.
    if running != RequestCode::Put {
        let exists = admin.exists(&subject.channel, subject.key).await;
        let gone = exists.map_err(&blamed)? == exists::Reply::NoRecord;
        let expected = ["its records are gone"];
        ground.expect(rule, &sent, &expected, gone, || "they are there".to_owned())?;
    }
    Ok(())
}

/// Begins the request, which runs then or is on its way.
async fn start(link: &mut Link, subject: &Subject, running: RequestCode) -> Checked {
    use crate::wire::talk::record;
    use dht_protocol::neo::request::put;

    let (channel, key) = (subject.channel.clone(), subject.key);
    match running {
        RequestCode::Update => {
            subject.read(link, OLD).await?;
        }
        RequestCode::GetAll => {
            let open = get_all::Open {
                start_suspended: true,
                channel,
                continue_from: None,
                settings: get_all::Settings::default(),
            };
            link.start_get_all(&open).await?;
        }
        RequestCode::Mirror => {
            let open = mirror::Open {
                start_suspended: false,
                channel,
                settings: mirror::Settings::default(),
            };
            link.start_mirror(&open).await?;
        }
        RequestCode::GetChannels => {
            link.open(&get_channels::Open.encode()).await;
        }
        RequestCode::Put => {
            let open = put::Open {
                record: record(&channel, key),
                value: vec![b'p'; 60_000].into(),
            };
            link.open(&open.encode()).await;
        }
        _ => {
            link.open(&record(&channel, key).opening(running)).await;
        }
    }
    Ok(())
}
