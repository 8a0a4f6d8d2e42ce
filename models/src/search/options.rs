//! How a model is searched, and what is heard of it meanwhile.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::outcome::Stop;

/// Threads, limits, and who hears of the progress.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The number of threads. Whatever it is, a complete search has the same outcome.
    pub threads: NonZeroUsize,
    /// Stops when so many states are known. What is being expanded at that moment is still finished, so that
    /// there can be some more.
    pub max_states: u64,
    /// Stops before the search needs more bytes than these: for fingerprints, origins, edges, and the states that
    /// wait, each with `size_of` its type. What a state holds on the heap is not seen.
    pub max_memory: usize,
    /// Stops soon after this is set.
    pub interrupt: Option<&'a AtomicBool>,
    /// Called a few times a second, by the thread that called the search.
    pub progress: Option<&'a dyn Fn(&Progress)>,
}

/// No search has more states than these: they are numbered with 32 bits.
pub(super) const MOST_STATES: u64 = 1 << 31;

impl Default for Options<'_> {
    /// One thread, and limits that a developer's machine bears.
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            max_states: 100_000_000,
            max_memory: 2 << 30,
            interrupt: None,
            progress: None,
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("threads", &self.threads)
            .field("max_states", &self.max_states)
            .field("max_memory", &self.max_memory)
            .field("interrupt", &self.interrupt)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps taken so far, to whatever state.
    pub generated: u64,
    /// Different states found so far.
    pub unique: u64,
    /// The number of states on the longest of the shortest paths found so far.
    pub depth: usize,
    /// States that are known and were not yet expanded.
    pub frontier: u64,
    /// Bytes in use, of those that count for [`Options::max_memory`].
    pub memory: usize,
    /// Since the search began.
    pub elapsed: Duration,
}

impl Progress {
    /// Different states found in a second, on average.
    pub fn unique_per_second(&self) -> f64 {
        self.unique as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// The options of a search that is under way.
#[derive(Debug)]
pub(super) struct Control<'a> {
    options: Options<'a>,
    started: Instant,
    reported: Option<Instant>,
}

impl<'a> Control<'a> {
    const PAUSE: Duration = Duration::from_millis(200);

    pub(super) fn new(options: Options<'a>) -> Self {
        Self {
            options,
            started: Instant::now(),
            reported: None,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How many more states may be found, or why the search must stop.
    pub(super) fn room(&self, unique: u64) -> Result<u64, Stop> {
        if is_set(self.options.interrupt) {
            return Err(Stop::Interrupted);
        }
        match self.options.max_states.min(MOST_STATES).checked_sub(unique) {
            None | Some(0) => Err(Stop::States),
            Some(room) => Ok(room),
        }
    }

    /// Whether the search may use so many bytes.
    pub(super) fn memory(&self, bytes: usize) -> Result<(), Stop> {
        if bytes > self.options.max_memory {
            return Err(Stop::Memory);
        }
        Ok(())
    }

    /// Who hears of the progress, if it is time: after the first round, and then a few times a second.
    pub(super) fn listener(&mut self) -> Option<&'a dyn Fn(&Progress)> {
        let listener = self.options.progress?;
        if self
            .reported
            .is_some_and(|last| last.elapsed() < Self::PAUSE)
        {
            return None;
        }
        self.reported = Some(Instant::now());
        Some(listener)
    }
}

pub(super) fn is_set(interrupt: Option<&AtomicBool>) -> bool {
    interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
}
