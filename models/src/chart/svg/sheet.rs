//! What an SVG document of a chart is put together from.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::super::words::length;
use super::CHARACTER;

/// Where in a text its position is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making. Lines are below words, and have holes where words are: what colour the ground has
/// is not known, so nothing else could keep a line out of a word.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Elements with holes.
    pub(super) lines: String,
    /// Elements above them.
    pub(super) above: String,
    holes: String,
}

impl Sheet {
    /// A text where no line passes.
    pub(super) fn text(&mut self, class: &str, anchor: Anchor, x: f64, y: f64, text: &str) {
        let class = match class {
            "" => String::new(),
            class => format!(" class=\"{class}\""),
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = writeln!(
            self.above,
            "<text{class}{anchor} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escape(text)
        );
    }

    /// A text that a line may meet.
    pub(super) fn words(&mut self, class: &str, anchor: Anchor, x: f64, y: f64, text: &str) {
        let wide = length(text) as f64 * CHARACTER * 0.95;
        let from = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - wide / 2.0,
            Anchor::End => x - wide,
        };
        let _ = writeln!(
            self.holes,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"13\"/>",
            from - 2.0,
            y - 10.0,
            wide + 4.0,
        );
        self.text(class, anchor, x, y, text);
    }

    /// The elements of a document of this size.
    pub(super) fn elements(&self, width: f64, height: f64) -> String {
        // Documents may be put into one page, where a name is to mean one thing.
        let name = format!("lines-{:016x}", fnv(&self.holes));
        let size = format!("width=\"{width:.0}\" height=\"{height:.0}\"");
        format!(
            "<mask id=\"{name}\" maskUnits=\"userSpaceOnUse\" x=\"0\" y=\"0\" {size}>\n\
             <rect fill=\"#fff\" {size}/>\n<g fill=\"#000\">\n{}</g>\n</mask>\n\
             <g mask=\"url(#{name})\">\n{}</g>\n{}",
            self.holes, self.lines, self.above,
        )
    }
}

/// The FNV-1a hash.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
