//! What clients do to a node that no client of the protocol does, or that only bare bytes show.

use dht_protocol::Key;
use dht_protocol::codec::Put as _;
use dht_protocol::neo::auth::{self, Proof};
use dht_protocol::neo::request::{RecordName, RequestCode, get_all, mirror, update};
use dht_protocol::neo::{AuthKey, Now};
use fakedht::ConnectionId;

use super::stage::{NOW, Stage, authentication, header, request};

/// Something that is done to a node, and the connection that it is done on.
pub(crate) type Deed = fn(&mut Stage) -> ConnectionId;

/// All of them, by name.
pub(crate) const DEEDS: &[(&str, Deed)] = &[
    ("log in", |stage| stage.open()),
    ("version 2", |stage| {
        let id = stage.dial();
        stage.say(id, &[2]);
        id
    }),
    ("company", |stage| {
        let id = stage.dial();
        stage.say(
            id,
            &[&[1][..], &authentication(&NOW.to_le_bytes())].concat(),
        );
        id
    }),
    ("company of noise", |stage| {
        let id = stage.dial();
        stage.say(id, &[1; 30]);
        id
    }),
    ("early request", |stage| greet_and_say(stage, &get(1))),
    ("huge early", |stage| {
        greet_and_say(stage, &header(1, 1 << 63))
    }),
    ("long authentication", |stage| {
        greet_and_say(stage, &authentication(&[0; 1000]))
    }),
    ("7 bytes of time", |stage| {
        greet_and_say(stage, &authentication(&[1; 7]))
    }),
    ("9 bytes of time", |stage| {
        greet_and_say(
            stage,
            &authentication(&[&NOW.to_le_bytes()[..], &[0]].concat()),
        )
    }),
    ("two days ago", |stage| stage.log_in(NOW - 172_800, |_| {})),
    ("in two days", |stage| stage.log_in(NOW + 172_800, |_| {})),
    ("an hour ago", |stage| stage.log_in(NOW - 3600, |_| {})),
    ("half an hour ago", |stage| stage.log_in(NOW - 1800, |_| {})),
    ("time 0", |stage| stage.log_in(0, |_| {})),
    ("time -1", |stage| stage.log_in(u64::MAX, |_| {})),
    ("wrong code", |stage| {
        stage.log_in(NOW, |proof| proof.code[0] ^= 1)
    }),
    ("half a code", |stage| {
        stage.log_in(NOW, |proof| proof.code[63] ^= 1)
    }),
    ("zero code", |stage| {
        stage.log_in(NOW, |proof| proof.code = [0; 64])
    }),
    ("unknown name", |stage| {
        stage.log_in(NOW, |proof| proof.name = b"nobody".to_vec())
    }),
    ("empty name", |stage| {
        stage.log_in(NOW, |proof| proof.name.clear())
    }),
    ("blank name", |stage| {
        stage.log_in(NOW, |proof| proof.name = b"ad min".to_vec())
    }),
    ("blanks", |stage| {
        stage.log_in(NOW, |proof| proof.name = b" admin ".to_vec())
    }),
    ("capital name", |stage| {
        stage.log_in(NOW, |proof| proof.name = b"Admin".to_vec())
    }),
    ("surplus proof", |stage| {
        let (id, nonce) = stage.tell_time(NOW);
        let proof = Proof {
            name: b"admin".to_vec(),
            code: auth::code(&AuthKey::ZERO, NOW, nonce),
        };
        stage.say(id, &authentication(&[&proof.encode()[..], &[0]].concat()));
        id
    }),
    ("parity", |stage| {
        let mut message = get(1);
        message[9] ^= 1;
        stage.open_and_say(&message)
    }),
    ("type 9", |stage| {
        let mut message = get(1);
        (message[0], message[9]) = (9, message[9] ^ 1 ^ 9);
        stage.open_and_say(&message)
    }),
    ("no id", |stage| {
        stage.open_and_say(&[header(1, 7), vec![0; 7]].concat())
    }),
    ("huge", |stage| stage.open_and_say(&header(1, 1 << 63))),
    ("late authentication", |stage| {
        stage.open_and_say(&authentication(&[0; 8]))
    }),
    ("id 0", |stage| {
        let about = get(1);
        let message = [
            &header(1, about.len() as u64 - 10)[..],
            &[0; 8],
            &about[18..],
        ]
        .concat();
        stage.open_and_say(&message)
    }),
    ("large ids", |stage| {
        stage.open_and_say(&[get(1 << 40), get(7 << 50)].concat())
    }),
    ("falling ids", |stage| {
        let id = stage.open_and_say(&get(9));
        stage.say(id, &get(8));
        id
    }),
    ("split", |stage| {
        let id = stage.open();
        for byte in get(1) {
            stage.say(id, &[byte]);
        }
        id
    }),
    ("put and get", |stage| {
        let mut put = about(RequestCode::Put);
        put.put_array(b"value");
        stage.open_and_say(&[request(1, &put), get(2), get(3)].concat())
    }),
    ("long message", |stage| {
        let mut put = about(RequestCode::Put);
        put.put_array(&[7; 5000]);
        stage.open_and_say(&request(1, &put))
    }),
    ("no command", |stage| stage.open_and_say(&request(1, &[4]))),
    ("unknown request", |stage| {
        stage.open_and_say(&request(1, &[77, 0]))
    }),
    ("malformed", |stage| {
        let about = about(RequestCode::Get);
        stage.open_and_say(&request(1, &about[..about.len() - 1]))
    }),
    ("unexpected", |stage| {
        let id = stage.open_and_say(&request(1, &[RequestCode::GetHashRange as u8, 0]));
        stage.say(id, &request(1, &[1]));
        id
    }),
    ("120 requests", |stage| ask_for_ranges(stage, 120)),
    ("121 requests", |stage| ask_for_ranges(stage, 121)),
    ("list removed", |stage| {
        stage.open_and_say(&[removal(1), request(2, &[RequestCode::GetChannels as u8, 0])].concat())
    }),
    ("GetAll, removal", |stage| {
        let open = get_all::Open {
            start_suspended: true,
            channel: "c".into(),
            continue_from: None,
            settings: get_all::Settings::default(),
        };
        stage.node.put(&"c".into(), Key(1), b"v").unwrap();
        let id = stage.open_and_say(&request(1, &open.encode()));
        stage.say(id, &removal(2));
        id
    }),
    ("Mirror, removal", |stage| {
        let open = mirror::Open {
            start_suspended: false,
            channel: "c".into(),
            settings: mirror::Settings {
                initial_refresh: false,
                periodic_refresh_s: 0,
            },
        };
        let id = stage.open_and_say(&request(1, &open.encode()));
        stage.say(id, &removal(2));
        id
    }),
    ("Update, removal", |stage| {
        stage.node.put(&"c".into(), Key(1), b"v").unwrap();
        let record = RecordName {
            channel: "c".into(),
            key: Key(1),
        };
        let open = update::Open::GetRecord(record).encode();
        stage.open_and_say(&[request(1, &open), removal(2)].concat())
    }),
    ("hang up", |stage| {
        let id = ask_for_ranges(stage, 1);
        stage.node.close(id);
        id
    }),
    ("hang up early", |stage| {
        let (id, _) = stage.tell_time(NOW);
        stage.node.close(id);
        id
    }),
    ("25 connections", |stage| {
        let id = stage.open();
        for _ in 0..24 {
            let id = stage.open();
            stage.node.close(id);
        }
        id
    }),
    ("slow reader", |stage| {
        let id = stage.open();
        unread(stage, id);
        id
    }),
];

