//! The legacy protocol: all frames are explored, and the properties find what is broken.

use std::collections::BTreeSet;

use dht_models::frames::Bounds;
use dht_models::legacy::properties::GOALS;
use dht_models::legacy::{Defect, Frame, LegacyModel, PROPERTIES, frames, models};
use dht_models::search::{Coverage, Options, Outcome, Verdict, explore};
use stateright::Model;

type Explored = Outcome<<LegacyModel as Model>::State, <LegacyModel as Model>::Action>;

/// How many distinct states each frame has within small bounds, and within those of the program.
const STATES: &[(&str, u64, u64)] = &[
    ("legacy-orders", 699, 1351),
    ("legacy-listen", 275, 563),
    ("legacy-listen-two", 1535, 3985),
    ("legacy-listen-next", 498, 1818),
    ("legacy-put-batch", 555, 1050),
    ("legacy-get-all", 145, 145),
    ("legacy-break", 159, 449),
];

/// Each defect, a frame in which it shows, and the properties that it breaks there.
const FOUND: &[(Defect, &str, &[&str])] = &[
    (
        Defect::MissesRemoval,
        "legacy-listen-two",
        &["a Listen tells everything in the end"],
    ),
    (
        Defect::MissesChanges,
        "legacy-listen",
        &["a Listen tells everything in the end"],
    ),
    (
        Defect::Distorts,
        "legacy-listen",
        &["a Listen tells the truth"],
    ),
    (
        Defect::EndsEarly,
        "legacy-listen",
        &["a Listen tells the truth"],
    ),
    (
        Defect::TakesEverything,
        "legacy-put-batch",
        &[
            "the node stores what it was ordered to",
            "every order has its answer",
        ],
    ),
    (
        Defect::ListensOnly,
        "legacy-listen-next",
        &["nothing is stuck"],
    ),
    (
        Defect::Repeats,
        "legacy-orders",
        &["the client understands the node"],
    ),
    (Defect::Forgets, "legacy-orders", &["nothing is stuck"]),
    (Defect::StartsOver, "legacy-get-all", &["a GetAll is whole"]),
];

fn explored(model: &LegacyModel) -> Explored {
    let outcome = explore(model, Options::default());
    assert_eq!(outcome.coverage, Coverage::Complete);
    outcome
}

fn frame(name: &str) -> Frame {
    let mut frames = frames(Bounds::Small).into_iter();
    frames.find(|frame| frame.name == name).unwrap()
}

fn states(bounds: Bounds) -> Vec<(&'static str, u64)> {
    let (mut states, mut wrong) = (Vec::new(), Vec::new());
    for model in models(bounds) {
        let name = model.frame().name;
        let outcome = explored(&model);
        for finding in &outcome.findings {
            match &finding.verdict {
                Verdict::Held | Verdict::Reached(_) => {}
                Verdict::Violated(path) => {
                    let run: Vec<_> = path.actions().collect();
                    wrong.push(format!("{name}: \"{}\": {run:?}", finding.name));
                }
                other => wrong.push(format!("{name}: \"{}\": {other:?}", finding.name)),
            }
        }
        states.push((name, outcome.unique));
    }
    assert!(wrong.is_empty(), "{}\n{states:?}", wrong.join("\n"));
    states
}

#[test]
fn every_property_holds_and_every_goal_is_reached() {
    let small: Vec<_> = STATES
        .iter()
        .map(|(name, small, _)| (*name, *small))
        .collect();
    assert_eq!(states(Bounds::Small), small);
}

#[test]
fn so_they_do_within_the_bounds_of_the_program() {
    let default: Vec<_> = STATES
        .iter()
        .map(|(name, _, default)| (*name, *default))
        .collect();
    assert_eq!(states(Bounds::Default), default);
}

#[test]
fn every_defect_is_found() {
    for (defect, name, properties) in FOUND {
        let model = LegacyModel::new(frame(name)).with_defect(*defect);
        let outcome = explored(&model);
        let violated = outcome.findings.iter();
        let violated = violated.filter(|finding| matches!(finding.verdict, Verdict::Violated(_)));
        let violated: BTreeSet<_> = violated.map(|finding| finding.name).collect();
        for property in *properties {
            assert!(
                violated.contains(property),
                "{defect:?} in {name} breaks {violated:?}, not \"{property}\""
            );
        }
    }
}

#[test]
fn nothing_is_left_out() {
    let found: BTreeSet<_> = FOUND
        .iter()
        .map(|(defect, ..)| format!("{defect:?}"))
        .collect();
    assert_eq!(found.len(), Defect::ALL.len());
    let broken: BTreeSet<_> = FOUND
        .iter()
        .flat_map(|(.., properties)| *properties)
        .collect();
    for property in PROPERTIES {
        assert!(broken.contains(&property.name), "{}", property.name);
    }
    for frame in frames(Bounds::Small) {
        assert!(
            GOALS.iter().any(|goal| goal.frame == frame.name),
            "{}",
            frame.name
        );
    }
}
