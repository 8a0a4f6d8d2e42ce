//! Many requests on one connection: order, ids, limits, back-pressure, Mirrors.

mod mirrors;

use super::*;
use crate::testing::wire::{self, authentication, fresh, requests};
use crate::testing::{Memory, Wire, hex};

const HASH_RANGE: &str = "01 00";
const PUT: &str = "02 00 0100000000000000 63 0100000000000000 0100000000000000 76";
const GET: &str = "03 00 0100000000000000 63 0100000000000000";
const MIRROR: &str = "04 00 00 0100000000000000 63 00 00000000";
const ALL: &str = "05 00 00 0100000000000000 63 00 0000000000000000 00 0000000000000000";

/// The first bytes of messages, up to a value's length.
fn outline(messages: &[(u64, Vec<u8>)]) -> Vec<String> {
    let outline = |(id, payload): &(u64, Vec<u8>)| match payload.len() {
        0..3 => format!("{id}: {}", payload[0]),
        len => format!("{id}: {len} bytes"),
    };
    messages.iter().map(outline).collect()
}

/// A node with a record of the channel "c" for every key up to `count`, each with so many bytes, which
/// no compression makes fewer.
fn filled(count: u64, size: usize) -> Memory {
    let (mut memory, mut state) = (Memory::default(), 1_u32);
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for key in 0..count {
        let value: Vec<u8> = std::iter::repeat_with(&mut byte).take(size).collect();
        memory.store("c", key, value);
    }
    memory.events.clear();
    memory
}

mod order {
    use super::*;

    #[test]
    fn a_short_request_is_answered_before_the_next_is_looked_at() {
        let mut wire = Wire::open(Memory::default());
        let said = wire.ask(&[(1, PUT), (2, GET), (3, "0b 00"), (4, "02 01"), (5, PUT)]);
        assert_eq!(
            outline(&said),
            [
                "1: 253",
                "1: 1",
                "2: 253",
                "2: 2",
                "2: 9 bytes",
                "3: 255",
                "4: 254",
                "5: 253",
                "5: 1",
            ]
        );
        assert_eq!(wire.node.active_requests(), 0);
    }

    #[test]
    fn when_the_output_is_full_requests_take_turns() {
        let mut wire = Wire::open(filled(2, 50_000));
        let gets: Vec<_> = (1..=40).map(|id| (id, GET)).collect();
        wire.send(&gets).unwrap();
        let said = wire.take_all();
        // How long the messages of one step are tells them apart from those of the others.
        let step = |step: usize| {
            let is_of_step = |payload: &[u8]| match step {
                0 => payload == [0xfd],
                1 => payload == [2],
                _ => payload.len() > 1,
            };
            let places = said.iter().enumerate();
            let of_step = places.filter(|(_, (_, payload))| is_of_step(payload));
            let (places, ids): (Vec<_>, Vec<_>) =
                of_step.map(|(place, (id, _))| (place, *id)).unzip();
            assert_eq!(ids, Vec::from_iter(1..=40));
            places
        };
        let (_supported, got, values) = (step(0), step(1), step(2));
        assert!(
            got[39] < values[3],
            "the second messages of all go before the third of those that had to wait"
        );
        assert_eq!(wire.node.active_requests(), 0);
    }

    #[test]
    fn a_small_channel_is_not_read_before_its_reader_can_say_something() {
        let mut wire = Wire::open(filled(1000, 1));
        wire.node.feed(&requests(&[(1, hex(ALL))]));
        for _ in 0..500 {
            let more = wire.node.process(wire.now, &mut wire.memory);
            assert_eq!(more, Ok(true));
        }
        assert_eq!(outline(&wire.take()), ["1: 253", "1: 5"]);
        wire.send(&[(1, "01")]).unwrap();
        assert_eq!(outline(&wire.take_all()), ["1: 4"], "nothing but the Ack");
    }

