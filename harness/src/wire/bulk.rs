//! Many requests in one piece, for checks that need many records.

use bytes::Bytes;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::{RequestCode, put, remove};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;

use super::link::Link;
use super::talk::{put_opening, record};
use crate::unkept::Checked;

impl Link {
    /// Opens requests in one piece, without waiting for any.
    pub async fn open_at_once(&mut self, openings: &[Vec<u8>]) -> Vec<RequestId> {
        let ids: Vec<_> = openings.iter().map(|_| self.fresh_id()).collect();
        let openings = openings.iter().map(|opening| &opening[..]);
        let messages: Vec<_> = ids.iter().copied().zip(openings).collect();
        self.say_at_once(&messages).await;
        ids
    }

    /// Opens the same request so many times, in one piece.
    pub async fn open_times(&mut self, opening: &[u8], times: usize) -> Vec<RequestId> {
        let ids: Vec<_> = (0..times).map(|_| self.fresh_id()).collect();
        let messages: Vec<_> = ids.iter().map(|id| (*id, opening)).collect();
        self.say_at_once(&messages).await;
        ids
    }

    /// Puts, all of which the node stores.
    pub async fn store_all(&mut self, channel: &ChannelName, records: &[(Key, Bytes)]) -> Checked {
        let puts = records.iter();
        let puts: Vec<_> = puts
            .map(|(key, value)| put_opening(channel, *key, value.clone()))
            .collect();
        let stored = put::Reply::Put.encode();
        self.all_answered(&puts, "Put (stored)", &stored).await
    }

    /// Removes, each of which removes a record.
    pub async fn remove_all(&mut self, channel: &ChannelName, keys: &[Key]) -> Checked {
        let removes = keys.iter();
        let removes: Vec<_> = removes
            .map(|key| record(channel, *key).opening(RequestCode::Remove))
            .collect();
        let removed = remove::Reply::Removed.encode();
        self.all_answered(&removes, "Removed", &removed).await
    }

    async fn all_answered(&mut self, openings: &[Vec<u8>], what: &str, answer: &[u8]) -> Checked {
        for id in self.open_at_once(openings).await {
            self.supported(id).await?;
            let rule = &req::REQ_INSIDE_SERVED;
            self.expect(id, rule, what, answer).await?;
        }
        Ok(())
    }
}
