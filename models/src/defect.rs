//! The defects of the original implementation as switches (`neo-requests.md` section 15): each is one
//! small deviation at a seam of the model, where the machines meet the world around them. With a switch
//! on, the checker has to find a counterexample; with all off, every property holds.

/// Defines the defects with the number they have in the specification and what is wrong.
macro_rules! defects {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $about:literal;)+) => {
        /// A defect of the original, by its number in `neo-requests.md` section 14.
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
    F30 = 30, "A control call before the node has started breaks the connection.";
    F31 = 31, "A request that is stopped while nodes are away is never ended there.";
    F32 = 32, "The end of a change, or of the request, is not told if a node ended meanwhile.";
    F33 = 33, "To leave a record the client writes an empty value over it.";
    F34 = 34, "After moving a record the client breaks the connection instead of removing the old copy.";
    F35 = 35, "After a success the client asks the next node as well.";
    F36 = 36, "An Update that finds a node away ends without a word to its user.";
    F38 = 38, "The names a client has seen are forgotten when the first node ends.";
    F39 = 39, "Remove reports the last node's answer instead of whether any node removed.";
    F40 = 40, "A node that is away counts as one that has no record.";
    F44 = 44, "An unexpected supported status ends a request without a word to its user.";
}

/// The defects that are switched on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Defects(u64);

impl Defects {
    /// Just this one.
    pub fn only(defect: Defect) -> Self {
        Self(1 << defect as u64)
    }

    /// Is this one on?
    pub fn has(self, defect: Defect) -> bool {
        self.0 & 1 << defect as u64 != 0
    }
}
