//! The properties are told what happens, and remember of it what they need.

use super::note::Note;
use super::step::Step;
use crate::intern::Id;
use crate::property::{Kind, Memories};

impl Step<'_> {
    pub(super) fn note(&mut self, note: Note) {
        let notes = self.world.notes.id(vec![note]);
        self.remember(notes);
    }

    /// Tells the properties what has happened.
    pub(super) fn remember(&mut self, notes: Id<Vec<Note>>) {
        let world = self.world;
        if notes == world.nothing.silence {
            return;
        }
        if let Some(log) = &mut self.log {
            log.extend(world.notes.get(notes).iter().cloned());
        }
        let key = (self.state.memories, notes);
        let (memories, marked) = *world.remembered.get(key, |(memories, notes)| {
            let (memories, notes) = (world.memories.get(*memories), world.notes.get(*notes));
            let mut marked = 0;
            let properties = world.frame.properties.iter().zip(&memories.0).enumerate();
            let after = properties.map(|(number, (property, memory))| {
                let (memory, mark) = property.note(*memory, notes);
                let counts = mark && property.about().kind != Kind::Eventually;
                marked |= u64::from(counts) << number;
                memory
            });
            let after = Memories(after.collect());
            (world.memories.id(after), marked)
        });
        self.state.memories = memories;
        self.state.marked |= marked;
    }
}
