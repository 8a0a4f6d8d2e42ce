//! What a run looks like on a terminal, to the letter; and that printing it bit by bit shows the same.

mod fixtures;

use dht_reports::terminal::{progress, render};
use dht_reports::{
    CheckStarted, Event, Failure, Plan, Profile, Requirement, Run, Style, Terminal, Verdict,
};

fn plain(events: &[Event]) -> String {
    render(&fixtures::run(events).judged(), Style::Plain)
}

#[test]
fn a_node_that_keeps_the_requirements() {
    assert_eq!(plain(&fixtures::kept()), include_str!("expected/kept.txt"));
}

#[test]
fn a_node_that_does_not() {
    assert_eq!(
        plain(&fixtures::broken()),
        include_str!("expected/broken.txt")
    );
}

#[test]
fn a_node_that_cannot_be_tested() {
    let expected = include_str!("expected/cannot_start.txt");
    assert_eq!(plain(&fixtures::cannot_start()), expected);

    // The same without the line of what would have been run, where that was not known either.
    let (_, headless) = expected.split_once("\n\n").unwrap();
    assert_eq!(plain(&fixtures::cannot_start()[1..]), headless);
}

#[test]
fn a_long_exchange_is_cropped() {
    assert_eq!(
        plain(&fixtures::long_exchange(1_000)),
        include_str!("expected/long_exchange.txt")
    );
}

#[test]
fn a_run_that_was_cut_off() {
    let mut events = fixtures::kept();
    events.truncate(4);
    assert_eq!(plain(&events), include_str!("expected/cut_off.txt"));
}

#[test]
fn a_run_that_was_stopped_under_way() {
    let mut events = fixtures::broken();
    events.truncate(3);
    events.extend(fixtures::cannot_start().pop());
    let text = plain(&events);
    assert!(
        text.contains("  streams                         1 of 3 checks   1 broken\n"),
        "{text}"
    );
    assert!(text.contains("\ncannot go on: the node refused"), "{text}");
    assert!(text.ends_with("\nNot certified. Exit 1.\n"), "{text}");
}

#[test]
fn a_filtered_run_is_no_certificate() {
    let mut events = fixtures::kept();
    if let Event::RunStarted(start) = &mut events[0] {
        start.filter = Some("put".to_owned());
    }
    let text = plain(&events);
    assert!(
        text.lines()
            .next()
            .unwrap()
            .ends_with("profile strict, filter \"put\""),
        "{text}"
    );
    assert!(
        text.ends_with("\nKept, as far as the filter goes. Exit 0.\n"),
        "{text}"
    );
}

#[test]
fn known_deviations_are_a_line_each() {
    assert_eq!(
        plain(&fixtures::known()),
        include_str!("expected/known.txt")
    );
}

#[test]
fn advice_is_no_failure() {
    assert_eq!(
        plain(&fixtures::advised()),
        include_str!("expected/advised.txt")
    );
}

#[test]
fn much_advice_gets_shorter() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(25))])];
    for n in 0..25 {
        let failure = Failure {
            requirement: Requirement {
                id: format!("NEO-{n}"),
                ..fixtures::requirement(fixtures::ALL)
            },
            ..fixtures::delivered_twice()
        };
        let verdict = Verdict::from(failure);
        events.push(fixtures::result("streams", &format!("check-{n}"), verdict));
    }
    events.push(fixtures::finished());
    let text = plain(&events);
    assert_eq!(text.matches("  again:  ").count(), 5, "{text}");
    assert!(
        text.contains("\nadvice: NEO-5  should  check check-5\n"),
        "{text}"
    );
    assert_eq!(text.matches("advice: NEO-").count(), 20, "{text}");
    assert!(
        text.contains("\n... advice on 5 further requirements\n\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\nCertified, with 25 pieces of advice. Exit 0.\n"),
        "{text}"
    );
}

#[test]
fn failures_come_behind_advice_and_decide() {
    let mut events = fixtures::advised();
    let failure = Verdict::from(fixtures::delivered_twice());
    events.insert(1, fixtures::result("streams", "getall.three", failure));
    let text = plain(&events);
    let (_, behind) = text.split_once("\nadvice: NEO-GETALL-15").unwrap();
    let (_, behind) = behind.split_once("\n\nNEO-GETALL-14  must").unwrap();
    assert!(
        behind.contains("\nlook first at NEO-GETALL-14, check getall.three: k0=v0 a second time\n"),
        "{text}"
    );
    assert!(text.ends_with("\nNot certified. Exit 1.\n"), "{text}");
}

