//! The commands that repeat one check, or one case.

use std::path::Path;

use crate::cli::{Certify, DEFAULT_TIMEOUT, TargetOptions};

/// The command line that runs the check `id` as this run did. Keys are not shown.
pub(crate) fn again(options: &Certify, seed: u64, id: &str) -> String {
    let hostile = if options.hostile { " --hostile" } else { "" };
    let target = arguments(&options.target);
    format!("dhtcheck certify{target}{hostile} --seed {seed:x} --filter {id}")
}

/// The command line that runs a file of the corpus against the same node.
pub(crate) fn replay(options: &TargetOptions, file: &Path) -> String {
    let file = quoted(&file.display().to_string());
    format!("dhtcheck replay {file}{}", arguments(options))
}

/// What says which node, each with a blank before it.
pub(crate) fn arguments(options: &TargetOptions) -> String {
    let mut arguments = String::new();
    let mut add = |argument: String| {
        arguments.push(' ');
        arguments.push_str(&argument);
    };
    if let Some(spawn) = &options.spawn {
        add(format!("--spawn {}", quoted(spawn)));
    }
    if let Some(node) = &options.node {
        add(format!("--node {node}"));
    }
    if let Some(legacy) = &options.legacy {
        add(format!("--legacy {legacy}"));
    }
    if let Some(path) = &options.identity.credentials {
        let path = quoted(&path.display().to_string());
        add(format!("--credentials {path}"));
    }
    if options.identity.auth.is_some() {
        add("--auth NAME:HEXKEY".to_owned());
    }
    if options.identity.guest.is_some() {
        add("--guest NAME:HEXKEY".to_owned());
    }
    for bug in &options.bug {
        add(format!("--bug {bug}"));
    }
    if options.timeout != DEFAULT_TIMEOUT {
        add(format!("--timeout {}", options.timeout.as_secs_f64()));
    }
    arguments
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:=+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(arguments: &[&str]) -> Certify {
        let arguments = [&["dhtcheck", "certify"], arguments].concat();
        match Cli::parse_from(arguments).command {
            Command::Certify(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_matters_is_repeated() {
        let command = again(&options(&["--bug", "put-not-stored"]), 0x5eed, "put.stored");
        assert_eq!(
            command,
            "dhtcheck certify --bug put-not-stored --seed 5eed --filter put.stored"
        );
        let command = again(
            &options(&["--spawn", "it's", "--timeout", "0.5"]),
            1,
            "put.stored",
        );
        assert_eq!(
            command,
            r"dhtcheck certify --spawn 'it'\''s' --timeout 0.5 --seed 1 --filter put.stored"
        );
    }

    #[test]
    fn both_ports_are_repeated() {
        let ports = ["--node", "127.0.0.1:10100", "--legacy", "127.0.0.1:10000"];
        let command = again(&options(&ports), 1, "legacy-put.stored");
        assert_eq!(
            command,
            "dhtcheck certify --node 127.0.0.1:10100 --legacy 127.0.0.1:10000 --seed 1 --filter legacy-put.stored"
        );
    }

    #[test]
    fn keys_are_not_shown() {
        let auth = format!("someone:{}", "5a".repeat(128));
        let command = again(&options(&["--auth", &auth]), 1, "put.stored");
        assert!(command.contains("--auth NAME:HEXKEY") && !command.contains("5a5a"));
    }
}
