//! How much a target may do for its input, in steps that a test can count: what goes round for ever is found
//! at once, and the same everywhere, while a time limit depends on the machine.

/// What any input may cost, however small it is.
const FREE: usize = 512;
/// What each byte may cost: a step is made of two or three, and is followed by a few messages.
const EACH: usize = 16;

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Work(usize);

impl Work {
    /// As much as an input of this length may cost.
    pub(crate) fn of(input: &[u8]) -> Self {
        Self(FREE + EACH * input.len())
    }

    /// One step.
    ///
    /// # Panics
    ///
    /// If there are none left.
    pub(crate) fn step(&mut self) {
        let left = self.0.checked_sub(1);
        self.0 = left.expect("no end is in sight for an input of this length");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no end is in sight")]
    fn what_goes_round_for_ever_is_noticed() {
        let mut work = Work::of(b"ab");
        loop {
            work.step();
        }
    }

    #[test]
    fn longer_inputs_may_cost_more() {
        let mut work = Work::of(b"ab");
        (0..FREE + 2 * EACH).for_each(|_| work.step());
    }
}
