//! Tours of a node: runs of the models that together take every transition of each request's machine, and
//! every pair of transitions that can follow one another, as cases with schedules.

use dht_models::frames::{self, Bounds};
use dht_models::tour::playable;
use dht_models::world::World;
use dht_protocol::neo::monitor::Coverage;
use dht_workload::Case;

use crate::model::case;

/// So many states of a model are looked at.
const STATES: usize = 20_000;

/// All tours.
#[derive(Debug, Default)]
pub struct Tours {
    /// The runs.
    pub runs: Vec<TourRun>,
    /// The models they were looked for in.
    pub models: Vec<Toured>,
    /// What they cover, and what there is to be covered.
    pub covers: Coverage,
}

/// A model that has been looked at.
#[derive(Debug)]
pub struct Toured {
    /// Its name.
    pub name: &'static str,
    /// What it has, whether that is in a run of this model or in one of an earlier one.
    pub covers: Coverage,
    /// How many runs were chosen.
    pub runs: usize,
}

/// A run of a model.
#[derive(Debug)]
pub struct TourRun {
    /// Its name, `get-all.3`.
    pub name: String,
    /// What the model is about.
    pub about: &'static str,
    /// What to do.
    pub case: Case,
}

impl TourRun {
    /// The name of its model.
    pub fn model(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(model, _)| model)
    }
}

/// The tours of all models that can be played against one node.
pub fn tours() -> Tours {
    let mut tours = Tours::default();
    for entry in frames::all() {
        let frame = case::as_over_a_network((entry.frame)(Bounds::Small));
        if frame.nodes.len() > 1 || frame.requests.iter().any(|asked| asked.asks.is_none()) {
            continue;
        }
        let Ok(world) = World::new(frame) else {
            continue;
        };
        let tour = playable(&world, STATES, &mut tours.covers);
        let cases = tour.runs.into_iter().enumerate();
        let runs = cases.filter_map(|(number, run)| {
            Some(TourRun {
                name: format!("{}.{}", entry.name, number + 1),
                about: entry.about,
                case: case::case(&world, run).ok()?,
            })
        });
        let before = tours.runs.len();
        tours.runs.extend(runs);
        tours.models.push(Toured {
            name: entry.name,
            covers: tour.covers,
            runs: tours.runs.len() - before,
        });
    }
    tours
}

/// How much of what there is was covered, in words.
pub fn share(covered: &Coverage, of: &Coverage) -> String {
    let percent = |part: usize, whole: usize| 100 * part / whole.max(1);
    let both = of.transitions.intersection(&covered.transitions).count();
    let pairs = of.pairs.intersection(&covered.pairs).count();
    let (all, all_pairs) = (of.transitions.len(), of.pairs.len());
    format!(
        "{both} of {all} transitions ({} %), {pairs} of {all_pairs} pairs ({} %)",
        percent(both, all),
        percent(pairs, all_pairs),
    )
}
