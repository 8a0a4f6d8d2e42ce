//! What becomes of schedules in smaller cases: a move for what is gone goes as well.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::case::{Case, Move, Round};

/// Some steps of a round, and the moves that are for them.
pub(super) fn of_kept(round: &Round, kept: &[bool]) -> Round {
    let mut steps: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    for (placed, kept) in round.steps.iter().zip(kept) {
        steps.entry(placed.lane).or_default().push(*kept);
    }
    let mut begun: BTreeMap<usize, usize> = BTreeMap::new();
    let mut is_kept = |next: &Move| {
        let Some(lane) = next.lane() else {
            return true;
        };
        let begun = begun.entry(lane).or_default();
        *begun += usize::from(matches!(next, Move::Start(_)));
        let steps = steps.get(&lane).map(Vec::as_slice).unwrap_or_default();
        match begun.checked_sub(1) {
            Some(last) => steps.get(last).copied().unwrap_or(false),
            // It is for what the lane did in an earlier round.
            None => true,
        }
    };
    let schedule = round.schedule.iter().filter(|next| is_kept(next));
    let schedule = schedule.cloned().collect();
    let steps = round.steps.iter().zip(kept).filter(|(_, kept)| **kept);
    Round {
        steps: steps.map(|(placed, _)| placed.clone()).collect(),
        schedule,
    }
}

/// Without moves for streams and Updates that are not begun.
pub(super) fn of_begun(mut case: Case) -> Case {
    let steps = case
        .steps()
        .filter(|(_, placed)| placed.step.channel().is_some());
    let begun: BTreeSet<_> = steps
        .filter_map(|(_, placed)| placed.step.handle().map(str::to_owned))
        .collect();
    for round in &mut case.rounds {
        let is_begun = |next: &Move| next.handle().is_none_or(|name| begun.contains(name));
        round.schedule.retain(is_begun);
    }
    case
}

/// Other numbers for lanes and connections. Moves for those that have none go.
pub(super) fn renumber(
    case: &mut Case,
    lane: impl Fn(usize) -> Option<usize>,
    connection: impl Fn(usize) -> Option<usize>,
) {
    for round in &mut case.rounds {
        round.schedule.retain_mut(|next| {
            let (old, new) = match next {
                Move::Cut(old) => {
                    let new = connection(*old);
                    (old, new)
                }
                next => match next.lane_mut() {
                    Some(old) => {
                        let new = lane(*old);
                        (old, new)
                    }
                    None => return true,
                },
            };
            *old = new.unwrap_or(*old);
            new.is_some()
        });
    }
}

/// Without any schedule.
pub(super) fn dropped(case: &Case) -> Case {
    without(case, 0..usize::MAX)
}

/// How many moves there are.
pub(super) fn len(case: &Case) -> usize {
    case.rounds.iter().map(|round| round.schedule.len()).sum()
}

/// All but these moves, numbered through. Where one begins a step, those for that step go with it: they
/// would be for another one.
pub(super) fn without(case: &Case, range: Range<usize>) -> Case {
    let mut case = case.clone();
    let mut number = 0;
    for round in &mut case.rounds {
        let mut gone = BTreeSet::new();
        round.schedule.retain(|next| {
            number += 1;
            let is_out = range.contains(&(number - 1));
            if let Move::Start(lane) = next
                && is_out
            {
                gone.insert(*lane);
            }
            // Without its beginning the lane is begun behind the schedule.
            !is_out && !next.lane().is_some_and(|lane| gone.contains(&lane))
        });
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let case: Case = serde_json::from_str(
            r#"{ "lanes": [0, 0, 1], "rounds": [
                [ {"lane": 0, "open_mirror": {"stream": "m1", "channel": "c", "refresh": false}} ],
                {"steps": [
                    {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v1"}},
                    {"lane": 0, "put": {"channel": "c", "key": "k0", "value": "v2"}},
                    {"lane": 2, "get": {"channel": "c", "key": "k0"}}],
                 "schedule": [
                    {"start": 0}, {"to_node": 0}, {"end": 0}, {"start": 2}, {"to_client": "m1"},
                    {"start": 0}, {"cut": 1}, {"to_client": 2}, {"end": 0}]} ] }"#,
        )
        .unwrap();
        assert_eq!(case.validate(), Ok(()));
        case
    }

    fn moves(case: &Case) -> String {
        let moves = case.rounds.iter().flat_map(|round| &round.schedule);
        let moves: Vec<_> = moves
            .map(|next| serde_json::to_string(next).unwrap())
            .collect();
        moves.concat().replace('"', "").replace("}{", " ")
    }

    #[test]
    fn moves_go_with_their_steps() {
        let case = case();
        let round = of_kept(&case.rounds[1], &[false, true, true]);
        let kept = Case {
            lanes: case.lanes.clone(),
            rounds: vec![round],
            ..Case::default()
        };
        assert_eq!(
            moves(&kept),
            "{start:2 to_client:m1 start:0 cut:1 to_client:2 end:0}"
        );
        assert_eq!(
            moves(&of_begun(kept.clone())),
            "{start:2 start:0 cut:1 to_client:2 end:0}"
        );
        let round = of_kept(&case.rounds[1], &[true, false, false]);
        let kept = Case {
            lanes: case.lanes,
            rounds: vec![round],
            ..Case::default()
        };
        assert_eq!(moves(&kept), "{start:0 to_node:0 end:0 to_client:m1 cut:1}");
    }

    #[test]
    fn moves_follow_their_lanes_and_connections() {
        let mut case = case();
        renumber(
            &mut case,
            |lane| lane.checked_sub(1),
            |connection| connection.checked_sub(1),
        );
        assert_eq!(moves(&case), "{start:1 to_client:m1 cut:0 to_client:1}");
    }

    #[test]
    fn moves_are_left_out() {
        let case = case();
        assert_eq!(len(&case), 9);
        assert_eq!(moves(&dropped(&case)), "");
        assert_eq!(
            moves(&without(&case, 2..5)),
            "{start:0 to_node:0 start:0 cut:1 end:0}"
        );
        let shorter = without(&case, 5..6);
        assert_eq!(
            moves(&shorter),
            "{start:0 to_node:0 end:0 start:2 to_client:m1 cut:1 to_client:2}"
        );
        assert_eq!(shorter.validate(), Ok(()));
    }
}
