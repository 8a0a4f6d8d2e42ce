//! LZO1X, the compression of record batches, with the bounds that a peer cannot be trusted to keep.
//!
//! A *block* is the length of the plain bytes as `u64`, then one LZO1X stream that ends with `11 00 00`
//! (`neo-transport.md` section 13). What the plain bytes mean is said where batches are built and taken
//! apart, not here.
//!
//! Decompression is the crate `lzokay`. Compression is our own: `lzokay` searches for the best matches,
//! which takes it up to 70 ms for a block of 64 KiB, and what is in a block clients choose. Any valid
//! stream is conformant, so this encoder takes the first match that it finds, in linear time.

use lzokay::decompress::decompress as decode;
use thiserror::Error;

/// Bytes of the length in front of a stream.
const HEADER: usize = 8;
/// A stream of `n` bytes becomes at most `EXPANSION * n` plain ones. With an extended length, an
/// instruction of `k + 4` bytes copies up to `255 * k + 288`; any other up to 33 with 3 bytes.
const EXPANSION: usize = 255;

/// Why a compressed block was refused.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LzoError {
    /// The block is too short to say how long its plain bytes are.
    #[error("{left} bytes, too few for the length of the plain bytes")]
    Header {
        /// Bytes that were there instead of 8.
        left: usize,
    },
    /// The block announces more than the receiver takes.
    #[error("announces {announced} bytes, at most {limit} are allowed")]
    AboveLimit {
        /// Bytes that were announced.
        announced: u64,
        /// Bytes that would have been taken.
        limit: usize,
    },
    /// No stream of this length decompresses to as many bytes as were announced.
    #[error("announces {announced} bytes, which a stream of {stream} bytes cannot become")]
    Implausible {
        /// Bytes that were announced.
        announced: u64,
        /// Length of the compressed stream, in bytes.
        stream: usize,
    },
    /// The stream ends before its end mark.
    #[error("the compressed stream breaks off")]
    BreaksOff,
    /// The stream repeats bytes from before its beginning.
    #[error("the compressed stream refers to bytes before its beginning")]
    BeforeStart,
    /// The stream is damaged in another way.
    #[error("the compressed stream is damaged")]
    Corrupt,
    /// The stream goes on when all announced bytes have come out.
    #[error("decompresses to more than the announced {announced} bytes")]
    TooLong {
        /// Bytes that were announced.
        announced: u64,
    },
    /// The block does not decompress to as many bytes as it announces.
    #[error("decompresses to {actual} bytes instead of {announced}")]
    Length {
        /// Bytes that were announced.
        announced: u64,
        /// Bytes that came out.
        actual: usize,
    },
    /// Bytes follow the end mark.
    #[error("bytes follow the end of the compressed stream")]
    TrailingBytes,
}

/// The plain bytes of a block, at most `limit`.
///
/// Memory is taken only when the announced length is within the limit and within what the stream could
/// become, and then exactly that much.
pub fn decompress(block: &[u8], limit: usize) -> Result<Vec<u8>, LzoError> {
    let Some((header, stream)) = block.split_first_chunk::<HEADER>() else {
        return Err(LzoError::Header { left: block.len() });
    };
    let announced = u64::from_le_bytes(*header);
    let length = match usize::try_from(announced) {
        Ok(length) if length <= limit => length,
        _ => return Err(LzoError::AboveLimit { announced, limit }),
    };
    if length > stream.len().saturating_mul(EXPANSION) {
        return Err(LzoError::Implausible {
            announced,
            stream: stream.len(),
        });
    }
    let mut plain = vec![0; length];
    let actual = decode(stream, &mut plain).map_err(|error| match error {
        lzokay::Error::InputOverrun => LzoError::BreaksOff,
        lzokay::Error::LookbehindOverrun => LzoError::BeforeStart,
        lzokay::Error::OutputOverrun => LzoError::TooLong { announced },
        lzokay::Error::InputNotConsumed => LzoError::TrailingBytes,
        lzokay::Error::Error => LzoError::Corrupt,
    })?;
    if actual != length {
        return Err(LzoError::Length { announced, actual });
    }
    Ok(plain)
}

