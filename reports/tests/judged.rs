//! What is to be thought of a run: of each check, each requirement and each deviation, and the exit status.

mod fixtures;

use dht_reports::{
    CheckStarted, Deviation, Event, Exit, Failure, Judgement, Level, Obstacle, Plan, Profile,
    Requirement, RequirementTally, Run, Sighting, State, Tally, Verdict,
};
use fixtures::{ALL, LAST_PUT, ONCE};

/// A run of checks of the group `requests`, which all look at [`ONCE`] and [`ALL`].
fn run(verdicts: &[(&str, Verdict)]) -> Run {
    let mut events = vec![fixtures::start(&[(
        "requests",
        Plan::Checks(verdicts.len()),
    )])];
    for (id, verdict) in verdicts {
        events.push(fixtures::result("requests", id, verdict.clone()));
    }
    events.push(fixtures::finished());
    fixtures::run(&events)
}

fn broken(requirement: &str, outcome: &str) -> Verdict {
    Verdict::from(Failure {
        requirement: fixtures::requirement(requirement),
        outcome: outcome.to_owned(),
        ..fixtures::delivered_twice()
    })
}

/// A failure of a requirement that a node should keep.
fn advice(requirement: &str) -> Verdict {
    Verdict::from(Failure {
        requirement: Requirement {
            level: Level::Should,
            ..fixtures::requirement(requirement)
        },
        outcome: "silence".to_owned(),
        ..fixtures::delivered_twice()
    })
}

fn inconclusive() -> Verdict {
    Verdict::Inconclusive {
        reason: "slow".to_owned(),
    }
}

fn not_applicable() -> Verdict {
    Verdict::NotApplicable {
        reason: "full range".to_owned(),
    }
}

fn profile(deviations: &[(&str, Option<&str>, Option<&str>)]) -> Profile {
    Profile {
        name: "known".to_owned(),
        description: None,
        restart: None,
        deviations: deviations
            .iter()
            .map(|(requirement, check, outcome)| Deviation {
                requirement: (*requirement).to_owned(),
                check: check.map(str::to_owned),
                outcome: outcome.map(str::to_owned),
                sometimes: false,
                instead: "does otherwise".to_owned(),
                why: "it is old".to_owned(),
            })
            .collect(),
    }
}

fn state<'a>(run: &'a Run, profile: &'a Profile, id: &str) -> State<'a> {
    let standings = run.judged_by(profile).requirements();
    standings
        .iter()
        .find(|standing| standing.id == id)
        .unwrap()
        .state
}

#[test]
fn all_kept_is_0() {
    let run = run(&[("a", Verdict::Kept)]);
    assert_eq!(run.judged().exit(), Exit::Kept);
    assert_eq!(run.missing(), Vec::<String>::new());
    assert_eq!(run.judged().exit().code(), 0);
}

#[test]
fn a_broken_requirement_is_1_even_if_the_run_was_stopped() {
    let obstacle = Event::Stopped(Obstacle {
        reason: "the node ended".to_owned(),
        clues: Vec::new(),
        advice: None,
    });
    let mut run = run(&[("a", broken(ONCE, "extra")), ("b", inconclusive())]);
    run.apply(&obstacle);
    assert_eq!(run.judged().exit(), Exit::Broken);
    assert_eq!(run.judged().exit().code(), 1);
}

#[test]
fn what_could_not_be_judged_is_2() {
    let kept = fixtures::kept();
    let runs = [
        Run::default(),
        run(&[]),
        fixtures::run(&kept[..kept.len() - 1]),
        run(&[("a", inconclusive()), ("b", Verdict::Kept)]),
        run(&[("a", not_applicable())]),
    ];
    for run in runs {
        assert_eq!(run.judged().exit(), Exit::CouldNotRun, "{run:?}");
    }
    assert_eq!(Exit::CouldNotRun.code(), 2);
}

#[test]
fn a_known_deviation_is_excused_and_no_other() {
    let run = run(&[
        ("getall.a", broken(ONCE, "extra")),
        ("put.a", Verdict::Kept),
    ]);
    let excused = [
        (ONCE, None, None),
        (ONCE, Some("getall.a"), None),
        (ONCE, Some("getall.*"), Some("extra")),
        (ONCE, None, Some("extra")),
    ];
    for deviation in excused {
        let profile = profile(&[deviation]);
        let judged = run.judged_by(&profile);
        assert_eq!(judged.exit(), Exit::Kept, "{deviation:?}");
        assert_eq!(judged.failures().count(), 0);
        let tally = Tally {
            kept: 1,
            deviations: 1,
            ..Tally::default()
        };
        assert_eq!(judged.tally(), tally);
        let [expectation] = &judged.expectations()[..] else {
            panic!("one deviation is one expectation");
        };
        assert!(matches!(&expectation.sighting, Sighting::Happened(of) if of.len() == 1));
    }
    let other = [
        (ALL, None, None),
        (ONCE, Some("getall"), None),
        (ONCE, Some("getall.a*b"), None),
        (ONCE, Some("put.*"), None),
        (ONCE, None, Some("silence")),
    ];
    for deviation in other {
        let profile = profile(&[deviation]);
        let judged = run.judged_by(&profile);
        assert_eq!(judged.exit(), Exit::Broken, "{deviation:?}");
    }
}

