//! RemoveChannel.

use dht_protocol::ChannelName;
use dht_protocol::neo::request::remove_channel::Notice;
use dht_protocol::neo::request::{Failure, gather};

use crate::client::Client;
use crate::error::{RemoveChannelError, RequestError};
use crate::ticket::next;
use crate::waiters::Queue;
use dht_protocol::neo::client::Request;

impl Client {
    /// Removes a channel with all its records from all nodes. Waits for all of them, also for those that
    /// are not connected.
    pub async fn remove_channel(
        &self,
        channel: impl Into<ChannelName>,
    ) -> Result<(), RemoveChannelError> {
        let request = Request::RemoveChannel(channel.into());
        let (mut ticket, mut events) = self.follow(request, Queue::RemoveChannel)?;
        let mut outcome = Ok(());
        let told = self.in_time(async {
            while let Some(event) = next(&mut events).await {
                match event {
                    gather::Notification::Finished => return true,
                    // The node is asked again when it is back.
                    gather::Notification::Disconnected(_) => {}
                    _ if outcome.is_err() => {}
                    gather::Notification::Notice(Notice::NotPermitted(node)) => {
                        outcome = Err(RemoveChannelError::NotPermitted { node });
                    }
                    gather::Notification::NodeError(node) => {
                        outcome = Err(Failure::NodeError { node }.into());
                    }
                    gather::Notification::Unsupported(node, status) => {
                        outcome = Err(Failure::Unsupported { node, status }.into());
                    }
                }
            }
            false
        });
        match told.await {
            Ok(true) => {
                ticket.ended = true;
                outcome
            }
            Ok(false) => Err(RequestError::Shutdown.into()),
            Err(failure) => Err(failure.into()),
        }
    }
}
