//! Requests of the neo protocol with defects.

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::forge::{self, AUTHENTICATION, REQUEST};
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::header::{HEADER_LEN, ID_LEN};
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::{
    Command, RecordName, RequestCode, get_all, get_channels, mirror, put, remove_channel, update,
};
use dht_workload::case::{Defect, Step, Wrong};
use dht_workload::names::{KeyName, Names};

use super::{Deed, Leaving, garbage, leaving};

/// Lengths that nobody has so many bytes for, the last ones with an overflow in them.
const IMMENSE: [u64; 5] = [1 << 40, 1 << 44, (1 << 63) - 1, u64::MAX, u64::MAX - 10];
/// How many control messages hasty clients send at once.
pub(in crate::fuzz) const CONTROLS: usize = 3;
/// A message type that no request has.
const NO_TYPE: u8 = 77;

/// How a defect is done, if it can be done to this request. `id` is that of the request.
pub(in crate::fuzz) fn deed(wrong: &Wrong, names: &Names, id: RequestId) -> Option<Deed> {
    let (code, opening) = opening(wrong.of.as_deref(), names)?;
    let variant = wrong.variant as usize;
    let right = said(id, &opening);
    let running = matches!(code, RequestCode::Mirror | RequestCode::GetAll);
    let body = [&id.get().to_le_bytes()[..], &opening].concat();
    let length = body.len() as u64;
    Some(match wrong.defect {
        Defect::BadParity => Deed::Say(flipped(right, variant)),
        Defect::UnknownType => {
            let kind = [0, 3, 4, 127, 255][variant % 5];
            Deed::Say(forge::message(kind, length, &body))
        }
        Defect::AuthenticationType => Deed::Say(forge::message(AUTHENTICATION, length, &body)),
        Defect::LengthBelowId => {
            let short = variant % ID_LEN;
            Deed::Say(forge::message(REQUEST, short as u64, &body[..short]))
        }
        Defect::HugeLength => {
            let immense = IMMENSE[variant % IMMENSE.len()];
            Deed::Say(forge::message(REQUEST, immense, &body))
        }
        Defect::Garbage => {
            let mut bytes = garbage(wrong.variant);
            // By chance the parity could be right; the type is not.
            bytes[0] |= 0x80;
            Deed::Say(bytes)
        }
        Defect::BehindWrongHeader => {
            let header = forge::message([0, 3, 255][variant % 3], ID_LEN as u64, &[0; ID_LEN]);
            Deed::Say([header, right].concat())
        }
        Defect::ZeroId => Deed::Say(forge::request_message(0, &opening)),
        Defect::NoCommand => Deed::Say(said(id, &opening[..variant % Command::LEN])),
        Defect::UnknownCode => {
            let code = [11, 0, 200, 255][variant % 4];
            Deed::Say(said(id, &forge::opening(code, 0, fields(&opening)?)))
        }
        Defect::UnknownVersion => {
            let version = [1, 2, 128, 255][variant % 4];
            Deed::Say(said(
                id,
                &forge::opening(code as u8, version, fields(&opening)?),
            ))
        }
        Defect::Truncated => {
            let fields = fields(&opening)?.len();
            let left = (fields > 0).then(|| fields - 1 - variant % fields)?;
            Deed::Say(said(id, &opening[..Command::LEN + left]))
        }
        Defect::Surplus => {
            let surplus = vec![0x5a; 1 + variant % 9];
            Deed::Say(said(id, &[opening, surplus].concat()))
        }
        Defect::ArrayTooLong => {
            let longer = [1 << 20, 1 << 40, u64::MAX, u64::MAX - 7, 1 << 63][variant % 5];
            let forged = forge::with_channel_length(code, opening.clone(), longer);
            (forged != opening).then(|| Deed::Say(said(id, &forged)))?
        }
        // What stands directly behind code and version.
        Defect::BadBool if running => {
            let value = [2, 255, 128][variant % 3];
            Deed::Say(said(id, &with_first_field(opening, value)?))
        }
        Defect::UnknownUpdateType if code == RequestCode::Update => {
            let value = [0, 3, 5, 255][variant % 4];
            Deed::Say(said(id, &with_first_field(opening, value)?))
        }
        Defect::UnknownDecision if code == RequestCode::Update => Deed::Continue {
            opening: right,
            messages: 2,
            then: said(id, &[[0, 1, 5, 255][variant % 4]]),
        },
        Defect::RepeatedOpening if reads_only(code) => Deed::Say([right.clone(), right].concat()),
        Defect::WordAfterEnd if answers_once(code) => Deed::Continue {
            opening: right,
            messages: 2,
            then: said(id, &FromClient::Control(Control::Stop).encode()),
        },
        // A GetAll might be at its end by then, where anything is ignored.
        Defect::UnknownControl if code == RequestCode::Mirror => {
            follow(right, said(id, &[NO_TYPE]))
        }
        Defect::UndueAck if code == RequestCode::Mirror => {
            follow(right, said(id, &FromClient::Ack.encode()))
        }
        Defect::EmptyControl if code == RequestCode::Mirror => follow(right, said(id, &[])),
        Defect::HastyControl if code == RequestCode::Mirror => {
            let controls: [_; CONTROLS] = [Control::Suspend, Control::Resume, Control::Stop];
            let controls = controls.map(|control| said(id, &FromClient::Control(control).encode()));
            follow(right, controls.concat())
        }
        Defect::Trickled => Deed::Trickle(right),
        Defect::CutInHeader => {
            let cut = 1 + variant % (HEADER_LEN - 1);
            Deed::Leave(right[..cut].to_vec(), leaving(variant))
        }
        Defect::CutInBody => {
            let cut = HEADER_LEN + variant % (right.len() - HEADER_LEN);
            Deed::Leave(right[..cut].to_vec(), leaving(variant / 2))
        }
        Defect::ClosedUnread => Deed::Leave(right, Leaving::Close),
        Defect::Reset => Deed::Leave(right, Leaving::Reset),
        Defect::HalfClose => Deed::Leave(right, Leaving::Half),
        _ => return None,
    })
}

