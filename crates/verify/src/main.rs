//! `tickmark-verify`: checks a log, a proof, growth or evidence with no network and no trust in Tickmark.
//!
//! Exit status 0 and one line that begins with `holds:`, or 1 and one that begins with `refused:`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tlog::NoteVerifier;
use verify::{Anchor, Folder, Options, Refusal, Voucher};

/// Verifies what Tickmark hands over, offline.
#[derive(Parser)]
#[command(name = "tickmark-verify", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check a log folder: signature, every entry, every tile, every file
    Log {
        /// Folder that holds `checkpoint` and `tile/`
        dir: PathBuf,
        /// File with the log's public key (name+id+key)
        vkey: PathBuf,
        #[command(flatten)]
        allow: Allow,
    },
    /// Check that one entry stands in a log
    Proof {
        /// The `.tlog-proof` file
        file: PathBuf,
        /// File with the exact bytes of the entry
        leaf: PathBuf,
        /// File with the log's public key
        vkey: PathBuf,
    },
    /// Check a log folder and that it continues an older checkpoint
    Grow {
        /// The older checkpoint, as it was kept
        old: PathBuf,
        /// Folder that holds `checkpoint` and `tile/`
        dir: PathBuf,
        /// File with the log's public key
        vkey: PathBuf,
        #[command(flatten)]
        allow: Allow,
    },
    /// Check a log folder, and that it continues a checkpoint that somebody else signed or stamped
    Anchor {
        /// The checkpoint as it was kept, with the witnesses' signatures
        checkpoint: PathBuf,
        /// Folder that holds `checkpoint` and `tile/`
        dir: PathBuf,
        /// File with the log's public key
        vkey: PathBuf,
        /// File with the key of a witness that must have cosigned it
        #[arg(long, value_name = "VKEY", required_unless_present = "stamp")]
        witness: Vec<PathBuf>,
        /// File with a time stamp over it; its authority's signature is for `openssl ts -verify`
        #[arg(long, value_name = "FILE")]
        stamp: Vec<PathBuf>,
        #[command(flatten)]
        allow: Allow,
    },
    /// Check a data folder with its keys: every object opens and is the one committed to, and every anchor fits
    Evidence {
        /// Folder that holds `log/`, `objects/` and `keys/`
        data: PathBuf,
        /// File with the log's public key
        vkey: PathBuf,
        /// File with the wrapping key: 32 bytes, or 64 hexadecimal digits
        wrapping_key: PathBuf,
        /// File with the key of a witness that must have cosigned a checkpoint of it
        #[arg(long, value_name = "VKEY")]
        witness: Vec<PathBuf>,
        #[command(flatten)]
        allow: Allow,
    },
}

#[derive(Args)]
struct Allow {
    /// Entries that were acknowledged; fewer published ones are refused
    #[arg(long, value_name = "N")]
    acknowledged: Option<u64>,
    /// Allow tiles beyond the checkpoint, as a log has while it is written; nothing vouches for them
    #[arg(long)]
    ahead: bool,
}

impl From<Allow> for Options {
    fn from(allow: Allow) -> Self {
        Self { acknowledged: allow.acknowledged, ahead: allow.ahead }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().what) {
        Ok(line) => {
            // Nobody may be listening; the status says it too.
            let _ = writeln!(std::io::stdout(), "holds: {line}");
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            let _ = writeln!(std::io::stderr(), "refused: {refusal}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What) -> Result<String, Refusal> {
    Ok(match what {
        What::Log { dir, vkey, allow } => {
            verify::log(&Folder::new(&dir), &key(&vkey)?, allow.into())?.to_string()
        }
        What::Grow { old, dir, vkey, allow } => {
            verify::grow(&bytes(&old)?, &Folder::new(&dir), &key(&vkey)?, allow.into())?.to_string()
        }
        What::Proof { file, leaf, vkey } => {
            let checkpoint = verify::proof(&bytes(&file)?, &bytes(&leaf)?, &key(&vkey)?)?;
            format!("{}, {} published, root {}", checkpoint.origin, checkpoint.size, checkpoint.root)
        }
        What::Anchor { checkpoint, dir, vkey, witness, stamp, allow } => {
            let witnesses = witness.iter().map(|path| key(path)).collect::<Result<Vec<_>, _>>()?;
            let stamps = stamp.iter().map(|path| bytes(path)).collect::<Result<Vec<_>, _>>()?;
            let (checkpoint, folder) = (bytes(&checkpoint)?, Folder::new(&dir));
            let (report, anchors) =
                verify::anchor(&checkpoint, &folder, &key(&vkey)?, &witnesses, &stamps, allow.into())?;
            anchors.iter().fold(report.to_string(), |line, anchor| format!("{line}; {anchor}"))
        }
        What::Evidence { data, vkey, wrapping_key, witness, allow } => {
            let folder = Folder::new(&data);
            let report = verify::evidence(&folder, &key(&vkey)?, &wrapping(&wrapping_key)?, allow.into())?;
            let mut line = report.to_string();
            if let Some(newest) = verify::newest(&report.anchors) {
                line = format!("{line}, the newest: {newest}");
            }
            for path in witness {
                let known = key(&path)?;
                let theirs: Vec<Anchor> = report
                    .anchors
                    .iter()
                    .filter(|a| matches!(&a.by, Voucher::Witness(by) if **by == known))
                    .cloned()
                    .collect();
                let newest = verify::newest(&theirs).ok_or_else(|| Refusal::Anchor {
                    place: path.display().to_string(),
                    why: format!("nothing here was cosigned by the witness `{}` with this key", known.name()),
                })?;
                line = format!("{line}; with the key you gave, {newest}");
            }
            line
        }
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    fs::read(path)
        .map_err(|e| Refusal::Unreadable { path: path.display().to_string(), reason: e.to_string() })
}

fn key(path: &Path) -> Result<NoteVerifier, Refusal> {
    let text = String::from_utf8_lossy(&bytes(path)?).trim().to_owned();
    text.parse().map_err(|source| Refusal::Form { path: path.display().to_string(), source })
}

fn wrapping(path: &Path) -> Result<[u8; 32], Refusal> {
    let bytes = bytes(path)?;
    if let Ok(key) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(key);
    }
    let refuse = || Refusal::Unreadable {
        path: path.display().to_string(),
        reason: "a wrapping key is 32 bytes, or 64 hexadecimal digits".into(),
    };
    let digits: Vec<u32> = bytes
        .trim_ascii()
        .iter()
        .map(|b| char::from(*b).to_digit(16))
        .collect::<Option<_>>()
        .ok_or_else(refuse)?;
    let (pairs, []) = digits.as_chunks::<2>() else { return Err(refuse()) };
    let key: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect();
    key.try_into().map_err(|_| refuse())
}
