//! A client's half and a node's half of one request, with a network in between that loses, repeats,
//! reorders and damages messages.

mod fate;
mod stage;
mod talk;

use arbitrary::{Arbitrary, Unstructured};

use crate::asked::{Asked, Decided, Said};
use crate::memory;
use crate::work::Work;
use fate::Fate;
use stage::Stage;
use talk::Talk;

/// Steps of one conversation; more come from no failure that fewer do not show.
const STEPS: usize = 32;

/// Whatever the network does to the messages, neither half panics, the monitor agrees with the client's half
/// on each of them, and as far as what arrives at the node is legal, the node accepts it and keeps to the
/// protocol itself. If the network does nothing, both keep to the protocol and the request ends.
pub fn conversation(data: &[u8]) {
    Stage::with(|stage| memory::bounded(data, 4096, || converse(data, stage)));
}

fn converse(data: &[u8], stage: &mut Stage) {
    let mut input = Unstructured::new(data);
    let Ok(asked) = Asked::arbitrary(&mut input) else {
        return;
    };
    let Some(mut talk) = Talk::begin(asked, stage, Work::of(data)) else {
        return;
    };
    for _ in 0..STEPS {
        if input.is_empty() || talk.is_closed() {
            break;
        }
        match Step::arbitrary(&mut input) {
            Ok(step) => talk.step(step),
            Err(_) => break,
        }
    }
    talk.finish();
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    /// The first message on its way to the node.
    ToNode(Fate),
    /// The first message on its way to the client.
    ToClient(Fate),
    /// The node has room for one message.
    Poll,
    /// The user of a stream says something.
    Control(Said),
    /// The user of an Update decides.
    Decide(Decided),
    /// Somebody else writes a record; `None` removes it.
    Write(u8, Option<u8>),
    /// Somebody else removes the channel.
    RemoveChannel,
    /// A refresh of a Mirror is due.
    Tick,
}
