//! The parts of the search: what each looks at, and how it is listed.

use std::fmt;

use dht_reports::Check;
use dht_requirements::{self as req, Requirement};
use dht_workload::hunt::Technique;

use super::GROUP;
use crate::checks;

/// A part of the search, which is a check in reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// Random cases of this kind.
    Random(Technique),
    /// Every request, cut at each of its messages.
    KillPoints,
    /// The node's process is killed and started again.
    Restarts,
}

/// What any case exercises.
static RECORDS: [&Requirement; 16] = [
    &req::DATA_PUT_VISIBLE,
    &req::GET_VALUE_EXACT,
    &req::REMOVE_PRESENT,
    &req::REMOVE_GONE,
    &req::GETALL_COMPLETE,
    &req::GETALL_NO_DUPLICATE,
    &req::GETALL_VALUES,
    &req::GETALL_FILTER_ONLY_MATCHING,
    &req::GETALL_FILTER_ALL_MATCHING,
    &req::CHANNELS_UNIQUE,
    &req::CHANNELS_COMPLETE,
    &req::CHANNELS_REAL,
    &req::DATA_GET_EXISTS_AGREE,
    &req::UPDATE_WRITE,
    &req::UPDATE_CONFLICT_KEEPS,
    &req::UPDATE_LEAVE_KEEPS,
];

/// What cases that mix protocols exercise besides.
static BOTH: [&Requirement; 21] = [
    &req::LEG_PUT_STORED,
    &req::LEG_PUT_REPLACES,
    &req::LEG_GET_VALUE,
    &req::LEG_GET_ABSENT,
    &req::LEG_EXISTS_PRESENT,
    &req::LEG_EXISTS_ABSENT,
    &req::LEG_REMOVE_GONE,
    &req::LEG_RMCHANNEL_GONE,
    &req::LEG_CHANNELS_UNIQUE,
    &req::LEG_CHANNELS_COMPLETE,
    &req::LEG_CHANNELS_REAL,
    &req::LEG_SIZE_RECORDS,
    &req::LEG_GETALL_COMPLETE,
    &req::LEG_PUTBATCH_STORED,
    &req::LEG_LISTEN_SETTLES,
    &req::LEG_LISTEN_ONLY_STORED,
    &req::LEG_BOTH_FROM_NEO,
    &req::LEG_BOTH_TO_NEO,
    &req::LEG_BOTH_MIRROR_PUT,
    &req::LEG_BOTH_MIRROR_REMOVE,
    &req::LEG_BOTH_MIRROR_END,
];

impl Part {
    /// All of them, in the order in which they take turns.
    pub(super) const ALL: [Self; 6] = [
        Self::Random(Technique::Sequential),
        Self::Random(Technique::Concurrent),
        Self::Random(Technique::Faulty),
        Self::Random(Technique::Mixed),
        Self::KillPoints,
        Self::Restarts,
    ];

    /// The id of the check that it is.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Random(Technique::Sequential) => "random.sequential",
            Self::Random(Technique::Concurrent) => "random.concurrent",
            Self::Random(Technique::Faulty) => "random.faults",
            Self::Random(Technique::Mixed) => "random.mixed",
            Self::KillPoints => "random.kill-points",
            Self::Restarts => "random.restarts",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Random(Technique::Sequential) => {
                "Random operations, one after another, are answered as the reference model allows."
            }
            Self::Random(Technique::Concurrent) => {
                "Random operations of several clients, streams among them, have an order that explains all answers."
            }
            Self::Random(Technique::Faulty) => {
                "The same while connections break, stall, and pass bytes in pieces."
            }
            Self::Random(Technique::Mixed) => {
                "Random operations of clients of both protocols are answered as one node with one storage answers."
            }
            Self::KillPoints => {
                "A request whose connection is cut before, in or after any of its messages has happened or has not, and nothing else suffers."
            }
            Self::Restarts => {
                "A node that is killed and started again serves its clients, and holds what its profile says."
            }
        }
    }

    /// It as reports know it.
    pub(super) fn described(self) -> Check {
        Check {
            id: self.id().to_owned(),
            group: GROUP.to_owned(),
            title: self.title().to_owned(),
            requirements: self.ids().map(str::to_owned).collect(),
            request: None,
            tags: Vec::new(),
            subsumes: None,
        }
    }

    /// The ids of the requirements that it exercises.
    fn ids(self) -> impl Iterator<Item = &'static str> {
        let more = match self {
            Self::Random(Technique::Mixed) => &BOTH[..],
            _ => &[],
        };
        RECORDS.iter().chain(more).map(|requirement| requirement.id)
    }

    fn line(self) -> String {
        let ids: Vec<_> = self.ids().collect();
        format!(
            "{:<28} {GROUP:<9} {}  [{}]",
            self.id(),
            self.title(),
            ids.join(" ")
        )
    }
}

impl fmt::Display for Part {
    /// As files of the corpus call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(technique) => technique.fmt(f),
            Self::KillPoints => f.write_str("kill-points"),
            Self::Restarts => f.write_str("restarts"),
        }
    }
}

/// The lines of the random part in `dhtcheck list` that `filter` chooses.
pub fn lines(filter: Option<&str>) -> Vec<String> {
    chosen(filter).map(Part::line).collect()
}

/// Does `filter` choose any of it?
pub fn is_chosen(filter: Option<&str>) -> bool {
    chosen(filter).next().is_some()
}

/// The parts that `filter` chooses.
pub(super) fn chosen(filter: Option<&str>) -> impl Iterator<Item = Part> {
    let ids = Part::ALL.map(Part::id);
    Part::ALL.into_iter().filter(move |part| match filter {
        // The id of one chooses that one, as with the directed checks.
        Some(filter) if ids.contains(&filter) => part.id() == filter,
        filter => checks::chooses(filter, part.id(), &part.line()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_chooses() {
        assert_eq!(lines(None).len(), 6);
        assert_eq!(lines(Some("random")).len(), 6);
        assert_eq!(lines(Some("random.faults")).len(), 1);
        assert_eq!(lines(Some("random.kill-points")).len(), 1);
        assert!(!is_chosen(Some("put.stored")));
    }
}
