//! Bugs of the legacy protocol: orders as such, and what all answers share.

use dht_protocol::codec::Put as _;
use dht_protocol::legacy::{Answer, Command, Incoming, Order, Status, Violation};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::legacy::{
    After, Asked, Instead, encoded, on_end, on_input, on_order, on_said, on_violation, status,
};

/// Longer ones are read by no node.
const LONGEST_VALUE: u64 = dht_protocol::legacy::MAX_ARRAY;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-greets",
        description: "The first answer on a legacy connection comes behind a byte that nobody asked for.",
        breaks: &req::LEG_CONN_CLIENT_SPEAKS_FIRST,
        seam: || {
            on_said(|asked, first, bytes| {
                if asked.number == 0 && first {
                    bytes.insert(0, 1);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-pieces-dropped",
        description: "What comes of an order that is not complete is forgotten.",
        breaks: &req::LEG_CONN_PIECES,
        seam: || {
            on_input(|bytes| match Order::decode(&bytes, LONGEST_VALUE) {
                Ok(None) => Vec::new(),
                _ => bytes,
            })
        },
    },
    Bug {
        name: "legacy-pipelined-dropped",
        description: "Of several orders that come in one piece only the first is done.",
        breaks: &req::LEG_CONN_PIPELINING,
        seam: || {
            on_input(|mut bytes| {
                if let Ok(Some((Incoming::Order(_), length))) = Order::decode(&bytes, LONGEST_VALUE)
                {
                    bytes.truncate(length);
                }
                bytes
            })
        },
    },
    Bug {
        name: "legacy-one-order",
        description: "A second order on a legacy connection closes it.",
        breaks: &req::LEG_CONN_GOES_ON,
        seam: || {
            on_order(|_, asked| match asked.number {
                0 => Instead::Do,
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-refusal-closes",
        description: "Behind a status other than Ok the connection is closed.",
        breaks: &req::LEG_CONN_GOES_ON,
        seam: || {
            on_said(|_, first, bytes| match first && is_refusal(bytes) {
                true => After::Close,
                false => After::GoOn,
            })
        },
    },
    Bug {
        name: "legacy-unknown-answered",
        description: "A command that does not exist is answered NotSupported.",
        breaks: &req::LEG_CONN_UNKNOWN_COMMAND,
        seam: || {
            on_violation(|violation| match violation {
                Violation::UnknownCommand { .. } => status(Status::NotSupported),
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-unknown-skipped",
        description: "A command that does not exist is passed over.",
        breaks: &req::LEG_CONN_UNKNOWN_BEHIND,
        seam: || {
            on_input(|bytes| match is_unknown(&bytes) {
                true => bytes[4..].to_vec(),
                false => bytes,
            })
        },
    },
    Bug {
        name: "legacy-unknown-spoils-segment",
        description: "An order is not done if a command that does not exist comes in the same piece.",
        breaks: &req::LEG_CONN_UNKNOWN_BEFORE,
        seam: || {
            on_input(|bytes| match Order::decode(&bytes, LONGEST_VALUE) {
                Ok(Some((_, length))) if is_unknown(&bytes[length..]) => bytes[length..].to_vec(),
                _ => bytes,
            })
        },
    },
    Bug {
        name: "legacy-cut-off-answered",
        description: "An order that the end of the stream cuts off is answered Error.",
        breaks: &req::LEG_CONN_CUT_OFF,
        seam: || {
            on_end(|_, partial| match partial {
                true => encoded(&Answer::Status(Status::Error)),
                false => Vec::new(),
            })
        },
    },
    Bug {
        name: "legacy-arrays-limited",
        description: "A channel name of more than 1 MiB closes the connection.",
        breaks: &req::LEG_CONN_ARRAY_LONGEST,
        seam: || {
            on_order(|_, asked| {
                let channel = channel(asked);
                match channel.is_some_and(|channel| channel.len() > 1 << 20) {
                    true => Instead::Close,
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-too-long-answered",
        description: "An array that is too long is answered Error.",
        breaks: &req::LEG_CONN_ARRAY_TOO_LONG,
        seam: || {
            on_violation(|violation| match violation {
                Violation::TooLong { .. } => status(Status::Error),
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-too-long-crashes",
        description: "An array that is too long makes the node crash.",
        breaks: &req::LEG_ROBUST_LENGTH_IMMENSE,
        seam: || {
            on_violation(|violation| match violation {
                Violation::TooLong { .. } => Instead::Crash,
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-unknown-crashes",
        description: "A command that does not exist makes the node crash.",
        breaks: &req::LEG_ROBUST_SURVIVES,
        seam: || {
            on_violation(|violation| match violation {
                Violation::UnknownCommand { .. } => Instead::Crash,
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-get-says-last",
        description: "A Get is answered with what the Get before it found, on whatever connection.",
        breaks: &req::LEG_CONN_SEVERAL,
        seam: || {
            let mut last = Vec::new();
            on_said(move |asked, _, bytes| {
                if asked.command() == Command::Get {
                    let found = std::mem::replace(&mut last, bytes.clone());
                    if !found.is_empty() {
                        *bytes = found;
                    }
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-idle-closed",
        description: "A connection whose first order comes when a hundred have come on others is closed.",
        breaks: &req::LEG_CONN_IDLE_STAYS_OPEN,
        seam: || {
            let mut orders = 0u64;
            on_order(move |_, asked| {
                orders += 1;
                match asked.number == 0 && orders > 100 {
                    true => Instead::Close,
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-fifty-connections",
        description: "Only the first fifty legacy connections are served.",
        breaks: &req::LEG_ROBUST_MANY_CONNECTIONS,
        seam: || {
            let mut connections = 0u64;
            on_order(move |_, asked| {
                connections += u64::from(asked.number == 0);
                match asked.number == 0 && connections > 50 {
                    true => Instead::Close,
                    false => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-half-orders-close",
        description: "When ten orders did not come in one piece, nobody is served any more.",
        breaks: &req::LEG_ROBUST_SLOW_SENDER,
        seam: || {
            let mut halves = 0u64;
            on_input(move |bytes| {
                let half = matches!(Order::decode(&bytes, LONGEST_VALUE), Ok(None));
                halves += u64::from(half && !bytes.is_empty());
                match halves >= 10 {
                    true => 99_i32.to_le_bytes().to_vec(),
                    false => bytes,
                }
            })
        },
    },
    Bug {
        name: "legacy-answer-surplus",
        description: "Behind every answer but the first of a connection comes a zero byte.",
        breaks: &req::LEG_ANSWER_NOTHING_MORE,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.number > 0 {
                    bytes.push(0);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-refusal-with-body",
        description: "Behind a status other than Ok comes an empty array.",
        breaks: &req::LEG_ANSWER_NO_BODY,
        seam: || {
            on_said(|_, first, bytes| {
                if first && is_refusal(bytes) {
                    bytes.put_u64(0);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-says-invalid-request",
        description: "A bad channel name is answered InvalidRequest.",
        breaks: &req::LEG_ANSWER_DEAD_STATUS,
        seam: || {
            on_said(|_, _, bytes| {
                let refused = encoded(&Answer::Status(Status::BadChannelName));
                if *bytes == refused {
                    *bytes = encoded(&Answer::Status(Status::InvalidRequest));
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-status-999",
        description: "A Put that was carried out is answered with a status that does not exist.",
        breaks: &req::LEG_ANSWER_STATUS,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.command() == Command::Put {
                    *bytes = 999_i32.to_le_bytes().to_vec();
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-put-unanswered",
        description: "A Put is not answered.",
        breaks: &req::LEG_ANSWER_COMES,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.command() == Command::Put {
                    bytes.clear();
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-value-missing",
        description: "Behind the Ok of a Get no value comes.",
        breaks: &req::LEG_ANSWER_COMPLETE,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.command() == Command::Get {
                    bytes.truncate(4);
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-version-other",
        description: "GetVersion tells another version.",
        breaks: &req::LEG_VERSION_ANSWER,
        seam: || {
            said_to(Command::GetVersion, |bytes| {
                *bytes = encoded(&Answer::Version("20110402".into()))
            })
        },
    },
    Bug {
        name: "legacy-range-refused",
        description: "GetResponsibleRange is answered Error.",
        breaks: &req::LEG_RANGE_ANSWER,
        seam: || {
            let error = || encoded(&Answer::Status(Status::Error));
            said_to(Command::GetResponsibleRange, move |bytes| *bytes = error())
        },
    },
    Bug {
        name: "legacy-range-upside-down",
        description: "GetResponsibleRange tells the upper end of the range before the lower one.",
        breaks: &req::LEG_RANGE_VALID,
        seam: || {
            said_to(Command::GetResponsibleRange, |bytes| {
                bytes[4..].rotate_left(8)
            })
        },
    },
    Bug {
        name: "legacy-range-too-small",
        description: "GetResponsibleRange tells an upper end that is one too low.",
        breaks: &req::LEG_RANGE_SAME,
        seam: || said_to(Command::GetResponsibleRange, |bytes| bytes[12] ^= 1),
    },
];

/// What is said to this command becomes something else.
pub(super) fn said_to(
    command: Command,
    mut change: impl FnMut(&mut Vec<u8>) + Send + 'static,
) -> crate::bugs::seam::Seam {
    on_said(move |asked, _, bytes| {
        if asked.command() == command {
            change(bytes);
        }
        After::GoOn
    })
}

/// The channel of an order.
pub(super) fn channel(asked: &Asked) -> Option<&[u8]> {
    match &asked.order {
        Incoming::Order(order) => order.channel().map(|channel| channel.as_bytes()),
        Incoming::TooBig { channel, .. } => Some(channel.as_bytes()),
    }
}

fn is_refusal(bytes: &[u8]) -> bool {
    let code = bytes.first_chunk().copied().map(i32::from_le_bytes);
    code.is_some_and(|code| code != Status::Ok.code())
}

fn is_unknown(bytes: &[u8]) -> bool {
    let refused = Order::decode(bytes, LONGEST_VALUE);
    matches!(refused, Err(Violation::UnknownCommand { .. }))
}
