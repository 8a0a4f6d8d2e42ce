//! The models as a table, and what was found in full.

use std::fmt::Write;

use super::{ModelResult, ModelRun, PropertyResult, PropertyVerdict};
use crate::terminal::number;

/// The line above the table.
pub fn titles() -> String {
    format!(
        "{:<31} {:>11} {:>11} {:>6} {:>8}  properties",
        "model", "states", "steps", "depth", "time"
    )
}

/// A model's line.
pub fn row(model: &ModelResult) -> String {
    let mut line = format!(
        "{:<31} {:>11} {:>11} {:>6} {:>8}  {}",
        model.name,
        number(model.unique),
        number(model.generated),
        model.depth,
        time(model.milliseconds),
        verdicts(model),
    );
    if let Some(incomplete) = &model.incomplete {
        let _ = write!(line, "\n    {incomplete}");
    }
    line
}

/// What was found, with the runs that show it. A run that shows several things is drawn once.
pub fn counterexamples(run: &ModelRun) -> String {
    let mut text = String::new();
    for model in &run.models {
        let mut left: Vec<&PropertyResult> = model.properties.iter().collect();
        left.retain(|property| property.verdict.is_bad());
        while let Some(first) = left.first().copied() {
            let same = |property: &&PropertyResult| {
                std::ptr::eq(*property, first) || shows_the_same(property, first)
            };
            let (shown, others) = left.into_iter().partition(same);
            left = others;
            finding(&mut text, model, &shown);
        }
    }
    text
}

/// Properties of a model that one run shows.
fn finding(text: &mut String, model: &ModelResult, shown: &[&PropertyResult]) {
    let _ = writeln!(text);
    for property in shown {
        let PropertyResult {
            id, kind, sentence, ..
        } = property;
        let what = match &property.verdict {
            PropertyVerdict::NotReached => "no run reaches it",
            PropertyVerdict::HeldUnexpectedly => "holds, although the protocol does not see to it",
            _ => "violated",
        };
        let _ = writeln!(text, "{}: {id} ({kind}) {what}", model.name);
        let _ = writeln!(text, "    {sentence}");
    }
    let runs = || shown.iter().filter_map(|property| property.run.as_ref());
    if let Some(run) = runs().next() {
        let _ = writeln!(text, "\n{}", run.chart.trim_end());
    }
    for run in runs() {
        for (what, path) in [("drawn in", &run.svg), ("kept as", &run.case)] {
            if let Some(path) = path {
                let _ = writeln!(text, "    {what} {path}");
            }
        }
    }
}

fn shows_the_same(a: &PropertyResult, b: &PropertyResult) -> bool {
    let steps = |property: &PropertyResult| property.run.as_ref().map(|run| run.steps.clone());
    steps(a).is_some() && steps(a) == steps(b)
}

/// The last line.
pub fn summary(run: &ModelRun) -> String {
    let sum = |of: fn(&ModelResult) -> u64| run.models.iter().map(of).sum::<u64>();
    let properties: usize = run.models.iter().map(|model| model.properties.len()).sum();
    let milliseconds = sum(|model| model.milliseconds);
    let unique = sum(|model| model.unique);
    let found = run.findings().count();
    let verdict = match (found, run.exit().code()) {
        _ if run.defect.is_some() => found_out(run),
        (0, 0) => "Every property holds.".to_owned(),
        (0, _) => "Not everything is known.".to_owned(),
        (1, _) => "1 property is not as it should be.".to_owned(),
        (found, _) => format!("{found} properties are not as they should be."),
    };
    let exploring = sum(|model| model.exploring);
    let rate = unique * 1000 / exploring.max(1);
    format!(
        "{} models, {properties} properties, {} states in {}, {} a second visited. {verdict}",
        run.models.len(),
        number(unique),
        time(milliseconds),
        number(rate),
    )
}