/// Lets the node say more than 64 KiB that nobody reads.
pub(crate) fn unread(stage: &mut Stage, id: ConnectionId) {
    stage.node.put(&"c".into(), Key(1), &[7; 100_000]).unwrap();
    stage.node.feed(id, &get(1));
    let now = Now::default();
    while let Ok(true) = stage.node.process(id, now) {}
}

fn greet_and_say(stage: &mut Stage, bytes: &[u8]) -> ConnectionId {
    let id = stage.greet();
    stage.say(id, bytes);
    id
}

fn ask_for_ranges(stage: &mut Stage, count: u64) -> ConnectionId {
    let messages = (1..=count).flat_map(|id| request(id, &[RequestCode::GetHashRange as u8, 0]));
    stage.open_and_say(&messages.collect::<Vec<u8>>())
}

/// The first message of a request about a record.
fn about(request: RequestCode) -> Vec<u8> {
    let mut message = vec![request as u8, 0];
    message.put_array(b"c");
    message.put_u64(1);
    message
}

fn get(id: u64) -> Vec<u8> {
    request(id, &about(RequestCode::Get))
}

fn removal(id: u64) -> Vec<u8> {
    let mut message = vec![RequestCode::RemoveChannel as u8, 0];
    message.put_array(b"c");
    request(id, &message)
}
