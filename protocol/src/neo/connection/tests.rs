//! Version exchange and authentication, byte by byte, from both sides (`neo-transport.md` 3, 4.1, 6).

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::neo::auth::Refusal;
use crate::neo::frame::write_authentication;
use crate::neo::handshake::{ClientHandshake, NodeHandshake};
use crate::neo::{AuthKey, ClientName, Credential, Credentials};
use crate::testing::hex;

/// The conversation of `neo-transport.md` 14.1.
const TIME: u64 = 1_795_328_455;
const TIMESTAMP: &str = "02 08 00 00 00 00 00 00 00 0a c7 89 02 6b 00 00 00 00";
const NONCE: &str = "02 04 00 00 00 00 00 00 00 06 ec 27 4c a2";
const CODE: &str = "52 40 30 c1 53 9d d1 17 b1 f1 9a a4 9b c0 5c f3
    12 57 12 19 99 a4 10 89 4a 26 0f fa a4 0c b7 de
    68 31 00 ea 58 6a 43 35 0e 0c 62 72 8b 37 34 d9
    b1 03 b6 23 75 3f db ee 90 44 5e 36 00 83 0c 21";
const ACCEPTED: &str = "02 01 00 00 00 00 00 00 00 03 01";
const REFUSED: &str = "02 01 00 00 00 00 00 00 00 03 00";
const REQUEST: &str = "01 0a 00 00 00 00 00 00 00 0b 01 00 00 00 00 00 00 00 01 00";

fn proof() -> String {
    format!("02 4d 00 00 00 00 00 00 00 4f 05 00 00 00 00 00 00 00 61 64 6d 69 6e {CODE}")
}

/// A message of the authentication with this body.
fn authentication(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_authentication(&mut out, &hex(body));
    out
}

fn at(unix: u64) -> Now {
    let elapsed = Duration::ZERO;
    Now { unix, elapsed }
}

/// Feeds the pieces one after the other; all events, or the violation.
fn feed<H: Handshake>(
    connection: &mut Connection<H>,
    pieces: &[Vec<u8>],
) -> Result<Vec<Event<H::Established>>, Violation> {
    let mut events = Vec::new();
    for piece in pieces {
        connection.feed(piece);
        while let Some(event) = connection.next_event(at(TIME))? {
            events.push(event);
        }
    }
    Ok(events)
}

mod node {
    use super::*;

    fn node() -> Connection<NodeHandshake> {
        let credentials = Arc::new(Credentials::default_admin());
        let handshake = NodeHandshake::new(credentials, [0xec, 0x27, 0x4c, 0xa2]);
        Connection::new(handshake, Limits::default())
    }

    /// What the node says to the pieces, and the violation if there is one.
    fn hear(pieces: &[Vec<u8>]) -> (Vec<u8>, Option<Violation>) {
        let mut node = node();
        let violation = feed(&mut node, pieces).err();
        assert_eq!(
            node.is_open(),
            node.output.len() == 26 && violation.is_none()
        );
        (std::mem::take(node.output()), violation)
    }

    #[test]
    fn the_recorded_conversation() {
        let mut node = node();
        assert!(node.output().is_empty(), "the client speaks first");
        let pieces = [hex("01"), hex(TIMESTAMP), hex(&proof())];
        let events = feed(&mut node, &pieces).unwrap();
        let admin = ClientName::new(b"admin").unwrap();
        assert_eq!(events, [Event::Established(admin)]);
        let expected = hex(&format!("01 {NONCE} {ACCEPTED}"));
        assert_eq!(node.output(), &expected);
    }

    #[test]
    fn every_byte_may_come_alone() {
        let bytes = hex(&format!("01 {TIMESTAMP} {} {REQUEST}", proof()));
        let pieces: Vec<_> = bytes.iter().map(|byte| vec![*byte]).collect();
        let events = feed(&mut node(), &pieces).unwrap();
        let payload = Bytes::from_static(&[1, 0]);
        let id = RequestId::FIRST;
        assert_eq!(events[1..], [Event::Message { id, payload }]);
    }

    #[test]
    fn what_stands_behind_the_proof_is_kept() {
        let rest = hex(&format!("{} {REQUEST} {REQUEST}", proof()));
        let events = feed(&mut node(), &[hex("01"), hex(TIMESTAMP), rest]).unwrap();
        assert_eq!(events.len(), 3);
    }

