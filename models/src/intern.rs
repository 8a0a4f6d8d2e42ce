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
//!
//! Looking up is what a search does nearly all the time, so it takes no lock and counts no reference:
//! what is kept here is never moved nor dropped before the whole, and is lent. Adding takes a lock.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxBuildHasher;

/// The number of a value in its [`Interner`].
pub(crate) struct Id<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

/// Keeps each distinct value once.
pub(crate) struct Interner<T> {
    values: Arena<T>,
    index: Index,
}

impl<T: Eq + Hash> Interner<T> {
    /// The number of a value.
    pub(crate) fn id(&self, value: T) -> Id<T> {
        let hash = FxBuildHasher.hash_one(&value);
        let same = |number| self.values.get(number) == &value;
        if let Some(number) = self.index.find(hash, same) {
            return Id::new(number);
        }
        let mut len = self.values.len();
        // Somebody else may have been faster.
        let found = self.index.find(hash, same);
        Id::new(found.unwrap_or_else(|| {
            let number = self.values.push(&mut len, value);
            self.index.add(hash, number);
            number
        }))
    }

    /// The value with this number, which this interner gave.
    pub(crate) fn get(&self, id: Id<T>) -> &T {
        self.values.get(id.number)
    }
}

/// A function that is computed once for each argument.
pub(crate) struct Memo<K, V> {
    known: Arena<(K, V)>,
    index: Index,
}

impl<K: Eq + Hash, V> Memo<K, V> {
    /// The value for `key`; `compute` is called if it is not known yet.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce(&K) -> V) -> &V {
        let hash = FxBuildHasher.hash_one(&key);
        let find = |key: &K| {
            let same = |number| self.known.get(number).0 == *key;
            self.index.find(hash, same)
        };
        let number = find(&key).unwrap_or_else(|| {
            // Without the lock: it may take long, and look up other things.
            let value = compute(&key);
            let mut len = self.known.len();
            find(&key).unwrap_or_else(|| {
                let number = self.known.push(&mut len, (key, value));
                self.index.add(hash, number);
                number
            })
        });
        &self.known.get(number).1
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

/// A list that only grows, and whose values stay where they are.
struct Arena<T> {
    /// Each twice as long as the one before.
    segments: [OnceLock<Box<[OnceLock<T>]>>; 27],
    /// How many values there are, by whoever adds one.
    adding: Mutex<u32>,
}

impl<T> Arena<T> {
    const FIRST: u32 = 64;

    fn len(&self) -> MutexGuard<'_, u32> {
        self.adding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In which segment a value stands, and where in it.
    fn place(number: u32) -> (usize, usize) {
        let shifted = number.saturating_add(Self::FIRST);
        let segment = shifted.ilog2() - Self::FIRST.ilog2();
        (
            segment as usize,
            (shifted - (Self::FIRST << segment)) as usize,
        )
    }

    fn get(&self, number: u32) -> &T {
        let (segment, offset) = Self::place(number);
        let segment = self.segments[segment].get();
        match segment.and_then(|segment| segment[offset].get()) {
            Some(value) => value,
            None => unreachable!("somebody else gave the number {number}"),
        }
    }

    fn push(&self, len: &mut u32, value: T) -> u32 {
        let number = *len;
        let (segment, offset) = Self::place(number);
        let segment = self.segments[segment].get_or_init(|| {
            std::iter::repeat_with(OnceLock::new)
                .take((Self::FIRST << segment) as usize)
                .collect()
        });
        // The place is free: whoever adds holds the lock.
        let _ = segment[offset].set(value);
        *len += 1;
        number
    }
}

/// Finds numbers by hashes: tables, each eight times as large as the one before. A number stands in the
/// first table that has a free slot for its hash, which never becomes free again; so who meets a free
/// slot need not look any further.
struct Index {
    tables: [OnceLock<Box<[AtomicU64]>>; 8],
}

impl Index {
    const FIRST: usize = 256;
    /// So many slots a hash has in each table.
    const WINDOW: usize = 8;

    /// The number with this hash that is the one.
    fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        for (level, table) in self.tables.iter().enumerate() {
            for slot in Self::window(table.get()?, hash, level) {
                // Pairs with the store below: what the number stands for has been written.
                match slot.load(Ordering::Acquire) {
                    0 => return None,
                    entry if entry >> 32 == hash >> 32 => {
                        let number = entry as u32 - 1;
                        if is(number) {
                            return Some(number);
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Adds a number; one thread at a time.
    fn add(&self, hash: u64, number: u32) {
        let entry = hash >> 32 << 32 | u64::from(number + 1);
        for (level, table) in self.tables.iter().enumerate() {
            let slots = Self::FIRST << (3 * level);
            let empty = || std::iter::repeat_with(AtomicU64::default);
            let table = table.get_or_init(|| empty().take(slots).collect());
            let mut window = Self::window(table, hash, level);
            if let Some(slot) = window.find(|slot| slot.load(Ordering::Relaxed) == 0) {
                slot.store(entry, Ordering::Release);
                return;
            }
        }
    }

    fn window(table: &[AtomicU64], hash: u64, level: usize) -> impl Iterator<Item = &AtomicU64> {
        let first = hash.rotate_left(9 * level as u32) as usize;
        (0..Self::WINDOW).map(move |step| &table[(first + step) & (table.len() - 1)])
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            values: Arena::default(),
            index: Index::default(),
        }
    }
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self {
            known: Arena::default(),
            index: Index::default(),
        }
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            segments: std::array::from_fn(|_| OnceLock::new()),
            adding: Mutex::default(),
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            tables: std::array::from_fn(|_| OnceLock::new()),
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
        assert_eq!(*names.values.len(), 2);
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
        assert_eq!([square(3), square(4), square(3)], [&9, &16, &9]);
        assert_eq!(computed.get(), 2);
    }

    #[test]
    fn many_values_keep_their_numbers_whoever_adds_them() {
        let numbers = Interner::default();
        let add = |upwards: bool| {
            for n in 0..20_000_u64 {
                let n = if upwards { n } else { 19_999 - n };
                let id = numbers.id(n);
                assert_eq!(*numbers.get(id), n);
                assert_eq!(numbers.id(n), id);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| add(true));
            scope.spawn(|| add(false));
        });
        assert_eq!(*numbers.values.len(), 20_000);
    }
}