#[test]
fn only_what_a_node_must_do_is_a_failure() {
    for (level, exit) in [
        (Level::Must, Exit::Broken),
        (Level::Should, Exit::Kept),
        (Level::May, Exit::Kept),
    ] {
        let requirement = Requirement {
            level,
            ..fixtures::requirement(LAST_PUT)
        };
        let verdict = Verdict::from(Failure {
            requirement,
            ..fixtures::delivered_twice()
        });
        let run = run(&[("a", verdict), ("b", Verdict::Kept)]);
        let judged = run.judged();
        let bound = usize::from(level == Level::Must);
        assert_eq!(judged.exit(), exit, "{level}");
        assert_eq!(judged.failures().count(), bound, "{level}");
        assert_eq!(judged.advice().count(), 1 - bound, "{level}");
        let tally = Tally {
            kept: 1,
            broken: bound,
            advice: 1 - bound,
            ..Tally::default()
        };
        assert_eq!(judged.tally(), tally);
        assert_eq!(judged.tally().total(), 2);
        let requirements = judged.requirement_tally();
        assert_eq!(requirements.broken, bound, "{level}");
        assert_eq!(requirements.advised, 1 - bound, "{level}");
        assert_eq!(requirements.exercised(), 3, "{level}");
    }
}

#[test]
fn advice_that_the_profile_knows_is_a_deviation() {
    let run = run(&[("a", advice(ALL))]);
    let known = profile(&[(ALL, None, Some("silence"))]);
    let judged = run.judged_by(&known);
    let (_, judgement) = judged.checks().next().unwrap();
    assert!(matches!(judgement, Judgement::Deviation(..)));
    assert_eq!(judged.advice().count(), 0);

    let other = profile(&[(ALL, None, Some("data"))]);
    assert_eq!(run.judged_by(&other).advice().count(), 1);
}

#[test]
fn advice_does_not_make_up_for_what_is_missing() {
    let run = run(&[("a", advice(ALL)), ("b", inconclusive())]);
    assert_eq!(run.judged().exit(), Exit::CouldNotRun);
}

#[test]
fn the_first_deviation_that_excuses_is_named_and_each_of_them_happened() {
    let run = run(&[("a", broken(ONCE, "extra"))]);
    let profile = profile(&[
        (ONCE, None, Some("silence")),
        (ONCE, None, Some("extra")),
        (ONCE, None, None),
    ]);
    let judged = run.judged_by(&profile);
    let (_, judgement) = judged.checks().next().unwrap();
    let Judgement::Deviation(_, deviation) = judgement else {
        panic!("{judgement:?}");
    };
    assert_eq!(deviation, &profile.deviations[1]);
    let happened: Vec<bool> = judged
        .expectations()
        .iter()
        .map(|expectation| matches!(expectation.sighting, Sighting::Happened(_)))
        .collect();
    assert_eq!(happened, [false, true, true]);
}

#[test]
fn what_checks_say_of_a_requirement_has_an_order() {
    let known = profile(&[(ONCE, None, Some("extra"))]);
    let ranked = [
        (broken(ONCE, "silence"), State::Broken),
        (advice(ONCE), State::Advised),
        (broken(ONCE, "extra"), State::Deviation),
        (Verdict::Kept, State::Kept),
        (inconclusive(), State::Inconclusive("slow")),
        (not_applicable(), State::NotApplicable("full range")),
    ];
    for (at, (stronger, expected)) in ranked.iter().enumerate() {
        for (weaker, _) in &ranked[at..] {
            for pair in [[stronger, weaker], [weaker, stronger]] {
                let run = run(&[("a", pair[0].clone()), ("b", pair[1].clone())]);
                assert_eq!(state(&run, &known, ONCE), *expected, "{pair:?}");
            }
        }
    }
    assert_eq!(state(&run(&[]), &known, ONCE), State::NotExercised);
}

#[test]
fn a_failure_says_nothing_of_the_other_requirements() {
    let strict = Profile::strict();
    let run = run(&[("a", broken(LAST_PUT, "data"))]);
    assert_eq!(state(&run, &strict, LAST_PUT), State::Broken);
    assert_eq!(state(&run, &strict, ONCE), State::NotExercised);
}

