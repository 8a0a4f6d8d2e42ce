//! Files of the corpus: failures made short, and kept.
//!
//! A file is JSON that a person can read and edit; `docs/corpus.md` describes it. What a replay needs is
//! the case; all the rest says what it is about: the requirement that was broken, what was allowed and
//! what came, how often it fails, how it was found, and the messages. Old files stay readable: the format
//! has a number, and what a later version adds is optional.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::case::{BadCase, Case, Round};

/// The format that is written, and the newest that is read.
pub const FORMAT: u32 = 1;
/// So wide is a line of moves.
const MOVES_WIDTH: usize = 90;
/// A file that is larger is none of ours.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A failure that was kept.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Which format this is.
    pub format: u32,
    /// What it is about, one sentence.
    pub about: String,
    /// The requirement that was broken: its id.
    pub requirement: String,
    /// The step whose end showed it.
    pub sent: String,
    /// What would have been right.
    pub allowed: String,
    /// What came.
    pub observed: String,
    /// How often it failed when it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<Rate>,
    /// The bug of the fake node's catalogue that shows it, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// How it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// What is done.
    pub case: Case,
    /// The messages of the last run that failed, a line each. Only to be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange: Vec<String>,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// So often.
    pub failed: usize,
    /// Of so many runs.
    pub of: usize,
}

/// How a failure was found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Found {
    /// The version of the program.
    pub version: String,
    /// The node, as it was called.
    pub node: String,
    /// The profile that was applied.
    pub profile: String,
    /// The seed of the run.
    pub seed: String,
    /// By which kind of run.
    pub technique: String,
    /// How many operations were done before it showed.
    pub operations: u64,
    /// How many candidates were tried to make it short.
    pub probes: usize,
    /// In this process the schedule of the world without sockets, which makes it fail the same way again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<u64>,
}

/// Why a file of the corpus cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CorpusError {
    #[error("{path} cannot be read or written")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is larger than {MAX_BYTES} bytes; it is no file of a corpus")]
    TooLarge { path: PathBuf },
    #[error("{path} is no case: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{path} has the format {format}; this version reads formats up to {FORMAT}")]
    Format { path: PathBuf, format: u32 },
    #[error("{path} cannot be run: {source}")]
    Case { path: PathBuf, source: BadCase },
}

