//! What the node's process takes of the machine in a run, and with which defect.
//!
//! A process that grows or is busy for nothing shows that over many scripts, not in one. So what brings it about is
//! looked for by halving, each time with a process that was started anew and fewer defects; which can be done where
//! the run has started the node.

use std::fmt;
use std::time::{Duration, Instant};

use dht_reports::{Failure, Level, Verdict};
use dht_requirements as req;
use dht_workload::case::Defect;
use tokio::time::sleep;

use super::search::Search;
use super::vitals::Process;
use crate::certify::{again, described};
use crate::unkept::Outcome;

/// How much larger a node may be at the end than it was after its first scripts, in bytes, and how much of that
/// may have come in the second half: what is kept for later is kept early.
const GROWTH: (u64, u64) = (64 << 20, 16 << 20);
/// From which part of all looks on a process that wants to run is busy.
const BUSY: f64 = 0.5;
/// How long the node is left alone before its processor is looked at.
const QUIET: Duration = Duration::from_millis(300);
/// In how many windows it is looked at, and how often in each.
const LOOKS: (u32, u32) = (4, 20);
/// How long it is until the next look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// How long it is tried whether some defects bring it about.
const TRIAL: Duration = Duration::from_secs(2);
/// A process that grows by less than so many bytes in a trial, or by so many more than without a defect, may do that
/// for other reasons.
const TRIFLE: u64 = 4 << 20;

/// What brings about that a process takes too much.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Culprit {
    /// This alone.
    Defect(Defect),
    /// Nothing wrong has to be said.
    Conversations,
    /// Nothing that could be found by itself.
    NoneAlone,
}

