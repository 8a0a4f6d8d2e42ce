//! The directed checks: each looks at one thing that the protocol requires, on channels and connections
//! of its own, so that they can run side by side.
//!
//! [`all`] lists them. A folder holds what is about one subject: the way to a connection (`handshake`),
//! messages as such (`framing`), all requests alike (`malformed`), and a request or several that belong
//! together; `through_client` in it is what an application sees. A check is an id, a sentence, the
//! requirements that it exercises, and the conversation that it has with the node. There are two kinds:
//! those that go through the client ([`Check::through_client`], with a [`Context`]) and those that speak
//! the protocol themselves, also wrongly ([`Check::raw`], with a [`Ground`]).

mod bystander;
mod channels;
pub mod context;
mod framing;
mod get_all;
pub mod ground;
mod handshake;
mod hash_range;
mod legacy;
mod malformed;
mod mirror;
mod nameless;
mod sample;
mod storage;
mod update;
pub mod watch;

use std::fmt;
use std::pin::Pin;
use std::sync::LazyLock;

use dht_protocol::neo::request::RequestCode;
use dht_requirements::Requirement;

use self::bystander::Bystander;
pub use self::context::Context;
pub use self::ground::Ground;
use crate::target::Target;
use crate::unkept::Checked;

/// One check.
pub struct Check {
    /// Stable id, such as `getall.suspend-resume`.
    pub id: String,
    /// What it is reported with.
    pub group: Group,
    /// What it looks at, one sentence.
    pub title: String,
    /// The requirements that it exercises.
    pub requirements: Vec<&'static Requirement>,
    /// The request that it is about, if it is about one.
    pub request: Option<RequestCode>,
    /// What is to be known of it before it is run.
    pub tags: Vec<Tag>,
    /// The case of the reference suite that it makes unnecessary.
    pub subsumes: Option<&'static str>,
    body: Body,
}

/// The parts of a report.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// TCP, versions, authentication.
    Connection,
    /// Requests that are answered and over.
    Requests,
    /// GetAll and Mirror.
    Streams,
    /// The legacy protocol, and both protocols over one storage.
    Legacy,
    /// What nobody should send, and clients that behave badly.
    Hostile,
}

/// What is to be known of a check before it is run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tag {
    /// It does what breaks the protocol or abuses it. Afterwards other connections and new ones have to
    /// work.
    Hostile,
    /// As hostile, and known to kill or block nodes that are not prepared for it. Such checks come last,
    /// and against a node that was not started for the run only if they are asked for.
    Lethal,
    /// It takes a second or more, by the protocol itself or because it does much, so it begins early.
    Slow,
    /// Nothing else may run at the same time.
    Alone,
}

/// A check that runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

type RunRaw = dyn for<'a> Fn(&'a Ground) -> Running<'a> + Send + Sync;
type RunThroughClient = dyn for<'a> Fn(&'a Context<'a>) -> Running<'a> + Send + Sync;

enum Body {
    Raw(Box<RunRaw>),
    ThroughClient(Box<RunThroughClient>),
}

/// All checks, in the order in which they are reported.
pub fn all() -> &'static [Check] {
    static ALL: LazyLock<Vec<Check>> = LazyLock::new(|| {
        let mut checks = Vec::new();
        checks.extend(handshake::checks());
        checks.extend(framing::checks());
        checks.extend(storage::checks());
        checks.extend(update::checks());
        checks.extend(channels::checks());
        checks.extend(hash_range::checks());
        checks.extend(get_all::checks());
        checks.extend(mirror::checks());
        checks.extend(malformed::checks());
        checks.extend(legacy::checks());
        checks.sort_by_key(|check| check.group);
        checks
    });
    &ALL
}

/// Does `filter` choose the check, or other part of a run, with this id and this line in the list? One
/// that is an id chooses that one alone; any other all whose line contains it.
pub fn chooses(filter: Option<&str>, id: &str, line: &str) -> bool {
    match filter {
        None => true,
        Some(filter) if all().iter().any(|check| check.id == filter) => id == filter,
        Some(filter) => line.contains(filter),
    }
}

/// The checks that `filter` chooses.
pub fn matching(filter: Option<&str>) -> Vec<&'static Check> {
    let checks = all().iter();
    checks
        .filter(|check| chooses(filter, &check.id, &check.to_string()))
        .collect()
}

