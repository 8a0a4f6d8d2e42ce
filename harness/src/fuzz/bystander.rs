//! Somebody who says nothing wrong, and must not suffer: a connection with a record of its own, and a newcomer.

use bytes::Bytes;
use dht_model::{Action, Answer, Operation};
use dht_protocol::neo::request::RecordName;
use dht_requirements::{self as req, Requirement};
use dht_workload::world::{Ending, Happening, Ticket, Violation, World};

use super::place::Place;
use super::world::WireWorld;

/// The value of its record.
const VALUE: &[u8] = b"bystander";

/// A connection on which nothing wrong is said.
pub(super) struct Bystander {
    world: WireWorld,
    record: RecordName,
    tickets: u64,
}

/// What a bystander has suffered.
pub(super) enum Harm {
    /// The node broke this.
    Broken(Violation),
    /// The node is gone.
    Gone(String),
}

impl Bystander {
    /// Connects and stores its record; `None` if that does not work, which proves nothing.
    pub(super) async fn arrive(place: &Place) -> Option<Self> {
        let mut bystander = Self::come(place);
        let put = Action::Put(Bytes::from_static(VALUE));
        match bystander.ask(put).await {
            Happening::Ended(_, Ending::Answer(Answer::Stored)) => {}
            _ => return None,
        }
        bystander.look().await.is_ok().then_some(bystander)
    }

    /// Its connection works, and its record is there.
    pub(super) async fn look(&mut self) -> Result<(), Harm> {
        self.see(&req::ROBUST_DROP_LOCAL, "on another connection")
            .await
    }

    /// A new connection works as well, and the record is there.
    pub(super) async fn newcomer(place: &Place) -> Result<(), Harm> {
        Self::come(place)
            .see(&req::ROBUST_NEW_CONNECTIONS, "on a new connection")
            .await
    }

    fn come(place: &Place) -> Self {
        Self {
            world: WireWorld::new(place.clone(), 1, None),
            record: place.spare.clone(),
            tickets: 0,
        }
    }

    async fn see(&mut self, rule: &'static Requirement, where_: &str) -> Result<(), Harm> {
        let broken = |requirement, text| Err(Harm::Broken(Violation { requirement, text }));
        match self.ask(Action::Get).await {
            Happening::Ended(_, Ending::Answer(Answer::Value(value))) if value == VALUE => Ok(()),
            Happening::Ended(_, Ending::Answer(answer)) => broken(
                &req::ROBUST_ACKNOWLEDGED_STAYS,
                format!("a record that was stored before was answered {answer} {where_}"),
            ),
            Happening::Gone(why) => Err(Harm::Gone(why)),
            Happening::Violation(violation) => broken(rule, format!("{where_}: {violation}")),
            Happening::Silence => broken(rule, format!("nothing is answered {where_}")),
            Happening::Ended(..) | Happening::Told(..) => {
                broken(rule, format!("the connection was lost {where_}"))
            }
        }
    }

    async fn ask(&mut self, action: Action) -> Happening {
        self.tickets += 1;
        let RecordName { channel, key } = self.record.clone();
        let operation = Operation::Record {
            channel,
            key,
            action,
        };
        self.world.begin(Ticket(self.tickets), 0, operation);
        self.world.next().await
    }
}