    #[test]
    fn a_long_request_does_not_hold_up_a_short_one() {
        let mut wire = Wire::open(filled(1000, 10_000));
        wire.send(&[(1, ALL)]).unwrap();
        let mut said = wire.take();
        wire.send(&[(2, PUT)]).unwrap();
        let answer = wire.take();
        assert!(answer.contains(&(2, vec![1])), "{:?}", outline(&answer));
        said.extend(answer);
        said.extend(wire.take_all());
        let finished = said.last().unwrap();
        assert_eq!(finished, &(1, vec![8]));
        assert!(said.len() > 150, "{} messages", said.len());
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let conversation = [
            (1, HASH_RANGE),
            (2, PUT),
            (3, GET),
            (4, ALL),
            (4, "04"),
            (5, MIRROR),
            (5, "01"),
            (5, "03"),
        ];
        let mut whole = Wire::open(Memory::default());
        let mut expected = Vec::new();
        for message in conversation {
            expected.extend(whole.ask(&[message]));
        }

        let mut wire = Wire::open(Memory::default());
        let mut said = Vec::new();
        for (id, payload) in conversation {
            for byte in requests(&[(id, hex(payload))]) {
                wire.feed(&[byte]).unwrap();
                said.extend(wire.take_all());
            }
        }
        assert_eq!(said, expected);
        assert_eq!(wire.node.active_requests(), 1, "GetHashRange goes on");
    }

    #[test]
    fn requests_may_come_right_behind_the_authentication() {
        let mut node = fresh(Limits::default());
        let mut memory = Memory::default();
        node.feed(&[1]);
        node.process(wire::start(), &mut memory).unwrap();
        let mut bytes = authentication();
        bytes.extend(requests(&[(1, hex(PUT))]));
        node.feed(&bytes);
        node.process(wire::start(), &mut memory).unwrap();
        assert_eq!(node.client().unwrap().as_str(), "admin");
        assert_eq!(memory.value("c", 1).unwrap(), "v");
    }
}

mod ids {
    use super::*;

    #[test]
    fn an_id_is_free_as_soon_as_its_request_has_ended() {
        let mut wire = Wire::open(Memory::default());
        for id in [u64::MAX, 1 << 63, 7, 7, 7, 1] {
            let said = wire.ask(&[(id, PUT), (id, GET), (id, "0b 00")]);
            assert_eq!(said.len(), 6);
            assert!(said.iter().all(|(answered, _)| *answered == id));
        }
        let said = wire.ask(&[(9, ALL), (9, "03"), (9, MIRROR), (9, "03"), (9, PUT)]);
        assert_eq!(said.last().unwrap(), &(9, vec![1]));
        assert_eq!(wire.node.active_requests(), 0);
    }

    #[test]
    fn an_id_is_free_even_if_the_output_has_been_full_ever_since() {
        let mut wire = Wire::open(filled(2, 140_000));
        let mut messages = vec![(5, GET)];
        messages.extend((0..8000).map(|_| (6, "0b 00")));
        wire.send(&messages).unwrap();
        let said = wire.take_bytes(140_000 + 100);
        assert_eq!(outline(&said)[..3], ["5: 253", "5: 2", "5: 140008 bytes"]);
        assert!(wire.node.is_full());
        wire.send(&[(5, GET)]).unwrap();

        let mut wire = Wire::open(filled(2, 140_000));
        let said = wire.ask(&[(
            1,
            "05 00 00 0000000000000000 00 0000000000000000 00 0000000000000000",
        )]);
        assert_eq!(said.last().unwrap(), &(1, vec![8]));
        wire.send(&[(2, GET)]).unwrap();
        assert!(wire.node.is_full());
        wire.send(&[(1, "04"), (1, PUT)]).unwrap();
        assert_eq!(wire.take_all().last().unwrap(), &(1, vec![1]));
    }

    #[test]
    fn a_request_that_ended_is_nowhere_any_more() {
        let mut wire = Wire::open(filled(2, 140_000));
        for _ in 0..100 {
            let mirror_and_stop = requests(&[(1, hex(MIRROR)), (1, hex("03"))]);
            wire.node.feed(&mirror_and_stop);
        }
        wire.node.feed(&requests(&[(2, hex(GET))]));
        wire.node.process(wire.now, &mut wire.memory).unwrap();
        assert!(wire.node.is_full(), "nobody takes a turn");
        assert_eq!(wire.node.active_requests(), 0);
        assert_eq!(wire.node.waiting.len(), 0);
        assert!(wire.node.mirrors.is_empty() && wire.node.ticks.is_empty());
    }

