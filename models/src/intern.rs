//! Values behind small numbers, and functions that are computed once.
//!
//! The machines of the protocol are values with lists and maps inside; to copy, compare and hash them in
//! every state would be most of the work. A model keeps each distinct value once, here, and puts its
//! number into its states: these are small, flat and `Copy`. What a machine does with an event is
//! computed by the machine itself when it happens for the first time, and looked up from then on
//! ([`Memo`]).
//!
//! Numbers are given in the order in which values come up, which depends on the threads. Equal values
//! have equal numbers all the same, so how many states there are does not.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxBuildHasher;

/// The number of a value in its [`Interner`].
pub struct Id<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

/// Keeps each distinct value once.
pub struct Interner<T> {
    inner: RwLock<Inner<T>>,
}

struct Inner<T> {
    ids: HashMap<Arc<T>, Id<T>, FxBuildHasher>,
    values: Vec<Arc<T>>,
}

impl<T: Eq + Hash> Interner<T> {
    /// The number of a value.
    pub fn id(&self, value: T) -> Id<T> {
        if let Some(id) = self.read(|inner| inner.ids.get(&value).copied()) {
            return id;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = inner.ids.get(&value) {
            return *id;
        }
        // A state space with so many distinct machines would have ended the memory long before.
        let id = Id::new(u32::try_from(inner.values.len()).unwrap_or(u32::MAX));
        let value = Arc::new(value);
        inner.ids.insert(Arc::clone(&value), id);
        inner.values.push(value);
        id
    }

    /// The value with this number, which this interner gave.
    pub fn get(&self, id: Id<T>) -> Arc<T> {
        self.read(|inner| Arc::clone(&inner.values[id.number as usize]))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.read(|inner| inner.values.len())
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read<R>(&self, look: impl FnOnce(&Inner<T>) -> R) -> R {
        look(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A function that is computed once for each argument.
pub struct Memo<K, V> {
    // Shards, so that threads that look up different arguments do not wait for each other.
    known: [RwLock<HashMap<K, V, FxBuildHasher>>; 16],
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// The value for `key`; `compute` is called if it is not known yet.
    pub fn get(&self, key: K, compute: impl FnOnce(&K) -> V) -> V {
        let shard = FxBuildHasher.hash_one(&key) >> 60;
        let known = &self.known[shard as usize];
        let found = known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = found.get(&key) {
            return value.clone();
        }
        drop(found);
        let value = compute(&key);
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(key).or_insert(value).clone()
    }
}

impl<T> Id<T> {
    pub(crate) fn new(number: u32) -> Self {
        let of = PhantomData;
        Self { number, of }
    }

    pub(crate) fn number(self) -> u32 {
        self.number
    }
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number.cmp(&other.number)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.number);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number)
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner {
                ids: HashMap::default(),
                values: Vec::new(),
            }),
        }
    }
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self {
            known: std::array::from_fn(|_| RwLock::default()),
        }
    }
}

impl<T> fmt::Debug for Interner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interner").finish_non_exhaustive()
    }
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn equal_values_have_one_number() {
        let names = Interner::default();
        let (a, b) = (names.id("a".to_owned()), names.id("b".to_owned()));
        assert_ne!(a, b);
        assert_eq!(names.id("a".to_owned()), a);
        assert_eq!(*names.get(b), "b");
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_memo_computes_once() {
        let computed = Cell::new(0);
        let squares = Memo::default();
        let square = |n| {
            squares.get(n, |n| {
                computed.set(computed.get() + 1);
                n * n
            })
        };
        assert_eq!([square(3), square(4), square(3)], [9, 16, 9]);
        assert_eq!(computed.get(), 2);
    }
}
