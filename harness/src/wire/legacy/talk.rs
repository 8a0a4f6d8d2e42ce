//! Whole requests in one call, for what a check is not about, and for what it compares.

use bytes::Bytes;
use dht_protocol::legacy::{
    Answer, ClientRequest, Command, Event, KeyText, Order, Status, batch::Batch,
};
use dht_protocol::{ChannelName, Key, Size};
use dht_requirements as req;

use super::link::{LegacyLink, named, told};
use crate::unkept::{Checked, Outcome, Unkept, broken};

impl LegacyLink {
    /// Put, which the node stores.
    pub async fn store(
        &mut self,
        channel: &ChannelName,
        key: Key,
        value: impl Into<Bytes>,
    ) -> Checked {
        let order = put(channel, key, value);
        self.expect_status(&req::LEG_PUT_STORED, &order, Status::Ok)
            .await
    }

    /// Get, the empty value where there is no record.
    pub async fn get(&mut self, channel: &ChannelName, key: Key) -> Checked<Bytes> {
        let order = get(channel, key);
        match self.ask(&order).await? {
            Answer::Value(value) => Ok(value),
            other => Err(unexpected(&order, &other)),
        }
    }

    /// Exists.
    pub async fn exists(&mut self, channel: &ChannelName, key: Key) -> Checked<bool> {
        let order = exists(channel, key);
        match self.ask(&order).await? {
            Answer::Exists(exists) => Ok(exists),
            other => Err(unexpected(&order, &other)),
        }
    }

    /// Remove, which is carried out.
    pub async fn remove(&mut self, channel: &ChannelName, key: Key) -> Checked {
        let order = remove(channel, key);
        self.expect_status(&req::LEG_REMOVE_GONE, &order, Status::Ok)
            .await
    }

    /// RemoveChannel, which is carried out.
    pub async fn remove_channel(&mut self, channel: &ChannelName) -> Checked {
        let order = remove_channel(channel);
        self.expect_status(&req::LEG_RMCHANNEL_GONE, &order, Status::Ok)
            .await
    }

    /// PutBatch, which is carried out.
    pub async fn store_batch(
        &mut self,
        channel: &ChannelName,
        records: &[(Key, Bytes)],
    ) -> Checked {
        let order = put_batch(channel, batch_of(records));
        self.expect_status(&req::LEG_PUTBATCH_STORED, &order, Status::Ok)
            .await
    }

    /// GetChannelSize.
    pub async fn channel_size(&mut self, channel: &ChannelName) -> Checked<Size> {
        let channel = channel.clone();
        self.size(&Order::GetChannelSize { channel }).await
    }

    /// GetSize or GetChannelSize.
    pub async fn size(&mut self, order: &Order) -> Checked<Size> {
        match self.ask(order).await? {
            Answer::Size(_, size) => Ok(size),
            other => Err(unexpected(order, &other)),
        }
    }

    /// GetChannels, in the order in which they came.
    pub async fn channels(&mut self) -> Checked<Vec<ChannelName>> {
        let pieces = self.pieces(&Order::GetChannels).await?;
        Ok(pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Event::Channel(name) => Some(name),
                _ => None,
            })
            .collect())
    }

    /// Is the channel listed?
    pub async fn lists(&mut self, channel: &ChannelName) -> Checked<bool> {
        Ok(self.channels().await?.contains(channel))
    }

    /// GetAll or GetAllFilter, the records in the order in which they came.
    pub async fn records(&mut self, order: &Order) -> Checked<Vec<(Key, Bytes)>> {
        Ok(self.batches(order).await?.concat())
    }

    /// GetAll, the records in the order in which they came.
    pub async fn all(&mut self, channel: &ChannelName) -> Checked<Vec<(Key, Bytes)>> {
        self.records(&get_all(channel)).await
    }

    /// GetAll or GetAllFilter, batch by batch.
    pub async fn batches(&mut self, order: &Order) -> Checked<Vec<Vec<(Key, Bytes)>>> {
        let pieces = self.pieces(order).await?;
        Ok(pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Event::Records(records) => Some(records),
                _ => None,
            })
            .collect())
    }

    /// GetAllKeys, in the order in which they came.
    pub async fn all_keys(&mut self, channel: &ChannelName) -> Checked<Vec<Key>> {
        let pieces = self.pieces(&get_all_keys(channel)).await?;
        let keys = pieces.into_iter().filter_map(|piece| match piece {
            Event::Keys(keys) => Some(keys),
            _ => None,
        });
        Ok(keys.flatten().collect())
    }

    /// An answer in pieces, to its end.
    pub async fn pieces(&mut self, order: &Order) -> Checked<Vec<Event>> {
        self.send(order).await;
        let mut request = ClientRequest::new(order.command());
        let mut pieces = Vec::new();
        loop {
            match self.piece(&mut request).await? {
                Event::Started => {}
                Event::Ended => return Ok(pieces),
                Event::Answered(answer) => return Err(unexpected(order, &answer)),
                piece => pieces.push(piece),
            }
        }
    }
}

