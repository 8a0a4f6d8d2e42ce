//! The sequence chart of an exchange: two lifelines, an arrow a message, in ASCII and in the width of a
//! terminal. On the left stand the connection, if any line names one, and the time.

use crate::exchange::{Direction, Line};

use super::text::{Crop, count, number, printable};

/// Narrowest and widest distance of the lifelines, in characters.
const NARROWEST: usize = 40;
const WIDEST: usize = 60;

/// Most characters of a connection's name.
const NAME: usize = 16;

/// Most rows of text for one message.
const ROWS: usize = 6;

/// The chart, row by row; no row ends in blanks. Empty for an empty exchange.
pub(crate) fn rows(exchange: &[Line], crop: Crop) -> Vec<String> {
    if exchange.is_empty() {
        return Vec::new();
    }
    let (first, left_out, last) = crop.ends(exchange);
    let shown = || first.iter().chain(last);
    let name = shown()
        .filter_map(|line| Some(name(line.connection.as_deref()?).chars().count()))
        .max()
        .unwrap_or(0);
    let time = shown()
        .filter_map(|line| Some(clock(line.ms?).len()))
        .max()
        .unwrap_or(0);
    let lane = shown()
        .map(|line| printable(&line.text).chars().count() + 2)
        .max()
        .unwrap_or(0)
        .clamp(NARROWEST, WIDEST);

    let mut chart = Chart {
        name,
        time,
        lane,
        rows: Vec::new(),
    };
    chart.head();
    for line in first {
        chart.line(line);
    }
    if left_out > 0 {
        chart.remark("", &format!("... {} left out ...", count(left_out, "line")));
    }
    for line in last {
        chart.line(line);
    }
    chart.rows
}

struct Chart {
    /// Width of the connections' names; 0 without names.
    name: usize,
    /// Width of the times; 0 without times.
    time: usize,
    /// Distance of the lifelines.
    lane: usize,
    rows: Vec<String>,
}

impl Chart {
    fn head(&mut self) {
        // The names stand over their lifelines, which begin behind the times.
        let gap = self.lane - "client".len() + 2;
        let margin = " ".repeat(self.margin() - 2);
        self.rows.push(format!("{margin}client{:gap$}node", ""));
    }

    fn line(&mut self, line: &Line) {
        let left = self.left(line);
        let width = self.lane - 2;
        let texts = wrap(&printable(&line.text), width);
        // Only the first row of a message has something on its left.
        let lefts = std::iter::once(left.as_str()).chain(std::iter::repeat(""));
        for (left, text) in lefts.zip(&texts) {
            match line.direction {
                Direction::ToNode => self.row(left, format!("| {text:<width$} |")),
                Direction::ToClient => self.row(left, format!("| {text:>width$} |")),
                Direction::Note => self.remark(left, text),
            }
        }
        let arrow = "-".repeat(self.lane - 1);
        match line.direction {
            Direction::ToNode => self.row("", format!("|{arrow}>|")),
            Direction::ToClient => self.row("", format!("|<{arrow}|")),
            Direction::Note => {}
        }
    }

    /// A row between the messages; its lifelines are dotted so that it is not taken for one.
    fn remark(&mut self, left: &str, text: &str) {
        self.row(left, format!(": {text:^width$} :", width = self.lane - 2));
    }

    fn row(&mut self, left: &str, row: String) {
        let margin = self.margin();
        self.rows.push(format!("{left:margin$}{row}"));
    }

    /// What stands on the left of a line.
    fn left(&self, line: &Line) -> String {
        let name = name(line.connection.as_deref().unwrap_or_default());
        let clock = line.ms.map(clock).unwrap_or_default();
        let gap = self.gap();
        format!(
            "{name:<names$}{:gap$}{clock:>times$}",
            "",
            names = self.name,
            times = self.time
        )
    }

    /// What is between names and times.
    fn gap(&self) -> usize {
        if self.name > 0 && self.time > 0 { 2 } else { 0 }
    }

    /// Where the client's lifeline stands.
    fn margin(&self) -> usize {
        self.name + self.gap() + self.time + 2
    }
}

/// The name of a connection, short enough for its column.
fn name(connection: &str) -> String {
    printable(connection).chars().take(NAME).collect()
}

