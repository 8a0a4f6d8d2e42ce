//! Does what the clients' cores want, and minds what becomes of connections and of what was said wrongly on them.

use std::time::Duration;

use dht_client::ConnectionError;
use dht_client::core::{ConnectionEvent, Output};
use dht_requirements as req;
use dht_workload::case::Wrong;
use dht_workload::names::Names;
use dht_workload::sim::requests::Ask;
use dht_workload::world::{Ending, Happening, Ticket, Violation};

use super::{NODE, WireWorld};
use crate::fuzz::forgery;
use crate::fuzz::line::{State, Waiting};
use crate::fuzz::probe::{Probe, Stage};
use crate::fuzz::verdict::{After, verdict};

/// How often a connection is tried again without getting anywhere, and how long is waited before the second attempt;
/// each time it is twice as long. A node that has just crashed may still seem to take connections.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(10);

impl WireWorld {
    /// It is known what the node does about something wrong.
    pub(super) fn decided(&mut self, at: usize, probe: Probe, after: After) {
        if probe.leaves_something() {
            self.lines[at].soiled = true;
        }
        let ticket = probe.ticket;
        let happening = match probe.reaction(after) {
            None => {
                let lost = "the connection ended before it was said".to_owned();
                Happening::Ended(ticket, Ending::Unknown(lost))
            }
            Some((defect, code, reaction)) => match verdict(defect, code, &reaction) {
                Ok(ending) => Happening::Ended(ticket, ending),
                Err(violation) => Happening::Violation(violation),
            },
        };
        self.happened.push_back(happening);
    }

    /// No connection could be made.
    pub(super) fn refused(&mut self, at: usize, why: &str) {
        let address = self.place.address;
        let line = &mut self.lines[at];
        line.attempts += 1;
        if line.attempts >= ATTEMPTS {
            line.state = State::Down;
            let gone = format!("no connection can be made any more: {why}");
            return self.happened.push_back(Happening::Gone(gone));
        }
        let pause = PAUSE * (1 << line.attempts);
        line.connect(address, pause);
    }

    /// The connection is over, whoever wanted it.
    pub(super) fn lost(&mut self, at: usize) {
        let address = self.place.address;
        let now = self.now();
        let line = &mut self.lines[at];
        if let (Some(trace), Some(id)) = (&self.trace, line.traced) {
            trace.ended(id, "the connection ended");
        }
        let was_ready = line.ready;
        let probes = std::mem::take(&mut line.probes);
        let excused = line.excused || !probes.is_empty();
        line.disconnected();
        line.core.disconnected(NODE, ConnectionError::Closed, now);
        if was_ready && !excused {
            line.unexplained = true;
        }
        line.attempts += 1;
        if line.attempts > ATTEMPTS {
            line.state = State::Down;
            let violation = Violation {
                requirement: &req::ROBUST_NEW_CONNECTIONS,
                text: "every new connection is closed".to_owned(),
            };
            self.happened.push_back(Happening::Violation(violation));
        } else {
            let pause = match was_ready {
                true => Duration::ZERO,
                false => PAUSE * (1 << line.attempts),
            };
            line.connect(address, pause);
        }
        let several = probes.len() > 1;
        for probe in probes {
            if several {
                // Nobody knows which of them the node reacted to.
                let lost = Ending::Unknown("the connection ended".to_owned());
                self.happened
                    .push_back(Happening::Ended(probe.ticket, lost));
            } else {
                self.decided(at, probe, After::Closed);
            }
        }
        self.take_outputs(at);
    }