/// Put.
pub fn put(channel: &ChannelName, key: impl Into<KeyText>, value: impl Into<Bytes>) -> Order {
    Order::Put {
        channel: channel.clone(),
        key: key.into(),
        value: value.into(),
    }
}

/// Get.
pub fn get(channel: &ChannelName, key: impl Into<KeyText>) -> Order {
    Order::Get {
        channel: channel.clone(),
        key: key.into(),
    }
}

/// Exists.
pub fn exists(channel: &ChannelName, key: impl Into<KeyText>) -> Order {
    Order::Exists {
        channel: channel.clone(),
        key: key.into(),
    }
}

/// Remove.
pub fn remove(channel: &ChannelName, key: impl Into<KeyText>) -> Order {
    Order::Remove {
        channel: channel.clone(),
        key: key.into(),
    }
}

/// RemoveChannel.
pub fn remove_channel(channel: &ChannelName) -> Order {
    let channel = channel.clone();
    Order::RemoveChannel { channel }
}

/// GetAll.
pub fn get_all(channel: &ChannelName) -> Order {
    let channel = channel.clone();
    Order::GetAll { channel }
}

/// GetAllKeys.
pub fn get_all_keys(channel: &ChannelName) -> Order {
    let channel = channel.clone();
    Order::GetAllKeys { channel }
}

/// GetAllFilter.
pub fn get_all_filter(channel: &ChannelName, filter: impl Into<Bytes>) -> Order {
    Order::GetAllFilter {
        channel: channel.clone(),
        filter: filter.into(),
    }
}

/// Listen.
pub fn listen(channel: &ChannelName) -> Order {
    let channel = channel.clone();
    Order::Listen { channel }
}

/// PutBatch.
pub fn put_batch(channel: &ChannelName, batch: impl Into<Bytes>) -> Order {
    Order::PutBatch {
        channel: channel.clone(),
        batch: batch.into(),
    }
}

/// A batch of these records, as far as they fit.
pub fn batch_of(records: &[(Key, Bytes)]) -> Vec<u8> {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.push(*key, value);
    }
    batch.finish()
}

/// An order of every command that has a channel, but for Listen, which some nodes do not survive with a bad
/// name. `key` may be none.
pub fn orders_in(channel: &ChannelName, key: &KeyText) -> Vec<Order> {
    let mut orders = vec![
        put(channel, key.clone(), "value"),
        get(channel, key.clone()),
        exists(channel, key.clone()),
        remove(channel, key.clone()),
    ];
    orders.push(Order::GetChannelSize {
        channel: channel.clone(),
    });
    orders.push(remove_channel(channel));
    orders.push(get_all(channel));
    orders.push(get_all_keys(channel));
    orders.push(get_all_filter(channel, "x"));
    orders.push(put_batch(channel, batch_of(&[])));
    orders
}

/// The orders without arguments.
pub const PLAIN: [Order; 4] = [
    Order::GetVersion,
    Order::GetResponsibleRange,
    Order::GetChannels,
    Order::GetSize,
];

/// An answer of another command or status.
fn unexpected(order: &Order, answer: &Answer) -> Unkept {
    let rule = match order.command() {
        Command::Get => &req::LEG_GET_VALUE,
        Command::Exists => &req::LEG_EXISTS_PRESENT,
        Command::GetChannels => &req::LEG_CHANNELS_COMPLETE,
        Command::GetChannelSize => &req::LEG_SIZE_CHANNEL,
        Command::GetSize => &req::LEG_SIZE_ALL,
        Command::GetAll => &req::LEG_GETALL_COMPLETE,
        Command::GetAllKeys => &req::LEG_GETALL_KEYS,
        Command::GetAllFilter => &req::LEG_GETALL_FILTER_MATCHES,
        _ => &req::LEG_ANSWER_COMES,
    };
    let (sent, expected) = (named(order), ["Ok (200), and what was asked for"]);
    broken(rule, Outcome::Answer, sent, &expected, told(answer))
}
