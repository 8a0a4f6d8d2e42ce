//! Operations on a node's storage, judged by the reference model.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use dht_model::dht::NodeId;
use dht_model::{Action, Answer, ChannelName, Expectations, HashRange, Key, Model, Operation};
use fakedht::MemoryStorage;
use fakedht::storage::{Size, Storage};

use crate::memory;

/// Few names, so that operations meet.
const CHANNELS: [&str; 3] = ["a", "b", ""];
const KEYS: [u64; 4] = [0, 1, 1 << 63, u64::MAX];
/// Values that differ in length too.
const VALUES: [&str; 4] = ["", "v", "vv", "another value"];

/// Steps of one run; what is shown by more is shown by fewer.
const STEPS: usize = 32;

#[derive(Arbitrary, Debug)]
enum Step {
    Put(u8, u8, u8),
    Get(u8, u8),
    Exists(u8, u8),
    Remove(u8, u8),
    GetAll(u8),
    GetAllKeys(u8),
    GetChannels,
    RemoveChannel(u8),
}

/// Whatever is asked of the storage of the embedded node, in whatever order, the model allows the answer.
pub fn storage(data: &[u8]) {
    memory::bounded(data, 4096, || operate(data, &mut MemoryStorage::new()));
}

fn operate(data: &[u8], storage: &mut impl Storage) {
    let mut input = Unstructured::new(data);
    let mut model = Model::new(Expectations::default());
    model.announce(NodeId(1), HashRange::FULL);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let Ok(step) = Step::arbitrary(&mut input) else {
            break;
        };
        let (operation, answer) = step.perform(storage);
        if let Err(refusal) = model.observe(&operation, &answer) {
            panic!("{operation}: {answer} is refused: {refusal}");
        }
    }
    sizes_are_right(storage);
}

impl Step {
    fn perform(self, storage: &mut impl Storage) -> (Operation, Answer) {
        match self {
            Self::Put(channel, key, value) => {
                let (name, key) = (create(storage, channel), self::key(key));
                let value = self::value(value);
                let id = storage.find_channel(&name).expect("it was created");
                storage.put(id, key, &value).expect("memory does not fail");
                (Operation::put(name, key, value), Answer::Stored)
            }
            Self::Get(channel, key) => {
                let (name, key) = (create(storage, channel), self::key(key));
                let answer = read(storage, &name, key).map_or(Answer::NoRecord, Answer::Value);
                (Operation::get(name, key), answer)
            }
            Self::Exists(channel, key) => {
                let (name, key) = (create(storage, channel), self::key(key));
                let answer = Answer::Exists(read(storage, &name, key).is_some());
                (Operation::exists(name, key), answer)
            }
            Self::Remove(channel, key) => {
                let (name, key) = (create(storage, channel), self::key(key));
                let removed = match storage.find_channel(&name) {
                    Some(id) => storage.remove(id, key).expect("memory does not fail"),
                    None => false,
                };
                let operation = Operation::record(name, key, Action::Remove);
                (operation, Answer::Removed(removed))
            }
            Self::GetAll(channel) => {
                let name = create(storage, channel);
                let answer = Answer::Records(walk(storage, &name));
                (Operation::get_all(name), answer)
            }
            Self::GetAllKeys(channel) => {
                let name = create(storage, channel);
                let keys = walk(storage, &name).into_iter().map(|(key, _)| key);
                let answer = Answer::Keys(keys.collect());
                (Operation::get_all_keys(name), answer)
            }
            Self::GetChannels => (Operation::GetChannels, Answer::Channels(names(storage))),
            Self::RemoveChannel(channel) => {
                let name = name(channel);
                let before = storage.find_channel(&name);
                let removed = storage.remove_channel(&name).expect("memory does not fail");
                assert_eq!(removed, before);
                (Operation::remove_channel(name), Answer::ChannelRemoved)
            }
        }
    }
}

fn name(number: u8) -> ChannelName {
    CHANNELS[usize::from(number) % CHANNELS.len()].into()
}

/// A node that is asked for anything in a channel creates it, and so does the model.
fn create(storage: &mut impl Storage, channel: u8) -> ChannelName {
    let name = name(channel);
    storage.open_channel(&name).expect("memory does not fail");
    name
}

fn key(number: u8) -> Key {
    Key(KEYS[usize::from(number) % KEYS.len()])
}

