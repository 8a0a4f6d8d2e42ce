//! Bugs on connections of the legacy protocol: what a client sends, in bytes and as orders, and what it is told.

use std::mem::take;

use dht_protocol::legacy::{
    self, Answer, Command, Incoming, LegacyHost, NodeConnection, Status, Violation,
};

use super::host_bug::{Call, HostBug};
use super::reaction::Harm;
use super::seam::Seam;
use super::{host, layer};

/// What stands between a connection of the legacy protocol and the driver, if the node has bugs.
#[derive(Debug, Default)]
pub(crate) struct LegacyTap {
    /// What came and was not handed over.
    input: Vec<u8>,
    /// Has something come since the last order was complete?
    partial: bool,
    /// Does the client send nothing more, and has no bug been told?
    ended: bool,
    asked: Option<Asked>,
    /// How many orders came before that one.
    orders: u64,
    /// Was a piece of its answer said?
    begun: bool,
}

/// An order that a client has sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) order: Incoming,
    /// How many orders came before it on the connection.
    pub(super) number: u64,
    /// What came before it.
    pub(super) previous: Option<Command>,
}

/// What becomes of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Instead {
    /// The node does it.
    Do,
    /// Nothing, and no answer.
    Ignore,
    /// This is answered, and nothing else is done.
    Say(Vec<u8>),
    /// The connection is closed.
    Close,
    /// The node crashes.
    Crash,
}

/// Is the connection closed behind what the node said?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    GoOn,
    Close,
}

/// Acts on connections of the legacy protocol.
pub(super) trait LegacyBug: Send {
    /// Bytes as they came; what they are taken for.
    fn input(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    /// An order, before the node does it.
    fn order(&mut self, _: &mut dyn LegacyHost, _: &mut Asked) -> Instead {
        Instead::Do
    }

    /// A piece of an answer, `first` or further.
    fn said(&mut self, _: &Asked, _first: bool, _: &mut Vec<u8>) -> After {
        After::GoOn
    }

    /// A broken rule, for which the connection is closed; what is said before.
    fn violated(&mut self, _: &Violation) -> Instead {
        Instead::Close
    }

    /// The client sends nothing more, inside an order if `partial`; what is said.
    fn ended(&mut self, _: Option<&Asked>, _partial: bool) -> Vec<u8> {
        Vec::new()
    }
}

/// Acts on connections of the legacy protocol.
pub(super) fn legacy(bug: impl LegacyBug + 'static) -> Seam {
    Seam::Legacy(Box::new(bug))
}

/// Bugs at a single place: a function each.
macro_rules! single {
    ($(
        $(#[$meta:meta])*
        $constructor:ident, $bug:ident: $method:ident($($name:ident: $argument:ty),*) -> $answer:ty;
    )+) => {$(
        $(#[$meta])*
        pub(super) fn $constructor(
            act: impl FnMut($($argument),*) -> $answer + Send + 'static,
        ) -> Seam {
            legacy($bug(act))
        }

        struct $bug<F>(F);

        impl<F: FnMut($($argument),*) -> $answer + Send> LegacyBug for $bug<F> {
            fn $method(&mut self, $($name: $argument),*) -> $answer {
                (self.0)($($name),*)
            }
        }
    )+};
}

single! {
    /// Bytes of clients are taken for others.
    on_input, OnInput: input(bytes: Vec<u8>) -> Vec<u8>;
    /// Orders are taken for others, or not done.
    on_order, OnOrder: order(host: &mut dyn LegacyHost, asked: &mut Asked) -> Instead;
    /// Answers become others.
    on_said, OnSaid: said(asked: &Asked, first: bool, bytes: &mut Vec<u8>) -> After;
    /// Something else is done about broken rules.
    on_violation, OnViolation: violated(violation: &Violation) -> Instead;
    /// Something is said when a client sends nothing more.
    on_end, OnEnd: ended(asked: Option<&Asked>, partial: bool) -> Vec<u8>;
}

/// A status.
pub(super) fn status(status: Status) -> Instead {
    Instead::Say(encoded(&Answer::Status(status)))
}

/// The bytes of an answer.
pub(super) fn encoded(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    answer.encode(&mut bytes);
    bytes
}

impl Asked {
    /// Its command.
    pub(super) fn command(&self) -> Command {
        match &self.order {
            Incoming::Order(order) => order.command(),
            Incoming::TooBig { .. } => Command::Put,
        }
    }
}

impl LegacyTap {
    /// Adds bytes as they came from the client.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.partial |= !bytes.is_empty();
        self.input.extend_from_slice(bytes);
    }

    /// The client sends nothing more.
    pub(crate) fn input_ended(&mut self) {
        self.ended = true;
    }
}

/// The bugs of a node that concern a connection of the legacy protocol.
pub(super) struct Bugs<'a> {
    pub(super) legacy: &'a mut [Box<dyn LegacyBug>],
    pub(super) host: &'a mut [Box<dyn HostBug>],
    pub(super) harms: &'a mut Vec<Harm>,
}

impl Bugs<'_> {
    /// As [`NodeConnection::process`].
    pub(super) fn process(
        &mut self,
        tap: &mut LegacyTap,
        connection: &mut NodeConnection,
        host: &mut dyn LegacyHost,
    ) -> Result<bool, Violation> {
        let mut input = take(&mut tap.input);
        for bug in self.legacy.iter_mut() {
            input = bug.input(input);
        }
        if !input.is_empty() {
            connection.feed(&input);
        }
        loop {
            let more = self.advance(tap, connection, host)?;
            if let Some(more) = more {
                self.end(tap, connection);
                return Ok(more);
            }
            let order = match connection.next_order() {
                Ok(Some(order)) => order,
                Ok(None) => {
                    self.end(tap, connection);
                    return Ok(false);
                }
                Err(violation) => return self.violated(violation, connection),
            };
            self.open(order, tap, connection, host)?;
        }
    }

