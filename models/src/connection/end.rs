//! One end of the connection: the machine that client or node run, or somebody who follows a script.

use bytes::Bytes;
use dht_protocol::neo::handshake::{ClientHandshake, NodeHandshake};
use dht_protocol::neo::{Connection, Event, Limits, NodeConnection, Now, RequestId, Violation};

use super::host::Records;

/// A message of a request, as the client heard it.
pub type Heard = (RequestId, Bytes);

/// An end of the connection, and what it has read and written so far.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct End {
    /// Who is there.
    pub machine: Machine,
    /// All bytes that it was given.
    pub read: Vec<u8>,
    /// All bytes that it has written.
    pub wrote: Vec<u8>,
    /// How it is.
    pub fate: Fate,
    /// How many bytes stand in its output, not written yet.
    pub waiting: usize,
}

/// Who is at an end.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Machine {
    /// The client's machine, and the messages that it has heard.
    Client(Box<Connection<ClientHandshake>>, Vec<Heard>),
    /// The node's machine.
    Node(Box<NodeConnection>),
    /// What is still to be said.
    Script(Vec<Line>),
}

/// A line of a script: what is written as soon as so many bytes were read in all.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Line {
    /// Bytes to be read before.
    pub after: usize,
    /// Bytes to be written.
    pub say: Vec<u8>,
}

/// How an end is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Fate {
    /// It goes on.
    Running,
    /// Its peer has broken a rule.
    Failed(Violation),
    /// It was told that the connection has ended.
    Gone,
}

impl End {
    /// A client's end of a new connection.
    pub fn client(handshake: ClientHandshake) -> Self {
        let connection = Connection::new(handshake, Limits::default());
        Self::new(Machine::Client(Box::new(connection), Vec::new()))
    }

    /// A node's end of a new connection.
    pub fn node(handshake: NodeHandshake) -> Self {
        let connection = NodeConnection::new(handshake, Limits::default());
        Self::new(Machine::Node(Box::new(connection)))
    }

    /// An end at which somebody follows a script.
    pub fn script(lines: Vec<Line>) -> Self {
        Self::new(Machine::Script(lines))
    }

    fn new(machine: Machine) -> Self {
        let mut end = Self {
            machine,
            read: Vec::new(),
            wrote: Vec::new(),
            fate: Fate::Running,
            waiting: 0,
        };
        end.look();
        end
    }

    /// Does it go on?
    pub fn is_running(&self) -> bool {
        self.fate == Fate::Running
    }

    /// Has it been authenticated, or authenticated its peer, and does it go on?
    pub fn is_open(&self) -> bool {
        self.is_running()
            && match &self.machine {
                Machine::Client(connection, _) => connection.is_open(),
                Machine::Node(node) => node.client().is_some(),
                Machine::Script(_) => false,
            }
    }

    /// Is it somebody who follows a script?
    pub fn is_script(&self) -> bool {
        matches!(self.machine, Machine::Script(_))
    }

    /// The messages that a client has heard.
    pub fn heard(&self) -> &[Heard] {
        match &self.machine {
            Machine::Client(_, heard) => heard,
            Machine::Node(_) | Machine::Script(_) => &[],
        }
    }

    /// The node's machine.
    pub fn as_node(&self) -> Option<&NodeConnection> {
        match &self.machine {
            Machine::Node(node) => Some(node),
            Machine::Client(..) | Machine::Script(_) => None,
        }
    }

    /// Does it want to read now?
    pub fn wants_input(&self) -> bool {
        self.is_running() && self.as_node().is_none_or(NodeConnection::wants_input)
    }

    /// Reads bytes. Of those in `chunk` the machine gets to see the first `seen`.
    pub fn read(&mut self, chunk: &[u8], seen: usize, now: Now, records: &mut Records) {
        if !self.is_running() {
            return;
        }
        self.read.extend_from_slice(chunk);
        let seen = &chunk[..seen.min(chunk.len())];
        match &mut self.machine {
            Machine::Client(connection, _) => connection.feed(seen),
            Machine::Node(node) => node.feed(seen),
            Machine::Script(_) => {}
        }
        self.work(now, records);
    }

    /// Handles what was read, and what can go on because the output was taken.
    pub fn work(&mut self, now: Now, records: &mut Records) {
        if !self.is_running() {
            return;
        }
        if let Err(violation) = self.machine.work(now, records) {
            self.fate = Fate::Failed(violation);
        }
        self.look();
    }

    /// Sends a message of a request.
    pub fn send(&mut self, id: RequestId, payload: &[u8]) {
        if let Machine::Client(connection, _) = &mut self.machine {
            connection.send(id, payload);
        }
        self.look();
    }

    /// Takes what stands in the output.
    pub fn take_output(&mut self) -> Vec<u8> {
        let output = match &mut self.machine {
            Machine::Client(connection, _) => std::mem::take(connection.output()),
            Machine::Node(node) => std::mem::take(node.output()),
            Machine::Script(lines) => {
                let read = self.read.len();
                match lines.first() {
                    Some(line) if read >= line.after => lines.remove(0).say,
                    Some(_) | None => Vec::new(),
                }
            }
        };
        self.look();
        output
    }

    /// Is told that the connection has ended.
    pub fn hang_up(&mut self) {
        if let Machine::Client(connection, _) = &mut self.machine {
            connection.close();
        }
        if self.is_running() {
            self.fate = Fate::Gone;
        }
    }

    fn look(&mut self) {
        self.waiting = match &mut self.machine {
            Machine::Client(connection, _) => connection.output_len(),
            Machine::Node(node) => node.output().len(),
            Machine::Script(lines) => match lines.first() {
                Some(line) if self.read.len() >= line.after => line.say.len(),
                Some(_) | None => 0,
            },
        };
    }
}

impl Machine {
    fn work(&mut self, now: Now, records: &mut Records) -> Result<(), Violation> {
        match self {
            Self::Client(connection, heard) => {
                while let Some(event) = connection.next_event(now)? {
                    if let Event::Message { id, payload } = event {
                        heard.push((id, payload));
                    }
                }
            }
            Self::Node(node) => while node.process(now, records)? {},
            Self::Script(_) => {}
        }
        Ok(())
    }
}
