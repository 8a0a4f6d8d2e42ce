//! What came of a run, as the events that reports are made of: a check for each defect, one for the legal
//! conversations, and two for what the node's process took of the machine.

use dht_reports::{Check, CheckResult, Event, Failure, Verdict, Workload};
use dht_requirements::{self as req, Requirement};
use dht_workload::case::{Defect, Protocol};

use super::GROUP;
use super::search::Search;
use super::verdict::Allowed;
use crate::campaign::finding::{Finding, failure};
use crate::certify::again;

/// What legal conversations show broken.
static CONVERSATIONS: [&Requirement; 12] = [
    &req::ROBUST_SURVIVES,
    &req::ROBUST_DROP_LOCAL,
    &req::ROBUST_NEW_CONNECTIONS,
    &req::ROBUST_FAILURE_LOCAL,
    &req::ROBUST_ACKNOWLEDGED_STAYS,
    &req::ROBUST_GARBAGE,
    &req::REQ_ANSWERED,
    &req::REQ_ANSWER_DEFINED,
    &req::LEG_ROBUST_DROP_LOCAL,
    &req::LEG_ROBUST_NEW_CONNECTIONS,
    &req::LEG_ROBUST_ACKNOWLEDGED_STAYS,
    &req::LEG_ANSWER_COMES,
];

/// All requirements that a run looks at, each once.
pub(super) fn requirements() -> impl Iterator<Item = &'static Requirement> {
    let mut all: Vec<&'static Requirement> = Vec::new();
    let defects = Defect::ALL
        .iter()
        .map(|defect| Allowed::about(*defect).requirement());
    for requirement in defects.chain(CONVERSATIONS) {
        if !all.iter().any(|other| other.id == requirement.id) {
            all.push(requirement);
        }
    }
    all.into_iter()
}

impl Search<'_> {
    /// A verdict for each check, or one for each thing that was found.
    fn report(&self) {
        for defect in Defect::ALL {
            let chosen = &self.options.defect;
            if chosen.is_empty() || chosen.contains(defect) {
                self.report_one(Some(*defect));
            }
        }
        self.report_one(None);
        self.result(self.memory(), about("memory", MEMORY_TITLE, &[]));
        let spinning = [&req::ROBUST_NO_SPINNING];
        self.result(self.load(), about("processor", LOAD_TITLE, &spinning));
        let tally = &self.tally;
        self.reporter.event(&Event::RandomFinished(Workload {
            group: GROUP.to_owned(),
            operations: tally.steps,
            clients: u32::from(self.options.connections),
            faults: tally.wrongs(),
            duration: self.begun.elapsed(),
        }));
        let seconds = self.running.as_secs_f64();
        // No verdict: how fast it was says something of the machine.
        eprintln!(
            "{} scripts, {} messages in {seconds:.1} s ({:.0} a second), {} connections, {} defects put in",
            tally.scripts,
            tally.messages(),
            tally.messages() as f64 / seconds.max(f64::EPSILON),
            tally.traffic.connections,
            tally.wrongs(),
        );
    }

    /// What was found of a defect, or of conversations without one.
    fn report_one(&self, defect: Option<Defect>) {
        let check = || match defect {
            Some(defect) => {
                let rule = Allowed::about(defect).requirement();
                about(defect.name(), defect.about(), &[rule])
            }
            None => about("conversations", CONVERSATIONS_TITLE, &CONVERSATIONS),
        };
        let findings = self.findings.iter().filter(|(of, _)| *of == defect);
        let mut count = 0;
        for (_, finding) in findings {
            count += 1;
            let mut check = check();
            if count > 1 {
                check.id = format!("{}.{count}", check.id);
            }
            let broken = finding.fault.requirement.id;
            if !check.requirements.iter().any(|id| id == broken) {
                check.requirements.push(broken.to_owned());
            }
            self.result(self.failure(finding).into(), check);
        }
        if count == 0 {
            self.result(self.nothing_found(defect), check());
        }
    }

    fn nothing_found(&self, defect: Option<Defect>) -> Verdict {
        let done = match defect {
            Some(defect) => self.tally.defects.get(&defect).copied().unwrap_or_default(),
            None => self.tally.scripts,
        };
        let unspoken = self.neo_alone.as_ref().filter(|_| {
            self.stopped.is_none()
                && defect.is_some_and(|defect| defect.protocol() == Protocol::Legacy)
        });
        if let Some(reason) = unspoken {
            return Verdict::NotApplicable {
                reason: reason.clone(),
            };
        }
        match (&self.stopped, done) {
            (Some(reason), _) => Verdict::Inconclusive {
                reason: reason.clone(),
            },
            // Rare defects, such as thousands of requests at once, may not come up in a short run.
            (None, 0) => Verdict::NotApplicable {
                reason: "it did not come up in so few scripts".to_owned(),
            },
            (None, _) => Verdict::Kept,
        }
    }

    fn failure(&self, finding: &Finding) -> Failure {
        let kept = &finding.kept;
        let found = kept.found.clone().unwrap_or_default();
        let mut note = format!("found at step {}", found.operations);
        note.push_str(&format!(", {} probes", found.probes));
        match kept.fails {
            None => note.push_str(", as short as it became before the time was up"),
            Some(rate) if rate.failed < rate.of => {
                note.push_str(&format!(", fails {} of {} times", rate.failed, rate.of));
            }
            Some(_) => {}
        }
        let again = match &finding.file {
            Ok(path) => again::replay(&self.options.target, path),
            Err(error) => {
                note.push_str(&format!("; not kept: {error}"));
                format!("dhtcheck fuzz --seed {:x}", self.seed)
            }
        };
        let exchange = finding.exchange.clone();
        failure(&finding.fault, &kept.case, exchange, &note, again)
    }

    fn result(&self, verdict: Verdict, check: Check) {
        self.reporter.event(&Event::CheckFinished(CheckResult {
            check,
            verdict,
            duration: self.begun.elapsed(),
            dialect: Vec::new(),
        }));
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let steps = self.tally.steps;
            self.stopped
                .get_or_insert_with(|| format!("interrupted after {steps} steps"));
        }
        self.report();
    }
}

const CONVERSATIONS_TITLE: &str =
    "Legal conversations go on as if nothing wrong were said beside them.";
const MEMORY_TITLE: &str = "The node's process does not grow from script to script.";
const LOAD_TITLE: &str = "The node's process does nothing when nobody asks for anything.";

fn about(name: &str, title: &str, requirements: &[&Requirement]) -> Check {
    Check {
        id: format!("{GROUP}.{name}"),
        group: GROUP.to_owned(),
        title: title.to_owned(),
        requirements: requirements
            .iter()
            .map(|requirement| requirement.id.to_owned())
            .collect(),
        request: None,
        tags: Vec::new(),
        subsumes: None,
    }
}