/// Shorter inputs are not searched. The original's encoder hardly finds anything in a single small record
/// either, so that such batches come out as it writes them.
const MIN_SEARCHED: usize = 32;
/// Furthest that a match may lie back.
const MAX_DISTANCE: usize = 0xbfff;
/// Furthest back that an instruction of two bytes reaches, whose length is 8 at most.
const NEAR: usize = 0x800;
/// Furthest back that the first kind of longer instructions reaches; the second begins behind it.
const MIDDLE: usize = 0x4000;
/// Ends every stream.
const END: [u8; 3] = [0x11, 0, 0];
/// The table of the encoder has `1 << TABLE_BITS` places: 32 KiB, which stay in the fastest cache.
const TABLE_BITS: u32 = 13;

/// Compresses to a whole block. Takes any input, and makes at most `8 + n + n / 255 + 16` bytes of `n`.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    // A match is worth two bytes or more, and the literals behind it cost at most two more than they
    // are, plus one for every 255: so only the first literals and the end mark can make a block grow.
    let mut block = Vec::with_capacity(HEADER + plain.len() + plain.len() / 255 + 16);
    block.extend_from_slice(&(plain.len() as u64).to_le_bytes());

    // Where four bytes with this hash were seen last. The zeros that it begins with point to the start
    // of the input, which is as good as any other guess: a match is believed only when it is compared.
    let mut table = [0_u32; 1 << TABLE_BITS];
    let mut written = 0;
    let mut at = 1;
    let searched = if plain.len() < MIN_SEARCHED {
        &[]
    } else {
        plain
    };
    while let Some(next) = searched.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let place = &mut table[slot(*next)];
        // The cast cuts positions above 4 GiB off, the wrapping subtraction still gives a distance of
        // at most `at`, and whether it is the right one the comparison tells.
        let distance = (at as u32).wrapping_sub(*place) as usize;
        *place = at as u32;
        let length = match distance {
            1..=MAX_DISTANCE if distance <= at => common(&plain[at - distance..], &plain[at..]),
            _ => 0,
        };
        if length > 4 || (length == 4 && distance <= NEAR) {
            put_literals(&plain[written..at], &mut block);
            put_match(distance, length, &mut block);
            at += length;
            written = at;
        } else {
            // The longer nothing was found, the larger the steps: incompressible data goes fast.
            at += 1 + (at - written) / 32;
        }
    }
    put_literals(&plain[written..], &mut block);
    block.extend_from_slice(&END);
    block
}

/// Place of four bytes in the table of the encoder.
fn slot(bytes: [u8; 4]) -> usize {
    (u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1) >> (u32::BITS - TABLE_BITS)) as usize
}

