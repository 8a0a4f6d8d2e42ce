//! Suspend, Resume and Stop: how a client controls a running GetAll or Mirror, and the node's half of it
//! (`neo-requests.md` 2.8, 15.3). The client's half is [`stream`](super::stream).
//!
//! ```text
//! client  -- Suspend | Resume | Stop -->  node
//!         <-- Ack ---------------------
//! ```
//!
//! The node sends the Ack first and changes its state then. From the moment that it sends its final
//! message (Finished, ChannelRemoved) it ignores control messages; the client acknowledges the final
//! message, and that ends the request. A final message waits for an Ack that is due, so that a client
//! never gets both an Ack for Stop and a final message.

use std::fmt;

use super::RequestCode;
use super::messages::unknown_type;
use crate::codec::{DecodeError, Reader};
use crate::neo::violation::Violation;

/// The type byte of Ack, the same in both directions.
pub const ACK: u8 = 4;

/// What a client wants of a running request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Control {
    /// Send nothing more for now.
    Suspend = 1,
    /// Go on.
    Resume = 2,
    /// End the request.
    Stop = 3,
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FromClient::Control(*self).name())
    }
}

/// What a client sends while GetAll or Mirror runs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FromClient {
    /// A control message.
    Control(Control),
    /// The final message has arrived.
    Ack,
}

impl FromClient {
    /// The message's only byte.
    pub fn encode(self) -> [u8; 1] {
        [match self {
            Self::Control(control) => control as u8,
            Self::Ack => ACK,
        }]
    }

    /// Reads the message. Bytes behind the type are ignored, as the original does (2.4).
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        Ok(match Reader::new(payload).u8("type")? {
            1 => Self::Control(Control::Suspend),
            2 => Self::Control(Control::Resume),
            3 => Self::Control(Control::Stop),
            ACK => Self::Ack,
            value => return Err(unknown_type(value)),
        })
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Control(Control::Suspend) => "Suspend",
            Self::Control(Control::Resume) => "Resume",
            Self::Control(Control::Stop) => "Stop",
            Self::Ack => "Ack",
        }
    }
}

/// The node's half.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NodeControl {
    phase: Phase,
    suspended: bool,
    /// Acks that are due. A client that waits for each never makes it more than 1; for one that does
    /// not, a number takes no more memory than it deserves.
    acks_due: u32,
    /// What the last of the control messages that wait for their Ack wants.
    wanted: Control,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Phase {
    Running,
    /// The final message was sent, its Ack is awaited.
    Final,
    Ended,
}

impl NodeControl {
    /// A request that was just started.
    pub fn new(start_suspended: bool) -> Self {
        Self {
            phase: Phase::Running,
            suspended: start_suspended,
            acks_due: 0,
            wanted: Control::Resume,
        }
    }

    /// A message of the client.
    pub fn receive(&mut self, request: RequestCode, payload: &[u8]) -> Result<(), Violation> {
        let message = FromClient::decode(payload).map_err(request.malformed("control"))?;
        let unexpected = |state| {
            Err(Violation::Unexpected {
                request,
                message: message.name(),
                state,
            })
        };
        match (message, self.phase) {
            (_, Phase::Ended) => unexpected("after the end"),
            (FromClient::Ack, Phase::Running) => unexpected("before the final message"),
            (FromClient::Ack, Phase::Final) => {
                self.phase = Phase::Ended;
                Ok(())
            }
            (FromClient::Control(_), Phase::Final) => Ok(()),
            (FromClient::Control(control), Phase::Running) => {
                // Its Ack is due; once that is sent the request has ended.
                if self.wanted == Control::Stop {
                    return unexpected("after Stop");
                }
                self.acks_due = self.acks_due.saturating_add(1);
                self.wanted = control;
                Ok(())
            }
        }
    }

    /// Writes an Ack if one is due. When the last one is sent the request does what was wanted.
    pub fn poll(&mut self, out: &mut Vec<u8>) -> bool {
        if self.acks_due == 0 {
            return false;
        }
        out.push(ACK);
        self.acks_due -= 1;
        if self.acks_due == 0 {
            match self.wanted {
                Control::Suspend => self.suspended = true,
                Control::Resume => self.suspended = false,
                Control::Stop => self.phase = Phase::Ended,
            }
        }
        true
    }

    /// The final message is being sent. No Ack may be due; see [`poll`](Self::poll).
    pub fn finish(&mut self) {
        debug_assert_eq!(self.acks_due, 0, "an Ack goes before the final message");
        self.phase = Phase::Final;
    }

    /// Has the client been told that nothing is sent for now?
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// May data be sent?
    pub fn is_flowing(&self) -> bool {
        self.phase == Phase::Running && !self.suspended
    }

    /// Is the request running, suspended or not?
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Is the request over?
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(control: &mut NodeControl, payload: &[u8]) -> Result<(), Violation> {
        control.receive(RequestCode::GetAll, payload)
    }

    fn poll(control: &mut NodeControl) -> Vec<u8> {
        let mut out = Vec::new();
        let polls = (0..10).take_while(|_| control.poll(&mut out)).count();
        assert_eq!(out.len(), polls, "an Ack each");
        out
    }

    #[test]
    fn messages_have_one_byte_and_a_name() {
        let messages = [
            (FromClient::Control(Control::Suspend), "Suspend"),
            (FromClient::Control(Control::Resume), "Resume"),
            (FromClient::Control(Control::Stop), "Stop"),
            (FromClient::Ack, "Ack"),
        ];
        for ((message, name), byte) in messages.into_iter().zip(1..) {
            assert_eq!(message.encode(), [byte]);
            assert_eq!(FromClient::decode(&[byte]), Ok(message));
            assert_eq!(message.name(), name);
            if let FromClient::Control(control) = message {
                assert_eq!(control.to_string(), name);
            }
        }
    }

    #[test]
    fn the_ack_comes_before_the_effect() {
        let mut control = NodeControl::new(false);
        receive(&mut control, &[1]).unwrap();
        assert!(control.is_flowing() && !control.is_suspended());
        assert_eq!(poll(&mut control), [ACK]);
        assert!(!control.is_flowing() && control.is_suspended());
        receive(&mut control, &[2]).unwrap();
        assert_eq!(poll(&mut control), [ACK]);
        assert!(control.is_flowing());
    }

    #[test]
    fn every_control_message_is_acknowledged_and_the_last_one_counts() {
        let mut control = NodeControl::new(false);
        for message in [1, 2, 1] {
            receive(&mut control, &[message]).unwrap();
        }
        assert_eq!(poll(&mut control), [ACK; 3]);
        assert!(!control.is_flowing());
    }

    #[test]
    fn after_the_final_message_control_messages_are_ignored() {
        let mut control = NodeControl::new(false);
        control.finish();
        for message in [1, 2, 3] {
            receive(&mut control, &[message]).unwrap();
        }
        assert!(poll(&mut control).is_empty());
        receive(&mut control, &[ACK]).unwrap();
        assert!(control.is_ended());
    }

    #[test]
    fn stop_ends_the_request_and_nothing_may_follow_it() {
        let mut control = NodeControl::new(true);
        receive(&mut control, &[3]).unwrap();
        assert!(receive(&mut control, &[2]).is_err());
        assert_eq!(poll(&mut control), [ACK]);
        assert!(control.is_ended());
    }

    #[test]
    fn what_nobody_waits_for_is_a_violation() {
        for payload in [&[][..], &[0], &[ACK], &[5], &[255]] {
            assert!(
                receive(&mut NodeControl::new(false), payload).is_err(),
                "{payload:?}"
            );
        }
    }
}
