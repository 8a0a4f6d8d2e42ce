//! Values and lists as text for people: escaped, and cut where they are long.

use std::fmt;

/// As many bytes of a value are shown.
const BYTES: usize = 40;
/// As many elements of a list are shown.
const ELEMENTS: usize = 12;

/// Bytes as escaped text in quotes, with their number if not all are shown.
pub(crate) struct Value<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(BYTES)];
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if shown.len() < self.0.len() {
            write!(f, "... ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Writes elements with a separator between them, and how many more there are.
pub(crate) fn list<T>(
    f: &mut fmt::Formatter<'_>,
    separator: &str,
    elements: &[T],
    mut show: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, element) in elements.iter().take(ELEMENTS).enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        show(f, element)?;
    }
    match elements.len().saturating_sub(ELEMENTS) {
        0 => Ok(()),
        more => write!(f, "{separator}and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(Value(b"a\0\"").to_string(), r#""a\x00\"""#);
        let long = Value(&[b'x'; 41]).to_string();
        assert_eq!(long, format!("\"{}\"... (41 bytes)", "x".repeat(40)));
    }
}
