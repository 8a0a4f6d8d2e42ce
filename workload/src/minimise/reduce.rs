//! Smaller cases made of a case. None of these functions knows whether the result still fails.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::schedule;
use crate::case::{At, Case, Fault, Move, Placed, Round, Step, Wrong};
use crate::names::KeyName;
use crate::value::Value;

/// Can two steps concern the same record? Those on whole channels can.
pub(super) fn same_record(one: &Step, other: &Step) -> bool {
    same_channel(one, other)
        && match (one.key(), other.key()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
}

/// Can two steps concern the same channel?
pub(super) fn same_channel(one: &Step, other: &Step) -> bool {
    match (one.channel(), other.channel()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Only the steps that have to do with `failing`. A step on a stream or on a held Update has to do with
/// what that was begun on; a failure of one concerns its whole channel.
pub(super) fn slice(case: &Case, failing: &Step, related: fn(&Step, &Step) -> bool) -> Case {
    let begun = begun(case);
    let resolved = |step: &Step| match step.handle().and_then(|name| begun.get(name)) {
        Some(begin) => begin.clone(),
        None => step.clone(),
    };
    let failing = resolved(failing);
    keep(case, |placed| {
        // What is said wrongly can have to do with everything that follows.
        matches!(placed.step, Step::Wrong(_))
            || !matches!(placed.step, Step::Fault(_)) && related(&resolved(&placed.step), &failing)
    })
}

/// The last round that can have to do with what fails at this step; `None` if any can. A stream goes on behind
/// the step that begins it, to the one that ends it.
pub(super) fn last_round(case: &Case, at: At) -> Option<usize> {
    let Some(
        Step::OpenGetAll { stream, .. }
        | Step::OpenMirror { stream, .. }
        | Step::OpenListen { stream, .. },
    ) = case.step(at).map(|placed| &placed.step)
    else {
        return Some(at.round);
    };
    let ends = |step: &Step| {
        let ends = matches!(step, Step::Finish { .. } | Step::Stop { .. });
        ends && step.handle() == Some(stream)
    };
    let ended = case.steps().filter(|(_, placed)| ends(&placed.step));
    ended.map(|(at, _)| at.round).max()
}

/// What streams and held Updates were begun with, by their names.
fn begun(case: &Case) -> BTreeMap<String, Step> {
    case.steps()
        .filter(|(_, placed)| placed.step.channel().is_some())
        .filter_map(|(_, placed)| Some((placed.step.handle()?.to_owned(), placed.step.clone())))
        .collect()
}

/// Only the last so many rounds.
pub(super) fn tail(case: &Case, rounds: usize) -> Case {
    let first = case.rounds.len().saturating_sub(rounds);
    let mut number = 0;
    let count: usize = case.rounds[..first]
        .iter()
        .map(|round| round.steps.len())
        .sum();
    tidy(keep(case, |_| {
        number += 1;
        number > count
    }))
}

/// All but these steps, numbered through.
pub(super) fn without(case: &Case, range: Range<usize>) -> Case {
    let mut number = 0;
    tidy(keep(case, |_| {
        number += 1;
        !range.contains(&(number - 1))
    }))
}

fn keep(case: &Case, mut wanted: impl FnMut(&Placed) -> bool) -> Case {
    let rounds = case.rounds.iter().map(|round| {
        let kept: Vec<_> = round.steps.iter().map(&mut wanted).collect();
        schedule::of_kept(round, &kept)
    });
    let rounds = rounds.filter(|round| !round.steps.is_empty()).collect();
    schedule::of_begun(Case {
        rounds,
        ..unplayed(case)
    })
}

/// Without steps on streams and Updates that are not begun any more.
fn tidy(case: Case) -> Case {
    let mut begun = BTreeSet::new();
    keep(&case, |placed| match placed.step.handle() {
        Some(name) if placed.step.channel().is_some() => {
            begun.insert(name.to_owned());
            true
        }
        Some(name) => begun.contains(name),
        None => true,
    })
}

/// The same steps, one after another, by one client of each protocol that is spoken.
pub(super) fn one_after_another(case: &Case) -> Case {
    if !case.has_legacy() {
        return Case::sequential(case.steps().map(|(_, placed)| placed.step.clone()));
    }
    let alone = |(_, placed): (_, &Placed)| {
        let lane = usize::from(case.legacy.contains(&placed.lane));
        let step = placed.step.clone();
        Round::from(vec![Placed { lane, step }])
    };
    Case {
        lanes: vec![0, 1],
        legacy: BTreeSet::from([1]),
        rounds: case.steps().map(alone).collect(),
    }
}

/// The lane speaks neo.
pub(super) fn neo_lane(case: &Case, lane: usize) -> Case {
    let mut case = case.clone();
    case.legacy.remove(&lane);
    case
}

/// All lanes speak neo.
pub(super) fn neo_lanes(case: &Case) -> Case {
    let mut case = case.clone();
    case.legacy.clear();
    case
}

/// All lanes share one connection, as far as they can.
pub(super) fn one_connection(case: &Case) -> Case {
    let mut case = case.clone();
    case.lanes.fill(0);
    for (connection, lane) in (1..).zip(&case.legacy) {
        if let Some(own) = case.lanes.get_mut(*lane) {
            *own = connection;
        }
    }
    schedule::renumber(&mut case, Some, |_| Some(0));
    case
}

/// Without lanes that do nothing, and without connections that nobody uses.
pub(super) fn used_lanes(case: &Case) -> Case {
    let used: BTreeSet<_> = case.steps().map(|(_, placed)| placed.lane).collect();
    let lanes: BTreeMap<_, _> = used
        .iter()
        .zip(0..)
        .map(|(lane, new)| (*lane, new))
        .collect();
    let old = used.iter().filter_map(|lane| case.lanes.get(*lane));
    let mut connections = BTreeMap::new();
    let new_lanes = old
        .map(|connection| {
            let next = connections.len();
            *connections.entry(*connection).or_insert(next)
        })
        .collect();
    let legacy = case.legacy.iter();
    let mut reduced = Case {
        lanes: new_lanes,
        legacy: legacy.filter_map(|lane| lanes.get(lane).copied()).collect(),
        rounds: case.rounds.clone(),
    };
    for placed in reduced.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        placed.lane = lanes.get(&placed.lane).copied().unwrap_or_default();
        if let Step::Fault(
            Fault::Cut { connection, .. }
            | Fault::Split { connection, .. }
            | Fault::Coalesce { connection, .. }
            | Fault::Stall { connection, .. },
        ) = &mut placed.step
        {
            *connection = connections.get(connection).copied().unwrap_or_default();
        }
    }
    schedule::renumber(
        &mut reduced,
        |lane| lanes.get(&lane).copied(),
        |connection| connections.get(&connection).copied(),
    );
    reduced
}

/// The steps of one round in a round each. Its schedule goes.
pub(super) fn split(case: &Case, round: usize) -> Case {
    let mut rounds = Vec::with_capacity(case.rounds.len());
    for (number, old) in case.rounds.iter().enumerate() {
        match number == round {
            false => rounds.push(old.clone()),
            true => {
                let alone = |placed: &Placed| Round::from(vec![placed.clone()]);
                rounds.extend(old.steps.iter().map(alone));
            }
        }
    }
    Case {
        rounds,
        ..unplayed(case)
    }
}

/// The lanes of a case, which do nothing.
fn unplayed(case: &Case) -> Case {
    Case {
        lanes: case.lanes.clone(),
        legacy: case.legacy.clone(),
        rounds: Vec::new(),
    }
}

/// Values no longer than their text.
pub(super) fn short_values(case: &Case) -> Case {
    let mut case = case.clone();
    values(&mut case, |value| value.length = None);
    case
}

/// Batches of one record.
pub(super) fn short_batches(case: &Case) -> Case {
    let mut case = case.clone();
    for placed in case.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        if let Step::PutBatch { records, .. } = &mut placed.step {
            records.truncate(1);
        }
    }
    case
}

/// GetAll with values and without a filter.
pub(super) fn plain_reads(case: &Case) -> Case {
    let mut case = case.clone();
    for placed in case.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        if let Step::GetAll {
            keys_only, filter, ..
        }
        | Step::OpenGetAll {
            keys_only, filter, ..
        } = &mut placed.step
        {
            *keys_only = false;
            filter.clear();
        }
    }
    case
}

