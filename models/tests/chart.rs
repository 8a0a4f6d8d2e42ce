//! Charts of runs: what they look like, and that none is too wide, malformed or incomplete.

use dht_models::chart::{
    Chart, Ending, Glyphs, Mark, MessageId, NARROWEST, Property, Role, Row, WIDEST,
};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use Mark::{Breaks, Called, Elsewhere, Happens, Lost, Received, Returns, Sent, Told};

/// A Suspend and Finished meet on their way: the node ignores the Suspend.
fn crossing() -> Chart {
    let mut chart = Chart::new("GetAll of one record, suspended too late");
    let client = chart.lane("client", Role::Client);
    let node = chart.lane("node", Role::Node);
    let get_all = chart.message(client, node, "GetAll c0");
    let started = chart.message(node, client, "Started");
    let suspend = chart.message(client, node, "Suspend");
    let batch = chart.message(node, client, "RecordBatch k0 = v1");
    let finished = chart.message(node, client, "Finished");
    let ack = chart.message(client, node, "Ack");
    chart.step([Sent(get_all)]);
    chart.step([
        Received(get_all),
        happens(node, "begins the walk"),
        Sent(started),
    ]);
    chart.step([Elsewhere("another client writes k0 = v2".to_owned())]);
    chart.step([Received(started), told(client, "started")]);
    chart.step([called(client, "suspend()"), Sent(suspend)]);
    chart.step([Sent(batch), Sent(finished)]);
    chart.step([Received(suspend), happens(node, "ignores it")]);
    chart.step([Received(batch), told(client, "k0 = v1")]);
    chart.step([Received(finished), told(client, "finished"), Sent(ack)]);
    chart.step([Received(ack)]);
    chart
}

/// A client that does not wait for Started.
fn hasty() -> Chart {
    let mut chart = Chart::new("GetAll, suspended at once");
    let client = chart.lane("client", Role::Client);
    let node = chart.lane("node", Role::Node);
    let get_all = chart.message(client, node, "GetAll c0");
    let suspend = chart.message(client, node, "Suspend");
    let started = chart.message(node, client, "Started");
    let ack = chart.message(node, client, "Ack");
    chart.step([Sent(get_all)]);
    chart.step([called(client, "suspend()"), Sent(suspend)]);
    chart.step([Received(get_all), Sent(started)]);
    chart.step([Received(suspend), Sent(ack)]);
    chart.step([Received(started), happens(client, "takes it for an Ack")]);
    chart.bad = Some(chart.step([told(client, "suspended")]));
    chart.property = Some(Property {
        id: "P38".to_owned(),
        sentence:
            "`started` is notified at most once and before any `suspended`, `resumed`, `stopped`."
                .to_owned(),
    });
    chart
}

/// A connection breaks, and an answer is lost with it.
fn dropped() -> Chart {
    let mut chart = Chart::new("Put, the connection breaks");
    let user = chart.lane("alice", Role::User);
    let client = chart.lane("client", Role::Client);
    let old = chart.lane("node 0", Role::Node);
    let new = chart.lane("node 1", Role::Node);
    let call = chart.message(user, client, "put(c0, k0, v1)");
    let put = chart.message(client, old, "Put c0 k0 = v1 which is long enough for lines");
    let answer = chart.message(old, client, "Put");
    let moved = chart.message(old, new, "1 record");
    let again = chart.message(client, new, "Put c0 k0 = v1");
    chart.step([Sent(call), Received(call)]);
    chart.step([Sent(put)]);
    chart.step([Received(put), happens(old, "stores k0 = v1"), Sent(answer)]);
    chart.step([
        Breaks {
            between: (client, old),
        },
        Lost(answer),
    ]);
    chart.step([Sent(moved), Received(moved)]);
    chart.step([Returns {
        between: (old, client),
    }]);
    chart.step([Sent(again)]);
    chart
}

/// A Stop that is never answered: each time, data comes first.
fn starved() -> Chart {
    let mut chart = Chart::new("Mirror with a writer that never rests");
    let client = chart.lane("client", Role::Client);
    let node = chart.lane("node", Role::Node);
    let stop = chart.message(client, node, "Stop");
    let changed = chart.message(node, client, "RecordChanged k0 = v1");
    let deleted = chart.message(node, client, "RecordDeleted");
    chart.step([called(client, "stop()"), Sent(stop)]);
    chart.step([Sent(changed)]);
    chart.step([Received(changed), told(client, "k0 = v1")]);
    chart.step([Sent(deleted), Lost(deleted)]);
    chart.property = Some(Property {
        id: "P35".to_owned(),
        sentence: "After stop() returned true the request ends, connections up or down.".to_owned(),
    });
    chart.ending = Some(Ending::RepeatsFrom(1));
    chart
}

