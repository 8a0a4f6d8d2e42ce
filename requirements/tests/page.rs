//! `docs/requirements.md` is the catalogue as a page, and never another one.
//!
//! `UPDATE_DOCS=1 cargo test -p dht-requirements` writes it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use dht_requirements::{Party, Requirement, all};

/// The areas in words.
const AREAS: [(&str, &str); 38] = [
    ("NEO-CONN", "Connection and version"),
    ("NEO-FRAME", "Messages and their headers"),
    ("NEO-AUTH", "Authentication"),
    ("NEO-MUX", "Many requests on one connection"),
    ("NEO-ROBUST", "Robustness"),
    ("NEO-REQ", "What all requests share"),
    ("NEO-PUT", "Put"),
    ("NEO-GET", "Get"),
    ("NEO-EXISTS", "Exists"),
    ("NEO-REMOVE", "Remove"),
    ("NEO-UPDATE", "Update"),
    ("NEO-CHANNELS", "GetChannels"),
    ("NEO-RMCHANNEL", "RemoveChannel"),
    ("NEO-RANGE", "GetHashRange"),
    ("NEO-DATA", "Records and channels"),
    ("NEO-CTL", "Control of GetAll and Mirror"),
    ("NEO-GETALL", "GetAll"),
    ("NEO-MIRROR", "Mirror"),
    ("NEO-BATCH", "Record batches"),
    ("LEG-CONN", "Legacy: connections and orders"),
    ("LEG-ANSWER", "Legacy: what all answers share"),
    ("LEG-NAME", "Legacy: names of channels"),
    ("LEG-KEY", "Legacy: keys"),
    (
        "LEG-HANDSHAKE",
        "Legacy: GetVersion and GetResponsibleRange",
    ),
    ("LEG-PUT", "Legacy: Put"),
    ("LEG-GET", "Legacy: Get"),
    ("LEG-EXISTS", "Legacy: Exists"),
    ("LEG-REMOVE", "Legacy: Remove"),
    ("LEG-RMCHANNEL", "Legacy: RemoveChannel"),
    ("LEG-CHANNELS", "Legacy: GetChannels"),
    (
        "LEG-SIZE",
        "Legacy: GetSize, GetChannelSize and GetNumConnections",
    ),
    ("LEG-GETALL", "Legacy: GetAll, GetAllKeys and GetAllFilter"),
    ("LEG-BATCH", "Legacy: batches"),
    ("LEG-LISTEN", "Legacy: Listen"),
    ("LEG-PUTBATCH", "Legacy: PutBatch"),
    ("LEG-REDIST", "Legacy: Redistribute"),
    ("LEG-BOTH", "Both protocols over one storage"),
    ("LEG-ROBUST", "Legacy: robustness"),
];

#[test]
fn the_page_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/requirements.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let stale = page
        .lines()
        .zip(written.lines().chain(std::iter::repeat("")));
    let first = stale.clone().find(|(new, old)| new != old);
    assert!(
        page == written,
        "docs/requirements.md is stale: `UPDATE_DOCS=1 cargo test -p dht-requirements` writes it again. \
         The first line that differs, as it is to be and as it is:\n{first:#?}"
    );
}

#[test]
fn nothing_in_the_catalogue_breaks_a_table() {
    for requirement in all() {
        let row = row(requirement);
        assert_eq!(
            row.matches('|').count() - row.matches("\\|").count(),
            6,
            "{row}"
        );
        assert_eq!(row.lines().count(), 1, "{row}");
        assert_eq!(row.matches('`').count() % 2, 0, "{row}");
    }
}

fn page() -> String {
    let mut page = String::from(PREFACE);
    page.push_str(&summary());
    let mut area = "";
    for requirement in all() {
        if requirement.area() != area {
            area = requirement.area();
            let name = name(area);
            write!(page, "\n## {name} ({area})\n\n{HEAD}").unwrap();
        }
        page.push_str(&row(requirement));
    }
    page
}

const PREFACE: &str = "\
# The requirements

What the neo protocol (NEO) and the legacy protocol (LEG) require, and what `dhtcheck certify` names when a node does otherwise. This page is made
from the catalogue in `requirements/src/catalogue`; `UPDATE_DOCS=1 cargo test -p dht-requirements` writes it again.

An id never changes its meaning. A node that breaks a *must* is not certified; what it *should* or *may* do and
does not is told as advice. Requirements of clients are listed because a node may rely on them; a test of nodes
cannot look at them. The source names a document of the specification and its section, and the number of the
property where it is one.
";

const HEAD: &str = "\
| id | level | who | what is required | source |
|---|---|---|---|---|
";

fn summary() -> String {
    let clients = all().filter(|it| it.party == Party::Client).count();
    let checked = all().filter(|it| it.is_checkable()).count();
    let hidden = all().count() - clients - checked;
    format!(
        "\n{} requirements: {checked} that can be checked from outside, {hidden} of nodes that cannot, {clients} \
         of clients.\n",
        all().count()
    )
}

fn row(requirement: &Requirement) -> String {
    let Requirement {
        id,
        level,
        party,
        sentence,
        source,
        hidden,
    } = requirement;
    let mut sentence = cell(sentence);
    if let Some(why) = hidden {
        sentence.push_str(&format!(" *Not checked: {}.*", cell(why)));
    }
    format!(
        "| {id} | {level} | {party} | {sentence} | {} |\n",
        cell(source)
    )
}

/// Text that is one cell of a table, and means nothing else to Markdown but code between backticks.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut code = false;
    for character in text.chars() {
        code ^= character == '`';
        match character {
            '|' => cell.push('\\'),
            '*' | '_' | '<' | '\\' if !code => cell.push('\\'),
            _ => {}
        }
        cell.push(character);
    }
    cell
}

fn name(area: &str) -> &'static str {
    match AREAS.iter().find(|(id, _)| *id == area) {
        Some((_, name)) => name,
        None => panic!("{area} needs a name in `AREAS`"),
    }
}
