//! `dhtcheck fuzz`: legal conversations with named defects put in, against any node.
//!
//! A *script* is a case ([`dht_workload::case`]) some of whose steps are said or done wrongly. The legal part is
//! judged as every case is, by the model and the wire monitor; for each defect it is known what the node may do
//! about it; and others must not suffer: a bystander's connections, newcomers, the node's process, and what it
//! takes of the machine. What is found is made short and kept as a file that `dhtcheck replay` runs again.
//!
//! Lanes of a script speak neo or the legacy protocol, in the same run and over one storage; a defect is of one of
//! the two. They differ in four places, each with a half for either: what a client says by the rules (`speech`), what
//! a defect makes of that (`forgery`, `apart`), what is heard of it (`probe`), and what of that is right (`verdict`).
//! All else is the same: scripts, connections, when bytes go out and when a reaction is decided, bystanders, findings.
//!
//! * `script`: makes scripts. `forgery`: from a defect to bytes; `apart`: defects that need a connection of their
//!   own. `verdict`: what a node may do about each.
//! * `world`, `line`, `speech`, `probe`: connections on which anything can be said.
//! * `alone`: one script by itself, with a `bystander`. `search`: many at a time; `tally`: what it came to;
//!   `suspicion`: which of them it was.
//! * `machine`: what the node's process takes, and with which defect; `vitals`: how that is read.
//! * `report`: what came of it, as events.

mod alone;
mod apart;
mod bystander;
mod forgery;
mod line;
mod machine;
mod place;
mod probe;
mod report;
mod script;
mod search;
mod speech;
mod suspicion;
mod tally;
mod verdict;
mod vitals;
mod world;

use std::io::{self, Write};

use dht_reports::{Event, Exit, Plan, PlannedGroup, RunStarted};
use dht_workload::case::Defect;

use crate::certify::{self, described, obstacle};
use crate::cli;
use crate::profiles;
use crate::reporter::Reporter;
use crate::target::Target;
use search::Search;
use verdict::Allowed;

pub(crate) use alone::alone;

/// The name of the group in reports.
const GROUP: &str = "fuzz";

/// Fuzzes a node.
pub async fn fuzz(options: cli::Fuzz) -> Exit {
    if options.list_defects {
        // Whoever reads only the first lines has what they wanted.
        let _ = list(&mut io::stdout().lock());
        return Exit::Kept;
    }
    let (junit, json) = (options.junit.clone(), options.json.clone());
    certify::reported(junit, json, async |reporter| run(options, reporter).await).await
}

fn list(out: &mut impl Write) -> io::Result<()> {
    for defect in Defect::ALL {
        let allowed = Allowed::about(*defect);
        let requirement = allowed.requirement();
        writeln!(
            out,
            "{:<25} {:<16} {:<6} {} Allowed: {}.",
            defect.name(),
            requirement.id,
            requirement.level,
            defect.about(),
            allowed.words(),
        )?;
    }
    out.flush()
}

async fn run(options: cli::Fuzz, reporter: &Reporter) {
    let seed = options.seed.unwrap_or_else(certify::new_seed);
    let profile = profiles::load(&options.profile);
    let mut start = RunStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: format!("{seed:x}"),
        started_ms: certify::now_ms(),
        profile: profile.as_ref().cloned().unwrap_or_default(),
        groups: vec![PlannedGroup {
            name: GROUP.to_owned(),
            plan: Plan::Random,
        }],
        requirements: report::requirements().map(described).collect(),
        ..RunStarted::default()
    };
    let prepared = match profile {
        Ok(_) => tokio::select! {
            prepared = Target::prepare(&options.target) => prepared,
            () = certify::interrupt::interrupted() => {
                Err(obstacle("it was interrupted.", "Nothing was left on the node."))
            }
        },
        Err(obstacle) => Err(obstacle),
    };
    let target = match prepared {
        Ok(target) => target,
        Err(obstacle) => {
            reporter.event(&Event::RunStarted(start));
            reporter.event(&Event::Stopped(obstacle));
            return;
        }
    };
    start.node = target.to_string();
    start.range = Some(target.range().to_string());
    reporter.event(&Event::RunStarted(start));
    let search = Search::new(&options, &target, reporter, seed);
    certify::unless_interrupted(reporter, search.run()).await;
    target.stop().await;
}
