//! Somebody who says nothing wrong, and must not suffer: a connection of each protocol that the node speaks, with a
//! record of its own, and a newcomer.

use bytes::Bytes;
use dht_model::{Action, Answer, Operation};
use dht_protocol::neo::request::RecordName;
use dht_requirements::{self as req, Requirement};
use dht_workload::case::Protocol;
use dht_workload::world::{Ending, Happening, Ticket, Violation, World};

use super::place::Place;
use super::world::WireWorld;

/// The value of its record.
const VALUE: &[u8] = b"bystander";

/// Connections on which nothing wrong is said.
pub(super) struct Bystander {
    world: WireWorld,
    /// What each connection speaks.
    protocols: Vec<Protocol>,
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
        match bystander.ask(0, put).await {
            Happening::Ended(_, Ending::Answer(Answer::Stored)) => {}
            _ => return None,
        }
        bystander.look().await.is_ok().then_some(bystander)
    }

    /// Its connections work, and its record is there.
    pub(super) async fn look(&mut self) -> Result<(), Harm> {
        let broken = [&req::ROBUST_DROP_LOCAL, &req::LEG_ROBUST_DROP_LOCAL];
        self.see(broken, "on another connection").await
    }

    /// New connections work as well, and the record is there.
    pub(super) async fn newcomer(place: &Place) -> Result<(), Harm> {
        let broken = [
            &req::ROBUST_NEW_CONNECTIONS,
            &req::LEG_ROBUST_NEW_CONNECTIONS,
        ];
        Self::come(place).see(broken, "on a new connection").await
    }

    fn come(place: &Place) -> Self {
        let mut protocols = vec![Protocol::Neo];
        protocols.extend(place.legacy.map(|_| Protocol::Legacy));
        let mut world = WireWorld::new(place.clone(), None);
        world.renew(&protocols);
        Self {
            world,
            protocols,
            record: place.spare.clone(),
            tickets: 0,
        }
    }

    /// What is broken if a connection does not work, in neo and in the legacy protocol.
    async fn see(
        &mut self,
        [neo, legacy]: [&'static Requirement; 2],
        where_: &str,
    ) -> Result<(), Harm> {
        for (connection, protocol) in self.protocols.clone().into_iter().enumerate() {
            let rule = match protocol {
                Protocol::Neo => neo,
                Protocol::Legacy => legacy,
            };
            self.see_on(connection, rule, where_).await?;
        }
        Ok(())
    }

    async fn see_on(
        &mut self,
        connection: usize,
        rule: &'static Requirement,
        where_: &str,
    ) -> Result<(), Harm> {
        let broken = |requirement, text| Err(Harm::Broken(Violation { requirement, text }));
        match self.ask(connection, Action::Get).await {
            Happening::Ended(_, Ending::Answer(Answer::Value(value))) if value == VALUE => Ok(()),
            Happening::Ended(_, Ending::Answer(answer)) => broken(
                match self.protocols[connection] {
                    Protocol::Neo => &req::ROBUST_ACKNOWLEDGED_STAYS,
                    Protocol::Legacy => &req::LEG_ROBUST_ACKNOWLEDGED_STAYS,
                },
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

    async fn ask(&mut self, connection: usize, action: Action) -> Happening {
        self.tickets += 1;
        let RecordName { channel, key } = self.record.clone();
        let operation = Operation::Record {
            channel,
            key,
            action,
        };
        self.world
            .begin(Ticket(self.tickets), connection, operation);
        self.world.next().await
    }
}
