//! A log folder, from the entries up: what the entries give is compared with everything that is stored.

use std::collections::BTreeMap;
use std::fmt;

use tlog::{Checkpoint, Edge, Hash, Level, Note, NoteVerifier, Proof, TILE_WIDTH, Tile, bundle, leaf_hash};

use crate::Refusal;
use crate::files::{Files, list, read};

const CHECKPOINT: &str = "checkpoint";

/// What to allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How many entries the writer acknowledged, where the caller knows: fewer published ones are refused.
    pub acknowledged: Option<u64>,
    /// Allow tiles beyond the checkpoint, as a log has while it is written. They are counted as outside what is signed.
    pub ahead: bool,
}

/// What holds of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// Name of the log.
    pub origin: String,
    /// Entries published and signed.
    pub published: u64,
    /// Entries acknowledged, where the caller said so.
    pub acknowledged: Option<u64>,
    /// Root over them.
    pub root: Hash,
    /// Files that the signature vouches for, the checkpoint included.
    pub files: u64,
    /// Files beyond the checkpoint, for which nothing vouches.
    pub ahead: Vec<String>,
    /// Names of signatures on the checkpoint by keys that weren't given: nothing is said of them.
    pub unchecked_signatures: Vec<String>,
    /// The first entry says that this is a demo: a company that does not exist.
    pub demo: bool,
}

/// Of a leaf, what tells a demo.
#[derive(serde::Deserialize)]
struct FirstLeaf {
    kind: String,
    stream: String,
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.demo {
            write!(f, "A DEMO, of a company that does not exist: ")?;
        }
        write!(f, "{}, ", self.origin)?;
        if let Some(acknowledged) = self.acknowledged {
            write!(f, "{acknowledged} acknowledged, ")?;
        }
        write!(f, "{} published, root {}, {} files accounted for", self.published, self.root, self.files)?;
        if !self.ahead.is_empty() {
            write!(f, "; {} files beyond the checkpoint are not signed", self.ahead.len())?;
        }
        if !self.unchecked_signatures.is_empty() {
            write!(f, "; signatures not checked: {}", self.unchecked_signatures.join(", "))?;
        }
        Ok(())
    }
}

/// Verifies a log folder: the signature on its checkpoint, every entry, every tile, and that there is no other file.
///
/// # Errors
/// The first thing that doesn't hold.
pub fn log(files: &dyn Files, key: &NoteVerifier, options: Options) -> Result<LogReport, Refusal> {
    walk(files, key, options, &mut |_, _| Ok(()))
}

/// Verifies a log folder as [`log`] does, and that it continues the log of an older signed checkpoint.
///
/// # Errors
/// The first thing that doesn't hold.
pub fn grow(
    old: &[u8],
    files: &dyn Files,
    key: &NoteVerifier,
    options: Options,
) -> Result<LogReport, Refusal> {
    let old = Checkpoint::open(old, key).map_err(Refusal::form("the older checkpoint"))?;
    let mut root = (old.size == 0).then_some(tlog::EMPTY_ROOT);
    // The root that the log had at the older size, from the entries themselves.
    let report = walk(files, key, options, &mut |edge, _| {
        if edge.size() == old.size {
            root = Some(edge.root());
        }
        Ok(())
    })?;
    match root {
        None => Err(Refusal::Growth {
            why: format!("the log shrank from {} to {} entries", old.size, report.published),
        }),
        Some(root) if root != old.root => Err(Refusal::Growth {
            why: format!(
                "the first {} entries aren't those of the older checkpoint: the history was rewritten",
                old.size
            ),
        }),
        Some(_) => Ok(report),
    }
}

/// Verifies that `leaf`, the exact bytes of an entry, stands in the log; gives the checkpoint that says so.
///
/// # Errors
/// The proof, or what it should prove, doesn't hold.
pub fn proof(file: &[u8], leaf: &[u8], key: &NoteVerifier) -> Result<Checkpoint, Refusal> {
    let what = "the proof";
    let text = std::str::from_utf8(file)
        .map_err(|e| Refusal::Unreadable { path: what.into(), reason: e.to_string() })?;
    let proof: Proof = text.parse().map_err(Refusal::form(what))?;
    proof.verify(leaf, key).map_err(Refusal::form(what))
}

/// The files of a log by what their names say.
struct Listing {
    /// Stored partial tiles by the tile they are a beginning of.
    partial: BTreeMap<(Level, u64), Vec<Tile>>,
    ahead: Vec<String>,
    files: u64,
}

