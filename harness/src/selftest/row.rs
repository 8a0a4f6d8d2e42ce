//! What came of one bug.

use std::fmt;
use std::time::Duration;

use fakedht::bugs::Bug;

/// What came of looking for a bug.
#[derive(Clone, Debug)]
pub struct Row {
    /// The bug; none: the healthy node.
    pub bug: Option<&'static Bug>,
    /// Was it found?
    pub verdict: Verdict,
}

/// Was a bug found?
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was.
    Found(Found),
    /// It was not, in this time and so many operations.
    Missed(Duration, u64),
    /// It is not looked for, for this reason.
    OutOfSight(&'static str),
}

/// How a bug was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// By which technique, or which directed check.
    pub by: String,
    /// The id of the requirement that was seen to be broken.
    pub requirement: String,
    /// How many random operations were done until it was found; none if a directed check found it.
    pub operations: Option<u64>,
    /// How long it took from the beginning, everything that was tried before included.
    pub time: Duration,
    /// How many steps the minimised case has.
    pub steps: Option<usize>,
    /// The bug could not be kept as a file, for this reason.
    pub not_kept: Option<String>,
}

impl Row {
    /// Nothing came of it: what looked for it has died.
    pub(super) fn lost(bug: Option<&'static Bug>) -> Self {
        Self {
            bug,
            verdict: Verdict::Missed(Duration::ZERO, 0),
        }
    }

    /// What the bug is called.
    pub fn name(&self) -> &'static str {
        self.bug.map_or("(the healthy node)", |bug| bug.name)
    }

    /// Does the judge not do what it should? A bug was missed, or something was found on a healthy node.
    pub fn is_wrong(&self) -> bool {
        match &self.verdict {
            Verdict::Found(found) => self.bug.is_none() || found.not_kept.is_some(),
            Verdict::Missed(..) => self.bug.is_some(),
            Verdict::OutOfSight(_) => false,
        }
    }

    /// How it was found, if it was.
    pub fn found(&self) -> Option<&Found> {
        match &self.verdict {
            Verdict::Found(found) => Some(found),
            _ => None,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<40} ", self.name())?;
        match &self.verdict {
            Verdict::Missed(time, operations) => {
                let seconds = time.as_secs_f32();
                write!(f, "not found in {seconds:.1} s and {operations} operations")
            }
            Verdict::OutOfSight(reason) => write!(f, "not looked for: {reason}"),
            Verdict::Found(found) => {
                let seconds = found.time.as_secs_f32();
                write!(
                    f,
                    "{seconds:>7.3} s  {:<16} {}",
                    found.requirement, found.by
                )?;
                if let Some(operations) = found.operations {
                    write!(f, ", {operations} operations")?;
                }
                if let Some(steps) = found.steps {
                    write!(f, ", {steps} steps")?;
                }
                match &found.not_kept {
                    Some(reason) => write!(f, "; not kept: {reason}"),
                    None => Ok(()),
                }
            }
        }
    }
}
