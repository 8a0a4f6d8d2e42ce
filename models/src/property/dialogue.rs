//! How a node talks (`neo-requests.md` 16.1, P17): which message may follow which.

use dht_protocol::neo::request::{
    Command, RequestCode, SupportedStatus, get, get_channels, put, remove_channel,
};

use super::{About, Kind, Property};
use crate::world::{Client, Frame, NODES, Node, Note, REQUESTS, Request};

/// Whose request each one is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Owners([Option<u8>; REQUESTS]);

impl Owners {
    /// As the frame has it.
    pub fn of(frame: &Frame) -> Self {
        Self(std::array::from_fn(|request| {
            let setup = frame.requests.get(request)?;
            u8::try_from(setup.client).ok()
        }))
    }

    /// Is it this client's request?
    pub fn own(self, client: Client, request: Request) -> bool {
        self.0[request].is_some_and(|owner| usize::from(owner) == client)
    }
}

/// How far a node is with a request, by its messages.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Stage {
    /// It was not asked, or has said everything.
    #[default]
    Silent,
    /// It was asked, and has not said whether it knows the request.
    Asked(Option<RequestCode>),
    /// It knows the request.
    Supported(RequestCode),
    /// The value of a Get follows.
    Got,
    /// It does not know the request.
    Refused,
}

impl Stage {
    /// It was asked for this.
    pub fn asked(payload: &[u8]) -> Self {
        let command = Command::decode(payload);
        Self::Asked(command.ok().and_then(|(command, _)| command.request().ok()))
    }

    /// It has said this; `None` if it should not have.
    pub fn said(self, payload: &[u8]) -> Option<Self> {
        match self {
            Self::Silent | Self::Refused => None,
            Self::Asked(code) => match (SupportedStatus::decode(payload).ok()?, code) {
                (SupportedStatus::Supported, Some(code)) => Some(Self::Supported(code)),
                _ => Some(Self::Refused),
            },
            Self::Supported(code) => Some(match code {
                RequestCode::Get if payload == get::Reply::Got.encode() => Self::Got,
                RequestCode::Put
                | RequestCode::Get
                | RequestCode::Exists
                | RequestCode::Remove
                | RequestCode::RemoveChannel => Self::Silent,
                RequestCode::GetChannels => match get_channels::FromNode::decode(payload) {
                    Ok(get_channels::FromNode::ChannelName(_)) => self,
                    _ => Self::Silent,
                },
                // That the end is reached is not seen by the message alone.
                _ => self,
            }),
            Self::Got => get::Value::decode(payload).ok().map(|_| Self::Silent),
        }
    }
}

/// The dialogues of all nodes about all requests.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Dialogues {
    owners: Owners,
    stages: [[Stage; NODES]; REQUESTS],
}

impl Dialogues {
    /// Nobody has said anything.
    pub fn new(frame: &Frame) -> Self {
        Self {
            owners: Owners::of(frame),
            stages: Default::default(),
        }
    }

    /// How far this one is.
    pub fn stage(&self, request: Request, node: Node) -> Stage {
        self.stages[request][node]
    }

    /// Something happened. If the node said something: what the stage was, and whether it fits.
    pub fn note(&mut self, note: &Note) -> Option<(Stage, bool)> {
        match note {
            Note::NodeTook(request, node, payload) => {
                let stage = &mut self.stages[*request][*node];
                if matches!(stage, Stage::Silent | Stage::Refused) {
                    *stage = Stage::asked(payload);
                }
            }
            Note::NodeSent(request, node, payload) => {
                let stage = &mut self.stages[*request][*node];
                let (before, after) = (*stage, stage.said(payload));
                *stage = after.unwrap_or(before);
                return Some((before, after.is_some()));
            }
            Note::NodeEnded(request, node) => {
                let stage = &mut self.stages[*request][*node];
                if *stage != Stage::Refused {
                    *stage = Stage::Silent;
                }
            }
            Note::NodeDown(client, node) => {
                for request in 0..REQUESTS {
                    if self.owners.own(*client, request) {
                        self.stages[request][*node] = Stage::Silent;
                    }
                }
            }
            _ => {}
        }
        None
    }
}

/// Defines a property that wants nothing but the dialogues of the nodes.
macro_rules! of_dialogues {
    ($($(#[$meta:meta])* $name:ident, $id:literal, $sentence:literal, $wrong:expr;)+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Property for $name {
                type Memory = Dialogues;

                fn about(&self) -> About {
                    About { id: $id, kind: Kind::Always, sentence: $sentence }
                }

                fn start(&self, frame: &Frame) -> Dialogues {
                    Dialogues::new(frame)
                }

                fn note(&self, dialogues: &mut Dialogues, note: &Note) -> bool {
                    let wrong: fn(Stage) -> bool = $wrong;
                    let said = dialogues.note(note);
                    said.is_some_and(|(stage, fits)| !fits && wrong(stage))
                }
            }
        )+
    };
}

