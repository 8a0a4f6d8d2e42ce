//! What must hold in every state.

use bytes::Bytes;
use dht_protocol::neo::header::HEADER_LEN;
use dht_protocol::neo::request::SupportedStatus;
use dht_protocol::neo::{RequestId, VERSION, Violation, forge};

use super::alone;
use super::end::{End, Fate};
use super::frame::NONCE;
use super::model::ConnectionModel;
use super::state::{Lane, Side, State};

/// A property of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The requirement, or the property of `neo-requests.md` section 16.
    pub id: &'static str,
    /// Its name in the model.
    pub name: &'static str,
    /// What must hold.
    pub sentence: &'static str,
    holds: fn(&ConnectionModel, &State) -> bool,
}

impl Property {
    pub(super) fn checked(&self) -> stateright::Property<ConnectionModel> {
        stateright::Property::always(self.name, self.holds)
    }
}

/// All of them.
pub const PROPERTIES: &[Property] = &[
    Property {
        id: "NEO-CONN-12",
        name: "the client waits its turn",
        sentence: "The client says nothing but its version byte before the node's version came, only its \
                   time before the nonce, and asks nothing before the result.",
        holds: |model, state| each_lane(state, |lane| client_waits(model.end(lane, Side::Client))),
    },
    Property {
        id: "NEO-CONN-03",
        name: "the node waits its turn",
        sentence: "The node says nothing before the client's version byte, only its own before the \
                   client's time, and only the nonce before the proof.",
        holds: |model, state| each_lane(state, |lane| node_waits(model.end(lane, Side::Node))),
    },
    Property {
        id: "NEO-AUTH-29",
        name: "nothing is done for strangers",
        sentence: "No request is carried out before a client is authenticated.",
        holds: |model, state| {
            let strangers = each_lane(state, |lane| {
                let node = model.end(lane, Side::Node);
                node.as_node().is_some_and(|node| node.client().is_none())
            });
            !strangers || *model.records(state) == model.frame().records
        },
    },
    Property {
        id: "NEO-AUTH-10",
        name: "outsiders stay out",
        sentence: "A wrong version, name, key, time or form never leads to an open connection, at either end.",
        holds: |model, state| {
            let open = |lane: &Lane| Side::BOTH.map(|side| model.end(lane, side).is_open());
            !model.frame().outsider || each_lane(state, |lane| open(lane) == [false; 2])
        },
    },
    Property {
        id: "NEO-AUTH-19",
        name: "outsiders are answered as specified",
        sentence: "Whoever is refused for name, key or time is told so by one byte, whoever has another \
                   version is told the node's, and whoever breaks the form is told nothing more.",
        holds: |model, state| {
            each_lane(state, |lane| {
                refused_as_specified(model.end(lane, Side::Node))
                    && fails_silently(model.end(lane, Side::Client))
            })
        },
    },
    Property {
        id: "NEO-AUTH-03",
        name: "both ends agree",
        sentence: "When everything has arrived, both ends are open or neither is.",
        holds: |model, state| {
            let agree = |lane: &Lane| {
                let [client, node] = Side::BOTH.map(|side| model.end(lane, side));
                client.is_script() || node.is_script() || client.is_open() == node.is_open()
            };
            each_lane(state, agree) || !model.is_over(state)
        },
    },
    Property {
        id: "P01",
        name: "the status comes first",
        sentence: "The first message of each request is exactly one supported status.",
        holds: |model, state| {
            each_lane(state, |lane| {
                let client = model.end(lane, Side::Client);
                let firsts = model.frame().asks.iter();
                let mut firsts = firsts.filter_map(|ask| answers(client, ask.id).next());
                firsts.all(|first| SupportedStatus::decode(first).is_ok())
            })
        },
    },
    Property {
        id: "P11",
        name: "answers belong to their request",
        sentence: "Each request hears what it would hear alone, and nothing is heard of a request that was not sent.",
        holds: |model, state| each_lane(state, |lane| answers_belong(model, lane)),
    },
    Property {
        id: "NEO-FRAME-16",
        name: "only whole messages count",
        sentence: "Nothing is carried out whose message has not arrived to its last byte.",
        holds: |model, state| {
            let untouched = || *model.records(state) == model.frame().records;
            let complete = |lane: &Lane| {
                let check = |_: &_| has_whole_ask(model, model.end(lane, Side::Node));
                *model.complete.get(lane.end(Side::Node), check)
            };
            state.lanes.iter().flatten().any(complete) || untouched()
        },
    },
    Property {
        id: "NEO-FRAME-14",
        name: "cuts do not matter",
        sentence: "However the bytes are cut, an end does what it would do if they came one by one.",
        holds: |model, state| {
            // A node that is not read from does the same later.
            model.frame().stalls
                || each_lane(state, |lane| {
                    Side::BOTH.into_iter().all(|side| {
                        let check = |_: &_| alone::is_invariant(model, side, model.end(lane, side));
                        *model.invariant.get(lane.end(side), check)
                    })
                })
        },
    },
    Property {
        id: "P03",
        name: "everything is answered in the end",
        sentence: "When nothing can happen any more, every request is answered, or its connection has ended.",
        holds: |model, state| {
            each_lane(state, |lane| settled(model, lane)) || !model.is_over(state)
        },
    },
    Property {
        id: "P05",
        name: "a violation ends its own connection alone",
        sentence: "Whatever is said on one connection, the other stays open and is answered.",
        holds: |model, state| {
            let Some(lane) = &state.lanes[1] else {
                return true;
            };
            let mut ends = Side::BOTH.map(|side| model.end(lane, side)).into_iter();
            ends.all(|end| end.is_running()) && (answered(model, lane) || !model.is_over(state))
        },
    },
];

