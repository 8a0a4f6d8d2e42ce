//! The faults of one connection: what is still to go wrong with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::gate::{Gate, Gates};
use super::traffic::Traffic;
use crate::case::{Direction, Fault, Protocol};
use crate::messages::{Messages, Piece};

/// What is to go wrong with a connection, also when it was established anew.
#[derive(Debug)]
pub(in crate::net) struct Line {
    connection: usize,
    traffic: Arc<Traffic>,
    protocol: Protocol,
    /// Where a schedule holds messages, if there is one.
    gates: Option<Arc<Gates>>,
    plan: Mutex<Plan>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Plan {
    cut: Option<Cut>,
    /// How long pieces are; 0: as they come.
    split: u32,
    /// How many messages of the client go out as one.
    coalesce: u32,
    stall: Option<(Direction, u32)>,
    /// Is the authentication over?
    is_open: bool,
}

/// See [`Fault::Cut`].
#[derive(Clone, Copy, Debug)]
struct Cut {
    direction: Direction,
    messages: u32,
    bytes: u32,
}

impl Line {
    /// Nothing goes wrong yet.
    pub(in crate::net) fn new(
        connection: usize,
        protocol: Protocol,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self {
            connection,
            traffic,
            protocol,
            gates: None,
            plan: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The same line, with gates.
    pub(in crate::net) fn with_gates(self, gates: Arc<Gates>) -> Self {
        Self {
            gates: Some(gates),
            ..self
        }
    }

    /// Finds where messages end in one direction of a new connection.
    pub(super) fn messages(&self) -> Messages {
        match self.protocol {
            Protocol::Neo => Messages::default(),
            Protocol::Legacy => Messages::plain(),
        }
    }

    /// Lets something go wrong from now on. False: that is nothing that goes wrong with a connection.
    pub(in crate::net) fn set(&self, fault: &Fault) -> bool {
        let mut plan = self.plan();
        match *fault {
            Fault::Cut {
                direction,
                messages,
                bytes,
                ..
            } => {
                plan.cut = Some(Cut {
                    direction,
                    messages,
                    bytes,
                });
            }
            Fault::Split { bytes, .. } => plan.split = bytes,
            Fault::Coalesce { messages, .. } => plan.coalesce = messages,
            Fault::Stall {
                direction,
                messages,
                ..
            } => plan.stall = Some((direction, messages)),
            Fault::Halt { .. } | Fault::Kill {} => return false,
        }
        self.changed.notify_one();
        true
    }

    /// A connection begins.
    pub(super) fn begin(&self) {
        self.plan().is_open = false;
        if let Some(gates) = &self.gates {
            gates.begin(self.connection);
        }
    }

    /// A connection is over.
    pub(super) fn end(&self) {
        if let Some(gates) = &self.gates {
            gates.end(self.connection);
        }
    }

    /// The gate in a direction of a connection that has begun.
    pub(super) fn gate(&self, direction: Direction) -> Option<Gate> {
        let gates = self.gates.as_ref()?;
        Some(Gate::new(Arc::clone(gates), self.connection, direction))
    }

    /// Waits until the connection is to be cut without waiting for anything to pass.
    pub(super) async fn due(&self) -> Direction {
        loop {
            if let Some(direction) = self.plan().due() {
                return direction;
            }
            // One is notified for each change, also before it waits.
            self.changed.notified().await;
        }
    }

    /// How much of a piece may pass, and whether the connection is to be cut behind that.
    pub(super) fn allow(&self, direction: Direction, piece: Piece) -> (usize, bool) {
        let mut plan = self.plan();
        let Some(cut) = &mut plan.cut else {
            return (piece.len, false);
        };
        if cut.direction != direction || !piece.is_request {
            return (piece.len, false);
        }
        let passes = match cut.messages {
            // The next message may be shorter than that; then it passes whole.
            0 => piece.len.min(cut.bytes as usize),
            _ => piece.len,
        };
        let over = match &mut cut.messages {
            0 => {
                cut.bytes -= u32::try_from(passes).unwrap_or(cut.bytes);
                cut.bytes == 0 || piece.ends
            }
            messages => {
                *messages -= u32::from(piece.ends);
                *messages == 0 && cut.bytes == 0
            }
        };
        if over {
            plan.cut = None;
        }
        (passes, over)
    }

    /// Waits at the beginning of a message, if this direction is to stand still.
    pub(super) async fn stand_still(&self, direction: Direction) {
        let stall = self
            .plan()
            .stall
            .take_if(|(stalled, _)| *stalled == direction);
        if let Some((_, messages)) = stall {
            self.traffic.stand_still(self.connection, messages).await;
        }
    }

    /// How long pieces are; 0: as they come.
    pub(super) fn split(&self) -> usize {
        self.plan().split as usize
    }

    /// How many messages go out as one in this direction.
    pub(super) fn coalesce(&self, direction: Direction) -> u64 {
        match direction {
            Direction::ToNode => self.plan().coalesce.into(),
            Direction::ToClient => 0,
        }
    }

    /// A message of a request has begun: the authentication is over.
    pub(super) fn open(&self) {
        let mut plan = self.plan();
        if !plan.is_open {
            plan.is_open = true;
            self.changed.notify_one();
        }
    }

    /// So many messages have passed.
    pub(super) fn passed(&self, messages: u64) {
        if messages > 0 {
            self.traffic.passed(self.connection, messages);
        }
    }

    /// The plan is sound at any moment, whatever happened to who held the lock.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    /// The direction of a cut that waits for nothing. It is not to be done again.
    fn due(&mut self) -> Option<Direction> {
        let is_open = self.is_open;
        let due = |cut: &mut Cut| is_open && cut.messages == 0 && cut.bytes == 0;
        self.cut.take_if(due).map(|cut| cut.direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Piece = Piece {
        len: 30,
        is_request: true,
        begins: false,
        ends: true,
    };
    const HEADER: Piece = Piece {
        len: 10,
        begins: true,
        ends: false,
        ..BODY
    };

    fn line(messages: u32, bytes: u32) -> Line {
        let line = Line::new(0, Protocol::Neo, Arc::new(Traffic::new(1)));
        let direction = Direction::ToNode;
        assert!(line.set(&Fault::Cut {
            connection: 0,
            direction,
            messages,
            bytes,
        }));
        line
    }

    #[test]
    fn a_cut_counts_messages_then_bytes() {
        let line = line(1, 12);
        let allow = |piece| line.allow(Direction::ToNode, piece);
        assert_eq!([allow(HEADER), allow(BODY)], [(10, false), (30, false)]);
        assert_eq!([allow(HEADER), allow(BODY)], [(10, false), (2, true)]);
        assert_eq!(allow(HEADER), (10, false), "it is done once");
    }

    #[test]
    fn a_cut_behind_a_message_waits_for_no_other() {
        let line = line(1, 0);
        let allow = |piece| line.allow(Direction::ToNode, piece);
        assert_eq!(line.allow(Direction::ToClient, BODY), (30, false));
        assert_eq!([allow(HEADER), allow(BODY)], [(10, false), (30, true)]);
    }

    #[test]
    fn a_message_that_is_too_short_to_be_cut_inside_is_the_last() {
        let line = line(0, 1000);
        let allow = |piece| line.allow(Direction::ToNode, piece);
        assert_eq!([allow(HEADER), allow(BODY)], [(10, false), (30, true)]);
    }

    #[test]
    fn a_cut_at_once_leaves_the_authentication_alone() {
        let line = line(0, 0);
        assert_eq!(line.plan().due(), None);
        line.open();
        assert_eq!(line.plan().due(), Some(Direction::ToNode));
        assert_eq!(line.plan().due(), None);
    }
}
