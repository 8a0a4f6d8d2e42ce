//! What a suspended Mirror keeps, and that it says when it lost something.
//!
//! Writes of one record take one place of the queue each, so many small Puts fill it. The capacity that was
//! meant is 16,384; nodes that keep 262,144 are as good, and are given more until they lose something.

use bytes::Bytes;
use dht_protocol::neo::request::control::Control;
use dht_requirements as req;

use super::check;
use super::follower::{CHANGES, Follower, Told, changes, ending};
use crate::checks::{Check, Ground, Tag};
use crate::unkept::{Checked, not_applicable};
use crate::wire::Link;

/// How many changes every node has to keep.
const KEPT: usize = 16_384;
/// Enough to overflow the nodes that there are; first those that keep what they have to.
const TOO_MANY: [usize; 2] = [KEPT + 16, 262_144 + 16];
/// So many Puts are sent in one piece.
const PIECE: usize = 4_096;

pub(super) fn checks() -> Vec<Check> {
    vec![
        check(
            "mirror-overflow.capacity",
            "A suspended Mirror keeps 16,384 changes, and does not say that it lost any.",
            &[
                &req::MIRROR_QUEUE_CAPACITY,
                &req::MIRROR_OVERFLOW_NOT_INVENTED,
            ],
            |ground| Box::pin(capacity(ground)),
        ),
        check(
            "mirror-overflow.not-invented",
            "A Mirror that lost no change does not say that it did.",
            &[&req::MIRROR_OVERFLOW_NOT_INVENTED],
            |ground| Box::pin(not_invented(ground)),
        ),
        check(
            "mirror-overflow.reported",
            "A Mirror that lost changes reports those that it kept, and then that some are lost.",
            &[
                &req::MIRROR_OVERFLOW_REPORTED,
                &req::MIRROR_OVERFLOW_AFTER_UPDATES,
            ],
            |ground| Box::pin(reported(ground)),
        )
        .tagged(Tag::Alone),
        check(
            "mirror-overflow.again",
            "A second overflow directly behind the first is reported as well.",
            &[&req::MIRROR_OVERFLOW_AGAIN, &req::MIRROR_OVERFLOW_REPORTED],
            |ground| Box::pin(again(ground)),
        )
        .tagged(Tag::Alone),
    ]
}

/// A suspended Mirror that records are to be put for.
struct Queue<'a> {
    ground: &'a Ground,
    mirror: Follower,
    writer: Link,
}

impl<'a> Queue<'a> {
    async fn new(ground: &'a Ground) -> Checked<Self> {
        ground.trace().hide();
        let channel = ground.channel("");
        let mut mirror = Follower::start(ground, &channel, CHANGES).await?;
        mirror.control(Control::Suspend).await?;
        let writer = ground.link().await?;
        Ok(Self {
            ground,
            mirror,
            writer,
        })
    }

    /// Puts a record so many times.
    async fn put(&mut self, count: usize) -> Checked {
        let channel = self.ground.channel("");
        let put = (self.ground.key(1), Bytes::from_static(b"v"));
        let mut left = count;
        while left > 0 {
            let puts = vec![put.clone(); left.min(PIECE)];
            self.writer.store_all(&channel, &puts).await?;
            left -= puts.len();
        }
        Ok(())
    }

    /// Resumes, and hears so many changes, or that some are lost.
    async fn drain(&mut self, at_least: usize) -> Checked {
        self.mirror.told.clear();
        self.mirror.control(Control::Resume).await?;
        let (due, what) = (&req::MIRROR_QUEUE_CAPACITY, "the changes that were kept");
        let mut heard = 0;
        while heard < at_least {
            if matches!(self.mirror.next(due, what).await?, Told::Changed(..)) {
                heard += 1;
            } else if self.overflows() > 0 {
                break;
            }
        }
        Ok(())
    }

    fn overflows(&self) -> usize {
        self.mirror.count(|told| *told == Told::Overflow)
    }

