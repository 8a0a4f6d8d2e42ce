//! Any message as one line of text, with the names of its fields: what traces and reports show.
//!
//! Most messages say what they are only to who knows the conversation so far, so a [`Dissector`]
//! listens to one connection from its beginning. It explains what is there; it does not judge. What
//! cannot be read is shown with the reason and in hexadecimal.

mod show;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::auth;
use super::batch;
use super::header::{ID_LEN, Kind, RequestId};
use super::request::control::{self, Control};
use super::request::{
    Command, RecordName, RequestCode, SupportedStatus, exists, get, get_all, get_channels,
    get_hash_range, mirror, put, remove, remove_channel, update,
};
use crate::codec::DecodeError;
use show::{Hex, Value, flag, list, malformed, pair, record, replacement};

/// Who sent a message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// The client.
    Client,
    /// The node.
    Node,
}

/// Listens to one connection. It remembers the requests that are under way.
#[derive(Clone, Debug, Default)]
pub struct Dissector {
    requests: BTreeMap<RequestId, Talk>,
    authentication_messages: u32,
}

/// What has been said of a request.
#[derive(Clone, Debug)]
struct Talk {
    /// `None` if there is no such request.
    request: Option<RequestCode>,
    keys_only: bool,
    /// What the node says next.
    node: NodeNext,
    /// Control messages that the node has not acknowledged.
    acks_due: u32,
    stopping: bool,
    /// Nothing more will be said.
    over: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NodeNext {
    Supported,
    /// The range of GetHashRange, which has no type.
    Range,
    /// The value of Get, which has no type.
    Value,
    Typed,
}

impl Dissector {
    /// A connection on which nothing has been said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The line for the version byte.
    pub fn version(&self, version: u8) -> String {
        format!("version {version}")
    }

    /// The line for a message behind the version bytes; `body` is what follows the header.
    pub fn message(&mut self, from: Side, kind: Kind, body: &[u8]) -> String {
        match kind {
            Kind::Authentication => self.authentication(from, body),
            Kind::Request => self.request(from, body),
        }
    }

    fn authentication(&mut self, from: Side, body: &[u8]) -> String {
        let first = self.authentication_messages < 2;
        self.authentication_messages += 1;
        let line = match (from, first) {
            (Side::Client, true) => {
                auth::Timestamp::decode(body).map(|timestamp| format!("time {} s", timestamp.0))
            }
            (Side::Node, true) => {
                auth::decode_nonce(body).map(|nonce| format!("nonce {}", Hex(&nonce)))
            }
            (Side::Client, false) => auth::Proof::decode(body).map(|proof| {
                format!(
                    "name=\"{}\" code={}",
                    proof.name.escape_ascii(),
                    Hex(&proof.code[..4])
                )
            }),
            (Side::Node, false) => auth::decode_verdict(body).map(|accepted| match accepted {
                true => "accepted".to_owned(),
                false => "refused".to_owned(),
            }),
        };
        format!(
            "authentication: {}",
            line.unwrap_or_else(|error| malformed(&error, body))
        )
    }

    fn request(&mut self, from: Side, body: &[u8]) -> String {
        let Some((id, payload)) = body.split_first_chunk::<ID_LEN>() else {
            return format!("request message without an id: {}", Hex(body));
        };
        let Some(id) = RequestId::new(u64::from_le_bytes(*id)) else {
            return format!("#0 (reserved): {}", Hex(payload));
        };
        let line = match (from, self.requests.get_mut(&id)) {
            (Side::Client, Some(talk)) => talk.client_says(payload),
            (Side::Client, None) => {
                let (talk, line) = Talk::open(payload);
                self.requests.extend(talk.map(|talk| (id, talk)));
                line
            }
            (Side::Node, Some(talk)) => talk.node_says(payload),
            (Side::Node, None) => Ok(format!("of no request: {}", Hex(payload))),
        };
        if self.requests.get(&id).is_some_and(|talk| talk.over) {
            self.requests.remove(&id);
        }
        format!(
            "#{id} {}",
            line.unwrap_or_else(|error| malformed(&error, payload))
        )
    }
}

impl Talk {
    /// A first message. Nothing is remembered of one that has no command.
    fn open(payload: &[u8]) -> (Option<Self>, Result<String, DecodeError>) {
        let (command, fields) = match Command::decode(payload) {
            Ok(decoded) => decoded,
            Err(error) => return (None, Err(error)),
        };
        let request = RequestCode::from_code(command.code);
        let mut talk = Self {
            request,
            keys_only: false,
            node: NodeNext::Supported,
            acks_due: 0,
            stopping: false,
            over: false,
        };
        let mut line = match request {
            Some(request) => request.name().to_owned(),
            None => format!("request code {}", command.code),
        };
        if command.version != 0 {
            let _ = write!(line, " version {}", command.version);
        }
        match talk.opening_fields(fields) {
            Ok(fields) => line.push_str(&fields),
            Err(error) => {
                let _ = write!(line, " {}", malformed(&error, fields));
            }
        }
        (Some(talk), Ok(line))
    }

