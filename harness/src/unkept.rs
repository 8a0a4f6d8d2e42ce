//! Why a check did not find everything kept.

use dht_client::ControlError;
use dht_requirements::Requirement;

/// The result of a check, or of a part of one.
pub type Checked<T = ()> = Result<T, Unkept>;

/// Why a check did not end with all its requirements kept.
#[derive(Debug)]
pub enum Unkept {
    /// A requirement is broken.
    Broken(Box<Broken>),
    /// The check could not tell.
    Inconclusive(String),
    /// The requirements do not concern this node, or not this client of it.
    NotApplicable(String),
}

/// A broken requirement.
#[derive(Debug)]
pub struct Broken {
    /// Which.
    pub requirement: &'static Requirement,
    /// In what way.
    pub outcome: Outcome,
    /// What was sent.
    pub sent: String,
    /// What would have been right.
    pub expected: Vec<String>,
    /// What came.
    pub observed: String,
}

/// In what way a requirement is broken. The keys are what profiles match, so they do not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Nothing came where something was due.
    Silence,
    /// The connection was closed.
    Closed,
    /// The connection stayed open where it was to be closed.
    Open,
    /// Another answer came.
    Answer,
    /// The answer was of the right kind, its content was not.
    Data,
    /// More came than was due.
    Extra,
    /// Something else than what was tested was harmed.
    Harm,
    /// The node is not there any more.
    Died,
}

impl Outcome {
    /// The key that stands for it in reports and profiles.
    pub fn key(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Answer => "answer",
            Self::Data => "data",
            Self::Extra => "extra",
            Self::Harm => "harm",
            Self::Died => "died",
        }
    }
}

/// `requirement` is broken: `observed` came where one of `expected` was due.
pub fn broken(
    requirement: &'static Requirement,
    outcome: Outcome,
    sent: impl Into<String>,
    expected: &[&str],
    observed: impl Into<String>,
) -> Unkept {
    Unkept::Broken(Box::new(Broken {
        requirement,
        outcome,
        sent: sent.into(),
        expected: expected.iter().map(|&text| text.to_owned()).collect(),
        observed: observed.into(),
    }))
}

/// What a part of a check finds broken, as a breach of `requirement`.
pub fn blamed_on(requirement: &'static Requirement) -> impl Fn(Unkept) -> Unkept {
    move |unkept| unkept.seen_as(|found| found.requirement = requirement)
}

/// Wrong content that a part of a check finds, as a breach of `requirement`, of which it is the effect. A
/// silence or a closed connection stays what it is.
pub fn effect_of(requirement: &'static Requirement) -> impl Fn(Unkept) -> Unkept {
    move |unkept| {
        unkept.seen_as(|found| {
            if found.outcome == Outcome::Data {
                found.requirement = requirement;
            }
        })
    }
}

/// What a part of a check finds broken, as a breach of `requirement` by what the whole of it `sent` and
/// expects.
pub fn shows(
    requirement: &'static Requirement,
    sent: impl Into<String>,
    expected: &'static str,
) -> impl Fn(Unkept) -> Unkept {
    let sent = sent.into();
    move |unkept| {
        unkept.seen_as(|found| {
            found.requirement = requirement;
            found.observed = format!("{}: {}", found.sent, found.observed);
            found.sent.clone_from(&sent);
            found.expected = vec![expected.to_owned()];
        })
    }
}

impl Unkept {
    /// The same; if a requirement is broken, with this changed.
    #[must_use]
    pub fn seen_as(mut self, change: impl FnOnce(&mut Broken)) -> Self {
        if let Self::Broken(found) = &mut self {
            change(found);
        }
        self
    }
}

/// The requirements do not concern this node.
pub fn not_applicable<T>(reason: impl Into<String>) -> Checked<T> {
    Err(Unkept::NotApplicable(reason.into()))
}

impl From<ControlError> for Unkept {
    fn from(error: ControlError) -> Self {
        Self::Inconclusive(format!("the request could not be controlled: {error}"))
    }
}