#[test]
fn another_profile_shows_the_same_run_anew() {
    let run = fixtures::run(&fixtures::known());
    let strict = Profile::strict();
    let text = render(&run.judged_by(&strict), Style::Plain);
    assert!(text.contains(", profile strict\n"), "{text}");
    assert!(text.contains("\nNEO-GETALL-14  must  \"After"), "{text}");
    assert!(!text.contains("deviation"), "{text}");
    assert!(text.ends_with("Not certified. Exit 1.\n"), "{text}");
}

#[test]
fn a_requirement_is_shown_in_full_once() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(15))])];
    for n in 0..15 {
        let mut failure = fixtures::delivered_twice();
        failure.again = format!("dhtcheck certify --seed 5 --filter check-{n}");
        if n == 9 {
            failure.observed = "k1=v1 a second time".to_owned();
        }
        let verdict = Verdict::from(failure);
        events.push(fixtures::result("streams", &format!("check-{n}"), verdict));
    }
    let text = plain(&events);
    assert_eq!(text.matches("\nNEO-GETALL-14  must").count(), 1, "{text}");
    assert!(text.contains("\n  check check-0: "), "{text}");
    assert!(
        text.contains(
            "\n  again:  dhtcheck certify --seed 5 --filter check-0
  also broken by check-1, check-2, check-3, check-4, check-5, check-6, check-7, check-8 and 5 more (--json \
has all): the same
  also broken by check-9: k1=v1 a second time
  each again:  dhtcheck certify --seed 5 --filter ID\n\n"
        ),
        "{text}"
    );
}

#[test]
fn not_everything_that_came_is_shown() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(9))])];
    for n in 0..9 {
        let failure = Failure {
            observed: format!("{n} records"),
            ..fixtures::delivered_twice()
        };
        events.push(fixtures::result(
            "streams",
            &format!("check-{n}"),
            failure.into(),
        ));
    }
    let text = plain(&events);
    assert!(
        text.contains("  also broken by check-6: 6 records\n  also broken by 2 further checks (--json has all)\n"),
        "{text}"
    );
}

#[test]
fn many_failures_get_shorter() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(61))])];
    for n in (0..60).chain([12]) {
        let failure = Failure {
            requirement: Requirement {
                id: format!("NEO-{n}"),
                ..fixtures::requirement(fixtures::ONCE)
            },
            ..fixtures::delivered_twice()
        };
        let verdict = Verdict::from(failure);
        events.push(fixtures::result("streams", &format!("check-{n}"), verdict));
    }
    events.push(fixtures::finished());
    let text = plain(&events);
    assert_eq!(text.matches("  again:  ").count(), 10 + 1, "{text}");
    assert!(text.contains("\nNEO-10  must  check check-10\n"), "{text}");
    assert!(
        text.contains("\nNEO-12  must  check check-12 and 1 more\n"),
        "{text}"
    );
    assert!(
        text.contains("check check-49\n... 10 further broken requirements\n\n"),
        "{text}"
    );
}

#[test]
fn the_same_reason_is_said_once() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(70))])];
    for n in 0..70 {
        let reason = format!("reason {}", n % 10);
        let verdict = Verdict::Inconclusive { reason };
        events.push(fixtures::result("streams", &format!("check-{n}"), verdict));
    }
    events.push(fixtures::finished());
    let text = plain(&events);
    assert!(
        text.contains("\ninconclusive: reason 0 (check-0, check-10, check-20, 4 more)\n"),
        "{text}"
    );
    assert!(
        text.contains("(check-7, check-17, check-27, 4 more)\n... 2 further reasons\n"),
        "{text}"
    );
    assert!(text.ends_with("Not certified. Exit 2.\n"), "{text}");
}

#[test]
fn names_the_reports() {
    let run = fixtures::run(&fixtures::kept());
    let text = Terminal::new(Style::Plain)
        .reports(["report.xml".to_owned()])
        .finish(&run.judged());
    assert!(
        text.ends_with("\nCertified. Report: report.xml. Exit 0.\n"),
        "{text}"
    );
}

#[test]
fn bit_by_bit_is_the_same_text() {
    for events in [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::cannot_start(),
        fixtures::known(),
        fixtures::advised(),
        fixtures::long_exchange(9),
    ] {
        let mut terminal = Terminal::new(Style::Plain);
        let mut run = Run::default();
        let mut printed = String::new();
        for event in &events {
            run.apply(event);
            printed.push_str(&terminal.update(&run.judged()));
        }
        printed.push_str(&terminal.finish(&run.judged()));
        assert_eq!(printed, render(&run.judged(), Style::Plain));
    }
}

