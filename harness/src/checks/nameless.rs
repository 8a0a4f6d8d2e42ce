//! The channel without a name, which neo can make.
//!
//! On nodes whose legacy lists end at it, it would disturb everybody who comes later; so whoever makes it
//! removes it, unless somebody had it before.

use dht_protocol::{ChannelName, Key, fnv1a};

use super::Ground;
use crate::wire::Link;

/// The channel, and whether it is the check's alone.
#[derive(Debug)]
pub(super) struct Nameless {
    pub(super) channel: ChannelName,
    ours: bool,
}

impl Nameless {
    /// Looks whether the node has the channel already. Where it does not say, it may.
    pub(super) async fn find(ground: &Ground) -> Self {
        let channel = ChannelName::from("");
        let listed = match ground.link().await {
            Ok(mut link) => link.channels().await,
            Err(unkept) => Err(unkept),
        };
        Self {
            ours: listed.is_ok_and(|names| !names.contains(&channel)),
            channel,
        }
    }

    /// A key that no other check uses in it.
    pub(super) fn key(ground: &Ground) -> Key {
        ground.key(fnv1a(ground.channel("").as_bytes()))
    }

    /// Removes the channel if nobody else has it. Who may not remove channels leaves it.
    pub(super) async fn leave(self, link: &mut Link) {
        if self.ours {
            let _ = link.remove_channel(&self.channel).await;
        }
    }
}