/// What is wrong is wrong in the first of its ways.
pub(super) fn first_variants(case: &Case) -> Case {
    let mut case = case.clone();
    for placed in case.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        if let Step::Wrong(wrong) = &mut placed.step {
            wrong.variant = 0;
        }
    }
    case
}

/// Channels c0, c1, keys k0, k1, values v1, v2, and so on, in the order in which they appear.
pub(super) fn renamed(case: &Case) -> Case {
    let mut case = case.clone();
    let mut renames: BTreeMap<String, usize> = BTreeMap::new();
    values(&mut case, |value| {
        // The empty value is what it is because it is empty.
        if !value.text.is_empty() {
            let next = renames.len() + 1;
            let number = renames.entry(value.text.clone()).or_insert(next);
            value.text = format!("v{number}");
        }
    });
    let mut channels = BTreeMap::new();
    let mut keys = BTreeMap::new();
    let mut handles = BTreeMap::new();
    for placed in case.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        let names = names(&mut placed.step);
        if let Some(channel) = names.channel {
            let next = channels.len();
            let number = channels.entry(channel.clone()).or_insert(next);
            *channel = format!("c{number}");
        }
        for key in names.keys {
            let next = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            *key = KeyName::Inside(*keys.entry(*key).or_insert(next));
        }
        if let Some(handle) = names.handle {
            let kind = handle.trim_end_matches(char::is_numeric).to_owned();
            let next = handles.len() + 1;
            let number = handles.entry(handle.clone()).or_insert(next);
            *handle = format!("{kind}{number}");
        }
    }
    let moves = case.rounds.iter_mut().flat_map(|round| &mut round.schedule);
    for handle in moves.filter_map(Move::handle_mut) {
        if let Some(number) = handles.get(handle) {
            let kind = handle.trim_end_matches(char::is_numeric);
            *handle = format!("{kind}{number}");
        }
    }
    case
}

