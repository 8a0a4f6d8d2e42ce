//! `dhtcheck model --tour`: what the tours are, and their runs as files of a corpus.

use std::path::Path;

use dht_workload::corpus::{CorpusError, FORMAT, Found, Kept};

use crate::tour::{TourRun, Tours};

/// What the tours of the models are that are `chosen` by name, as a table, and in total.
pub(super) fn table(tours: &Tours, chosen: impl Fn(&str) -> bool) -> String {
    let mut text = line("model", "runs", "transitions", "pairs");
    let models = tours.models.iter().filter(|model| chosen(model.name));
    for model in models {
        text += &line(
            model.name,
            &model.runs.to_string(),
            &model.covers.transitions.len().to_string(),
            &model.covers.pairs.len().to_string(),
        );
    }
    text += &format!(
        "\nAll tours: {} runs, which cover {} transitions and {} pairs of them.\n",
        tours.runs.len(),
        tours.covers.transitions.len(),
        tours.covers.pairs.len(),
    );
    text
}

fn line(model: &str, runs: &str, transitions: &str, pairs: &str) -> String {
    format!("{model:<26} {runs:>5} {transitions:>12} {pairs:>6}\n")
}

/// Writes the runs of the models that are `chosen` by name. How many they are.
pub(super) fn save(
    tours: &Tours,
    folder: &Path,
    chosen: impl Fn(&str) -> bool,
) -> Result<usize, CorpusError> {
    let mut written = 0;
    for run in tours.runs.iter().filter(|run| chosen(run.model())) {
        let file = folder.join(format!("{}.json", run.name));
        kept(run).write_to(&file)?;
        written += 1;
    }
    Ok(written)
}

fn kept(run: &TourRun) -> Kept {
    Kept {
        format: FORMAT,
        about: run.about.to_owned(),
        requirement: "NEO-REQ-01".to_owned(),
        sent: format!("a run of the tour of the model {}", run.model()),
        allowed: "what the protocol allows".to_owned(),
        observed: "not tried with a node yet".to_owned(),
        fails: None,
        bug: None,
        found: Some(Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: "none: it is a run of a model".to_owned(),
            technique: "tour".to_owned(),
            ..Found::default()
        }),
        case: run.case.clone(),
        exchange: Vec::new(),
    }
}
