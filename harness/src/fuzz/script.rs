//! Makes scripts: legal conversations of a seed, with defects from a menu put between their steps.

use dht_workload::case::{Case, Decision, Defect, Placed, Round, Step, Wrong};
use dht_workload::generate::{self, Shape};
use dht_workload::names::KeyName;
use dht_workload::rng::Rng;
use dht_workload::value::Value;

use super::forgery::is_apart;

/// How many steps a conversation of one client has, and one of several.
const STEPS: (usize, usize) = (30, 70);
/// The rarity of the rarest defect.
const DEAREST: usize = 400;
/// How many connections a script uses at most.
pub(super) const CONNECTIONS: usize = 2;

/// The script of a seed. Without a menu nothing is wrong in it.
pub(super) fn script(seed: u64, menu: &[Defect], removes_channels: bool) -> Case {
    let mut rng = Rng::new(seed);
    let shape = match rng.below(3) {
        0 => Shape::sequential(STEPS.0),
        _ => Shape::concurrent(STEPS.1, 2 + rng.below(7), 1 + rng.below(CONNECTIONS)),
    };
    let shape = Shape {
        removes_channels,
        // What they mean is left open, and directed checks look at it.
        empty_values: false,
        ..shape
    };
    let mut case = generate::case(rng.number(), &shape);
    let affordable = rng.below(DEAREST);
    let mut chosen = menu.to_vec();
    chosen.retain(|defect| affordable.is_multiple_of(rarity(*defect)));
    // Of a menu that has nothing else, the dear ones come as often as others.
    let menu = if chosen.is_empty() { menu } else { &chosen };
    if menu.is_empty() {
        return case;
    }
    for number in 0..1 + rng.below(4) {
        let defect = menu[rng.below(menu.len())];
        let step = wrong(defect, number, &mut rng, removes_channels);
        place(&mut case, Step::Wrong(step), &mut rng);
    }
    case
}

/// One in so many scripts may have the defect: some take thousands of messages, or much memory of the system.
fn rarity(defect: Defect) -> usize {
    match defect {
        Defect::TooManyRequests => DEAREST,
        Defect::Unread => 20,
        _ => 1,
    }
}

fn wrong(defect: Defect, number: usize, rng: &mut Rng, removes_channels: bool) -> Wrong {
    let variant = u32::try_from(rng.below(4096)).unwrap_or_default();
    let of = (!is_apart(defect)).then(|| request(defect, number, rng, removes_channels));
    Wrong {
        defect,
        variant,
        of: of.map(Box::new),
    }
}

/// A request that can have the defect.
fn request(defect: Defect, number: usize, rng: &mut Rng, removes_channels: bool) -> Step {
    let channel = format!("c{}", rng.below(2));
    let key = match rng.below(8) {
        0 => KeyName::First,
        1 => KeyName::Last,
        _ => KeyName::Inside(u32::try_from(rng.below(4)).unwrap_or_default()),
    };
    // No other step has such a value, so that whoever stores it is found out.
    let value = Value::new(format!("w{number}"));
    let kinds: &[usize] = match defect {
        Defect::UnknownUpdateType | Defect::UnknownDecision => &[4],
        Defect::UnknownControl | Defect::UndueAck | Defect::EmptyControl | Defect::HastyControl => {
            &[6]
        }
        Defect::BadBool => &[5, 6],
        Defect::RepeatedOpening => &[1, 2, 5, 7],
        Defect::WordAfterEnd => &[0, 2, 3, 8],
        Defect::ArrayTooLong | Defect::Truncated => &[0, 0, 1, 2, 3, 4, 5, 6, 8],
        _ => &[0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8],
    };
    match kinds[rng.below(kinds.len())] {
        1 => Step::Get { channel, key },
        2 => Step::Exists { channel, key },
        3 => Step::Remove { channel, key },
        4 => Step::Update {
            channel,
            key,
            decision: Decision::Leave,
        },
        5 => Step::GetAll {
            channel,
            keys_only: rng.chance(1, 2),
            filter: String::new(),
        },
        6 => Step::OpenMirror {
            stream: format!("w{number}"),
            channel,
            refresh: rng.chance(1, 2),
        },
        7 => Step::GetChannels {},
        8 if removes_channels => Step::RemoveChannel { channel },
        _ => Step::Put {
            channel,
            key,
            value,
        },
    }
}

/// Puts a step somewhere: alone, or beside others.
fn place(case: &mut Case, step: Step, rng: &mut Rng) {
    let lane = rng.below(case.lanes.len().max(1));
    let at = rng.below(case.rounds.len() + 1);
    let beside = rng.chance(1, 3);
    if let Some(round) = case.rounds.get_mut(at)
        && beside
        && round.steps.len() > 1
        && round.steps.iter().all(|placed| is_plain(&placed.step))
    {
        let number = rng.below(round.steps.len() + 1);
        return round.steps.insert(number, Placed { lane, step });
    }
    let alone = Round::from(vec![Placed { lane, step }]);
    case.rounds.insert(at, alone);
}

/// Can something wrong go on at the same time? A Mirror that is compared wants quiet, and of two things that
/// are wrong at once nobody knows which the node reacted to.
fn is_plain(step: &Step) -> bool {
    !matches!(step, Step::Wrong(_) | Step::Finish { .. })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_determines_the_script_and_all_defects_come() {
        let mut seen = BTreeSet::new();
        for seed in 0..20_000 {
            let case = script(seed, Defect::ALL, true);
            assert_eq!(case, script(seed, Defect::ALL, true));
            assert_eq!(case.validate(), Ok(()));
            assert!(case.connections() <= CONNECTIONS && case.has_wrongs());
            for (_, placed) in case.steps() {
                if let Step::Wrong(wrong) = &placed.step {
                    seen.insert(wrong.defect);
                }
            }
        }
        assert_eq!(seen.len(), Defect::ALL.len());
    }

    #[test]
    fn a_menu_of_one_is_kept_to() {
        for defect in Defect::ALL {
            for seed in 0..20 {
                let case = script(seed, &[*defect], false);
                let others = case.steps().filter(|(_, placed)| {
                    matches!(&placed.step, Step::Wrong(wrong) if wrong.defect != *defect)
                });
                assert_eq!(others.count(), 0);
                assert!(case.has_wrongs());
            }
        }
        assert!(!script(1, &[], true).has_wrongs());
    }
}
