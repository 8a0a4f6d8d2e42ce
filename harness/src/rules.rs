//! The rules that checks name: an id and one sentence. The id says where the specification states the rule.
//!
//! Ids that begin with `P` are the properties of `neo-requests.md` section 16, those that begin with `A`
//! the statements of `semantics-and-client.md` part A. `WIRE` stands for the layouts and the order of
//! messages that sections 3 to 12 of `neo-requests.md` and all of `neo-transport.md` prescribe.

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// What it demands.
    pub sentence: &'static str,
}

const fn rule(id: &'static str, sentence: &'static str) -> Rule {
    Rule { id, sentence }
}

/// All rules that a check or the model may name.
pub const RULES: &[Rule] = &[
    rule(
        "A18.1",
        "An acknowledged Put is visible to every later Get, Exists and GetAll on the node.",
    ),
    rule(
        "A18.2",
        "Get returns exactly the bytes of the last acknowledged write.",
    ),
    rule(
        "A18.3",
        "Removed is never answered for an absent key, nor NoRecord for a present one.",
    ),
    rule(
        "A18.4",
        "Without concurrent change GetAll delivers every record once, and nothing else.",
    ),
    rule(
        "A18.5",
        "A node serves the keys of its announced range, and no others.",
    ),
    rule(
        "A18.6",
        "UpdateRecord succeeds if and only if the stored value's hash is the one given.",
    ),
    rule(
        "A18.7",
        "A Mirror reports every write, or that it lost some.",
    ),
    rule(
        "A18.8",
        "Per key, a Mirror reports changes in the order of the writes.",
    ),
    rule(
        "A18.9",
        "After the Ack of Suspend no more comes than was already under way.",
    ),
    rule(
        "A18.10",
        "A channel is listed once, and not after it was removed.",
    ),
    rule(
        "A4",
        "A channel begins to exist with the first request that needs it and ends with RemoveChannel.",
    ),
    rule(
        "A5",
        "Values of up to 65,512 bytes can be stored, read and delivered by GetAll.",
    ),
    rule(
        "A6",
        "Every operation gets one of the answers that its request has, and a healthy node no Error.",
    ),
    rule(
        "A12",
        "Update reads a record and changes it, unless somebody else has changed it meanwhile.",
    ),
    rule(
        "P03",
        "Every request that is supported is answered to its end, or the connection ends.",
    ),
    rule("P04", "Nothing that a client sends ends the node."),
    rule("P14", "Put succeeds if and only if the value was stored."),
    rule(
        "P16",
        "The value that Get returns was the record's value at some moment during the request.",
    ),
    rule(
        "P19",
        "Exists, Get, GetAll and Update agree on which records there are.",
    ),
    rule(
        "P20",
        "Removed means that the record was there before and is not there after.",
    ),
    rule("P23", "Only the client \"admin\" can remove channels."),
    rule("P24", "A client that may not remove channels is told so."),
    rule(
        "P25",
        "GetChannels names every channel once, and no channel that does not exist.",
    ),
    rule(
        "P28",
        "Every control message before the end is acknowledged exactly once.",
    ),
    rule(
        "P31",
        "After the Ack of Suspend at most two batches, or one change and one refresh batch, follow.",
    ),
    rule("P34", "After Stop the request ends."),
    rule(
        "P44",
        "A record that is there and unchanged throughout a GetAll is delivered.",
    ),
    rule(
        "P45",
        "GetAll delivers no record twice, also over suspensions and reconnections.",
    ),
    rule(
        "P46",
        "A value that GetAll delivers was that record's value meanwhile.",
    ),
    rule(
        "P47",
        "With a value filter, exactly the records whose value contains it are delivered.",
    ),
    rule(
        "P48",
        "A batch decompresses to its announced length and holds whole records with 8-byte keys.",
    ),
    rule(
        "P51",
        "A GetAll that continues behind a key delivers what follows it, and nothing before.",
    ),
    rule(
        "P54",
        "A Mirror with an initial refresh ends up with a true copy of the channel.",
    ),
    rule(
        "P57",
        "The last change that a Mirror reports of a record agrees with the record.",
    ),
    rule("P60", "A Mirror is told when its channel is removed."),
    rule("P61", "A Mirror delivers records of its own channel only."),
    rule(
        "P62",
        "Each period leads to a refresh with every record of the channel.",
    ),
    rule(
        "P63",
        "Each write leads to a RecordChanged, each removal to a RecordDeleted.",
    ),
    rule("P66", "GetHashRange tells the node's range."),
    rule(
        "P70",
        "Compare-and-write is atomic: Ok means that the new value is stored.",
    ),
    rule(
        "P71",
        "UpdateConflict, WrongNode and NoRecord mean that nothing was changed.",
    ),
    rule("P74", "A record that an Update leaves is unchanged."),
    rule(
        "WIRE",
        "Every message has the layout, and comes at the moment, that the protocol prescribes.",
    ),
];

/// The rule with this id; an unknown id is its own sentence, so that nothing is hidden.
pub fn find(id: &'static str) -> Rule {
    RULES
        .iter()
        .copied()
        .find(|rule| rule.id == id)
        .unwrap_or(Rule { id, sentence: id })
}

impl From<Rule> for dht_reports::Rule {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id.to_owned(),
            sentence: rule.sentence.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that the model names.
    const OF_THE_MODEL: [&str; 18] = [
        "A12", "A18.1", "A18.10", "A18.2", "A18.3", "A18.4", "A18.5", "A18.6", "A5", "A6", "P14",
        "P16", "P19", "P20", "P23", "P25", "P46", "P47",
    ];

    #[test]
    fn ids_are_unique() {
        let ids: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
    }

    #[test]
    fn the_rules_of_the_model_and_of_the_vigil_have_a_sentence() {
        for id in OF_THE_MODEL
            .into_iter()
            .chain([crate::vigil::RULE, "P03", "P66"])
        {
            assert_ne!(find(id).sentence, id);
        }
    }
}
