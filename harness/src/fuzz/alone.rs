//! One script by itself, between the arrival and the departure of a bystander: whatever goes wrong is its doing.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use dht_protocol::neo::request::RecordName;
use dht_requirements as req;
use dht_workload::case::{At, Case, Step};
use dht_workload::judge::sequential::Sequential;
use dht_workload::judge::{self, Fault};
use dht_workload::names::{KeyName, Names};
use dht_workload::recording::{AfterKill, End, Entry, Recording};
use dht_workload::run;

use super::bystander::{Bystander, Harm};
use super::place::Place;
use super::world::WireWorld;
use crate::target::Target;
use crate::trace::Trace;

/// What came of a script.
#[derive(Debug, Default)]
pub(crate) struct Alone {
    /// What is wrong, if something is.
    pub(crate) fault: Option<Fault>,
    /// How many steps were begun.
    pub(crate) steps: u64,
    /// How many of them were wrong on purpose.
    pub(crate) wrongs: u64,
    /// The node is not there any more, or is of no use.
    pub(crate) gone: bool,
}

/// A place at the node of a run, with records that no case names. `seed` is that of the run.
pub(super) fn place(target: &Target, seed: u64, patience: std::time::Duration) -> Place {
    let spare = Names::new(
        format!("dhtcheck_{seed:x}_fuzz_"),
        target.range(),
        target.may_remove_channels(),
    );
    Place {
        address: target.address(),
        legacy: target.legacy().address(),
        credential: target.credential().clone(),
        range: target.range(),
        patience,
        spare: RecordName {
            channel: spare.channel("spare"),
            key: spare.key(KeyName::Inside(0)),
        },
    }
}

/// Runs a script by itself.
pub(crate) async fn alone(
    target: &Target,
    (seed, patience): (u64, std::time::Duration),
    case: &Case,
    names: &Names,
    until: Instant,
    trace: Option<Arc<Trace>>,
) -> Alone {
    let mut place = place(target, seed, patience);
    let mut bystander = Bystander::arrive(&place).await;
    if bystander.is_none() && !case.has_legacy() && place.legacy.take().is_some() {
        // What answers on neo alone is good for those who speak nothing else.
        bystander = Bystander::arrive(&place).await;
    }
    let Some(mut bystander) = bystander else {
        // What does not work before can prove no harm.
        return Alone {
            gone: true,
            ..Alone::default()
        };
    };
    let mut world = WireWorld::new(place.clone(), trace);
    let recording = perform(case, names, &mut world, until).await;
    let mut fault = judge::judge(&recording, names);
    let mut gone = matches!(recording.end, Some(End::Gone(_)));
    if !gone {
        let harm = match bystander.look().await {
            Ok(()) => Bystander::newcomer(&place).await.err(),
            // Its connection is lost also when the whole node is.
            Err(harm) => Some(gone_for_good(&place).await.unwrap_or(harm)),
        };
        // Others that suffer may go on suffering: the next script wants a node that is well.
        gone = harm.is_some();
        // That others suffer weighs more than what was seen by whom it happened to.
        fault = harm
            .and_then(|harm| suffered(case, &recording, harm))
            .or(fault);
        if !gone {
            world.clean_up(case, names).await;
        }
    }
    Alone {
        fault,
        steps: recording.entries.len() as u64,
        wrongs: recording
            .entries
            .iter()
            .filter(|entry| is_wrong(entry))
            .count() as u64,
        gone,
    }
}

/// Is the node gone for newcomers too? One that ends may take a moment for that, in which it only answers nothing.
async fn gone_for_good(place: &Place) -> Option<Harm> {
    let mut seen = Bystander::newcomer(place).await.err()?;
    if matches!(seen, Harm::Broken(_)) {
        seen = Bystander::newcomer(place).await.err()?;
    }
    matches!(seen, Harm::Gone(_)).then_some(seen)
}

/// Does what a script says. One in which nothing overlaps ends with its first wrong answer.
pub(super) async fn perform(
    case: &Case,
    names: &Names,
    world: &mut WireWorld,
    until: Instant,
) -> Recording {
    world.renew(&case.protocols());
    let mut sequential = case
        .is_sequential()
        .then(|| Sequential::new(names, AfterKill::Unknown));
    let watch = |entry: &Entry| {
        let wrong = sequential
            .as_mut()
            .is_some_and(|judge| judge.observe(entry).is_some());
        match wrong || Instant::now() >= until {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    run::run(case, names, world, watch).await
}

/// What a bystander has suffered is the fault of what was said wrongly last.
fn suffered(case: &Case, recording: &Recording, harm: Harm) -> Option<Fault> {
    let entries = recording.entries.iter().rev();
    let entry = entries
        .clone()
        .find(|entry| is_wrong(entry))
        .or_else(|| recording.entries.last())?;
    // Whatever followed may have had a part in it.
    let last = case.rounds.len().saturating_sub(1);
    let at = At {
        round: last.max(entry.at.round),
        step: 0,
    };
    let (requirement, allowed, observed) = match harm {
        Harm::Gone(why) => (&req::ROBUST_SURVIVES, "a node that goes on", why),
        Harm::Broken(violation) => (
            violation.requirement,
            "others go on as if nothing had happened",
            violation.text,
        ),
    };
    Some(Fault {
        requirement,
        at,
        sent: entry.step.to_string(),
        allowed: allowed.to_owned(),
        observed,
    })
}

fn is_wrong(entry: &Entry) -> bool {
    matches!(entry.step, Step::Wrong(_))
}