    fn opening_fields(&mut self, fields: &[u8]) -> Result<String, DecodeError> {
        Ok(match self.request {
            None if fields.is_empty() => String::new(),
            None => format!(" {}", Hex(fields)),
            Some(RequestCode::GetHashRange) => {
                get_hash_range::Open::decode(fields)?;
                String::new()
            }
            Some(RequestCode::GetChannels) => {
                get_channels::Open::decode(fields)?;
                String::new()
            }
            Some(RequestCode::Put) => {
                let open = put::Open::decode(fields)?;
                format!(" {} value={}", record(&open.record), Value(&open.value))
            }
            Some(RequestCode::Get | RequestCode::Exists | RequestCode::Remove) => {
                format!(" {}", record(&RecordName::decode_fields(fields)?))
            }
            Some(RequestCode::RemoveChannel) => {
                format!(" channel=\"{}\"", remove_channel::Open::decode(fields)?.0)
            }
            Some(RequestCode::GetAll) => {
                let open = get_all::Open::decode(fields)?;
                self.keys_only = open.settings.keys_only;
                let mut line = format!(" channel=\"{}\"", open.channel);
                line.push_str(flag(open.start_suspended, " start_suspended"));
                if let Some(key) = open.continue_from {
                    let _ = write!(line, " continue_from={key}");
                }
                line.push_str(flag(open.settings.keys_only, " keys_only"));
                if !open.settings.value_filter.is_empty() {
                    let _ = write!(line, " value_filter={}", Value(&open.settings.value_filter));
                }
                line
            }
            Some(RequestCode::Mirror) => {
                let open = mirror::Open::decode(fields)?;
                format!(
                    " channel=\"{}\"{}{} periodic_refresh={}s",
                    open.channel,
                    flag(open.start_suspended, " start_suspended"),
                    flag(open.settings.initial_refresh, " initial_refresh"),
                    open.settings.periodic_refresh_s
                )
            }
            Some(RequestCode::Update) => match update::Open::decode(fields)? {
                update::Open::GetRecord(name) => format!(" GetRecord {}", record(&name)),
                update::Open::UpdateRecord(name, new) => {
                    format!(" UpdateRecord {} {}", record(&name), replacement(&new))
                }
            },
        })
    }

    fn client_says(&mut self, payload: &[u8]) -> Result<String, DecodeError> {
        Ok(match self.request {
            Some(RequestCode::GetAll | RequestCode::Mirror) => {
                let message = control::FromClient::decode(payload)?;
                match message {
                    control::FromClient::Ack => self.over = true,
                    control::FromClient::Control(control) => {
                        self.acks_due = self.acks_due.saturating_add(1);
                        self.stopping |= control == Control::Stop;
                    }
                }
                message.name().to_owned()
            }
            Some(RequestCode::Update) => {
                let message = update::FromClient::decode(payload)?;
                let fields = match &message {
                    update::FromClient::UpdateRecord(new) => format!(" {}", replacement(new)),
                    update::FromClient::RemoveRecord | update::FromClient::LeaveRecord => {
                        String::new()
                    }
                };
                message.name().to_owned() + &fields
            }
            _ => format!("out of turn: {}", Hex(payload)),
        })
    }

    fn node_says(&mut self, payload: &[u8]) -> Result<String, DecodeError> {
        match self.node {
            NodeNext::Supported => {
                let status = SupportedStatus::decode(payload)?;
                self.node = match self.request {
                    Some(RequestCode::GetHashRange) => NodeNext::Range,
                    _ => NodeNext::Typed,
                };
                self.over = status != SupportedStatus::Supported;
                Ok(status.to_string())
            }
            NodeNext::Range => {
                self.node = NodeNext::Typed;
                Ok(format!(
                    "range {}",
                    get_hash_range::Range::decode(payload)?.0
                ))
            }
            NodeNext::Value => {
                self.over = true;
                Ok(format!("value={}", Value(&get::Value::decode(payload)?.0)))
            }
            NodeNext::Typed => self.typed(payload),
        }
    }

