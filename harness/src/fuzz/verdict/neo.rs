//! What a node of the neo protocol did about something wrong, and whether that is right.

use bytes::Bytes;
use dht_protocol::neo::request::control::ACK;
use dht_protocol::neo::request::{
    RequestCode, SupportedStatus, exists, get, get_all, get_channels, mirror, put, remove,
    remove_channel, update,
};
use dht_requirements::{self as req, Requirement};
use dht_workload::case::Defect;
use dht_workload::world::{Ending, Violation};

use super::{After, Allowed};
use crate::fuzz::forgery::neo::CONTROLS;
use crate::wire::shown;

/// What a node did about something wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::fuzz) struct Reaction {
    /// What it said with the id of what was wrong.
    pub(in crate::fuzz) heard: Vec<Bytes>,
    /// What became of the connection.
    pub(in crate::fuzz) after: After,
}

/// The verdict over a reaction: how the step ended, or what was broken.
pub(in crate::fuzz) fn verdict(
    defect: Defect,
    code: RequestCode,
    reaction: &Reaction,
) -> Result<Ending, Violation> {
    let Reaction { heard, after } = reaction;
    let allowed = Allowed::about(defect);
    let says = || match heard.as_slice() {
        [] => "nothing".to_owned(),
        [first, ..] => format!("{} messages, the first {}", heard.len(), shown(first)),
    };
    let wrong = |requirement: &'static Requirement| Violation {
        requirement,
        text: format!(
            "{defect}: the node said {}, and the connection {}",
            says(),
            after.words()
        ),
    };
    let nothing = || Ok(Ending::Nothing("as it should be".to_owned()));
    let unknown = || Ok(Ending::Unknown(format!("{defect}: it may have happened")));
    let supported = SupportedStatus::Supported.encode();
    let supported_first = heard.first().is_some_and(|first| first[..] == supported);
    let answered = match defect {
        Defect::HastyControl => heard.iter().filter(|said| said[..] == [ACK]).count() == CONTROLS,
        _ => supported_first && heard.len() > 1,
    };
    // A Mirror whose channel is removed meanwhile ignores what else it is told, and awaits an Ack.
    let ended = code == RequestCode::Mirror
        && heard
            .iter()
            .any(|said| mirror::FromNode::decode(said) == Ok(mirror::FromNode::ChannelRemoved));
    match (allowed, after) {
        (_, After::Closed | After::Alive) if ended && is_on_running(defect) => unknown(),
        // Here a legal message came first, and was answered.
        (Allowed::Closed(_), After::Closed) if legal_before(defect) => unknown(),
        (Allowed::Closed(_), After::Closed) if heard.is_empty() => nothing(),
        // Something stands in the body, and only its status was said.
        (Allowed::Closed(_), After::Closed)
            if defect == Defect::UnknownUpdateType && heard.len() == 1 =>
        {
            nothing()
        }
        (Allowed::Closed(_), _) if defect == Defect::BehindWrongHeader && !heard.is_empty() => {
            Err(wrong(&req::FRAME_BEHIND_WRONG_DISCARDED))
        }
        (Allowed::Closed(_), After::Closed) => Err(wrong(&req::FRAME_DROP_SILENT)),
        (Allowed::Closed(requirement), _) => Err(wrong(requirement)),
        (Allowed::Status(requirement, status), After::Alive) => match heard.as_slice() {
            [only] if only[..] == status.encode() => nothing(),
            [first, ..] if first[..] == status.encode() => Err(wrong(&req::MUX_UNSUPPORTED_SILENT)),
            _ => Err(wrong(requirement)),
        },
        (Allowed::Status(..), _) => Err(wrong(&req::MUX_UNSUPPORTED_STAYS_OPEN)),
        (Allowed::Refused(requirement), after) => {
            let status = heard.first().is_none_or(|first| first[..] == supported);
            let fails = |payload: &Bytes| is_failure(code, payload);
            match (status, &heard.get(1..).unwrap_or_default(), after) {
                (false, ..) => Err(wrong(&req::REQ_MALFORMED_STATUS)),
                (true, [], After::Closed) => nothing(),
                (true, [], _) if defect == Defect::BadBool => Err(wrong(requirement)),
                (true, [], _) => Err(wrong(&req::REQ_MALFORMED_CLOSES)),
                (true, [only], _) if fails(only) => nothing(),
                (true, ..) => Err(wrong(requirement)),
            }
        }
        (Allowed::Anything(_), After::Stuck) => Err(wrong(&req::ROBUST_FAILURE_LOCAL)),
        (Allowed::Anything(_), _) => unknown(),
        (Allowed::Served(_), After::Alive) if answered => unknown(),
        (Allowed::Served(requirement), _) => Err(wrong(requirement)),
        (Allowed::Answered(requirement), After::Closed) => match answered {
            true => unknown(),
            false => Err(wrong(requirement)),
        },
        (Allowed::Answered(_), _) => Err(wrong(&req::ROBUST_HALF_CLOSE_CLOSED)),
        (Allowed::Harmless(_), _) if defect == Defect::ClosedUnread || defect == Defect::Reset => {
            unknown()
        }
        (Allowed::Harmless(_), _) => nothing(),
        // These are of the legacy protocol.
        (
            Allowed::Refusal(..)
            | Allowed::ClosedOr(..)
            | Allowed::ClosedOrServed(_)
            | Allowed::Ends(_),
            _,
        ) => unknown(),
    }
}

