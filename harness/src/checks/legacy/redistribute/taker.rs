//! The node that records are given to.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use dht_protocol::legacy::{Answer, Incoming, Order, Status, batch};
use dht_protocol::{ChannelName, Key};
use futures_util::future::select_all;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::checks::Ground;
use crate::unkept::{Checked, Unkept};

/// Takes what it is given, on as many connections as the giver likes.
#[derive(Debug)]
pub(super) struct Taker {
    listener: TcpListener,
    port: u16,
    patience: Duration,
    givers: Vec<Giver>,
    taken: Vec<(ChannelName, Key, Bytes)>,
}

/// A connection of the node that gives.
#[derive(Debug)]
struct Giver {
    stream: TcpStream,
    input: BytesMut,
    /// How many orders are not answered.
    owed: usize,
}

impl Taker {
    /// Listens on a free port.
    pub(super) async fn listen(ground: &Ground) -> Checked<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(local)?;
        Ok(Self {
            port: listener.local_addr().map_err(local)?.port(),
            listener,
            patience: ground.patience(),
            givers: Vec::new(),
            taken: Vec::new(),
        })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What it was given of this channel.
    pub(super) fn taken(&self, channel: &ChannelName) -> BTreeMap<Key, Bytes> {
        let taken = self.taken.iter().filter(|(of, ..)| of == channel);
        taken.map(|(_, key, value)| (*key, value.clone())).collect()
    }

    /// Takes orders and answers them, for ever.
    pub(super) async fn take(&mut self) -> Checked {
        loop {
            self.next().await.map_err(local)?;
            self.release().await?;
        }
    }

    /// Takes an order, and does not answer it. The node may keep it waiting for as long as it may take for an
    /// answer.
    pub(super) async fn hold(&mut self) -> Checked {
        while self.givers.iter().all(|giver| giver.owed == 0) {
            match timeout(self.patience, self.next()).await {
                Ok(read) => read.map_err(local)?,
                Err(_) => {
                    return Err(Unkept::Inconclusive(
                        "the node has sent no record to the node that is to take them".to_owned(),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Answers what was not answered.
    pub(super) async fn release(&mut self) -> Checked {
        for giver in &mut self.givers {
            let mut answer = Vec::new();
            for _ in 0..std::mem::take(&mut giver.owed) {
                Answer::Status(Status::Ok).encode(&mut answer);
            }
            giver.stream.write_all(&answer).await.map_err(local)?;
        }
        Ok(())
    }

    /// Waits for a connection, or for bytes on one.
    async fn next(&mut self) -> io::Result<()> {
        let place = match came(&self.listener, &self.givers).await? {
            Came::Giver(stream) => {
                self.givers.push(Giver::new(stream));
                return Ok(());
            }
            Came::Bytes(place) => place,
        };
        let giver = &mut self.givers[place];
        match giver.stream.try_read_buf(&mut giver.input) {
            Ok(1..) => self.taken.extend(giver.orders()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => drop(self.givers.swap_remove(place)),
        }
        Ok(())
    }
}

/// What happened.
enum Came {
    /// A connection.
    Giver(TcpStream),
    /// Bytes on the connection at this place, or its end.
    Bytes(usize),
}

async fn came(listener: &TcpListener, givers: &[Giver]) -> io::Result<Came> {
    let accepting = async { Ok(Came::Giver(listener.accept().await?.0)) };
    if givers.is_empty() {
        return accepting.await;
    }
    let readable = givers.iter().map(|giver| Box::pin(giver.stream.readable()));
    tokio::select! {
        accepted = accepting => accepted,
        (ready, place, _) = select_all(readable) => ready.map(|()| Came::Bytes(place)),
    }
}

impl Giver {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            owed: 0,
        }
    }

    /// The records of the orders that are complete.
    fn orders(&mut self) -> Vec<(ChannelName, Key, Bytes)> {
        let mut taken = Vec::new();
        while let Ok(Some((Incoming::Order(order), length))) = Order::decode(&self.input, u64::MAX)
        {
            self.input.advance(length);
            self.owed += 1;
            match order {
                Order::Put {
                    channel,
                    key,
                    value,
                } => taken.extend(key.parse().map(|key| (channel, key, value))),
                Order::PutBatch { channel, batch } => {
                    let records = batch::decode_records(&batch).unwrap_or_default();
                    let records = records.into_iter();
                    taken.extend(records.map(|(key, value)| (channel.clone(), key, value)));
                }
                _ => {}
            }
        }
        taken
    }
}

/// What went wrong on this side.
fn local(error: io::Error) -> Unkept {
    Unkept::Inconclusive(format!("the node that is to take records: {error}"))
}
