//! How much work a check may do. Deciding linearizability is exponential at worst; a check always ends.

/// The most that one check may spend on searching. The near-linear tests before it are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Elementary steps; a processor does some hundred million a second.
    pub steps: u64,
    /// Bytes for remembering what was already tried.
    pub memory: usize,
}

/// A few seconds, and a quarter of a gigabyte.
impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 300_000_000,
            memory: 256 << 20,
        }
    }
}

impl Budget {
    /// One of so many parts of the steps, with all of the memory.
    pub(crate) fn part(self, parts: u64) -> Self {
        Self {
            steps: self.steps / parts,
            ..self
        }
    }
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Budget::steps`].
    Steps,
    /// [`Budget::memory`].
    Memory,
}