/// Does the defect concern a Mirror that runs?
fn is_on_running(defect: Defect) -> bool {
    matches!(
        defect,
        Defect::UnknownControl | Defect::UndueAck | Defect::EmptyControl | Defect::HastyControl
    )
}

/// Does the defect come behind a request that is carried out?
fn legal_before(defect: Defect) -> bool {
    matches!(defect, Defect::WordAfterEnd | Defect::UnknownDecision) || is_on_running(defect)
}

/// Does an answer say that the request was not carried out?
fn is_failure(code: RequestCode, payload: &[u8]) -> bool {
    use RequestCode::{
        Exists, Get, GetAll, GetChannels, GetHashRange, Mirror, Put, Remove, RemoveChannel, Update,
    };
    match code {
        GetHashRange => false,
        Put => matches!(
            put::Reply::decode(payload),
            Ok(put::Reply::Error | put::Reply::WrongNode)
        ),
        Get => matches!(
            get::Reply::decode(payload),
            Ok(get::Reply::Error | get::Reply::WrongNode)
        ),
        Exists => matches!(
            exists::Reply::decode(payload),
            Ok(exists::Reply::Error | exists::Reply::WrongNode)
        ),
        Remove => matches!(
            remove::Reply::decode(payload),
            Ok(remove::Reply::Error | remove::Reply::WrongNode)
        ),
        RemoveChannel => matches!(
            remove_channel::Reply::decode(payload),
            Ok(remove_channel::Reply::Error | remove_channel::Reply::NotPermitted)
        ),
        GetChannels => get_channels::FromNode::decode(payload) == Ok(get_channels::FromNode::Error),
        Mirror => mirror::FromNode::decode(payload) == Ok(mirror::FromNode::Error),
        GetAll => get_all::FromNode::decode(payload) == Ok(get_all::FromNode::Error),
        Update => matches!(
            update::FromNode::decode(payload),
            Ok(update::FromNode::Error | update::FromNode::WrongNode)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaction(heard: &[&[u8]], after: After) -> Reaction {
        Reaction {
            heard: heard
                .iter()
                .map(|said| Bytes::copy_from_slice(said))
                .collect(),
            after,
        }
    }

    fn broken(defect: Defect, heard: &[&[u8]], after: After) -> Option<&'static str> {
        let verdict = verdict(defect, RequestCode::Put, &reaction(heard, after));
        verdict.err().map(|violation| violation.requirement.id)
    }

    #[test]
    fn each_defect_allows_what_the_specification_allows() {
        let fd: &[u8] = &[0xfd];
        for (defect, heard, after, requirement) in [
            (Defect::BadParity, &[][..], After::Closed, None),
            (
                Defect::BadParity,
                &[],
                After::Alive,
                Some(&req::FRAME_PARITY_CHECKED),
            ),
            (
                Defect::BadParity,
                &[fd],
                After::Closed,
                Some(&req::FRAME_DROP_SILENT),
            ),
            (Defect::UnknownCode, &[&[0xff]], After::Alive, None),
            (
                Defect::UnknownCode,
                &[fd],
                After::Alive,
                Some(&req::MUX_UNKNOWN_CODE),
            ),
            (
                Defect::UnknownCode,
                &[&[0xff], &[1]],
                After::Alive,
                Some(&req::MUX_UNSUPPORTED_SILENT),
            ),
            (Defect::Truncated, &[fd], After::Closed, None),
            (
                Defect::Truncated,
                &[fd],
                After::Alive,
                Some(&req::REQ_MALFORMED_CLOSES),
            ),
            (
                Defect::Truncated,
                &[fd, &[1]],
                After::Closed,
                Some(&req::REQ_TRUNCATED_NO_SUCCESS),
            ),
            (Defect::Surplus, &[fd, &[1]], After::Alive, None),
            (
                Defect::Surplus,
                &[fd],
                After::Stuck,
                Some(&req::ROBUST_FAILURE_LOCAL),
            ),
            (Defect::Trickled, &[fd, &[1]], After::Alive, None),
            (
                Defect::Trickled,
                &[],
                After::Closed,
                Some(&req::FRAME_SPLIT),
            ),
            (Defect::HalfClose, &[fd, &[1]], After::Closed, None),
            (
                Defect::HalfClose,
                &[fd, &[1]],
                After::Stuck,
                Some(&req::ROBUST_HALF_CLOSE_CLOSED),
            ),
        ] {
            let found = broken(defect, heard, after);
            assert_eq!(found, requirement.map(|rule| rule.id), "{defect} {heard:?}");
        }
    }
}
