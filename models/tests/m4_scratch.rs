//! Scratch.
use std::num::NonZeroUsize;

use dht_models::check::check;
use dht_models::defect::{Defect, Defects};
use dht_models::frames::{Bounds, all};
use dht_models::search::{Options, Verdict};
use dht_models::world::World;

const FAMILY: &[&str] = &["update", "hash-range", "routing", "redistribution"];

#[test]
fn scratch() {
    let only = std::env::var("ONLY").ok();
    let bounds: Bounds = std::env::var("BOUNDS")
        .unwrap_or("small".into())
        .parse()
        .unwrap();
    let options = Options {
        threads: NonZeroUsize::new(2).unwrap(),
        max_states: 2_000_000,
        ..Options::default()
    };
    for entry in all() {
        if !FAMILY.iter().any(|family| entry.name.starts_with(family)) {
            continue;
        }
        if only
            .as_ref()
            .is_some_and(|only| !entry.name.starts_with(only))
        {
            continue;
        }
        let mut runs: Vec<(Defects, Option<(Defect, &str)>)> = vec![(Defects::default(), None)];
        if bounds == Bounds::Small {
            runs.extend(
                entry
                    .shows
                    .iter()
                    .map(|(d, p)| (Defects::only(*d), Some((*d, *p)))),
            );
        }
        for (defects, show) in runs {
            let frame = (entry.frame)(bounds).defects(defects);
            let world = World::new(frame).unwrap();
            let checked = check(&world, options);
            match show {
                None => {
                    println!(
                        "STATES {} {} {:?} {:?} {}MB",
                        entry.name,
                        checked.unique,
                        checked.coverage,
                        checked.elapsed,
                        checked.memory >> 20
                    );
                    for finding in &checked.findings {
                        let bad = match &finding.verdict {
                            Verdict::Held => {
                                finding.owing == Some(0) || entry.expected.contains(&finding.name)
                            }
                            Verdict::Reached(_) => false,
                            Verdict::Violated(_) => !entry.expected.contains(&finding.name),
                            _ => true,
                        };
                        if bad {
                            println!(
                                "  BAD {} {}",
                                finding.name,
                                match &finding.verdict {
                                    Verdict::Violated(path) => format!(
                                        "violated in {} repeats {:?}",
                                        path.steps.len(),
                                        path.repeats_from
                                    ),
                                    other => format!("{other:?} {:?}", finding.owing)
                                        .chars()
                                        .take(100)
                                        .collect(),
                                }
                            );
                            if let Verdict::Violated(path) = &finding.verdict {
                                let mut state = path.init;
                                for action in path.actions() {
                                    let Some((next, notes)) = world.explain(&state, *action) else {
                                        println!("    {action}: nothing");
                                        continue;
                                    };
                                    println!("    {action}");
                                    for note in notes {
                                        println!("        {note:?}");
                                    }
                                    state = next;
                                }
                            }
                        }
                    }
                }
                Some((defect, property)) => {
                    let found = checked.findings.iter().find(|f| f.name == property);
                    let ok = found.is_some_and(|f| matches!(f.verdict, Verdict::Violated(_)));
                    let violated: Vec<_> = checked
                        .findings
                        .iter()
                        .filter(|f| matches!(f.verdict, Verdict::Violated(_)))
                        .map(|f| f.name)
                        .collect();
                    println!(
                        "  {} {} {} ({} states; all {violated:?})",
                        if ok { "shows" } else { "MISSES" },
                        defect.name(),
                        property,
                        checked.unique
                    );
                }
            }
        }
    }
}
