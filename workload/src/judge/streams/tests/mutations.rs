//! What the simulated node does is never refused; what no node may do often is.

use bytes::Bytes;

use super::simulation::{Weather, names, run};
use crate::case::{Decision, Step};
use crate::judge::streams::judge;
use crate::recording::{Recording, StreamRecord, Time};
use crate::rng::Rng;
use crate::world::Event;

const WEATHERS: [Weather; 4] = [
    Weather {
        lossy: false,
        removals: false,
    },
    Weather {
        lossy: false,
        removals: true,
    },
    Weather {
        lossy: true,
        removals: false,
    },
    Weather {
        lossy: true,
        removals: true,
    },
];

#[test]
fn what_is_right_is_never_refused() {
    let names = names();
    for seed in 0..1500 {
        for weather in WEATHERS {
            let recording = run(seed, weather);
            let fault = judge(&recording, &names);
            assert_eq!(fault, None, "seed {seed}, {weather:?}");
        }
    }
}

/// Makes something wrong, perhaps, if there is something to begin with.
type Mutation = fn(&mut Recording, &mut Rng) -> Option<()>;

#[test]
fn what_is_wrong_is_often_refused() {
    let mutations: [(&str, Mutation, usize); 9] = [
        ("a record of a GetAll is left out", skip_record, 100),
        ("a record of a GetAll comes twice", repeat_record, 100),
        ("a record of a GetAll is old", old_record, 30),
        ("an update comes twice", repeat_update, 30),
        ("an update is old", old_update, 50),
        ("two updates change places", swap_updates, 30),
        ("a deletion without a removal", invent_deletion, 50),
        ("the last of a record is left out", skip_last, 30),
        ("something comes from another channel", foreign, 100),
    ];
    let names = names();
    for (what, mutate, least) in mutations {
        let (mut made, mut refused) = (0, 0);
        for seed in 0..1000 {
            let mut recording = run(seed, WEATHERS[(seed % 4) as usize]);
            if mutate(&mut recording, &mut Rng::new(seed)).is_some() {
                made += 1;
                refused += usize::from(judge(&recording, &names).is_some());
            }
        }
        assert!(refused >= least, "{what}: {refused} of {made}");
    }
}

/// One of the streams of this kind, and the places in what it told that meet a condition.
fn find<'a>(
    recording: &'a mut Recording,
    rng: &mut Rng,
    wanted: impl Fn(&Event) -> bool,
) -> Option<(&'a mut StreamRecord, usize)> {
    let mut places = Vec::new();
    for (stream, record) in recording.streams.iter().enumerate() {
        let told = record.told.iter().enumerate();
        let found = told.filter(|(_, (_, event))| wanted(event));
        places.extend(found.map(|(place, _)| (stream, place)));
    }
    let (stream, place) = *places.get(rng.below(places.len()))?;
    Some((&mut recording.streams[stream], place))
}

fn is_delivery(event: &Event) -> bool {
    matches!(event, Event::Record(..) | Event::Key(_))
}

fn is_update(event: &Event) -> bool {
    matches!(event, Event::Updated(..))
}

/// A value that was written earlier to a record of this channel and key.
fn old(recording: &Recording, stream: usize, value: &Bytes) -> Option<Bytes> {
    let channel = recording.streams[stream].step.channel()?;
    let of = |wanted: &Bytes| {
        let mut entries = recording.entries.iter();
        entries.position(|entry| written(&entry.step).as_ref() == Some(wanted))
    };
    let at = of(value)?;
    let record = recording.entries[at].record()?;
    let mut before = recording.entries[..at].iter();
    let earlier = before.find(|entry| {
        entry.record() == Some(record) && record.0 == channel && written(&entry.step).is_some()
    })?;
    written(&earlier.step)
}

fn written(step: &Step) -> Option<Bytes> {
    match step {
        Step::Put { value, .. } => Some(value.bytes()),
        Step::Update {
            decision: Decision::Replace(value),
            ..
        } => Some(value.bytes()),
        _ => None,
    }
}

fn again(told: &mut Vec<(Time, Event)>, place: usize) {
    let (time, event) = told[place].clone();
    told.insert(place + 1, (time, event));
}

fn skip_record(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_delivery)?;
    stream.told.remove(place);
    Some(())
}

fn repeat_record(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_delivery)?;
    again(&mut stream.told, place);
    Some(())
}

fn repeat_update(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_update)?;
    again(&mut stream.told, place);
    Some(())
}

fn old_record(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    make_old(recording, rng, |event| matches!(event, Event::Record(..)))
}

fn old_update(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    make_old(recording, rng, is_update)
}

fn make_old(
    recording: &mut Recording,
    rng: &mut Rng,
    wanted: impl Fn(&Event) -> bool,
) -> Option<()> {
    let copy = recording.clone();
    let (stream, place) = find(recording, rng, wanted)?;
    let number = copy.streams.iter().position(|it| it.at == stream.at)?;
    let (Event::Record(_, value) | Event::Updated(_, value)) = &mut stream.told[place].1 else {
        return None;
    };
    *value = old(&copy, number, value)?;
    Some(())
}

fn swap_updates(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_update)?;
    let Event::Updated(key, value) = stream.told[place].1.clone() else {
        return None;
    };
    let other = |event: &Event| matches!(event, Event::Updated(k, v) if *k == key && *v != value);
    let later = stream.told[place..]
        .iter()
        .position(|(_, event)| other(event))?;
    let event = stream.told[place].1.clone();
    stream.told[place].1 = std::mem::replace(&mut stream.told[place + later].1, event);
    Some(())
}

fn invent_deletion(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_update)?;
    let (time, Event::Updated(key, _)) = stream.told[place].clone() else {
        return None;
    };
    stream.told.insert(place, (time, Event::Deleted(key)));
    Some(())
}

fn skip_last(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let (stream, place) = find(recording, rng, is_update)?;
    let Event::Updated(key, _) = stream.told[place].1.clone() else {
        return None;
    };
    let of_it = |event: &Event| match event {
        Event::Updated(of, _) | Event::Refreshed(of, _) | Event::Deleted(of) => *of == key,
        _ => false,
    };
    let last = stream.told.iter().rposition(|(_, event)| of_it(event))?;
    stream.told.remove(last);
    Some(())
}

fn foreign(recording: &mut Recording, rng: &mut Rng) -> Option<()> {
    let values: Vec<_> = recording
        .entries
        .iter()
        .filter_map(|entry| Some((entry.step.channel()?.to_owned(), written(&entry.step)?)))
        .collect();
    let with_value = |event: &Event| {
        matches!(
            event,
            Event::Record(..) | Event::Updated(..) | Event::Refreshed(..)
        )
    };
    let (stream, place) = find(recording, rng, with_value)?;
    let channel = stream.step.channel()?.to_owned();
    let (_, other) = values.iter().find(|(of, _)| *of != channel)?;
    match &mut stream.told[place].1 {
        Event::Record(_, value) | Event::Updated(_, value) | Event::Refreshed(_, value) => {
            *value = other.clone();
        }
        _ => {}
    }
    Some(())
}