    #[test]
    fn nothing_is_left_of_requests_that_ended() {
        let nodes = [[PUT, GET], [GET, PUT]].map(|requests| {
            let mut wire = Wire::open(Memory::with("c", [(1, "v")]));
            for request in requests {
                wire.ask(&[(1, request)]);
            }
            wire.node
        });
        assert_eq!(nodes[0], nodes[1]);
    }

    #[test]
    fn an_id_is_active_as_long_as_its_request() {
        let mut wire = Wire::open(Memory::default());
        wire.send(&[(1, "01 00"), (2, GET)]).unwrap();
        let active = [1, 2].map(|id| wire.node.is_active(RequestId::new(id).unwrap()));
        assert_eq!(active, [true, false], "GetHashRange goes on");
    }

    #[test]
    fn id_0_is_reserved() {
        let mut wire = Wire::open(Memory::default());
        assert_eq!(wire.send(&[(0, PUT)]), Err(Violation::ZeroRequestId));
    }

    #[test]
    fn a_message_of_a_request_that_ended_is_taken_for_a_new_one() {
        let mut wire = Wire::open(Memory::default());
        wire.ask(&[(1, PUT)]);
        let error = wire.send(&[(1, "04")]);
        assert_eq!(error, Err(Violation::NoCommand { id: 1, len: 1 }));
    }
}

mod refusals {
    use super::*;

    #[test]
    fn unknown_requests_and_versions_are_answered_and_forgotten() {
        let mut wire = Wire::open(Memory::default());
        for (first, status) in [
            ("00 00", 0xff),
            ("0b 00", 0xff),
            ("ff 05 0102", 0xff),
            ("01 01", 0xfe),
            ("0a ff 01", 0xfe),
        ] {
            assert_eq!(wire.ask(&[(1, first)]), [(1, vec![status])], "{first}");
            assert_eq!(wire.node.active_requests(), 0);
        }
        assert_eq!(wire.ask(&[(1, PUT)]).len(), 2, "the connection goes on");
    }

    #[test]
    fn a_first_message_needs_a_command() {
        for (payload, len) in [("", 0), ("02", 1)] {
            let mut wire = Wire::open(Memory::default());
            let error = wire.send(&[(3, PUT), (4, payload)]).unwrap_err();
            assert_eq!(error, Violation::NoCommand { id: 4, len });
            assert_eq!(
                outline(&wire.take()),
                ["3: 253", "3: 1"],
                "what came before is answered"
            );
            wire.feed(&requests(&[(5, hex(PUT))])).unwrap();
            assert_eq!(wire.take(), [], "nothing is read any more");
        }
    }

    #[test]
    fn supported_comes_before_the_fields_are_read() {
        let mut wire = Wire::open(Memory::default());
        let error = wire.send(&[(1, "02 00")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Put: malformed first message: channel at offset 2: 8 bytes needed, 0 left"
        );
        assert_eq!(wire.take(), [(1, vec![0xfd])]);
        assert_eq!(wire.memory.names(), [""; 0]);
    }

    #[test]
    fn a_second_message_is_for_requests_that_wait_for_one() {
        let mut wire = Wire::open(filled(2, 140_000));
        wire.send(&[(1, GET), (2, GET)]).unwrap();
        assert_eq!(wire.node.active_requests(), 1, "its answer waits");
        let error = wire.send(&[(2, GET)]).unwrap_err();
        assert!(matches!(error, Violation::Unexpected { .. }), "{error}");

        let mut wire = Wire::open(Memory::default());
        wire.ask(&[(1, HASH_RANGE)]);
        let error = wire.send(&[(1, HASH_RANGE)]).unwrap_err();
        assert!(matches!(error, Violation::Unexpected { .. }), "{error}");
    }

    #[test]
    fn one_request_too_many() {
        let mut wire = Wire::open(Memory::default());
        let all: Vec<_> = (1..=5000).map(|id| (id, HASH_RANGE)).collect();
        wire.send(&all).unwrap();
        assert_eq!(wire.take_all().len(), 10_000);
        assert_eq!(wire.node.active_requests(), 5000);
        let error = wire.send(&[(5001, "0b 00")]);
        assert_eq!(error, Err(Violation::TooManyRequests { limit: 5000 }));

        let mut wire = Wire::open(Memory::default());
        let puts: Vec<_> = (1..=6000).map(|id| (id, PUT)).collect();
        assert_eq!(
            wire.ask(&puts).len(),
            12_000,
            "those that ended do not count"
        );
    }

    #[test]
    fn a_message_above_the_limit_is_refused_on_its_header() {
        let limits = Limits {
            message: 100,
            ..Limits::default()
        };
        let mut wire = Wire::open_with(Memory::default(), limits);
        let message = requests(&[(1, vec![2; 93])]);
        let (body_len, limit) = (101, 100);
        assert_eq!(
            wire.feed(&message[..10]),
            Err(Violation::TooLong { body_len, limit })
        );
    }
}

mod back_pressure {
    use super::*;

