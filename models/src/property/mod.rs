//! Properties: what has to be true of every run (`neo-requests.md` section 16).
//!
//! A property listens to the [notes](Note) of a run, remembers what it needs in a small value, and says
//! when it has been violated (safety), whether something is still owed that has to come in the end
//! (liveness), or that a goal has been reached that shows that the model does what it is there for. To add
//! one, implement [`Property`] in a file of its request, and give it to the frames it belongs to.

pub mod channels;
pub mod connections;
pub mod control;
pub mod copies;
pub mod dialogue;
pub mod every_request;
pub mod get_all;
pub mod handover;
pub mod hash_range;
pub mod linearizable;
pub mod mirror;
pub mod records;
pub mod redistribution;
pub mod replica;
pub mod stored;
pub mod update;

use std::fmt::Debug;
use std::hash::Hash;

use crate::intern::{Id, Interner};
use crate::world::{Frame, Note};

/// What kind of property it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Safety: never marked.
    Always,
    /// Liveness: what is owed is not owed for ever.
    Eventually,
    /// A goal: marked in some run.
    Sometimes,
}

/// What a property is called and what it says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct About {
    /// Its number in `neo-requests.md` section 16, `P27`; or a name of its own.
    pub id: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What it says, in a sentence.
    pub sentence: &'static str,
}

/// Something that has to be true.
pub trait Property: Debug + Send + Sync + 'static {
    /// What it remembers of a run. Everything in it multiplies the states, so it should be little.
    type Memory: Clone + Debug + Eq + Hash + Send + Sync;

    /// What it says.
    fn about(&self) -> About;

    /// What it remembers when nothing has happened.
    fn start(&self, frame: &Frame) -> Self::Memory;

    /// Something happened. Is the property violated by it, or the goal reached?
    fn note(&self, memory: &mut Self::Memory, note: &Note) -> bool;

    /// Is something owed that has to come in the end?
    fn owes(&self, _: &Self::Memory) -> bool {
        false
    }
}

/// A [`Property`] of any kind, with its memories behind numbers.
pub trait AnyProperty: Debug + Send + Sync {
    /// What it says.
    fn about(&self) -> About;

    /// What it remembers when nothing has happened.
    fn start(&self, frame: &Frame) -> u32;

    /// These things happened: what it remembers now, and whether it was marked.
    fn note(&self, memory: u32, notes: &[Note]) -> (u32, bool);

    /// Is something owed?
    fn owes(&self, memory: u32) -> bool;
}

/// What all properties of a model remember.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Memories(pub(crate) Vec<u32>);

/// A property, to be given to a frame.
pub fn watch<P: Property>(property: P) -> Box<dyn AnyProperty> {
    let memories = Interner::default();
    Box::new(Watched { property, memories })
}

#[derive(Debug)]
struct Watched<P: Property> {
    property: P,
    memories: Interner<P::Memory>,
}

impl<P: Property> AnyProperty for Watched<P> {
    fn about(&self) -> About {
        self.property.about()
    }

    fn start(&self, frame: &Frame) -> u32 {
        self.memories.id(self.property.start(frame)).number()
    }

    fn note(&self, memory: u32, notes: &[Note]) -> (u32, bool) {
        let mut after = self.memories.get(Id::new(memory)).clone();
        let mut marked = false;
        for note in notes {
            marked |= self.property.note(&mut after, note);
        }
        (self.memories.id(after).number(), marked)
    }

    fn owes(&self, memory: u32) -> bool {
        self.property.owes(self.memories.get(Id::new(memory)))
    }
}
