//! The drawing of a fault.

use dht_history::{Budget, Semantics, Verdict, check, read, svg};

const STALE: &str = r#"{"client":1,"op":"put","channel":"<c>","key":"k","value":"a","invoked":0,"returned":10,"result":"ok"}
{"client":2,"op":"put","channel":"<c>","key":"k","value":"b&","invoked":20,"returned":30,"result":"ok"}
{"client":3,"op":"put","channel":"<c>","key":"k","value":"c","invoked":25,"returned":null}
{"client":3,"op":"exists","channel":"<c>","key":"k","invoked":26,"returned":60,"result":true}
{"client":4,"op":"get","channel":"<c>","key":"other","invoked":26,"returned":60,"result":"no_record"}
{"client":2,"op":"get","channel":"<c>","key":"k","invoked":40,"returned":50,"result":{"value":"a"}}
"#;

#[test]
fn shows_the_proof_and_what_overlaps_it() {
    let history = read(STALE.as_bytes()).expect("a history");
    let Verdict::NotLinearizable(explanation) = check(&history, Semantics::Dht, Budget::default())
    else {
        panic!("the last get is stale");
    };
    assert_eq!(explanation.operations(), [0, 1, 5]);
    let drawing = svg::draw(&history, &explanation);
    assert!(
        drawing.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""),
        "{drawing}"
    );
    assert!(drawing.ends_with("</svg>\n"), "{drawing}");
    assert_eq!(
        drawing.matches("class=\"bar proof\"").count(),
        3,
        "{drawing}"
    );
    assert_eq!(drawing.matches("class=\"bar\"").count(), 2, "{drawing}");
    assert_eq!(drawing.matches("stroke-dasharray=").count(), 1, "{drawing}");
    // Two operations of client 3 overlap and have rows of their own under one name.
    assert_eq!(drawing.matches(">client 3</text>").count(), 1, "{drawing}");
    assert!(
        drawing.contains("channel &quot;&lt;c&gt;&quot;"),
        "{drawing}"
    );
    assert!(drawing.contains("put &quot;b&amp;&quot;"), "{drawing}");
    assert!(!drawing.contains("other"), "{drawing}");
}

/// In any line of text.
fn text<'d>(drawing: &'d str, starts: &str) -> Vec<&'d str> {
    let texts = drawing.lines().filter(|line| line.starts_with("<text"));
    let contents = texts.filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"));
    contents.filter(|text| text.starts_with(starts)).collect()
}

#[test]
fn says_the_proof_and_when() {
    let history = read(STALE.as_bytes()).expect("a history");
    let Verdict::NotLinearizable(explanation) = check(&history, Semantics::Dht, Budget::default())
    else {
        panic!("the last get is stale");
    };
    let drawing = svg::draw(&history, &explanation);
    assert_eq!(text(&drawing, "but &quot;a&quot; had gone").len(), 1);
    // When the three operations of the proof begin and end.
    for time in ["0", "10", "20", "30", "40", "50"] {
        assert_eq!(text(&drawing, time), [time], "{drawing}");
    }
    assert_eq!(drawing.matches("class=\"mark\"").count(), 6, "{drawing}");
}

#[test]
fn texts_of_one_client_do_not_cover_each_other() {
    // Two short operations of one client, in a history that is long because of the last.
    let value = "v".repeat(40);
    let lines = STALE
        .replace("\"client\":2", "\"client\":1")
        .replace("\"value\":\"a\"", &format!("\"value\":\"{value}\""))
        .replace("\"returned\":50", "\"returned\":5000");
    let history = read(lines.as_bytes()).expect("a history");
    let Verdict::NotLinearizable(explanation) = check(&history, Semantics::Dht, Budget::default())
    else {
        panic!("the last get is stale");
    };
    let drawing = svg::draw(&history, &explanation);
    let bars = drawing.lines().filter(|line| line.contains("bar proof"));
    let rows: Vec<_> = bars.filter_map(|line| line.split(" y=").nth(1)).collect();
    let row = |bar: usize| rows[bar].split('"').nth(1);
    assert_eq!(rows.len(), 3, "{drawing}");
    assert_ne!(row(0), row(1), "{drawing}");
}

#[test]
fn extreme_times_are_drawn() {
    let text = STALE
        .replace("\"invoked\":0", "\"invoked\":-9223372036854775808")
        .replace("\"returned\":50", "\"returned\":9223372036854775807");
    let history = read(text.as_bytes()).expect("a history");
    let Verdict::NotLinearizable(explanation) = check(&history, Semantics::Dht, Budget::default())
    else {
        panic!("the last get is stale");
    };
    let drawing = svg::draw(&history, &explanation);
    assert!(
        !drawing.contains("NaN") && !drawing.contains("inf"),
        "{drawing}"
    );
}
