//! The command that repeats one check.

use crate::cli::{Certify, DEFAULT_TIMEOUT};

/// The command line that runs the check `id` as this run did. Keys are not shown.
pub(super) fn again(options: &Certify, seed: u64, id: &str) -> String {
    let mut command = "dhtcheck certify".to_owned();
    if let Some(spawn) = &options.spawn {
        command.push_str(&format!(" --spawn {}", quoted(spawn)));
    }
    if let Some(node) = &options.node {
        command.push_str(&format!(" --node {node}"));
    }
    if let Some(path) = &options.credentials {
        let path = quoted(&path.display().to_string());
        command.push_str(&format!(" --credentials {path}"));
    }
    if options.auth.is_some() {
        command.push_str(" --auth NAME:HEXKEY");
    }
    if options.guest.is_some() {
        command.push_str(" --guest NAME:HEXKEY");
    }
    if options.hostile {
        command.push_str(" --hostile");
    }
    for bug in &options.bug {
        command.push_str(&format!(" --bug {bug}"));
    }
    if options.timeout != DEFAULT_TIMEOUT {
        command.push_str(&format!(" --timeout {}", options.timeout.as_secs_f64()));
    }
    format!("{command} --seed {seed:x} --filter {id}")
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
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
    fn keys_are_not_shown() {
        let auth = format!("someone:{}", "5a".repeat(128));
        let command = again(&options(&["--auth", &auth]), 1, "put.stored");
        assert!(command.contains("--auth NAME:HEXKEY") && !command.contains("5a5a"));
    }
}
