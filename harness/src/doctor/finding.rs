//! The questions of the doctor and their answers.

use std::fmt::{self, Display, Formatter};

/// A question about a node, in the order in which a client would meet it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Question {
    /// Is there an IPv4 address?
    Address,
    /// Does it accept connections?
    Port,
    /// Does it speak the neo protocol, and which version?
    Version,
    /// Does the login begin?
    Nonce,
    /// Does the node know name and key?
    Credentials,
    /// Do the clocks agree?
    Clock,
    /// Does the node know name and key of the second client?
    Guest,
    /// For which keys is it responsible?
    Range,
    /// Does it store, return and remove a record?
    Records,
    /// May the client remove channels?
    Permissions,
    /// How long does an answer take?
    RoundTrip,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// All is well.
    Ok,
    /// A node like this cannot be certified.
    Wrong,
    /// There is no way to know.
    CannotTell,
}

/// A question and its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What was looked at.
    pub question: Question,
    /// How it is.
    pub answer: Answer,
    /// What was seen.
    pub found: String,
    /// What to do about it, where something is wrong.
    pub advice: Option<String>,
}

/// All that was found of a node.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnosis {
    findings: Vec<Finding>,
}

impl Question {
    /// The questions about every node; the one about a second client is asked only where there is one.
    const ALWAYS: [Self; 10] = [
        Self::Address,
        Self::Port,
        Self::Version,
        Self::Nonce,
        Self::Credentials,
        Self::Clock,
        Self::Range,
        Self::Records,
        Self::Permissions,
        Self::RoundTrip,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Port => "port",
            Self::Version => "version",
            Self::Nonce => "nonce",
            Self::Credentials => "credentials",
            Self::Clock => "clock",
            Self::Guest => "guest",
            Self::Range => "range",
            Self::Records => "records",
            Self::Permissions => "permissions",
            Self::RoundTrip => "round trip",
        }
    }
}

impl Finding {
    pub(super) fn ok(question: Question, found: impl Display) -> Self {
        Self {
            question,
            answer: Answer::Ok,
            found: found.to_string(),
            advice: None,
        }
    }

    pub(super) fn wrong(
        question: Question,
        found: impl Display,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            question,
            answer: Answer::Wrong,
            found: found.to_string(),
            advice: Some(advice.into()),
        }
    }

    pub(super) fn cannot_tell(question: Question, found: impl Display) -> Self {
        Self {
            question,
            answer: Answer::CannotTell,
            found: found.to_string(),
            advice: None,
        }
    }
}

impl Diagnosis {
    /// All findings, in the order of the questions.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The answer to this question, if it was asked.
    pub fn finding(&self, question: Question) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| finding.question == question)
    }

    /// Is nothing wrong?
    pub fn is_healthy(&self) -> bool {
        self.wrong() == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The questions that were not reached are open because of what is wrong.
    pub(super) fn leave_open(&mut self) {
        for question in Question::ALWAYS {
            if self.finding(question).is_none() {
                let found = "not reached";
                self.add(Finding::cannot_tell(question, found));
            }
        }
        self.findings.sort_by_key(|finding| finding.question);
    }

    fn wrong(&self) -> usize {
        let wrong = |finding: &&Finding| finding.answer == Answer::Wrong;
        self.findings.iter().filter(wrong).count()
    }
}

/// A line each; below what is wrong, what to do.
impl Display for Diagnosis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let Finding {
                question,
                answer,
                found,
                advice,
            } = finding;
            writeln!(f, "  {:<12} {answer:<12} {found}", question.name())?;
            if let Some(advice) = advice {
                writeln!(f, "  {:<12} {:<12} {advice}", "", "")?;
            }
        }
        writeln!(f)?;
        match self.wrong() {
            0 => f.write_str("Nothing is wrong. "),
            wrong => write!(f, "{wrong} of {} wrong. ", self.findings.len()),
        }
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::CannotTell => "cannot tell",
        })
    }
}