#[test]
fn requirements_come_in_their_order_and_unknown_ones_last() {
    let run = run(&[("a", broken("NEO-NEW-01", "data")), ("b", Verdict::Kept)]);
    let judged = run.judged();
    let standings = judged.requirements();
    let ids: Vec<&str> = standings.iter().map(|standing| standing.id).collect();
    assert_eq!(ids, [ONCE, ALL, LAST_PUT, "NEO-NEW-01"]);
    assert_eq!(standings[3].requirement.unwrap().id, "NEO-NEW-01");
    let tally = judged.requirement_tally();
    assert_eq!(
        tally,
        RequirementTally {
            kept: 2,
            broken: 1,
            not_exercised: 1,
            ..RequirementTally::default()
        }
    );
    assert_eq!((tally.exercised(), tally.total()), (3, 4));
}

#[test]
fn a_deviation_that_did_not_happen_is_told_but_changes_no_status() {
    let run = run(&[
        ("getall.a", Verdict::Kept),
        ("getall.b", inconclusive()),
        ("mirror.a", not_applicable()),
        ("put.a", broken(LAST_PUT, "data")),
    ]);
    let profile = profile(&[
        (ONCE, Some("getall.*"), None),
        (ONCE, Some("getall.b"), None),
        (ONCE, Some("mirror.*"), None),
        (ONCE, Some("put.*"), None),
        ("NEO-NO-01", None, None),
        (LAST_PUT, None, None),
    ]);
    let judged = run.judged_by(&profile);
    let expectations = judged.expectations();
    let Sighting::UnexpectedlyKept(kept) = &expectations[0].sighting else {
        panic!("{expectations:?}");
    };
    assert_eq!(kept[0].check.id, "getall.a");
    assert_eq!(kept.len(), 1);
    for expectation in &expectations[1..4] {
        assert_eq!(expectation.sighting, Sighting::NotExercised);
    }
    assert_eq!(expectations[4].sighting, Sighting::UnknownRequirement);
    assert!(matches!(expectations[5].sighting, Sighting::Happened(_)));
    // The inconclusive check is what keeps it from 0.
    assert_eq!(judged.exit(), Exit::CouldNotRun);

    let kept = self::run(&[("getall.a", Verdict::Kept)]);
    assert_eq!(kept.judged_by(&profile).exit(), Exit::Kept);
}

#[test]
fn a_deviation_that_shows_only_sometimes_is_not_missed() {
    let mut profile = profile(&[(ONCE, None, None)]);
    profile.deviations[0].sometimes = true;
    let sighting = |verdict: Verdict| {
        let run = run(&[("getall.a", verdict)]);
        let judged = run.judged_by(&profile);
        match judged.expectations()[0].sighting {
            Sighting::Happened(_) => "happened",
            Sighting::KeptThisTime(_) => "kept this time",
            _ => "something else",
        }
    };
    assert_eq!(sighting(Verdict::Kept), "kept this time");
    assert_eq!(sighting(broken(ONCE, "extra")), "happened");
    assert_eq!(sighting(not_applicable()), "something else");
}

#[test]
fn says_what_is_missing() {
    let run = fixtures::run(&[
        fixtures::start(&[("requests", Plan::Checks(3)), ("random", Plan::Random)]),
        fixtures::result("requests", "a", Verdict::Kept),
    ]);
    assert_eq!(
        run.missing(),
        [
            "requests: 2 of 3 checks did not run",
            "random: did not reach its end",
            "the run did not reach its end",
        ]
    );
}

#[test]
fn knows_which_checks_are_under_way() {
    let begin = |id: &str| Event::CheckStarted(CheckStarted { id: id.to_owned() });
    let run = fixtures::run(&[
        begin("a"),
        begin("b"),
        fixtures::result("requests", "a", Verdict::Kept),
    ]);
    assert_eq!(run.running(), ["b"]);
}

#[test]
fn a_second_start_begins_a_new_run() {
    let mut run = run(&[("a", broken(ONCE, "extra"))]);
    run.apply(&fixtures::start(&[("requests", Plan::Checks(1))]));
    assert_eq!(run.judged().tally().total(), 0);
}

#[test]
fn a_group_nobody_planned_is_kept_apart_and_never_complete() {
    let run = fixtures::run(&[
        fixtures::start(&[]),
        fixtures::result("requests", "a", Verdict::Kept),
        fixtures::finished(),
    ]);
    assert_eq!(run.groups().len(), 1);
    assert!(!run.groups()[0].is_complete());
    assert_eq!(run.judged().exit(), Exit::Kept);
}

#[test]
fn answers_are_counted_whichever_check_was_faster() {
    let events = fixtures::known();
    let run = fixtures::run(&events);
    let dialect = run.dialect();
    let seen: Vec<_> = dialect
        .iter()
        .map(|question| (question.text, question.answers.as_slice()))
        .collect();
    assert_eq!(
        seen,
        [
            (
                "First records of a GetAll",
                &[
                    ("those with the largest keys", 2),
                    ("those with the smallest keys", 1)
                ][..]
            ),
            (
                "Stop of a suspended Mirror is acknowledged",
                &[("yes", 1)][..]
            ),
        ]
    );
    let mut backwards = events.clone();
    backwards[1..].reverse();
    assert_eq!(fixtures::run(&backwards).dialect(), dialect);
}
