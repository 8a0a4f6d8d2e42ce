//! GetChannels and RemoveChannel (`neo-requests.md` 16.2, P23 to P26).

use std::collections::BTreeSet;

use dht_protocol::ChannelName;
use dht_protocol::neo::client::{Request as Asks, Told};
use dht_protocol::neo::request::get_channels::FromNode;
use dht_protocol::neo::request::{RequestCode, SupportedStatus, gather, remove_channel};

use super::dialogue::{Dialogues, Owners, Stage, is_not_permitted};
use super::{About, Kind, Property};
use crate::world::{CLIENTS, Frame, NODES, Note, REQUESTS, Request};

/// P23: only administrators remove channels.
#[derive(Clone, Copy, Debug)]
pub struct OnlyAdminsRemove;

impl Property for OnlyAdminsRemove {
    /// Which requests are those of clients that may not.
    type Memory = [bool; REQUESTS];

    fn about(&self) -> About {
        About {
            id: "P23",
            kind: Kind::Always,
            sentence: "A client that is no administrator removes no channel.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        forbidden(frame)
    }

    fn note(&self, forbidden: &mut Self::Memory, note: &Note) -> bool {
        matches!(note, Note::RemovedChannel(_, _, Some(request)) if forbidden[*request])
    }
}

/// P24: and is told so.
#[derive(Clone, Copy, Debug)]
pub struct OthersAreTold;

impl Property for OthersAreTold {
    /// Whose requests they are, which of them are those of clients that may not, and who waits for an
    /// answer.
    type Memory = (Owners, [bool; REQUESTS], [[bool; NODES]; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P24",
            kind: Kind::Eventually,
            sentence: "A client that may not remove a channel is told so.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        (Owners::of(frame), forbidden(frame), Default::default())
    }

    fn note(&self, (owners, forbidden, owed): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::NodeTook(request, node, _) => owed[*request][*node] = forbidden[*request],
            Note::NodeSent(request, node, payload) if is_not_permitted(payload) => {
                owed[*request][*node] = false;
            }
            Note::NodeDown(client, node) => {
                for request in (0..REQUESTS).filter(|request| owners.own(*client, *request)) {
                    owed[request][*node] = false;
                }
            }
            _ => {}
        }
        false
    }

    fn owes(&self, (_, _, owed): &Self::Memory) -> bool {
        owed.as_flattened().contains(&true)
    }
}

/// P25: what a node lists.
#[derive(Clone, Copy, Debug)]
pub struct NodeListsChannels;

/// A list of channels under way.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Listing {
    said: BTreeSet<ChannelName>,
    /// These were there at some time since it began.
    ever: BTreeSet<ChannelName>,
    /// These were there all the time.
    always: BTreeSet<ChannelName>,
}

/// What there is, and what is being said of it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Listings {
    dialogues: Dialogues,
    channels: [BTreeSet<ChannelName>; NODES],
    listings: [[Option<Listing>; NODES]; REQUESTS],
}

impl Property for NodeListsChannels {
    type Memory = Listings;

    fn about(&self) -> About {
        About {
            id: "P25",
            kind: Kind::Always,
            sentence: "A node lists each channel once: all that exist all the time, and none that never does.",
        }
    }

    fn start(&self, frame: &Frame) -> Listings {
        let channels = |node| {
            let store: Option<&crate::world::Store> = frame.nodes.get(node);
            let names = store.map(|store| store.channels().map(|(name, _)| name.clone()));
            names.into_iter().flatten().collect()
        };
        Listings {
            dialogues: Dialogues::new(frame),
            channels: std::array::from_fn(channels),
            listings: Default::default(),
        }
    }

