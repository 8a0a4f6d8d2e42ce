//! A second decoder of LZO1X, as plain as the description of the format and not made for speed, to compare
//! the real one with.

/// How far back the instructions `0001HLLL` begin.
const FAR: usize = 0x4000;

/// The plain bytes of a whole stream, at most `limit` of them. `None` if it is damaged.
pub(crate) fn decode(stream: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut decoder = Decoder {
        stream,
        plain: Vec::new(),
        limit,
    };
    decoder.run()?;
    decoder.stream.is_empty().then_some(decoder.plain)
}

struct Decoder<'a> {
    /// What was not read yet.
    stream: &'a [u8],
    plain: Vec<u8>,
    limit: usize,
}

/// What an instruction may follow: literals change what the lowest instructions mean.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Behind {
    Match,
    /// 1 to 3 literals, which a match brought along.
    FewLiterals,
    /// 4 or more.
    ManyLiterals,
}

impl Decoder<'_> {
    fn run(&mut self) -> Option<()> {
        let mut behind = Behind::Match;
        let first = usize::from(*self.stream.first()?);
        if first > 17 {
            self.byte()?;
            self.literals(first - 17)?;
            behind = match first - 17 {
                1..=3 => Behind::FewLiterals,
                _ => Behind::ManyLiterals,
            };
        }
        loop {
            let instruction = usize::from(self.byte()?);
            let (distance, length, literals) = match instruction {
                0..16 if behind == Behind::Match => {
                    let length = self.length(instruction, 15)?;
                    self.literals(length + 3)?;
                    behind = Behind::ManyLiterals;
                    continue;
                }
                0..16 => {
                    let high = usize::from(self.byte()?) << 2;
                    let distance = high + (instruction >> 2) + 1;
                    match behind {
                        Behind::ManyLiterals => (distance + 2048, 3, instruction & 3),
                        _ => (distance, 2, instruction & 3),
                    }
                }
                16..32 => {
                    let length = self.length(instruction & 7, 7)? + 2;
                    let (low, literals) = self.distance()?;
                    let distance = ((instruction & 8) << 11) + low;
                    if distance == 0 {
                        return (length == 3).then_some(());
                    }
                    (distance + FAR, length, literals)
                }
                32..64 => {
                    let length = self.length(instruction & 31, 31)? + 2;
                    let (low, literals) = self.distance()?;
                    (low + 1, length, literals)
                }
                _ => {
                    let length = match instruction {
                        64..128 => 3 + (instruction >> 5 & 1),
                        _ => 5 + (instruction >> 5 & 3),
                    };
                    let high = usize::from(self.byte()?) << 3;
                    (high + (instruction >> 2 & 7) + 1, length, instruction & 3)
                }
            };
            self.repeat(distance, length)?;
            self.literals(literals)?;
            behind = match literals {
                0 => Behind::Match,
                _ => Behind::FewLiterals,
            };
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.stream.split_first()?;
        self.stream = rest;
        Some(*byte)
    }

    /// A length from an instruction's bits; if they are 0 it goes on in further bytes, above `most`.
    fn length(&mut self, bits: usize, most: usize) -> Option<usize> {
        if bits > 0 {
            return Some(bits);
        }
        let mut length = most;
        loop {
            match self.byte()? {
                0 => length += 255,
                last => return Some(length + usize::from(last)),
            }
        }
    }

    /// A distance of 14 bits, and the number of literals behind the match.
    fn distance(&mut self) -> Option<(usize, usize)> {
        let (low, high) = (self.byte()?, self.byte()?);
        let both = usize::from(u16::from_le_bytes([low, high]));
        Some((both >> 2, both & 3))
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        for _ in 0..count {
            let byte = self.byte()?;
            self.push(byte)?;
        }
        Some(())
    }

    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        for _ in 0..length {
            let from = self.plain.len().checked_sub(distance)?;
            let byte = self.plain[from];
            self.push(byte)?;
        }
        Some(())
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        (self.plain.len() < self.limit).then(|| self.plain.push(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_the_specification() {
        // neo-transport.md section 13: the plain bytes of a record with key 1 and value "v".
        let mut stream = vec![0x2a, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        stream.extend([1, 0, 0, 0, 0, 0, 0, 0, b'v']);
        let plain = stream[1..].to_vec();
        stream.extend([0x11, 0, 0]);
        assert_eq!(decode(&stream, 25), Some(plain));
        assert_eq!(decode(&stream, 24), None, "above the limit");
        assert_eq!(decode(&stream[..27], 25), None, "breaks off");
        stream.push(0);
        assert_eq!(decode(&stream, 25), None, "goes on behind its end");
    }

    #[test]
    fn a_match_repeats_what_it_writes() {
        // One literal, then 5 bytes from 1 byte back: an instruction 001LLLLL with a distance of 14 bits.
        assert_eq!(
            decode(&[18, b'a', 0x23, 0, 0, 0x11, 0, 0], 6),
            Some(b"aaaaaa".to_vec())
        );
        assert_eq!(
            decode(&[18, b'a', 0x23, 4, 0, 0x11, 0, 0], 6),
            None,
            "from before the start"
        );
    }
}