/// What became of the defect that was switched on.
fn found_out(run: &ModelRun) -> String {
    let defect = run.defect.as_deref().unwrap_or_default();
    let mut ids: Vec<&str> = run.findings().map(|(_, found)| found.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.is_empty() {
        true => format!("{defect} is not found: no model that was explored shows it."),
        false => format!("{defect} is found: it violates {}.", ids.join(", ")),
    }
}

/// The properties in a few words: which hold, and which do not.
fn verdicts(model: &ModelResult) -> String {
    let all = |is: fn(&PropertyVerdict) -> bool| {
        let properties = model.properties.iter().filter(move |p| is(&p.verdict));
        properties.map(|property| property.id.as_str())
    };
    let mut parts = Vec::new();
    let held = all(|verdict| *verdict == PropertyVerdict::Held).count();
    if held > 0 {
        parts.push(format!("{held} hold"));
    }
    let reached = all(|verdict| *verdict == PropertyVerdict::Reached).count();
    if reached > 0 {
        parts.push(format!("{reached} reached"));
    }
    let mut list = |what: &str, is: fn(&PropertyVerdict) -> bool| {
        let ids: Vec<&str> = all(is).collect();
        if !ids.is_empty() {
            parts.push(format!("{what} {}", ids.join(" ")));
        }
    };
    list("expected:", |verdict| {
        *verdict == PropertyVerdict::ViolatedAsExpected
    });
    list("VIOLATED", |verdict| *verdict == PropertyVerdict::Violated);
    list("NOT REACHED", |verdict| {
        *verdict == PropertyVerdict::NotReached
    });
    list("UNEXPECTEDLY HELD", |verdict| {
        *verdict == PropertyVerdict::HeldUnexpectedly
    });
    list("unknown", |verdict| {
        matches!(verdict, PropertyVerdict::Unknown { .. })
    });
    parts.join(", ")
}

fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..10_000 => format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10),
        _ => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Run;
    use super::*;

    fn model(verdict: PropertyVerdict) -> ModelRun {
        let run = Run {
            steps: vec!["one".to_owned()],
            chart: "a -> b\n".to_owned(),
            svg: None,
            case: Some("case.json".to_owned()),
        };
        let property = PropertyResult {
            id: "P27".to_owned(),
            kind: "always".to_owned(),
            sentence: "One at a time.".to_owned(),
            run: (verdict == PropertyVerdict::Violated).then_some(run),
            verdict,
        };
        ModelRun {
            models: vec![ModelResult {
                name: "control".to_owned(),
                about: "Control.".to_owned(),
                generated: 4321,
                unique: 1234,
                depth: 17,
                terminal: 3,
                exploring: 1500,
                milliseconds: 1500,
                memory: 0,
                incomplete: None,
                properties: vec![property],
            }],
            ..ModelRun::default()
        }
    }

    #[test]
    fn what_holds_is_a_line() {
        let run = model(PropertyVerdict::Held);
        assert_eq!(
            row(&run.models[0]),
            "control                               1,234       4,321     17   1.50 s  1 hold"
        );
        assert_eq!(counterexamples(&run), "");
        assert_eq!(
            summary(&run),
            "1 models, 1 properties, 1,234 states in 1.50 s, 822 a second visited. Every property holds."
        );
        assert_eq!(run.exit().code(), 0);
    }

    #[test]
    fn what_does_not_hold_is_shown_with_its_run() {
        let run = model(PropertyVerdict::Violated);
        assert!(row(&run.models[0]).ends_with("VIOLATED P27"));
        assert_eq!(
            counterexamples(&run),
            "\ncontrol: P27 (always) violated\n    One at a time.\n\na -> b\n    kept as case.json\n"
        );
        assert_eq!(run.exit().code(), 1);
    }

    #[test]
    fn what_is_not_known_is_no_success() {
        let reason = "memory".to_owned();
        let run = model(PropertyVerdict::Unknown { reason });
        assert!(row(&run.models[0]).ends_with("unknown P27"));
        assert_eq!(run.exit().code(), 2);
        assert_eq!(ModelRun::default().exit().code(), 2);
    }
}
