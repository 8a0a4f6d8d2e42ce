//! What can be switched on to be wrong, so that the checker can be seen to find it: the original's defects,
//! and mutants. Each is one small deviation at a seam of the model, where the machines meet the world around
//! them (`world/defects`). With a switch on, the checker has to find a counterexample; with all off, every
//! property holds.

use std::str::FromStr;

/// Defines the switches, with what is wrong in a sentence. Their numbers are no more than names.
macro_rules! defects {
    (original { $($original:ident: $defect:literal;)+ } mutants { $($mutant:ident: $mutation:literal;)+ }) => {
        /// A defect of the original (F), by its number in `neo-requests.md` section 14 (A14 by that of
        /// `semantics-and-client.md`); or a mutant (M): wrong in
        /// a way that the original is not, so that each property is violated by something.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Defect {
            $(#[doc = $defect] $original,)+
            $(#[doc = $mutation] $mutant,)+
        }

        impl Defect {
            /// The original's defects.
            pub const ORIGINAL: &[Self] = &[$(Self::$original,)+];
            /// The mutants.
            pub const MUTANTS: &[Self] = &[$(Self::$mutant,)+];
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$original,)+ $(Self::$mutant,)+];

            /// Its name, `F05`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$original => stringify!($original),)+
                    $(Self::$mutant => stringify!($mutant),)+
                }
            }

            /// What is wrong, in a sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$original => $defect,)+
                    $(Self::$mutant => $mutation,)+
                }
            }
        }
    };
}

defects! {
    original {
        A14: "A node that gives keys away takes its smaller range first, and the records follow.";
        F01: "The node does not answer a client that may not remove channels.";
        F02: "If updates and a dump both wait for Resume, the second of them is never sent.";
        F03: "A Mirror that has something to send misses that its channel is removed.";
        F04: "What reads or follows a removed channel goes on in the channel that is created next.";
        F05: "A dump delivers values that are older than the update sent before.";
        F06: "An iteration that stands on a removed record leaves out the one behind it.";
        F07: "An iteration that stands on a removed record goes on where any iteration was last.";
        F08: "An iteration that stands on a removed record starts over.";
        F14: "The node ends GetHashRange silently if the client says another word.";
        F16: "The second step of an Update does not look at the node's range again.";
        F18: "What a redistribution brings replaces what a client has written meanwhile.";
        F28: "A node tells of its smaller range before it tells of the node that has the rest.";
        F30: "A control call before the node has started breaks the connection.";
        F31: "A request that is stopped while nodes are away is never ended there.";
        F32: "The end of a change, or of the request, is not told if a node ended meanwhile.";
        F33: "To leave a record the client writes an empty value over it.";
        F34: "After moving a record the client breaks the connection instead of removing the old copy.";
        F35: "After a success the client asks the next node as well.";
        F36: "An Update that finds a node away ends without a word to its user.";
        F37: "If a record cannot be moved the client does not close the Update on the old node.";
        F38: "The names a client has seen are forgotten when the first node ends.";
        F39: "Remove reports the last node's answer instead of whether any node removed.";
        F40: "A node that is away counts as one that has no record.";
        F41: "A node that is connected again counts as the newest.";
        F44: "An unexpected supported status ends a request without a word to its user.";
    }
    mutants {
        M01: "The node answers without having said whether it knows the request.";
        M02: "The node says that it does not know a request, and answers it all the same.";
        M03: "The node says Got twice.";
        M04: "The client sends every request twice.";
        M05: "The client thanks for the last answer.";
        M06: "The user is told the end twice.";
        M07: "The loss of one connection ends requests on other connections.";
        M08: "A node closes all its connections when one client breaks the protocol.";
        M09: "What was on its way when a connection broke arrives over the next one.";
        M10: "A node that is not responsible for a key creates the channel all the same.";
        M11: "A Put is answered, but nothing is stored.";
        M12: "A Get is answered with the first record of the channel.";
        M13: "An Exists is always answered with no.";
        M14: "A Remove is answered, but nothing is removed.";
        M15: "A Remove asks the newest node first.";
        M16: "Every client may remove channels.";
        M17: "A list of channels that stands on a removed one leaves out the one behind it.";
        M20: "The node acknowledges every control message twice.";
        M21: "The node sends a batch after it has acknowledged Stop.";
        M22: "The node sends Finished after it has acknowledged Stop.";
        M23: "The client sends every control message twice.";
        M24: "The node sends three batches after it has acknowledged Suspend.";
        M25: "The client does not acknowledge the final message.";
        M26: "A GetAll starts over on a node that is back.";
        M27: "The node overlooks Stop.";
        M28: "The user is not told that its request is suspended.";
        M29: "The user is told twice that its request has started.";
        M30: "A suspended request begins running on a node.";
        M31: "The node does not begin suspended.";
        M32: "Resume ends the request on a node.";
        M33: "A request that was stopped tells that it has finished.";
        M34: "The client acknowledges the final message twice.";
        M35: "A request is not restarted on a node that is back.";
        M36: "The node does not look at the filter.";
        M37: "The node cuts its batches short by a byte.";
        M38: "The node does not say that it has finished.";
        M39: "A value that is too large for a batch is cut.";
        M40: "A node that compares and writes lets others write in between.";
        M41: "A node that finds a conflict writes all the same.";
        M42: "A node does not tell of new nodes.";
        M43: "A node that is not responsible for a key stores what is put all the same.";
        M44: "The user of a list of channels is told the end when the first node has finished.";
        M45: "A node lists each channel twice.";
        M46: "The user is told that it is suspended when it reads too slowly.";
        M47: "A node sends an empty batch behind Finished.";
        M53: "A client leaves the old copy of a record that it has moved.";
        M60: "A Mirror does not report that it lost changes.";
        M61: "A Mirror reports lost changes after every removal of a record.";
        M62: "A Mirror delivers the removal of a record after the write that followed it.";
        M63: "A Mirror queues changes without end.";
        M64: "A record that changes after it was copied to another node is not copied again.";
        M65: "A node removes what it hands over before the other node has confirmed it.";
        M66: "A Mirror is told of a record's removal that has only moved to another node.";
        M67: "A node does not connect to another one again when the connection has broken.";
    }
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let same = |defect: &&Self| defect.name().eq_ignore_ascii_case(text);
        let found = Self::ALL.iter().find(same).copied();
        found.ok_or_else(|| {
            let names = |defects: &[Self]| {
                let names: Vec<&str> = defects.iter().map(|defect| defect.name()).collect();
                names.join(", ")
            };
            let (original, mutants) = (names(Self::ORIGINAL), names(Self::MUTANTS));
            format!("the original's defects are {original}; mutants are {mutants}")
        })
    }
}

/// The defects that are switched on: a bit for each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Defects(u128);

const _: () = assert!(Defect::ALL.len() <= u128::BITS as usize);

impl Defects {
    /// Just this one.
    pub fn only(defect: Defect) -> Self {
        Self(1 << defect as u64)
    }

    /// Is there any?
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// Is this one on?
    pub fn has(self, defect: Defect) -> bool {
        self.0 & 1 << defect as u64 != 0
    }
}
