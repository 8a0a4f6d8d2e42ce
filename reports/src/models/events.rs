//! Models as a run of checks: a model is a group, a property a check.

use std::time::Duration;

use super::{ModelResult, ModelRun, PropertyResult, PropertyVerdict};
use crate::{
    Check, CheckResult, Event, Failure, Level, Line, Plan, PlannedGroup, Requirement, RunFinished,
    RunStarted, Verdict,
};

/// The run as events. `started_ms` is when it began, in milliseconds since 1970 (UTC).
pub fn events(run: &ModelRun, started_ms: u64) -> Vec<Event> {
    let groups = run.models.iter().map(|model| PlannedGroup {
        name: model.name.clone(),
        plan: Plan::Checks(model.properties.len()),
    });
    let mut events = vec![Event::RunStarted(RunStarted {
        version: run.version.clone(),
        node: format!("models, {} bounds", run.bounds),
        started_ms,
        groups: groups.collect(),
        ..RunStarted::default()
    })];
    for model in &run.models {
        let properties = model.properties.iter();
        events
            .extend(properties.map(|property| Event::CheckFinished(result(run, model, property))));
    }
    let milliseconds = run.models.iter().map(|model| model.milliseconds).sum();
    events.push(Event::RunFinished(RunFinished {
        duration: Duration::from_millis(milliseconds),
    }));
    events
}

fn result(run: &ModelRun, model: &ModelResult, property: &PropertyResult) -> CheckResult {
    let share = model.milliseconds / (model.properties.len() as u64).max(1);
    CheckResult {
        check: Check {
            id: format!("{}.{}", model.name, property.id),
            group: model.name.clone(),
            title: property.sentence.clone(),
            requirements: vec![property.id.clone()],
            request: None,
            tags: vec!["model".to_owned()],
            subsumes: None,
        },
        verdict: match &property.verdict {
            good if good.is_good() => Verdict::Kept,
            PropertyVerdict::Unknown { reason } => Verdict::Inconclusive {
                reason: reason.clone(),
            },
            _ => failure(run, model, property).into(),
        },
        // What a property costs is not measured.
        duration: Duration::from_millis(share),
        dialect: Vec::new(),
    }
}

fn failure(run: &ModelRun, model: &ModelResult, property: &PropertyResult) -> Failure {
    let steps = property.run.as_ref().map(|run| run.steps.clone());
    let chart = property.run.as_ref().map_or("", |run| run.chart.as_str());
    let defect = run.defect.as_ref();
    let defect = defect.map_or_else(String::new, |defect| format!(" --defect {defect}"));
    Failure {
        requirement: Requirement {
            id: property.id.clone(),
            level: Level::Must,
            sentence: property.sentence.clone(),
            source: "neo-requests 16".to_owned(),
        },
        outcome: "violated".to_owned(),
        sent: model.about.clone(),
        expected: vec![format!("{}: {}", property.kind, property.sentence)],
        observed: match property.verdict {
            PropertyVerdict::NotReached => "no run reaches it".to_owned(),
            PropertyVerdict::HeldUnexpectedly => "it holds in every run".to_owned(),
            _ => "a run in which it is violated".to_owned(),
        },
        exchange: chart.lines().map(Line::note).collect(),
        again: format!(
            "dhtcheck model {} --bounds {}{defect}",
            model.name, run.bounds
        ),
        minimal: steps,
    }
}