fn happens(lane: usize, what: &str) -> Mark {
    let what = what.to_owned();
    Happens { lane, what }
}

fn told(lane: usize, what: &str) -> Mark {
    let what = what.to_owned();
    Told { lane, what }
}

fn called(lane: usize, what: &str) -> Mark {
    let what = what.to_owned();
    Called {
        lane,
        what: format!("calls {what}"),
    }
}

#[test]
fn messages_cross() {
    let expected = r#"
GetAll of one record, suspended too late

                            client                             node
                               ┬                                 ┬
   1                           o── #1 GetAll c0 ──╌╌╌            │
   2                           │           ╌╌╌── #1 GetAll c0 ──>● begins the walk
                               │              ╌╌╌── #2 Started ──o
   3  ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ another client writes k0 = v2 ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ~
   4     user is told: started ◆<── #2 Started ──╌╌╌             │
   5      user calls suspend() ◆                                 │
                               o── #3 Suspend ──╌╌╌              │
   6                           │  ╌╌╌── #4 RecordBatch k0 = v1 ──o
                               │             ╌╌╌── #5 Finished ──o
   7                           │             ╌╌╌── #3 Suspend ──>● ignores it
   8     user is told: k0 = v1 ◆<── #4 RecordBatch k0 = v1 ──╌╌╌ │
   9    user is told: finished ◆<── #5 Finished ──╌╌╌            │
                               o── #6 Ack ──╌╌╌                  │
  10                           │                 ╌╌╌── #6 Ack ──>│
                               ┴                                 ┴
"#
    .trim_start();
    assert_eq!(crossing().text(100, Glyphs::Unicode), expected);
}

#[test]
fn a_property_becomes_false() {
    let expected = r#"
GetAll, suspended at once
P38: `started` is notified at most once and before any
`suspended`, `resumed`, `stopped`.

                             client                   node
                                +                       +
   1                            o-- #1 GetAll c0 --...  |
   2       user calls suspend() @                       |
                                o-- #2 Suspend --...    |
   3                            | ...-- #1 GetAll c0 -->|
                                |    ...-- #3 Started --o
   4                            |   ...-- #2 Suspend -->|
                                |        ...-- #4 Ack --o
   5        takes it for an Ack *<-- #3 Started --...   |
   6    user is told: suspended @                       |
      !! P38 becomes false: `started` is notified at most once
      !! and before any `suspended`, `resumed`, `stopped`.
                                +                       +
Still on the way: #4 Ack.
"#
    .trim_start();
    assert_eq!(hasty().text(72, Glyphs::Ascii), expected);
}

#[test]
fn a_connection_breaks() {
    let expected = r#"
Put, the connection breaks

        alice                        client                         node 0                 node 1
        user                         client                          node                   node
          ┬                             ┬                              ┬                      ┬
   1      o── #1 put(c0, k0, v1) ──────>│                              │                      │
   2      │                             │   #2 Put c0 k0 = v1 which    │                      │
          │                             │   is long enough for lines   │                      │
          │                             o── #2 ──╌╌╌                   │                      │
   3      │                             │── #2 Put c0 k0 …for lines ──>● stores k0 = v1       │
          │                             │               ╌╌╌── #3 Put ──o                      │
   4      │                             │x x x connection breaks x x x │                      │
          │                             │   x── #3 Put ──╌╌╌           │                      │
   5      │                             │                              o── #4 1 record ──────>│
   6      │                             │= = = connection is back = = =│                      │
   7      │                             o── #5 Put c0 k0 = v1 ──╌╌╌    │                      │
          ┴                             ┴                              ┴                      ┴
Still on the way: #5 Put c0 k0 = v1.
"#
    .trim_start();
    assert_eq!(dropped().text(100, Glyphs::Unicode), expected);
}

