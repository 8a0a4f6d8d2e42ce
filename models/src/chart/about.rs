//! What is said around the rows of a chart.

use super::flight::flights;
use super::{Chart, Ending, Role};

/// What is said above the lanes: the title and the property.
pub(super) fn head(chart: &Chart) -> Vec<String> {
    let title = Some(chart.title.clone()).filter(|title| !title.is_empty());
    let property = chart.property.as_ref();
    let property = property.map(|property| format!("{}: {}", property.id, property.sentence));
    title.into_iter().chain(property).collect()
}

/// What is said after the last row.
pub(super) fn tail(chart: &Chart) -> Vec<String> {
    let mut tail = Vec::new();
    let flights = flights(chart);
    let open: Vec<String> = (1..)
        .zip(chart.messages.iter().zip(&flights))
        .filter(|(_, (_, flight))| flight.open())
        .map(|(number, (message, _))| format!("#{number} {}", message.label))
        .collect();
    if !open.is_empty() {
        tail.push(format!("Still on the way: {}.", open.join(", ")));
    }
    let last = chart.rows.len();
    let ever = match chart.ending {
        Some(Ending::RepeatsFrom(row)) if row < last => match row + 1 {
            first if first == last => format!("Step {last} repeats for ever"),
            first => format!("Steps {first} to {last} repeat for ever"),
        },
        Some(_) => "It stays like this for ever".to_owned(),
        None => return tail,
    };
    tail.push(match (&chart.property, chart.bad) {
        (Some(property), None) => format!("{ever}, so {} does not hold.", property.id),
        _ => format!("{ever}."),
    });
    tail
}

/// The name of each role.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Client => "client",
        Role::Node => "node",
    }
}
