//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use dht_client::{FileError, credential_from_file};
use dht_history::Semantics;
use dht_protocol::neo::Credential;
use dht_workload::case::Defect;

use crate::model::Model;
use crate::selftest::Means;

/// Certifies nodes of the DHT protocol of the dhtproto/swarm family.
#[derive(Debug, Parser)]
#[command(name = "dhtcheck", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How long a node may take for an answer if nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

const EXIT_CODES: &str = "\
Exit codes:
  0  every rule that was checked is kept
  1  a rule is broken
  2  the run could not start or could not tell: node unreachable, credentials refused, ...";

const HISTORY_EXIT_CODES: &str = "\
Exit codes:
  0  linearizable
  1  not linearizable
  2  not known: the search was too long, or the history cannot be read";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a node and report which rules it keeps. Without --node and --spawn the embedded fake node
    /// is checked.
    Certify(Box<Certify>),
    /// List the checks, a line each.
    List(List),
    /// Make the reports of a finished run again, also by another profile.
    Report(Report),
    /// Run kept failures (docs/corpus.md) again, one or a folder of them.
    Replay(Box<Replay>),
    /// Make a kept failure shorter.
    Minimize(Box<Minimize>),
    /// Say within a second what is wrong with a node's address, port, version, clock, credentials, range
    /// and permissions, and what to do about it. It writes a record into a channel of its own, and
    /// removes both.
    Doctor(Box<Doctor>),
    /// Look for every bug that the embedded fake node can have, and say how each was found: the judge is
    /// judged.
    Selftest(Selftest),
    /// Check whether a stored history of concurrent operations (docs/history.md) is linearizable, and say
    /// which operations no order explains.
    History(History),
    /// Talk to a node by the rules, with named defects put in: wrong headers, cut messages, words out of turn,
    /// connections that end. Where a legacy port is known both protocols are spoken, else neo alone. Without
    /// --node and --spawn the embedded fake node is fuzzed (docs/live-fuzzing.md).
    Fuzz(Box<Fuzz>),
    /// Explore the state machines of every request through all interleavings within bounds, and say which
    /// properties hold (docs/model-checking.md).
    Model(Box<Model>),
}

/// The clients that the node knows.
#[derive(Args, Clone, Debug, Default)]
pub struct Identity {
    /// Name and key of the client: 256 hexadecimal digits. Default: admin with the all-zero key.
    #[arg(long, value_name = "NAME:HEXKEY", conflicts_with = "credentials")]
    pub auth: Option<Credential>,

    /// A file with one line NAME:HEXKEY.
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// Name and key of a second client that the node knows and that is not called "admin": what such a
    /// client may not do is checked with it.
    #[arg(long, value_name = "NAME:HEXKEY")]
    pub guest: Option<Credential>,
}

impl Identity {
    /// What a file of credentials has to hold.
    pub const FILE: &'static str =
        "The file must have one line, NAME:HEXKEY with 256 hexadecimal digits.";

    /// The name and key of the client.
    pub fn credential(&self) -> Result<Credential, FileError> {
        match (&self.auth, &self.credentials) {
            (Some(credential), _) => Ok(credential.clone()),
            (None, Some(path)) => credential_from_file(path),
            (None, None) => Ok(Credential::default_admin()),
        }
    }
}

/// Which node, as whom, and how patiently.
#[derive(Args, Clone, Debug)]
pub struct TargetOptions {
    /// The node to check.
    #[arg(long, value_name = "HOST:PORT")]
    pub node: Option<String>,

    /// Where the node speaks the legacy protocol. Default: the neo port minus 100, if a node answers there.
    #[arg(long, value_name = "HOST:PORT")]
    pub legacy: Option<String>,

    /// As whom.
    #[command(flatten)]
    pub identity: Identity,

    /// Start the node with this shell command, check it at --node (default 127.0.0.1:10100), and stop it
    /// again. What the node writes is not shown; the command may redirect it to a file.
    #[arg(long, value_name = "CMD")]
    pub spawn: Option<String>,

