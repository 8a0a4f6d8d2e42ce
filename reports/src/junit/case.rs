//! One case of the file: a check with what became of it.

use std::collections::HashMap;

use junit_report::{TestCase, TestResult};

use crate::check::{Check, CheckResult, Failure};
use crate::judged::{Judged, Judgement, Sighting};
use crate::profile::Deviation;
use crate::requirement::Requirement;
use crate::run::Group;
use crate::style::Style;
use crate::terminal::{Crop, FailureText, Finding};

use super::{attribute, cdata, class, time};

/// How much of an exchange goes into the file. Many readers load it whole, and GitLab refuses 30 MB.
const CROP: Crop = Crop {
    first: 50,
    last: 150,
};

/// Makes the cases of a run.
pub(super) struct Cases<'a> {
    judged: Judged<'a>,
    unexpectedly_kept: Vec<&'a Deviation>,
}

impl<'a> Cases<'a> {
    pub(super) fn of(judged: &Judged<'a>) -> Self {
        let unexpectedly_kept = judged
            .expectations()
            .into_iter()
            .filter(|expectation| matches!(expectation.sighting, Sighting::UnexpectedlyKept(_)))
            .map(|expectation| expectation.deviation)
            .collect();
        Self {
            judged: *judged,
            unexpectedly_kept,
        }
    }

    /// One case a result. Names are made unique: of cases with the same name GitLab reads only the first,
    /// and a random workload may find several things.
    pub(super) fn of_group(&self, group: &'a Group) -> Vec<TestCase> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut cases = Vec::with_capacity(group.results.len());
        for result in &group.results {
            let times = seen.entry(&result.check.id).or_default();
            *times += 1;
            let mut case = self.case(result);
            if *times > 1 {
                case.name.push_str(&format!(" ({times})"));
            }
            cases.push(case);
        }
        cases
    }

    fn case(&self, result: &'a CheckResult) -> TestCase {
        let check = &result.check;
        let judgement = self.judged.judge(result);
        TestCase {
            name: attribute(&check.id),
            time: time(result.duration),
            result: match judgement {
                Judgement::Kept | Judgement::Advice(_) | Judgement::Deviation(..) => {
                    TestResult::Success
                }
                Judgement::Broken(failure) => TestResult::Failure {
                    type_: attribute(&failure.requirement.id),
                    message: attribute(&message(failure)),
                    cause: Some(cdata(&details(check, failure))),
                },
                Judgement::Inconclusive(reason) => TestResult::Error {
                    type_: "inconclusive".to_owned(),
                    message: attribute(reason),
                    cause: Some(cdata(reason)),
                },
                Judgement::NotApplicable(reason) => TestResult::SkippedWithCause {
                    type_: "not applicable".to_owned(),
                    message: attribute(reason),
                    cause: None,
                },
            },
            classname: Some(class(&check.group)),
            filepath: None,
            system_out: Some(cdata(&self.about(result, judgement))),
            system_err: None,
        }
    }

    /// What a reader may want to know of a case, however it ended.
    fn about(&self, result: &CheckResult, judgement: Judgement<'_>) -> String {
        let check = &result.check;
        let mut lines = vec![
            check.title.clone(),
            format!("requirements: {}", check.requirements.join(", ")),
        ];
        lines.extend(
            check
                .subsumes
                .iter()
                .map(|case| format!("subsumes: {case}")),
        );
        if let Judgement::Advice(failure) = judgement {
            let Requirement {
                id,
                level,
                sentence,
                ..
            } = &failure.requirement;
            lines.push(format!("advice: {id} ({level}): {sentence}"));
            lines.push(format!("came: {}", failure.observed));
            lines.push(format!("again: {}", failure.again));
        }
        if let Judgement::Deviation(failure, deviation) = judgement {
            let Deviation {
                requirement,
                instead,
                why,
                ..
            } = deviation;
            lines.push(format!("deviation: {requirement}: {instead}"));
            lines.push(format!("why: {why}"));
            lines.push(format!("came: {}", failure.observed));
        }
        if judgement == Judgement::Kept {
            let unexpected = self.unexpectedly_kept.iter();
            for deviation in unexpected.filter(|deviation| deviation.expects(check)) {
                lines.push(format!(
                    "unexpectedly kept: {}, the profile says: {}",
                    deviation.requirement, deviation.instead
                ));
            }
        }
        for observation in &result.dialect {
            let (question, answer) = (&observation.question, &observation.answer);
            lines.push(format!("dialect: {question}: {answer}"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// The failure in one line, for readers that show no more of it.
fn message(failure: &Failure) -> String {
    let (id, sentence) = (&failure.requirement.id, &failure.requirement.sentence);
    format!("{id}: {sentence} Came: {}", failure.observed)
}

fn details(check: &Check, failure: &Failure) -> String {
    let text = FailureText {
        finding: Finding::Broken,
        check,
        failure,
        style: Style::Plain,
        crop: CROP,
    };
    text.to_string()
}
