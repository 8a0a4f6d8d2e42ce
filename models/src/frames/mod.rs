//! The models: every request and composition that is checked, with its bounds, its properties, and the
//! defects of the original that it shows.
//!
//! A file for each family. To add a model, add an [`Entry`] to its family; `tests/table.rs` asks of every
//! entry that its properties hold, that its goals are reached, that it has as many states as it is written
//! down to have, and that each defect it shows breaks the property it is said to break.

mod channels;
mod control;
mod get_all;
mod handover;
mod hash_range;
mod mirror;
mod mirror_refresh;
mod mirror_together;
mod parts;
mod races;
mod records;
mod records_nodes;
mod redistribution;
mod update;

use std::fmt;
use std::str::FromStr;

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

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Default => "default",
            Self::Deep => "deep",
        })
    }
}

impl FromStr for Bounds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Small, Self::Default, Self::Deep];
        let found = all.into_iter().find(|bounds| bounds.to_string() == text);
        found.ok_or_else(|| "the bounds are small, default or deep".to_owned())
    }
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
    let mut entries = Vec::new();
    entries.extend_from_slice(records::ENTRIES);
    entries.extend_from_slice(records_nodes::ENTRIES);
    entries.extend_from_slice(races::ENTRIES);
    entries.extend_from_slice(channels::ENTRIES);
    entries.extend_from_slice(control::ENTRIES);
    entries.extend_from_slice(get_all::ENTRIES);
    entries.extend_from_slice(mirror::ENTRIES);
    entries.extend_from_slice(mirror_together::ENTRIES);
    entries.extend_from_slice(mirror_refresh::ENTRIES);
    entries.extend_from_slice(hash_range::ENTRIES);
    entries.extend_from_slice(redistribution::ENTRIES);
    entries.extend_from_slice(handover::ENTRIES);
    entries.extend_from_slice(update::ENTRIES);
    entries
}
