//! Tiles and entry bundles (c2sp.org/tlog-tiles): the tree as static files of 256 hashes or 256 entries.

use crate::{Error, Hash};

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u16 = 256;

/// The row of tiles a tile belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Bundles of the entries themselves: `tile/entries/…`.
    Entries,
    /// Hashes of subtrees of 2^(8·level) entries: `tile/<level>/…`.
    Hashes(u8),
}

/// One tile: `width` hashes (or entries) of a level, beginning at the 256·`index`-th.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    /// Row.
    pub level: Level,
    /// Place in the row.
    pub index: u64,
    /// How many it holds, 1 to 256. A full tile holds 256 and never changes.
    pub width: u16,
}

impl Tile {
    /// The tile of a row in a tree of `size` entries, full or partial; `None` where the row ends before it.
    #[must_use]
    pub fn of(level: Level, index: u64, size: u64) -> Option<Self> {
        let row = match level {
            Level::Entries => size,
            Level::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        };
        let width = row.checked_sub(index.checked_mul(256)?)?.min(256) as u16;
        (width > 0).then_some(Self { level, index, width })
    }

    /// Whether it holds 256.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Its path in the log's folder, such as `tile/entries/x001/234.p/7`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = match self.level {
            Level::Entries => "tile/entries/".to_owned(),
            Level::Hashes(level) => format!("tile/{level}/"),
        };
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            path += &format!("x{group:03}/");
        }
        path += &format!("{:03}", groups[0]);
        if !self.is_full() {
            path += &format!(".p/{}", self.width);
        }
        path
    }

    /// Reads a path; `None` for anything [`Tile::path`] doesn't write.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            number => Level::Hashes(number.parse().ok().filter(|level| *level <= 63)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|w| (1..TILE_WIDTH).contains(w))?),
            None => (rest, TILE_WIDTH),
        };
        let mut index = 0_u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { level, index, width };
        (tile.path() == path).then_some(tile)
    }

    /// The hashes in the bytes of a hash tile.
    ///
    /// # Errors
    /// Bytes of another length than the tile's width asks for.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, Error> {
        if bytes.len() != usize::from(self.width) * 32 {
            let want = usize::from(self.width) * 32;
            return Err(Error::form(
                "tile",
                format!("`{}` has {} bytes, not {want}", self.path(), bytes.len()),
            ));
        }
        let (hashes, _) = bytes.as_chunks::<32>();
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    }
}

/// The tiles of all rows, entry bundles included, that a log of `size` entries has beyond those of `old` entries.
#[must_use]
pub fn new_tiles(old: u64, size: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let mut row = |level: Level, old: u64, new: u64| {
        for index in old / 256..=new / 256 {
            let width = (new - index * 256).min(256) as u16;
            if old < index * 256 + u64::from(width) {
                tiles.push(Tile { level, index, width });
            }
        }
    };
    row(Level::Entries, old, size);
    for level in 0..=7_u8 {
        let (old, new) = (old >> (8 * level), size >> (8 * level));
        if new == 0 {
            break;
        }
        row(Level::Hashes(level), old, new);
    }
    tiles
}

/// Entry bundles: for each entry its length as 16 bits, big-endian, then its bytes.
pub mod bundle {
    use crate::Error;

    /// The longest entry a bundle can hold.
    pub const MAX_ENTRY: usize = u16::MAX as usize;

    /// Appends an entry to a bundle.
    ///
    /// # Errors
    /// An entry of more than 65,535 bytes.
    pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), Error> {
        let length = u16::try_from(entry.len()).map_err(|_| {
            Error::form("log entry", format!("{} bytes; an entry has at most {MAX_ENTRY}", entry.len()))
        })?;
        bundle.extend(length.to_be_bytes());
        bundle.extend_from_slice(entry);
        Ok(())
    }

    /// The entries of a bundle.
    ///
    /// # Errors
    /// A bundle that ends inside an entry.
    pub fn split(bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
        let cut = || Error::form("entry bundle", "it ends inside an entry");
        let mut entries = Vec::new();
        let mut rest = bundle;
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            let (entry, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(cut)?;
            entries.push(entry);
            rest = after;
        }
        Ok(entries)
    }
}