    fn note(&self, memory: &mut Listings, note: &Note) -> bool {
        let said = memory.dialogues.note(note);
        let Listings {
            dialogues,
            channels,
            listings,
        } = memory;
        match note {
            Note::CreatedChannel(node, name, _) => {
                channels[*node].insert(name.clone());
                for listing in listings
                    .iter_mut()
                    .filter_map(|nodes| nodes[*node].as_mut())
                {
                    listing.ever.insert(name.clone());
                }
            }
            Note::RemovedChannel(node, name, _) => {
                channels[*node].remove(name);
                for listing in listings
                    .iter_mut()
                    .filter_map(|nodes| nodes[*node].as_mut())
                {
                    listing.always.remove(name);
                }
            }
            Note::NodeTook(request, node, _)
                if dialogues.stage(*request, *node)
                    == Stage::Asked(Some(RequestCode::GetChannels)) =>
            {
                listings[*request][*node] = Some(Listing {
                    said: BTreeSet::new(),
                    ever: channels[*node].clone(),
                    always: channels[*node].clone(),
                });
            }
            Note::NodeSent(request, node, payload) => {
                let Some((Stage::Supported(RequestCode::GetChannels), _)) = said else {
                    return false;
                };
                let listing = &mut listings[*request][*node];
                return match (FromNode::decode(payload), listing.as_mut()) {
                    (Ok(FromNode::ChannelName(name)), Some(listing)) => {
                        !listing.ever.contains(&name) || !listing.said.insert(name)
                    }
                    (Ok(FromNode::Finished), Some(open)) => {
                        let complete = open.always.is_subset(&open.said);
                        *listing = None;
                        !complete
                    }
                    _ => true,
                };
            }
            Note::NodeDown(_, node) => {
                for (request, nodes) in listings.iter_mut().enumerate() {
                    if dialogues.stage(request, *node) == Stage::Silent {
                        nodes[*node] = None;
                    }
                }
            }
            _ => {}
        }
        false
    }
}

/// P26: what a user is told of the channels of all nodes.
#[derive(Clone, Copy, Debug)]
pub struct UserHearsEachChannelOnce;

/// What the user of a GetChannels was told, and which nodes have not finished.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Heard {
    names: BTreeSet<ChannelName>,
    finished: [bool; NODES],
}

impl Property for UserHearsEachChannelOnce {
    /// Whose requests they are, which nodes each client knows, and what was heard by those who ask.
    type Memory = (Owners, [[bool; NODES]; CLIENTS], [Option<Heard>; REQUESTS]);

    fn about(&self) -> About {
        About {
            id: "P26",
            kind: Kind::Always,
            sentence: "A user hears of each channel once, and of the end when all nodes have finished.",
        }
    }

    fn start(&self, frame: &Frame) -> Self::Memory {
        let mut known = [[false; NODES]; CLIENTS];
        for (known, client) in known.iter_mut().zip(&frame.clients) {
            client.knows.iter().for_each(|node| known[*node] = true);
        }
        let heard = std::array::from_fn(|request| {
            let asks = frame.requests.get(request)?.asks.as_ref()?;
            (*asks == Asks::GetChannels).then(Heard::default)
        });
        (Owners::of(frame), known, heard)
    }

    fn note(&self, (owners, known, heard): &mut Self::Memory, note: &Note) -> bool {
        match note {
            Note::Learned(client, node, _) => known[*client][*node] = true,
            Note::ClientTook(request, node, payload) => {
                let ended = matches!(
                    FromNode::decode(payload),
                    Ok(FromNode::Finished | FromNode::Error)
                ) || matches!(
                    SupportedStatus::decode(payload),
                    Ok(SupportedStatus::NotSupported | SupportedStatus::VersionNotSupported)
                );
                if let Some(heard) = &mut heard[*request] {
                    heard.finished[*node] |= ended;
                }
            }
            Note::Told(request, Told::GetChannels(told)) => {
                let heard = heard[*request].get_or_insert_default();
                return match told {
                    gather::Notification::Notice(name) => !heard.names.insert(name.clone()),
                    gather::Notification::Finished => {
                        let Heard { finished, .. } = std::mem::take(heard);
                        let client = (0..CLIENTS).find(|client| owners.own(*client, *request));
                        let known = client.map_or([false; NODES], |client| known[client]);
                        (0..NODES).any(|node| known[node] && !finished[node])
                    }
                    _ => false,
                };
            }
            _ => {}
        }
        false
    }
}

/// The RemoveChannel requests of clients that may not remove channels.
fn forbidden(frame: &Frame) -> [bool; REQUESTS] {
    let is_forbidden = |request: Request| {
        let setup = frame.requests.get(request)?;
        let removes = matches!(setup.asks, Some(Asks::RemoveChannel(_)));
        Some(removes && !frame.clients[setup.client].admin)
    };
    std::array::from_fn(|request| is_forbidden(request).unwrap_or(false))
}

/// Is the user told that it may not?
pub fn is_told_not_permitted(told: &Told) -> bool {
    matches!(
        told,
        Told::RemoveChannel(gather::Notification::Notice(
            remove_channel::Notice::NotPermitted(_)
        ))
    )
}
