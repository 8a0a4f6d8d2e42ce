//! Arrows: from the line in which a message is sent to the one in which it arrives.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::super::Message;
use super::super::lines::{Part, What};
use super::{Drawing, LINE};

/// How far below its words an arrow is.
pub(super) const BELOW: f64 = 6.0;

/// Where an arrow begins and ends, as far as it does.
#[derive(Clone, Copy, Default)]
struct Ends {
    start: Option<f64>,
    end: Option<f64>,
    lost: bool,
}

impl Drawing<'_> {
    pub(super) fn arrows(&mut self) {
        let mut ends = vec![Ends::default(); self.chart.messages.len()];
        for (index, line) in self.lines.iter().enumerate() {
            let y = self.y(index) + BELOW;
            for piece in &line.pieces {
                if let What::Arrow { id, part, lost, .. } = piece.what
                    && let Some(ends) = ends.get_mut(id.0)
                {
                    if part != Part::End {
                        ends.start = Some(y);
                    }
                    if part != Part::Start {
                        ends.end = Some(y);
                    }
                    ends.lost |= lost;
                }
            }
        }
        for (number, (message, ends)) in (1..).zip(self.chart.messages.iter().zip(ends)) {
            self.arrow(number, message, ends);
        }
    }

    fn arrow(&mut self, number: usize, message: &Message, ends: Ends) {
        let lanes = (
            self.chart.lanes.get(message.from),
            self.chart.lanes.get(message.to),
        );
        let columns = (
            self.layout.column(message.from),
            self.layout.column(message.to),
        );
        let ((Some(sender), Some(receiver)), (Some(from), Some(to)), Some(y1)) =
            (lanes, columns, ends.start.or(ends.end))
        else {
            return;
        };
        let (from, to) = (self.x(from), self.x(to));
        let way = to - from;
        let (class, what, to, y2) = match ends.end {
            // It ends short of its lane.
            Some(y2) if ends.lost => ("arrow", "lost", from + way * 0.8, y2),
            Some(y2) => ("arrow", "arrives", to - way.signum(), y2),
            None => {
                let far = (way.abs() / 2.0).min(60.0) * way.signum();
                (
                    "arrow open",
                    "still on the way",
                    from + far,
                    y1 + LINE / 4.0,
                )
            }
        };
        let title = format!(
            "#{number} {}, from {} to {}: {what}",
            message.label, sender.name, receiver.name,
        );
        let end = match ends.lost {
            true => format!(
                "<path class=\"cross\" d=\"M{:.1} {:.1}l10 10m0 -10l-10 10\"/>",
                to - 5.0,
                y2 - 5.0,
            ),
            false => format!(
                "<path class=\"head\" transform=\"translate({to:.1} {y2:.1}) rotate({:.1})\" d=\"M0 0L-9 -4V4Z\"/>",
                (y2 - y1).atan2(to - from).to_degrees(),
            ),
        };
        let _ = writeln!(
            self.sheet.lines,
            "<g class=\"message\"><title>{}</title>\
             <path class=\"{class}\" d=\"M{from:.1} {y1:.1}L{to:.1} {y2:.1}\"/>\
             <circle class=\"head\" cx=\"{from:.1}\" cy=\"{y1:.1}\" r=\"2.5\"/>{end}</g>",
            escape(&title),
        );
    }
}
