//! Makes lines of what passes on a connection of the legacy protocol: one for each order, and one for each piece
//! of an answer.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use dht_protocol::legacy::{ClientRequest, Command, Event, Incoming, Order};
use dht_protocol::neo::dissect::Side;

use crate::wire::legacy::link::{named, told};
use crate::wire::shown::{quoted, shown};

/// What is known of a connection.
#[derive(Debug, Default)]
pub(super) struct LegacyListening {
    orders: BytesMut,
    answers: BytesMut,
    /// What was asked and is not answered to its end.
    asked: VecDeque<ClientRequest>,
    /// Is it plain no more where an order or an answer begins?
    lost: [bool; 2],
}

impl LegacyListening {
    /// The lines that are complete by now.
    pub(super) fn feed(&mut self, from: Side, bytes: &[u8]) -> Vec<String> {
        let lost = &mut self.lost[usize::from(from == Side::Node)];
        if *lost {
            return vec![shown(bytes)];
        }
        match from {
            Side::Client => {
                self.orders.extend_from_slice(bytes);
                self.read_orders()
            }
            Side::Node => {
                self.answers.extend_from_slice(bytes);
                self.read_answers()
            }
        }
    }

    /// What is left of an order or an answer that was not completed.
    pub(super) fn end(&mut self) -> Vec<(Side, String)> {
        let rests = [
            (Side::Client, &mut self.orders),
            (Side::Node, &mut self.answers),
        ];
        let rests = rests.into_iter().filter(|(_, rest)| !rest.is_empty());
        rests
            .map(|(side, rest)| (side, format!("cut off: {}", shown(&rest.split()))))
            .collect()
    }

    fn read_orders(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match Order::decode(&self.orders, u64::MAX) {
                Ok(Some((Incoming::Order(order), length))) => {
                    self.orders.advance(length);
                    self.ask(order.command());
                    lines.push(named(&order));
                }
                Ok(Some((Incoming::TooBig { length, .. }, taken))) => {
                    self.orders.advance(taken);
                    self.ask(Command::Put);
                    lines.push(format!("Put of {length} bytes"));
                }
                Ok(None) => return lines,
                Err(violation) => {
                    self.lost[0] = true;
                    let bytes = shown(&self.orders.split());
                    lines.push(format!("no order: {violation}: {bytes}"));
                    return lines;
                }
            }
        }
    }

    fn ask(&mut self, command: Command) {
        // What comes during a Listen ends it, as far as a client can tell.
        self.asked
            .retain(|request| request.command() != Command::Listen);
        self.asked.push_back(ClientRequest::new(command));
    }

    fn read_answers(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(request) = self.asked.front_mut() {
            match request.receive(&mut self.answers) {
                Ok(Some(event)) => lines.push(line(request.command(), &event)),
                Ok(None) => return lines,
                Err(violation) => {
                    self.lost[1] = true;
                    let bytes = shown(&self.answers.split());
                    lines.push(format!("no answer: {violation}: {bytes}"));
                    return lines;
                }
            }
            if request.is_over() {
                self.asked.pop_front();
            }
        }
        if !self.answers.is_empty() {
            self.lost[1] = true;
            lines.push(format!("unasked: {}", shown(&self.answers.split())));
        }
        lines
    }
}

fn line(command: Command, event: &Event) -> String {
    let piece = match event {
        Event::Answered(answer) => told(answer),
        Event::Started => "Ok (200)".to_owned(),
        Event::Channel(name) => quoted(name.as_bytes()),
        Event::Records(records) => format!("batch of {} records", records.len()),
        Event::Keys(keys) => format!("batch of {} keys", keys.len()),
        Event::Written(key, value) => format!("{key} = {}", quoted(value)),
        Event::Ended => "end".to_owned(),
    };
    format!("{command}: {piece}")
}

#[cfg(test)]
mod tests {
    use dht_protocol::legacy::Answer;

    use super::*;

    #[test]
    fn orders_and_answers_are_a_line_each() {
        let mut listening = LegacyListening::default();
        let mut bytes = Vec::new();
        for order in [Order::GetVersion, Order::GetChannels] {
            order.encode(&mut bytes);
        }
        assert_eq!(
            listening.feed(Side::Client, &bytes),
            ["GetVersion", "GetChannels"]
        );
        let mut bytes = Vec::new();
        Answer::version().encode(&mut bytes);
        bytes.extend_from_slice(&[0xc8, 0, 0, 0, 1]);
        let lines = listening.feed(Side::Node, &bytes);
        assert_eq!(
            lines,
            [
                "GetVersion: Ok (200), version \"20110401\"",
                "GetChannels: Ok (200)"
            ]
        );
        assert_eq!(listening.end(), [(Side::Node, "cut off: 01".to_owned())]);
    }

    #[test]
    fn bytes_that_are_no_order_are_shown() {
        let mut listening = LegacyListening::default();
        let lines = listening.feed(Side::Client, &[99, 0, 0, 0]);
        assert_eq!(lines, ["no order: there is no command 99: 63000000"]);
        assert_eq!(listening.feed(Side::Client, &[1]), ["01"]);
    }
}
