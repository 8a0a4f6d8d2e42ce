//! Expectations of RemoveChannel and GetChannels.

use dht_client::RemoveChannelError;

use super::{Broken, Checked, Context, Unkept};

impl Context {
    /// Removes a channel of the check.
    pub async fn remove_channel(&self, channel: &str) -> Checked {
        let sent = "RemoveChannel";
        let removed = self.client.remove_channel(self.channel(channel)).await;
        removed.map_err(|error| match error {
            RemoveChannelError::Request(error) => self.failed("A4", sent, "ChannelRemoved", error),
            RemoveChannelError::NotPermitted { .. } if !self.may_remove_channels => {
                Unkept::NotApplicable(
                    "the client is not \"admin\", so it may not remove channels".to_owned(),
                )
            }
            refused => Unkept::Broken(Broken {
                rule: "P23",
                sent: sent.to_owned(),
                expected: vec!["ChannelRemoved, to the client \"admin\"".to_owned()],
                observed: refused.to_string(),
            }),
        })
    }

    /// GetChannels lists these channels of the check, each once, and no other ones of it.
    pub async fn expect_channels(&self, names: &[&str]) -> Checked {
        let mut expected: Vec<_> = names.iter().map(|name| self.channel(name)).collect();
        expected.sort();
        let sent = "GetChannels";
        let wanted = format!("{expected:?}, each once, in any order");
        let channels = self.client.channels().collect_all().await;
        let channels = channels.map_err(|error| self.failed("P25", sent, &wanted, error))?;
        let mut listed: Vec<_> = channels
            .into_iter()
            .filter(|name| self.owns(name))
            .collect();
        listed.sort();
        self.expect("A18.10", sent, &[&wanted], listed == expected, || {
            format!("{listed:?}")
        })
    }
}
