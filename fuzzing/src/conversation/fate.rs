//! What a network does to a message.

use std::collections::VecDeque;

use arbitrary::Arbitrary;

/// What becomes of a message.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Fate {
    Arrives,
    IsLost,
    ArrivesTwice,
    /// The next one is first.
    IsOvertaken,
    /// One byte is another one.
    IsDamaged(u8, u8),
}

impl Fate {
    /// Does it to the first message. Has nothing happened that a good network does not do?
    pub(super) fn suffer(self, messages: &mut VecDeque<Vec<u8>>) -> bool {
        let Some(first) = messages.front_mut() else {
            return true;
        };
        match self {
            Self::Arrives => return true,
            Self::IsDamaged(_, 0) => return true,
            Self::IsDamaged(place, bits) => {
                let place = usize::from(place) % first.len();
                first[place] ^= bits;
            }
            Self::IsLost => {
                messages.pop_front();
            }
            Self::ArrivesTwice => {
                let again = first.clone();
                messages.push_front(again);
            }
            Self::IsOvertaken if messages.len() < 2 => return true,
            Self::IsOvertaken => messages.swap(0, 1),
        }
        false
    }
}