    #[test]
    fn another_version_is_answered_and_refused() {
        for version in [0, 2, 255] {
            let (said, violation) = hear(&[vec![version]]);
            assert_eq!(
                (said, violation),
                (vec![1], Some(Violation::Version { version }))
            );
        }
    }

    #[test]
    fn a_client_that_does_not_wait_for_the_version_gets_none() {
        let early = hex(&format!("01 {TIMESTAMP}"));
        let (said, violation) = hear(&[early]);
        assert!(said.is_empty());
        assert_eq!(violation, Some(Violation::EarlyBytes { extra: 18 }));
    }

    #[test]
    fn a_well_formed_proof_is_always_answered() {
        let name = |name: &str| {
            let len = name.len();
            let name: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
            authentication(&format!("{len:02x} 00 00 00 00 00 00 00 {name} {CODE}"))
        };
        let wrong_code = proof().replace("0c 21", "0c 22");
        for proof in [
            hex(&wrong_code),
            name(""),
            name("Admin"),
            name("admin "),
            name(&"x".repeat(101)),
            name(&"x".repeat(255)),
        ] {
            let (said, violation) = hear(&[hex("01"), hex(TIMESTAMP), proof]);
            assert_eq!(said, hex(&format!("01 {NONCE} {REFUSED}")));
            assert!(matches!(violation, Some(Violation::Refused(_))));
        }
    }

    #[test]
    fn the_clock_is_the_one_of_the_version_exchange() {
        let mut node = node();
        node.feed(&[1]);
        assert_eq!(node.next_event(at(TIME + 1800)), Ok(None));
        node.feed(&hex(&format!("{TIMESTAMP} {}", proof())));
        assert!(
            node.next_event(at(TIME + 9000)).is_ok(),
            "the proof took long"
        );

        let mut node = super::node::node();
        node.feed(&[1]);
        assert_eq!(node.next_event(at(TIME - 1801)), Ok(None));
        node.feed(&hex(&format!("{TIMESTAMP} {}", proof())));
        let refused = node.next_event(at(TIME));
        assert!(
            matches!(refused, Err(Violation::Refused(Refusal::Clock { .. }))),
            "{refused:?}"
        );
    }

    #[test]
    fn malformed_messages_are_not_answered() {
        for timestamp in [
            "",
            "00",
            "00 00 00 00 00 00 00",
            "00 00 00 00 00 00 00 00 00",
        ] {
            let (said, violation) = hear(&[hex("01"), authentication(timestamp)]);
            assert_eq!(said, [1]);
            assert!(matches!(violation, Some(Violation::Authentication { .. })));
        }
        let admin = "05 00 00 00 00 00 00 00 61 64 6d 69 6e";
        for body in [
            String::new(),
            format!("{admin} {}", &CODE[..CODE.len() - 2]),
            format!("{admin} {CODE} 00"),
            format!("06 00 00 00 00 00 00 00 61 64 6d 69 6e {CODE}"),
            format!("00 00 00 00 00 00 00 80 61 64 6d 69 6e {CODE}"),
        ] {
            let (said, violation) = hear(&[hex("01"), hex(TIMESTAMP), authentication(&body)]);
            assert_eq!(said, hex(&format!("01 {NONCE}")), "{body}");
            assert!(matches!(violation, Some(Violation::Authentication { .. })));
        }
    }

    #[test]
    fn headers_are_judged_before_their_bodies_come() {
        let kind = Kind::Request;
        let long_request = "01 d0 07 00 00 00 00 00 00 d6";
        let parity = |text| {
            let header = hex(text).try_into().unwrap();
            Some(Violation::Parity { header })
        };
        for (header, expected) in [
            (
                "01 0a 00 00 00 00 00 00 00 0b",
                Some(Violation::Phase { kind }),
            ),
            (long_request, Some(Violation::Phase { kind })),
            (
                "02 08 00 00 00 00 00 00 00 0b",
                parity("0208000000000000000b"),
            ),
            (
                "00 00 00 00 00 00 00 00 00 00",
                Some(Violation::MessageType { code: 0 }),
            ),
            (
                "03 08 00 00 00 00 00 00 00 0b",
                Some(Violation::MessageType { code: 3 }),
            ),
            (
                "01 07 00 00 00 00 00 00 00 06",
                Some(Violation::NoRequestId { body_len: 7 }),
            ),
            (
                "02 e8 03 00 00 00 00 00 00 e9",
                Some(Violation::TooLong {
                    body_len: 1000,
                    limit: 999,
                }),
            ),
            ("02 e7 03 00 00 00 00 00 00 e6", None),
        ] {
            let (said, violation) = hear(&[hex("01"), hex(header)]);
            assert_eq!((said, violation), (vec![1], expected), "{header}");
        }
    }

