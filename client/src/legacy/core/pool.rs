//! The connections to one node, and the order in which those who wait get one.

use std::collections::{BTreeMap, BTreeSet};

/// Lends connections: at most so many at once, and to those who wait in the order in which they came.
///
/// `C` is a connection, or whatever stands for one.
#[derive(Clone, Debug)]
pub(super) struct Pool<C> {
    limits: Limits,
    /// How many are in use, those that were granted and not fetched among them.
    lent: usize,
    /// Connections that nobody uses; the last one was used last.
    idle: Vec<C>,
    /// Who waits; numbers rise, so the first is the oldest.
    waiting: BTreeSet<u64>,
    /// Whose turn has come, and what each gets.
    granted: BTreeMap<u64, Option<C>>,
}

/// How much a pool allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How many connections to a node are open at once; at least one.
    pub connections: usize,
    /// How many requests to a node may wait for one.
    pub queue: usize,
}

/// What somebody gets who asks for a connection.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Lent<C> {
    /// A connection, or the right to open one.
    Now(Option<C>),
    /// Its turn will come.
    Later,
    /// Nothing: too many wait already.
    Never,
}

impl<C> Pool<C> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lent: 0,
            idle: Vec::new(),
            waiting: BTreeSet::new(),
            granted: BTreeMap::new(),
        }
    }

    /// Asks for a connection, to be known by `number` if it has to wait. Numbers must rise.
    pub(super) fn claim(&mut self, number: u64) -> Lent<C> {
        if self.lent < self.limits.connections.max(1) {
            self.lent += 1;
            return Lent::Now(self.idle.pop());
        }
        if self.waiting.len() >= self.limits.queue {
            return Lent::Never;
        }
        self.waiting.insert(number);
        Lent::Later
    }

    /// Somebody needs no connection any more, and gives it back if it can still be used. Says whose turn
    /// has come.
    pub(super) fn give_back(&mut self, connection: Option<C>) -> Option<u64> {
        let next = self.waiting.pop_first();
        match next {
            Some(number) => {
                self.granted.insert(number, connection);
            }
            None => {
                self.lent = self.lent.saturating_sub(1);
                self.idle.extend(connection);
            }
        }
        next
    }

    /// What somebody gets whose turn has come; `None` if it has not.
    pub(super) fn fetch(&mut self, number: u64) -> Option<Option<C>> {
        self.granted.remove(&number)
    }

    /// Somebody does not wait any more. Says whose turn has come through that.
    pub(super) fn cancel(&mut self, number: u64) -> Option<u64> {
        if self.waiting.remove(&number) {
            return None;
        }
        let connection = self.granted.remove(&number)?;
        self.give_back(connection)
    }

    /// Takes out the connections that nobody uses.
    pub(super) fn take_idle(&mut self) -> Vec<C> {
        std::mem::take(&mut self.idle)
    }

    /// How many wait for a connection.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(connections: usize, queue: usize) -> Pool<&'static str> {
        Pool::new(Limits { connections, queue })
    }

    #[test]
    fn the_connection_that_was_used_last_is_used_first() {
        let mut pool = pool(2, 0);
        assert_eq!(pool.claim(0), Lent::Now(None));
        assert_eq!(pool.claim(1), Lent::Now(None));
        assert_eq!(pool.claim(2), Lent::Never, "two are lent");
        assert_eq!(pool.give_back(Some("first")), None);
        assert_eq!(pool.give_back(Some("second")), None);
        assert_eq!(pool.claim(3), Lent::Now(Some("second")));
        assert_eq!(pool.claim(4), Lent::Now(Some("first")));
    }

    #[test]
    fn who_came_first_is_served_first() {
        let mut pool = pool(1, 2);
        assert_eq!(pool.claim(0), Lent::Now(None));
        assert_eq!(pool.claim(1), Lent::Later);
        assert_eq!(pool.claim(2), Lent::Later);
        assert_eq!(pool.claim(3), Lent::Never);
        assert_eq!(pool.give_back(Some("one")), Some(1));
        assert_eq!(pool.fetch(2), None);
        assert_eq!(pool.fetch(1), Some(Some("one")));
        assert_eq!(pool.claim(4), Lent::Later, "nobody overtakes");
        assert_eq!(pool.give_back(None), Some(2), "the connection broke");
        assert_eq!(pool.fetch(2), Some(None), "who is next opens another");
    }

    #[test]
    fn who_goes_away_passes_its_turn_on() {
        let mut pool = pool(1, 3);
        assert_eq!(pool.claim(0), Lent::Now(None));
        for number in 1..4 {
            assert_eq!(pool.claim(number), Lent::Later);
        }
        assert_eq!(pool.cancel(1), None, "its turn had not come");
        assert_eq!(pool.waiting(), 2);
        assert_eq!(pool.give_back(Some("one")), Some(2));
        assert_eq!(pool.cancel(2), Some(3));
        assert_eq!(pool.fetch(3), Some(Some("one")));
        assert_eq!(pool.cancel(3), None, "it has it already");
        assert_eq!(pool.give_back(Some("one")), None);
        assert_eq!(pool.take_idle(), ["one"]);
    }

    #[test]
    fn a_pool_without_connections_has_one() {
        assert_eq!(pool(0, 0).claim(0), Lent::Now(None));
    }

    /// Whatever comes in whatever order: never more are lent than may be, nobody is forgotten, and
    /// nothing is lost.
    #[test]
    fn any_order_of_events_keeps_the_rules() {
        const CONNECTIONS: usize = 3;
        for seed in 0..200_u64 {
            let mut pool = Pool::new(Limits {
                connections: CONNECTIONS,
                queue: 4,
            });
            let (mut held, mut waiting, mut opened) = (Vec::new(), Vec::new(), 0_u32);
            let mut random = seed;
            for number in 0..300 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let pick = (random >> 40) as usize;
                match (random >> 33) % 4 {
                    0 | 1 => match pool.claim(number) {
                        Lent::Now(connection) => held.push(connection.unwrap_or_else(|| {
                            opened += 1;
                            opened
                        })),
                        Lent::Later => waiting.push(number),
                        Lent::Never => assert_eq!(waiting.len(), 4),
                    },
                    2 if !held.is_empty() => {
                        let connection = held.swap_remove(pick % held.len());
                        let kept = (!pick.is_multiple_of(7)).then_some(connection);
                        let next = pool.give_back(kept);
                        assert_eq!(next, waiting.first().copied());
                        if let Some(number) = next {
                            waiting.remove(0);
                            let granted = pool.fetch(number).expect("its turn has come");
                            held.push(granted.unwrap_or_else(|| {
                                opened += 1;
                                opened
                            }));
                        }
                    }
                    3 if !waiting.is_empty() => {
                        let number = waiting.remove(pick % waiting.len());
                        assert_eq!(pool.cancel(number), None);
                    }
                    _ => {}
                }
                let mut all: Vec<u32> = held.iter().chain(&pool.idle).copied().collect();
                assert!(all.len() <= CONNECTIONS, "{all:?}");
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), held.len() + pool.idle.len());
                assert_eq!(pool.lent, held.len());
                assert!(waiting.is_empty() || held.len() == CONNECTIONS);
            }
        }
    }
}
