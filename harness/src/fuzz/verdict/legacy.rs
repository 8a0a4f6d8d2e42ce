//! What a node did about something wrong that was said in the legacy protocol, and whether that is right.

use dht_model::{Action, Answer, Operation};
use dht_protocol::legacy::{self, Status};
use dht_requirements::{self as req, Requirement};
use dht_workload::case::Defect;
use dht_workload::sim::legacy::Client;
use dht_workload::world::{Ending, Happening, Ticket, Violation};

use super::{After, Allowed};
use crate::wire::shown;

/// What a node did about something wrong.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::fuzz) struct Reaction {
    /// What the order asked for, if it was a whole operation.
    pub(in crate::fuzz) operation: Option<Operation>,
    /// How many GetVersions stood before it.
    pub(in crate::fuzz) before: usize,
    /// What the node said, without the answer to what shows whether the connection goes on.
    pub(in crate::fuzz) heard: Vec<u8>,
    /// What became of the connection.
    pub(in crate::fuzz) after: After,
}

impl Reaction {
    /// What was said to the order itself; none if the answers to those before it did not come.
    fn answer(&self) -> Option<&[u8]> {
        self.heard
            .strip_prefix(version().repeat(self.before).as_slice())
    }
}

/// The answer to a GetVersion.
pub(in crate::fuzz) fn version() -> Vec<u8> {
    let mut bytes = Vec::new();
    legacy::Answer::version().encode(&mut bytes);
    bytes
}

/// The verdict over a reaction: how the step ended, or what was broken.
pub(in crate::fuzz) fn verdict(defect: Defect, reaction: &Reaction) -> Result<Ending, Violation> {
    let Reaction { heard, after, .. } = reaction;
    let broken = |requirement| Err(wrong(requirement, defect, reaction));
    let nothing = || Ok(Ending::Nothing("as it should be".to_owned()));
    let unknown = || Ok(Ending::Unknown(format!("{defect}: it may have happened")));
    let says = |status: Status| *heard == status.code().to_le_bytes();
    match (Allowed::about(defect), after) {
        (Allowed::Closed(_), After::Closed) if heard.is_empty() => match defect {
            // Of such a batch anything may be stored.
            Defect::LegacyBatchSize | Defect::LegacyBatchImmense | Defect::LegacyBatchEntries => {
                unknown()
            }
            _ => nothing(),
        },
        // Here the client has sent nothing more.
        (Allowed::Closed(_), After::Stuck) if ends_input(defect) && heard.is_empty() => {
            broken(&req::LEG_CONN_HALF_CLOSE_CLOSED)
        }
        (Allowed::Closed(requirement), _) => broken(requirement),
        (Allowed::Refusal(_, status), After::Alive) if says(status) => nothing(),
        (Allowed::Refusal(_, status), After::Closed) if says(status) => {
            broken(&req::LEG_CONN_GOES_ON)
        }
        (Allowed::Refusal(_, status), _) if heard.starts_with(&status.code().to_le_bytes()) => {
            broken(&req::LEG_ANSWER_NO_BODY)
        }
        (Allowed::Refusal(requirement, _), After::Closed) if heard.is_empty() => {
            broken(match defect {
                Defect::LegacyLargeValue => &req::LEG_PUT_TOO_BIG_READ,
                _ => requirement,
            })
        }
        (Allowed::Refusal(requirement, _), _) => broken(requirement),
        (Allowed::ClosedOr(..) | Allowed::ClosedOrServed(_), After::Closed) if heard.is_empty() => {
            nothing()
        }
        (Allowed::ClosedOr(_, status), After::Alive) if says(status) => nothing(),
        (Allowed::ClosedOr(requirement, _), _) => broken(requirement),
        (Allowed::ClosedOrServed(_), After::Alive)
            if heard.starts_with(&Status::Ok.code().to_le_bytes()) =>
        {
            nothing()
        }
        (Allowed::ClosedOrServed(requirement), _) => broken(requirement),
        (Allowed::Ends(_), After::Closed) => nothing(),
        (Allowed::Ends(_), _) => broken(&req::LEG_CONN_HALF_CLOSE_CLOSED),
        (Allowed::Answered(_), After::Closed) if defect == Defect::LegacyBeforeUnknown => {
            before_unknown(defect, reaction)
        }
        // What is answered in part was understood.
        (Allowed::Answered(_), After::Closed | After::Stuck)
        | (Allowed::Served(_), After::Stuck)
            if reaction.answer().is_some_and(|answer| !answer.is_empty())
                && answered(defect, reaction, &req::LEG_ANSWER_COMPLETE).is_err() =>
        {
            broken(&req::LEG_ANSWER_COMPLETE)
        }
        (Allowed::Answered(requirement), After::Closed) => answered(defect, reaction, requirement),
        (Allowed::Answered(_), _) => broken(match defect {
            Defect::LegacyBeforeUnknown => &req::LEG_CONN_UNKNOWN_COMMAND,
            _ => &req::LEG_CONN_HALF_CLOSE_CLOSED,
        }),
        (Allowed::Served(requirement), After::Alive) => answered(defect, reaction, requirement),
        (Allowed::Served(requirement), _) => broken(requirement),
        (Allowed::Harmless(_), _) => match defect {
            Defect::LegacyCut => nothing(),
            _ => unknown(),
        },
        // These are of neo.
        (Allowed::Status(..) | Allowed::Refused(_) | Allowed::Anything(_), _) => unknown(),
    }
}

