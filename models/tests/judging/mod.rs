//! What a model has to show: as many states as it is written down to have, every property kept, every goal
//! reached, and each of its defects found.

use std::num::NonZeroUsize;

use dht_models::check::{Checked, check};
use dht_models::defect::Defects;
use dht_models::frames::{Bounds, Entry, all};
use dht_models::search::{Options, Verdict};
use dht_models::world::{Action, State, World};

type Outcome = Checked<State, Action>;

/// The entry with this name.
pub(crate) fn entry(name: &str) -> Entry {
    let mut entries = all().into_iter();
    entries.find(|entry| entry.name == name).expect("an entry")
}

/// Judges an entry.
pub(crate) fn judge(entry: &Entry) {
    let healthy = explored(entry, Defects::default());
    let name = entry.name;
    for finding in &healthy.findings {
        let expected = entry.expected.contains(&finding.name);
        match &finding.verdict {
            Verdict::Held => assert!(!expected, "{name}: {} holds after all", finding.name),
            Verdict::Reached(_) => {}
            Verdict::Violated(path) if !expected => {
                let run: Vec<_> = path.actions().collect();
                panic!("{name}: {} is violated by {run:?}", finding.name);
            }
            Verdict::Violated(_) => {}
            verdict => panic!("{name}: {}: {verdict:?}", finding.name),
        }
        if let Some(owing) = finding.owing {
            assert!(owing > 0, "{name}: {} is never owed", finding.name);
        }
    }
    assert_eq!(healthy.unique, entry.states as u64, "{name}: states");
    for (defect, property) in entry.shows {
        let ill = explored(entry, Defects::only(*defect));
        let found = ill
            .findings
            .iter()
            .find(|finding| finding.name == *property);
        let verdict = found.map(|finding| &finding.verdict);
        assert!(
            matches!(verdict, Some(Verdict::Violated(_))),
            "{name}: {} does not break {property}",
            defect.name()
        );
    }
}

fn explored(entry: &Entry, defects: Defects) -> Outcome {
    let frame = (entry.frame)(Bounds::Small).defects(defects);
    let world = World::new(frame).expect("a frame that fits");
    let options = Options {
        threads: NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN),
        ..Options::default()
    };
    check(&world, options)
}
