//! The program `dhtcheck`.

use std::process::ExitCode;

use clap::Parser;
use dhtcheck::certify::{certify, random_line};
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
        Command::List(options) => {
            list(&options);
            ExitCode::SUCCESS
        }
    }
}

fn list(options: &List) {
    for check in checks::matching(options.filter.as_deref()) {
        println!("{check}");
    }
    let line = random_line();
    if options
        .filter
        .as_deref()
        .is_none_or(|filter| line.contains(filter))
    {
        println!("{line}");
    }
}
