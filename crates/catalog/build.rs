//! Embeds the built-in content: one list of (path, text) over `content/` at the root of the workspace.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../../content");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    if root.is_dir() {
        collect(&root, &mut files)?;
    }
    files.sort();
    let mut list = String::from(
        "/// Every file of the built-in content.\npub(crate) const FILES: &[(&str, &str)] = &[\n",
    );
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name: Vec<_> =
            file.strip_prefix(&root).map_err(io::Error::other)?.iter().map(|p| p.to_string_lossy()).collect();
        let path = fs::canonicalize(file)?;
        writeln!(list, "    ({:?}, include_str!({:?})),", name.join("/"), path.display().to_string())
            .map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("content.rs"), list)
}

/// The files the catalogue reads; others (notes, drafts) are no part of the binary.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "toml" || e == "sql" || e == "slt" || e == "md") {
            files.push(path);
        }
    }
    Ok(())
}