/// A request that does nothing, and is answered behind everything that was sent before.
pub(in crate::fuzz) fn sentinel(id: RequestId, spare: &RecordName) -> Vec<u8> {
    said(id, &spare.opening(RequestCode::Exists))
}

/// Which request a defect is in, and its first message. If it is in none, that of a Get.
pub(in crate::fuzz) fn opening(of: Option<&Step>, names: &Names) -> Option<(RequestCode, Vec<u8>)> {
    let record = |channel: &str, key: &KeyName| RecordName {
        channel: names.channel(channel),
        key: names.key(*key),
    };
    let of_record = |code: RequestCode, channel: &str, key: &KeyName| {
        (code, record(channel, key).opening(code))
    };
    Some(match of {
        None => of_record(RequestCode::Get, "c0", &KeyName::Inside(0)),
        Some(Step::Put {
            channel,
            key,
            value,
        }) => {
            let (record, value) = (record(channel, key), value.bytes());
            (RequestCode::Put, put::Open { record, value }.encode())
        }
        Some(Step::Get { channel, key }) => of_record(RequestCode::Get, channel, key),
        Some(Step::Exists { channel, key }) => of_record(RequestCode::Exists, channel, key),
        Some(Step::Remove { channel, key }) => of_record(RequestCode::Remove, channel, key),
        Some(Step::Update { channel, key, .. }) => {
            let open = update::Open::GetRecord(record(channel, key));
            (RequestCode::Update, open.encode())
        }
        Some(Step::GetAll {
            channel,
            keys_only,
            filter,
        }) => {
            let open = get_all::Open {
                start_suspended: false,
                channel: names.channel(channel),
                continue_from: None,
                settings: get_all::Settings {
                    keys_only: *keys_only,
                    value_filter: Bytes::copy_from_slice(filter.as_bytes()),
                },
            };
            (RequestCode::GetAll, open.encode())
        }
        Some(Step::OpenMirror {
            channel, refresh, ..
        }) => {
            let open = mirror::Open {
                start_suspended: false,
                channel: names.channel(channel),
                settings: mirror::Settings {
                    initial_refresh: *refresh,
                    periodic_refresh_s: 0,
                },
            };
            (RequestCode::Mirror, open.encode())
        }
        Some(Step::GetChannels {}) => (RequestCode::GetChannels, get_channels::Open.encode()),
        Some(Step::RemoveChannel { channel }) => {
            let open = remove_channel::Open(names.channel(channel));
            (RequestCode::RemoveChannel, open.encode())
        }
        Some(_) => return None,
    })
}

