//! Orders of the legacy protocol with defects.

use dht_model::Operation;
use dht_protocol::codec::{Put as _, Reader};
use dht_protocol::legacy::batch::MAX_PLAIN;
use dht_protocol::legacy::{Command, MAX_ARRAY, Order};
use dht_protocol::lzo;
use dht_protocol::neo::VERSION;
use dht_protocol::neo::auth::Timestamp;
use dht_protocol::neo::frame::write_authentication;
use dht_protocol::neo::request::RecordName;
use dht_workload::case::{Defect, Step, Wrong};
use dht_workload::names::{KeyName, Names};
use dht_workload::sim::legacy::order;

use super::{Deed, Leaving, garbage, leaving};
use crate::wire::legacy::link::encoded;
use crate::wire::legacy::wrong;

/// Numbers of commands that do not exist.
const UNKNOWN: [i32; 6] = [99, 0, 2, -1, 1 << 24, 35];
/// Lengths that are a little too long, and such that nobody has so many bytes.
const LONG: [u64; 4] = [MAX_ARRAY + 1, MAX_ARRAY + 2, 20 << 20, 1 << 30];
const IMMENSE: [u64; 5] = [1 << 40, 1 << 62, 1 << 63, u64::MAX, u64::MAX - 7];
/// What is no key.
const NO_KEYS: [&[u8]; 6] = [
    b"000000000000000g",
    b"",
    b"00000000000000a",
    b"0000000000000000a",
    b"0x0000000000000a",
    b"+00000000000000a",
];
/// What makes a name illegal.
const NO_NAMES: [&[u8]; 6] = [b".", b" ", b"\0", b"/", b"\xff", b"\xc3\xa4"];
/// No node stores a larger value by a Put, in bytes.
const LARGEST_VALUE: usize = 131_072;
/// How much a swelling batch becomes, in bytes.
const SWELLING: usize = MAX_PLAIN + (2 << 20);
/// How many orders are sent at most before one that is pipelined.
const PIPELINED: usize = 30;

/// Something that is said on a connection of the legacy protocol.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::fuzz) struct Forged {
    /// What is done.
    pub(in crate::fuzz) deed: Deed,
    /// The command of the order.
    pub(in crate::fuzz) command: Command,
    /// What the order asks for, if it is a whole operation.
    pub(in crate::fuzz) operation: Option<Operation>,
    /// How many GetVersions stand before it.
    pub(in crate::fuzz) before: usize,
}

/// What is asked to see whether a connection goes on. Its answer is always the same.
pub(in crate::fuzz) fn sentinel() -> Vec<u8> {
    encoded(&Order::GetVersion)
}

/// How a defect is done, if it can be done to this order. What a node may take for a good order and keep is said of
/// the channel of `spare`.
pub(in crate::fuzz) fn forge(wrong: &Wrong, names: &Names, spare: &RecordName) -> Option<Forged> {
    let operation = operation(wrong.of.as_deref(), names);
    let order = raw(wrong.of.as_deref(), operation.as_ref(), names)?;
    let before = match wrong.defect {
        Defect::LegacyPipelined => 1 + wrong.variant as usize % PIPELINED,
        _ => 0,
    };
    let command = match wrong.defect {
        Defect::LegacyRedistributeRange | Defect::LegacyRedistributeNode => Command::Redistribute,
        _ => order.command,
    };
    Some(Forged {
        deed: deed(wrong, order, names, spare, before)?,
        command,
        operation,
        before,
    })
}

