//! With which status the program ends.

use std::process::ExitCode;

/// With which status the program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// 0: every check ran, and found its requirements kept, not applicable, or broken in a way that the
    /// profile knows or that only advice follows from.
    Kept,
    /// 1: a requirement was broken that binds the node.
    Broken,
    /// 2: no requirement was found broken, but not all could be judged: the run could not start or was not
    /// completed, or a check was inconclusive.
    CouldNotRun,
}

impl Exit {
    /// The status as a number.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Kept => 0,
            Exit::Broken => 1,
            Exit::CouldNotRun => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