    /// Switch on a bug of the embedded fake node, to see what a failure looks like. Repeatable;
    /// `fakedht --list-bugs` names them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["node", "spawn"])]
    pub bug: Vec<String>,

    /// How long the node may take for one answer, in seconds. A check in which it takes longer is
    /// broken. A check takes at most six times as much and 10 s, the random part twelve times as much,
    /// and as long again to make a failure short.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = parse_seconds)]
    pub timeout: Duration,
}

/// Options of `certify`.
#[derive(Args, Debug)]
pub struct Certify {
    /// The node.
    #[command(flatten)]
    pub target: TargetOptions,

    /// The seed of the random part, in hexadecimal. Default: a new one, which is printed.
    #[arg(long, value_name = "N", value_parser = parse_seed)]
    pub seed: Option<u64>,

    /// How many operations the random part does, about, if there is no --budget; 0: none.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub operations: u64,

    /// How long the random part may take, in seconds; it then goes on until that is over. 0: directed checks
    /// and kept failures only.
    #[arg(long, value_name = "SECONDS", value_parser = parse_budget)]
    pub budget: Option<Duration>,

    /// Run also the checks that are known to kill or block nodes that are not prepared for them. With
    /// --spawn, and against the embedded node, they always run.
    #[arg(long)]
    pub hostile: bool,

    /// A file that says in which known ways this node deviates (docs/profiles.md), or the name of one that
    /// comes with the program: strict, fakedht-original, dhtnode-original.
    #[arg(long, value_name = "NAME|FILE", default_value = "strict")]
    pub profile: String,

    /// Run only the check with this id, or all checks whose line in `dhtcheck list` contains this text.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,

    /// Drive the node along the tours of the models as well (docs/model-checking.md), and say how much of the
    /// requests' machines it went through.
    #[arg(long)]
    pub tour: bool,

    /// The folder where failures of the random part are kept, and from which they are run again first. One
    /// that is not there is made when there is something to keep.
    #[arg(long, value_name = "DIR", default_value = "corpus")]
    pub corpus: PathBuf,

    /// Write a JUnit XML report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write the events of the run, JSON Lines (docs/run-events.md); `dhtcheck report` reads them.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Args, Debug)]
pub struct Replay {
    /// A file, or a folder of files.
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,

    /// The node.
    #[command(flatten)]
    pub target: TargetOptions,

    /// Write a JUnit XML report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write the events of the run, JSON Lines (docs/run-events.md).
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `minimize`.
#[derive(Args, Debug)]
pub struct Minimize {
    /// The file. It is replaced whenever a shorter case is found.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The node.
    #[command(flatten)]
    pub target: TargetOptions,

    /// How many shorter cases are tried at most.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub probes: usize,
}

/// Options of `selftest`.
#[derive(Args, Debug)]
pub struct Selftest {
    /// Look for this bug only. Repeatable; `fakedht --list-bugs` names them.
    #[arg(long, value_name = "NAME")]
    pub bug: Vec<String>,

    /// How long a bug may be looked for, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    pub budget: Duration,

    /// Look in this way only: sequential, concurrent, faults, directed. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub technique: Vec<Means>,

    /// The seed of the random cases, in hexadecimal.
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse_seed)]
    pub seed: u64,

    /// How long a directed check waits for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = parse_seconds)]
    pub timeout: Duration,

    /// Write the minimised case of each bug that random cases find into this folder.
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,

    /// Write the table of all bugs as a page.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

/// Options of `fuzz`.
#[derive(Args, Debug)]
pub struct Fuzz {
    /// The node.
    #[command(flatten)]
    pub target: TargetOptions,

    /// The seed, in hexadecimal. Default: a new one, which is printed.
    #[arg(long, value_name = "N", value_parser = parse_seed)]
    pub seed: Option<u64>,

    /// How long it may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds_with_unit)]
    pub budget: Duration,

