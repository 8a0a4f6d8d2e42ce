//! The same seed is the same run, to the byte: in this process, and in another one, whose hash maps have
//! other orders.

use std::fmt::Write as _;
use std::process::Command;

use dht_protocol::HashRange;
use dht_workload::generate::{self, sweep};
use dht_workload::hunt::{Hunt, Technique};
use dht_workload::judge;
use dht_workload::names::Names;
use dht_workload::{Case, Recording};

/// So many seeds of each technique.
const SEEDS: u64 = 12;
/// Set in the other process, which only prints its log.
const CHILD: &str = "DHT_WORKLOAD_PRINTS_ITS_LOG";
const MARK: &str = "the log: ";

#[test]
fn the_same_seed_writes_the_same_log() {
    let log = log();
    if std::env::var_os(CHILD).is_some() {
        println!("{MARK}{}", digest(&log));
        return;
    }
    assert!(log.lines().count() > 10_000, "it says what happened");
    let here = self::log();
    let differs = log
        .lines()
        .zip(here.lines())
        .find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(log, here);

    // Each process orders its hash maps in its own way.
    let this = std::env::current_exe().unwrap();
    let there = Command::new(this)
        .args([
            "--exact",
            "the_same_seed_writes_the_same_log",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&there.stdout);
    let said = text.lines().find_map(|line| line.split_once(MARK));
    let (_, said) = said.expect("the other process prints its log");
    assert_eq!(said.trim(), digest(&log));
}

#[test]
fn another_seed_writes_another_log() {
    let logs = [1, 2].map(|seed| {
        let case = generate::case(seed, &Technique::Concurrent.shape(0));
        text(&Hunt::default().play(&case, seed))
    });
    assert_ne!(logs[0], logs[1]);
}

/// What happens in runs of all techniques, and of the sweep.
fn log() -> String {
    let mut log = String::new();
    for technique in Technique::ALL {
        for seed in 0..SEEDS {
            let case = generate::case(seed, &technique.shape(seed));
            writeln!(log, "{technique} {seed}").unwrap();
            log.push_str(&played(&case, seed));
        }
    }
    for case in sweep::sweep(true) {
        log.push_str(&played(&case, 0));
    }
    log
}

fn played(case: &Case, schedule: u64) -> String {
    let recording = Hunt::default().play(case, schedule);
    let names = Names::new("", HashRange::FULL, true);
    let fault = judge::judge(&recording, &names);
    format!("{case}{}{fault:?}\n", text(&recording))
}

/// Everything that a recording holds.
fn text(recording: &Recording) -> String {
    format!("{recording:#?}\n")
}

/// Enough to tell two logs apart.
fn digest(log: &str) -> String {
    let hash = log.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{} bytes, {hash:016x}", log.len())
}
