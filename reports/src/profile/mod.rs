//! What is known of a node: where it deviates from the specification, what it does instead, and why that is
//! accepted. A run is judged by a profile when somebody looks at it, so a finished run can be judged again
//! by another one.

mod file;

use serde::{Deserialize, Serialize};

use crate::check::{Check, Failure};

pub use file::ProfileError;

/// The known deviations of a kind of node.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Profile {
    /// Its name, such as `strict`.
    pub name: String,
    /// Which node it describes.
    #[serde(default)]
    pub description: Option<String>,
    /// Where that node deviates from the specification.
    #[serde(default)]
    pub deviations: Vec<Deviation>,
    /// What is left of its records when its process is killed and started again; none if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
}

/// What is left of a node's records when its process is killed and started again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Everything that was acknowledged.
    Keeps,
    /// Nothing.
    Loses,
}

/// A known deviation from one requirement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deviation {
    /// Id of the requirement.
    pub requirement: String,
    /// Id of the only check that may show it, or the start of such ids and `*`; none for any check.
    #[serde(default)]
    pub check: Option<String>,
    /// The only outcome that is known, see [`Failure::outcome`]; none for any.
    #[serde(default)]
    pub outcome: Option<String>,
    /// It depends on what happens at the same time, so that a run may not show it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sometimes: bool,
    /// What the node does instead.
    pub instead: String,
    /// Why it does, and why that is accepted.
    pub why: String,
}

impl Profile {
    /// The profile without deviations.
    pub fn strict() -> Self {
        Self {
            name: "strict".to_owned(),
            description: None,
            deviations: Vec::new(),
            restart: None,
        }
    }

    /// Reads a profile from the text of its file.
    ///
    /// # Errors
    ///
    /// If the text is no TOML, or says anything that a profile does not, or leaves out what it must say.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        file::read(text)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::strict()
    }
}

impl Deviation {
    /// Does it excuse this failure of this check?
    pub fn excuses(&self, check: &Check, failure: &Failure) -> bool {
        self.requirement == failure.requirement.id
            && self.concerns(&check.id)
            && self
                .outcome
                .as_ref()
                .is_none_or(|outcome| *outcome == failure.outcome)
    }

    /// Should this check show it?
    pub fn expects(&self, check: &Check) -> bool {
        self.concerns(&check.id) && check.requirements.contains(&self.requirement)
    }

    fn concerns(&self, id: &str) -> bool {
        match self.check.as_deref() {
            None => true,
            Some(pattern) => match pattern.strip_suffix('*') {
                Some(prefix) => id.starts_with(prefix),
                None => id == pattern,
            },
        }
    }
}