/// Does the client send nothing more behind what is wrong?
fn ends_input(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::LegacyTruncated | Defect::LegacyLongArray | Defect::LegacyImmenseArray
    )
}

/// The order was carried out, but its answer may have been lost.
fn before_unknown(defect: Defect, reaction: &Reaction) -> Result<Ending, Violation> {
    let whole = answered(defect, reaction, &req::LEG_CONN_UNKNOWN_BEFORE);
    let ok = Status::Ok.code().to_le_bytes();
    // Nothing, or the beginning of an answer of an order that was carried out.
    let heard = reaction.heard.as_slice();
    let part = ok.starts_with(heard) || heard.starts_with(&ok);
    let is_lost =
        |violation: &Violation| part && violation.requirement.id == req::LEG_CONN_UNKNOWN_BEFORE.id;
    if !whole.as_ref().is_err_and(is_lost) {
        return whole;
    }
    let done = match &reaction.operation {
        Some(Operation::Record { action, .. }) => match action {
            Action::Put(_) => Some(Answer::Stored),
            Action::Remove => Some(Answer::Gone),
            _ => None,
        },
        Some(Operation::PutBatch { .. }) => Some(Answer::Stored),
        Some(Operation::RemoveChannel { .. }) => Some(Answer::ChannelRemoved),
        _ => None,
    };
    Ok(match done {
        Some(answer) => Ending::Answer(answer),
        None => Ending::Nothing("its answer was lost".to_owned()),
    })
}

/// The order was answered: how, for the model to judge. What else is said breaks `requirement`.
fn answered(
    defect: Defect,
    reaction: &Reaction,
    requirement: &'static Requirement,
) -> Result<Ending, Violation> {
    let broken = || wrong(requirement, defect, reaction);
    let (Some(answer), Some(operation)) = (reaction.answer(), reaction.operation.clone()) else {
        return Err(broken());
    };
    let mut client = Client::default();
    client.connected();
    client.begin(Ticket(0), operation);
    client.output().clear();
    // Whether a client would close the connection now says nothing of the node.
    let _ = client.received(answer);
    match (client.next_happening(), client.next_happening()) {
        (Some(Happening::Violation(violation)), _) | (_, Some(Happening::Violation(violation))) => {
            Err(violation)
        }
        (Some(Happening::Ended(_, ending)), _) => Ok(ending),
        _ => Err(broken()),
    }
}