    #[test]
    fn an_open_connection_takes_requests_alone() {
        let kind = Kind::Authentication;
        for (header, expected) in [
            ("02 00 00 00 00 00 00 00 00 02", Violation::Phase { kind }),
            ("02 14 00 00 00 00 00 00 00 16", Violation::Phase { kind }),
            (
                "02 e8 03 00 00 00 00 00 00 e9",
                Violation::TooLong {
                    body_len: 1000,
                    limit: 999,
                },
            ),
        ] {
            let rest = hex(&format!("{} {REQUEST} {header} {REQUEST}", proof()));
            let mut node = node();
            let violation = feed(&mut node, &[hex("01"), hex(TIMESTAMP), rest]);
            assert_eq!(violation, Err(expected), "{header}");
            assert_eq!(
                node.next_event(at(TIME)),
                Ok(None),
                "nothing is read behind it"
            );
        }
    }

    #[test]
    fn nothing_is_sent_before_the_connection_is_open_or_when_it_is_closed() {
        let mut node = node();
        node.send(RequestId::FIRST, &[1]);
        assert!(node.output().is_empty());
        feed(&mut node, &[hex("01"), hex(TIMESTAMP), hex(&proof())]).unwrap();
        node.output().clear();
        node.send(RequestId::FIRST, &[7]);
        assert_eq!(
            node.output(),
            &hex("01 09 00 00 00 00 00 00 00 08 01 00 00 00 00 00 00 00 07")
        );
        node.output().clear();
        node.close();
        node.feed(&hex(REQUEST));
        node.send(RequestId::FIRST, &[7]);
        assert_eq!(
            (node.next_event(at(TIME)), node.output_len()),
            (Ok(None), 0)
        );
    }
}

mod client {
    use super::*;

    fn client() -> Connection<ClientHandshake> {
        let credential = Credential {
            name: ClientName::new(b"admin").unwrap(),
            key: AuthKey::ZERO,
        };
        Connection::new(ClientHandshake::new(credential), Limits::default())
    }

    fn refused(pieces: &[&str]) -> Violation {
        let pieces: Vec<_> = pieces.iter().map(|piece| hex(piece)).collect();
        let mut client = client();
        let violation = feed(&mut client, &pieces).unwrap_err();
        assert!(!client.is_open());
        violation
    }

    #[test]
    fn the_recorded_conversation() {
        let mut client = client();
        assert_eq!(client.output(), &[1], "the client speaks first");
        let mut said = String::from("01 ");
        for (heard, answer) in [("01", TIMESTAMP), (NONCE, &proof()), (ACCEPTED, "")] {
            assert!(!client.is_open());
            feed(&mut client, &[hex(heard)]).unwrap();
            said += answer;
            assert_eq!(client.output(), &hex(&said));
        }
        assert!(client.is_open());
    }

    #[test]
    fn what_a_node_may_not_say() {
        for version in [0, 2, 255] {
            let text = format!("{version:02x}");
            assert_eq!(refused(&[&text]), Violation::Version { version });
        }
        let together = format!("01 {NONCE}");
        assert_eq!(refused(&[&together]), Violation::EarlyBytes { extra: 14 });
        assert_eq!(refused(&["01", NONCE, REFUSED]), Violation::Rejected);
        let kind = Kind::Request;
        assert_eq!(refused(&["01", REQUEST]), Violation::Phase { kind });
        assert_eq!(refused(&["01", NONCE, REQUEST]), Violation::Phase { kind });
        for nonce in ["", "01 02 03", "01 02 03 04 05"] {
            let mut client = client();
            let error = feed(&mut client, &[hex("01"), authentication(nonce)]);
            assert!(matches!(error, Err(Violation::Authentication { .. })));
        }
        for verdict in ["", "01 01", "02", "ff"] {
            let pieces = [hex("01"), hex(NONCE), authentication(verdict)];
            let error = feed(&mut client(), &pieces);
            assert!(
                matches!(error, Err(Violation::Authentication { .. })),
                "{verdict}"
            );
        }
    }

    #[test]
    fn request_id_0_is_reserved_on_this_side_too() {
        let zero = "01 09 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 00 fd";
        let violation = refused(&["01", NONCE, ACCEPTED, zero]);
        assert_eq!(violation, Violation::ZeroRequestId);
    }
}
