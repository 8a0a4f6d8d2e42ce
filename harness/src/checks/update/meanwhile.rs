//! What a decision does, depending on what became of the record since it was read.

use dht_protocol::neo::request::update::{FromClient, FromNode};
use dht_protocol::neo::request::{remove, remove_channel};
use dht_requirements::{self as req, Requirement};

use super::talk::{NEW, OLD, Subject, decide, name, replace};
use crate::checks::{Check, Ground};
use crate::unkept::{Checked, Unkept};
use crate::wire::Link;

const OTHER: &[u8] = b"somebody else's value";

/// What others do between the two steps.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    Rewritten,
    Changed,
    ChangedAndBack,
    Removed,
    RemovedAndBack,
    ChannelRemoved,
}

/// What the client decides.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Replace,
    Remove,
    Leave,
}

/// What is due: the answer, and what the record holds then, each with its requirement.
struct Due {
    answer: FromNode,
    answers: &'static Requirement,
    value: Option<&'static [u8]>,
    keeps: &'static Requirement,
}

const EVENTS: [(Event, &str, &str); 7] = [
    (Event::Nothing, "undisturbed", "nobody touched"),
    (
        Event::Rewritten,
        "rewritten",
        "somebody stored again as it was",
    ),
    (Event::Changed, "changed", "somebody gave another value"),
    (
        Event::ChangedAndBack,
        "changed-and-back",
        "somebody gave another value and then the old one again",
    ),
    (Event::Removed, "removed", "somebody removed"),
    (
        Event::RemovedAndBack,
        "removed-and-back",
        "somebody removed and stored again as it was",
    ),
    (
        Event::ChannelRemoved,
        "channel-removed",
        "somebody removed with its channel",
    ),
];

const CHOICES: [(Choice, &str); 3] = [
    (Choice::Replace, "replace"),
    (Choice::Remove, "remove"),
    (Choice::Leave, "leave"),
];

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (event, when, happened) in EVENTS {
        for (choice, what) in CHOICES {
            let due = Due::of(event, choice);
            let mut requirements = vec![due.answers];
            if due.keeps != due.answers {
                requirements.push(due.keeps);
            }
            let (decision, answer) = (name(&choice.message()), due.answer.name());
            let title = format!("{decision} is answered {answer} for a record that {happened}.");
            checks.push(Check::raw(
                format!("updating.{when}-{what}"),
                title,
                &requirements,
                move |ground| Box::pin(meanwhile(ground, event, choice)),
            ));
        }
    }
    checks.push(Check::raw(
        "updating.identical",
        "UpdateRecord with the value that is stored already is answered Ok.",
        &[&req::UPDATE_IDENTICAL],
        |ground| Box::pin(identical(ground)),
    ));
    checks
}

impl Event {
    /// What the record holds afterwards.
    fn leaves(self) -> Option<&'static [u8]> {
        match self {
            Self::Nothing | Self::Rewritten | Self::ChangedAndBack | Self::RemovedAndBack => {
                Some(OLD)
            }
            Self::Changed => Some(OTHER),
            Self::Removed | Self::ChannelRemoved => None,
        }
    }

    async fn happen(self, link: &mut Link, subject: &Subject) -> Checked {
        match self {
            Self::Nothing => {}
            Self::Rewritten => subject.store(link, OLD).await?,
            Self::Changed => subject.store(link, OTHER).await?,
            Self::ChangedAndBack => {
                subject.store(link, OTHER).await?;
                subject.store(link, OLD).await?;
            }
            Self::Removed => removed(link, subject).await?,
            Self::RemovedAndBack => {
                removed(link, subject).await?;
                subject.store(link, OLD).await?;
            }
            Self::ChannelRemoved => match link.remove_channel(&subject.channel).await? {
                remove_channel::Reply::ChannelRemoved => {}
                other => return Err(unprepared("RemoveChannel", other.name())),
            },
        }
        Ok(())
    }
}

/// Removes the record, without which nothing can be said of an Update behind that.
async fn removed(link: &mut Link, subject: &Subject) -> Checked {
    match link.remove(&subject.channel, subject.key).await? {
        remove::Reply::Removed => Ok(()),
        other => Err(unprepared("Remove", other.name())),
    }
}

/// What was to happen meanwhile did not.
fn unprepared(request: &str, answer: &str) -> Unkept {
    Unkept::Inconclusive(format!("{request} is answered {answer}"))
}

impl Choice {
    fn message(self) -> FromClient {
        match self {
            Self::Replace => replace(OLD, NEW),
            Self::Remove => FromClient::RemoveRecord,
            Self::Leave => FromClient::LeaveRecord,
        }
    }
}

impl Due {
    fn of(event: Event, choice: Choice) -> Self {
        match (choice, event) {
            (Choice::Replace, Event::Nothing) => Self::done(Some(NEW), &req::UPDATE_WRITE),
            (Choice::Replace, Event::Changed) => Self {
                answer: FromNode::UpdateConflict,
                answers: &req::UPDATE_CONFLICT,
                value: Some(OTHER),
                keeps: &req::UPDATE_CONFLICT_KEEPS,
            },
            (Choice::Replace, Event::Removed) => {
                Self::done(Some(NEW), &req::UPDATE_RECREATES_RECORD)
            }
            (Choice::Replace, Event::ChannelRemoved) => {
                Self::done(Some(NEW), &req::UPDATE_RECREATES_CHANNEL)
            }
            (Choice::Replace, _) => Self::done(Some(NEW), &req::UPDATE_VALUE_CAME_BACK),
            (Choice::Remove, Event::Changed) => Self::done(None, &req::UPDATE_REMOVE_CHANGED),
            (Choice::Remove, Event::Removed | Event::ChannelRemoved) => {
                Self::done(None, &req::UPDATE_REMOVE_ABSENT)
            }
            (Choice::Remove, _) => Self::done(None, &req::UPDATE_REMOVE),
            (Choice::Leave, event) => Self {
                answer: FromNode::Ok,
                answers: &req::UPDATE_LEAVE,
                value: event.leaves(),
                keeps: &req::UPDATE_LEAVE_KEEPS,
            },
        }
    }

    fn done(value: Option<&'static [u8]>, rule: &'static Requirement) -> Self {
        Self {
            answer: FromNode::Ok,
            answers: rule,
            value,
            keeps: rule,
        }
    }
}

async fn meanwhile(ground: &Ground, event: Event, choice: Choice) -> Checked {
    if matches!(event, Event::ChannelRemoved) {
        ground.need_admin()?;
    }
    let mut link = ground.link().await?;
    let mut other = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let id = subject.read(&mut link, OLD).await?;
    event.happen(&mut other, &subject).await?;
    let due = Due::of(event, choice);
    let decision = choice.message();
    decide(&mut link, id, &decision, due.answers, &due.answer).await?;
    let sent = format!("Update: GetRecord, then {}", name(&decision));
    link.expect_nothing_more(id, due.answers, &sent).await?;
    let (rule, value) = (due.keeps, due.value);
    subject.holds(&mut other, rule, &sent, value).await
}

async fn identical(ground: &Ground) -> Checked {
    let mut link = ground.link().await?;
    let subject = Subject::stored(ground, &mut link).await?;
    let rule = &req::UPDATE_IDENTICAL;
    let id = subject.read(&mut link, OLD).await?;
    let decision = replace(OLD, OLD);
    decide(&mut link, id, &decision, rule, &FromNode::Ok).await?;
    let sent = "Update: GetRecord, then UpdateRecord with the same value";
    subject.holds(&mut link, rule, sent, Some(OLD)).await
}
