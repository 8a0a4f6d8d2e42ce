//! Does what the clients want, and minds what becomes of connections and of what was said wrongly on them.

use std::time::Duration;

use dht_workload::case::{Protocol, Wrong};
use dht_workload::names::Names;
use dht_workload::world::{Ending, Happening, Ticket, Violation};

use super::WireWorld;
use crate::fuzz::line::{State, Waiting};
use crate::fuzz::probe::{Probe, Stage};
use crate::fuzz::speech::{Asked, Wish, nothing};
use crate::fuzz::verdict::After;

/// How often a connection is tried again without getting anywhere, and how long is waited before the second attempt;
/// each time it is twice as long. A node that has just crashed may still seem to take connections.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(10);
/// Why nothing comes of something.
const NO_CONNECTION: &str = "there is no such connection";

impl WireWorld {
    /// It is known what the node does about something wrong.
    pub(super) fn decided(&mut self, at: usize, probe: Probe, after: After) {
        if probe.leaves_something() {
            self.lines[at].soiled = true;
        }
        let ticket = probe.ticket;
        let happening = match probe.verdict(after) {
            Ok(ending) => Happening::Ended(ticket, ending),
            Err(violation) => Happening::Violation(violation),
        };
        self.happened.push_back(happening);
    }

    /// No connection could be made.
    pub(super) fn refused(&mut self, at: usize, why: &str) {
        let line = &mut self.lines[at];
        line.attempts += 1;
        if line.attempts >= ATTEMPTS {
            line.state = State::Down;
            let gone = format!("no connection can be made any more: {why}");
            let happening = match line.speech.protocol() {
                Protocol::Neo => Happening::Gone(gone),
                // The node may be there, and only its legacy port gone.
                Protocol::Legacy => Happening::Violation(Violation {
                    requirement: line.speech.when_never_ready(),
                    text: gone,
                }),
            };
            return self.happened.push_back(happening);
        }
        let pause = PAUSE * (1 << line.attempts);
        line.connect(pause);
    }

    /// The connection is over, whoever wanted it.
    pub(super) fn lost(&mut self, at: usize) {
        let now = self.now();
        let line = &mut self.lines[at];
        if let (Some(trace), Some(id)) = (&self.trace, line.traced) {
            trace.ended(id, "the connection ended");
        }
        let was_ready = line.ready;
        let probes = std::mem::take(&mut line.probes);
        let excused = line.excused || !probes.is_empty() || line.speech.may_be_closed();
        line.disconnected(now);
        if was_ready && !excused {
            line.unexplained = true;
        }
        line.attempts += 1;
        if line.attempts > ATTEMPTS {
            line.state = State::Down;
            let violation = Violation {
                requirement: line.speech.when_never_ready(),
                text: "every new connection is closed".to_owned(),
            };
            self.happened.push_back(Happening::Violation(violation));
        } else {
            let pause = match was_ready {
                true => Duration::ZERO,
                false => PAUSE * (1 << line.attempts),
            };
            line.connect(pause);
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

    /// Does what a client wants.
    pub(super) fn take_outputs(&mut self, at: usize) {
        let now = self.now();
        while let Some(wish) = self.lines[at].speech.next_wish(now) {
            match wish {
                Wish::Connect => {
                    let line = &mut self.lines[at];
                    if matches!(line.state, State::Down) {
                        line.connect(Duration::ZERO);
                    }
                }
                Wish::Ready => self.ready(at),
                Wish::Close(why) => {
                    let violation = why.map(|why| Happening::Violation(why.into()));
                    self.happened.extend(violation);
                    self.lines[at].excused = true;
                    self.lost(at);
                }
                Wish::Fault(why) => self.happened.push_back(Happening::Violation(why.into())),
                Wish::Happened(happening) => self.happened.push_back(happening),
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
                requirement: line.speech.when_closed(),
                text: "a connection was closed on which nothing wrong was said".to_owned(),
            };
            self.happened.push_back(Happening::Violation(violation));
        }
        for waiting in std::mem::take(&mut self.lines[at].waiting) {
            match waiting {
                Waiting::Ask(ticket, asked) => self.start_on(at, ticket, asked),
                Waiting::Wrong(ticket, wrong, names) => self.forge_on(at, ticket, wrong, &names),
            }
        }
    }

    /// A client begins something.
    pub(super) fn start(&mut self, connection: usize, ticket: Ticket, asked: Asked) {
        match self.line_of(connection) {
            Some(at) if self.lines[at].address.is_some() => self.start_on(at, ticket, asked),
            _ => {
                let none = asked.undone(ticket, NO_CONNECTION);
                self.happened.push_back(none);
            }
        }
    }

    fn start_on(&mut self, at: usize, ticket: Ticket, asked: Asked) {
        let now = self.now();
        let line = &mut self.lines[at];
        if !line.ready || line.is_leaving() {
            return line.waiting.push(Waiting::Ask(ticket, asked));
        }
        let happening = line.speech.start(ticket, asked, now);
        self.happened.extend(happening);
        self.take_outputs(at);
    }

    /// Something wrong is said.
    pub(super) fn say_wrongly(
        &mut self,
        connection: usize,
        ticket: Ticket,
        wrong: Wrong,
        names: &Names,
    ) {
        match self.line_of(connection) {
            Some(at) if self.lines[at].address.is_some() => {
                self.forge_on(at, ticket, wrong, names);
            }
            _ => self.happened.push_back(nothing(ticket, NO_CONNECTION)),
        }
    }

    fn forge_on(&mut self, at: usize, ticket: Ticket, wrong: Wrong, names: &Names) {
        let line = &mut self.lines[at];
        if !line.ready || line.is_leaving() {
            let waiting = Waiting::Wrong(ticket, wrong, names.clone());
            return line.waiting.push(waiting);
        }
        let (probe, bytes) = match line.speech.forge(ticket, &wrong, names, &self.place) {
            Ok(forged) => forged,
            Err(why) => return self.happened.push_back(nothing(ticket, why)),
        };
        // What was said before goes out before.
        self.fill(at);
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