impl Kept {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, CorpusError> {
        let failed = |source| CorpusError::Io {
            path: path.to_owned(),
            source,
        };
        let file = fs::File::open(path).map_err(failed)?;
        let mut text = String::new();
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(CorpusError::TooLarge {
                path: path.to_owned(),
            });
        }
        Self::parse(path, &text)
    }

    /// Reads the text of a file; `path` is what errors call it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, CorpusError> {
        /// What every format has.
        #[derive(Deserialize)]
        struct AnyFormat {
            format: u32,
        }
        let json = |source| CorpusError::Json {
            path: path.to_owned(),
            source,
        };
        let AnyFormat { format } = serde_json::from_str(text).map_err(json)?;
        if format > FORMAT {
            return Err(CorpusError::Format {
                path: path.to_owned(),
                format,
            });
        }
        let kept: Self = serde_json::from_str(text).map_err(json)?;
        kept.case.validate().map_err(|source| CorpusError::Case {
            path: path.to_owned(),
            source,
        })?;
        Ok(kept)
    }

    /// The text of the file: one step a line.
    pub fn text(&self) -> String {
        // These types have nothing that JSON cannot express.
        let pretty = serde_json::to_string_pretty(self).unwrap_or_default();
        let case = serde_json::to_string_pretty(&self.case).unwrap_or_default();
        let indented = case.replace('\n', "\n  ");
        let mut text = pretty.replace(&indented, &self.case_text());
        text.push('\n');
        text
    }

    /// The case with a step a line, which is how a person reads it.
    fn case_text(&self) -> String {
        let rounds: Vec<_> = self.case.rounds.iter().map(round_text).collect();
        let legacy = match self.case.has_legacy() {
            true => {
                let lanes: Vec<_> = self.case.legacy.iter().collect();
                format!("\n    \"legacy\": {lanes:?},")
            }
            false => String::new(),
        };
        format!(
            "{{\n    \"lanes\": {:?},{legacy}\n    \"rounds\": [\n      {}\n    ]\n  }}",
            self.case.lanes,
            rounds.join(",\n      ")
        )
    }

    /// What the file is called: the requirement, and what the normal form of the case hashes to, so that
    /// the same failure has the same name.
    pub fn file_name(&self) -> String {
        let steps = self.case.to_string();
        let hash = steps.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        format!("{}-{hash:08x}.json", self.requirement.to_lowercase())
    }

    /// Writes the file into a folder, which is made if need be; at every moment either the old file or the
    /// new one is there, whole.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, CorpusError> {
        let path = folder.join(self.file_name());
        self.write_to(&path)?;
        Ok(path)
    }

    /// Writes this file.
    pub fn write_to(&self, path: &Path) -> Result<(), CorpusError> {
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let new = path.with_extension("json.new");
            let mut file = fs::File::create(&new)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(|source| CorpusError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

/// A round with a step a line; its moves fill lines.
fn round_text(round: &Round) -> String {
    let json = |placed| serde_json::to_string(placed).unwrap_or_default();
    let steps: Vec<_> = round.steps.iter().map(json).collect();
    if round.schedule.is_empty() {
        return format!("[{}]", steps.join(",\n       "));
    }
    let mut schedule = String::new();
    let mut width = 0;
    for (number, next) in round.schedule.iter().enumerate() {
        let next = serde_json::to_string(next).unwrap_or_default();
        if number > 0 {
            width += next.len() + 2;
            schedule.push_str(if width > MOVES_WIDTH {
                ",\n         "
            } else {
                ", "
            });
        }
        if number == 0 || width > MOVES_WIDTH {
            width = next.len();
        }
        schedule.push_str(&next);
    }
    format!(
        "{{\"steps\": [\n         {}],\n       \"schedule\": [\n         {schedule}]}}",
        steps.join(",\n         ")
    )
}

/// The files of a corpus: `path` itself, or all `.json` files of the folder, by name.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    };
    list().map_err(|source| CorpusError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Shape};

    fn kept(seed: u64) -> Kept {
        Kept {
            format: FORMAT,
            about: "A record that was put is not there.".to_owned(),
            requirement: "NEO-DATA-01".to_owned(),
            sent: "Get c0/k0".to_owned(),
            allowed: "\"v1\"".to_owned(),
            observed: "no record".to_owned(),
            fails: Some(Rate { failed: 9, of: 10 }),
            bug: None,
            found: Some(Found::default()),
            case: generate::case(seed, &Shape::concurrent(30, 3, 2).faulty()),
            exchange: vec!["-> Put".to_owned()],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for seed in 0..20 {
            let kept = kept(seed);
            let path = kept.write(&folder.path().join("new")).unwrap();
            assert_eq!(Kept::read(&path).unwrap(), kept);
            let rounds = kept.case.len();
            let text = kept.text();
            assert!(
                text.lines()
                    .filter(|line| line.contains("\"lane\":"))
                    .count()
                    == rounds
            );
        }
        assert_eq!(files(&folder.path().join("new")).unwrap().len(), 20);
    }

    #[test]
    fn what_is_no_case_is_refused_with_a_reason() {
        let path = Path::new("x.json");
        let text = kept(1).text();
        for (bad, reason) in [
            ("", "x.json is no case"),
            ("{}", "missing field `format`"),
            (
                &text.replace("\"format\": 1", "\"format\": 99")[..],
                "format 99",
            ),
            (&text.replace("\"lane\":1", "\"lane\":77"), "no lane 77"),
            (
                &text.replace("\"about\"", "\"abuot\""),
                "unknown field `abuot`",
            ),
        ] {
            let error = Kept::parse(path, bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let missing = Kept::read(Path::new("/nowhere/x.json"));
        assert!(matches!(missing, Err(CorpusError::Io { .. })));
    }
}
