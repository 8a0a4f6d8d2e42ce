//! The defects of the original implementation as switches (`neo-requests.md` section 15): each is one
//! small deviation at a seam of the model, where the machines meet the world around them. With a switch
//! on, the checker has to find a counterexample; with all off, every property holds.

use std::str::FromStr;

pub(crate) mod mirror;

/// Defines the defects with the number they have in the specification and what is wrong.
macro_rules! defects {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $about:literal;)+) => {
        /// A defect of the original, by its number in `neo-requests.md` section 14 (F); or one that the
        /// original does not have, by which a property is tried that the original keeps (M).
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Defect {
            $(
                #[doc = $about]
                $name = $number,
            )+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name, `F05`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What is wrong, in a sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)+
                }
            }
        }
    };
}

defects! {
    F01 = 1, "The node does not answer a client that may not remove channels.";
    F02 = 2, "If updates and a dump both wait for Resume, the second of them is never sent.";
    F03 = 3, "A Mirror that has something to send misses that its channel is removed.";
    F04 = 4, "What reads or follows a removed channel goes on in the channel that is created next.";
    F05 = 5, "A dump delivers values that are older than the update sent before.";
    F06 = 6, "An iteration that stands on a removed record leaves out the one behind it.";
    F07 = 7, "An iteration that stands on a removed record goes on where any iteration was last.";
    F08 = 8, "An iteration that stands on a removed record starts over.";
    F14 = 14, "The node ends GetHashRange silently if the client says another word.";
    F16 = 16, "The second step of an Update does not look at the node's range again.";
    F28 = 28, "A node tells of its smaller range before it tells of the node that has the rest.";
    F30 = 30, "A control call before the node has started breaks the connection.";
    F31 = 31, "A request that is stopped while nodes are away is never ended there.";
    F32 = 32, "The end of a change, or of the request, is not told if a node ended meanwhile.";
    F33 = 33, "To leave a record the client writes an empty value over it.";
    F34 = 34, "After moving a record the client breaks the connection instead of removing the old copy.";
    F35 = 35, "After a success the client asks the next node as well.";
    F36 = 36, "An Update that finds a node away ends without a word to its user.";
    F37 = 37, "If a record cannot be moved the client does not close the Update on the old node.";
    F38 = 38, "The names a client has seen are forgotten when the first node ends.";
    F39 = 39, "Remove reports the last node's answer instead of whether any node removed.";
    F40 = 40, "A node that is away counts as one that has no record.";
    F41 = 41, "A node that is connected again counts as the newest.";
    F44 = 44, "An unexpected supported status ends a request without a word to its user.";
    M60 = 60, "A Mirror does not report that it lost changes.";
    M61 = 61, "A Mirror reports lost changes after every removal of a record.";
    M62 = 62, "A Mirror delivers the removal of a record after the write that followed it.";
    M63 = 63, "A Mirror queues changes without end.";
    M01 = 64, "The node answers without having said whether it knows the request.";
    M02 = 65, "The node says that it does not know a request, and answers it all the same.";
    M03 = 66, "The node says Got twice.";
    M04 = 67, "The client sends every request twice.";
    M05 = 68, "The client thanks for the last answer.";
    M06 = 69, "The user is told the end twice.";
    M07 = 70, "The loss of one connection ends requests on other connections.";
    M08 = 71, "A node closes all its connections when one client breaks the protocol.";
    M09 = 72, "What was on its way when a connection broke arrives over the next one.";
    M10 = 73, "A node that is not responsible for a key creates the channel all the same.";
    M11 = 74, "A Put is answered, but nothing is stored.";
    M12 = 75, "A Get is answered with the first record of the channel.";
    M13 = 76, "An Exists is always answered with no.";
    M14 = 77, "A Remove is answered, but nothing is removed.";
    M15 = 78, "A Remove asks the newest node first.";
    M16 = 79, "Every client may remove channels.";
    M17 = 80, "A list of channels that stands on a removed one leaves out the one behind it.";
    M43 = 104, "A node that is not responsible for a key stores what is put all the same.";
    M44 = 105, "The user of a list of channels is told the end when the first node has finished.";
    M45 = 106, "A node lists each channel twice.";
    M40 = 100, "A node that compares and writes lets others write in between.";
    M41 = 101, "A node that finds a conflict writes all the same.";
    M42 = 102, "A node does not tell of new nodes.";
    M46 = 107, "The user is told that it is suspended when it reads too slowly.";
    M53 = 110, "A client leaves the old copy of a record that it has moved.";
    M20 = 82, "The node acknowledges every control message twice.";
    M21 = 83, "The node sends a batch after it has acknowledged Stop.";
    M22 = 84, "The node sends Finished after it has acknowledged Stop.";
    M23 = 85, "The client sends every control message twice.";
    M24 = 86, "The node sends three batches after it has acknowledged Suspend.";
    M25 = 87, "The client does not acknowledge the final message.";
    M26 = 88, "A GetAll starts over on a node that is back.";
    M27 = 89, "The node overlooks Stop.";
    M28 = 90, "The user is not told that its request is suspended.";
    M29 = 91, "The user is told twice that its request has started.";
    M30 = 92, "A suspended request begins running on a node.";
    M31 = 93, "The node does not begin suspended.";
    M32 = 94, "Resume ends the request on a node.";
    M33 = 95, "A request that was stopped tells that it has finished.";
    M34 = 96, "The client acknowledges the final message twice.";
    M35 = 97, "A request is not restarted on a node that is back.";
    M36 = 98, "The node does not look at the filter.";
    M37 = 99, "The node cuts its batches short by a byte.";
    M38 = 81, "The node does not say that it has finished.";
    M39 = 103, "A value that is too large for a batch is cut.";
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let same = |defect: &&Self| defect.name().eq_ignore_ascii_case(text);
        let found = Self::ALL.iter().find(same).copied();
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|defect| defect.name()).collect();
            format!("the defects are {}", names.join(", "))
        })
    }
}

/// The defects that are switched on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Defects(u128);

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
