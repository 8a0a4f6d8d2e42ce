//! Properties of every request (`neo-requests.md` 16.1).

use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::{Command, Failure, RequestCode, gather, stream, update};

use super::{About, Kind, Property};
use crate::world::{Frame, NODES, Note, REQUESTS, Request};

/// Neither side meets a message that it has no use for: no unspecified reception.
#[derive(Clone, Copy, Debug)]
pub struct Reception;

impl Property for Reception {
    /// Requests that ended without the knowledge of a node that has still something to say: their users did
    /// not want to wait any longer, or the connection to another node broke.
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "reception",
            kind: Kind::Always,
            sentence: "Every message that arrives is one that its receiver has a use for.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, left: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Abandoned(request) => left[*request] = true,
            Note::Violated(..) => return true,
            Note::Ignored(request, _) => return !left[*request],
            Note::Told(request, told) => match failure(told) {
                Some(Failure::Violation { .. }) => return true,
                Some(Failure::Disconnected { .. }) => left[*request] = true,
                _ => {}
            },
            _ => {}
        }
        false
    }
}

/// P07 and P08: a request that ends tells so exactly once, and nothing afterwards.
#[derive(Clone, Copy, Debug)]
pub struct EndsOnce;

/// How far a request is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Life {
    /// It has not begun, or is under way.
    #[default]
    Open,
    /// Its end was told.
    Told,
}

impl Property for EndsOnce {
    type Memory = [Life; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P08",
            kind: Kind::Always,
            sentence: "A request tells its end once, before it is over, and nothing afterwards.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, lives: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Told(request, told) => {
                let life = &mut lives[*request];
                let before = *life;
                if is_end(told) {
                    *life = Life::Told;
                }
                before == Life::Told
            }
            // The client forgets it, and its user would wait for ever.
            Note::Over(request) => lives[*request] == Life::Open,
            _ => false,
        }
    }
}

/// P07: those of these requests that have begun end.
#[derive(Clone, Copy, Debug)]
pub struct Ends(pub &'static [Request]);

/// P07, for every request of a frame.
pub const ALL_END: Ends = Ends(&[0, 1, 2, 3]);

impl Property for Ends {
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P07",
            kind: Kind::Eventually,
            sentence: "Every request that a user starts tells its end.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, owed: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Begun(request) => owed[*request] = self.0.contains(request),
            Note::Told(request, told) if is_end(told) => owed[*request] = false,
            _ => {}
        }
        false
    }

    fn owes(&self, owed: &Self::Memory) -> bool {
        owed.contains(&true)
    }
}

/// P15: nothing that changes a record is asked of a node twice.
#[derive(Clone, Copy, Debug)]
pub struct AskedOnce;

impl Property for AskedOnce {
    /// Of which nodes each request was asked.
    type Memory = [[bool; NODES]; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P15",
            kind: Kind::Always,
            sentence: "A request for one record is sent to each node at most once.",
        }
    }

    fn start(&self, _: &Frame) -> Self::Memory {
        Default::default()
    }

    fn note(&self, asked: &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::ClientSent(request, node, payload) => {
                let once = Command::decode(payload).is_ok_and(|(command, _)| {
                    matches!(
                        command.request(),
                        Ok(RequestCode::Put
                            | RequestCode::Get
                            | RequestCode::Exists
                            | RequestCode::Remove)
                    )
                });
                once && std::mem::replace(&mut asked[*request][*node], true)
            }
            Note::Over(request) => {
                asked[*request] = Default::default();
                false
            }
            _ => false,
        }
    }
}

/// A goal: something that happens in some run, in a single note.
#[derive(Clone, Copy, Debug)]
pub struct Reaches {
    /// Its name.
    pub id: &'static str,
    /// What it is.
    pub sentence: &'static str,
    /// Is it this?
    pub when: fn(&Note) -> bool,
}

impl Property for Reaches {
    type Memory = ();

    fn about(&self) -> About {
        About {
            id: self.id,
            kind: Kind::Sometimes,
            sentence: self.sentence,
        }
    }

    fn start(&self, _: &Frame) {}

    fn note(&self, (): &mut (), note: &Note) -> bool {
        (self.when)(note)
    }
}

/// Is it the last thing that a user is told?
pub fn is_end(told: &Told) -> bool {
    match told {
        Told::Put(_) | Told::Get(_) | Told::Exists(_) | Told::Remove(_) => true,
        Told::Update(told) => matches!(told, update::Notification::Ended(_)),
        Told::GetAll(told) => matches!(
            told,
            stream::Notification::Stopped | stream::Notification::Finished
        ),
        Told::Mirror(told) => matches!(
            told,
            stream::Notification::Stopped | stream::Notification::Finished
        ),
        Told::GetChannels(told) => *told == gather::Notification::Finished,
        Told::RemoveChannel(told) => *told == gather::Notification::Finished,
    }
}

/// Why a request for one record failed, if it did.
pub fn failure(told: &Told) -> Option<&Failure> {
    match told {
        Told::Put(Err(failure))
        | Told::Get(Err(failure))
        | Told::Exists(Err(failure))
        | Told::Remove(Err(failure))
        | Told::Update(update::Notification::Ended(Err(failure))) => Some(failure),
        _ => None,
    }
}