#[test]
fn steps_repeat_for_ever() {
    let expected = r#"
Mirror with a writer that never rests
P35: After stop() returned true the request ends, connections up or
down.

                           client                               node
                              ┬                                   ┬
   1        user calls stop() ◆                                   │
                              o── #1 Stop ──╌╌╌                   │
╭> 2                          │  ╌╌╌── #2 RecordChanged k0 = v1 ──o
│  3    user is told: k0 = v1 ◆<── #2 RecordChanged k0 = v1 ──╌╌╌ │
╰  4                          │   x─────────── #3 RecordDeleted ──o
                              ┴                                   ┴
Still on the way: #1 Stop.
Steps 2 to 4 repeat for ever, so P35 does not hold.
"#
    .trim_start();
    assert_eq!(starved().text(80, Glyphs::Unicode), expected);
}

#[test]
fn nothing_happens_any_more() {
    let mut chart = starved();
    chart.ending = Some(Ending::Stays);
    let text = chart.text(80, Glyphs::Unicode);
    let last = text.lines().last();
    assert_eq!(
        last,
        Some("It stays like this for ever, so P35 does not hold.")
    );
    // A repetition of nothing is no repetition.
    chart.ending = Some(Ending::RepeatsFrom(4));
    assert_eq!(chart.text(80, Glyphs::Unicode), text);
}

#[test]
fn a_lane_that_is_not_there_is_told_of_in_words() {
    let mut chart = Chart::new("");
    let nobody = chart.message(0, 7, "Put");
    chart.step([Sent(nobody), happens(3, "stores"), Received(MessageId(9))]);
    chart.step([Received(nobody), Breaks { between: (0, 1) }]);
    let text = chart.text(60, Glyphs::Ascii);
    for words in [
        " sends #1 Put ",
        " stores ",
        " receives #1 Put ",
        " connection breaks ",
    ] {
        assert_eq!(text.matches(words).count(), 1, "{words} in\n{text}");
    }
}

#[test]
fn long_texts_do_not_make_a_chart_long() {
    let long = "abc ".repeat(100_000);
    let mut chart = Chart::new(long.as_str());
    let one = chart.lane(long.as_str(), Role::Client);
    let other = chart.lane(long.as_str(), Role::Node);
    let message = chart.message(one, other, long.as_str());
    chart.step([Sent(message), happens(one, &long), Elsewhere(long.clone())]);
    assert!(chart.text(100, Glyphs::Unicode).lines().count() < 50);
    assert!(chart.svg().len() < 50_000);
    let widest = chart.text(usize::MAX, Glyphs::Unicode);
    assert!(widest.lines().all(|line| line.chars().count() <= WIDEST));
}

#[test]
fn drawings_say_what_they_show() {
    let svg = hasty().svg();
    let document = Document::parse(&svg).expect("XML");
    let title = document.root_element().first_element_child();
    let title = title.and_then(|title| title.text()).unwrap_or_default();
    assert!(
        title.starts_with("GetAll, suspended at once P38: `started` is"),
        "{title}"
    );
    assert_eq!(of_class(&document, "bad").count(), 1);
    let violation: Vec<_> = of_class(&document, "named")
        .filter_map(|node| node.text())
        .collect();
    assert!(
        violation.concat().starts_with("!! P38 becomes false: "),
        "{violation:?}"
    );
    assert!(!svg.contains("<script") && !svg.contains("href"));

    let svg = starved().svg();
    let document = Document::parse(&svg).expect("XML");
    assert_eq!(of_class(&document, "repeat").count(), 1);
    let titles: Vec<_> = messages(&document).collect();
    assert_eq!(
        titles,
        [
            "#1 Stop, from client to node: still on the way",
            "#2 RecordChanged k0 = v1, from node to client: arrives",
            "#3 RecordDeleted, from node to client: lost",
        ]
    );
}

#[test]
fn arrows_slant_from_where_to_where() {
    let svg = crossing().svg();
    let document = Document::parse(&svg).expect("XML");
    let ways: Vec<_> = of_class(&document, "arrow")
        .map(|arrow| way(arrow.attribute("d").unwrap_or_default()))
        .collect();
    let [get_all, started, suspend, batch, finished, ack] = ways[..] else {
        panic!("six arrows: {ways:?}");
    };
    for (x1, y1, x2, y2) in [get_all, suspend, ack] {
        assert!(x1 < x2 && y1 < y2);
    }
    for (x1, y1, x2, y2) in [started, batch, finished] {
        assert!(x1 > x2 && y1 < y2);
    }
    // Suspend begins above Finished and ends above it, on the other side: they cross.
    assert!(suspend.1 < finished.1 && finished.1 < suspend.3 && suspend.3 < finished.3);
}

