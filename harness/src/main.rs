//! The program `dhtcheck`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use dhtcheck::certify::{certify, random_line, wants_random};
use dhtcheck::checks;
use dhtcheck::cli::{Cli, Command, List};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Certify(options) => match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime.block_on(certify(*options)).into(),
            Err(error) => {
                eprintln!("cannot start: {error}");
                ExitCode::from(2)
            }
        },
        // Whoever reads only the first lines, as in `dhtcheck list | head`, has what they wanted.
        Command::List(options) => {
            let _ = list(&options);
            ExitCode::SUCCESS
        }
    }
}

fn list(options: &List) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for check in checks::matching(options.filter.as_deref()) {
        writeln!(out, "{check}")?;
    }
    if wants_random(options.filter.as_deref()) {
        writeln!(out, "{}", random_line())?;
    }
    out.flush()
}