fn each_lane(state: &State, holds: impl FnMut(&Lane) -> bool) -> bool {
    state.lanes.iter().flatten().all(holds)
}

/// Where the words of a handshake without a mistake end: what the client must have read before it may
/// have written more than so much.
fn client_waits(client: &End) -> bool {
    let may_say = match client.read.len() {
        0 => 1,
        1..15 => 19,
        26.. => return true,
        // The proof, whose name has any length.
        _ => 19 + message_len(&client.wrote, 19).unwrap_or(0),
    };
    client.is_script() || client.wrote.len() <= may_say
}

fn node_waits(node: &End) -> bool {
    let Some(machine) = node.as_node() else {
        return true;
    };
    let proof = message_len(&node.read, 19).is_some_and(|len| node.read.len() >= 19 + len);
    let may_say = match node.read.len() {
        0 => 0,
        1..19 => 1,
        _ if machine.client().is_some() => return true,
        _ if proof => 26,
        _ => 15,
    };
    node.wrote.len() <= may_say
}

/// The length of the message that begins at this place, if its header is there.
fn message_len(bytes: &[u8], at: usize) -> Option<usize> {
    let length = bytes.get(at + 1..at + 9)?.first_chunk()?;
    usize::try_from(u64::from_le_bytes(*length))
        .ok()?
        .checked_add(HEADER_LEN)
}

fn refused_as_specified(node: &End) -> bool {
    let (Some(machine), Fate::Failed(violation)) = (node.as_node(), &node.fate) else {
        return true;
    };
    let nonce = [&[VERSION, 2, 4, 0, 0, 0, 0, 0, 0, 0, 6][..], &NONCE].concat();
    match violation {
        Violation::EarlyBytes { .. } => node.wrote.is_empty(),
        Violation::Version { .. } => node.wrote == [VERSION],
        Violation::Refused(_) => {
            let refused = [&nonce[..], &[2, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0]].concat();
            node.wrote == refused
        }
        _ if machine.client().is_some() => true,
        _ => node.wrote == [VERSION] || node.wrote == nonce,
    }
}

fn fails_silently(client: &End) -> bool {
    match &client.fate {
        Fate::Failed(Violation::EarlyBytes { .. } | Violation::Version { .. }) => {
            client.is_script() || client.wrote == [VERSION]
        }
        Fate::Failed(_) | Fate::Running | Fate::Gone => true,
    }
}

fn answers(client: &End, id: RequestId) -> impl Iterator<Item = &Bytes> {
    let heard = client.heard().iter();
    heard
        .filter(move |heard| heard.0 == id)
        .map(|heard| &heard.1)
}

fn answers_belong(model: &ConnectionModel, lane: &Lane) -> bool {
    let client = model.end(lane, Side::Client);
    let mut known = 0;
    for (number, ask) in model.frame().asks.iter().enumerate() {
        let mut expected = model.alone()[number].iter();
        for answer in answers(client, ask.id) {
            if !lane.has_sent(number) || expected.next() != Some(answer) {
                return false;
            }
            known += 1;
        }
    }
    // Something wrong that was said may be a request, and be answered.
    known == client.heard().len() || lane.injected
}

/// Has the node read a whole request?
fn has_whole_ask(model: &ConnectionModel, node: &End) -> bool {
    let has = |message: &[u8]| {
        let mut places = node.read.windows(message.len().max(1));
        places.any(|place| place == message)
    };
    let frame = model.frame();
    let asks = frame.asks.iter();
    let mut asks = asks.map(|ask| forge::request_message(ask.id.get(), &ask.payload));
    let lines = frame
        .clients
        .iter()
        .flatten()
        .map(|line| line.say.as_slice());
    let mut other = frame.wrong.iter().map(Vec::as_slice).chain(lines);
    asks.any(|message| has(&message)) || other.any(has)
}

/// Is every request answered to the end?
pub(super) fn answered(model: &ConnectionModel, lane: &Lane) -> bool {
    let client = model.end(lane, Side::Client);
    let mut asks = model.frame().asks.iter().zip(model.alone());
    asks.all(|(ask, alone)| answers(client, ask.id).eq(alone))
}

/// Is every request answered, or excused?
fn settled(model: &ConnectionModel, lane: &Lane) -> bool {
    let frame = model.frame();
    let [client, node] = Side::BOTH.map(|side| model.end(lane, side));
    if client.is_script() || node.is_script() || answered(model, lane) {
        return true;
    }
    let faulty = frame.outsider || lane.broken || lane.injected;
    faulty && !client.is_running() && !node.is_running()
}