/// How many bytes two slices have in common from their beginning.
fn common(a: &[u8], b: &[u8]) -> usize {
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    let mut same = 0;
    for (a, b) in a_words.iter().zip(b_words) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return same + difference.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    let rest = a[same..].iter().zip(&b[same..]);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// Writes bytes that nothing was found for: the first of a stream, or those behind a match.
fn put_literals(bytes: &[u8], block: &mut Vec<u8>) {
    let first = block.len() == HEADER;
    match bytes.len() {
        0 => {}
        n @ 1..=238 if first => block.push(17 + n as u8),
        n @ 1..=3 => {
            // Behind a match: the last two bytes of its instruction begin with two bits for this.
            let at = block.len() - 2;
            block[at] |= n as u8;
        }
        n @ 4..=18 => block.push(n as u8 - 3),
        n => {
            block.push(0);
            put_extended(n - 18, block);
        }
    }
    block.extend_from_slice(bytes);
}

/// Writes the instruction that repeats `length` bytes from `distance` bytes back.
fn put_match(distance: usize, length: usize, block: &mut Vec<u8>) {
    if distance <= NEAR && length <= 8 {
        let back = distance - 1;
        block.push(((length - 1) << 5 | (back & 7) << 2) as u8);
        block.push((back >> 3) as u8);
        return;
    }
    let (instruction, longest, back) = if distance <= MIDDLE {
        (0x20, 33, distance - 1)
    } else {
        let back = distance - MIDDLE;
        (0x10 | (back >> 14) << 3, 9, back & 0x3fff)
    };
    if length <= longest {
        block.push((instruction | (length - 2)) as u8);
    } else {
        block.push(instruction as u8);
        put_extended(length - longest, block);
    }
    block.extend_from_slice(&((back << 2) as u16).to_le_bytes());
}

/// Writes a length, at least 1, that has outgrown its instruction: a zero for every 255, then the rest.
fn put_extended(length: usize, block: &mut Vec<u8>) {
    let zeros = (length - 1) / 255;
    block.resize(block.len() + zeros, 0);
    block.push((length - zeros * 255) as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A block of `plain`'s announced length and any stream.
    fn block(announced: u64, stream: &[u8]) -> Vec<u8> {
        [&announced.to_le_bytes(), stream].concat()
    }

    fn assert_round_trip(plain: &[u8]) -> Vec<u8> {
        let block = compress(plain);
        // That it takes no more memory either says that it has not grown on the way.
        let bound = HEADER + plain.len() + plain.len() / 255 + 16;
        assert!(block.len() <= bound && block.capacity() <= bound);
        assert_eq!(decompress(&block, plain.len()).as_deref(), Ok(plain));
        block
    }

    #[test]
    fn nothing_is_the_bare_end_mark() {
        assert_eq!(assert_round_trip(&[]), block(0, &END));
    }

    #[test]
    fn short_blocks_are_as_the_originals_write_them() {
        // neo-requests.md 7.1: key 2, "world".
        let plain = b"\x08\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0world";
        let stream = [&[0x2e], &plain[..], &END].concat();
        assert_eq!(assert_round_trip(plain), block(29, &stream));
    }

    #[test]
    fn only_32_bytes_and_more_are_searched() {
        let literals = [&[17 + 31], &[b'a'; 31][..], &END].concat();
        assert_eq!(assert_round_trip(&[b'a'; 31]), block(31, &literals));
        // One literal, then 31 bytes from one byte back.
        let repeated = [0x12, b'a', 0x20 | (31 - 2), 0, 0, 0x11, 0, 0];
        assert_eq!(assert_round_trip(&[b'a'; 32]), block(32, &repeated));
    }

    #[test]
    fn four_bytes_are_repeated_only_from_nearby() {
        // From further back the instruction would be hardly shorter than what it stands for.
        for (zeros, repeated) in [(2043, true), (2044, false)] {
            let plain = [b"<name", &vec![0; zeros][..], b"=name>"].concat();
            let block = assert_round_trip(&plain);
            let literals = [&b"name>"[..], &END].concat();
            assert_eq!(!block.ends_with(&literals), repeated, "{zeros}");
        }
    }

    #[test]
    fn matches_are_as_long_as_they_can_be() {
        let bytes: [u8; 40] = std::array::from_fn(|n| n as u8);
        for length in 0..bytes.len() {
            let mut other = bytes;
            other[length] ^= 0x80;
            assert_eq!(common(&bytes, &other), length);
            assert_eq!(common(&bytes, &bytes[..length]), length);
        }
    }

    #[test]
    fn instructions_are_as_short_as_they_can_be() {
        for (distance, length, bytes) in [
            (2048, 8, 2),
            (2049, 8, 3),
            (2048, 9, 3),
            (16_384, 33, 3),
            (16_384, 34, 4),
            (16_385, 9, 3),
            (16_385, 10, 4),
            (1, 33 + 255, 4),
            (1, 34 + 255, 5),
        ] {
            let mut block = Vec::new();
            put_match(distance, length, &mut block);
            assert_eq!(block.len(), bytes, "{length} bytes from {distance}");
        }
    }

    #[test]
    fn first_literals_of_every_length_survive() {
        let noise: Vec<u8> = (0..600_u32)
            .map(|n| (n.wrapping_mul(0x9e37_79b1) >> 24) as u8)
            .collect();
        for length in 0..noise.len() {
            assert_round_trip(&noise[..length]);
        }
    }

    #[test]
    fn the_originals_matches_are_understood() {
        // neo-requests.md 6.1: two records in 36 bytes. The byte a0 is printed as a2 there, which no
        // decoder takes; the original encoder writes a0.
        let stream = b"\x07\x01\0\0\0\0\0\0\0\x02\0\xa0\0\0\x02v1\
            \x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0v2\x11\0\0";
        let plain = b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0v1\
            \x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0v2";
        assert_eq!(
            decompress(&block(36, stream), 36).as_deref(),
            Ok(&plain[..])
        );
    }

    #[test]
    fn every_instruction_says_what_it_should() {
        let noise: Vec<u8> = (0..12_500_u32)
            .flat_map(|n| n.wrapping_mul(0x9e37_79b1).swap_bytes().to_le_bytes())
            .collect();
        let edges = [
            1, 2, 8, 9, 2048, 2049, 16_384, 16_385, 32_767, 32_768, 49_151,
        ];
        for distance in edges {
            for length in [4, 5, 8, 9, 10, 33, 34, 264, 265, 288, 289, 600] {
                for behind in [0, 1, 3, 4, 18, 19, 273, 274, 528, 529] {
                    let mut plain = noise.clone();
                    plain.extend(noise[noise.len() - distance..].iter().cycle().take(length));
                    plain.extend(&noise[..behind]);

                    let mut block = block(plain.len() as u64, &[]);
                    put_literals(&noise, &mut block);
                    put_match(distance, length, &mut block);
                    put_literals(&noise[..behind], &mut block);
                    block.extend_from_slice(&END);
                    assert_eq!(decompress(&block, plain.len()), Ok(plain));
                }
            }
        }
    }

    #[test]
    fn what_repeats_becomes_small() {
        let block = assert_round_trip(&[0; 65_536]);
        assert!(block.len() < 300, "{} bytes", block.len());
        let words = b"channel record node ".repeat(1000);
        let block = assert_round_trip(&words);
        assert!(block.len() < 200, "{} bytes", block.len());
    }

    #[test]
    fn a_claimed_length_is_checked_before_memory_is_taken() {
        let (stream, limit) = ([&[0x14, 1, 2, 3], &END[..]].concat(), 65_536);
        for announced in [1 << 63, u64::MAX, 65_537] {
            assert_eq!(
                decompress(&block(announced, &stream), limit),
                Err(LzoError::AboveLimit { announced, limit })
            );
        }
        assert_eq!(
            decompress(&block(1 << 63, &stream), usize::MAX),
            Err(LzoError::Implausible {
                announced: 1 << 63,
                stream: 7
            })
        );
        assert_eq!(
            decompress(&block(7 * 255 + 1, &stream), limit),
            Err(LzoError::Implausible {
                announced: 7 * 255 + 1,
                stream: 7
            })
        );
        assert_eq!(
            decompress(&block(7 * 255, &stream), limit),
            Err(LzoError::Length {
                announced: 7 * 255,
                actual: 3
            })
        );
    }

    #[test]
    fn damage_is_told_apart() {
        let good = [&[0x14, 1, 2, 3], &END[..]].concat();
        let long = [&good[..], &[0]].concat();
        let backwards = [&[0x14, 1, 2, 3, 0x60, 1], &END[..]].concat();
        let odd_end = [&[0x14, 1, 2, 3], &[0x12, 0, 0][..]].concat();
        let cases = [
            (3, &good[..6], LzoError::BreaksOff),
            (3, &good[..4], LzoError::BreaksOff),
            (
                3,
                &[],
                LzoError::Implausible {
                    announced: 3,
                    stream: 0,
                },
            ),
            (0, &[], LzoError::BreaksOff),
            (3, &long, LzoError::TrailingBytes),
            (6, &backwards, LzoError::BeforeStart),
            (3, &odd_end, LzoError::Corrupt),
            (2, &good, LzoError::TooLong { announced: 2 }),
            (
                4,
                &good,
                LzoError::Length {
                    announced: 4,
                    actual: 3,
                },
            ),
        ];
        assert_eq!(decompress(&block(3, &good), 3), Ok(vec![1, 2, 3]));
        for (announced, stream, error) in cases {
            assert_eq!(decompress(&block(announced, stream), 100), Err(error));
        }
        for left in 0..8 {
            let error = decompress(&[0; 8][..left], 100);
            assert_eq!(error, Err(LzoError::Header { left }));
        }
    }

    /// Data with matches at all distances: each step repeats earlier bytes or adds new ones.
    fn repetitive() -> impl Strategy<Value = Vec<u8>> {
        let step = (
            any::<u16>(),
            1..700_usize,
            proptest::collection::vec(any::<u8>(), 0..400),
        );
        proptest::collection::vec(step, 0..200).prop_map(|steps| {
            let mut plain: Vec<u8> = Vec::new();
            for (distance, length, new) in steps {
                plain.extend(new);
                let start = plain.len() - usize::from(distance).min(plain.len());
                let again: Vec<u8> = plain[start..]
                    .iter()
                    .copied()
                    .cycle()
                    .take(length)
                    .collect();
                plain.extend(again);
            }
            plain
        })
    }

    /// Instructions of every class in random order, more of them sensible than random bytes would be.
    fn streams() -> impl Strategy<Value = Vec<u8>> {
        let instruction = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            (0x40..=0xff_u8, any::<u8>()).prop_map(|(a, b)| vec![a, b]),
            (0x10..0x40_u8, 0..8_u8, any::<u8>()).prop_map(|(a, b, c)| vec![a, b, c]),
            (0..2000_usize).prop_map(|zeros| vec![0; zeros]),
        ];
        proptest::collection::vec(instruction, 0..20)
            .prop_map(|parts| [&parts.concat()[..], &END].concat())
    }

    proptest! {
        #[test]
        fn any_bytes_round_trip(plain: Vec<u8>) {
            assert_round_trip(&plain);
        }

        #[test]
        fn repetitions_round_trip(plain in repetitive()) {
            assert_round_trip(&plain);
        }

        #[test]
        fn the_other_encoder_is_understood(plain in repetitive()) {
            // It misrepresents nothing but the empty input, for which it writes a literal run of none.
            prop_assume!(!plain.is_empty());
            let stream = lzokay::compress::compress(&plain).unwrap();
            prop_assert_eq!(decompress(&block(plain.len() as u64, &stream), plain.len()), Ok(plain));
        }

        #[test]
        fn no_block_takes_more_than_it_may(
            announced in prop_oneof![0..4000_u64, any::<u64>()],
            stream in streams(),
            limit in prop_oneof![0..4000_usize, Just(usize::MAX)],
        ) {
            if let Ok(plain) = decompress(&block(announced, &stream), limit) {
                prop_assert!(plain.len() as u64 == announced && plain.len() <= limit);
                prop_assert_eq!(plain.capacity(), plain.len());
            }
        }

        #[test]
        fn no_stream_expands_more_than_the_bound(stream in streams()) {
            let mut plain = vec![0; stream.len() * EXPANSION];
            prop_assert_ne!(decode(&stream, &mut plain), Err(lzokay::Error::OutputOverrun));
        }
    }
}
