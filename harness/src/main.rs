//! The program `dhtcheck`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use dht_reports::Exit;
use dhtcheck::campaign;
use dhtcheck::certify::certify;
use dhtcheck::checks;
use dhtcheck::cli::{Cli, Command, List};
use dhtcheck::doctor::doctor;
use dhtcheck::fuzz::fuzz;
use dhtcheck::history::history;
use dhtcheck::minimize::minimize;
use dhtcheck::model::model;
use dhtcheck::replay::replay;
use dhtcheck::report::report;
use dhtcheck::selftest::selftest;
use rustix::process::{Resource, getrlimit, setrlimit};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Certify(options) => run(certify(*options)),
        Command::Replay(options) => run(replay(*options)),
        Command::Minimize(options) => run(minimize(*options)),
        Command::Doctor(options) => run(doctor(*options)),
        Command::Fuzz(options) => run(fuzz(*options)),
        Command::Model(options) => run(model(*options)),
        Command::Selftest(options) => run(selftest(options)),
        // Whoever reads only the first lines, as in `dhtcheck list | head`, has what they wanted.
        Command::Report(options) => report(&options).into(),
        Command::History(options) => history(&options).into(),
        Command::List(options) => {
            let _ = list(&options);
            ExitCode::SUCCESS
        }
    }
}

fn run(command: impl Future<Output = Exit>) -> ExitCode {
    allow_many_connections();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(command);
            // A name server that does not answer is not waited for.
            runtime.shutdown_background();
            exit.into()
        }
        Err(error) => {
            eprintln!("cannot start: {error}");
            Exit::CouldNotRun.into()
        }
    }
}

/// Checks that wait for a silent node run by the hundred, and many systems allow 1024 descriptors unless asked
/// for more.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If it is not allowed, what is allowed has to do.
    let _ = setrlimit(Resource::Nofile, limit);
}

fn list(options: &List) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if options.requirements {
        let filter = options.filter.as_deref().unwrap_or_default();
        for requirement in dht_requirements::all() {
            let listed = [requirement.id, requirement.sentence, requirement.source];
            if !listed.iter().any(|text| text.contains(filter)) {
                continue;
            }
            writeln!(
                out,
                "{:<16} {:<6} {:<6} {}  [{}]",
                requirement.id,
                requirement.level,
                requirement.party,
                requirement.sentence,
                requirement.source
            )?;
        }
        return out.flush();
    }
    for check in checks::matching(options.filter.as_deref()) {
        writeln!(out, "{check}")?;
    }
    for line in campaign::lines(options.filter.as_deref()) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
