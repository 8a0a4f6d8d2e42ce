//! Every model is as it is written down: so many states, every property kept, every goal reached, each of its
//! defects found. And the table as a whole leaves nothing out.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dht_models::check::{Checked, check};
use dht_models::defect::{Defect, Defects};
use dht_models::frames::{Bounds, Entry, all};
use dht_models::property::Kind;
use dht_models::search::{Options, Verdict};
use dht_models::tour::tour;
use dht_models::world::{Action, State, World};
use dht_protocol::neo::monitor::Coverage;

type Outcome = Checked<State, Action>;

#[test]
fn every_model_is_as_it_is_written_down() {
    let entries = all();
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let (wrong, broken_by) = (Mutex::new(Vec::new()), &broken);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = judge(entry, broken_by);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // A property that nothing violates says nothing.
    let broken = broken.into_inner().unwrap();
    let unbroken: Vec<_> = properties()
        .into_iter()
        .filter(|(id, kind)| *kind != Kind::Sometimes && !broken.contains(id))
        .collect();
    assert!(unbroken.is_empty(), "nothing violates {unbroken:?}");
}

#[test]
fn names_are_unique() {
    let mut names = BTreeSet::new();
    for entry in all() {
        assert!(
            names.insert(entry.name),
            "{} stands there twice",
            entry.name
        );
        let mut ids = BTreeSet::new();
        for about in world(&entry, Defects::default()).abouts() {
            assert!(ids.insert(about.id), "{}: {} twice", entry.name, about.id);
        }
    }
}

#[test]
fn every_defect_is_shown_by_a_model() {
    let shown: BTreeSet<Defect> = all()
        .iter()
        .flat_map(|entry| entry.shows.iter().map(|(defect, _)| *defect))
        .collect();
    let hidden: Vec<_> = Defect::ALL
        .iter()
        .filter(|one| !shown.contains(one))
        .collect();
    assert!(hidden.is_empty(), "no model shows {hidden:?}");
}

/// The properties of `neo-requests.md` section 16, but for those that are not about what is said: P04 (the
/// process lives) and P13 (a restart keeps what is stored, which is the storage's business).
#[test]
fn every_property_of_the_specification_is_checked() {
    let ids: BTreeSet<_> = properties().into_iter().map(|(id, _)| id).collect();
    let missing: Vec<String> = (1..=79)
        .map(|number| format!("P{number:02}"))
        .filter(|id| !["P04", "P13"].contains(&id.as_str()))
        .filter(|id| !ids.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "no model checks {missing:?}");
}

/// The wire monitor, the models and the machines have one source of truth for what is legal when: whatever the
/// machines say to each other in any model, the monitor finds nothing wrong with it.
#[test]
fn the_wire_monitor_accepts_what_every_model_says() {
    let mut covered = Coverage::default();
    for entry in all() {
        let world = world(&entry, Defects::default());
        if world.frame().nodes.len() > 1
            || world.frame().clients.len() > 1
            || world.frame().rude.is_some()
        {
            continue;
        }
        let tour = tour(&world, 3000, |_| true, &mut covered);
        assert!(
            tour.breaches.is_empty(),
            "{}: {:?}",
            entry.name,
            tour.breaches
        );
    }
    assert!(
        covered.transitions.len() > 60,
        "{}",
        covered.transitions.len()
    );
}

/// What is wrong with a model. What its defects violate is added to `broken`.
fn judge(entry: &Entry, broken: &Mutex<BTreeSet<&'static str>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = entry.name;
    let healthy = explored(entry, Defects::default());
    for finding in &healthy.findings {
        let id = finding.name;
        match (&finding.verdict, entry.expected.contains(&id)) {
            (Verdict::Held, false) | (Verdict::Violated(_), true) | (Verdict::Reached(_), _) => {}
            (Verdict::Held, true) => wrong.push(format!("{name}: {id} holds after all")),
            (Verdict::Violated(path), false) => {
                let run: Vec<_> = path.actions().collect();
                wrong.push(format!("{name}: {id} is violated by {run:?}"));
            }
            (verdict, _) => wrong.push(format!("{name}: {id}: {verdict:?}")),
        }
        if finding.owing == Some(0) {
            wrong.push(format!("{name}: {id} is never owed"));
        }
        if matches!(finding.verdict, Verdict::Violated(_)) {
            broken.lock().unwrap().insert(id);
        }
    }
    if healthy.unique != entry.states as u64 {
        wrong.push(format!("{name}: {} states", healthy.unique));
    }
    for (defect, property) in entry.shows {
        let ill = explored(entry, Defects::only(*defect));
        let violated = ill.findings.iter();
        let violated = violated.filter(|finding| matches!(finding.verdict, Verdict::Violated(_)));
        let violated: BTreeSet<_> = violated.map(|finding| finding.name).collect();
        if !violated.contains(property) {
            wrong.push(format!(
                "{name}: {} does not break {property}",
                defect.name()
            ));
        }
        broken.lock().unwrap().extend(violated);
    }
    wrong
}

/// The properties of all models, with their kinds.
fn properties() -> BTreeSet<(&'static str, Kind)> {
    let entries = all().into_iter();
    let abouts = entries.flat_map(|entry| world(&entry, Defects::default()).abouts());
    abouts.map(|about| (about.id, about.kind)).collect()
}

fn explored(entry: &Entry, defects: Defects) -> Outcome {
    let options = Options {
        threads: NonZeroUsize::MIN,
        ..Options::default()
    };
    check(&world(entry, defects), options)
}

fn world(entry: &Entry, defects: Defects) -> World {
    let frame = (entry.frame)(Bounds::Small).defects(defects);
    World::new(frame).expect("a frame that fits")
}
