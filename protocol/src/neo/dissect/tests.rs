//! Conversations as text: what each message looks like, and when a request is over.

use bytes::Bytes;

use super::*;
use crate::testing::hex;

/// What the dissector says to messages of request 1, each after an arrow that says who sent it.
fn lines(conversation: &[&str]) -> Vec<String> {
    let mut dissector = Dissector::new();
    let lines = say(&mut dissector, conversation);
    assert!(dissector.requests.len() <= 1);
    lines
}

fn say(dissector: &mut Dissector, conversation: &[&str]) -> Vec<String> {
    let line = |message: &&str| {
        let (arrow, payload) = message.split_once(' ').unwrap_or((message, ""));
        let from = match arrow {
            "->" => Side::Client,
            _ => Side::Node,
        };
        let body = [hex("0100000000000000"), hex(payload)].concat();
        dissector.message(from, Kind::Request, &body)
    };
    conversation.iter().map(line).collect()
}

const ALL: &str = "-> 05 00 00 0100000000000000 63 00 0000000000000000 00 0000000000000000";
const PUT: &str = "-> 02 00 0100000000000000 63 0100000000000000 0100000000000000 76";

#[test]
fn an_authentication() {
    let mut dissector = Dissector::new();
    assert_eq!(dissector.version(1), "version 1");
    let proof = auth::Proof {
        name: b"admin".to_vec(),
        code: [0xab; 64],
    };
    let messages = [
        (Side::Client, auth::Timestamp(5).encode(), "time 5 s"),
        (Side::Node, vec![1, 2, 3, 4], "nonce 01020304"),
        (Side::Client, proof.encode(), "name=\"admin\" code=abababab"),
        (Side::Node, vec![1], "accepted"),
        (Side::Node, vec![0], "refused"),
    ];
    for (from, body, expected) in messages {
        let line = dissector.message(from, Kind::Authentication, &body);
        assert_eq!(line, format!("authentication: {expected}"));
    }
}

#[test]
fn a_listing() {
    assert_eq!(
        lines(&[
            "-> 05 00 01 0100000000000000 63 01 0c00000000000000 00 0100000000000000 78",
            "<- fd",
            "<- 05",
            "-> 02",
            "<- 04",
            "<- 07 2900000000000000 1d00000000000000 2e 0800000000000000 0200000000000000 \
             0500000000000000 776f726c64 110000",
            "<- 07 0b00000000000000 0000000000000000 110000",
            "<- 08",
            "-> 04",
        ]),
        [
            "#1 GetAll channel=\"c\" start_suspended continue_from=000000000000000c value_filter=\"x\"",
            "#1 supported",
            "#1 Started",
            "#1 Resume",
            "#1 Ack",
            "#1 RecordBatch 1 records: 0000000000000002=\"world\"",
            "#1 RecordBatch 0 records",
            "#1 Finished",
            "#1 Ack",
        ]
    );
}

#[test]
fn a_listing_of_keys() {
    let batch =
        "<- 07 1c00000000000000 1000000000000000 21 0800000000000000 0200000000000000 110000";
    let open = "-> 05 00 00 0100000000000000 63 00 0000000000000000 01 0000000000000000";
    let lines = lines(&[open, "<- fd", "<- 05", batch]);
    assert_eq!(lines[0], "#1 GetAll channel=\"c\" keys_only");
    assert_eq!(lines[3], "#1 RecordBatch 1 keys: 0000000000000002");
}

#[test]
fn a_mirror() {
    assert_eq!(
        lines(&[
            "-> 04 00 00 0100000000000000 63 01 68010000",
            "<- fd",
            "<- 05",
            "<- 07 0100000000000000 0300000000000000 6e6577",
            "<- 08 0200000000000000",
            "<- 09 1f00000000000000 1300000000000000 24 0a00000000000000 0300000000000000 666f6f 110000",
            "<- 0b",
            "<- 0a",
            "-> 04",
        ]),
        [
            "#1 Mirror channel=\"c\" initial_refresh periodic_refresh=360s",
            "#1 supported",
            "#1 Started",
            "#1 RecordChanged key=0000000000000001 value=\"new\"",
            "#1 RecordDeleted key=0000000000000002",
            "#1 RecordRefreshBatch 1 records: 000000000000000a=\"foo\"",
            "#1 UpdateOverflow",
            "#1 ChannelRemoved",
            "#1 Ack",
        ]
    );
}

#[test]
fn an_update() {
    assert_eq!(
        lines(&[
            "-> 0a 00 01 0100000000000000 63 0000000000000000",
            "<- fd",
            "<- 05 0600000000000000 6f6c6476616c",
            "-> 02 8d705df679e6353b 0800000000000000 4e455756414c5545",
            "<- 08",
        ]),
        [
            "#1 Update GetRecord channel=\"c\" key=0000000000000000",
            "#1 supported",
            "#1 RecordValue value=\"oldval\"",
            "#1 UpdateRecord original_hash=3b35e679f65d708d new_value=\"NEWVALUE\"",
            "#1 UpdateConflict",
        ]
    );
}

