//! What a node did that the protocol forbids, and the requirement that it breaks.

use std::fmt;

use dht_protocol::legacy;
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::monitor::{Breach, Wrong};
use dht_protocol::neo::request::RequestCode;
use dht_requirements::{self as req, Requirement};

/// Something that the protocol forbids.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The requirement that it breaks.
    pub requirement: &'static Requirement,
    /// Where and how.
    pub text: String,
}

/// What a client says that it cannot understand.
impl From<String> for Violation {
    fn from(text: String) -> Self {
        Self {
            requirement: &req::REQ_ANSWER_DEFINED,
            text,
        }
    }
}

impl Violation {
    /// What a legacy client cannot understand.
    pub(crate) fn of_legacy(violation: &legacy::Violation) -> Self {
        use legacy::Violation::{Batch, Boolean, Key, Range, UnknownStatus};
        let requirement = match violation {
            UnknownStatus { .. } => &req::LEG_ANSWER_STATUS,
            Key { .. } => &req::LEG_KEY_DIGITS,
            Range { .. } => &req::LEG_RANGE_VALID,
            Boolean { .. } => &req::LEG_EXISTS_BYTE,
            Batch { .. } => &req::LEG_BATCH_SIZE,
            _ => &req::LEG_ANSWER_COMPLETE,
        };
        Self {
            requirement,
            text: format!("it broke the protocol: {violation}"),
        }
    }

    /// What the wire monitor says, if it is about the node. If it is about our own client, that is an error
    /// of this program, and no node is to be judged by it.
    pub fn of_node(breach: Breach) -> Option<Self> {
        debug_assert_eq!(breach.side, Side::Node, "{breach}");
        // What a client would say too is said in its words, so that a case fails with the same ones however
        // it is run.
        let text = match &breach.what {
            Wrong::Violation(violation) => format!("it broke the protocol: {violation}"),
            _ => breach.to_string(),
        };
        (breach.side == Side::Node).then(|| Self {
            requirement: requirement(&breach),
            text,
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn requirement(breach: &Breach) -> &'static Requirement {
    match (&breach.what, breach.request) {
        (Wrong::ZeroId | Wrong::NothingOpen, _) => &req::MUX_NODE_STARTS_NOTHING,
        (Wrong::Over(last), _) if last.is_unsupported() => &req::REQ_UNSUPPORTED_ENDS,
        (Wrong::Over(last), _) if last.is_stopped() => &req::CTL_SILENT_AFTER_STOP,
        (Wrong::Over(_), _) => &req::REQ_ANSWER_LAST,
        (Wrong::BehindFinal { message: "Ack" }, _) => &req::CTL_NO_ACK_AFTER_END,
        (Wrong::BehindFinal { .. }, _) => &req::REQ_ANSWER_LAST,
        (Wrong::Suspended { .. }, Some(RequestCode::Mirror)) => &req::MIRROR_SUSPEND_BOUND,
        (Wrong::Suspended { .. }, _) => &req::GETALL_SUSPEND_BOUND,
        // The rest is what the halves say, and clients too.
        _ => &req::REQ_ANSWER_DEFINED,
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::monitor::Monitor;

    use super::*;

    const GET_ALL: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0\0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const MIRROR: &[u8] = b"\x04\0\0\x01\0\0\0\0\0\0\0c\0\0\0\0\0";
    const DELETED: &[u8] = b"\x08\x01\0\0\0\0\0\0\0";

    /// What the node breaks with its last message; the client's are those at even places.
    fn broken(said: &[&[u8]]) -> &'static Requirement {
        let mut monitor = Monitor::new();
        let mut breach = None;
        for message in said {
            assert_eq!(breach, None, "{message:?}");
            let (side, payload) = message.split_at(1);
            breach = match side {
                b">" => monitor.sent(1, payload).err(),
                _ => monitor.received(1, payload).err(),
            };
        }
        Violation::of_node(breach.unwrap()).unwrap().requirement
    }

    fn running<'a>(opening: &'a [u8], said: &[&'a [u8]]) -> Vec<Vec<u8>> {
        let opening = [b">", opening].concat();
        let begun = [opening, b"<\xfd".to_vec(), b"<\x05".to_vec()];
        let said = said.iter().map(|message| message.to_vec());
        begun.into_iter().chain(said).collect()
    }

    #[test]
    fn each_rule_has_its_requirement() {
        let deleted = [b"<", DELETED].concat();
        let stop: &[&[u8]] = &[b">\x03", b"<\x04", b"<\x04"];
        let end: &[&[u8]] = &[b"<\x08", b"<\x04"];
        let suspended: &[&[u8]] = &[b">\x01", b"<\x04", &deleted, &deleted];
        for (said, requirement) in [
            (vec![b"<\xfd".to_vec()], &req::MUX_NODE_STARTS_NOTHING),
            (running(GET_ALL, stop), &req::CTL_SILENT_AFTER_STOP),
            (running(GET_ALL, end), &req::CTL_NO_ACK_AFTER_END),
            (running(MIRROR, suspended), &req::MIRROR_SUSPEND_BOUND),
            (running(GET_ALL, &[b"<\x04"]), &req::REQ_ANSWER_DEFINED),
            (
                vec![
                    [b">", GET_ALL].concat(),
                    b"<\xff".to_vec(),
                    b"<\xfd".to_vec(),
                ],
                &req::REQ_UNSUPPORTED_ENDS,
            ),
            (
                vec![
                    b">\x06\0".to_vec(),
                    b"<\xfd".to_vec(),
                    b"<\x03".to_vec(),
                    b"<\x03".to_vec(),
                ],
                &req::REQ_ANSWER_LAST,
            ),
        ] {
            let said: Vec<_> = said.iter().map(Vec::as_slice).collect();
            assert_eq!(broken(&said), requirement, "{said:?}");
        }
    }
}