fn deed(
    wrong: &Wrong,
    order: Raw,
    names: &Names,
    spare: &RecordName,
    before: usize,
) -> Option<Deed> {
    let variant = wrong.variant as usize;
    let right = order.bytes();
    let unknown = wrong::code(UNKNOWN[variant % UNKNOWN.len()]);
    let half = |bytes| Deed::Leave(bytes, Leaving::Half);
    Some(match wrong.defect {
        Defect::LegacyUnknownCommand => Deed::Say([&unknown, &right[4..]].concat()),
        Defect::LegacyBehindUnknown => Deed::Say([unknown, right].concat()),
        Defect::LegacyBeforeUnknown => Deed::Say([right, unknown].concat()),
        Defect::LegacyNeoGreeting => {
            let mut bytes = vec![VERSION];
            write_authentication(&mut bytes, &Timestamp(u64::from(wrong.variant)).encode());
            Deed::Say(bytes)
        }
        Defect::LegacyGarbage => {
            let mut bytes = garbage(wrong.variant);
            if variant.is_multiple_of(2) {
                bytes.splice(..4, wrong::code(order.command.code()));
            }
            half(bytes)
        }
        Defect::LegacyTruncated => half(cut(right, variant)),
        Defect::LegacyCut => Deed::Leave(cut(right, variant / 2), leaving(variant)),
        Defect::LegacyClosedUnread => Deed::Leave(right, Leaving::Close),
        Defect::LegacyReset => Deed::Leave(right, Leaving::Reset),
        Defect::LegacyListenClosed if order.command == Command::Listen => {
            Deed::Leave(right, leaving(variant))
        }
        // Nobody can say when a Listen is answered.
        Defect::LegacyHalfClose if order.command != Command::Listen => half(right),
        Defect::LegacyTrickled if order.command != Command::Listen => Deed::Trickle(right),
        Defect::LegacyPipelined if order.command != Command::Listen => {
            Deed::Ask([sentinel().repeat(before), right].concat())
        }
        Defect::LegacyLongArray => half(order.claiming(LONG[variant % LONG.len()], variant / 4)?),
        Defect::LegacyImmenseArray => {
            let length = IMMENSE[variant % IMMENSE.len()];
            half(order.claiming(length, variant / 5)?)
        }
        Defect::LegacyBadName if order.command != Command::Listen => {
            Deed::Ask(order.with_bad_name(variant)?.bytes())
        }
        Defect::LegacyListenBadName if order.command == Command::Listen => {
            Deed::Ask(order.with_bad_name(variant)?.bytes())
        }
        Defect::LegacyBadNameAndMore => {
            let mut order = order.with_bad_name(variant)?;
            let last = order.arrays.last_mut()?;
            match order.command {
                Command::Put => last.clear(),
                Command::PutBatch => *last = wrong::strings(&[b"no batch"]),
                Command::Get | Command::Exists | Command::Remove => *last = no_key(variant),
                _ => return None,
            }
            Deed::Ask(order.bytes())
        }
        Defect::LegacyBadKey if order.has_key() => {
            let mut order = order.with_name(spare.channel.as_bytes())?;
            *order.arrays.get_mut(1)? = no_key(variant);
            Deed::Ask(order.bytes())
        }
        Defect::LegacyEmptyValue if order.command == Command::Put => {
            Deed::Ask(order.with_last(Vec::new())?.bytes())
        }
        Defect::LegacyLargeValue if order.command == Command::Put => {
            let value = vec![0x5a; LARGEST_VALUE + 1 + variant % 3 * 1000];
            Deed::Ask(order.with_last(value)?.bytes())
        }
        Defect::LegacyEmptyFilter if order.command == Command::GetAllFilter => {
            half(order.with_last(Vec::new())?.bytes())
        }
        Defect::LegacyRedistributeRange => {
            let upside_down = [(1 << 63, 5), (u64::MAX, 1), (1, 0)][variant % 3];
            Deed::Ask(wrong::redistribute(upside_down, None))
        }
        Defect::LegacyRedistributeNode => {
            let range = (names.range().min(), names.range().max());
            let node = ("127.0.0.1", 9, 1 << 63, variant as u64 % 100);
            Deed::Ask(wrong::redistribute(range, Some(node)))
        }
        _ => return batch(wrong, order, spare),
    })
}

