//! From where to where each message flies, by the marks that count.

use super::{Chart, Mark};

/// The way of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flight {
    /// The row in which it leaves its sender.
    pub(super) sent: Option<usize>,
    /// Where it ends.
    pub(super) end: Option<End>,
}

/// The end of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct End {
    pub(super) row: usize,
    pub(super) lost: bool,
}

impl Flight {
    /// It was sent, and nothing says what became of it.
    pub(super) fn open(self) -> bool {
        self.sent.is_some() && self.end.is_none()
    }
}

/// The flight of each message. Nothing arrives before it is sent: such marks do not count.
pub(super) fn flights(chart: &Chart) -> Vec<Flight> {
    let mut flights = vec![Flight::default(); chart.messages.len()];
    for (row, mark) in marks(chart) {
        if let Mark::Sent(message) = mark
            && let Some(flight) = flights.get_mut(message.0)
        {
            flight.sent.get_or_insert(row);
        }
    }
    for (row, mark) in marks(chart) {
        let (message, lost) = match mark {
            Mark::Received(message) => (message, false),
            Mark::Lost(message) => (message, true),
            _ => continue,
        };
        if let Some(flight) = flights.get_mut(message.0)
            && flight.sent.is_none_or(|sent| sent <= row)
        {
            flight.end.get_or_insert(End { row, lost });
        }
    }
    flights
}

fn marks(chart: &Chart) -> impl Iterator<Item = (usize, &Mark)> {
    let rows = chart.rows.iter().enumerate();
    rows.flat_map(|(row, of)| of.marks.iter().map(move |mark| (row, mark)))
}