#[test]
fn groups_come_in_the_planned_order_as_they_are_complete() {
    let mut terminal = Terminal::new(Style::Plain);
    let mut run = Run::default();
    let printed: Vec<usize> = fixtures::kept()
        .iter()
        .map(|event| {
            run.apply(event);
            terminal.update(&run.judged()).lines().count()
        })
        .collect();
    // The header and its blank line; nothing for the second group before the first is complete.
    assert_eq!(printed, [2, 0, 0, 0, 1, 1, 0, 0, 1, 0]);
}

#[test]
fn the_live_line_gives_way_to_lines() {
    // Here the live line is longer than the line that takes its place.
    let id = "a.check-with-a-rather-long-name";
    let short = vec![
        fixtures::start(&[("a", Plan::Checks(1)), ("b", Plan::Checks(1))]),
        Event::CheckStarted(CheckStarted { id: id.to_owned() }),
        fixtures::result("a", id, Verdict::Kept),
        fixtures::result("b", "b", Verdict::Kept),
        fixtures::finished(),
    ];
    for events in [short, fixtures::kept(), fixtures::broken()] {
        let mut terminal = Terminal::new(Style::Plain).live(60);
        let mut run = Run::default();
        let mut screen = Screen::default();
        for event in &events {
            run.apply(event);
            screen.write(&terminal.update(&run.judged()));
            assert_eq!(screen.line.trim_end(), progress::line(&run.judged(), 59));
        }
        screen.write(&terminal.finish(&run.judged()));
        assert_eq!(screen.text(), render(&run.judged(), Style::Plain));
    }
}

#[test]
fn the_live_line_says_how_far_the_run_is() {
    let events = fixtures::broken();
    let after = |count| progress::line(&fixtures::run(&events[..count]).judged(), 200);
    assert_eq!(after(0), "");
    assert_eq!(after(1), "  0 of 4 checks");
    assert_eq!(after(3), "  2 of 4 checks, 1 broken");
    assert_eq!(
        after(6),
        "  random: 120,000 operations, 10,000/s, 48 s left, 2 requirements exercised, 1 broken"
    );
    assert_eq!(after(events.len()), "");

    let kept = fixtures::kept();
    let running = fixtures::run(&kept[..2]);
    assert_eq!(
        progress::line(&running.judged(), 200),
        "  0 of 4 checks, running auth.wrong-key"
    );
    assert_eq!(progress::line(&running.judged(), 10), "  0 of 4 c");
}

#[test]
fn colour_changes_nothing_else() {
    for events in [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::known(),
        fixtures::advised(),
        fixtures::cannot_start(),
    ] {
        let run = fixtures::run(&events);
        let coloured = render(&run.judged(), Style::Ansi);
        let mut text = String::new();
        for (at, part) in coloured.split("\x1b[").enumerate() {
            text.push_str(match part.split_once('m') {
                Some((_, rest)) if at > 0 => rest,
                _ => part,
            });
        }
        assert_ne!(coloured, text);
        assert_eq!(text, render(&run.judged(), Style::Plain));
    }
}

#[test]
fn a_node_cannot_steer_the_terminal() {
    let failure = Failure {
        observed: "value \"\x1b]0;owned\x07\"\nsecond line".to_owned(),
        ..fixtures::delivered_twice()
    };
    let text = plain(&[
        fixtures::start(&[("streams", Plan::Checks(1))]),
        fixtures::result("streams", "getall", Verdict::from(failure)),
    ]);
    assert!(
        text.contains("  came: value \"\\u{1b}]0;owned\\u{7}\"\n    second line\n"),
        "{text}"
    );
    assert!(!text.contains('\x1b'));
}

/// A terminal as far as the live line needs one.
#[derive(Default)]
struct Screen {
    above: String,
    line: String,
    column: usize,
}

impl Screen {
    fn write(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\r' => self.column = 0,
                '\n' => {
                    self.above.push_str(self.line.trim_end());
                    self.above.push('\n');
                    self.line.clear();
                    self.column = 0;
                }
                _ => {
                    let mut line: Vec<char> = self.line.chars().collect();
                    match line.get_mut(self.column) {
                        Some(place) => *place = character,
                        None => line.push(character),
                    }
                    self.line = line.into_iter().collect();
                    self.column += 1;
                }
            }
        }
    }

    fn text(&self) -> String {
        format!("{}{}", self.above, self.line.trim_end())
    }
}
