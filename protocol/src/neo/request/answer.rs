//! The node's half of requests with a single answer of one byte: Put, Exists, Remove and RemoveChannel do
//! what they are asked for when the message comes, and say how it went when there is room.

use std::fmt::Debug;
use std::hash::Hash;

use super::{Host, NodeHalf, Opening, Progress, RequestCode};
use crate::neo::violation::Violation;

/// The answer of one of these requests.
pub trait SingleAnswer: Copy + Debug + Eq + Hash {
    /// Which request.
    const CODE: RequestCode;

    /// Does what the client's only message asks for.
    fn to<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation>;

    /// The message.
    fn encode(self) -> [u8; 1];
}

/// The node's half.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Answering<A> {
    /// The answer, until it is sent.
    answer: Option<A>,
}

impl<A: SingleAnswer> NodeHalf for Answering<A> {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        A::to(opening, host).map(|answer| Self {
            answer: Some(answer),
        })
    }

    fn receive<H: Host>(&mut self, _: &[u8], _: &mut H) -> Result<(), Violation> {
        Err(A::CODE.unexpected_second())
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        let Some(answer) = self.answer.take() else {
            return Progress::Ended;
        };
        out.extend_from_slice(&answer.encode());
        Progress::Sent
    }

    fn is_over(&self) -> bool {
        self.answer.is_none()
    }
}
