//! The frames: the conversations that are explored.

use dht_protocol::neo::{AuthKey, Credential, Credentials, forge};

use super::end::Line;
use super::frame::{Frame, NONCE, NOW};
use super::goals::Goal;
use super::host::Records;
use super::pipe::Cuts;
use super::words::{
    STORED, authentication, exists, get, hash_range, line, message, proof, put, timestamp,
    unsupported, wrong_messages,
};
use crate::frames::Bounds;

/// All frames within these bounds.
pub fn frames(bounds: Bounds) -> Vec<Frame> {
    let mut frames = vec![
        handshake(bounds),
        multiplexing(bounds),
        bytes(bounds),
        broken(bounds),
        half_closed(bounds),
        stalled(),
    ];
    frames.extend(outsiders(bounds));
    frames.extend([
        wrong_version(),
        early_bytes(),
        malformed_handshake(),
        faulty_node(),
        garbage(bounds),
        bystander(bounds),
    ]);
    frames
}

/// A value that fills the node's output.
const LARGE: usize = 128 * 1024;

fn handshake(bounds: Bounds) -> Frame {
    let mut asks = vec![hash_range(1)];
    if bounds > Bounds::Small {
        asks.push(put(2));
    }
    Frame {
        about: "Versions, authentication and a request, cut at every pair of places.",
        asks,
        cuts: Cuts::Every,
        goals: &[Goal::Open, Goal::Answered],
        ..calm("handshake")
    }
}

fn multiplexing(bounds: Bounds) -> Frame {
    let mut asks = vec![put(2), get(3), hash_range(1)];
    if bounds > Bounds::Small {
        asks.extend([unsupported(4), exists(5)]);
    }
    Frame {
        about: "Several requests at once, in every order, cut in and between headers and bodies.",
        asks,
        goals: &[Goal::Open, Goal::Answered, Goal::Crossing],
        ..calm("multiplexing")
    }
}

fn bytes(bounds: Bounds) -> Frame {
    let mut asks = vec![put(2), exists(3)];
    if bounds > Bounds::Small {
        asks.push(get(4));
    }
    if bounds > Bounds::Default {
        asks.push(unsupported(5));
    }
    Frame {
        about: "Several requests at once; each byte may be the last of a chunk.",
        asks,
        cuts: Cuts::Byte,
        goals: &[Goal::Open, Goal::Answered, Goal::Crossing],
        ..calm("bytes")
    }
}

fn broken(bounds: Bounds) -> Frame {
    Frame {
        about: "The connection breaks at any time; each end learns of it on its own.",
        asks: vec![put(2), get(3)],
        cuts: fine(bounds),
        breaks: true,
        goals: &[
            Goal::Answered,
            Goal::DoneUnheard,
            Goal::HalfOpen,
            Goal::CutOff,
        ],
        ..calm("broken")
    }
}

fn half_closed(bounds: Bounds) -> Frame {
    Frame {
        about: "The client says that nothing more will come, and is still answered.",
        asks: vec![put(2), get(3), unsupported(4)],
        cuts: fine(bounds),
        finishes: true,
        goals: &[Goal::Answered, Goal::AnsweredAndOver],
        ..calm("half-closed")
    }
}

fn stalled() -> Frame {
    Frame {
        about: "The client does not read for a while, and the answers do not fit into the output.",
        asks: vec![get(2), get(3), exists(4)],
        records: Records::default().with(STORED, vec![7; LARGE]),
        cuts: Cuts::Messages,
        stalls: true,
        goals: &[Goal::Answered, Goal::WaitsForRoom],
        ..calm("stalled")
    }
}

/// Those who are not let in, each for another reason. They send a request all the same.
fn outsiders(bounds: Bounds) -> [Frame; 4] {
    let (admin, known) = (Credential::default_admin, Credentials::default_admin);
    let wrong_key = Credential {
        key: AuthKey::new([1; 128]),
        ..admin()
    };
    let outsider = |name, about, known: Credentials, credential, clock| Frame {
        about,
        known,
        credential,
        clock,
        cuts: if bounds == Bounds::Small {
            Cuts::Byte
        } else {
            Cuts::Every
        },
        outsider: true,
        wrong: vec![message(&put(2))],
        goals: &[Goal::Refused, Goal::Told, Goal::AskedTooEarly],
        ..calm(name)
    };
    [
        outsider(
            "unknown-name",
            "Nobody has the client's name.",
            Credentials::from_iter([]),
            admin(),
            NOW,
        ),
        outsider(
            "wrong-key",
            "The client has another key.",
            known(),
            wrong_key,
            NOW,
        ),
        outsider(
            "old-timestamp",
            "The client's clock is slow.",
            known(),
            admin(),
            NOW - 1801,
        ),
        outsider(
            "new-timestamp",
            "The client's clock is fast.",
            known(),
            admin(),
            NOW + 1801,
        ),
    ]
}