fn clock(ms: u64) -> String {
    format!("{} ms", number(ms))
}

/// Breaks `text` into rows of at most `width` characters, at blanks where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        while !word.is_empty() {
            let blank = usize::from(used > 0);
            if used + blank + word.len() > width && used > 0 {
                rows.push(String::new());
                used = 0;
                continue;
            }
            let taken: Vec<char> = word.drain(..word.len().min(width)).collect();
            if let Some(row) = rows.last_mut() {
                row.extend((blank > 0).then_some(' '));
                row.extend(&taken);
            }
            used += blank + taken.len();
        }
    }
    if rows.len() > ROWS {
        rows.truncate(ROWS - 1);
        rows.push("... the rest is left out ...".to_owned());
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Crop = Crop {
        first: usize::MAX,
        last: 0,
    };

    fn chart(exchange: &[Line], crop: Crop) -> String {
        rows(exchange, crop).join("\n")
    }

    #[test]
    fn draws_both_directions() {
        let exchange = [
            Line::to_node("GetAll c0"),
            Line::to_client("Started, k0=v0"),
        ];
        assert_eq!(
            chart(&exchange, ALL),
            "\
client                                    node
  | GetAll c0                              |
  |--------------------------------------->|
  |                         Started, k0=v0 |
  |<---------------------------------------|"
        );
    }

    #[test]
    fn draws_times_and_notes() {
        let exchange = [
            Line::to_node("Put c0 k0").at(3),
            Line::note("no answer").at(1_203),
            Line::note("the connection ended"),
        ];
        assert_eq!(
            chart(&exchange, ALL),
            "        client                                    node
    3 ms  | Put c0 k0                              |
          |--------------------------------------->|
1,203 ms  :               no answer                :
          :          the connection ended          :"
        );
    }

    #[test]
    fn names_the_connections_where_there_are_several() {
        let exchange = [
            Line::to_node("GetAll c0").at(3).on("client 1"),
            Line::to_node("RemoveChannel c0").at(5).on("client 2"),
            Line::to_client("Finished").on("a name that is too long"),
            Line::note("both connections are open"),
        ];
        assert_eq!(
            chart(&exchange, ALL),
            "                      client                                    node
client 1          3 ms  | GetAll c0                              |
                        |--------------------------------------->|
client 2          5 ms  | RemoveChannel c0                       |
                        |--------------------------------------->|
a name that is t        |                               Finished |
                        |<---------------------------------------|
                        :       both connections are open        :"
        );
        let untimed = [Line::to_node("Get").on("client 1"), Line::to_node("Get")];
        let chart = chart(&untimed, ALL);
        assert!(chart.contains("\nclient 1  | Get "), "{chart}");
        assert!(chart.contains("\n          | Get "), "{chart}");
    }

    #[test]
    fn breaks_long_messages() {
        let words = ["word"; 30].join(" ");
        let exchange = [Line::to_client(words), Line::to_node("y".repeat(70))];
        assert_eq!(
            chart(&exchange, ALL),
            "\
client                                                        node
  |     word word word word word word word word word word word |
  |     word word word word word word word word word word word |
  |                    word word word word word word word word |
  |<-----------------------------------------------------------|
  | yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy |
  | yyyyyyyyyyyy                                               |
  |----------------------------------------------------------->|"
        );
    }

    #[test]
    fn says_how_many_lines_are_left_out() {
        let exchange: Vec<Line> = (0..1_236).map(|n| Line::to_node(format!("{n}"))).collect();
        assert_eq!(
            chart(&exchange, Crop { first: 1, last: 1 }),
            "\
client                                    node
  | 0                                      |
  |--------------------------------------->|
  :      ... 1,234 lines left out ...      :
  | 1235                                   |
  |--------------------------------------->|"
        );
    }

    #[test]
    fn a_message_has_a_limited_height() {
        let rows = rows(&[Line::to_node("z".repeat(5_000))], ALL);
        assert_eq!(rows.len(), 1 + ROWS + 1);
        assert!(rows[ROWS].contains("the rest is left out"), "{rows:?}");
    }

    #[test]
    fn an_empty_exchange_has_no_chart() {
        assert_eq!(rows(&[], ALL), Vec::<String>::new());
        assert_eq!(rows(&[Line::note("")], ALL).len(), 2);
    }
}
