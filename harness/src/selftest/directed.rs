//! The directed checks against an embedded node with a bug, until one of them finds something.

use std::pin::pin;
use std::time::Duration;

use dht_reports::CheckResult;
use dht_requirements as req;
use fakedht::bugs::Bug;
use futures_util::{FutureExt, StreamExt, stream};

use crate::certify::examiner::Examiner;
use crate::checks::{self, Check, Tag};
use crate::cli::{Certify, Identity, TargetOptions};
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
    let examiner = examiner(bug, timeout).await?;
    let found = search(&examiner, bug).await;
    examiner.target.stop().await;
    found
}

/// A node with this bug, and who examines it.
async fn examiner(bug: Option<&'static Bug>, timeout: Duration) -> Option<Examiner> {
    let options = TargetOptions {
        node: None,
        legacy: None,
        identity: Identity::default(),
        spawn: None,
        bug: bug.iter().map(|bug| bug.name.to_owned()).collect(),
        timeout,
    };
    let target = Target::embedded(&options).await.ok()?;
    Some(Examiner::new(Certify::of(options), target, SEED))
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
    if let Some(found) = one_by_one(examiner, bug, likely).await {
        return Some(found);
    }
    if let Some(found) = side_by_side(examiner, bug, together).await {
        return Some(found);
    }
    one_by_one(examiner, bug, alone).await
}

async fn one_by_one(
    examiner: &Examiner,
    bug: Option<&'static Bug>,
    checks: Vec<&'static Check>,
) -> Option<Deviation> {
    let mut checks = checks;
    checks.sort_by_key(|check| (check.is(Tag::Lethal), check.is(Tag::Slow)));
    for check in checks {
        let result = examiner.examine(check).await;
        if let Some(found) = deviation(&result)
            && is_sure(examiner, bug, check, &found).await
        {
            return Some(found);
        }
        if check.is(Tag::Lethal) {
            examiner.revive().await;
        }
    }
    None
}

async fn side_by_side(
    examiner: &Examiner,
    bug: Option<&'static Bug>,
    checks: Vec<&'static Check>,
) -> Option<Deviation> {
    let examine = |check: &'static Check| {
        async move {
            let found = deviation(&examiner.examine(check).await)?;
            let sure = is_sure(examiner, bug, check, &found).await;
            sure.then_some(found)
        }
        .boxed()
    };
    let examining: Vec<_> = checks.into_iter().map(examine).collect();
    let found = stream::iter(examining)
        .buffer_unordered(TOGETHER)
        .filter_map(async |found| found);
    pin!(found).next().await
}

/// Is it the bug? A silence may be a busy machine's: it has to come again on another node with the bug, and not on
/// a healthy one.
async fn is_sure(
    examiner: &Examiner,
    bug: Option<&'static Bug>,
    check: &'static Check,
    found: &Deviation,
) -> bool {
    let timeout = examiner.options.target.timeout;
    if found.requirement != req::REQ_ANSWERED.id {
        return true;
    }
    again(bug, check, timeout).await && (bug.is_none() || !again(None, check, timeout).await)
}

/// Does a check find something on a node of its own?
async fn again(bug: Option<&'static Bug>, check: &'static Check, timeout: Duration) -> bool {
    let Some(examiner) = examiner(bug, timeout).await else {
        return false;
    };
    let result = examiner.examine(check).await;
    examiner.target.stop().await;
    deviation(&result).is_some()
}

fn deviation(result: &CheckResult) -> Option<Deviation> {
    let failure = result.verdict.failure()?;
    Some(Deviation {
        check: result.check.id.clone(),
        requirement: failure.requirement.id.clone(),
    })
}