#[test]
fn no_words_overlap() {
    for chart in [crossing(), hasty(), dropped(), starved()] {
        assert_no_words_overlap(&chart.svg());
    }
}

fn of_class<'d>(
    document: &'d Document<'d>,
    class: &'static str,
) -> impl Iterator<Item = Node<'d, 'd>> {
    document.descendants().filter(move |node| {
        let classes = node.attribute("class").unwrap_or_default();
        classes.split(' ').any(|of| of == class)
    })
}

fn messages<'d>(document: &'d Document<'d>) -> impl Iterator<Item = &'d str> {
    let titles = of_class(document, "message").filter_map(|node| node.first_element_child());
    titles.filter_map(|title| title.text())
}

/// From where to where a path `Mx yLx y` goes.
fn way(path: &str) -> (f64, f64, f64, f64) {
    let numbers: Vec<f64> = path
        .split(['M', 'L', ' '])
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers[..] {
        [x1, y1, x2, y2] => (x1, y1, x2, y2),
        _ => panic!("not one line: {path}"),
    }
}

/// As far as one can tell without the font: characters are 6.5 wide on average.
fn assert_no_words_overlap(svg: &str) {
    let document = Document::parse(svg).expect("XML");
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let boxes: Vec<_> = texts
        .map(|text| {
            let number = |name| text.attribute(name).and_then(|n| n.parse::<f64>().ok());
            let words = text.text().unwrap_or_default();
            let wide = words.chars().count() as f64 * 6.5;
            let x = number("x").expect("x");
            let left = match text.attribute("text-anchor") {
                Some("end") => x - wide,
                Some("middle") => x - wide / 2.0,
                _ => x,
            };
            (left, left + wide, number("y").expect("y"), words)
        })
        .collect();
    for (index, (left, right, y, words)) in boxes.iter().enumerate() {
        for (other_left, other_right, other_y, other) in &boxes[..index] {
            let apart = left >= other_right || other_left >= right || (y - other_y).abs() >= 10.0;
            assert!(apart, "{words:?} and {other:?} overlap");
        }
    }
}

/// Any text, often one that could spoil a drawing.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z =]{0,40}",
        any::<String>(),
        "[\u{0}-\u{20}<>&\"'\u{7f}-\u{9f}\u{200b}-\u{202e}\u{fffe}\u{ffff}x]{0,200}",
        "[a-z]{100,300}",
    ]
}

/// Small, or far too large.
fn any_index(most: usize) -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..most, 1 => Just(usize::MAX)]
}

fn any_mark() -> impl Strategy<Value = Mark> {
    let lane = || any_index(6);
    let message = || any_index(9).prop_map(MessageId);
    prop_oneof![
        message().prop_map(Sent),
        message().prop_map(Received),
        message().prop_map(Lost),
        (lane(), any_text()).prop_map(|(lane, what)| Happens { lane, what }),
        (lane(), any_text()).prop_map(|(lane, what)| Told { lane, what }),
        (lane(), any_text()).prop_map(|(lane, what)| Called { lane, what }),
        (lane(), lane()).prop_map(|between| Breaks { between }),
        (lane(), lane()).prop_map(|between| Returns { between }),
        any_text().prop_map(Elsewhere),
        any_text().prop_map(Mark::Violation),
    ]
}

fn any_role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::User), Just(Role::Client), Just(Role::Node)]
}

/// Any chart at all: nothing in it needs to make sense.
fn any_chart() -> impl Strategy<Value = Chart> {
    let lanes = prop::collection::vec((any_text(), any_role()), 0..6);
    let messages = prop::collection::vec((any_index(6), any_index(6), any_text()), 0..9);
    let marks = prop::collection::vec(any_mark(), 0..5);
    let rows = prop::collection::vec(marks, 0..12);
    let property = prop::option::of((any_text(), any_text()));
    let ending = prop_oneof![
        Just(None),
        Just(Some(Ending::Stays)),
        any_index(14).prop_map(|row| Some(Ending::RepeatsFrom(row))),
    ];
    let bad = prop::option::of(any_index(14));
    (any_text(), lanes, messages, rows, property, bad, ending).prop_map(
        |(title, lanes, messages, rows, property, bad, ending)| {
            let mut chart = Chart::new(title);
            for (name, role) in lanes {
                chart.lane(name, role);
            }
            for (from, to, label) in messages {
                chart.message(from, to, label);
            }
            chart.rows = rows.into_iter().map(|marks| Row { marks }).collect();
            chart.property = property.map(|(id, sentence)| Property { id, sentence });
            chart.bad = bad;
            chart.ending = ending;
            chart
        },
    )
}

