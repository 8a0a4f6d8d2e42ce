//! A run of a [`World`] as a [`Chart`].
//!
//! What happens in a step is what the properties are told of it, so a chart shows what they judge.

mod words;

use std::collections::{BTreeMap, VecDeque};

use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::{Kind, RequestId};

use crate::chart::{Chart, Ending, Mark, MessageId, Property, Role};
use crate::property::{self, About};
use crate::search::Path;
use crate::world::{Action, Client, From, Node, Note, Request, State, Way, World};

/// Draws the run that these actions make.
pub fn draw(world: &World, first: &State, actions: impl IntoIterator<Item = Action>) -> Chart {
    let mut drawing = Drawing::new(world);
    let mut state = *first;
    for action in actions {
        let Some((after, notes)) = world.explain(&state, action) else {
            break;
        };
        let marks = drawing.step(&notes);
        drawing.chart.step(marks);
        state = after;
    }
    drawing.chart
}

/// Draws a run that shows something about a property.
pub fn draw_finding(world: &World, about: &About, path: &Path<State, Action>) -> Chart {
    let mut chart = draw(world, &path.init, path.actions().copied());
    chart.property = Some(Property {
        id: about.id.to_owned(),
        sentence: about.sentence.to_owned(),
    });
    match about.kind {
        property::Kind::Always => chart.bad = chart.rows.len().checked_sub(1),
        property::Kind::Sometimes => {}
        property::Kind::Eventually => {
            chart.ending = Some(match path.repeats_from {
                Some(step) => Ending::RepeatsFrom(step),
                None => Ending::Stays,
            });
        }
    }
    chart
}

/// A message on its way.
type Course = (Request, Node, bool);

struct Drawing<'a> {
    world: &'a World,
    chart: Chart,
    clients: Vec<usize>,
    nodes: Vec<usize>,
    /// Who says what the messages of a connection mean.
    dissectors: BTreeMap<(Client, Node), Dissector>,
    on_the_way: BTreeMap<Course, VecDeque<MessageId>>,
    between_nodes: BTreeMap<Way, VecDeque<MessageId>>,
}

impl<'a> Drawing<'a> {
    fn new(world: &'a World) -> Self {
        let frame = world.frame();
        let mut chart = Chart::new(frame.name.clone());
        let named = |name: &str, number: usize, of: usize| match of {
            1 => name.to_owned(),
            _ => format!("{name} {}", number + 1),
        };
        let (clients, nodes) = (frame.clients.len(), frame.nodes.len());
        let clients = (0..clients).map(|n| chart.lane(named("client", n, clients), Role::Client));
        let clients = clients.collect();
        let nodes = (0..nodes).map(|n| chart.lane(named("node", n, nodes), Role::Node));
        let nodes = nodes.collect();
        Self {
            world,
            chart,
            clients,
            nodes,
            dissectors: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            between_nodes: BTreeMap::new(),
        }
    }

    fn step(&mut self, notes: &[Note]) -> Vec<Mark> {
        notes.iter().flat_map(|note| self.marks(note)).collect()
    }