/// What is wrong with the batch of a PutBatch.
fn batch(wrong: &Wrong, order: Raw, spare: &RecordName) -> Option<Deed> {
    if order.command != Command::PutBatch {
        return None;
    }
    let variant = wrong.variant as usize;
    let right = order.arrays.last()?.clone();
    let data = lzo::decompress(&right, MAX_PLAIN).ok()?;
    let size = data.len() as u64;
    let bad = match wrong.defect {
        Defect::LegacyBatchStream => match variant % 5 {
            0 => wrong::batch_of_size(&[0xa5; 100], size),
            1 => Vec::new(),
            2 => vec![1; 7],
            3 => size.to_le_bytes().to_vec(),
            _ => right[..right.len() - 4].to_vec(),
        },
        Defect::LegacyBatchSize => {
            let size = [size + 1, size.saturating_sub(1), size + 1000, 0][variant % 4];
            wrong::batch_of_size(&right, size)
        }
        Defect::LegacyBatchImmense => {
            wrong::batch_of_size(&right, IMMENSE[variant % IMMENSE.len()])
        }
        Defect::LegacyBatchSwelling => {
            let bytes = order.with_last(wrong::batch(&vec![0; SWELLING]))?.bytes();
            return Some(Deed::Leave(bytes, Leaving::Half));
        }
        Defect::LegacyBatchEntries => wrong::batch(&match variant % 4 {
            0 => data[..data.len().checked_sub(1)?].to_vec(),
            1 => [data, wrong::strings(&[b"0000000000000001"])].concat(),
            2 => [&data[..], &[1, 2, 3]].concat(),
            _ => [&data[..], &(1_u64 << 63).to_le_bytes()].concat(),
        }),
        Defect::LegacyBatchKey => {
            let record = wrong::strings(&[&no_key(variant), b"value"]);
            let order = order.with_name(spare.channel.as_bytes())?;
            return Some(Deed::Ask(order.with_last(wrong::batch(&record))?.bytes()));
        }
        _ => return None,
    };
    Some(Deed::Say(order.with_last(bad)?.bytes()))
}

/// What a step asks for. None at all: a Get.
fn operation(of: Option<&Step>, names: &Names) -> Option<Operation> {
    let get = Step::Get {
        channel: "c0".to_owned(),
        key: KeyName::Inside(0),
    };
    let operation = names.operation(of.unwrap_or(&get))?;
    Some(names.on_the_node(operation))
}

fn raw(of: Option<&Step>, operation: Option<&Operation>, names: &Names) -> Option<Raw> {
    let order = match (operation, of) {
        (Some(operation), _) => order(operation.clone()).ok()?,
        (None, Some(Step::OpenListen { channel, .. })) => Order::Listen {
            channel: names.channel(channel),
        },
        (None, _) => return None,
    };
    Raw::of(&order)
}

/// The beginning of an order that does not end there.
fn cut(mut order: Vec<u8>, variant: usize) -> Vec<u8> {
    let most = order.len() - 1;
    order.truncate(1 + variant % most);
    order
}

fn no_key(variant: usize) -> Vec<u8> {
    NO_KEYS[variant % NO_KEYS.len()].to_vec()
}

/// An order as it is sent: all that have a channel are a command and arrays.
#[derive(Clone, Debug)]
struct Raw {
    command: Command,
    arrays: Vec<Vec<u8>>,
}

impl Raw {
    fn of(order: &Order) -> Option<Self> {
        let bytes = encoded(order);
        let mut reader = Reader::new(&bytes);
        reader.u32("command").ok()?;
        let mut arrays = Vec::new();
        while reader.left() > 0 {
            arrays.push(reader.array("array").ok()?.to_vec());
        }
        let command = order.command();
        Some(Self { command, arrays })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = wrong::code(self.command.code());
        self.arrays.iter().for_each(|array| bytes.put_array(array));
        bytes
    }

    fn has_key(&self) -> bool {
        use Command::{Exists, Get, Put, Remove};
        matches!(self.command, Put | Get | Exists | Remove)
    }

    /// The bytes, with one of the arrays claiming to be so long. The value of a Put, which may be long, claims only
    /// what nobody has.
    fn claiming(&self, length: u64, variant: usize) -> Option<Vec<u8>> {
        let allowed = match self.command {
            Command::Put if length < IMMENSE[0] => 2,
            _ => self.arrays.len(),
        };
        let chosen = variant.checked_rem(allowed)?;
        let mut bytes = wrong::code(self.command.code());
        for (number, array) in self.arrays.iter().enumerate() {
            match number == chosen {
                false => bytes.put_array(array),
                true => {
                    bytes.put_u64(length);
                    bytes.extend_from_slice(array);
                }
            }
        }
        Some(bytes)
    }