of_dialogues! {
    /// P01: the first word is the supported status, and nobody speaks unasked.
    StatusFirst, "P01",
    "Before anything else a node says whether it knows the request, and it says nothing unasked.",
    |stage| matches!(stage, Stage::Silent | Stage::Asked(_));
    /// P02: a node that does not know a request says nothing more.
    RefusedIsOver, "P02",
    "A node that does not know a request says nothing more about it.",
    |stage| stage == Stage::Refused;
    /// P17: Got, then the value.
    GotThenValue, "P17",
    "Got is followed by the value, before anything else.",
    |stage| stage == Stage::Got;
}

/// P03: what a node knows, it brings to an end.
#[derive(Clone, Copy, Debug)]
pub struct NodeEnds;

impl Property for NodeEnds {
    type Memory = Dialogues;

    fn about(&self) -> About {
        About {
            id: "P03",
            kind: Kind::Eventually,
            sentence: "A node brings every request that it knows to an end, or its connection ends.",
        }
    }

    fn start(&self, frame: &Frame) -> Dialogues {
        Dialogues::new(frame)
    }

    fn note(&self, dialogues: &mut Dialogues, note: &Note) -> bool {
        dialogues.note(note);
        false
    }

    fn owes(&self, dialogues: &Dialogues) -> bool {
        let mut stages = dialogues.stages.iter().flatten();
        stages.any(|stage| match stage {
            // These go on until they are stopped, or decided on.
            Stage::Supported(
                RequestCode::GetHashRange | RequestCode::Mirror | RequestCode::Update,
            ) => false,
            Stage::Supported(_) | Stage::Got => true,
            Stage::Silent | Stage::Asked(_) | Stage::Refused => false,
        })
    }
}

/// P06: the client has nothing to say about what is over.
#[derive(Clone, Copy, Debug)]
pub struct ClientIsSilentAfterEnd;

/// What a client has heard of a node.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Heard {
    /// It has not asked.
    #[default]
    Nothing,
    /// It has asked.
    Some(Stage),
    /// It has heard everything.
    All,
}

impl Property for ClientIsSilentAfterEnd {
    type Memory = (Owners, [[Heard; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P06",
            kind: Kind::Always,
            sentence: "After a node's last message the client says nothing more to it about the request.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Owners::of(frame), Default::default())
    }

    fn note(&self, (owners, heard): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::ClientSent(request, node, payload) => {
                let heard = &mut heard[*request][*node];
                match heard {
                    Heard::All => return true,
                    Heard::Nothing => *heard = Heard::Some(Stage::asked(payload)),
                    Heard::Some(_) => {}
                }
            }
            Note::ClientTook(request, node, payload) => {
                let heard = &mut heard[*request][*node];
                if let Heard::Some(stage) = *heard {
                    *heard = match stage.said(payload) {
                        Some(Stage::Silent | Stage::Refused) => Heard::All,
                        Some(stage) => Heard::Some(stage),
                        None => *heard,
                    };
                }
            }
            // What was under way there starts over, if at all, with a new connection.
            Note::ClientDown(client, node) => {
                for request in (0..REQUESTS).filter(|request| owners.own(*client, *request)) {
                    let heard = &mut heard[request][*node];
                    if matches!(heard, Heard::Some(_)) {
                        *heard = Heard::Nothing;
                    }
                }
            }
            // Its id may be used again.
            Note::Over(request) => heard[*request] = Default::default(),
            _ => {}
        }
        false
    }
}

/// Is this the answer that the node is not responsible?
pub fn is_wrong_node(code: RequestCode, payload: &[u8]) -> bool {
    let wrong: &[u8] = match code {
        RequestCode::Put => &put::Reply::WrongNode.encode(),
        RequestCode::Get => &get::Reply::WrongNode.encode(),
        RequestCode::Exists => &dht_protocol::neo::request::exists::Reply::WrongNode.encode(),
        RequestCode::Remove => &dht_protocol::neo::request::remove::Reply::WrongNode.encode(),
        _ => return false,
    };
    payload == wrong
}

/// Is this the answer that the client may not do it?
pub fn is_not_permitted(payload: &[u8]) -> bool {
    payload == remove_channel::Reply::NotPermitted.encode()
}
