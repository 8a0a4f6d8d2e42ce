//! A client that speaks the legacy protocol: one order at a time, with the halves of
//! [`dht_protocol::legacy`].

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use dht_model::{Action, Answer, Operation};
use dht_protocol::legacy::batch::{Batch, Pushed};
use dht_protocol::legacy::{self, ClientRequest, Event as Said, KeyText, Order, Status};
use dht_protocol::{ChannelName, Key};
use dht_requirements as req;

use crate::legacy::{TAKEN, UNKNOWN, refused};
use crate::world::{Ending, Event, Happening, Ticket, Violation};

/// A client with one connection, or none.
#[derive(Debug, Default)]
pub struct Client {
    connected: bool,
    output: Vec<u8>,
    input: BytesMut,
    doing: Option<Doing>,
    happenings: VecDeque<Happening>,
}

/// The order that is under way.
#[derive(Debug)]
struct Doing {
    ticket: Ticket,
    order: Order,
    request: ClientRequest,
    /// Some of it may have reached the node.
    sent: bool,
    records: Vec<(Key, Bytes)>,
    keys: Vec<Key>,
    channels: Vec<ChannelName>,
}

impl Client {
    /// Begins an operation. What is asked for while there is no connection is sent when there is one.
    pub fn begin(&mut self, ticket: Ticket, operation: Operation) {
        let order = match order(operation) {
            Ok(order) if self.doing.is_none() => order,
            Ok(_) => return self.end(ticket, nothing(TAKEN)),
            Err(why) => return self.end(ticket, nothing(why)),
        };
        self.send(ticket, order);
    }

    /// Begins to listen to a channel.
    pub fn listen(&mut self, ticket: Ticket, channel: ChannelName) {
        match self.doing {
            None => self.send(ticket, Order::Listen { channel }),
            Some(_) => self.tell(ticket, Event::Stopped),
        }
    }

    /// Stops listening, for which the connection has to be closed. False: nobody listens.
    pub fn stop(&mut self, ticket: Ticket) -> bool {
        let is_it = self.listens_as(ticket);
        if is_it {
            self.doing = None;
            self.tell(ticket, Event::Stopped);
        }
        is_it
    }

    /// Is this the stream that is under way?
    pub fn listens_as(&self, ticket: Ticket) -> bool {
        let doing = self.doing.as_ref();
        doing.is_some_and(|doing| doing.ticket == ticket && doing.is_listen())
    }

    /// There is a connection.
    pub fn connected(&mut self) {
        self.connected = true;
        if let Some(doing) = &self.doing {
            doing.order.encode(&mut self.output);
        }
    }

    /// There is none any more.
    pub fn disconnected(&mut self) {
        self.connected = false;
        self.output.clear();
        self.input.clear();
        let Some(doing) = self.doing.take() else {
            return;
        };
        if !doing.sent {
            self.doing = Some(doing);
        } else if doing.is_listen() {
            self.tell(doing.ticket, Event::Disconnected);
            self.tell(doing.ticket, Event::Stopped);
        } else {
            let lost = Ending::Unknown("the connection was lost".to_owned());
            self.end(doing.ticket, lost);
        }
    }

    /// The node has closed the connection, for which there is no reason while it owes an answer.
    pub fn closed_by_node(&mut self) {
        let owed = self.doing.as_ref().filter(|doing| doing.sent);
        if let Some(doing) = owed
            && self.output.is_empty()
        {
            let text = format!("it closed the connection on {}", doing.order.command());
            self.violation(&req::LEG_ANSWER_COMES, text);
        }
    }

    /// Is nothing under way?
    pub fn is_idle(&self) -> bool {
        self.doing.is_none()
    }

    /// Does it listen to a channel?
    pub fn is_listening(&self) -> bool {
        self.doing.as_ref().is_some_and(Doing::is_listen)
    }

    /// What is to be sent, from which the driver removes what it takes.
    pub fn output(&mut self) -> &mut Vec<u8> {
        if let Some(doing) = &mut self.doing {
            doing.sent = true;
        }
        &mut self.output
    }

    /// How many bytes are to be sent.
    pub fn output_len(&self) -> usize {
        self.output.len()
    }

    /// Bytes have come. Says whether the client has had enough of the connection.
    #[must_use]
    pub fn received(&mut self, bytes: &[u8]) -> bool {
        self.input.extend_from_slice(bytes);
        while let Some(doing) = &mut self.doing {
            match doing.request.receive(&mut self.input) {
                Ok(Some(said)) => {
                    if self.said(said) {
                        return true;
                    }
                }
                Ok(None) => return false,
                Err(violation) => {
                    self.happenings
                        .push_back(Happening::Violation(Violation::of_legacy(&violation)));
                    return true;
                }
            }
        }
        if !self.input.is_empty() {
            let text = format!("{} bytes came that nobody asked for", self.input.len());
            self.violation(&req::LEG_ANSWER_NOTHING_MORE, text);
            return true;
        }
        false
    }

