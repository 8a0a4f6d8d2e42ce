//! In which column each lane is.
//!
//! The lanes divide the width into areas: one left of the first lane, and one right of each. Each area gets what
//! its words and arrows need; if that is too much, the widest ones give way.

use super::words::length;
use super::{Chart, Mark};

/// Between neighbours at least, if there is room.
const GAP: usize = 10;
/// Of an arrow, beside its label: both ends, and a piece of line.
const ARROW: usize = 11;
/// Beside words at a lane: the distance to this lane and to the next.
const BESIDE: usize = 3;
/// A chart that needs less still has as much, for what is written across it.
const LEAST: usize = 64;

/// The columns of a chart.
#[derive(Debug)]
pub(super) struct Layout {
    /// Taken by the numbers of the steps, and what marks a repetition.
    pub(super) gutter: usize,
    /// Of each lane, from left to right.
    pub(super) columns: Vec<usize>,
    /// Of the whole chart.
    pub(super) width: usize,
}

impl Layout {
    /// Places the lanes of a chart within a width.
    pub(super) fn of(chart: &Chart, width: usize) -> Self {
        let gutter = 4 + digits(chart).max(2);
        let lanes = chart.lanes.len();
        let room = width.saturating_sub(gutter + lanes);
        let areas = shares(&needs(chart, room), room);
        let mut columns = Vec::with_capacity(lanes);
        let mut column = gutter;
        for area in areas.iter().take(lanes) {
            column += area;
            columns.push(column);
            column += 1;
        }
        let taken = column + areas.last().copied().unwrap_or_default();
        Self {
            gutter,
            columns,
            width: taken.max(LEAST).min(width),
        }
    }

    /// The column of a lane, if there is such a lane.
    pub(super) fn column(&self, lane: usize) -> Option<usize> {
        self.columns.get(lane).copied()
    }

    /// Whether what happens in a lane is written to its left: where no arrow passes.
    pub(super) fn to_the_left(&self, lane: usize) -> bool {
        lane == 0 && self.columns.len() > 1
    }

    /// The columns between a lane and what comes next on that side: from the first to before the last.
    pub(super) fn beside(&self, lane: usize) -> (usize, usize) {
        let column = self.column(lane).unwrap_or_default();
        match self.to_the_left(lane) {
            true => (self.gutter, column),
            false => (column + 1, self.column(lane + 1).unwrap_or(self.width)),
        }
    }

    /// How long the name above a lane can be.
    pub(super) fn room_for_name(&self, lane: usize) -> usize {
        let column = self.column(lane).unwrap_or_default();
        let left = match lane.checked_sub(1).and_then(|left| self.column(left)) {
            Some(left) => (column - left) / 2,
            None => column,
        };
        let right = match self.column(lane + 1) {
            Some(right) => (right - column) / 2,
            None => self.width.saturating_sub(column),
        };
        (2 * left.min(right)).saturating_sub(3)
    }
}

/// How many digits the number of a step can have.
pub(super) fn digits(chart: &Chart) -> usize {
    chart.rows.len().to_string().len()
}

/// What each area needs, none more than `most`.
fn needs(chart: &Chart, most: usize) -> Vec<usize> {
    let lanes = chart.lanes.len();
    let mut needs = vec![GAP; lanes + 1];
    // Beside the outer lanes may be nothing.
    needs.first_mut().into_iter().for_each(|need| *need = 0);
    needs.last_mut().into_iter().for_each(|need| *need = 0);
    let mut need = |area: usize, columns: usize| {
        if let Some(need) = needs.get_mut(area) {
            *need = (*need).max(columns).min(most);
        }
    };
    for (lane, of) in chart.lanes.iter().enumerate() {
        // On both sides half of it, but neighbours do not know each other's.
        let inner = length(&of.name) + BESIDE;
        let outer = length(&of.name) / 2 + 2;
        need(lane, if lane == 0 { outer } else { inner });
        need(lane + 1, if lane + 1 == lanes { outer } else { inner });
    }
    for message in &chart.messages {
        let (left, right) = ordered(message.from, message.to);
        let whole = length(&message.label) + length(&chart.messages.len().to_string()) + 2;
        if right >= lanes {
            continue;
        }
        if left == right {
            need(area_of(left, lanes), whole + BESIDE + 9);
        }
        let areas = (right - left).max(1);
        for area in left + 1..=right {
            need(area, (whole + ARROW).div_ceil(areas));
        }
    }
    for mark in chart.rows.iter().flat_map(|row| &row.marks) {
        match mark {
            Mark::Happens { lane, what } => need(area_of(*lane, lanes), length(what) + BESIDE),
            Mark::Told { lane, what } => {
                need(area_of(*lane, lanes), length(&told(what)) + BESIDE);
            }
            Mark::Called { lane, what } => {
                need(area_of(*lane, lanes), length(&called(what)) + BESIDE);
            }
            _ => {}
        }
    }
    needs
}

/// What a user is told, in words.
pub(super) fn told(what: &str) -> String {
    format!("user is told: {what}")
}

/// What a user does, in words.
pub(super) fn called(what: &str) -> String {
    format!("user {what}")
}

/// Two lanes from left to right.
pub(super) fn ordered(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

/// The area in which is written what happens in a lane; of another lane, none.
fn area_of(lane: usize, lanes: usize) -> usize {
    match lane {
        0 if lanes > 1 => 0,
        lane if lane < lanes => lane + 1,
        _ => usize::MAX,
    }
}

/// Gives each area what it needs, and if that is more than there is, none more than an equal share of what
/// the modest ones leave.
fn shares(needs: &[usize], room: usize) -> Vec<usize> {
    let mut ordered = needs.to_vec();
    ordered.sort_unstable();
    let (mut left, mut cap) = (room, usize::MAX);
    for (place, &need) in ordered.iter().enumerate() {
        let share = left / (ordered.len() - place);
        if need > share {
            cap = share;
            break;
        }
        left -= need;
    }
    needs.iter().map(|&need| need.min(cap)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_give_way() {
        assert_eq!(shares(&[5, 10, 20], 40), [5, 10, 20]);
        assert_eq!(shares(&[5, 30, 20], 40), [5, 17, 17]);
        assert_eq!(shares(&[9, 9, 9], 2), [0, 0, 0]);
        assert!(shares(&[], 2).is_empty());
    }
}
