//! What came of all bugs: the summary, and the page about it.

use std::fmt::{self, Write as _};

use super::row::{Found, Row, Verdict};

/// The rows of a run.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// Is everything as it should be: every bug found, and nothing else?
    pub(super) fn is_complete(&self) -> bool {
        !self.rows.iter().any(Row::is_wrong)
    }

    /// How the bugs were found that were.
    fn found(&self) -> impl Iterator<Item = (&Row, &Found)> {
        let bugs = self.rows.iter().filter(|row| row.bug.is_some());
        bugs.filter_map(|row| Some((row, row.found()?)))
    }

    /// The page.
    pub(super) fn markdown(&self) -> String {
        let mut page = String::from(HEAD);
        page.push_str("```text\n");
        // Writing to a string does not fail.
        let _ = writeln!(page, "{self}\n```\n\n{COLUMNS}");
        for row in &self.rows {
            let Some(bug) = row.bug else { continue };
            let _ = write!(page, "| {} | {} | ", bug.name, bug.breaks.id);
            let _ = match &row.verdict {
                Verdict::Found(found) => writeln!(page, "{}", cells(found)),
                Verdict::Missed(time, operations) => {
                    let seconds = time.as_secs_f32();
                    writeln!(page, "**not found** | | {operations} | {seconds:.2} | |")
                }
                Verdict::OutOfSight(reason) => writeln!(page, "not looked for: {reason} | | | | |"),
            };
        }
        page
    }
}

const HEAD: &str = "\
# How good the judge is

Every bug of the fake node's catalogue, looked for by random cases in one process and by the directed checks: how it
was found, which requirement was seen to be broken, and how many steps the minimised case has. `fakedht --list-bugs`
says what each bug is. Times are those of one machine; a bug that a directed check has found includes the random cases
that were tried before.

Made by `cargo run --release -p dhtcheck -- selftest --markdown docs/selftest.md`; not to be edited.

";

const COLUMNS: &str = "\
| bug | breaks | found by | seen as | operations | seconds | steps |
|---|---|---|---|--:|--:|--:|";

fn cells(found: &Found) -> String {
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    format!(
        "{} | {} | {} | {:.3} | {} |",
        found.by,
        found.requirement,
        number(found.operations),
        found.time.as_secs_f32(),
        number(found.steps.map(|steps| steps as u64)),
    )
}

/// The summary.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_looked_for =
            |row: &&Row| row.bug.is_some() && !matches!(row.verdict, Verdict::OutOfSight(_));
        let bugs = self.rows.iter().filter(is_looked_for).count();
        let hidden = self.rows.iter().filter(|row| row.bug.is_some()).count() - bugs;
        write!(f, "{bugs} bugs, {} found.", self.found().count())?;
        let times = self.found().map(|(_, found)| found.time);
        if let Some(time) = median(times) {
            write!(f, "  median {:.2} s", time.as_secs_f32())?;
        }
        if let Some(operations) = median(self.found().filter_map(|(_, found)| found.operations)) {
            write!(f, ", {operations} operations")?;
        }
        if let Some(steps) = median(self.found().filter_map(|(_, found)| found.steps)) {
            write!(f, ", minimal case {steps} operations")?;
        }
        if let Some((row, found)) = self.found().max_by_key(|(_, found)| found.time) {
            let seconds = found.time.as_secs_f32();
            write!(f, "\n  hardest: {}   {seconds:.1} s   ", row.name())?;
            if let Some(operations) = found.operations {
                write!(f, "{operations} operations   ")?;
            }
            write!(f, "found by {}", found.by)?;
        }
        let random = self.found().filter(|(_, found)| found.operations.is_some());
        let random = random.count();
        let directed = self.found().count() - random;
        write!(
            f,
            "\n  {random} by random cases, {directed} by directed checks"
        )?;
        if hidden > 0 {
            write!(f, "; {hidden} not looked for, being allowed or invisible")?;
        }
        let healthy = self.rows.iter().find(|row| row.bug.is_none());
        match healthy.map(|row| &row.verdict) {
            Some(Verdict::Missed(..)) => f.write_str("\n  healthy node: nothing found"),
            Some(Verdict::Found(found)) => {
                write!(
                    f,
                    "\n  HEALTHY NODE: {} finds {}",
                    found.by, found.requirement
                )
            }
            _ => Ok(()),
        }
    }
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fakedht::Bugs;

    use super::*;

    fn found(operations: Option<u64>, ms: u64) -> Verdict {
        Verdict::Found(Found {
            by: "sequential".to_owned(),
            requirement: "NEO-DATA-01".to_owned(),
            operations,
            time: Duration::from_millis(ms),
            steps: operations.map(|_| 3),
            not_kept: None,
        })
    }

    fn table(verdicts: impl IntoIterator<Item = Verdict>) -> Table {
        let rows = Bugs::catalogue().zip(verdicts);
        let rows = rows.map(|(bug, verdict)| Row {
            bug: Some(bug),
            verdict,
        });
        Table::new(rows.collect())
    }

    #[test]
    fn a_summary_counts_what_was_looked_for() {
        let all = [
            found(Some(10), 5),
            found(None, 900),
            found(Some(30), 20),
            Verdict::OutOfSight("it is allowed"),
        ];
        let complete = table(all.clone());
        assert!(complete.is_complete());
        let text = complete.to_string();
        assert!(
            text.starts_with("3 bugs, 3 found.  median 0.02 s, 30 operations"),
            "{text}"
        );
        assert!(text.contains("1 not looked for"), "{text}");
        let missed = Verdict::Missed(Duration::from_secs(60), 5);
        let incomplete = table(all.into_iter().chain([missed]));
        assert!(!incomplete.is_complete());
        assert!(incomplete.to_string().starts_with("4 bugs, 3 found."));
        assert!(incomplete.markdown().contains("**not found**"));
    }

    #[test]
    fn a_healthy_node_is_to_be_left_alone() {
        let healthy = |verdict| Table::new(vec![Row { bug: None, verdict }]);
        assert!(healthy(Verdict::Missed(Duration::ZERO, 1)).is_complete());
        assert!(!healthy(found(Some(1), 1)).is_complete());
    }
}
