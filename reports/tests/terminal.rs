//! What a run looks like on a terminal, to the letter; and that printing it bit by bit shows the same.

mod fixtures;

use dht_reports::terminal::{progress, render};
use dht_reports::{CheckStarted, Event, Failure, Plan, Run, Style, Terminal, Verdict};

fn plain(events: &[Event]) -> String {
    render(&fixtures::run(events), Style::Plain)
}

#[test]
fn a_node_that_keeps_the_rules() {
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
fn many_failures_get_shorter() {
    let mut events = vec![fixtures::start(&[("streams", Plan::Checks(60))])];
    for n in 0..60 {
        let verdict = Verdict::from(fixtures::delivered_twice());
        events.push(fixtures::result("streams", &format!("check-{n}"), verdict));
    }
    events.push(fixtures::finished());
    let text = plain(&events);
    assert_eq!(text.matches("  again:  ").count(), 10 + 1, "{text}");
    assert!(text.contains("\nP44  check check-10\n"), "{text}");
    assert!(
        text.contains("\nP44  check check-49\n... 10 further failures\n\nlook first"),
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
        .finish(&run);
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
        fixtures::long_exchange(9),
    ] {
        let mut terminal = Terminal::new(Style::Plain);
        let mut run = Run::default();
        let mut printed = String::new();
        for event in &events {
            run.apply(event);
            printed.push_str(&terminal.update(&run));
        }
        printed.push_str(&terminal.finish(&run));
        assert_eq!(printed, render(&run, Style::Plain));
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
            terminal.update(&run).lines().count()
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
            screen.write(&terminal.update(&run));
            assert_eq!(screen.line.trim_end(), progress::line(&run, 59));
        }
        screen.write(&terminal.finish(&run));
        assert_eq!(screen.text(), render(&run, Style::Plain));
    }
}

#[test]
fn the_live_line_says_how_far_the_run_is() {
    let events = fixtures::broken();
    let after = |count| progress::line(&fixtures::run(&events[..count]), 200);
    assert_eq!(after(0), "");
    assert_eq!(after(1), "  0 of 4 checks");
    assert_eq!(after(3), "  2 of 4 checks, 1 broken");
    assert_eq!(
        after(6),
        "  random: 120,000 operations in 12 s of 60 s, 10,000 a second, 1 broken"
    );
    assert_eq!(after(events.len()), "");

    let kept = fixtures::kept();
    let running = fixtures::run(&kept[..2]);
    assert_eq!(
        progress::line(&running, 200),
        "  0 of 4 checks, running auth.wrong-key"
    );
    assert_eq!(progress::line(&running, 10), "  0 of 4 c");
}

#[test]
fn colour_changes_nothing_else() {
    for events in [
        fixtures::kept(),
        fixtures::broken(),
        fixtures::cannot_start(),
    ] {
        let run = fixtures::run(&events);
        let coloured = render(&run, Style::Ansi);
        let mut text = String::new();
        for (at, part) in coloured.split("\x1b[").enumerate() {
            text.push_str(match part.split_once('m') {
                Some((_, rest)) if at > 0 => rest,
                _ => part,
            });
        }
        assert_ne!(coloured, text);
        assert_eq!(text, render(&run, Style::Plain));
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
