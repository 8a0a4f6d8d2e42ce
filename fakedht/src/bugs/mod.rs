//! Ways in which a node can be wrong, to see whether a test notices. Each is one small deviation with a
//! name, at one of the seams of the node; a healthy node contains none of this and pays nothing for it.
//!
//! * `catalogue`: the bugs.
//! * `seam`: the places where a bug can act.
//! * `message`, `fate`: messages of requests as they pass, and what bugs make of them.
//! * `host_bug`: what requests ask of the node: what is stored, who is responsible, who may what.
//! * `login`: the judgement over a client's name and key.
//! * `wire`: the seams below messages: what a client sends and what it is sent, in bytes.
//! * `reaction`: the seams of whole connections: how they are let in, what the node does about broken
//!   rules, and what it does when a client goes.
//! * `legacy`: the seams of connections of the legacy protocol.
//! * `filters`, `pieces`, `tap`: how bugs act along the way of bytes and messages.
//! * `layer`: puts the bugs of a node between its connections and the driver.
//!
//! ```
//! use fakedht::{Bugs, NodeConfig};
//!
//! let bug = Bugs::find("put-not-stored").expect("a bug of the catalogue");
//! let config = NodeConfig { bugs: Bugs::from_iter([bug]), ..NodeConfig::default() };
//! ```

mod catalogue;
mod fate;
mod filters;
mod host;
mod host_bug;
mod layer;
mod legacy;
mod login;
mod message;
mod pieces;
mod reaction;
mod running;
mod seam;
mod tap;
mod wire;

pub(crate) use layer::Layer;
pub(crate) use legacy::LegacyTap;
pub(crate) use reaction::{Admission, HalfClose, Harm};
pub(crate) use tap::Tap;

use std::fmt;

use dht_requirements::Requirement;
use seam::Seam;

/// A way in which a node can be wrong.
pub struct Bug {
    /// What it is called, in lower case with hyphens.
    pub name: &'static str,
    /// What the node does, in one sentence.
    pub description: &'static str,
    /// What that breaks first of all.
    pub breaks: &'static Requirement,
    /// Where it acts, and how: a new one for each node.
    seam: fn() -> Seam,
}

impl fmt::Debug for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bug({})", self.name)
    }
}

impl PartialEq for Bug {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Bug {}

/// The bugs that a node has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bugs(Vec<&'static Bug>);

impl Bugs {
    /// None: a healthy node.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every bug that there is.
    pub fn catalogue() -> impl Iterator<Item = &'static Bug> {
        catalogue::all()
    }

    /// The bug with this name.
    pub fn find(name: &str) -> Option<&'static Bug> {
        Self::catalogue().find(|bug| bug.name == name)
    }

    /// The bugs of this set.
    pub fn iter(&self) -> impl Iterator<Item = &'static Bug> {
        self.0.iter().copied()
    }

    /// Is the node healthy?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<&'static Bug> for Bugs {
    fn from_iter<I: IntoIterator<Item = &'static Bug>>(bugs: I) -> Self {
        let mut set = Vec::new();
        for bug in bugs {
            if !set.contains(&bug) {
                set.push(bug);
            }
        }
        Self(set)
    }
}