    fn with_name(mut self, name: &[u8]) -> Option<Self> {
        *self.arrays.first_mut()? = name.to_vec();
        Some(self)
    }

    fn with_bad_name(mut self, variant: usize) -> Option<Self> {
        let name = self.arrays.first_mut()?;
        match NO_NAMES.get(variant % (NO_NAMES.len() + 1)) {
            Some(bytes) => name.extend_from_slice(bytes),
            None => name.clear(),
        }
        Some(self)
    }

    fn with_last(mut self, array: Vec<u8>) -> Option<Self> {
        *self.arrays.last_mut()? = array;
        Some(self)
    }
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
            r#"{"put_batch": {"channel": "c", "records": [["k0", "v"], ["k1", "w"]]}}"#,
            r#"{"get": {"channel": "c", "key": "k0"}}"#,
            r#"{"exists": {"channel": "c", "key": "k0"}}"#,
            r#"{"remove": {"channel": "c", "key": "k0"}}"#,
            r#"{"get_all": {"channel": "c"}}"#,
            r#"{"get_all": {"channel": "c", "filter": "x"}}"#,
            r#"{"get_size": {"channel": "c"}}"#,
            r#"{"get_channels": {}}"#,
            r#"{"remove_channel": {"channel": "c"}}"#,
            r#"{"open_listen": {"stream": "l", "channel": "c"}}"#,
        ]
        .map(|step| serde_json::from_str(step).unwrap())
        .to_vec()
    }

    fn forged(defect: Defect, variant: u32, step: &Step) -> Option<Forged> {
        let names = Names::new("p_", HashRange::FULL, true);
        let spare = RecordName {
            channel: names.channel("spare"),
            key: names.key(KeyName::Inside(0)),
        };
        let wrong = Wrong {
            defect,
            variant,
            of: Some(Box::new(step.clone())),
        };
        assert!(wrong.is_valid());
        forge(&wrong, &names, &spare)
    }

    #[test]
    fn every_defect_can_be_done_in_every_variant() {
        let defects = Defect::ALL.iter();
        let legacy = defects.filter(|defect| defect.protocol() == Protocol::Legacy);
        for defect in legacy.filter(|defect| !is_apart(**defect)) {
            let variants = match defect {
                // It takes long.
                Defect::LegacyBatchSwelling => 0..1,
                _ => 0..100,
            };
            for variant in variants {
                let mut done = steps().into_iter();
                assert!(
                    done.any(|step| forged(*defect, variant, &step).is_some()),
                    "{defect}, variant {variant}"
                );
            }
        }
    }

    #[test]
    fn what_is_forged_is_no_whole_order_or_a_refused_one() {
        for step in steps() {
            for defect in [
                Defect::LegacyTruncated,
                Defect::LegacyLongArray,
                Defect::LegacyImmenseArray,
                Defect::LegacyUnknownCommand,
            ] {
                for variant in 0..100 {
                    let Some(Forged { deed, .. }) = forged(defect, variant, &step) else {
                        continue;
                    };
                    let (Deed::Say(bytes) | Deed::Leave(bytes, _)) = deed else {
                        panic!("{deed:?}");
                    };
                    let read = Order::decode(&bytes, 1 << 20);
                    let whole = matches!(
                        read,
                        Ok(Some((dht_protocol::legacy::Incoming::Order(_), _)))
                    );
                    assert!(!whole, "{defect} {variant}: {read:?}");
                }
            }
        }
    }

    #[test]
    fn an_order_is_a_command_and_arrays() {
        for step in steps() {
            let whole = forged(Defect::LegacyClosedUnread, 0, &step).unwrap();
            let Deed::Leave(bytes, Leaving::Close) = whole.deed else {
                panic!("it is closed");
            };
            let (_, length) = Order::decode(&bytes, 1 << 20).unwrap().unwrap();
            assert_eq!(length, bytes.len(), "{step}");
        }
    }
}