impl Check {
    /// A check that goes through the client.
    pub fn through_client(
        id: &str,
        title: &str,
        requirements: &[&'static Requirement],
        run: impl for<'a> Fn(&'a Context<'a>) -> Running<'a> + Send + Sync + 'static,
    ) -> Self {
        Self::new(id, title, requirements, Body::ThroughClient(Box::new(run)))
    }

    /// A check that speaks the protocol itself.
    pub fn raw(
        id: impl Into<String>,
        title: impl Into<String>,
        requirements: &[&'static Requirement],
        run: impl for<'a> Fn(&'a Ground) -> Running<'a> + Send + Sync + 'static,
    ) -> Self {
        Self::new(id, title, requirements, Body::Raw(Box::new(run)))
    }

    fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        requirements: &[&'static Requirement],
        body: Body,
    ) -> Self {
        Self {
            id: id.into(),
            group: Group::Requests,
            title: title.into(),
            requirements: requirements.to_vec(),
            request: None,
            tags: Vec::new(),
            subsumes: None,
            body,
        }
    }

    /// The same check, reported in this group. Without it a check is one of requests.
    #[must_use]
    pub fn in_group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// The same check, about this request.
    #[must_use]
    pub fn on(mut self, request: RequestCode) -> Self {
        self.request = Some(request);
        self
    }

    /// The same check with a tag.
    #[must_use]
    pub fn tagged(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// The same check, which breaks or abuses the protocol.
    #[must_use]
    pub fn hostile(self) -> Self {
        self.in_group(Group::Hostile).tagged(Tag::Hostile)
    }

    /// The same check, which does what kills or blocks nodes that are not prepared for it.
    #[must_use]
    pub fn lethal(self) -> Self {
        self.in_group(Group::Hostile).tagged(Tag::Lethal)
    }

    /// The same check, which makes this case of the reference suite unnecessary.
    #[must_use]
    pub fn subsumes(mut self, case: &'static str) -> Self {
        self.subsumes = Some(case);
        self
    }

    /// Has it this tag?
    pub fn is(&self, tag: Tag) -> bool {
        self.tags.contains(&tag)
    }

    /// Looks at what it looks at.
    pub async fn run(&self, target: &Target, ground: &Ground) -> Checked {
        match &self.body {
            Body::ThroughClient(run) => {
                let context = Context::connect(target, ground).await?;
                let checked = context.run(run(&context)).await;
                context.close();
                checked
            }
            Body::Raw(run) if self.has_bystander() => {
                ground.need_keys()?;
                let bystander = Bystander::arrive(ground).await?;
                run(ground).await?;
                bystander.leave(ground).await
            }
            Body::Raw(run) => run(ground).await,
        }
    }

    /// The requirements that it names, and what its bystander sees besides.
    fn exercised(&self) -> impl Iterator<Item = &'static Requirement> {
        let seen = match self.has_bystander() {
            true => bystander::SEEN.as_slice(),
            false => &[],
        };
        let seen = seen.iter().filter(|seen| !self.requirements.contains(seen));
        self.requirements.iter().chain(seen).copied()
    }

    /// Whoever abuses the protocol must not harm others.
    fn has_bystander(&self) -> bool {
        matches!(self.body, Body::Raw(_)) && (self.is(Tag::Hostile) || self.is(Tag::Lethal))
    }

    /// The check as reports know it.
    pub fn describe(&self) -> dht_reports::Check {
        dht_reports::Check {
            id: self.id.clone(),
            group: self.group.to_string(),
            title: self.title.clone(),
            requirements: self
                .exercised()
                .map(|requirement| requirement.id.to_owned())
                .collect(),
            request: self.request.map(|request| request.name().to_owned()),
            tags: self.tags.iter().map(Tag::to_string).collect(),
            subsumes: self.subsumes.map(str::to_owned),
        }
    }
}

/// The check as `dhtcheck list` shows it, on one line.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.requirements.iter().map(|known| known.id).collect();
        write!(f, "{:<36} {}  [{}]", self.id, self.title, ids.join(" "))?;
        if let Some(request) = self.request {
            write!(f, " {}", request.name())?;
        }
        for tag in &self.tags {
            write!(f, " {tag}")?;
        }
        match self.subsumes {
            Some(case) => write!(f, "  subsumes \"{case}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Group {
    /// All, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Connection,
        Self::Requests,
        Self::Streams,
        Self::Legacy,
        Self::Hostile,
    ];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "connection and authentication",
            Self::Requests => "requests",
            Self::Streams => "streams",
            Self::Legacy => "legacy protocol",
            Self::Hostile => "hostile input",
        })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hostile => "hostile",
            Self::Lethal => "lethal",
            Self::Slow => "slow",
            Self::Alone => "alone",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids = BTreeSet::new();
        for check in all() {
            assert!(ids.insert(&check.id), "{} twice", check.id);
        }
    }

    #[test]
    fn every_check_names_what_it_can_look_at() {
        for check in all() {
            assert!(!check.requirements.is_empty(), "{}", check.id);
            assert!(check.title.ends_with('.'), "{}", check.id);
            let mut named = BTreeSet::new();
            for requirement in &check.requirements {
                assert!(
                    named.insert(requirement.id),
                    "{}: {requirement} twice",
                    check.id
                );
                assert!(requirement.is_checkable(), "{}: {requirement}", check.id);
            }
        }
    }

    #[test]
    fn the_36_cases_of_the_reference_suite_are_subsumed() {
        let subsumed: BTreeSet<_> = all().iter().filter_map(|check| check.subsumes).collect();
        let cases = include_str!("../../reference-cases.txt");
        let cases: BTreeSet<_> = cases
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert_eq!(cases.len(), 36);
        assert_eq!(subsumed, cases);
    }
}