    /// What has happened next.
    pub fn next_happening(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    fn send(&mut self, ticket: Ticket, order: Order) {
        if self.connected {
            order.encode(&mut self.output);
        }
        self.doing = Some(Doing {
            ticket,
            request: ClientRequest::new(order.command()),
            order,
            sent: false,
            records: Vec::new(),
            keys: Vec::new(),
            channels: Vec::new(),
        });
    }

    /// Takes what the node has said. Says whether the client closes the connection after that.
    fn said(&mut self, said: Said) -> bool {
        let Some(doing) = &mut self.doing else {
            return false;
        };
        let ticket = doing.ticket;
        match said {
            Said::Answered(answer) => {
                let fatal = answer.status() == Status::Error;
                let ended = match doing.is_listen() {
                    true => Happening::Told(ticket, Event::Failed(answer.status().to_string())),
                    false => {
                        let answer = doing.answer(answer);
                        Happening::Ended(ticket, Ending::Answer(answer))
                    }
                };
                self.doing = None;
                self.happenings.push_back(ended);
                return fatal;
            }
            Said::Started if doing.is_listen() => self.tell(ticket, Event::Started),
            Said::Started => {}
            Said::Channel(channel) => doing.channels.push(channel),
            Said::Records(mut records) => doing.records.append(&mut records),
            Said::Keys(mut keys) => doing.keys.append(&mut keys),
            Said::Written(key, value) => match key.parse() {
                Some(key) => self.tell(ticket, Event::Updated(key, value)),
                None => self.violation(&req::LEG_KEY_DIGITS, format!("{key} is no key")),
            },
            Said::Ended if doing.is_listen() => {
                self.doing = None;
                self.tell(ticket, Event::ChannelRemoved);
                self.tell(ticket, Event::Finished);
            }
            Said::Ended => {
                let answer = doing.gathered();
                self.doing = None;
                self.end(ticket, Ending::Answer(answer));
            }
        }
        false
    }

    fn end(&mut self, ticket: Ticket, ending: Ending) {
        self.happenings.push_back(Happening::Ended(ticket, ending));
    }

    fn tell(&mut self, ticket: Ticket, event: Event) {
        self.happenings.push_back(Happening::Told(ticket, event));
    }

    fn violation(&mut self, requirement: &'static req::Requirement, text: String) {
        let violation = Violation { requirement, text };
        self.happenings.push_back(Happening::Violation(violation));
    }
}

impl Doing {
    fn is_listen(&self) -> bool {
        matches!(self.order, Order::Listen { .. })
    }

    /// A whole answer in the words of the model.
    fn answer(&self, answer: legacy::Answer) -> Answer {
        match answer {
            legacy::Answer::Value(value) if value.is_empty() => Answer::NothingThere,
            legacy::Answer::Value(value) => Answer::Value(value),
            legacy::Answer::Exists(exists) => Answer::Exists(exists),
            legacy::Answer::Size(_, size) => Answer::Size {
                records: size.records,
                bytes: size.bytes,
            },
            legacy::Answer::Range(range) => Answer::HashRanges(vec![range]),
            legacy::Answer::Status(status) => self.status(status),
            legacy::Answer::Version(_) | legacy::Answer::Connections(..) => Answer::Error,
        }
    }

    fn status(&self, status: Status) -> Answer {
        match (status, &self.order) {
            (Status::Ok, Order::Remove { .. }) => Answer::Gone,
            (Status::Ok, Order::RemoveChannel { .. }) => Answer::ChannelRemoved,
            (Status::Ok, _) => Answer::Stored,
            (status, _) => refused(status),
        }
    }

    /// An answer that came in pieces.
    fn gathered(&mut self) -> Answer {
        match self.order {
            Order::GetChannels => Answer::Channels(std::mem::take(&mut self.channels)),
            Order::GetAllKeys { .. } => Answer::Keys(std::mem::take(&mut self.keys)),
            _ => Answer::Records(std::mem::take(&mut self.records)),
        }
    }
}

fn nothing(why: &str) -> Ending {
    Ending::Nothing(why.to_owned())
}

/// The order for an operation; or why there is none.
pub fn order(operation: Operation) -> Result<Order, &'static str> {
    Ok(match operation {
        Operation::Record {
            channel,
            key,
            action,
        } => {
            let key = KeyText::from(key);
            match action {
                Action::Put(value) => Order::Put {
                    channel,
                    key,
                    value,
                },
                Action::Get => Order::Get { channel, key },
                Action::Exists => Order::Exists { channel, key },
                Action::Remove => Order::Remove { channel, key },
                Action::Update(_) | Action::UpdateRecord { .. } => return Err(UNKNOWN),
            }
        }
        Operation::GetAll {
            channel,
            keys_only,
            filter,
        } => match (keys_only, filter.is_empty()) {
            (false, true) => Order::GetAll { channel },
            (false, false) => Order::GetAllFilter { channel, filter },
            (true, true) => Order::GetAllKeys { channel },
            (true, false) => return Err(UNKNOWN),
        },
        Operation::GetChannels => Order::GetChannels,
        Operation::RemoveChannel { channel, .. } => Order::RemoveChannel { channel },
        Operation::GetHashRange => Order::GetResponsibleRange,
        Operation::PutBatch { channel, records } => {
            let mut batch = Batch::default();
            for (key, value) in &records {
                if batch.push(*key, value) != Pushed::Added {
                    return Err("that does not fit into a batch");
                }
            }
            Order::PutBatch {
                channel,
                batch: batch.finish().into(),
            }
        }
        Operation::GetSize {
            channel: Some(channel),
        } => Order::GetChannelSize { channel },
        Operation::GetSize { channel: None } => Order::GetSize,
        Operation::Listen { .. } | Operation::Refresh { .. } => return Err(UNKNOWN),
    })
}
