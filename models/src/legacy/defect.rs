//! Deviations that are switched on to see that the properties find them. Each sits at a seam, where a machine meets
//! the node, its driver or the bytes.

/// A deviation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Defect {
    /// A Listen is not told that its channel is removed.
    MissesRemoval,
    /// A Listen is told of the first write only.
    MissesChanges,
    /// What a Listen sends has another last byte.
    Distorts,
    /// A Listen is told that its channel is removed whenever a record is.
    EndsEarly,
    /// The node stores what is handed over whatever it is responsible for.
    TakesEverything,
    /// The node reads nothing while a Listen is under way.
    ListensOnly,
    /// The node says everything twice.
    Repeats,
    /// The node forgets what it says to the second order.
    Forgets,
    /// Whoever reads records and stands on one that is removed starts over.
    StartsOver,
}

impl Defect {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::MissesRemoval,
        Self::MissesChanges,
        Self::Distorts,
        Self::EndsEarly,
        Self::TakesEverything,
        Self::ListensOnly,
        Self::Repeats,
        Self::Forgets,
        Self::StartsOver,
    ];
}
