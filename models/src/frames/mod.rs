//! The models: every request and composition that is checked, with its bounds, its properties, and the
//! defects of the original that it shows.
//!
//! A file for each family. To add a model, add an [`Entry`] to its family; `tests/table.rs` asks of every
//! entry that its properties hold, that its goals are reached, that it has as many states as it is written
//! down to have, and that each defect it shows breaks the property it is said to break.

use crate::defect::Defect;
use crate::world::Frame;

/// How far a model is explored.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Bounds {
    /// Small enough for a test that runs all the time.
    Small,
    /// What `dhtcheck model` explores.
    #[default]
    Default,
    /// More of everything, for those who have the time.
    Deep,
}

/// A model.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// A short name, such as `get-all-drop`.
    pub name: &'static str,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// What it consists of. Which defects are on is up to whoever explores it.
    pub frame: fn(Bounds) -> Frame,
    /// The defects it shows, each with the property that is then violated.
    pub shows: &'static [(Defect, &'static str)],
    /// Properties that the protocol itself does not keep here (`neo-requests.md` 16.8): it would be news
    /// if they held.
    pub expected: &'static [&'static str],
    /// How many distinct states it has within [`Bounds::Small`].
    pub states: usize,
}

/// All of them.
pub fn all() -> Vec<Entry> {
    Vec::new()
}