#[test]
fn the_other_requests() {
    for (first, answer, expected) in [
        (
            "-> 01 00",
            "<- 0000000000000000 ffffffffffffff7f",
            "range 0000000000000000..7fffffffffffffff",
        ),
        (PUT, "<- 02", "WrongNode"),
        (
            "-> 03 00 0100000000000000 63 0100000000000000",
            "<- 01",
            "NoRecord",
        ),
        (
            "-> 06 00",
            "<- 02 0400000000000000 74657374",
            "ChannelName \"test\"",
        ),
        (
            "-> 07 00 0100000000000000 63 0100000000000000",
            "<- 01",
            "RecordExists",
        ),
        (
            "-> 08 00 0100000000000000 63 0100000000000000",
            "<- 02",
            "Removed",
        ),
        ("-> 09 00 0100000000000000 63", "<- 02", "NotPermitted"),
    ] {
        assert_eq!(
            lines(&[first, "<- fd", answer])[2],
            format!("#1 {expected}")
        );
    }
    let ranges = lines(&[
        "-> 01 00",
        "<- fd",
        "<- 0000000000000000 ffffffffffffffff",
        "<- 02 ffffffffffffffff 0000000000000000",
        "<- 01 7f000001 2b5c 0000000000000040 ffffffffffffff7f",
    ]);
    assert_eq!(
        ranges[3..],
        [
            "#1 ChangeHashRange ffffffffffffffff..0000000000000000",
            "#1 NewNode 127.0.0.1:11100 range 4000000000000000..7fffffffffffffff",
        ]
    );
}

#[test]
fn an_id_that_is_used_again_begins_a_new_request() {
    let put = "#1 Put channel=\"c\" key=0000000000000001 value=\"v\"";
    for before in [
        &[PUT, "<- fd", "<- 01"][..],
        &["-> 0b 00", "<- ff"],
        &["-> 02 01", "<- fe"],
        &[ALL, "<- fd", "<- 06"],
        &[ALL, "<- fd", "<- 05", "<- 08", "-> 04"],
        &[ALL, "<- fd", "<- 05", "-> 03", "<- 04"],
        &[ALL, "<- fd", "<- 05", "-> 01", "-> 03", "<- 04", "<- 04"],
        &[ALL, "<- fd", "<- 05", "-> 03", "<- 08", "-> 04"],
    ] {
        let conversation = [before, &[PUT, "<- fd", "<- 01"]].concat();
        let lines = lines(&conversation);
        assert_eq!(
            lines[before.len()..],
            [put, "#1 supported", "#1 Put"],
            "{before:?}"
        );
    }
}

#[test]
fn requests_that_are_over_are_forgotten() {
    let mut dissector = Dissector::new();
    say(&mut dissector, &[PUT, "<- fd", "<- 01"]);
    assert!(dissector.requests.is_empty());
    let late = say(&mut dissector, &["<- 01"]);
    assert_eq!(late, ["#1 of no request: 01"]);
}

#[test]
fn what_cannot_be_read_is_shown_as_it_is() {
    assert_eq!(
        lines(&["-> 02 00 ff", "-> 02"])[0],
        "#1 Put malformed (channel at offset 0: 8 bytes needed, 1 left): ff"
    );
    assert_eq!(
        lines(&[PUT, "<- fd", "<- 09"])[2],
        "#1 malformed (type at offset 0: value 0x09 is not allowed here): 09"
    );
    assert_eq!(
        lines(&["-> 0c 07 0102"])[0],
        "#1 request code 12 version 7 0102"
    );
    assert_eq!(lines(&["-> 0b 00"])[0], "#1 request code 11");
    assert_eq!(
        lines(&["->"])[0],
        "#1 malformed (code at offset 0: 1 bytes needed, 0 left): nothing"
    );
    let mut dissector = Dissector::new();
    let zero = dissector.message(Side::Client, Kind::Request, &[0; 9]);
    assert_eq!(zero, "#0 (reserved): 00");
    let short = dissector.message(Side::Node, Kind::Request, &[1; 3]);
    assert_eq!(short, "request message without an id: 010101");
    let long = dissector.message(Side::Node, Kind::Authentication, &[7; 40]);
    assert!(long.ends_with("... (40 bytes)"), "{long}");
}

#[test]
fn values_are_cut_and_escaped() {
    let value = "0a 22 ff".to_owned() + &"61".repeat(37);
    let put = format!("-> 02 00 0000000000000000 0100000000000000 2800000000000000 {value}");
    let shown = "a".repeat(29);
    assert_eq!(
        lines(&[&put])[0],
        format!(
            "#1 Put channel=\"\" key=0000000000000001 value=\"\\n\\\"\\xff{shown}\"... (40 bytes)"
        )
    );
}

#[test]
fn no_line_is_longer_than_it_can_be_read() {
    let nothing = Bytes::new();
    for (length, expected) in [
        (12, "0000000000000001=\"aaaaaaaaaaaa\""),
        (13, "0000000000000001=13 bytes"),
    ] {
        let record = (crate::Key(1), Bytes::from("a".repeat(length)));
        assert_eq!(pair(&record), expected);
    }
    for (records, expected) in [(4, ": 0 0 0 0"), (5, ": 0 0 0 0 ...")] {
        let records = vec![nothing.clone(); records];
        assert_eq!(list(&records, |value| value.len().to_string()), expected);
    }
    let (text, digits) = ("a".repeat(32), "61".repeat(32));
    for (length, more) in [(32, ""), (33, "... (33 bytes)")] {
        let bytes = vec![b'a'; length];
        assert_eq!(Value(&bytes).to_string(), format!("\"{text}\"{more}"));
        assert_eq!(Hex(&bytes).to_string(), format!("{digits}{more}"));
    }
}
