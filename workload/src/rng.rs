//! Random numbers whose meaning never changes, so that a seed stays worth something: SplitMix64
//! (Steele, Lea and Flood, 2014).

/// A sequence of numbers that its seed determines.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0. The bias is far below what any test could notice.
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.number()) * bound as u128;
        (product >> 64) as usize
    }

    /// True in `numerator` of `denominator` cases.
    pub fn chance(&mut self, numerator: usize, denominator: usize) -> bool {
        self.below(denominator) < numerator
    }

    /// One of the choices, by weight.
    pub fn pick<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let total = choices.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total);
        choices
            .iter()
            .find_map(|(weight, choice)| match rest.checked_sub(*weight) {
                None => Some(*choice),
                Some(less) => {
                    rest = less;
                    None
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_mean_the_same_for_ever() {
        let mut rng = Rng::new(1_234_567);
        let numbers: Vec<_> = (0..3).map(|_| rng.number()).collect();
        assert_eq!(
            numbers,
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423
            ]
        );
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_it() {
        let mut rng = Rng::new(1);
        let numbers: Vec<_> = (0..1000).map(|_| rng.below(3)).collect();
        assert!((0..3).all(|wanted| numbers.contains(&wanted)) && numbers.iter().all(|n| *n < 3));
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn weights_are_kept() {
        let mut rng = Rng::new(2);
        let picks: Vec<_> = (0..1000)
            .filter_map(|_| rng.pick(&[(0, 'a'), (9, 'b'), (1, 'c')]))
            .collect();
        let count = |wanted| picks.iter().filter(|pick| **pick == wanted).count();
        assert_eq!(count('a'), 0);
        assert!(count('b') > 800 && count('c') > 50);
        assert_eq!(rng.pick::<u8>(&[]), None);
    }
}