/// What a step names.
#[derive(Default)]
struct StepNames<'a> {
    channel: Option<&'a mut String>,
    keys: Vec<&'a mut KeyName>,
    handle: Option<&'a mut String>,
}

fn names(step: &mut Step) -> StepNames<'_> {
    match step {
        Step::Put { channel, key, .. }
        | Step::Get { channel, key }
        | Step::Exists { channel, key }
        | Step::Remove { channel, key }
        | Step::Update { channel, key, .. } => StepNames {
            channel: Some(channel),
            keys: vec![key],
            handle: None,
        },
        Step::PutBatch { channel, records } => StepNames {
            channel: Some(channel),
            keys: records.iter_mut().map(|(key, _)| key).collect(),
            handle: None,
        },
        Step::BeginUpdate {
            update,
            channel,
            key,
        } => StepNames {
            channel: Some(channel),
            keys: vec![key],
            handle: Some(update),
        },
        Step::GetAll { channel, .. }
        | Step::RemoveChannel { channel }
        | Step::GetSize { channel } => StepNames {
            channel: Some(channel),
            ..StepNames::default()
        },
        Step::OpenGetAll {
            stream, channel, ..
        }
        | Step::OpenListen { stream, channel }
        | Step::OpenMirror {
            stream, channel, ..
        } => StepNames {
            channel: Some(channel),
            handle: Some(stream),
            keys: Vec::new(),
        },
        Step::Suspend { stream: handle }
        | Step::Resume { stream: handle }
        | Step::Stop { stream: handle }
        | Step::Finish { stream: handle }
        | Step::Decide { update: handle, .. } => StepNames {
            handle: Some(handle),
            ..StepNames::default()
        },
        Step::Wrong(wrong) => wrong.of.as_deref_mut().map(names).unwrap_or_default(),
        Step::GetChannels {} | Step::Fault(_) => StepNames::default(),
    }
}

fn values(case: &mut Case, mut change: impl FnMut(&mut Value)) {
    use crate::case::Decision;
    for placed in case.rounds.iter_mut().flat_map(|round| &mut round.steps) {
        let mut step = &mut placed.step;
        if let Step::Wrong(Wrong { of: Some(of), .. }) = step {
            step = of;
        }
        match step {
            Step::Put { value, .. }
            | Step::Update {
                decision: Decision::Replace(value),
                ..
            }
            | Step::Decide {
                decision: Decision::Replace(value),
                ..
            } => change(value),
            Step::PutBatch { records, .. } => {
                records.iter_mut().for_each(|(_, value)| change(value));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Shape};

    #[test]
    fn smaller_cases_can_be_run() {
        for seed in 0..20 {
            let case = generate::case(seed, &Shape::concurrent(60, 4, 3).faulty());
            let failing = &case.steps().nth(7).unwrap().1.step;
            for reduced in [
                slice(&case, failing, same_record),
                slice(&case, failing, same_channel),
                tail(&case, 3),
                without(&case, 3..20),
                one_after_another(&case),
                one_connection(&case),
                used_lanes(&without(&case, 10..60)),
                split(&case, 1),
                short_values(&case),
                plain_reads(&case),
                renamed(&case),
            ] {
                assert_eq!(reduced.validate(), Ok(()));
                assert!(reduced.rounds.iter().all(|round| !round.steps.is_empty()));
                let begun = begun(&reduced);
                for (_, placed) in reduced.steps() {
                    if let Some(name) = placed.step.handle() {
                        assert!(begun.contains_key(name), "{name} in\n{reduced}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_normal_form_is_one() {
        let case = generate::case(1, &Shape::concurrent(60, 4, 3));
        let normal = renamed(&case);
        assert_eq!(renamed(&normal), normal);
        assert_eq!(used_lanes(&used_lanes(&case)), used_lanes(&case));
    }
}
