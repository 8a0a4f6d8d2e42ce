//! The options of `model`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use dht_models::defect::Defect;
use dht_models::frames::Bounds;

const EXIT_CODES: &str = "\
Exit codes:
  0  every property holds, and every goal is reached
  1  a property is violated
  2  not known: a limit ended the exploration, or it was interrupted";

/// Options of `model`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Model {
    /// Models to explore: names, or how they begin. Default: all of them.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// List the models with what they are about, and explore none.
    #[arg(long)]
    pub list: bool,

    /// Say what the tours of the models are that have some, and explore none; with --save, write their runs.
    #[arg(long, conflicts_with_all = ["list", "explore", "defect"])]
    pub tour: bool,

    /// How far: small takes seconds, deep has all the time there is.
    #[arg(long, value_name = "small|default|deep", default_value = "default")]
    pub bounds: Bounds,

    /// Switch on a defect of the original, such as F05, or a mutant, such as M20: a property has to be violated
    /// then. Explores the models that show it, unless others are named. Another name lists them all.
    #[arg(long, value_name = "NAME")]
    pub defect: Option<Defect>,

    /// Stop before a model needs more memory than this: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = parse_size)]
    pub max_memory: usize,

    /// Stop a model at so many different states.
    #[arg(long, value_name = "N")]
    pub max_states: Option<u64>,

    /// How many threads; default: as many as there are processors.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// Show a run for each goal that is reached as well.
    #[arg(long)]
    pub goals: bool,

    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Draw each run that is shown as an SVG file in this folder.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,

    /// Keep each run that is shown as a case in this folder, for `dhtcheck replay` to try with a node.
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,

    /// Open stateright's Explorer of the one model that is named at this address, such as localhost:3000.
    #[arg(long, value_name = "ADDR")]
    pub explore: Option<String>,
}

fn parse_size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| *size > 0)
        .ok_or_else(|| "a size is needed, such as 500M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("2G"), Ok(2 << 30));
        assert_eq!(parse_size("500m"), Ok(500 << 20));
        assert_eq!(parse_size("4096"), Ok(4096));
        for bad in [
            "",
            "G",
            "0",
            "-1",
            "2T",
            "99999999999999999999G",
            "1 G",
            "ü",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