    /// Does what a client's core wants.
    pub(super) fn take_outputs(&mut self, at: usize) {
        while let Some(output) = self.lines[at].core.next_output() {
            match output {
                Output::Connect(_) => {
                    let address = self.place.address;
                    let line = &mut self.lines[at];
                    if matches!(line.state, State::Down) {
                        line.connect(address, Duration::ZERO);
                    }
                }
                Output::Write(_) => {}
                Output::Close { reason, .. } => {
                    if let Some(why) = fault(&reason) {
                        self.happened.push_back(Happening::Violation(why.into()));
                    }
                    self.lines[at].excused = true;
                    self.lost(at);
                }
                Output::Connection(ConnectionEvent::Failed(_, reason)) => {
                    if let Some(why) = fault(&reason) {
                        self.happened.push_back(Happening::Violation(why.into()));
                    }
                }
                Output::Connection(ConnectionEvent::RangeKnown(..)) => {
                    self.lines[at].knows_range = true;
                    self.ready(at);
                }
                Output::Connection(ConnectionEvent::Connected(_)) => {
                    if self.lines[at].knows_range {
                        self.ready(at);
                    }
                }
                Output::Connection(_) => {}
                Output::Request { id, told } => {
                    let now = self.now();
                    let line = &mut self.lines[at];
                    let came = line.requests.told(id, told);
                    if let Some((id, decision)) = came.decide {
                        line.core.decide(id, decision, now);
                    }
                    self.happened.extend(came.happening);
                }
            }
        }
    }

    /// The connection is up: what has waited for it begins.
    fn ready(&mut self, at: usize) {
        let line = &mut self.lines[at];
        line.attempts = 0;
        line.ready = true;
        line.excused = false;
        if std::mem::take(&mut line.unexplained) {
            let violation = Violation {
                requirement: &req::ROBUST_DROP_LOCAL,
                text: "a connection was closed on which nothing wrong was said".to_owned(),
            };
            self.happened.push_back(Happening::Violation(violation));
        }
        for waiting in std::mem::take(&mut self.lines[at].waiting) {
            match waiting {
                Waiting::Ask(ticket, ask) => self.start(at, ticket, ask),
                Waiting::Wrong(ticket, wrong, names) => self.say_wrongly(at, ticket, wrong, &names),
            }
        }
    }

    pub(super) fn start(&mut self, at: usize, ticket: Ticket, ask: Ask) {
        let now = self.now();
        let Some(line) = self.lines.get_mut(at) else {
            let none = Ending::Nothing("there is no such connection".to_owned());
            return self.happened.push_back(Happening::Ended(ticket, none));
        };
        if !line.ready || line.is_leaving() {
            return line.waiting.push(Waiting::Ask(ticket, ask));
        }
        match line.core.start(ask.request(), now) {
            Ok(id) => line.requests.started(id, ticket, ask),
            Err(error) => {
                let nothing = Ending::Nothing(error.to_string());
                self.happened.push_back(Happening::Ended(ticket, nothing));
            }
        }
        self.take_outputs(at);
    }

    pub(super) fn say_wrongly(&mut self, at: usize, ticket: Ticket, wrong: Wrong, names: &Names) {
        let nothing = |why: &str| Happening::Ended(ticket, Ending::Nothing(why.to_owned()));
        let Some(line) = self.lines.get_mut(at) else {
            return self
                .happened
                .push_back(nothing("there is no such connection"));
        };
        if !line.ready || line.is_leaving() {
            return line
                .waiting
                .push(Waiting::Wrong(ticket, wrong, names.clone()));
        }
        let (id, sentinel) = line.forged_ids();
        let deed = forgery::deed(&wrong, names, id);
        let code = forgery::opening(wrong.of.as_deref(), names).map(|(code, _)| code);
        let (Some(deed), Some(code)) = (deed, code) else {
            return self.happened.push_back(nothing("it has no place in this"));
        };
        // What was said before goes out before.
        self.fill(at);
        let (probe, bytes) = Probe::begin(
            ticket,
            wrong.defect,
            code,
            (id, sentinel),
            deed,
            &self.place.spare,
        );
        let line = &mut self.lines[at];
        // Until it is decided; a connection that it ends is not the node's fault.
        line.excused |= matches!(probe.stage, Stage::Leaving(_));
        match probe.is_trickled() {
            true => line.output.add_slowly(&bytes),
            false => line.output.add(&bytes),
        }
        self.traffic.sent += 2;
        line.probes.push(probe);
    }
}

/// Why the client gave up the connection, if the node is to blame.
fn fault(reason: &ConnectionError) -> Option<String> {
    use ConnectionError::{Flooding, Rejected, Violation, WrongVersion};
    matches!(
        reason,
        Violation(_) | Flooding | Rejected | WrongVersion { .. }
    )
    .then(|| reason.to_string())
}
