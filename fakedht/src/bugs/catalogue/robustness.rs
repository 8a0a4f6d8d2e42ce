//! Bugs of what a node does about broken rules, ends of connections and slow clients: it crashes, or lets
//! others suffer for them.

use dht_protocol::neo::Violation;
use dht_protocol::neo::forge::REQUEST;
use dht_protocol::neo::request::RequestCode;
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::fate::{arriving, crashing};
use crate::bugs::reaction::{Admission, Arrival, HalfClose, Reaction, accepting, broken, hung_up};
use crate::bugs::seam::Seam;
use crate::bugs::wire::{Phase, headers_skipped};

/// Has a rule of this kind been broken?
macro_rules! breach {
    ($($kind:pat_param)|+) => {
        |violation: &Violation| matches!(violation, $($kind)|+)
    };
}

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "huge-length-crashes",
        description: "A header that announces far too many bytes makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::TooLong { .. }), Reaction::Crash),
    },
    Bug {
        name: "request-without-id-crashes",
        description: "A request message that is too short for a request id makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::NoRequestId { .. }), Reaction::Crash),
    },
    Bug {
        name: "id-zero-crashes",
        description: "Request id 0 makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::ZeroRequestId), Reaction::Crash),
    },
    Bug {
        name: "no-command-crashes",
        description: "The first message of a request that has no code and version makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::NoCommand { .. }), Reaction::Crash),
    },
    Bug {
        name: "login-malformed-crashes",
        description: "A malformed message of the authentication makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::Authentication { .. }), Reaction::Crash),
    },
    Bug {
        name: "malformed-request-crashes",
        description: "A malformed message of a request makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::Malformed { .. }), Reaction::Crash),
    },
    Bug {
        name: "unexpected-message-crashes",
        description: "A message that its request does not allow at that moment makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::Unexpected { .. }), Reaction::Crash),
    },
    Bug {
        name: "too-many-requests-crash",
        description: "A request beyond the limit of a connection makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || broken(breach!(Violation::TooManyRequests { .. }), Reaction::Crash),
    },
    Bug {
        name: "unknown-request-crashes",
        description: "A request with an unknown code makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || arriving(crashing(|message| message.is_unknown())),
    },
    Bug {
        name: "get-channels-behind-removal-crashes",
        description: "A GetChannels that comes directly behind a RemoveChannel makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || {
            let mut removal = false;
            arriving(crashing(move |message| {
                let now = message.is(RequestCode::RemoveChannel);
                std::mem::replace(&mut removal, now) && message.is(RequestCode::GetChannels)
            }))
        },
    },
    Bug {
        name: "hanging-up-with-requests-crashes",
        description: "A connection that ends while requests are active on it makes the node crash.",
        breaks: &req::ROBUST_SURVIVES,
        seam: || hung_up(|departure| departure.active > 0, Reaction::Crash),
    },
    Bug {
        name: "version-mismatch-closes-all",
        description: "A wrong version byte makes the node close all connections.",
        breaks: &req::ROBUST_DROP_LOCAL,
        seam: || {
            let which = breach!(Violation::Version { .. } | Violation::EarlyBytes { .. });
            broken(which, Reaction::CloseAll)
        },
    },
    Bug {
        name: "header-error-closes-all",
        description: "A header with a wrong parity or type makes the node close all connections.",
        breaks: &req::ROBUST_DROP_LOCAL,
        seam: || {
            let which = breach!(
                Violation::Parity { .. } | Violation::MessageType { .. } | Violation::Phase { .. }
            );
            broken(which, Reaction::CloseAll)
        },
    },
    Bug {
        name: "refusal-closes-all",
        description: "A client that is refused makes the node close all connections.",
        breaks: &req::ROBUST_DROP_LOCAL,
        seam: || broken(breach!(Violation::Refused(_)), Reaction::CloseAll),
    },
    Bug {
        name: "malformed-request-closes-all",
        description: "A malformed message of a request makes the node close all connections.",
        breaks: &req::ROBUST_DROP_LOCAL,
        seam: || broken(breach!(Violation::Malformed { .. }), Reaction::CloseAll),
    },
    Bug {
        name: "header-error-makes-unusable",
        description: "After a header with a wrong parity or type every new connection is closed at once.",
        breaks: &req::ROBUST_NEW_CONNECTIONS,
        seam: || {
            let which = breach!(Violation::Parity { .. } | Violation::MessageType { .. });
            broken(which, Reaction::Unusable)
        },
    },
    Bug {
        name: "huge-length-awaited",
        description: "The body of a message is awaited whatever length its header announces.",
        breaks: &req::ROBUST_LENGTH_DROPPED,
        seam: || {
            headers_skipped(|phase, header| {
                phase == Phase::Open && header.code == REQUEST && header.is_huge()
            })
        },
    },
    Bug {
        name: "huge-length-awaited-before-login",
        description: "Before the authentication a body is awaited whatever length its header announces.",
        breaks: &req::ROBUST_LENGTH_DROPPED,
        seam: || headers_skipped(|phase, header| phase.is_authentication() && header.is_huge()),
    },
    Bug {
        name: "no-command-makes-unusable",
        description: "After a first message without code and version every new connection is closed.",
        breaks: &req::ROBUST_DROP_WITHIN_BURST,
        seam: || broken(breach!(Violation::NoCommand { .. }), Reaction::Unusable),
    },
    Bug {
        name: "hanging-up-makes-unusable",
        description: "After a connection of an authenticated client ended every new one is closed.",
        breaks: &req::ROBUST_CLOSED_ANY_PHASE,
        seam: || {
            hung_up(
                |departure| departure.phase == Phase::Open,
                Reaction::Unusable,
            )
        },
    },
    Bug {
        name: "hanging-up-before-login-makes-unusable",
        description: "After a connection that ended before its authentication every new one is closed at \
                      once.",
        breaks: &req::ROBUST_CLOSED_ANY_PHASE,
        seam: || {
            hung_up(
                |departure| departure.phase != Phase::Open,
                Reaction::Unusable,
            )
        },
    },
    Bug {
        name: "hanging-up-with-requests-closes-all",
        description: "A connection that ends while requests are active on it makes the node close all.",
        breaks: &req::ROBUST_RESET_ANSWERING,
        seam: || hung_up(|departure| departure.active > 0, Reaction::CloseAll),
    },
    Bug {
        name: "half-close-drops-answers",
        description: "A client that sends nothing more is disconnected without the answers that it waits \
                      for.",
        breaks: &req::ROBUST_HALF_CLOSE_ANSWERED,
        seam: || Seam::HalfClose(HalfClose::Drop),
    },
    Bug {
        name: "half-close-kept-open",
        description: "The connection of a client that sends nothing more stays open for good.",
        breaks: &req::ROBUST_HALF_CLOSE_CLOSED,
        seam: || Seam::HalfClose(HalfClose::Keep),
    },
    Bug {
        name: "slow-reader-blocks-others",
        description: "While 64 KiB wait for a client that does not read, no other connection is served.",
        breaks: &req::ROBUST_UNREAD_OTHERS_SERVED,
        seam: || Seam::Congestion(64 * 1024),
    },
    Bug {
        name: "connections-refused-after-20",
        description: "After twenty connections every further one is closed at once.",
        breaks: &req::ROBUST_MANY_CYCLES,
        seam: || {
            accepting(|arrival: Arrival| match arrival.number {
                0..20 => Admission::Serve,
                _ => Admission::Refuse,
            })
        },
    },
];
