//! A record that is there, somebody on another connection who looks at it, and the verdict over what a
//! node does about a malformed request.

use bytes::Bytes;
use dht_protocol::neo::request::SupportedStatus;
use dht_protocol::{ChannelName, Key};
use dht_requirements::{self as req, Requirement};

use super::form::{Form, KEPT};
use crate::checks::Ground;
use crate::checks::bystander::harm;
use crate::unkept::{Checked, Outcome, broken};
use crate::wire::shown;
use crate::wire::{Heard, Link, Reaction};

/// A record, and a connection that nothing bad is sent on.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    ground: &'a Ground,
    witness: Link,
}

impl<'a> Scene<'a> {
    /// Connects and stores the record.
    pub(super) async fn arrive(ground: &'a Ground) -> Checked<Self> {
        let mut witness = ground.link().await?;
        let (channel, key) = (ground.channel(""), key(ground));
        witness.store(&channel, key, KEPT).await?;
        Ok(Self { ground, witness })
    }

    /// The connection of the witness.
    pub(super) fn witness(&mut self) -> &mut Link {
        &mut self.witness
    }

    /// The records of the channel.
    pub(super) async fn records(&mut self) -> Checked<Vec<(Key, Bytes)>> {
        let channel = self.ground.channel("");
        self.witness
            .all_records(&channel)
            .await
            .map_err(harm(&req::ROBUST_DROP_LOCAL, "on another connection"))
    }

    /// Channels of this check which nobody has created rightfully.
    pub(super) async fn strange_channels(&mut self) -> Checked<Vec<ChannelName>> {
        let ours = ["", "bystander", "sentinel"].map(|name| self.ground.channel(name));
        let mut names = self
            .witness
            .channels()
            .await
            .map_err(harm(&req::ROBUST_DROP_LOCAL, "on another connection"))?;
        names.retain(|name| self.ground.owns(name) && !ours.contains(name));
        Ok(names)
    }

    /// No record was changed, else `requirement` is broken.
    pub(super) async fn see_same_records(
        &mut self,
        requirement: &'static Requirement,
        sent: &str,
    ) -> Checked {
        let records = self.records().await?;
        let same = records == [(key(self.ground), Bytes::from_static(KEPT))];
        let expected = ["the records stay as they are"];
        self.ground.expect(requirement, sent, &expected, same, || {
            format!("the records are now {records:?}")
        })
    }

    /// No channel was created, else `requirement` is broken.
    pub(super) async fn see_no_channel(
        &mut self,
        requirement: &'static Requirement,
        sent: &str,
    ) -> Checked {
        let strange = self.strange_channels().await?;
        let expected = ["no channel is created"];
        self.ground
            .expect(requirement, sent, &expected, strange.is_empty(), || {
                format!("there are now the channels {strange:?}")
            })
    }
}

/// The key of the record. Its highest byte, the last on the wire, is 0 if there is such a key: a node that
/// takes missing bytes for zeros finds the record.
pub(super) fn key(ground: &Ground) -> Key {
    let mut keys = (1..4096).map(|number| ground.key(number));
    keys.find(|key| key.0 >> 56 == 0)
        .unwrap_or_else(|| ground.key(1))
}

/// A channel that does not exist. Its name is so long that half a request ends within it.
pub(super) fn absent(ground: &Ground) -> ChannelName {
    ground.channel(&"absent".repeat(20))
}

/// A well-formed first message, on the record if it changes something, else on a channel that is absent.
pub(super) fn opening(ground: &Ground, form: Form) -> Vec<u8> {
    match form {
        Form::Put | Form::Remove | Form::RemoveChannel | Form::UpdateRecord => {
            form.opening(&ground.channel(""), key(ground))
        }
        _ => form.opening(&absent(ground), key(ground)),
    }
}

/// What [`expect_refusal`] looks at.
pub(super) static RULES: [&Requirement; 4] = [
    &req::REQ_TRUNCATED_NO_SUCCESS,
    &req::REQ_TRUNCATED_NO_EFFECT,
    &req::REQ_MALFORMED_CLOSES,
    &req::REQ_MALFORMED_STATUS,
];

/// Sends a malformed first message, described by `sent`, on a connection of its own. It must do nothing
/// and not succeed, and should close the connection.
pub(super) async fn expect_refusal(
    ground: &Ground,
    form: Form,
    opening: &[u8],
    sent: &str,
) -> Checked {
    let mut scene = Scene::arrive(ground).await?;
    let mut link = ground.link().await?;
    let (first, reaction) = open_malformed(&mut link, opening).await;
    if let Reaction::Answered(payload) = &reaction
        && !form.is_failure(payload)
        && SupportedStatus::decode(payload).is_err()
    {
        let expected = ["the connection closed", "no answer", "an answer of failure"];
        let (rule, observed) = (&req::REQ_TRUNCATED_NO_SUCCESS, shown(payload));
        return Err(broken(rule, Outcome::Answer, sent, &expected, observed));
    }
    let effect = &req::REQ_TRUNCATED_NO_EFFECT;
    scene.see_same_records(effect, sent).await?;
    scene.see_no_channel(effect, sent).await?;
    ground.note("Reaction to a malformed request", reaction.name());
    if is_supported(&first) {
        return expect_end(&reaction, sent);
    }
    let expected = ["supported (fd) before anything else"];
    let (rule, outcome) = (&req::REQ_MALFORMED_STATUS, first.outcome());
    Err(broken(rule, outcome, sent, &expected, first.to_string()))
}

/// Sends a first message that may be malformed. What comes first, and what the node does about the message
/// besides saying that the request is supported.
pub(super) async fn open_malformed(link: &mut Link, opening: &[u8]) -> (Heard, Reaction) {
    let id = link.open(opening).await;
    // Nothing is sent behind it yet: bytes that the node has not read when it closes may cost the answer.
    let first = link.hear(id).await;
    let reaction = match &first {
        Heard::Message(status) if !is_supported(&first) => Reaction::Answered(status.clone()),
        Heard::Message(_) | Heard::Silence => link.reaction(id).await,
        Heard::Closed(closing) => Reaction::Closed(*closing),
    };
    (first, reaction)
}

fn is_supported(heard: &Heard) -> bool {
    matches!(heard, Heard::Message(status) if status[..] == SupportedStatus::Supported.encode())
}

/// Whoever sent a malformed request learns that nothing will come.
fn expect_end(reaction: &Reaction, sent: &str) -> Checked {
    let outcome = match reaction {
        Reaction::Closed(_) | Reaction::Answered(_) => return Ok(()),
        Reaction::Ignored => Outcome::Open,
        Reaction::Stuck => Outcome::Silence,
    };
    let expected = ["the node closes the connection"];
    let observed = format!(
        "the node {}: the client would wait for ever",
        reaction.name()
    );
    let rule = &req::REQ_MALFORMED_CLOSES;
    Err(broken(rule, outcome, sent, &expected, observed))
}
