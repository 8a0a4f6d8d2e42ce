//! Bugs of the control messages of GetAll and Mirror: Suspend, Resume, Stop, and what is said about them.

use std::collections::{BTreeMap, BTreeSet};

use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::request::control::{ACK, Control};
use dht_protocol::neo::request::{REQUEST_VERSION, RequestCode, get_all, mirror};
use dht_protocol::neo::{RequestId, Violation};
use dht_requirements as req;

use super::mirror::is_change;
use crate::bugs::Bug;
use crate::bugs::fate::{
    Fate, answered, arriving, becoming, closing, held, instead, leaving, lost, twice,
};
use crate::bugs::message::{Message, answer, control, during, is_control};
use crate::bugs::reaction::{Reaction, broken};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{Frame, InputBug, Reading, input, request_id};

const GET_ALL: RequestCode = RequestCode::GetAll;
const MIRROR: RequestCode = RequestCode::Mirror;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "mirror-started-behind-data",
        description: "A Mirror says that it has started behind its first data.",
        breaks: &req::CTL_STARTED_FIRST,
        seam: || leaving(held(answer(mirror::FromNode::Started))),
    },
    Bug {
        name: "get-all-acknowledges-twice",
        description: "A GetAll acknowledges each control message twice.",
        breaks: &req::CTL_SUSPEND_ACKED,
        seam: || leaving(twice(answer(get_all::FromNode::Ack))),
    },
    Bug {
        name: "mirror-acks-twice",
        description: "A Mirror acknowledges control messages twice.",
        breaks: &req::CTL_SUSPEND_ACKED,
        seam: || leaving(twice(answer(mirror::FromNode::Ack))),
    },
    Bug {
        name: "control-not-acknowledged",
        description: "Suspend, Resume and Stop are obeyed and not acknowledged.",
        breaks: &req::CTL_RESUME_ACKED,
        seam: || {
            leaving(lost(|message| {
                is_stream(message) && message.payload == [ACK]
            }))
        },
    },
    Bug {
        name: "mirror-repeated-control-lost",
        description: "A Mirror ignores a control message that asks for what it does already.",
        breaks: &req::CTL_REPEATED_RESUME_ACKED,
        seam: || {
            let mut last = BTreeMap::new();
            arriving(lost(move |message| {
                if !message.is(MIRROR) {
                    return false;
                }
                let wanted = match message.number {
                    0 => control(Control::Resume).to_vec(),
                    _ => message.payload.to_vec(),
                };
                let before = last.insert(message.name(), wanted);
                !message.is_first() && before.as_deref() == Some(message.payload)
            }))
        },
    },
    Bug {
        name: "mirror-resume-ignored",
        description: "A Mirror acknowledges Resume and stays suspended.",
        breaks: &req::CTL_LAST_WINS,
        seam: || {
            let resume = |message: &Message<'_>| {
                message.is(MIRROR) && message.payload == control(Control::Resume)
            };
            arriving(instead(resume, control(Control::Suspend)))
        },
    },
    Bug {
        name: "get-all-second-resume-counts",
        description: "A second control message for a GetAll resumes it, whatever it is.",
        breaks: &req::CTL_LAST_WINS,
        seam: || {
            let second = |message: &Message<'_>| message.controls(GET_ALL) && message.number > 1;
            arriving(instead(second, control(Control::Resume)))
        },
    },
    Bug {
        name: "get-all-second-control-ends",
        description: "A GetAll ends with the second of its control messages, which it acknowledges.",
        breaks: &req::CTL_SUSPENSIONS_HARMLESS,
        seam: || {
            let second = |message: &Message<'_>| message.controls(GET_ALL) && message.number == 2;
            arriving(instead(second, control(Control::Stop)))
        },
    },
    Bug {
        name: "suspend-ignored",
        description: "Suspend is acknowledged, and data go on.",
        breaks: &req::GETALL_SUSPEND_BOUND,
        seam: || taken_for_resume(Control::Suspend),
    },
    Bug {
        name: "get-all-starves-control",
        description: "A GetAll does not look at control messages while it has records.",
        breaks: &req::CTL_NOT_STARVED,
        seam: || arriving(lost(|message| message.controls(GET_ALL))),
    },
    Bug {
        name: "get-all-control-for-first",
        description: "Control messages on a connection reach its first GetAll, whatever their id is.",
        breaks: &req::CTL_ONE_REQUEST,
        seam: || input(ForFirst::default()),
    },
    Bug {
        name: "mirror-control-quiets-others",
        description: "Once a Mirror has acknowledged a control message, others on its connection report no more changes.",
        breaks: &req::CTL_ONE_REQUEST,
        seam: || {
            let mut controlled = BTreeMap::new();
            leaving(lost(move |message| {
                if message.said() == Some(mirror::FromNode::Ack) {
                    controlled.insert(message.connection, message.id);
                }
                let controlled = controlled.get(&message.connection);
                is_change(message) && controlled.is_some_and(|id| *id != message.id)
            }))
        },
    },
    Bug {
        name: "stop-ignored",
        description: "Stop is acknowledged, and the request goes on.",
        breaks: &req::CTL_SILENT_AFTER_STOP,
        seam: || taken_for_resume(Control::Stop),
    },
    Bug {
        name: "mirror-overflow-behind-third-ack",
        description: "Behind every third Ack, be it that of Stop, a Mirror says that updates were lost.",
        breaks: &req::CTL_SILENT_AFTER_STOP,
        seam: || {
            let mut count = 0u32;
            leaving(becoming(
                move |message| {
                    let acknowledges = message.said() == Some(mirror::FromNode::Ack);
                    count += u32::from(acknowledges);
                    acknowledges && count.is_multiple_of(3)
                },
                |_| Fate::said([mirror::FromNode::Ack, mirror::FromNode::UpdateOverflow]),
            ))
        },
    },
    Bug {
        name: "mirror-id-not-freed",
        description: "A Mirror with an id that a Mirror of the connection had before costs the connection.",
        breaks: &req::CTL_STOP_FREES_ID,
        seam: || {
            let mut used = BTreeSet::new();
            arriving(closing(move |message| {
                message.begins(MIRROR) && !used.insert(message.name())
            }))
        },
    },
    Bug {
        name: "get-all-acknowledges-behind-finished",
        description: "A GetAll sends an Ack behind Finished.",
        breaks: &req::CTL_NO_ACK_AFTER_END,
        seam: || {
            leaving(becoming(answer(get_all::FromNode::Finished), |_| {
                Fate::said([get_all::FromNode::Finished, get_all::FromNode::Ack])
            }))
        },
    },
    Bug {
        name: "mirror-acks-behind-end",
        description: "A Mirror sends an Ack behind ChannelRemoved.",
        breaks: &req::CTL_NO_ACK_AFTER_END,
        seam: || {
            leaving(becoming(answer(mirror::FromNode::ChannelRemoved), |_| {
                Fate::said([mirror::FromNode::ChannelRemoved, mirror::FromNode::Ack])
            }))
        },
    },
    Bug {
        name: "get-all-control-closes",
        description: "A control message for a GetAll closes the connection.",
        breaks: &req::CTL_CROSSING_HARMLESS,
        seam: || arriving(closing(|message| message.controls(GET_ALL))),
    },
    Bug {
        name: "mirror-control-behind-removal-closes",
        description: "A control message for a Mirror costs the connection once any channel was removed.",
        breaks: &req::CTL_CROSSING_HARMLESS,
        seam: || {
            let mut removed = false;
            arriving(closing(move |message| {
                removed |= message.is(RequestCode::RemoveChannel);
                removed && message.controls(MIRROR)
            }))
        },
    },
    Bug {
        name: "get-all-end-not-over",
        description: "A GetAll does not end with the Ack of Finished.",
        breaks: &req::CTL_END_FREES_ID,
        seam: || {
            arriving(lost(|message| {
                message.is(GET_ALL) && !message.is_first() && message.payload == [ACK]
            }))
        },
    },
    Bug {
        name: "get-all-alone",
        description: "While a GetAll waits for the Ack of Finished, a request for a single record closes \
                      the connection.",
        breaks: &req::CTL_UNACKED_END_HARMLESS,
        seam: || arriving(closing(during(GET_ALL, RequestCode::Exists))),
    },
    Bug {
        name: "mirror-end-silences-connection",
        description: "Behind ChannelRemoved nothing more is sent on the connection.",
        breaks: &req::CTL_UNACKED_END_HARMLESS,
        seam: || {
            let mut ended = BTreeSet::new();
            leaving(lost(move |message| {
                let over = ended.contains(&message.connection);
                if message.said() == Some(mirror::FromNode::ChannelRemoved) {
                    ended.insert(message.connection);
                }
                over
            }))
        },
    },
    Bug {
        name: "unexpected-message-ignored",
        description: "A message that its request does not allow at that moment is ignored.",
        breaks: &req::CTL_UNDUE_ACK_CLOSES,
        seam: || broken(is_unexpected, Reaction::Ignore),
    },
    Bug {
        name: "get-all-surplus-control-resumes",
        description: "A control message for a GetAll with bytes behind it is taken for Resume.",
        breaks: &req::REQ_SURPLUS_ALL_OR_NOTHING,
        seam: || {
            let surplus = |message: &Message<'_>| {
                message.is(GET_ALL) && !message.is_first() && message.payload.len() > 1
            };
            arriving(instead(surplus, control(Control::Resume)))
        },
    },
    Bug {
        name: "get-all-surplus-control-ends",
        description: "A control message for a GetAll with bytes behind it ends it with Finished.",
        breaks: &req::REQ_SURPLUS_ALL_OR_NOTHING,
        seam: || answered(get_all::FromNode::Ack, get_all::FromNode::Finished),
    },
];

fn is_stream(message: &Message<'_>) -> bool {
    message.is(GET_ALL) || message.is(MIRROR)
}

fn is_unexpected(violation: &Violation) -> bool {
    matches!(violation, Violation::Unexpected { .. })
}

/// A stream that is asked for this hears Resume.
fn taken_for_resume(asked: Control) -> Seam {
    let asked = move |message: &Message<'_>| {
        is_stream(message) && !message.is_first() && message.payload == control(asked)
    };
    arriving(instead(asked, control(Control::Resume)))
}

/// Knows the first GetAll of the connection that it saw last.
#[derive(Default)]
struct ForFirst(Option<RequestId>);

impl InputBug for ForFirst {
    fn body(&mut self, _: &Frame, body: &mut Vec<u8>) -> Reading {
        let Some((id, payload)) = request_id(body) else {
            return Reading::Take;
        };
        let begins = payload.starts_with(&[GET_ALL as u8, REQUEST_VERSION]);
        match self.0 {
            Some(first) if is_control(payload) => {
                body[..ID_LEN].copy_from_slice(&first.get().to_le_bytes());
            }
            None if begins => self.0 = Some(id),
            _ => {}
        }
        Reading::Take
    }
}
