//! Bugs of what a node does about broken rules: it lets them pass, or lets others suffer for them.

use dht_protocol::neo::Violation;

use crate::bugs::Bug;
use crate::bugs::reaction::Reaction;
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "version-mismatch-closes-all",
        description: "A wrong version byte makes the node close all connections.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Version { .. } | Violation::EarlyBytes { .. } => Reaction::CloseAll,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "header-error-closes-all",
        description: "A header with a wrong parity or type makes the node close all connections.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Parity { .. } | Violation::MessageType { .. } | Violation::Phase { .. } => {
                Reaction::CloseAll
            }
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "header-error-makes-unusable",
        description: "After a header with a wrong parity or type every new connection is closed at once.",
        breaks: "neo-transport Q7",
        seam: Seam::Violation(|violation| match violation {
            Violation::Parity { .. } | Violation::MessageType { .. } => Reaction::Unusable,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "huge-length-crashes",
        description: "A header that announces far too many bytes makes the node crash.",
        breaks: "neo-transport Q8",
        seam: Seam::Violation(|violation| match violation {
            Violation::TooLong { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "request-without-id-crashes",
        description: "A request message that is too short for a request id makes the node crash.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::NoRequestId { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "id-zero-crashes",
        description: "Request id 0 makes the node crash.",
        breaks: "neo-transport Q9",
        seam: Seam::Violation(|violation| match violation {
            Violation::ZeroRequestId => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "login-malformed-crashes",
        description: "A malformed message of the authentication makes the node crash.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Authentication { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "refusal-closes-all",
        description: "A client that is refused makes the node close all connections.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Refused(_) => Reaction::CloseAll,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "refusal-makes-unusable",
        description: "After a client was refused every new connection is closed at once.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Refused(_) => Reaction::Unusable,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "no-command-crashes",
        description: "The first message of a request that has no code and version makes the node crash.",
        breaks: "neo-transport 8.3",
        seam: Seam::Violation(|violation| match violation {
            Violation::NoCommand { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "malformed-request-ignored",
        description: "A malformed message of a request is ignored and the connection stays open.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Malformed { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "malformed-request-closes-all",
        description: "A malformed message of a request makes the node close all connections.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Malformed { .. } => Reaction::CloseAll,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "malformed-request-crashes",
        description: "A malformed message of a request makes the node crash.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Malformed { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "unexpected-message-ignored",
        description: "A message that its request does not allow at that moment is ignored.",
        breaks: "neo-requests 1",
        seam: Seam::Violation(|violation| match violation {
            Violation::Unexpected { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "unexpected-message-crashes",
        description: "A message that its request does not allow at that moment makes the node crash.",
        breaks: "neo-transport 10",
        seam: Seam::Violation(|violation| match violation {
            Violation::Unexpected { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "too-many-requests-ignored",
        description: "A request beyond the limit of a connection is ignored and the connection stays open.",
        breaks: "neo-transport 12.1",
        seam: Seam::Violation(|violation| match violation {
            Violation::TooManyRequests { .. } => Reaction::Ignore,
            _ => Reaction::Close,
        }),
    },
    Bug {
        name: "too-many-requests-crash",
        description: "A request beyond the limit of a connection makes the node crash.",
        breaks: "neo-transport 12.1",
        seam: Seam::Violation(|violation| match violation {
            Violation::TooManyRequests { .. } => Reaction::Crash,
            _ => Reaction::Close,
        }),
    },
];
