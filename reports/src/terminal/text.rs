//! Small pieces of text: numbers, times, and text from a peer made safe to print.

use std::time::Duration;

/// Longest text printed for one field, in characters. A value may have a megabyte.
const LONGEST: usize = 2_000;

/// A number with its thousands apart: `412,000`.
pub(crate) fn number(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 check`, `61 checks`.
pub(crate) fn count(count: impl TryInto<u64>, noun: &str) -> String {
    let text = number(count);
    let plural = if text == "1" { "" } else { "s" };
    format!("{text} {noun}{plural}")
}

/// A number of pieces of advice: `1 piece of advice`, `4 pieces of advice`.
pub(crate) fn pieces_of_advice(number: usize) -> String {
    format!("{} of advice", count(number, "piece"))
}

/// How often: `once`, `61 times`.
pub(crate) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        _ => format!("{} times", number(count)),
    }
}

/// A duration as a person says it: `0.2 s`, `48 s`, `3 min 20 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 10 {
        // Cut off rather than rounded, so that no limit seems to be exceeded.
        format!("{whole}.{} s", duration.subsec_millis() / 100)
    } else if whole < 120 {
        format!("{whole} s")
    } else {
        format!("{} min {} s", number(whole / 60), whole % 60)
    }
}

/// Text with everything escaped that could move a cursor, change a colour or reverse the writing, and
/// cropped where it is too long to read. Line ends are escaped too: the result is one line.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len().min(LONGEST));
    let mut characters = text.chars();
    for character in characters.by_ref().take(LONGEST) {
        match character {
            // `escape_debug` would escape these for Rust's sake.
            '"' | '\'' | '\\' => printable.push(character),
            other => printable.extend(other.escape_debug()),
        }
    }
    let left = characters.count();
    if left > 0 {
        printable.push_str(&format!(" ... {} more", count(left, "character")));
    }
    printable
}

/// The lines of `text`, each [`printable`].
pub(crate) fn printable_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(printable)
}

/// How much is shown of a list that may be long: so many from its start, so many from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crop {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Crop {
    /// The two ends of `items`, and how many are left out between them.
    pub(crate) fn ends<T>(self, items: &[T]) -> (&[T], usize, &[T]) {
        let shown = self.first.saturating_add(self.last);
        if items.len() <= shown {
            return (items, 0, &[]);
        }
        let tail = items.len() - self.last;
        (&items[..self.first], tail - self.first, &items[tail..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(number(0u64), "0");
        assert_eq!(number(999u64), "999");
        assert_eq!(number(1_000u64), "1,000");
        assert_eq!(number(412_000u64), "412,000");
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(1u64, "check"), "1 check");
        assert_eq!(count(0u64, "check"), "0 checks");
        assert_eq!(pieces_of_advice(1), "1 piece of advice");
        assert_eq!(pieces_of_advice(1_234), "1,234 pieces of advice");
    }

    #[test]
    fn durations_read_as_spoken() {
        assert_eq!(seconds(Duration::ZERO), "0.0 s");
        assert_eq!(seconds(Duration::from_millis(9_999)), "9.9 s");
        assert_eq!(seconds(Duration::from_millis(48_700)), "48 s");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
    }

    #[test]
    fn nothing_printed_can_steer_the_terminal() {
        assert_eq!(printable("\"v0\" 'a' \\ é"), "\"v0\" 'a' \\ é");
        assert_eq!(
            printable("\u{1b}[2J\r\n\u{0}\u{9b}\u{202e}"),
            r"\u{1b}[2J\r\n\0\u{9b}\u{202e}"
        );
        let long = "x".repeat(LONGEST + 1_234);
        assert!(printable(&long).ends_with("xx ... 1,234 characters more"));
        assert_eq!(printable(&long[..LONGEST]).len(), LONGEST);
    }

    #[test]
    fn crops_only_what_is_too_long() {
        let crop = Crop { first: 1, last: 2 };
        assert_eq!(crop.ends(&[1, 2, 3]), (&[1, 2, 3][..], 0, &[][..]));
        assert_eq!(crop.ends(&[1, 2, 3, 4, 5]), (&[1][..], 2, &[4, 5][..]));
    }
}
