//! Cutting a stream into pieces, as a network does.

/// Cuts `stream` into pieces of 1 to 32 bytes, differently for each `seed`; for 0 into single bytes.
pub(crate) fn pieces(seed: u8, mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        if stream.is_empty() {
            return None;
        }
        // A linear congruential generator; 0 stays 0.
        state = state.wrapping_mul(1_664_525);
        let length = 1 + (state >> 27) as usize;
        let (piece, rest) = stream.split_at(length.min(stream.len()));
        stream = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_the_cuts_differ() {
        let stream: Vec<u8> = (0..=255).collect();
        for seed in [0, 1, 7, 255] {
            assert_eq!(pieces(seed, &stream).collect::<Vec<_>>().concat(), stream);
        }
        assert!(pieces(0, &stream).all(|piece| piece.len() == 1));
        assert!(pieces(1, &stream).any(|piece| piece.len() > 1));
        let lengths = |seed| pieces(seed, &stream).map(<[u8]>::len).collect::<Vec<_>>();
        assert_ne!(lengths(1), lengths(2));
    }
}
