//! Expectations of RemoveChannel and GetChannels.

use dht_client::RemoveChannelError;
use dht_requirements as req;

use super::{Checked, Context, Outcome, broken};

impl Context<'_> {
    /// Removes a channel of the check.
    pub async fn remove_channel(&self, channel: &str) -> Checked {
        let sent = "RemoveChannel";
        self.need_admin()?;
        let removed = self.client.remove_channel(self.channel(channel)).await;
        removed.map_err(|error| match error {
            RemoveChannelError::Request(error) => {
                self.failed(&req::RMCHANNEL_STARTS_EMPTY, sent, "ChannelRemoved", error)
            }
            refused => broken(
                &req::RMCHANNEL_ANSWER,
                Outcome::Answer,
                sent,
                &["ChannelRemoved, to the client \"admin\""],
                refused.to_string(),
            ),
        })
    }

    /// GetChannels lists these channels of the check, each once, and no other ones of it.
    pub async fn expect_channels(&self, names: &[&str]) -> Checked {
        let mut expected: Vec<_> = names.iter().map(|name| self.channel(name)).collect();
        expected.sort();
        let sent = "GetChannels";
        let wanted = format!("{expected:?}, each once, in any order");
        let channels = self.client.channels().collect_all().await;
        let channels =
            channels.map_err(|error| self.failed(&req::CHANNELS_REAL, sent, &wanted, error))?;
        let mut listed: Vec<_> = channels
            .into_iter()
            .filter(|name| self.owns(name))
            .collect();
        listed.sort();
        let rule = if expected.iter().any(|name| !listed.contains(name)) {
            &req::CHANNELS_COMPLETE
        } else if listed.iter().any(|name| !expected.contains(name)) {
            &req::CHANNELS_REAL
        } else {
            &req::CHANNELS_UNIQUE
        };
        self.expect(rule, sent, &[&wanted], listed == expected, || {
            format!("{listed:?}")
        })
    }
}
