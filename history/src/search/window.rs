//! Invocations and returns of the operations that are left, in the order of time: a list that operations leave
//! and come back to, last out first in.

use crate::problem::{NEVER, Problem};

const NONE: u32 = u32::MAX;

/// The list. Its first element is at [`Window::first`].
pub(super) struct Window {
    events: Vec<Event>,
    /// Where each operation is invoked, and where it returns.
    places: Vec<(u32, u32)>,
}

struct Event {
    op: u32,
    returns: bool,
    next: u32,
    previous: u32,
}

impl Window {
    pub(super) fn of(problem: &Problem) -> Self {
        let mut times = Vec::with_capacity(problem.ops.len() * 2);
        for (index, op) in (0..).zip(&problem.ops) {
            times.push((op.invoked, false, index));
            if op.returned != NEVER {
                times.push((op.returned, true, index));
            }
        }
        // What is invoked when something returns overlaps it.
        times.sort_unstable();
        let mut places = vec![(NONE, NONE); problem.ops.len()];
        // The first event is the list's head and its end.
        let mut events = vec![Event {
            op: NONE,
            returns: true,
            next: 0,
            previous: 0,
        }];
        for (place, (_, returns, op)) in (1..).zip(times) {
            let at = &mut places[op as usize];
            *(if returns { &mut at.1 } else { &mut at.0 }) = place;
            events.push(Event {
                op,
                returns,
                next: 0,
                previous: place - 1,
            });
            events[place as usize - 1].next = place;
            events[0].previous = place;
        }
        Self { events, places }
    }

    pub(super) fn first(&self) -> u32 {
        self.events[0].next
    }

    pub(super) fn after(&self, place: u32) -> u32 {
        self.events[place as usize].next
    }

    /// The operation that is invoked here.
    pub(super) fn invocation(&self, place: u32) -> Option<u32> {
        let event = &self.events[place as usize];
        (!event.returns).then_some(event.op)
    }

    /// The operation that returns here.
    pub(super) fn returning(&self, place: u32) -> Option<u32> {
        let event = &self.events[place as usize];
        (event.returns && event.op != NONE).then_some(event.op)
    }

    pub(super) fn is_return_of(&self, place: u32, op: u32) -> bool {
        self.places[op as usize].1 == place
    }

    pub(super) fn remove(&mut self, op: u32) {
        let (invoked, returned) = self.places[op as usize];
        self.unlink(invoked);
        if returned != NONE {
            self.unlink(returned);
        }
    }

    /// Puts the operation back that was removed last.
    pub(super) fn restore(&mut self, op: u32) {
        let (invoked, returned) = self.places[op as usize];
        if returned != NONE {
            self.relink(returned);
        }
        self.relink(invoked);
    }

    fn unlink(&mut self, place: u32) {
        let Event { next, previous, .. } = self.events[place as usize];
        self.events[previous as usize].next = next;
        self.events[next as usize].previous = previous;
    }

    fn relink(&mut self, place: u32) {
        let Event { next, previous, .. } = self.events[place as usize];
        self.events[previous as usize].next = place;
        self.events[next as usize].previous = place;
    }
}