fn wrong_version() -> Frame {
    Frame {
        about: "The client speaks another version.",
        cuts: Cuts::Every,
        outsider: true,
        clients: [0, 2, 255].map(|version| vec![line(0, [version])]).into(),
        goals: &[Goal::VersionAnswered],
        ..calm("wrong-version")
    }
}

fn early_bytes() -> Frame {
    let conversation = |early: usize| {
        let lines = [
            (0, vec![1]),
            (1, timestamp()),
            (15, proof()),
            (26, message(&put(2))),
        ];
        let line = |(place, (after, say))| {
            let after = if place <= early { 0 } else { after };
            Line { after, say }
        };
        lines.into_iter().enumerate().map(line).collect()
    };
    Frame {
        about: "The client does not wait for the node's words, and may or may not get away with it.",
        cuts: Cuts::Byte,
        clients: (1..=3).map(conversation).collect(),
        goals: &[Goal::Early, Goal::NodeOpen, Goal::Put],
        ..calm("early-bytes")
    }
}

fn malformed_handshake() -> Frame {
    let wrong_timestamp = |say: Vec<u8>| vec![line(0, [1]), line(1, say)];
    let wrong_proof = |say: Vec<u8>| {
        let mut lines = wrong_timestamp(timestamp());
        lines.push(line(15, say));
        lines
    };
    let long_proof = authentication(&[&proof()[10..], &[0]].concat());
    Frame {
        about: "The client's part of the authentication has a wrong form.",
        cuts: Cuts::Every,
        outsider: true,
        clients: vec![
            wrong_timestamp(authentication(&[0; 7])),
            wrong_timestamp(authentication(&[0; 9])),
            wrong_timestamp(message(&hash_range(1))),
            wrong_timestamp(forge::message(forge::AUTHENTICATION, 1000, &[])),
            wrong_timestamp(vec![2, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
            wrong_proof(authentication(&[0; 71])),
            wrong_proof(message(&put(2))),
            wrong_proof(long_proof),
        ],
        goals: &[Goal::Silenced],
        ..calm("malformed-handshake")
    }
}

fn faulty_node() -> Frame {
    let nonce = || authentication(&NONCE);
    let behind = |words: &[Vec<u8>]| -> Vec<Line> {
        let places = [1, 19, 106].into_iter();
        let lines = places
            .zip(words)
            .map(|(after, say)| line(after, say.clone()));
        lines.collect()
    };
    Frame {
        about: "The node says something else than it should.",
        cuts: Cuts::Every,
        outsider: true,
        nodes: vec![
            behind(&[vec![2]]),
            vec![line(0, [2])],
            behind(&[[vec![1], nonce()].concat()]),
            behind(&[vec![1], authentication(&[1; 3])]),
            behind(&[vec![1], authentication(&[1; 5])]),
            behind(&[vec![1], message(&hash_range(1))]),
            behind(&[vec![1], nonce(), authentication(&[2])]),
            behind(&[vec![1], nonce(), authentication(&[0])]),
            behind(&[vec![1], nonce(), message(&hash_range(1))]),
        ],
        goals: &[Goal::ClientFailed, Goal::ClientEarly],
        ..calm("faulty-node")
    }
}

fn garbage(bounds: Bounds) -> Frame {
    Frame {
        about: "A wrong message comes from the client's end, at any time.",
        asks: vec![put(2)],
        cuts: fine(bounds),
        wrong: wrong_messages(),
        goals: &[
            Goal::Answered,
            Goal::Silenced,
            Goal::OpenFailed,
            Goal::AnsweredAndFailed,
        ],
        ..calm("garbage")
    }
}

fn bystander(bounds: Bounds) -> Frame {
    let mut wrong = wrong_messages();
    if bounds == Bounds::Small {
        wrong.truncate(1);
    }
    Frame {
        about: "A wrong message comes on one of two connections.",
        asks: vec![put(2)],
        cuts: Cuts::Messages,
        wrong,
        bystander: true,
        goals: &[Goal::Answered, Goal::OpenFailed, Goal::OnlyOneFailed],
        ..calm("bystander")
    }
}

/// A frame in which nothing is asked and nothing goes wrong.
fn calm(name: &'static str) -> Frame {
    Frame {
        name,
        about: "",
        cuts: Cuts::Marks,
        known: Credentials::default_admin(),
        credential: Credential::default_admin(),
        clock: NOW,
        clients: Vec::new(),
        nodes: Vec::new(),
        asks: Vec::new(),
        records: Records::default().with(STORED, "value"),
        wrong: Vec::new(),
        breaks: false,
        finishes: false,
        stalls: false,
        bystander: false,
        outsider: false,
        goals: &[],
    }
}

fn fine(bounds: Bounds) -> Cuts {
    match bounds {
        Bounds::Small => Cuts::Marks,
        Bounds::Default => Cuts::Byte,
        Bounds::Deep => Cuts::Every,
    }
}