fn wrong(requirement: &'static Requirement, defect: Defect, reaction: &Reaction) -> Violation {
    let said = match reaction.heard.as_slice() {
        [] => "nothing".to_owned(),
        heard => shown(heard),
    };
    let after = reaction.after.words();
    Violation {
        requirement,
        text: format!("{defect}: the node said {said}, and the connection {after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = &[200, 0, 0, 0];
    const BAD_NAME: &[u8] = &[0x99, 1, 0, 0];
    const ERROR: &[u8] = &[0xf4, 1, 0, 0];

    fn reacted(defect: Defect, heard: &[u8], after: After) -> Result<Ending, Violation> {
        let put = Action::Put("v".into());
        let reaction = Reaction {
            operation: Some(Operation::record("c", dht_protocol::Key(1), put)),
            before: usize::from(defect == Defect::LegacyPipelined),
            heard: heard.to_vec(),
            after,
        };
        verdict(defect, &reaction)
    }

    #[test]
    fn each_defect_allows_what_the_specification_allows() {
        use After::{Alive, Closed, Stuck};
        let with_body = [BAD_NAME, &[0; 8]].concat();
        for (defect, heard, after, requirement) in [
            (Defect::LegacyUnknownCommand, &[][..], Closed, None),
            (
                Defect::LegacyUnknownCommand,
                ERROR,
                Closed,
                Some(&req::LEG_CONN_UNKNOWN_COMMAND),
            ),
            (
                Defect::LegacyUnknownCommand,
                &[],
                Alive,
                Some(&req::LEG_CONN_UNKNOWN_COMMAND),
            ),
            (
                Defect::LegacyTruncated,
                &[],
                Stuck,
                Some(&req::LEG_CONN_HALF_CLOSE_CLOSED),
            ),
            (
                Defect::LegacyTruncated,
                ERROR,
                Closed,
                Some(&req::LEG_CONN_CUT_OFF),
            ),
            (Defect::LegacyBadName, BAD_NAME, Alive, None),
            (Defect::LegacyBadName, OK, Alive, Some(&req::LEG_NAME_BAD)),
            (
                Defect::LegacyBadName,
                BAD_NAME,
                Closed,
                Some(&req::LEG_CONN_GOES_ON),
            ),
            (
                Defect::LegacyBadName,
                &with_body,
                Alive,
                Some(&req::LEG_ANSWER_NO_BODY),
            ),
            (Defect::LegacyBadKey, &[], Closed, None),
            (Defect::LegacyBadKey, OK, Alive, None),
            (
                Defect::LegacyBadKey,
                ERROR,
                Alive,
                Some(&req::LEG_KEY_MALFORMED),
            ),
            (Defect::LegacyRedistributeRange, ERROR, Alive, None),
            (
                Defect::LegacyRedistributeRange,
                OK,
                Alive,
                Some(&req::LEG_REDIST_INVALID),
            ),
            (Defect::LegacyHalfClose, OK, Closed, None),
            (
                Defect::LegacyHalfClose,
                &[],
                Closed,
                Some(&req::LEG_CONN_HALF_CLOSE_ANSWERED),
            ),
            (
                Defect::LegacyHalfClose,
                OK,
                Stuck,
                Some(&req::LEG_CONN_HALF_CLOSE_CLOSED),
            ),
            (Defect::LegacyGarbage, OK, Closed, None),
            (
                Defect::LegacyTrickled,
                &[200, 0],
                Stuck,
                Some(&req::LEG_ANSWER_COMPLETE),
            ),
            (
                Defect::LegacyPipelined,
                &[200],
                Stuck,
                Some(&req::LEG_CONN_PIPELINING),
            ),
            (
                Defect::LegacyTrickled,
                &[],
                Closed,
                Some(&req::LEG_CONN_PIECES),
            ),
        ] {
            let broken = reacted(defect, heard, after).err();
            let broken = broken.map(|violation| violation.requirement.id);
            assert_eq!(
                broken,
                requirement.map(|rule| rule.id),
                "{defect} {heard:?}"
            );
        }
    }

    #[test]
    fn what_is_served_is_answered_in_the_words_of_the_model() {
        let stored = Ok(Ending::Answer(Answer::Stored));
        let alive = After::Alive;
        assert_eq!(reacted(Defect::LegacyTrickled, OK, alive), stored);
        let pipelined = [version(), OK.to_vec()].concat();
        assert_eq!(reacted(Defect::LegacyPipelined, &pipelined, alive), stored);
        let closed = After::Closed;
        assert_eq!(reacted(Defect::LegacyBeforeUnknown, &[], closed), stored);
        let surplus = reacted(Defect::LegacyTrickled, &[OK, &[0]].concat(), alive);
        let rule = surplus.unwrap_err().requirement.id;
        assert_eq!(rule, req::LEG_ANSWER_NOTHING_MORE.id);
    }
}
