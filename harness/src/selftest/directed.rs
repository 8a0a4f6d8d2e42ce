//! The directed checks against an embedded node with a bug, until one of them finds something.

use std::pin::pin;
use std::time::Duration;

use dht_reports::CheckResult;
use fakedht::bugs::Bug;
use futures_util::{StreamExt, stream};

use crate::certify::examiner::Examiner;
use crate::checks::{self, Check, Tag};
use crate::cli::{Certify, TargetOptions};
use crate::target::Target;

/// Part of the names on the node, which nobody else uses.
const SEED: u64 = 1;

/// How many checks run side by side.
const TOGETHER: usize = 24;

/// What a check has found.
pub(super) struct Deviation {
    /// The id of the check.
    pub(super) check: String,
    /// The id of the requirement.
    pub(super) requirement: String,
}

/// The first thing that the checks find on a node with this bug, if they find something.
pub(super) async fn find(bug: Option<&'static Bug>, timeout: Duration) -> Option<Deviation> {
    let options = TargetOptions {
        node: None,
        auth: None,
        credentials: None,
        guest: None,
        spawn: None,
        bug: bug.iter().map(|bug| bug.name.to_owned()).collect(),
        timeout,
    };
    let target = Target::embedded(&options).await.ok()?;
    let examiner = Examiner::new(Certify::of(options), target, SEED);
    let found = search(&examiner, bug).await;
    examiner.target.stop().await;
    found
}

/// First the checks of the requirement that the bug breaks, which are likely to find it, one by one; then the
/// others side by side; at last those that may kill a node.
async fn search(examiner: &Examiner, bug: Option<&'static Bug>) -> Option<Deviation> {
    let is_likely = |check: &Check| bug.is_some_and(|bug| check.requirements.contains(&bug.breaks));
    let (likely, others): (Vec<_>, Vec<_>) =
        checks::all().iter().partition(|check| is_likely(check));
    let (alone, together): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|check| check.is(Tag::Lethal) || check.is(Tag::Alone));
    if let Some(found) = one_by_one(examiner, likely).await {
        return Some(found);
    }
    if let Some(found) = side_by_side(examiner, together).await {
        return Some(found);
    }
    one_by_one(examiner, alone).await
}

async fn one_by_one(examiner: &Examiner, checks: Vec<&'static Check>) -> Option<Deviation> {
    let mut checks = checks;
    checks.sort_by_key(|check| (check.is(Tag::Lethal), check.is(Tag::Slow)));
    for check in checks {
        let found = deviation(examiner.examine(check).await);
        if found.is_some() {
            return found;
        }
        if check.is(Tag::Lethal) {
            examiner.revive().await;
        }
    }
    None
}

async fn side_by_side(examiner: &Examiner, checks: Vec<&'static Check>) -> Option<Deviation> {
    let examining = checks.into_iter().map(|check| examiner.examine(check));
    let found = stream::iter(examining)
        .buffer_unordered(TOGETHER)
        .filter_map(async |result| deviation(result));
    pin!(found).next().await
}

fn deviation(result: CheckResult) -> Option<Deviation> {
    let failure = result.verdict.failure()?;
    Some(Deviation {
        check: result.check.id,
        requirement: failure.requirement.id.clone(),
    })
}
