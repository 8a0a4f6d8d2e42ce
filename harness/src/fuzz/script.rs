//! Makes scripts: legal conversations of a seed, with defects from a menu put between their steps.

use dht_workload::case::{Case, Decision, Defect, Placed, Protocol, Round, Step, Wrong};
use dht_workload::generate::{self, Shape};
use dht_workload::names::KeyName;
use dht_workload::rng::Rng;
use dht_workload::value::Value;

use super::forgery::is_apart;

/// How many steps a conversation of one client has, and one of several.
const STEPS: (usize, usize) = (30, 70);
/// The rarity of the rarest defect.
const DEAREST: usize = 400;
/// How many connections a script uses at most, in either protocol.
pub(super) const CONNECTIONS: usize = 2;

/// The script of a seed. Without a menu nothing is wrong in it. `legacy`: some lanes may speak the legacy protocol.
pub(super) fn script(seed: u64, menu: &[Defect], removes_channels: bool, legacy: bool) -> Case {
    let mut rng = Rng::new(seed);
    let shape = match rng.below(3) {
        0 => Shape::sequential(STEPS.0),
        _ => Shape::concurrent(STEPS.1, 2 + rng.below(7), 1 + rng.below(CONNECTIONS)),
    };
    let shape = Shape {
        removes_channels,
        // What they mean is left open, and directed checks look at it.
        empty_values: false,
        legacy: match legacy {
            true => legacy_lanes(menu, &mut rng),
            false => 0,
        },
        ..shape
    };
    let mut case = generate::case(rng.number(), &shape);
    let affordable = rng.below(DEAREST);
    let mut chosen = menu.to_vec();
    chosen.retain(|defect| affordable.is_multiple_of(rarity(*defect)));
    // Of a menu that has nothing else, the dear ones come as often as others.
    let mut menu = if chosen.is_empty() {
        menu.to_vec()
    } else {
        chosen
    };
    menu.retain(|defect| case.protocols().contains(&defect.protocol()));
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

/// How many lanes speak the legacy protocol.
fn legacy_lanes(menu: &[Defect], rng: &mut Rng) -> usize {
    let is_legacy = |defect: &Defect| defect.protocol() == Protocol::Legacy;
    match rng.below(4) {
        // With nothing else to say wrongly there is always one.
        0 if !menu.iter().all(is_legacy) => 0,
        3 => CONNECTIONS,
        _ => 1,
    }
}

/// One in so many scripts may have the defect: some take thousands of messages, or much memory of the system.
fn rarity(defect: Defect) -> usize {
    match defect {
        Defect::TooManyRequests => DEAREST,
        Defect::Unread | Defect::LegacyUnread | Defect::LegacyListenUnread => 20,
        Defect::LegacyBatchSwelling => 40,
        Defect::LegacyLargeValue | Defect::LegacyListenInterrupted => 5,
        _ => 1,
    }
}

fn wrong(defect: Defect, number: usize, rng: &mut Rng, removes_channels: bool) -> Wrong {
    let variant = u32::try_from(rng.below(4096)).unwrap_or_default();
    let of = (!is_apart(defect)).then(|| match defect.protocol() {
        Protocol::Neo => request(defect, number, rng, removes_channels),
        Protocol::Legacy => order(defect, number, rng, removes_channels),
    });
    Wrong {
        defect,
        variant,
        of: of.map(Box::new),
    }
}

/// A request that can have the defect.
fn request(defect: Defect, number: usize, rng: &mut Rng, removes_channels: bool) -> Step {
    let (channel, key) = (channel(rng), key(rng));
    let value = value(number);
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

/// An order of the legacy protocol that can have the defect.
fn order(defect: Defect, number: usize, rng: &mut Rng, removes_channels: bool) -> Step {
    let (channel, key) = (channel(rng), key(rng));
    let kinds: &[usize] = match defect {
        Defect::LegacyBatchStream
        | Defect::LegacyBatchSize
        | Defect::LegacyBatchImmense
        | Defect::LegacyBatchSwelling
        | Defect::LegacyBatchEntries
        | Defect::LegacyBatchKey => &[1],
        Defect::LegacyListenBadName | Defect::LegacyListenClosed => &[9],
        Defect::LegacyEmptyFilter => &[6],
        Defect::LegacyEmptyValue | Defect::LegacyLargeValue => &[0],
        Defect::LegacyBadKey => &[0, 2, 3, 4],
        Defect::LegacyBadNameAndMore => &[0, 1, 2, 3, 4],
        Defect::LegacyBadName => &[0, 1, 2, 3, 4, 5, 6, 7, 10],
        Defect::LegacyLongArray | Defect::LegacyImmenseArray => &[0, 1, 1, 2, 3, 4, 5, 6, 7, 9],
        Defect::LegacyTruncated | Defect::LegacyCut => &[0, 0, 1, 1, 1, 2, 4, 5, 6, 8, 9, 10],
        _ => &[0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 10],
    };
    match kinds[rng.below(kinds.len())] {
        1 => Step::PutBatch {
            records: (0..1 + rng.below(3))
                .map(|place| match place {
                    0 => (key, value(number)),
                    _ => (self::key(rng), Value::new(format!("w{number}_{place}"))),
                })
                .collect(),
            channel,
        },
        2 => Step::Get { channel, key },
        3 => Step::Exists { channel, key },
        4 => Step::Remove { channel, key },
        5 => Step::GetAll {
            channel,
            keys_only: rng.chance(1, 2),
            filter: String::new(),
        },
        6 => Step::GetAll {
            channel,
            keys_only: false,
            filter: "v".to_owned(),
        },
        7 => Step::GetSize { channel },
        8 => Step::GetChannels {},
        9 => Step::OpenListen {
            stream: format!("w{number}"),
            channel,
        },
        10 if removes_channels => Step::RemoveChannel { channel },
        _ => Step::Put {
            channel,
            key,
            value: value(number),
        },
    }
}

fn channel(rng: &mut Rng) -> String {
    format!("c{}", rng.below(2))
}

fn key(rng: &mut Rng) -> KeyName {
    match rng.below(8) {
        0 => KeyName::First,
        1 => KeyName::Last,
        _ => KeyName::Inside(u32::try_from(rng.below(4)).unwrap_or_default()),
    }
}

/// No other step has such a value, so that whoever stores it is found out.
fn value(number: usize) -> Value {
    Value::new(format!("w{number}"))
}

/// Puts a step somewhere: alone, or beside others.
fn place(case: &mut Case, step: Step, rng: &mut Rng) {
    let protocol = match &step {
        Step::Wrong(wrong) => wrong.defect.protocol(),
        _ => Protocol::Neo,
    };
    let lanes: Vec<usize> = (0..case.lanes.len())
        .filter(|lane| case.protocol(*lane) == protocol)
        .collect();
    let lane = lanes.get(rng.below(lanes.len())).copied().unwrap_or(0);
    let free: Vec<usize> = (0..=case.rounds.len())
        .filter(|at| !listens(case, lane, *at))
        .collect();
    let at = free[rng.below(free.len())];
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

/// Does a lane listen when this round begins? It can do nothing else then.
fn listens(case: &Case, lane: usize, round: usize) -> bool {
    let mut open: Option<&str> = None;
    for placed in case.rounds[..round].iter().flat_map(|round| &round.steps) {
        match &placed.step {
            Step::OpenListen { stream, .. } if placed.lane == lane => open = Some(stream),
            Step::Finish { stream } | Step::Stop { stream } if open == Some(stream) => open = None,
            _ => {}
        }
    }
    open.is_some()
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
            let case = script(seed, Defect::ALL, true, true);
            assert_eq!(case, script(seed, Defect::ALL, true, true));
            assert_eq!(case.validate(), Ok(()));
            assert!(case.connections() <= 2 * CONNECTIONS && case.has_wrongs());
            for (_, placed) in case.steps() {
                if let Step::Wrong(wrong) = &placed.step {
                    let protocol = case.protocol(placed.lane);
                    assert_eq!(wrong.defect.protocol(), protocol, "{wrong}");
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
                let case = script(seed, &[*defect], false, true);
                let others = case.steps().filter(|(_, placed)| {
                    matches!(&placed.step, Step::Wrong(wrong) if wrong.defect != *defect)
                });
                assert_eq!(others.count(), 0);
                assert!(case.has_wrongs());
            }
        }
        assert!(!script(1, &[], true, true).has_wrongs());
    }

    #[test]
    fn without_a_legacy_port_neo_is_spoken_alone() {
        for seed in 0..1000 {
            let case = script(seed, Defect::ALL, true, false);
            assert!(case.legacy.is_empty() && case.has_wrongs());
        }
    }
}