/// What becomes of a message, and how many steps later.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives(usize),
    IsLost(usize),
    StaysOnTheWay,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0..5_usize).prop_map(Fate::Arrives),
        1 => (0..5_usize).prop_map(Fate::IsLost),
        1 => Just(Fate::StaysOnTheWay),
    ]
}

/// A chart in which every message is sent once: it, and what becomes of each.
fn sound_chart() -> impl Strategy<Value = (Chart, Vec<Fate>)> {
    (2..=4_usize).prop_flat_map(|lanes| {
        let message = (0..lanes, 1..lanes, 0..8_usize, fate());
        prop::collection::vec(message, 0..10).prop_map(move |messages| {
            let mut chart = Chart::new("messages");
            for lane in 0..lanes {
                chart.lane(format!("client {lane}"), Role::Client);
            }
            chart.rows = vec![Row::default(); 13];
            let mut fates = Vec::new();
            for (from, further, row, fate) in messages {
                let label = format!("m{}", fates.len());
                let id = chart.message(from, (from + further) % lanes, label);
                chart.rows[row].marks.push(Sent(id));
                match fate {
                    Fate::Arrives(later) => chart.rows[row + later].marks.push(Received(id)),
                    Fate::IsLost(later) => chart.rows[row + later].marks.push(Lost(id)),
                    Fate::StaysOnTheWay => {}
                }
                fates.push(fate);
            }
            (chart, fates)
        })
    })
}

fn count(text: &str, patterns: &[&str]) -> usize {
    patterns
        .iter()
        .map(|pattern| text.matches(pattern).count())
        .sum()
}

proptest! {
    #[test]
    fn no_line_is_too_long(chart in any_chart(), width in 0..160_usize) {
        let most = width.max(NARROWEST);
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            let text = chart.text(width, glyphs);
            for line in text.lines() {
                prop_assert!(line.chars().count() <= most, "{line}");
            }
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            prop_assert!(glyphs == Glyphs::Unicode || text.is_ascii());
        }
    }

    #[test]
    fn every_step_is_there(chart in any_chart()) {
        let svg = chart.svg();
        let document = Document::parse(&svg).expect("XML");
        let numbers: Vec<_> = of_class(&document, "number").filter_map(|node| node.text()).collect();
        let expected: Vec<_> = (1..=chart.rows.len()).map(|row| row.to_string()).collect();
        prop_assert_eq!(numbers, expected);
    }

    #[test]
    fn every_message_is_drawn_once((chart, fates) in sound_chart()) {
        let text = chart.text(100, Glyphs::Unicode);
        let svg = chart.svg();
        let document = Document::parse(&svg).expect("XML");
        for (index, fate) in fates.iter().enumerate() {
            let label = format!("#{} m{index} ", index + 1);
            let (ends, becomes) = match fate {
                Fate::Arrives(0) => (1, "arrives"),
                Fate::Arrives(_) => (2, "arrives"),
                Fate::IsLost(0) => (1, "lost"),
                Fate::IsLost(_) => (2, "lost"),
                Fate::StaysOnTheWay => (1, "still on the way"),
            };
            prop_assert_eq!(text.matches(&label).count(), ends, "{} in\n{}", label, text);
            let begins = format!("#{} m{index},", index + 1);
            let titles: Vec<_> = messages(&document).filter(|title| title.starts_with(&begins)).collect();
            prop_assert_eq!(titles.len(), 1);
            prop_assert!(titles[0].ends_with(becomes), "{}", titles[0]);
        }
        prop_assert_eq!(messages(&document).count(), fates.len());
        let arrive = fates.iter().filter(|fate| matches!(fate, Fate::Arrives(_))).count();
        let lost = fates.iter().filter(|fate| matches!(fate, Fate::IsLost(_))).count();
        prop_assert_eq!(count(&text, &["o─", "─o"]), fates.len(), "\n{}", text);
        prop_assert_eq!(count(&text, &["─>", "<─"]), arrive, "\n{}", text);
        prop_assert_eq!(count(&text, &["─x", "x─"]), lost, "\n{}", text);
        assert_no_words_overlap(&svg);
    }
}
