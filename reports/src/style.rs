//! Colour, or none. The caller decides: nothing here looks at a terminal or at the environment.

/// How text is set off.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Style {
    /// Not at all.
    #[default]
    Plain,
    /// With ANSI escape sequences.
    Ansi,
}

/// What text is set off as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ink {
    /// A requirement kept.
    Kept,
    /// A requirement broken.
    Broken,
    /// Something not judged.
    Unsure,
    /// Something to find again with the eye.
    Strong,
}

impl Style {
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        let sequence = match ink {
            Ink::Kept => "32",
            Ink::Broken => "1;31",
            Ink::Unsure => "33",
            Ink::Strong => "1",
        };
        match self {
            Style::Plain => text.to_owned(),
            Style::Ansi => format!("\x1b[{sequence}m{text}\x1b[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        assert_eq!(Style::Plain.paint(Ink::Broken, "2 broken"), "2 broken");
    }

    #[test]
    fn ansi_text_ends_what_it_begins() {
        assert_eq!(Style::Ansi.paint(Ink::Kept, "kept"), "\x1b[32mkept\x1b[0m");
    }
}
