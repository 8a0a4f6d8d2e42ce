//! What must be possible: a model in which it is not would prove nothing.

use dht_protocol::neo::Violation;
use stateright::Property;

use super::end::{End, Fate};
use super::model::ConnectionModel;
use super::properties::answered;
use super::state::{Lane, Side, State};

/// Defines the goals, each by a predicate over the first connection.
macro_rules! goals {
    ($($(#[$meta:meta])* $goal:ident = $name:literal, $reached:expr;)+) => {
        /// Something that happens in some run.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Goal {
            $($(#[$meta])* $goal,)+
        }

        impl Goal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$goal,)+];

            /// Its name in the model.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$goal => $name,)+
                }
            }

            pub(super) fn checked(self) -> Property<ConnectionModel> {
                match self {
                    $(Self::$goal => Property::sometimes($name, |model, state| {
                        look(model, state, $reached)
                    }),)+
                }
            }
        }
    };
}

/// A state, as the goals look at it.
struct View<'a> {
    model: &'a ConnectionModel,
    state: &'a State,
    lane: &'a Lane,
    client: &'a End,
    node: &'a End,
}

goals! {
    /// The authentication succeeds.
    Open = "both ends are open", |view| view.client.is_open() && view.node.is_open();
    /// Every request is answered.
    Answered = "every request is answered", |view| answered(view.model, view.lane);
    /// Bytes of requests are under way in both directions.
    Crossing = "requests and answers cross", |view| {
        view.client.is_open() && Side::BOTH.into_iter().all(|side| {
            !view.model.pipe(view.lane, side).bytes().is_empty()
        })
    };
    /// The node has carried out a Put, and the client will never hear of it.
    DoneUnheard = "a request is carried out unheard", |view| {
        !view.client.is_running() && view.client.heard().is_empty() && has_put(view)
    };
    /// One end knows that the connection has broken, the other does not.
    HalfOpen = "one end knows of the break alone", |view| {
        view.lane.broken && view.client.is_open() != view.node.is_open()
    };
    /// The stream ends inside a request's message.
    CutOff = "a message is cut off", |view| {
        // Behind the handshake of 106 bytes, and without a word on a request.
        view.node.fate == Fate::Gone && view.node.read.len() > 106 && view.node.wrote.len() == 26
    };
    /// The client has closed its direction and was answered nevertheless.
    AnsweredAndOver = "all is answered behind a half-close", |view| {
        view.lane.finished && view.client.fate == Fate::Gone && answered(view.model, view.lane)
    };
    /// A request has more to say than there is room.
    WaitsForRoom = "an answer waits for room", |view| {
        let waits = view.node.as_node().is_some_and(|node| node.active_requests() > 0);
        waits && view.node.waiting > 0
    };
    /// The node refuses the client.
    Refused = "the node refuses the client", |view| {
        matches!(view.node.fate, Fate::Failed(Violation::Refused(_)))
    };
    /// The client hears that it is refused.
    Told = "the client is told that it is refused", |view| {
        view.client.fate == Fate::Failed(Violation::Rejected)
    };
    /// A request comes before the authentication is over.
    AskedTooEarly = "a request comes too early", |view| {
        matches!(view.node.fate, Fate::Failed(Violation::Phase { .. }))
    };
    /// Another version is answered with the node's.
    VersionAnswered = "another version is answered", |view| {
        matches!(view.node.fate, Fate::Failed(Violation::Version { .. })) && view.node.wrote == [1]
    };
    /// Bytes come together with the version byte, and the node closes.
    Early = "early bytes close the connection", |view| {
        matches!(view.node.fate, Fate::Failed(Violation::EarlyBytes { .. }))
    };
    /// The node has let somebody in who did not wait.
    NodeOpen = "early bytes come late enough", |view| view.node.is_open();
    /// A record was put.
    Put = "a record is put", has_put;
    /// The node closes before the authentication is over, without a result.
    Silenced = "the node closes without a result", |view| {
        let stranger = view.node.as_node().is_some_and(|node| node.client().is_none());
        stranger && matches!(view.node.fate, Fate::Failed(_)) && view.node.wrote.len() <= 15
    };
    /// The client closes on what the node said.
    ClientFailed = "the client finds a violation", |view| {
        matches!(view.client.fate, Fate::Failed(_)) && view.client.wrote.len() > 1
    };
    /// The client closes because the node did not wait.
    ClientEarly = "the client finds early bytes", |view| {
        matches!(view.client.fate, Fate::Failed(Violation::EarlyBytes { .. }))
    };
    /// The node closes an open connection.
    OpenFailed = "an open connection is closed", |view| {
        let known = view.node.as_node().is_some_and(|node| node.client().is_some());
        known && matches!(view.node.fate, Fate::Failed(_))
    };
    /// What came in front of the violation is answered.
    AnsweredAndFailed = "the answer comes in spite of a violation behind", |view| {
        matches!(view.node.fate, Fate::Failed(_)) && answered(view.model, view.lane)
    };
    /// The bystander is answered when the other's connection is closed.
    OnlyOneFailed = "the bystander is answered later", |view| {
        let bystander = view.state.lanes[1].as_ref();
        !view.node.is_running() && bystander.is_some_and(|lane| answered(view.model, lane))
    };
}

fn look(model: &ConnectionModel, state: &State, reached: fn(&View<'_>) -> bool) -> bool {
    let Some(lane) = &state.lanes[0] else {
        return false;
    };
    let [client, node] = Side::BOTH.map(|side| model.end(lane, side));
    reached(&View {
        model,
        state,
        lane,
        client,
        node,
    })
}

fn has_put(view: &View<'_>) -> bool {
    *view.model.records(view.state) != view.model.frame().records
}