    fn typed(&mut self, payload: &[u8]) -> Result<String, DecodeError> {
        let Some(request) = self.request else {
            return Ok(format!("of an unknown request: {}", Hex(payload)));
        };
        let (name, fields) = match request {
            RequestCode::Put => (put::Reply::decode(payload)?.name(), self.ended()),
            RequestCode::Exists => (exists::Reply::decode(payload)?.name(), self.ended()),
            RequestCode::Remove => (remove::Reply::decode(payload)?.name(), self.ended()),
            RequestCode::RemoveChannel => {
                (remove_channel::Reply::decode(payload)?.name(), self.ended())
            }
            RequestCode::Get => match get::Reply::decode(payload)? {
                got @ get::Reply::Got => {
                    self.node = NodeNext::Value;
                    (got.name(), String::new())
                }
                reply => (reply.name(), self.ended()),
            },
            RequestCode::GetHashRange => {
                let update = get_hash_range::Update::decode(payload)?;
                let fields = match update {
                    get_hash_range::Update::NewNode(node, range) => {
                        format!(" {node} range {range}")
                    }
                    get_hash_range::Update::ChangeHashRange(range) => format!(" {range}"),
                };
                (update.name(), fields)
            }
            RequestCode::GetChannels => {
                let message = get_channels::FromNode::decode(payload)?;
                let fields = match &message {
                    get_channels::FromNode::ChannelName(name) => format!(" \"{name}\""),
                    _ => self.ended(),
                };
                (message.name(), fields)
            }
            RequestCode::GetAll => {
                let message = get_all::FromNode::decode(payload)?;
                (message.name(), self.get_all_fields(&message)?)
            }
            RequestCode::Mirror => {
                let message = mirror::FromNode::decode(payload)?;
                (message.name(), self.mirror_fields(&message)?)
            }
            RequestCode::Update => {
                let message = update::FromNode::decode(payload)?;
                let fields = match &message {
                    update::FromNode::RecordValue(value) => format!(" value={}", Value(value)),
                    _ => self.ended(),
                };
                (message.name(), fields)
            }
        };
        Ok(name.to_owned() + &fields)
    }

    /// The message, which has no fields, is the last one.
    fn ended(&mut self) -> String {
        self.over = true;
        String::new()
    }

    /// The node acknowledges a control message. If it was Stop, nothing more comes.
    fn acknowledged(&mut self) -> String {
        self.acks_due = self.acks_due.saturating_sub(1);
        self.over = self.stopping && self.acks_due == 0;
        String::new()
    }

    fn get_all_fields(&mut self, message: &get_all::FromNode) -> Result<String, DecodeError> {
        use get_all::FromNode::{Ack, Error, Finished, RecordBatch, Started};
        Ok(match message {
            Ack => self.acknowledged(),
            Error => self.ended(),
            RecordBatch(block) if self.keys_only => {
                let keys = batch::decode_keys(block)?;
                let shown = list(&keys, |key| key.to_string());
                format!(" {} keys{shown}", keys.len())
            }
            RecordBatch(block) => {
                let records = batch::decode_records(block)?;
                format!(" {} records{}", records.len(), list(&records, pair))
            }
            Started | Finished => String::new(),
        })
    }

    fn mirror_fields(&mut self, message: &mirror::FromNode) -> Result<String, DecodeError> {
        use mirror::FromNode::{
            Ack, ChannelRemoved, Error, RecordChanged, RecordDeleted, RecordRefreshBatch, Started,
            UpdateOverflow,
        };
        Ok(match message {
            Ack => self.acknowledged(),
            Error => self.ended(),
            RecordChanged(key, value) => format!(" key={key} value={}", Value(value)),
            RecordDeleted(key) => format!(" key={key}"),
            RecordRefreshBatch(block) => {
                let records = batch::decode_refresh(block)?;
                format!(" {} records{}", records.len(), list(&records, pair))
            }
            Started | ChannelRemoved | UpdateOverflow => String::new(),
        })
    }
}

#[cfg(test)]
mod tests;