    /// Fills the queue with so many changes, or more and more of them, until some are lost, and resumes. How many
    /// were put.
    async fn overflow(&mut self, counts: &[usize]) -> Checked<usize> {
        let due = &req::MIRROR_OVERFLOW_REPORTED;
        for &count in counts {
            self.put(count).await?;
            self.drain(KEPT).await?;
            // Either all that was put comes, or it is said that something is lost.
            let what = format!("{count} RecordChanged, or fewer and then UpdateOverflow");
            let mut came = changes(&self.mirror.told);
            while came < count && self.mirror.told.last() != Some(&Told::Overflow) {
                let told = self.mirror.next(due, &what).await?;
                came += usize::from(matches!(told, Told::Changed(..)));
            }
            if self.overflows() > 0 {
                let question = "Changes that a suspended Mirror keeps";
                self.ground.note(question, came.to_string());
                return Ok(count);
            }
            self.mirror.control(Control::Suspend).await?;
        }
        let most = counts.iter().max().unwrap_or(&KEPT);
        not_applicable(format!(
            "the node keeps more changes than the {most} that this check makes"
        ))
    }
}

async fn capacity(ground: &Ground) -> Checked {
    let mut queue = Queue::new(ground).await?;
    queue.put(KEPT).await?;
    queue.drain(KEPT).await?;
    let came = changes(&queue.mirror.told);
    let rule = &req::MIRROR_QUEUE_CAPACITY;
    let sent = "Suspend, 16,384 Puts of a record, Resume";
    let expected = ["16,384 RecordChanged"];
    ground.expect(rule, sent, &expected, came == KEPT, || format!("{came}"))?;
    queue.mirror.settle().await?;
    let rule = &req::MIRROR_OVERFLOW_NOT_INVENTED;
    let kept = queue.overflows() == 0;
    let expected = ["no UpdateOverflow"];
    ground.expect(rule, sent, &expected, kept, || ending(&queue.mirror.told))
}

async fn not_invented(ground: &Ground) -> Checked {
    let mut queue = Queue::new(ground).await?;
    queue.put(200).await?;
    queue.mirror.control(Control::Resume).await?;
    let (due, what) = (&req::MIRROR_OVERFLOW_NOT_INVENTED, "200 RecordChanged");
    queue
        .mirror
        .until(due, what, |told| changes(told) >= 200)
        .await?;
    queue.mirror.settle().await?;
    let (kept, expected) = (queue.overflows() == 0, ["no UpdateOverflow"]);
    let sent = "Suspend, 200 Puts of a record, Resume";
    ground.expect(due, sent, &expected, kept, || ending(&queue.mirror.told))
}

async fn reported(ground: &Ground) -> Checked {
    let mut queue = Queue::new(ground).await?;
    let count = queue.overflow(&TOO_MANY).await?;
    queue.mirror.settle().await?;
    let before = queue.mirror.told.iter();
    let before = before.take_while(|told| **told != Told::Overflow);
    let before = before
        .filter(|told| matches!(told, Told::Changed(..)))
        .count();
    let all = changes(&queue.mirror.told);
    let sent = format!("Suspend, {count} Puts of a record, Resume");
    let rule = &req::MIRROR_OVERFLOW_AFTER_UPDATES;
    let expected = ["UpdateOverflow behind all RecordChanged that were kept"];
    ground.expect(rule, &sent, &expected, before == all && all >= KEPT, || {
        format!("{before} RecordChanged before UpdateOverflow, {all} in all")
    })
}

async fn again(ground: &Ground) -> Checked {
    let mut queue = Queue::new(ground).await?;
    // A queue that is many times as long cannot be filled again so soon that it would matter.
    let count = queue.overflow(&TOO_MANY[..1]).await?;
    queue.mirror.control(Control::Suspend).await?;
    queue.put(count).await?;
    queue.mirror.told.clear();
    queue.mirror.control(Control::Resume).await?;
    let due = &req::MIRROR_OVERFLOW_AGAIN;
    let what = "UpdateOverflow once more, behind the changes that were kept";
    queue
        .mirror
        .until_told(due, what, |told| *told == Told::Overflow)
        .await
}
