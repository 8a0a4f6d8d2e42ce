//! Failures that were kept with a schedule: it makes a rare order of messages the only one, so the node with
//! the bug fails in each run, and the healthy node in none.

use std::path::{Path, PathBuf};

use dht_workload::corpus::{self, Kept};
use dht_workload::judge::{self, Fault};
use dht_workload::net::Options;
use fakedht::{Bugs, NodeConfig, ServerOptions, TestNode};

use super::{names, play};

/// So often each is run.
const TIMES: usize = 3;

fn files() -> impl Iterator<Item = (PathBuf, Kept)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let files = corpus::files(&folder).unwrap().into_iter();
    let files = files.map(|path| {
        let kept = Kept::read(&path).unwrap();
        (path, kept)
    });
    files.filter(|(_, kept)| kept.case.has_schedule())
}

/// What is wrong with a node with these bugs. The schedule can be followed.
async fn judged(path: &Path, kept: &Kept, bugs: Bugs) -> Option<Fault> {
    let config = NodeConfig {
        bugs,
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default()).await;
    let options = Options {
        faulty: kept.case.has_faults(),
        gated: true,
        ..Options::default()
    };
    let recording = play(&kept.case, node.unwrap().address(), options).await;
    assert_eq!(recording.notes, Vec::<String>::new(), "{}", path.display());
    judge::judge(&recording, &names())
}

#[tokio::test]
async fn a_healthy_node_passes() {
    assert!(files().count() >= 4);
    for (path, kept) in files() {
        for _ in 0..TIMES {
            let fault = judged(&path, &kept, Bugs::none()).await;
            assert_eq!(fault, None, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_node_with_the_bug_fails_each_time() {
    for (path, kept) in files() {
        let name = kept.bug.as_deref().unwrap_or_default();
        for _ in 0..TIMES {
            let bug = Bugs::find(name).unwrap_or_else(|| panic!("no bug \"{name}\""));
            let fault = judged(&path, &kept, Bugs::from_iter([bug])).await;
            let fault = fault.unwrap_or_else(|| panic!("{} passes", path.display()));
            let path = path.display();
            assert_eq!(fault.requirement.id, kept.requirement, "{path}: {fault:#?}");
            assert_eq!(fault.sent, kept.sent, "{path}");
            assert_eq!(fault.allowed, kept.allowed, "{path}");
            assert_eq!(fault.observed, kept.observed, "{path}");
        }
    }
}
