//! What bugs make of messages that pass.
//!
//! A bug is written from the left to the right: on the way of which messages it stands, what becomes of
//! them, and of which ones. `leaving(twice(answer(put::Reply::Put)))` says an answer twice.

use super::message::{FromNode, Message, Opening};
use super::seam::Seam;

/// What becomes of a message.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// It goes on as it is.
    Pass,
    /// These payloads go on instead.
    Instead(Vec<Vec<u8>>),
    /// It waits until another message has gone on, in the same direction of the same connection.
    Hold,
    /// It vanishes, and the node closes the connection.
    Close,
    /// It vanishes, and the node crashes.
    Crash,
}

impl Fate {
    /// It vanishes.
    pub(super) fn lost() -> Self {
        Self::Instead(Vec::new())
    }

    /// Another one comes.
    pub(super) fn changed(payload: impl Into<Vec<u8>>) -> Self {
        Self::Instead(vec![payload.into()])
    }

    /// Another one comes, if there is one.
    pub(super) fn changed_if(payload: Option<impl Into<Vec<u8>>>) -> Self {
        payload.map_or(Self::Pass, Self::changed)
    }

    /// Another one comes behind it.
    pub(super) fn followed(message: &Message<'_>, payload: impl Into<Vec<u8>>) -> Self {
        Self::Instead(vec![message.payload.to_vec(), payload.into()])
    }

    /// These come instead.
    pub(super) fn said<M: FromNode>(messages: impl IntoIterator<Item = M>) -> Self {
        let messages = messages.into_iter();
        Self::Instead(messages.map(|message| message.payload()).collect())
    }
}

/// What a bug makes of each message that passes.
pub(super) type MessageBug = Box<dyn FnMut(&Message<'_>) -> Fate + Send>;

/// Acts on the messages of clients before the node sees them.
pub(super) fn arriving(bug: impl FnMut(&Message<'_>) -> Fate + Send + 'static) -> Seam {
    Seam::Arriving(Box::new(bug))
}

/// Acts on the messages for clients before they are sent.
pub(super) fn leaving(bug: impl FnMut(&Message<'_>) -> Fate + Send + 'static) -> Seam {
    Seam::Leaving(Box::new(bug))
}

/// One answer is given instead of another one.
pub(super) fn answered<M: FromNode>(instead_of: M, answer: M) -> Seam {
    leaving(rewritten(move |said: M| {
        (said == instead_of).then(|| answer.payload())
    }))
}

/// What a client asks for is taken for something else.
pub(super) fn opened<O: Opening>(change: impl Fn(&mut O) + Send + 'static) -> Seam {
    arriving(move |message| {
        let open = message.opens().map(|mut open| {
            change(&mut open);
            open.payload()
        });
        Fate::changed_if(open)
    })
}

/// They vanish.
pub(super) fn lost(which: impl FnMut(&Message<'_>) -> bool) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |_| Fate::lost())
}

/// They come twice.
pub(super) fn twice(which: impl FnMut(&Message<'_>) -> bool) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |message| Fate::followed(message, message.payload))
}

/// They come behind the next message.
pub(super) fn held(which: impl FnMut(&Message<'_>) -> bool) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |_| Fate::Hold)
}

/// They cost the connection.
pub(super) fn closing(which: impl FnMut(&Message<'_>) -> bool) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |_| Fate::Close)
}

/// They kill the node.
pub(super) fn crashing(
    which: impl FnMut(&Message<'_>) -> bool,
) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |_| Fate::Crash)
}

/// They are this instead.
pub(super) fn instead(
    which: impl FnMut(&Message<'_>) -> bool,
    payload: impl Into<Vec<u8>>,
) -> impl FnMut(&Message<'_>) -> Fate {
    let payload = payload.into();
    becoming(which, move |_| Fate::changed(payload.as_slice()))
}

/// They have this behind their last byte.
pub(super) fn with_surplus(
    which: impl FnMut(&Message<'_>) -> bool,
) -> impl FnMut(&Message<'_>) -> Fate {
    becoming(which, |message| {
        Fate::changed([message.payload, &[0]].concat())
    })
}

/// What becomes of which messages.
pub(super) fn becoming(
    mut which: impl FnMut(&Message<'_>) -> bool,
    fate: impl Fn(&Message<'_>) -> Fate,
) -> impl FnMut(&Message<'_>) -> Fate {
    move |message| match which(message) {
        true => fate(message),
        false => Fate::Pass,
    }
}

/// What the node says becomes what `change` makes of it, if anything.
pub(super) fn rewritten<M: FromNode>(
    mut change: impl FnMut(M) -> Option<Vec<u8>>,
) -> impl FnMut(&Message<'_>) -> Fate {
    move |message| Fate::changed_if(message.said().and_then(&mut change))
}
