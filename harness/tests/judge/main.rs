//! The judge is judged: every check fails on a node with a bug that it is meant for, and says so about the
//! right requirement; and every requirement has a check. That a healthy node passes is shown by
//! `program.rs`.

mod channels;
mod framing;
mod get_all;
mod handshake;
mod hash_range;
mod legacy;
mod malformed;
mod mirror;
mod random;
mod silent;
mod storage;
mod update;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Parser;
use dht_requirements::{self as req, Requirement};
use dhtcheck::checks::{self, Check, Ground};
use dhtcheck::cli::{Cli, Command};
use dhtcheck::target::Target;
use dhtcheck::unkept::{Outcome, Unkept};
use fakedht::Bugs;
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

/// A check, a bug that it has to find, and the requirement that it has to say is broken.
type Case = (&'static str, &'static str, &'static Requirement);

/// How many checks run side by side.
const PARALLEL: usize = 16;
/// How long a node may take for an answer: where a bug is no silence much, so that a slow machine makes no
/// silence of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// And where a bug is a silence little, because it passes.
const SHORT: Duration = Duration::from_secs(2);
/// What a check may take here.
const LIMIT: Duration = Duration::from_secs(120);

fn cases() -> impl Iterator<Item = &'static Case> {
    let lists = [
        handshake::FOUND_BY,
        framing::FOUND_BY,
        storage::FOUND_BY,
        update::FOUND_BY,
        channels::FOUND_BY,
        hash_range::FOUND_BY,
        get_all::FOUND_BY,
        mirror::FOUND_BY,
        malformed::FOUND_BY,
        legacy::FOUND_BY,
    ];
    lists.into_iter().flatten()
}

/// `JUDGE=text cargo test -p dhtcheck --test judge` runs only the cases whose check or bug contains it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_finds_the_bugs_that_it_is_meant_for() {
    let chosen = std::env::var("JUDGE").unwrap_or_default();
    let cases: Vec<Case> = cases()
        .filter(|(check, bug, _)| check.contains(&chosen) || bug.contains(&chosen))
        .copied()
        .collect();
    let missed: Vec<String> = stream::iter(cases)
        .map(missed)
        .buffer_unordered(PARALLEL)
        .filter_map(async |missed| missed)
        .collect()
        .await;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// How often a check may look. Once is enough for nearly all; a race between a client and its node, which few
/// bugs need, may be lost on a busy machine.
const LOOKS: u32 = 2;

/// Why a check did not find a bug, or not what is wrong with it, if so.
async fn missed(case: Case) -> Option<String> {
    let mut missed = None;
    for _ in 0..LOOKS {
        missed = missed_once(case).await;
        if missed.is_none() {
            break;
        }
    }
    missed
}

async fn missed_once((id, bug, requirement): Case) -> Option<String> {
    let what = format!("{id} does not find {bug} as a breach of {requirement}");
    let Some(check) = check(id) else {
        return Some(format!("{what}: there is no such check"));
    };
    let target = node(&["--bug", bug]).await;
    let patience = match silent::SILENT.contains(&bug) {
        true => SHORT,
        false => PATIENCE,
    };
    let ground = Ground::new(&target, 1, id, patience);
    let found = timeout(LIMIT, check.run(&target, &ground)).await;
    // A node that has crashed may still be about to close its port; one that has not serves a client.
    let died = target.is_stuck(SHORT).await.is_some();
    target.stop().await;
    match found {
        Err(_) => Some(format!("{what}: it does not end")),
        Ok(Err(Unkept::Broken(broken))) if broken.requirement == requirement => None,
        // The run itself looks whether the node is still there.
        Ok(Err(Unkept::Broken(_))) if died && requirement == &req::ROBUST_SURVIVES => None,
        Ok(found) => Some(format!("{what}: {found:?}")),
    }
}

fn check(id: &str) -> Option<&'static Check> {
    checks::all().iter().find(|check| check.id == id)
}

/// A node of its own, as with these options of `certify`.
async fn node(options: &[&str]) -> Target {
    let arguments = ["dhtcheck", "certify"].iter().chain(options);
    let Command::Certify(options) = Cli::parse_from(arguments).command else {
        panic!("not certify");
    };
    let target = Target::embedded(&options.target).await;
    target.unwrap_or_else(|obstacle| panic!("{}", obstacle.reason))
}

#[test]
fn no_check_is_left_unjudged() {
    let judged: BTreeSet<_> = cases().map(|(check, ..)| *check).collect();
    let unjudged: Vec<_> = checks::all()
        .iter()
        .map(|check| check.id.as_str())
        .filter(|check| !judged.contains(check))
        .collect();
    assert!(unjudged.is_empty(), "{unjudged:?}");
}

/// What every check may find, whatever it is about: silence, messages that are none, a dead node, harm to
/// others.
static ALWAYS: [&Requirement; 9] = [
    &req::REQ_ANSWERED,
    &req::REQ_ANSWER_DEFINED,
    &req::REQ_STATUS_FIRST,
    &req::ROBUST_SURVIVES,
    &req::ROBUST_DROP_LOCAL,
    &req::ROBUST_NEW_CONNECTIONS,
    &req::LEG_ANSWER_COMES,
    &req::LEG_ANSWER_STATUS,
    &req::LEG_ANSWER_COMPLETE,
];

#[test]
fn checks_break_no_requirements_but_those_that_they_name() {
    for (id, bug, requirement) in cases() {
        let Some(check) = check(id) else { continue };
        assert!(
            check.requirements.contains(requirement) || ALWAYS.contains(requirement),
            "{id} finds {bug} to break {requirement}"
        );
    }
}

/// Bugs that show only when a node's hash range changes, which no neo request does.
const OUT_OF_SIGHT: [&str; 1] = ["range-change-not-told"];

#[test]
fn every_bug_is_found_by_a_check() {
    let mut found: BTreeSet<_> = cases().map(|(_, bug, _)| *bug).collect();
    found.extend(OUT_OF_SIGHT);
    found.extend(random::RANDOM_ONLY);
    // What is allowed is noted, not found.
    found.extend(handshake::NOTED.iter().map(|(_, bug, ..)| *bug));
    let unfound: Vec<_> = Bugs::catalogue()
        .map(|bug| bug.name)
        .filter(|bug| !found.contains(bug))
        .collect();
    assert!(unfound.is_empty(), "{unfound:?}");
    for bug in found {
        assert!(Bugs::find(bug).is_some(), "{bug}");
    }
}

#[test]
fn every_requirement_has_a_check() {
    let exercised: BTreeSet<_> = checks::all()
        .iter()
        .flat_map(|check| &check.requirements)
        .map(|requirement| requirement.id)
        .collect();
    let bare: Vec<_> = req::all()
        .filter(|requirement| requirement.is_checkable() && !exercised.contains(requirement.id))
        .map(|requirement| requirement.id)
        .collect();
    assert!(bare.is_empty(), "{} without: {bare:?}", bare.len());
}

/// The outcomes that profiles match are told apart.
#[test]
fn outcomes_have_keys_of_their_own() {
    use Outcome::{Answer, Closed, Data, Died, Extra, Harm, Open, Silence};
    let all = [Answer, Closed, Data, Died, Extra, Harm, Open, Silence];
    let keys: BTreeSet<_> = all.iter().map(|outcome| outcome.key()).collect();
    assert_eq!(keys.len(), all.len());
}