    /// Goes on with an answer.
    fn advance(
        &mut self,
        tap: &mut LegacyTap,
        connection: &mut NodeConnection,
        host: &mut dyn LegacyHost,
    ) -> Result<Option<bool>, Violation> {
        let before = connection.output().len();
        let call = Call {
            request: tap
                .asked
                .as_ref()
                .and_then(|asked| layer::counterpart(asked.command())),
            first: false,
        };
        let more = host::behind(self.host, host, call, |host| connection.advance(host));
        let said = connection.output().split_off(before);
        self.say(said, tap, connection)?;
        Ok(more)
    }

    /// Says what bugs make of a piece of an answer.
    fn say(
        &mut self,
        said: Vec<u8>,
        tap: &mut LegacyTap,
        connection: &mut NodeConnection,
    ) -> Result<(), Violation> {
        let (Some(asked), false) = (&tap.asked, said.is_empty()) else {
            return Ok(());
        };
        let (mut said, mut after) = (said, After::GoOn);
        for bug in self.legacy.iter_mut() {
            if bug.said(asked, !tap.begun, &mut said) == After::Close {
                after = After::Close;
            }
        }
        tap.begun = true;
        connection.output().extend(said);
        match after {
            After::GoOn => Ok(()),
            After::Close => Err(CLOSED),
        }
    }

    fn open(
        &mut self,
        order: Incoming,
        tap: &mut LegacyTap,
        connection: &mut NodeConnection,
        host: &mut dyn LegacyHost,
    ) -> Result<(), Violation> {
        let mut asked = Asked {
            order,
            number: tap.orders,
            previous: tap.asked.as_ref().map(Asked::command),
        };
        tap.orders += 1;
        tap.partial = false;
        tap.begun = false;
        let mut instead = Instead::Do;
        for bug in self.legacy.iter_mut() {
            instead = bug.order(host, &mut asked);
            if instead != Instead::Do {
                break;
            }
        }
        let call = Call {
            request: layer::counterpart(asked.command()),
            first: true,
        };
        let order = asked.order.clone();
        tap.asked = Some(asked);
        match instead {
            Instead::Do => {
                let opened =
                    host::behind(self.host, host, call, |host| connection.open(order, host));
                opened.or_else(|violation| self.violated(violation, connection).map(drop))
            }
            Instead::Ignore => Ok(()),
            Instead::Say(bytes) => self.say(bytes, tap, connection),
            Instead::Close => Err(CLOSED),
            Instead::Crash => {
                self.harms.push(Harm::Crash);
                Ok(())
            }
        }
    }

    fn violated(
        &mut self,
        violation: Violation,
        connection: &mut NodeConnection,
    ) -> Result<bool, Violation> {
        for bug in self.legacy.iter_mut() {
            match bug.violated(&violation) {
                Instead::Say(bytes) => connection.output().extend(bytes),
                Instead::Crash => self.harms.push(Harm::Crash),
                Instead::Do | Instead::Ignore | Instead::Close => {}
            }
        }
        Err(violation)
    }

    /// Tells bugs that the client sends nothing more, once.
    fn end(&mut self, tap: &mut LegacyTap, connection: &mut NodeConnection) {
        if !take(&mut tap.ended) {
            return;
        }
        for bug in self.legacy.iter_mut() {
            let said = bug.ended(tap.asked.as_ref(), tap.partial);
            connection.output().extend(said);
        }
    }
}

/// What a bug closes a connection with.
const CLOSED: legacy::Violation = legacy::Violation::UnknownCommand { code: 0 };