impl Listing {
    fn new(files: &dyn Files, size: u64, options: Options) -> Result<Self, Refusal> {
        let mut listing = Self { partial: BTreeMap::new(), ahead: Vec::new(), files: 0 };
        let mut paths = list(files)?;
        paths.sort();
        for path in paths {
            let within = match Tile::parse(&path) {
                Some(tile) => {
                    let wide =
                        Tile::of(tile.level, tile.index, size).is_some_and(|whole| whole.width >= tile.width);
                    if wide && !tile.is_full() {
                        listing.partial.entry((tile.level, tile.index)).or_default().push(tile);
                    }
                    wide
                }
                None if path == CHECKPOINT => true,
                None => return Err(Refusal::Unknown { path }),
            };
            if within {
                listing.files += 1;
            } else if options.ahead {
                listing.ahead.push(path);
            } else {
                return Err(Refusal::Ahead { path });
            }
        }
        Ok(listing)
    }

    /// Compares every stored beginning of a tile with the tile: `end` gives where the n-th hash or entry ends.
    fn beginnings(
        &self,
        files: &dyn Files,
        tile: Tile,
        want: &[u8],
        end: &dyn Fn(u16) -> usize,
    ) -> Result<(), Refusal> {
        let stored = self.partial.get(&(tile.level, tile.index)).map_or(&[][..], Vec::as_slice);
        stored
            .iter()
            .filter(|stored| **stored != tile)
            .try_for_each(|stored| same(files, *stored, &want[..end(stored.width)]))
    }

    fn compare_hashes(&self, files: &dyn Files, tile: Tile, hashes: &[Hash]) -> Result<(), Refusal> {
        let want: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        same(files, tile, &want)?;
        self.beginnings(files, tile, &want, &|width| usize::from(width) * 32)
    }
}

fn same(files: &dyn Files, tile: Tile, want: &[u8]) -> Result<(), Refusal> {
    let path = tile.path();
    if read(files, &path)? == want { Ok(()) } else { Err(Refusal::differs(path, "other bytes")) }
}

/// What to do with each entry: the tree that ends with it, and its bytes.
pub(crate) type Visit<'a> = dyn FnMut(&Edge, &[u8]) -> Result<(), Refusal> + 'a;

/// Reads every entry in order, hands it to `visit` with the tree that ends with it, and checks everything else by them.
pub(crate) fn walk(
    files: &dyn Files,
    key: &NoteVerifier,
    options: Options,
    visit: &mut Visit<'_>,
) -> Result<LogReport, Refusal> {
    // The checkpoint first: should the log be written to meanwhile, everything it promises is there already.
    let text = read(files, CHECKPOINT)?;
    let checkpoint = Checkpoint::open(&text, key).map_err(Refusal::form(CHECKPOINT))?;
    let note = Note::parse(&text).map_err(Refusal::form(CHECKPOINT))?;
    let size = checkpoint.size;
    let listing = Listing::new(files, size, options)?;

    let mut edge = Edge::new();
    let mut demo = false;
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        let Some(tile) = Tile::of(Level::Entries, index, size) else { break };
        let path = tile.path();
        let bytes = read(files, &path)?;
        let entries = bundle::split(&bytes).map_err(Refusal::form(&path))?;
        if entries.len() != usize::from(tile.width) {
            return Err(Refusal::differs(path, format!("{} entries, not {}", entries.len(), tile.width)));
        }
        let mut ends = vec![0];
        let mut full = Ok(());
        for entry in &entries {
            ends.push(ends.last().unwrap_or(&0) + 2 + entry.len());
            edge.push(leaf_hash(entry), |tile, hashes| {
                let compared = listing.compare_hashes(files, tile, hashes);
                full = std::mem::replace(&mut full, Ok(())).and(compared);
            });
            if edge.size() == 1 {
                demo = serde_json::from_slice::<FirstLeaf>(entry)
                    .is_ok_and(|leaf| leaf.kind == "decision" && leaf.stream == "demo");
            }
            visit(&edge, entry)?;
        }
        full?;
        listing.beginnings(files, tile, &bytes, &|width| ends[usize::from(width)])?;
    }
    for (tile, hashes) in edge.partial_tiles() {
        listing.compare_hashes(files, tile, hashes)?;
    }
    if edge.root() != checkpoint.root {
        return Err(Refusal::Root);
    }
    if let Some(acknowledged) = options.acknowledged
        && acknowledged > size
    {
        return Err(Refusal::Unpublished { acknowledged, published: size });
    }
    let unchecked = note.signatures.iter().filter(|signature| !key.claims(signature)).map(|s| s.name.clone());
    Ok(LogReport {
        origin: checkpoint.origin,
        published: size,
        acknowledged: options.acknowledged,
        root: checkpoint.root,
        files: listing.files,
        ahead: listing.ahead,
        unchecked_signatures: unchecked.collect(),
        demo,
    })
}
