//! Connections that are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use dht_client::{NodeAddress, Side, Tap};
use dht_model::Answer;
use dht_workload::case::Decision;
use dht_workload::generate::sweep::sweep;
use dht_workload::names::KeyName;
use dht_workload::net::Options;
use dht_workload::recording::Entry;
use dht_workload::world::Ending;
use dht_workload::{Case, Step, judge};
use fakedht::TestNode;
use futures_util::StreamExt;
use futures_util::stream;

use super::{ending, faulty, names, play_in, world};

/// Cuts before, after and inside each message of each request: whatever was cut is unknown or answered
/// rightly, the connection comes back, and what is done then works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_can_be_the_last() {
    stream::iter(sweep(true)).for_each_concurrent(8, cut).await;
}

async fn cut(case: Case) {
    let node = TestNode::start().await.unwrap();
    let losses = Arc::new(Losses::default());
    let options = Options {
        // The connection that is cut.
        taps: vec![Arc::clone(&losses) as Arc<dyn Tap>],
        ..faulty()
    };
    let mut world = world(node.address(), 2, options).await;
    let recording = play_in(&case, &mut world).await;

    let about = format!("{case}{recording:#?}");
    assert_eq!(recording.end, None, "{about}");
    assert_eq!(losses.0.load(Ordering::SeqCst), 1, "{about}");
    assert_eq!(judge::judge(&recording, &names()), None, "{about}");
    let unknown = |entry: &&Entry| matches!(ending(entry), Ending::Unknown(_));
    let unknowns = recording.entries.iter().filter(unknown).count();
    assert!(unknowns <= 1, "{about}");

    // What the record holds is what was answered, if it was.
    let [.., late, last] = &recording.entries[..] else {
        panic!("{about}");
    };
    let value = Answer::Value("late".into());
    assert_eq!(ending(late), &Ending::Answer(value), "{about}");
    let held = node.get(names().channel("c"), names().key(KeyName::Inside(0)));
    let shown = match ending(last) {
        Ending::Answer(Answer::Value(value)) => Some(value.clone()),
        Ending::Answer(Answer::NoRecord) => None,
        other => panic!("{other}: {about}"),
    };
    assert_eq!(shown, held, "{about}");
    let possible = possible(&recording.entries);
    assert!(possible.contains(&held), "{held:?}: {about}");
    world.shutdown().await;
}

/// What the record may hold when the request was answered, or was cut.
fn possible(entries: &[Entry]) -> Vec<Option<Bytes>> {
    let fault = |entry: &Entry| matches!(entry.step, Step::Fault(_));
    let begins = entries.iter().position(fault).expect("there is a cut") + 1;
    let request = &entries[begins..];
    let wanted = request.iter().find(|entry| {
        matches!(
            entry.step,
            Step::Put { .. }
                | Step::Remove { .. }
                | Step::RemoveChannel { .. }
                | Step::Update { .. }
                | Step::Decide { .. }
        )
    });
    let old = Some("old".into());
    let Some(wanted) = wanted.filter(|entry| entry.step.channel() != Some("d")) else {
        return vec![old];
    };
    let new = match &wanted.step {
        Step::Put { value, .. } => Some(value.bytes()),
        Step::Update { decision, .. } | Step::Decide { decision, .. } => match decision {
            Decision::Replace(value) => Some(value.bytes()),
            Decision::Leave => old.clone(),
            Decision::Delete => None,
        },
        _ => None,
    };
    match ending(wanted) {
        Ending::Answer(_) => vec![new],
        Ending::Unknown(_) => vec![old, new],
        // It was never sent.
        _ => vec![old],
    }
}

/// Counts connections that have ended.
#[derive(Debug, Default)]
struct Losses(AtomicU32);

impl Tap for Losses {
    fn opened(&self, _: NodeAddress) {}

    fn bytes(&self, _: NodeAddress, _: Side, _: &[u8]) {}

    fn closed(&self, _: NodeAddress, _: &str) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