    /// End after so many scripts, however long they take.
    #[arg(long, value_name = "N", conflicts_with = "budget")]
    pub scripts: Option<u64>,

    /// How many connections are used at the same time, about.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..=1024))]
    pub connections: u16,

    /// Put in only this defect. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub defect: Vec<Defect>,

    /// Name the defects, a line each, and what a node may do about them.
    #[arg(long)]
    pub list_defects: bool,

    /// A file that says in which known ways this node deviates (docs/profiles.md), or the name of one that
    /// comes with the program.
    #[arg(long, value_name = "NAME|FILE", default_value = "strict")]
    pub profile: String,

    /// The folder where findings are kept.
    #[arg(long, value_name = "DIR", default_value = "corpus")]
    pub corpus: PathBuf,

    /// Write a JUnit XML report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write the events of the run, JSON Lines (docs/run-events.md).
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `report`.
#[derive(Args, Debug)]
pub struct Report {
    /// The events of a run, as `certify --json` writes them.
    #[arg(value_name = "FILE")]
    pub events: PathBuf,

    /// Judge the run by this profile instead of the one that it was run with.
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// Write a JUnit XML report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Options of `doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// The node to examine.
    #[arg(long, value_name = "HOST:PORT")]
    pub node: String,

    /// As whom.
    #[command(flatten)]
    pub identity: Identity,

    /// How long the node may take for one answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "0.3", value_parser = parse_seconds)]
    pub timeout: Duration,
}

/// Options of `history`.
#[derive(Args, Debug)]
#[command(after_help = HISTORY_EXIT_CODES)]
pub struct History {
    /// The history, JSON Lines; `-`: standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// What the operations mean: dht for channels of records, register for plain registers that are read,
    /// written, and compared and set.
    #[arg(long, value_name = "dht|register", default_value = "dht")]
    pub model: Semantics,

    /// How long may be searched, in seconds, about; 0: only what takes no search is decided.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = parse_budget)]
    pub budget: Duration,

    /// Where to write an order of the operations that explains every answer, if there is one.
    #[arg(long, value_name = "FILE")]
    pub witness: Option<PathBuf>,

    /// Where to draw the operations around the fault, if there is one.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Options of `list`.
#[derive(Args, Debug)]
pub struct List {
    /// List the requirements instead.
    #[arg(long)]
    pub requirements: bool,

    /// List only what contains this text.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

impl Certify {
    /// A certification of this target, everything else as it is if nothing is said.
    pub fn of(target: TargetOptions) -> Self {
        Self {
            target,
            seed: None,
            operations: 0,
            budget: None,
            hostile: false,
            profile: "strict".to_owned(),
            filter: None,
            tour: false,
            corpus: PathBuf::from("corpus"),
            junit: None,
            json: None,
        }
    }
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| "a seed has 1 to 16 hexadecimal digits".to_owned())
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is needed".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(3600))
        .ok_or_else(|| "a number of seconds above 0 and up to 3600 is needed".to_owned())
}

fn parse_seconds_with_unit(text: &str) -> Result<Duration, String> {
    parse_seconds(text.strip_suffix('s').unwrap_or(text))
}

fn parse_budget(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('s').unwrap_or(text) {
        "0" => Ok(Duration::ZERO),
        seconds => parse_seconds(seconds),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_default_timeout_is_the_one_that_is_said() {
        let Command::Certify(options) = Cli::parse_from(["dhtcheck", "certify"]).command else {
            panic!("certify was asked for");
        };
        assert_eq!(options.target.timeout, DEFAULT_TIMEOUT);
    }

    #[test]
    fn seeds_are_hexadecimal() {
        assert_eq!(parse_seed("7f3a91c2"), Ok(0x7f3a_91c2));
        assert_eq!(parse_seed("0xff"), Ok(255));
        assert!(parse_seed("").is_err() && parse_seed("xyz").is_err());
    }

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "inf", "nan", "1e9", "soon"] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }
}