fn value(number: u8) -> Bytes {
    VALUES[usize::from(number) % VALUES.len()].into()
}

fn read(storage: &impl Storage, channel: &ChannelName, key: Key) -> Option<Bytes> {
    let id = storage.find_channel(channel)?;
    storage.get(id, key).expect("memory does not fail")
}

fn walk(storage: &impl Storage, channel: &ChannelName) -> Vec<(Key, Bytes)> {
    let Some(id) = storage.find_channel(channel) else {
        return Vec::new();
    };
    let mut last = None;
    std::iter::from_fn(|| {
        let record = storage.record_after(id, last)?;
        last = Some(record.0);
        Some(record)
    })
    .collect()
}

fn names(storage: &impl Storage) -> Vec<ChannelName> {
    let mut last = None;
    std::iter::from_fn(|| {
        last = storage.channel_after(last.as_ref());
        last.clone()
    })
    .collect()
}

fn sizes_are_right(storage: &impl Storage) {
    for name in names(storage) {
        let id = storage
            .find_channel(&name)
            .expect("a channel that is listed");
        let records = walk(storage, &name);
        let bytes = records.iter().map(|(_, value)| value.len() as u64).sum();
        let counted = Size {
            records: records.len() as u64,
            bytes,
        };
        assert_eq!(storage.size(id), counted, "of channel {name}");
    }
}

#[cfg(test)]
mod tests {
    use dht_protocol::neo::request::ChannelId;
    use fakedht::StorageError;

    use super::*;
    use crate::wrong::{is_noticed, noise};

    /// How a storage can be wrong.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    enum Fault {
        None,
        LosesEmptyValues,
        KeepsRecords,
        KeepsChannels,
        SkipsLastRecord,
        HidesChannels,
        AnswersNeighbour,
        Miscounts,
    }

    struct Wrong(MemoryStorage, Fault);

    impl Storage for Wrong {
        fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, StorageError> {
            self.0.open_channel(name)
        }

        fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
            self.0.find_channel(name)
        }

        fn remove_channel(
            &mut self,
            name: &ChannelName,
        ) -> Result<Option<ChannelId>, StorageError> {
            match self.1 {
                Fault::KeepsChannels => Ok(self.0.find_channel(name)),
                _ => self.0.remove_channel(name),
            }
        }

        fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
            let found = self.0.channel_after(after);
            found.filter(|name| self.1 != Fault::HidesChannels || *name != super::name(1))
        }

        fn put(&mut self, id: ChannelId, key: Key, value: &[u8]) -> Result<(), StorageError> {
            match self.1 {
                Fault::LosesEmptyValues if value.is_empty() => Ok(()),
                _ => self.0.put(id, key, value),
            }
        }

        fn get(&self, id: ChannelId, key: Key) -> Result<Option<Bytes>, StorageError> {
            match self.1 {
                Fault::AnswersNeighbour if key == Key(1) => self.0.get(id, Key(0)),
                _ => self.0.get(id, key),
            }
        }

        fn remove(&mut self, id: ChannelId, key: Key) -> Result<bool, StorageError> {
            match self.1 {
                Fault::KeepsRecords => Ok(self.0.get(id, key)?.is_some()),
                _ => self.0.remove(id, key),
            }
        }

        fn record_after(&self, id: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
            let found = self.0.record_after(id, after);
            found.filter(|(key, _)| self.1 != Fault::SkipsLastRecord || *key != Key(u64::MAX))
        }

        fn size(&self, id: ChannelId) -> Size {
            let mut size = self.0.size(id);
            if self.1 == Fault::Miscounts {
                size.bytes += size.records / 2;
            }
            size
        }
    }

    #[test]
    fn a_wrong_storage_is_noticed() {
        let is_noticed = |fault| {
            noise(100).any(|input| {
                is_noticed(|| operate(&input, &mut Wrong(MemoryStorage::new(), fault)))
            })
        };
        for fault in [
            Fault::LosesEmptyValues,
            Fault::KeepsRecords,
            Fault::KeepsChannels,
            Fault::SkipsLastRecord,
            Fault::HidesChannels,
            Fault::AnswersNeighbour,
            Fault::Miscounts,
        ] {
            assert!(is_noticed(fault), "{fault:?}");
        }
        assert!(!is_noticed(Fault::None));
    }
}
