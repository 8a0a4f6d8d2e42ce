//! Follows the schedule of a round: lets messages pass one by one, and waits for what each sets off.
//!
//! Every wait is bounded. If a move cannot be made, the rest of the schedule is left, everything that is
//! held passes, and the run goes on as if the round had none; a note says so.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use super::{Run, Until, Wanted};
use crate::case::{Direction, Fault, Move, Step, Whose};
use crate::recording::Entry;
use crate::world::{Stir, Ticket, World};

/// How long a move may wait for what it needs.
const LIMIT: Duration = Duration::from_secs(2);
/// How long to wait for what a message sets off. It may be nothing.
const SETTLE: Duration = Duration::from_millis(100);
/// A node says first that it supports a request, and then something about it.
const SAID_AT_FIRST: u64 = 2;

impl<W: World, F: FnMut(&Entry) -> ControlFlow<()>> Run<'_, W, F> {
    /// Makes the moves of a round's schedule, as far as that works.
    pub(super) async fn follow(&mut self, round: usize) {
        let case = self.case;
        let schedule = &case.rounds[round].schedule;
        if schedule.is_empty() {
            return;
        }
        if !self.world.hold(true) {
            return self.note(round, "cannot be followed in this world".to_owned());
        }
        self.scheduled = true;
        for (number, next) in schedule.iter().enumerate() {
            let made = self.make(next).await;
            if self.recording.end.is_some() {
                break;
            }
            if let Err(why) = made {
                let what = format!("could not be followed from move {number} ({next}): {why}");
                self.note(round, what);
                break;
            }
        }
        self.scheduled = false;
        self.world.hold(false);
    }

    fn note(&mut self, round: usize, what: String) {
        let note = format!("the schedule of round {round} {what}");
        self.recording.notes.push(note);
    }

    /// Makes a move. An error says why it cannot be made.
    async fn make(&mut self, next: &Move) -> Result<(), String> {
        match next {
            Move::Start(lane) => self.start(*lane).await?,
            Move::ToNode(whose) => {
                let ticket = self.ticket_of(whose)?;
                self.let_to_node(ticket).await?;
            }
            Move::ToClient(whose) => {
                let ticket = self.ticket_of(whose)?;
                self.let_to_client(ticket).await?;
            }
            Move::End(lane) => self.let_end(*lane).await?,
            Move::Cut(connection) => self.cut(*connection).await?,
        }
        self.hear().await;
        Ok(())
    }

    /// Begins the next step of a lane, and waits until what it sends is held.
    async fn start(&mut self, lane: usize) -> Result<(), String> {
        let idle = |run: &Self| run.lanes[lane].doing.is_none();
        if !self.wait(LIMIT, idle).await {
            return Err(format!("lane {lane} has not ended its step before"));
        }
        let Some(at) = self.lanes[lane].todo.pop_front() else {
            return Err(format!("lane {lane} has no step left"));
        };
        let step = &self.case.rounds[at.round].steps[at.step].step;
        // A step on a stream or an Update adds to what was sent for that.
        let begun = step.handle().and_then(|name| self.by_name.get(name));
        let begun = begun.map(|ticket| (*ticket, self.arrived(*ticket, Direction::ToNode)));
        self.begin(lane, at);
        let Some(ticket) = self.lanes[lane].request else {
            return Ok(());
        };
        let before = match begun {
            Some((begun, arrived)) if begun == ticket => arrived,
            _ => 0,
        };
        let sent = |run: &Self| idle(run) || run.arrived(ticket, Direction::ToNode) > before;
        match step {
            // It only reads what comes.
            Step::Finish { .. } if self.awaits_end(lane) => {}
            // The client may have reasons to wait with it.
            Step::Suspend { .. } | Step::Resume { .. } | Step::Stop { .. } => {
                self.wait(SETTLE, sent).await;
            }
            _ => {
                if !self.wait(LIMIT, sent).await {
                    return Err(format!("nothing was sent for it in {LIMIT:?}"));
                }
            }
        }
        Ok(())
    }

    async fn let_to_node(&mut self, ticket: Ticket) -> Result<(), String> {
        let answers = self.arrived(ticket, Direction::ToClient);
        let is_opening = self.world.held(ticket, Direction::ToNode).passed() == 0;
        self.let_pass(ticket, Direction::ToNode).await?;
        let expected = answers + if is_opening { SAID_AT_FIRST } else { 1 };
        let answered = |run: &Self| run.arrived(ticket, Direction::ToClient) >= expected;
        self.wait(SETTLE, answered).await;
        Ok(())
    }

    async fn let_to_client(&mut self, ticket: Ticket) -> Result<(), String> {
        let (sent, heard) = (self.arrived(ticket, Direction::ToNode), self.heard);
        let is_status = self.world.held(ticket, Direction::ToClient).passed() == 0;
        self.let_pass(ticket, Direction::ToClient).await?;
        // Nothing comes of the status alone.
        if !is_status {
            let noticed =
                |run: &Self| run.heard > heard || run.arrived(ticket, Direction::ToNode) > sent;
            self.wait(SETTLE, noticed).await;
        }
        Ok(())
    }

    /// Lets the next message of a request pass, as soon as there is one.
    async fn let_pass(&mut self, ticket: Ticket, direction: Direction) -> Result<(), String> {
        let held = |run: &Self| run.world.held(ticket, direction).waiting > 0;
        if !self.wait(LIMIT, held).await || !self.world.pass(ticket, direction) {
            let whom = match direction {
                Direction::ToNode => "the client",
                Direction::ToClient => "the node",
            };
            return Err(format!("nothing came from {whom} for it in {LIMIT:?}"));
        }
        match self.wait(LIMIT, |run| !run.world.is_passing()).await {
            true => Ok(()),
            false => Err(format!("it was not taken in {LIMIT:?}")),
        }
    }

    /// Lets everything of a lane's step pass until that has ended.
    async fn let_end(&mut self, lane: usize) -> Result<(), String> {
        while self.lanes[lane].doing.is_some() {
            if let Some((ticket, direction)) = self.held_of(lane) {
                self.let_pass(ticket, direction).await?;
                continue;
            }
            let stirred =
                |run: &Self| run.lanes[lane].doing.is_none() || run.held_of(lane).is_some();
            if !self.wait(LIMIT, stirred).await {
                return Err(format!("nothing came for it in {LIMIT:?}"));
            }
        }
        Ok(())
    }

    /// Ends a connection, and waits until there is another one.
    async fn cut(&mut self, connection: usize) -> Result<(), String> {
        let before = self.world.begun(connection);
        let is_cut = self.world.fault(&Fault::Cut {
            connection,
            direction: Direction::ToNode,
            messages: 0,
            bytes: 0,
        });
        let is_back = |run: &Self| run.world.begun(connection) > before;
        match is_cut && self.wait(LIMIT, is_back).await {
            true => Ok(()),
            false => Err(format!("the connection was not back in {LIMIT:?}")),
        }
    }

    /// The next message that is held of what a lane does.
    fn held_of(&self, lane: usize) -> Option<(Ticket, Direction)> {
        let lane = &self.lanes[lane];
        let stream = match &lane.doing.as_ref()?.until {
            Until::Told(stream, _) | Until::Contents(stream) | Until::Agreement(stream, _) => {
                Some(*stream)
            }
            Until::Ended | Until::Read(_) => None,
        };
        let tickets = lane.request.into_iter().chain(stream);
        let mut ways = tickets.flat_map(|ticket| {
            [Direction::ToClient, Direction::ToNode].map(|direction| (ticket, direction))
        });
        ways.find(|(ticket, direction)| self.world.held(*ticket, *direction).waiting > 0)
    }

    /// Does a lane wait for the end of a stream?
    fn awaits_end(&self, lane: usize) -> bool {
        let doing = self.lanes[lane].doing.as_ref();
        doing.is_some_and(|doing| matches!(doing.until, Until::Told(_, Wanted::End)))
    }

    fn ticket_of(&self, whose: &Whose) -> Result<Ticket, String> {
        match whose {
            Whose::Lane(lane) => self.lanes.get(*lane).and_then(|lane| lane.request),
            Whose::Named(name) => self.by_name.get(name).copied(),
        }
        .ok_or_else(|| format!("{whose} has begun nothing that has messages"))
    }

    fn arrived(&self, ticket: Ticket, direction: Direction) -> u64 {
        self.world.held(ticket, direction).arrived
    }

    /// Lets things happen until this is so. False: it is not so in time.
    async fn wait(&mut self, limit: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while !is_so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.recording.end.is_some() {
                return false;
            }
            match self.world.stir(left).await {
                Stir::Happened(happening) => self.happened(happening),
                Stir::Held => {}
                Stir::Nothing => return is_so(self),
            }
        }
        true
    }

    /// Hears everything that has happened by now.
    async fn hear(&mut self) {
        while self.recording.end.is_none() {
            match self.world.stir(Duration::ZERO).await {
                Stir::Happened(happening) => self.happened(happening),
                Stir::Held => {}
                Stir::Nothing => return,
            }
        }
    }
}
