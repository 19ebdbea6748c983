//! Enough of Thrift's compact protocol to see what a Parquet file claims of itself before anything believes it: every number of
//! a structure by the ids of the fields that lead to it. Lengths are held against the bytes that are there, nesting against a
//! limit, so that no claim makes this program reserve memory or dig too deep.

/// Why a structure cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// It goes on beyond the bytes.
    Short,
    /// It is none.
    Wrong,
}

/// Real files nest about six deep.
const DEPTH: usize = 32;

/// A number found, with the ids of the fields that lead to it. Of a list it is the length, then come its elements under the same
/// ids; of bytes it is their length; of a structure zero, then come its fields.
pub(super) type Visit<'v> = dyn FnMut(&[i16], i64) + 'v;

/// Reads the structure that bytes begin with; how many of them it takes.
pub(super) fn structure(bytes: &[u8], visit: &mut Visit<'_>) -> Result<usize, Stop> {
    let mut reader = Reader { bytes, at: 0, depth: 0 };
    reader.structure(&mut vec![], visit)?;
    Ok(reader.at)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, count: u64) -> Result<(), Stop> {
        let left = self.bytes.len() - self.at;
        self.at += usize::try_from(count).ok().filter(|n| *n <= left).ok_or(Stop::Short)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Stop> {
        let (value, length) = varint(&self.bytes[self.at..])?;
        self.at += length;
        Ok(value)
    }

    fn structure(&mut self, path: &mut Vec<i16>, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let mut id = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = match head >> 4 {
                0 => i16::try_from(zigzag(self.varint()?)).map_err(|_| Stop::Wrong)?,
                more => id.checked_add(i16::from(more)).ok_or(Stop::Wrong)?,
            };
            path.push(id);
            match head & 15 {
                // A flag of a field stands in its head.
                flag @ (1 | 2) => visit(path, i64::from(flag == 1)),
                kind => self.value(kind, path, visit)?,
            }
            path.pop();
        }
    }

    fn value(&mut self, kind: u8, path: &mut Vec<i16>, visit: &mut Visit<'_>) -> Result<(), Stop> {
        if self.depth == DEPTH {
            return Err(Stop::Wrong);
        }
        self.depth += 1;
        match kind {
            // A flag, or a small number.
            1..=3 => visit(path, i64::from(self.byte()?)),
            4..=6 => visit(path, zigzag(self.varint()?)),
            7 => self.skip(8)?,
            8 => {
                let length = self.varint()?;
                self.skip(length)?;
                visit(path, i64::try_from(length).map_err(|_| Stop::Wrong)?);
            }
            9 | 10 => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                self.fits(length)?;
                visit(path, i64::try_from(length).map_err(|_| Stop::Wrong)?);
                for _ in 0..length {
                    self.value(head & 15, path, visit)?;
                }
            }
            11 => {
                let length = self.varint()?;
                self.fits(length)?;
                let kinds = if length == 0 { 0 } else { self.byte()? };
                for _ in 0..length {
                    self.value(kinds >> 4, path, visit)?;
                    self.value(kinds & 15, path, visit)?;
                }
            }
            12 => {
                visit(path, 0);
                self.structure(path, visit)?;
            }
            _ => return Err(Stop::Wrong),
        }
        self.depth -= 1;
        Ok(())
    }

    /// Every element takes a byte at the least.
    fn fits(&self, length: u64) -> Result<(), Stop> {
        let left = self.bytes.len() - self.at;
        if usize::try_from(length).is_ok_and(|n| n <= left) { Ok(()) } else { Err(Stop::Short) }
    }
}

/// A number of variable length that bytes begin with, and how many of them it takes.
pub(super) fn varint(bytes: &[u8]) -> Result<(u64, usize), Stop> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, at + 1));
        }
    }
    Err(if bytes.len() < 10 { Stop::Short } else { Stop::Wrong })
}

#[expect(clippy::cast_possible_wrap, reason = "that is the encoding: the lowest bit is the sign")]
const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
