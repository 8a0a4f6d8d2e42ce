//! The meaning of the operations once more, as plainly as possible, and every order tried.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dht_history::{History, Octets, Operation, Outcome, Record, Semantics};

/// Whether any order explains the history.
pub fn is_linearizable(history: &History, semantics: Semantics) -> bool {
    let moments = moments(history);
    let mut brute = Brute {
        history,
        semantics,
        moments,
        dead: HashSet::new(),
    };
    brute.explains(0, &Node::default())
}

/// Something that happens at one instant.
#[derive(Clone)]
struct Moment {
    entry: usize,
    what: What,
    invoked: i64,
    /// Nothing if it need not happen.
    returned: Option<i64>,
}

#[derive(Clone, PartialEq)]
enum What {
    Act,
    UpdateReads,
    /// After the moment before it.
    UpdateStores,
    Looks(Octets),
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    channels: BTreeMap<Octets, BTreeMap<Octets, Octets>>,
    /// The updates that may store.
    reading: BTreeSet<usize>,
}

fn moments(history: &History) -> Vec<Moment> {
    let mut names = BTreeSet::new();
    for entry in history.entries() {
        match &entry.operation {
            Operation::RemoveChannel(name) => names.insert(name.clone()),
            operation => operation
                .record()
                .is_some_and(|record| names.insert(record.channel.clone())),
        };
    }
    let mut moments = Vec::new();
    for (index, entry) in history.entries().iter().enumerate() {
        let whats = match &entry.operation {
            Operation::Update { .. } => vec![What::UpdateReads, What::UpdateStores],
            Operation::GetChannels => names.iter().cloned().map(What::Looks).collect(),
            _ => vec![What::Act],
        };
        moments.extend(whats.into_iter().map(|what| Moment {
            entry: index,
            what,
            invoked: entry.invoked,
            returned: entry.returned.as_ref().map(|returned| returned.at),
        }));
    }
    moments
}

struct Brute<'h> {
    history: &'h History,
    semantics: Semantics,
    moments: Vec<Moment>,
    /// What is known to lead nowhere.
    dead: HashSet<(u64, Node)>,
}

impl Brute<'_> {
    /// Whether the moments that are not in `done` can still happen.
    fn explains(&mut self, done: u64, node: &Node) -> bool {
        let left: Vec<usize> = (0..self.moments.len())
            .filter(|index| done & 1 << index == 0)
            .collect();
        if left
            .iter()
            .all(|&index| self.moments[index].returned.is_none())
        {
            return true;
        }
        if self.dead.contains(&(done, node.clone())) {
            return false;
        }
        let first = left
            .iter()
            .filter_map(|&index| self.moments[index].returned)
            .min();
        for &index in &left {
            let moment = self.moments[index].clone();
            let waits = moment.what == What::UpdateStores && done & 1 << (index - 1) == 0;
            if waits || first.is_some_and(|first| first < moment.invoked) {
                continue;
            }
            for next in self.after(&moment, node) {
                if self.explains(done | 1 << index, &next) {
                    return true;
                }
            }
        }
        self.dead.insert((done, node.clone()));
        false
    }

    /// The states that the moment may lead to; none if it cannot happen here.
    fn after(&self, moment: &Moment, node: &Node) -> Vec<Node> {
        let entry = &self.history.entries()[moment.entry];
        let outcome = entry.returned.as_ref().map(|returned| &returned.outcome);
        let dht = self.semantics == Semantics::Dht;
        let same = || vec![node.clone()];
        let Some(Record { channel, key }) = entry.operation.record() else {
            return match (&entry.operation, &moment.what, outcome) {
                (Operation::RemoveChannel(name), _, _) => {
                    let mut node = node.clone();
                    node.channels.remove(name);
                    vec![node]
                }
                (_, What::Looks(name), Some(Outcome::Channels(names))) => {
                    match names.contains(name) == node.channels.contains_key(name) {
                        true => same(),
                        false => Vec::new(),
                    }
                }
                _ => same(),
            };
        };
        let found = node
            .channels
            .get(channel)
            .and_then(|records| records.get(key));
        let mut created = node.clone();
        created.channels.entry(channel.clone()).or_default();
        // A read may create the channel or not.
        let read = |right: bool| match right {
            true => vec![node.clone(), created.clone()],
            false => Vec::new(),
        };
        let store = |value: &Octets| {
            let mut node = created.clone();
            let records = node.channels.entry(channel.clone()).or_default();
            records.insert(key.clone(), value.clone());
            vec![node]
        };
        let removed = |nodes: Vec<Node>| {
            nodes
                .into_iter()
                .map(|mut node| {
                    node.channels
                        .get_mut(channel)
                        .map(|records| records.remove(key));
                    node
                })
                .collect()
        };
        match (&entry.operation, outcome) {
            (Operation::Put(_, value), _) => store(value),
            (Operation::Get(_) | Operation::Exists(_), None) => read(true),
            (Operation::Get(_), Some(Outcome::Value(value))) => read(found == Some(value)),
            (Operation::Exists(_), Some(Outcome::Exists(exists))) => {
                read(found.is_some() == *exists)
            }
            (Operation::Remove(_), None | Some(Outcome::Ok)) => removed(read(true)),
            (Operation::Remove(_), Some(Outcome::Removed)) => removed(read(found.is_some())),
            (Operation::Get(_) | Operation::Remove(_), _) => read(found.is_none()),
            (
                Operation::Update {
                    expected, value, ..
                },
                outcome,
            ) => {
                let reads = moment.what == What::UpdateReads;
                let fits = found == Some(expected);
                match outcome {
                    Some(Outcome::NoRecord) if reads => read(found.is_none() && dht),
                    Some(Outcome::Conflict) if reads => read(!fits && (found.is_some() || !dht)),
                    // They end with the first half.
                    Some(Outcome::NoRecord | Outcome::Conflict) => same(),
                    Some(_) if reads && !fits => Vec::new(),
                    _ if reads => {
                        let mut nodes = read(true);
                        if fits {
                            for node in &mut nodes {
                                node.reading.insert(moment.entry);
                            }
                        }
                        nodes
                    }
                    _ if !node.reading.contains(&moment.entry) => Vec::new(),
                    _ if fits || (found.is_none() && dht) => {
                        let mut nodes = store(value);
                        nodes[0].reading.remove(&moment.entry);
                        nodes
                    }
                    _ => Vec::new(),
                }
            }
            _ => same(),
        }
    }
}
