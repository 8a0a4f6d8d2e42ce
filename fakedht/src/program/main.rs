//! The program `fakedht`: a DHT node in memory.

mod args;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use fakedht::server::{StderrLog, listen};
use fakedht::{Bugs, MemoryStorage, Node, NodeConfig, Server, ServerOptions, SharedNode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The node could not run; anything else is 0, a mistake on the command line included in this one.
const CANNOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let args = args::Args::parse();
    if args.list_bugs {
        return finish(list_bugs().map_err(Failure::new("cannot print")));
    }
    finish(args.setup().and_then(run))
}

/// What the command line and the files it names come to.
#[derive(Debug)]
struct Setup {
    neo: SocketAddrV4,
    legacy: Option<SocketAddrV4>,
    max_connections: usize,
    node: NodeConfig,
}

/// One core is enough for a node whose requests take turns anyway, and saves waking threads.
#[tokio::main(flavor = "current_thread")]
async fn run(setup: Setup) -> Result<(), Failure> {
    let neo = open(setup.neo)?;
    let legacy = setup.legacy.map(open).transpose()?;
    let mut terminated = signal(SignalKind::terminate()).map_err(Failure::new("no signals"))?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(Failure::new("no signals"))?;
    let options = ServerOptions {
        max_connections: setup.max_connections,
        log: Arc::new(StderrLog),
        ..ServerOptions::default()
    };
    let node = SharedNode::new(Node::new(setup.node, MemoryStorage::new()));
    let legacy = legacy
        .map(|listener| Server::start_legacy(listener, node.clone(), options.clone()))
        .transpose()
        .map_err(Failure::new("cannot serve"))?;
    let neo = Server::start(neo, node.clone(), options).map_err(Failure::new("cannot serve"))?;
    // Scripts wait for the line of the neo port: nothing may be missing after it.
    if let Some(legacy) = &legacy {
        say(format_args!("listening on legacy {}", legacy.address()))
            .map_err(Failure::new("cannot print"))?;
    }
    say(format_args!("listening on neo {}", neo.address()))
        .map_err(Failure::new("cannot print"))?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = node.crashed() => return Err(Failure("crashed, as it was told to be wrong".to_owned())),
    }
    neo.stop().await;
    if let Some(legacy) = legacy {
        legacy.stop().await;
    }
    Ok(())
}

fn open(address: SocketAddrV4) -> Result<TcpListener, Failure> {
    listen(address).map_err(Failure::new(format_args!("cannot listen on {address}")))
}

fn list_bugs() -> io::Result<()> {
    for bug in Bugs::catalogue() {
        say(format_args!(
            "{}  {} ({})",
            bug.name, bug.description, bug.breaks
        ))?;
    }
    Ok(())
}

/// Prints a line at once, for scripts that wait for it.
fn say(line: fmt::Arguments<'_>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Why the program could not do its work: what was tried, and what was wrong.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    fn new<E: Error>(tried: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{tried}: {error}"))
    }
}

fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            complain(format_args!("{reason}"));
            CANNOT_RUN.into()
        }
    }
}

/// Prints a line for people, in one piece.
fn complain(line: fmt::Arguments<'_>) {
    // Nobody is left to be told if this fails.
    let _ = io::stderr().write_all(format!("fakedht: {line}\n").as_bytes());
}