impl Search<'_> {
    /// What does the node's process do when nobody asks for anything?
    pub(super) async fn look_at_idle_node(&mut self) {
        let Some(process) = self.process else { return };
        self.idle_load = idle_load(process).await;
        self.vitals.extend(process.vitals());
    }

    /// If the process takes too much: what brings that about?
    pub(super) async fn look_for_culprits(&mut self) {
        // A process that was started for the run, and can be started again.
        if self.process.is_none() || self.target.control().is_none() {
            return;
        }
        if self.grows() {
            self.leaking = self.culprit_of_growth().await;
        }
        if self.idle_load.is_some_and(|load| load >= BUSY) {
            self.spinning = self.culprit_of_load().await;
        }
    }

    async fn culprit_of_growth(&mut self) -> Option<Culprit> {
        let (first, last) = (self.vitals.first()?, self.vitals.last()?);
        let growth = last.resident.saturating_sub(first.resident);
        let part = TRIAL.as_secs_f64() / self.running.as_secs_f64().max(TRIAL.as_secs_f64());
        // In so short a time it should grow by this, if all of its growth is for one reason.
        let expected = (growth as f64 * part) as u64;
        let without = self.growth(&[]).await?;
        if without >= TRIFLE.max(expected / 2) {
            return Some(Culprit::Conversations);
        }
        let enough = without + TRIFLE.max(expected.saturating_sub(without) / 2);
        let mut suspects = self.suspects();
        while suspects.len() > 1 {
            let rest = suspects.split_off(suspects.len().div_ceil(2));
            if self.growth(&suspects).await? < enough {
                suspects = rest;
            }
        }
        let shows = self.growth(&suspects).await? >= enough;
        Some(alone(&suspects, shows))
    }

    async fn culprit_of_load(&mut self) -> Option<Culprit> {
        if self.load_after(&[]).await? >= BUSY {
            return Some(Culprit::Conversations);
        }
        let mut suspects = self.suspects();
        while suspects.len() > 1 {
            let rest = suspects.split_off(suspects.len().div_ceil(2));
            if self.load_after(&suspects).await? < BUSY {
                suspects = rest;
            }
        }
        let shows = self.load_after(&suspects).await? >= BUSY;
        Some(alone(&suspects, shows))
    }

    /// What was put in.
    fn suspects(&self) -> Vec<Defect> {
        self.tally.defects.keys().copied().collect()
    }

    /// By how many bytes a new process has grown, from its first scripts on, with these defects.
    async fn growth(&mut self, menu: &[Defect]) -> Option<u64> {
        let (process, first) = self.trial(menu).await?;
        self.clean_up().await;
        let last = process.vitals()?.resident;
        Some(last.saturating_sub(first))
    }

    /// How busy a new process is behind scripts with these defects.
    async fn load_after(&mut self, menu: &[Defect]) -> Option<f64> {
        let (process, _) = self.trial(menu).await?;
        idle_load(process).await
    }

    /// Runs scripts with these defects for a while, with a new process; it, and its size after the first ones.
    async fn trial(&mut self, menu: &[Defect]) -> Option<(Process, u64)> {
        if !self.target.restart().await {
            return None;
        }
        let process = Process::listening(self.target.address())?;
        let (until, mut first) = (Instant::now() + TRIAL, None);
        while first.is_none() || Instant::now() < until {
            for done in self.work(menu, u64::MAX).await {
                self.worlds.push(done.world);
            }
            first = first.or(Some(process.vitals()?.resident));
        }
        self.worlds.clear();
        Some((process, first?))
    }

    /// Does the node's process become larger and larger?
    pub(super) fn memory(&self) -> Verdict {
        let (Some(first), Some(last)) = (self.vitals.first(), self.vitals.last()) else {
            return not_measured();
        };
        if !self.grows() {
            return Verdict::Kept;
        }
        let middle = self.vitals[self.vitals.len() / 2];
        self.takes_too_much(
            dht_reports::Requirement {
                id: "FUZZ-MEMORY".to_owned(),
                level: Level::Should,
                sentence: "A node does not grow with every connection that it has seen.".to_owned(),
                source: "docs/live-fuzzing.md".to_owned(),
            },
            "a process that is as large as what it stores",
            format!(
                "its resident memory was {} MiB after the first scripts, {} MiB in the middle and {} MiB at \
                 the end, when nothing was stored any more; {} connections were opened",
                first.resident >> 20,
                middle.resident >> 20,
                last.resident >> 20,
                self.tally.traffic.connections,
            ),
            self.leaking,
        )
    }

    fn grows(&self) -> bool {
        let (Some(first), Some(last)) = (self.vitals.first(), self.vitals.last()) else {
            return false;
        };
        let middle = self.vitals[self.vitals.len() / 2];
        let growth = last.resident.saturating_sub(first.resident);
        let late = last.resident.saturating_sub(middle.resident);
        let (allowed, allowed_late) = GROWTH;
        // What is in use for scripts under way goes up and down, but not by half of everything.
        growth > allowed && late > allowed_late && late >= growth / 4
    }

    /// Is the node's processor busy although nobody asks for anything?
    pub(super) fn load(&self) -> Verdict {
        match self.idle_load {
            None => not_measured(),
            Some(load) if load < BUSY => Verdict::Kept,
            Some(load) => self.takes_too_much(
                described(&req::ROBUST_NO_SPINNING),
                "a process that waits",
                format!(
                    "it wanted to run in {:.0} % of all looks when all connections were closed; it has used {:.1} s \
                     of processor time since it was started",
                    load * 100.0,
                    self.vitals.last().map_or(0.0, |last| last.busy.as_secs_f64()),
                ),
                self.spinning,
            ),
        }
    }

    fn takes_too_much(
        &self,
        requirement: dht_reports::Requirement,
        expected: &str,
        mut observed: String,
        culprit: Option<Culprit>,
    ) -> Verdict {
        if let Some(culprit) = culprit {
            observed.push_str(&format!("; {culprit}"));
        }
        let chosen = match culprit {
            Some(Culprit::Defect(defect)) => vec![defect],
            _ => self.options.defect.clone(),
        };
        let defects: String = chosen
            .iter()
            .map(|defect| format!(" --defect {defect}"))
            .collect();
        Failure {
            requirement,
            outcome: Outcome::Harm.key().to_owned(),
            sent: format!("{} scripts, and then nothing", self.tally.scripts),
            expected: vec![expected.to_owned()],
            observed,
            exchange: Vec::new(),
            again: format!(
                "dhtcheck fuzz{} --seed {:x} --scripts {}{defects}",
                again::arguments(&self.options.target),
                self.seed,
                self.tally.scripts
            ),
            minimal: None,
        }
        .into()
    }
}

/// How often a process wants to run when nobody asks for anything: of all looks, in the quietest window. `None` if it
/// is gone.
async fn idle_load(process: Process) -> Option<f64> {
    sleep(QUIET).await;
    let (windows, looks) = LOOKS;
    let mut least: Option<f64> = None;
    for _ in 0..windows {
        let mut running = 0;
        for _ in 0..looks {
            sleep(BETWEEN_LOOKS).await;
            running += u32::from(process.wants_to_run()?);
        }
        let load = f64::from(running) / f64::from(looks);
        least = Some(least.map_or(load, |least| least.min(load)));
    }
    least
}

fn alone(suspects: &[Defect], shows: bool) -> Culprit {
    match suspects {
        [defect] if shows => Culprit::Defect(*defect),
        _ => Culprit::NoneAlone,
    }
}

fn not_measured() -> Verdict {
    Verdict::NotApplicable {
        reason: "not measured: the node is no other process of this machine".to_owned(),
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defect(defect) => write!(f, "the defect {defect} alone brings it about"),
            Self::Conversations => f.write_str("legal conversations alone bring it about"),
            Self::NoneAlone => f.write_str("no single defect brings it about"),
        }
    }
}