/// Does the request leave everything as it is?
fn reads_only(code: RequestCode) -> bool {
    use RequestCode::{Exists, Get, GetAll, GetChannels};
    matches!(code, Get | Exists | GetAll | GetChannels)
}

/// Is the request over with its first message behind the supported status?
fn answers_once(code: RequestCode) -> bool {
    use RequestCode::{Exists, Put, Remove, RemoveChannel};
    matches!(code, Put | Exists | Remove | RemoveChannel)
}

/// Behind the supported status and Started.
fn follow(opening: Vec<u8>, then: Vec<u8>) -> Deed {
    Deed::Continue {
        opening,
        messages: 2,
        then,
    }
}

fn said(id: RequestId, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_request(&mut bytes, id, payload);
    bytes
}

fn fields(opening: &[u8]) -> Option<&[u8]> {
    Some(Command::decode(opening).ok()?.1)
}

fn with_first_field(mut opening: Vec<u8>, value: u8) -> Option<Vec<u8>> {
    *opening.get_mut(Command::LEN)? = value;
    Some(opening)
}

/// One bit of the header is another one.
pub(in crate::fuzz) fn flipped(mut message: Vec<u8>, variant: usize) -> Vec<u8> {
    if let Some(byte) = message.get_mut(variant % HEADER_LEN) {
        *byte ^= 1 << (variant / HEADER_LEN % 8);
    }
    message
}

/// An immense length, for a message of any kind.
pub(in crate::fuzz) fn immense(variant: u32) -> u64 {
    IMMENSE[variant as usize % IMMENSE.len()]
}

#[cfg(test)]
mod tests {
    use dht_protocol::HashRange;
    use dht_workload::case::Protocol;

    use super::super::is_apart;
    use super::*;

    fn steps() -> Vec<Step> {
        [
            r#"{"put": {"channel": "c", "key": "k0", "value": "v"}}"#,
            r#"{"get": {"channel": "c", "key": "k0"}}"#,
            r#"{"exists": {"channel": "c", "key": "k0"}}"#,
            r#"{"remove": {"channel": "c", "key": "k0"}}"#,
            r#"{"update": {"channel": "c", "key": "k0", "decision": "leave"}}"#,
            r#"{"get_all": {"channel": "c"}}"#,
            r#"{"get_channels": {}}"#,
            r#"{"remove_channel": {"channel": "c"}}"#,
            r#"{"open_mirror": {"stream": "m", "channel": "c", "refresh": true}}"#,
        ]
        .map(|step| serde_json::from_str(step).unwrap())
        .to_vec()
    }

    #[test]
    fn every_defect_can_be_done_in_every_variant() {
        let names = Names::new("p_", HashRange::FULL, true);
        let neo = Defect::ALL
            .iter()
            .filter(|defect| defect.protocol() == Protocol::Neo && !is_apart(**defect));
        for defect in neo {
            for variant in 0..200 {
                let done = steps().into_iter().filter(|step| {
                    let wrong = Wrong {
                        defect: *defect,
                        variant,
                        of: Some(Box::new(step.clone())),
                    };
                    assert!(wrong.is_valid());
                    deed(&wrong, &names, RequestId::FIRST).is_some()
                });
                assert!(done.count() > 0, "{defect}, variant {variant}");
            }
        }
    }

    #[test]
    fn what_is_forged_differs_from_what_is_right() {
        let names = Names::new("p_", HashRange::FULL, true);
        for step in steps() {
            let (_, opening) = opening(Some(&step), &names).unwrap();
            let right = said(RequestId::FIRST, &opening);
            for defect in [Defect::BadParity, Defect::Truncated, Defect::ZeroId] {
                for variant in 0..100 {
                    let wrong = Wrong {
                        defect,
                        variant,
                        of: Some(Box::new(step.clone())),
                    };
                    if let Some(deed) = deed(&wrong, &names, RequestId::FIRST) {
                        assert_ne!(deed, Deed::Say(right.clone()), "{defect} {variant}");
                    }
                }
            }
        }
    }
}