    fn marks(&mut self, note: &Note) -> Vec<Mark> {
        let mark = match note {
            Note::Begun(request) => self.called(*request, words::asks(self.setup(*request))),
            Note::Controlled(request, control, accepted) => {
                let refused = if *accepted { "" } else { ", which is refused" };
                let call = format!("{control:?}").to_lowercase();
                self.called(*request, format!("calls {call}(){refused}"))
            }
            Note::Decided(request, decision) => self.called(*request, words::decision(decision)),
            Note::Abandoned(request) => self.called(*request, "loses patience".to_owned()),
            Note::Told(request, told) => Mark::Told {
                lane: self.client(*request),
                what: words::told(told),
            },
            Note::Over(_) => return Vec::new(),
            Note::Ignored(request, _) => Mark::Happens {
                lane: self.client(*request),
                what: "has no use for it".to_owned(),
            },
            Note::ClientSent(request, node, payload) => {
                self.sent(*request, *node, From::Client, payload)
            }
            Note::NodeSent(request, node, payload) => {
                self.sent(*request, *node, From::Node, payload)
            }
            Note::NodeTook(request, node, _) => {
                return self.arrived(*request, *node, From::Client, Mark::Received);
            }
            Note::ClientTook(request, node, _) => {
                return self.arrived(*request, *node, From::Node, Mark::Received);
            }
            Note::Lost(request, node, from, _) => {
                return self.arrived(*request, *node, *from, Mark::Lost);
            }
            Note::NodeEnded(_, node) => self.happens(*node, "ends the request".to_owned()),
            Note::Violated(request, node, from, violation) => {
                let who = match from {
                    From::Client => &self.chart.lanes[self.client(*request)].name,
                    From::Node => &self.chart.lanes[self.nodes[*node]].name,
                };
                Mark::Violation(format!("{who} closes the connection: {violation}"))
            }
            Note::Wrote(node, channel, key, value, by) => {
                let what = words::wrote(channel, *key, value.as_ref());
                match by {
                    Some(_) => self.happens(*node, what),
                    None => Mark::Elsewhere(format!(
                        "somebody else: {} {what}",
                        self.chart.lanes[self.nodes[*node]].name
                    )),
                }
            }
            Note::CreatedChannel(node, channel, _) => {
                self.happens(*node, format!("creates channel {channel}"))
            }
            Note::RemovedChannel(node, channel, _) => {
                self.happens(*node, format!("removes channel {channel}"))
            }
            Note::Arrived(node, _, key, value) => self.happens(
                *node,
                format!("is given {} = {}", words::key(*key), words::value(value)),
            ),
            Note::Left(node, _, key) => {
                self.happens(*node, format!("gives {} away", words::key(*key)))
            }
            Note::Ranged(node, range) => {
                self.happens(*node, format!("is responsible for {range} now"))
            }
            Note::Announced(node, other, range) => {
                let other = &self.chart.lanes[self.nodes[*other]].name;
                let what = format!("tells its clients of {other}: {range}");
                self.happens(*node, what)
            }
            Note::Learned(client, node, range) => Mark::Happens {
                lane: self.clients[*client],
                what: format!(
                    "knows {}: {range}",
                    self.chart.lanes[self.nodes[*node]].name
                ),
            },
            Note::Ticked(_, node) => self.happens(*node, "the period is over".to_owned()),
            Note::Up(client, node) => {
                self.dissectors.remove(&(*client, *node));
                Mark::Returns {
                    between: (self.clients[*client], self.nodes[*node]),
                }
            }
            Note::Broke(client, node) => Mark::Breaks {
                between: (self.clients[*client], self.nodes[*node]),
            },
            Note::ClientDown(client, _) => Mark::Happens {
                lane: self.clients[*client],
                what: "notices the break".to_owned(),
            },
            Note::NodeDown(_, node) => self.happens(*node, "notices the break".to_owned()),
            Note::Restarted(node) => self.happens(*node, "is restarted".to_owned()),
            Note::Missed(_, node, key) => {
                let what = format!("has no room for the change of {}", words::key(*key));
                self.happens(*node, what)
            }
            Note::HandoverBegan(node) => self.happens(*node, "is to give keys away".to_owned()),
            Note::HandoverOver(node) => {
                self.happens(*node, "has handed everything over".to_owned())
            }
            Note::OrderSent(way, bytes) => {
                let (from, to) = (self.nodes[way.from], self.nodes[way.to]);
                let message = self.chart.message(from, to, words::order(bytes));
                self.between_nodes
                    .entry(*way)
                    .or_default()
                    .push_back(message);
                Mark::Sent(message)
            }
            Note::OrderTook(way) => return self.passed(*way, Mark::Received),
            Note::OrderLost(way) => return self.passed(*way, Mark::Lost),
            Note::HandoverBroke(from, to) => Mark::Breaks {
                between: (self.nodes[*from], self.nodes[*to]),
            },
            Note::Ordered(node, order, answer) => {
                let node = &self.chart.lanes[self.nodes[*node]].name;
                let what = words::ordered(order, answer);
                Mark::Elsewhere(format!("a legacy client {what} at {node}"))
            }
            // Seen in what the node sends, or no longer does.
            Note::Suspended(..) | Note::Queued(..) => return Vec::new(),
        };
        vec![mark]
    }

    fn setup(&self, request: Request) -> &crate::world::RequestSetup {
        &self.world.frame().requests[request]
    }

    fn client(&self, request: Request) -> usize {
        self.clients[self.setup(request).client]
    }

    fn called(&self, request: Request, what: String) -> Mark {
        let lane = self.client(request);
        Mark::Called { lane, what }
    }

    fn happens(&self, node: Node, what: String) -> Mark {
        let lane = self.nodes[node];
        Mark::Happens { lane, what }
    }

    fn sent(&mut self, request: Request, node: Node, from: From, payload: &[u8]) -> Mark {
        let client = self.setup(request).client;
        let (sender, receiver, side) = match from {
            From::Client => (self.clients[client], self.nodes[node], Side::Client),
            From::Node => (self.nodes[node], self.clients[client], Side::Node),
        };
        let dissector = self.dissectors.entry((client, node)).or_default();
        let label = words::message(dissector, request, side, payload);
        let message = self.chart.message(sender, receiver, label);
        let way = (request, node, from == From::Client);
        self.on_the_way.entry(way).or_default().push_back(message);
        Mark::Sent(message)
    }

    fn passed(&mut self, way: Way, mark: fn(MessageId) -> Mark) -> Vec<Mark> {
        let next = self
            .between_nodes
            .get_mut(&way)
            .and_then(VecDeque::pop_front);
        next.map(mark).into_iter().collect()
    }

    fn arrived(
        &mut self,
        request: Request,
        node: Node,
        from: From,
        mark: fn(MessageId) -> Mark,
    ) -> Vec<Mark> {
        let way = (request, node, from == From::Client);
        let next = self.on_the_way.get_mut(&way).and_then(VecDeque::pop_front);
        next.map(mark).into_iter().collect()
    }
}

/// The body of a message as it stands behind its header.
fn body(request: Request, payload: &[u8]) -> (Kind, Vec<u8>) {
    let mut body = (request as u64 + 1).to_le_bytes().to_vec();
    body.extend_from_slice(payload);
    (Kind::Request, body)
}

/// How requests are numbered in the labels.
fn prefix(request: Request) -> String {
    RequestId::new(request as u64 + 1).map_or_else(String::new, |id| format!("#{} ", id.get()))
}
