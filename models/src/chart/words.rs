//! Texts made to fit: cleaned, cut in the middle, broken into lines.

use super::{Chart, Mark};

/// No text is longer, in characters.
const LONGEST: usize = 2_000;

/// Which characters a text may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Alphabet {
    Unicode,
    Ascii,
}

impl Alphabet {
    fn ellipsis(self) -> &'static str {
        match self {
            Self::Unicode => "…",
            Self::Ascii => "...",
        }
    }

    /// The character, or what stands for it.
    fn admit(self, c: char) -> char {
        match (self, c) {
            (_, c) if c.is_whitespace() => ' ',
            (Self::Ascii, c) if !c.is_ascii() || c.is_control() => '?',
            (Self::Unicode, c) if c.is_control() || disturbs(c) => '\u{fffd}',
            (_, c) => c,
        }
    }
}

/// The chart with all its texts in one line each, without characters that could spoil the drawing.
pub(super) fn clean(chart: &Chart, alphabet: Alphabet) -> Chart {
    let clean = |text: &mut String| {
        // The middle of a text that is far too long is not looked at.
        let short = cut(text, LONGEST, alphabet);
        let admitted: String = short.chars().map(|c| alphabet.admit(c)).collect();
        *text = admitted.trim().to_owned();
    };
    let mut chart = chart.clone();
    clean(&mut chart.title);
    for lane in &mut chart.lanes {
        clean(&mut lane.name);
    }
    for message in &mut chart.messages {
        clean(&mut message.label);
    }
    if let Some(property) = &mut chart.property {
        clean(&mut property.id);
        clean(&mut property.sentence);
    }
    for mark in chart.rows.iter_mut().flat_map(|row| &mut row.marks) {
        match mark {
            Mark::Happens { what, .. }
            | Mark::Told { what, .. }
            | Mark::Called { what, .. }
            | Mark::Elsewhere(what)
            | Mark::Violation(what) => clean(what),
            Mark::Sent(_)
            | Mark::Received(_)
            | Mark::Lost(_)
            | Mark::Breaks { .. }
            | Mark::Returns { .. } => {}
        }
    }
    chart
}

/// How many characters a text has.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// The text in at most `room` characters, without its middle if need be.
pub(super) fn cut(text: &str, room: usize, alphabet: Alphabet) -> String {
    let length = length(text);
    if length <= room {
        return text.to_owned();
    }
    let ellipsis = alphabet.ellipsis();
    let Some(kept) = room.checked_sub(self::length(ellipsis)) else {
        return text.chars().take(room).collect();
    };
    let tail = kept / 2;
    let head = text.chars().take(kept - tail);
    head.chain(ellipsis.chars())
        .chain(text.chars().skip(length - tail))
        .collect()
}

/// The text in lines of at most `room` characters; what is more than `most` lines is cut in the middle.
pub(super) fn wrap(text: &str, room: usize, most: usize, alphabet: Alphabet) -> Vec<String> {
    let room = room.max(1);
    let mut kept = room.saturating_mul(most.max(1));
    loop {
        let lines = broken(&cut(text, kept, alphabet), room);
        // What fits one line is one line.
        if lines.len() <= most || kept <= room {
            return lines;
        }
        kept -= (kept / 8).max(1);
    }
}

/// Breaks at spaces, and within a word that is longer than a line.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let needed = length(word) + usize::from(taken > 0);
        if taken > 0 && taken + needed > room {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        if taken > 0 {
            line.push(' ');
            taken += 1;
        }
        for c in word.chars() {
            if taken == room {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push(c);
            taken += 1;
        }
    }
    if taken > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Takes no column, or changes the direction of what follows, or is no character at all.
fn disturbs(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_cut() {
        assert_eq!(cut("RecordBatch", 11, Alphabet::Unicode), "RecordBatch");
        assert_eq!(cut("RecordBatch", 8, Alphabet::Unicode), "Reco…tch");
        assert_eq!(cut("RecordBatch", 8, Alphabet::Ascii), "Rec...ch");
        assert_eq!(cut("RecordBatch", 2, Alphabet::Ascii), "Re");
        assert_eq!(cut("RecordBatch", 0, Alphabet::Unicode), "");
    }

    #[test]
    fn lines_break_at_spaces() {
        let lines = wrap("the user is told: suspended", 12, 9, Alphabet::Unicode);
        assert_eq!(lines, ["the user is", "told:", "suspended"]);
        let lines = wrap("abcdefgh ij", 3, 9, Alphabet::Unicode);
        assert_eq!(lines, ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3, 9, Alphabet::Unicode), [""]);
    }

    #[test]
    fn too_many_lines_lose_their_middle() {
        let lines = wrap(&"word ".repeat(100), 10, 3, Alphabet::Unicode);
        assert!(lines.len() <= 3, "{lines:?}");
        assert!(lines.iter().any(|line| line.contains('…')), "{lines:?}");
    }
}