    #[test]
    fn a_client_that_does_not_read_is_not_read_from() {
        let mut wire = Wire::open(filled(2, 2_000_000));
        assert!(wire.node.wants_input());
        wire.send(&[(1, GET), (2, GET), (3, GET)]).unwrap();
        assert!(!wire.node.wants_input());
        assert!(wire.node.output().len() < 2_100_000, "one value at a time");
        let said = wire.take_all();
        assert!(wire.node.wants_input());
        assert_eq!(said.len(), 9);
    }

    #[test]
    fn a_client_that_has_something_to_read_is_read_from() {
        let mut wire = Wire::open(filled(2, 500_000));
        wire.send(&[(1, GET)]).unwrap();
        assert!(wire.node.output().len() > 500_000);
        assert!(wire.node.wants_input());
    }

    #[test]
    fn the_bounds_of_the_output_belong_to_what_lies_above() {
        let mut wire = Wire::open(Memory::default());
        for (len, full, wants_input) in [
            (OUTPUT_FULL - 1, false, true),
            (OUTPUT_FULL, true, true),
            (OUTPUT_STUCK - 1, true, true),
            (OUTPUT_STUCK, true, false),
        ] {
            wire.node.output().resize(len, 0);
            let bounds = (wire.node.is_full(), wire.node.wants_input());
            assert_eq!(bounds, (full, wants_input), "{len}");
        }
    }

    #[test]
    fn small_answers_pile_up_no_further() {
        let mut wire = Wire::open(Memory::default());
        let burst = requests(&vec![(1, hex("0b 00")); 1000]);
        let mut bursts = 0;
        while wire.node.wants_input() {
            wire.feed(&burst).unwrap();
            bursts += 1;
            assert!(bursts < 100);
        }
        assert!(wire.node.output().len() < OUTPUT_STUCK + 19 * 1000);
    }

    #[test]
    fn a_full_output_is_filled_up_when_it_was_read() {
        let mut wire = Wire::open(filled(100, 10_000));
        wire.send(&[(1, ALL)]).unwrap();
        let len = wire.node.output().len();
        wire.process().unwrap();
        assert_eq!(wire.node.output().len(), len, "no room, nothing is added");
        assert!(len < OUTPUT_FULL + 70_000);
        let said = wire.take_all();
        assert_eq!(said.last().unwrap(), &(1, vec![8]));
    }

    #[test]
    fn an_ack_is_not_held_back_by_records() {
        let mut wire = Wire::open(filled(1000, 10_000));
        wire.send(&[(1, ALL)]).unwrap();
        wire.take();
        wire.send(&[(1, "01")]).unwrap();
        assert_eq!(wire.take_all(), [(1, vec![4])], "P31, P33");
        wire.send(&[(1, "03")]).unwrap();
        assert_eq!(wire.take_all(), [(1, vec![4])]);
        assert_eq!(wire.node.active_requests(), 0);
    }
}
