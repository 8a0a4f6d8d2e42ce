//! What looks wrong while many scripts run is run again by itself, which shows whose doing it is, and made short.

use std::time::{Duration, Instant};

use dht_requirements as req;
use dht_workload::case::{Case, Defect, Step};
use dht_workload::corpus::Found;
use dht_workload::judge::Fault;
use dht_workload::names::Names;

use super::GROUP;
use super::alone::alone;
use super::search::{LIMIT, Search};
use crate::campaign::finding::Finding;

/// How long it may take to make a finding short, at least and at most.
const EFFORT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// How long a node may take for an answer when a finding is made short.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How many scripts of a round are run by themselves to see which of them it was.
const SUSPECTS: usize = 48;

impl Search<'_> {
    /// Something looks wrong. Which script was it?
    pub(super) async fn investigate(&mut self, cases: Vec<(Case, Option<Fault>)>, harmed: bool) {
        self.worlds.clear();
        self.bystander = None;
        if !self.revive().await {
            // It is gone for good: what was seen is all that there is.
            return self.unconfirmed(cases, harmed).await;
        }
        let mut confirmed = false;
        let mut new = false;
        for (case, fault) in &cases {
            let Some(fault) = fault else { continue };
            if self.is_known(case, fault) {
                continue;
            }
            new = true;
            confirmed |= self.confirm(case).await;
        }
        let others = |fault: &Fault| is_others_doing(fault);
        let shared = harmed
            || cases
                .iter()
                .any(|(_, fault)| fault.as_ref().is_some_and(others));
        if shared && !confirmed {
            new = true;
            for (case, _) in cases.iter().take(SUSPECTS) {
                if self.confirm(case).await {
                    confirmed = true;
                    break;
                }
            }
        }
        if new && !confirmed {
            self.unconfirmed(cases, harmed).await;
        }
    }

    /// Runs a script by itself. Whether something is wrong with it, which is made short then.
    async fn confirm(&mut self, case: &Case) -> bool {
        for _ in 0..2 {
            let until = Instant::now() + LIMIT * self.options.target.timeout;
            let Ok(played) = self.stage.play(case, until, false).await else {
                self.revive().await;
                continue;
            };
            if let Some(fault) = played.fault {
                if !self.is_known(case, &fault) {
                    self.found(case.clone(), fault).await;
                }
                return true;
            }
        }
        false
    }

    /// Makes what was found short, and keeps it.
    async fn found(&mut self, case: Case, fault: Fault) {
        let patience = self.options.target.timeout.min(IMPATIENCE);
        let stage = self.stage.with_patience(patience);
        let (least, most) = EFFORT;
        let until = Instant::now() + (self.options.budget / 4).clamp(least, most);
        let found = self.how();
        let folder = self.options.corpus.clone();
        let finding = Finding::of(&stage, case, fault, found, &folder, until, |_| ()).await;
        let defect = match self.shows_without_defects(&finding, patience).await {
            true => None,
            false => last_wrong(&finding.kept.case, &finding.fault),
        };
        self.menu.retain(|other| Some(*other) != defect);
        self.findings.push((defect, finding));
        self.progress();
        self.revive().await;
    }

    /// Does the legal part show the same by itself? The file has to keep something wrong: a case without it is run by
    /// the public client, which need not see what is seen on bare connections.
    async fn shows_without_defects(&self, finding: &Finding, patience: Duration) -> bool {
        let mut legal = finding.kept.case.clone();
        let is_wrong = |step: &Step| matches!(step, Step::Wrong(_));
        let there = legal.step(finding.fault.at);
        if there.is_none_or(|placed| is_wrong(&placed.step)) {
            return false;
        }
        for round in &mut legal.rounds {
            round.steps.retain(|placed| !is_wrong(&placed.step));
        }
        let prefix = format!("dhtcheck_{:x}_legal{}_", self.seed, self.findings.len());
        let permitted = self.target.may_remove_channels();
        let names = Names::new(prefix, self.target.range(), permitted);
        let until = Instant::now() + LIMIT * patience;
        let run = (self.seed, patience);
        let alone = alone(self.target, run, &legal, &names, until, None).await;
        let fault = alone.fault.filter(|_| alone.steps > 0);
        fault.is_some_and(|fault| fault.requirement.id == finding.fault.requirement.id)
    }

    /// What was seen and does not show again is kept as it is.
    async fn unconfirmed(&mut self, cases: Vec<(Case, Option<Fault>)>, harmed: bool) {
        let seen = cases
            .into_iter()
            .filter_map(|(case, fault)| Some((case, fault?)));
        // That the node is gone says more than what others saw of it.
        let seen = seen.min_by_key(|(_, fault)| fault.requirement.id != req::ROBUST_SURVIVES.id);
        let Some((case, fault)) = seen else {
            if harmed {
                self.stopped = Some("a connection was lost, and nobody knows why".to_owned());
            }
            return;
        };
        if self.is_known(&case, &fault) {
            return;
        }
        let stage = self.stage.with_patience(self.options.target.timeout);
        let (found, folder) = (self.how(), self.options.corpus.clone());
        let now = Instant::now();
        let finding = Finding::of(&stage, case, fault, found, &folder, now, |_| ()).await;
        let defect = last_wrong(&finding.kept.case, &finding.fault);
        self.findings.push((defect, finding));
    }

    fn how(&self) -> Found {
        Found {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.target.to_string(),
            profile: self.options.profile.clone(),
            seed: format!("{:x}", self.seed),
            technique: GROUP.to_owned(),
            operations: self.tally.steps,
            ..Found::default()
        }
    }

    /// Was the same found before?
    fn is_known(&self, case: &Case, fault: &Fault) -> bool {
        let defect = last_wrong(case, fault);
        self.findings.iter().any(|(known, finding)| {
            // What shows without a defect hardly needs another one.
            finding.fault.requirement.id == fault.requirement.id
                && (known.is_none() || *known == defect || is_others_doing(fault))
        })
    }
}

/// May somebody else have caused it?
fn is_others_doing(fault: &Fault) -> bool {
    let id = fault.requirement.id;
    [
        &req::ROBUST_SURVIVES,
        &req::ROBUST_DROP_LOCAL,
        &req::ROBUST_NEW_CONNECTIONS,
        &req::LEG_ROBUST_DROP_LOCAL,
        &req::LEG_ROBUST_NEW_CONNECTIONS,
    ]
    .iter()
    .any(|other| other.id == id)
}

/// What was said wrongly where the fault showed, or last before.
fn last_wrong(case: &Case, fault: &Fault) -> Option<Defect> {
    let defect = |step: &Step| match step {
        Step::Wrong(wrong) => Some(wrong.defect),
        _ => None,
    };
    let there = case.step(fault.at).and_then(|placed| defect(&placed.step));
    there.or_else(|| {
        // What overlaps may have come first.
        let before = case.steps().filter(|(at, _)| at.round <= fault.at.round);
        before.filter_map(|(_, placed)| defect(&placed.step)).last()
    })
}
