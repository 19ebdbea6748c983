//! Text encodings of files. Decoding is strict and can be undone: what was decoded, encoded again, is the same bytes, so that
//! a file can be cut into captures of its own bytes by looking at its text.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// How a file writes its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte-order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first: what Windows programs call Unicode.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// One byte a character: what older Windows programs write in western Europe.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// The characters of bytes 0x80 to 0x9F in windows-1252; U+0000 where there is none.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

impl Encoding {
    /// What the first bytes of a file say: its byte-order mark, if it has one.
    pub(crate) fn marked(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            [0xef, 0xbb, 0xbf, ..] => Some(Self::Utf8),
            _ => None,
        }
    }

    /// The bytes of a text. Of a character that the encoding lacks none: it cannot have come out of it.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Windows1252 => text.chars().filter_map(windows_byte).collect(),
        }
    }

    /// The text of bytes; `None` where they are none. A byte-order mark is kept as U+FEFF.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        Decoder::new(bytes, self).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

fn windows_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        0x80..=0x9f => None,
        code @ ..=0xff => u8::try_from(code).ok(),
        _ => (0x80..=0x9f).zip(HIGH).find(|(_, high)| *high == c).map(|(byte, _)| byte),
    }
}

/// Reads a file as UTF-8, strictly: bytes that the encoding does not know are an error that says where.
pub(crate) struct Decoder<R> {
    from: R,
    encoding: Encoding,
    /// Raw bytes that were read and not decoded yet: the beginning of a character.
    rest: Vec<u8>,
    /// Text that was decoded and not handed out yet.
    ready: Vec<u8>,
    given: usize,
    /// Raw bytes decoded so far.
    offset: u64,
    ended: bool,
}

const BLOCK: usize = 64 << 10;

impl<R: Read> Decoder<R> {
    pub(crate) fn new(from: R, encoding: Encoding) -> Self {
        Self { from, encoding, rest: vec![], ready: vec![], given: 0, offset: 0, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !self.ended {
            let before = self.rest.len();
            self.rest.resize(before + BLOCK, 0);
            let read = self.from.read(&mut self.rest[before..])?;
            self.rest.truncate(before + read);
            self.ended = read == 0;
            let used = self.decode()?;
            self.offset += used as u64;
            self.rest.drain(..used);
        }
        Ok(())
    }

    /// Decodes what is whole; how many bytes that was.
    fn decode(&mut self) -> io::Result<usize> {
        let wrong = |at: usize, what: &str| {
            let at = self.offset + at as u64;
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("byte {at} of the file is no {what}")))
        };
        match self.encoding {
            Encoding::Utf8 => match std::str::from_utf8(&self.rest) {
                Ok(text) => {
                    self.ready.extend_from_slice(text.as_bytes());
                    Ok(self.rest.len())
                }
                Err(e) if e.error_len().is_none() && !self.ended => {
                    self.ready.extend_from_slice(&self.rest[..e.valid_up_to()]);
                    Ok(e.valid_up_to())
                }
                Err(e) => wrong(e.valid_up_to(), "UTF-8"),
            },
            Encoding::Windows1252 => {
                let mut text = String::with_capacity(self.rest.len() * 2);
                for (at, byte) in self.rest.iter().enumerate() {
                    let c = match byte {
                        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
                        _ => char::from(*byte),
                    };
                    if c == '\0' && *byte != 0 {
                        return wrong(at, "windows-1252");
                    }
                    text.push(c);
                }
                self.ready.extend_from_slice(text.as_bytes());
                Ok(self.rest.len())
            }
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let unit = |pair: &[u8]| match self.encoding {
                    Encoding::Utf16Le => u16::from_le_bytes([pair[0], pair[1]]),
                    _ => u16::from_be_bytes([pair[0], pair[1]]),
                };
                let mut text = String::with_capacity(self.rest.len());
                let mut at = 0;
                while at + 2 <= self.rest.len() {
                    let first = unit(&self.rest[at..]);
                    let length = if (0xd800..0xdc00).contains(&first) { 4 } else { 2 };
                    if at + length > self.rest.len() {
                        break;
                    }
                    let units = [first, unit(&self.rest[at + length - 2..])];
                    match char::decode_utf16(units[..length / 2].iter().copied()).next() {
                        Some(Ok(c)) => text.push(c),
                        _ => return wrong(at, "UTF-16"),
                    }
                    at += length;
                }
                if self.ended && at < self.rest.len() {
                    return wrong(at, "UTF-16");
                }
                self.ready.extend_from_slice(text.as_bytes());
                Ok(at)
            }
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let count = into.len().min(self.ready.len() - self.given);
        into[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
