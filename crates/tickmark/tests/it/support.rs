//! A home, repositories in it, and the binary run there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

pub(crate) const ANN: &str = "Ann Lee <ann@example.test>";
pub(crate) const BOB: &str = "Bob Ray <bob@example.test>";
pub(crate) const CY: &str = "Cy Fox <cy@example.test>";
/// The days of the fixtures.
pub(crate) const JANUARY: [&str; 4] = ["--from", "2025-01-01", "--to", "2025-01-31"];

/// A person's machine: a home folder and nothing else.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

/// What a run of the binary gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The workspace that nobody named.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.path().join(".local/share/tickmark")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.workspace().join("data")
    }

    /// The binary with these arguments, in the home folder and with nothing of this process's environment but `PATH`.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickmark"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Words separated by spaces; succeeds.
    #[track_caller]
    pub(crate) fn does(&self, line: &str) -> String {
        self.run(line.split_whitespace()).succeeded()
    }

    /// Words separated by spaces; is refused with exit status 1 and a message that holds all of `parts`.
    #[track_caller]
    pub(crate) fn refuses(&self, line: &str, parts: &[&str]) -> String {
        self.run(line.split_whitespace()).refused(parts)
    }

    /// `check` of a repository's January as a document whose shape was looked at.
    #[track_caller]
    pub(crate) fn january(&self, repository: &Repo) -> Json {
        self.checked(repository, &JANUARY)
    }

    #[track_caller]
    pub(crate) fn checked(&self, repository: &Repo, more: &[&str]) -> Json {
        let path = repository.shown();
        document(&self.run(["check", &path, "--json"].iter().chain(more)).succeeded())
    }

    /// A workspace that works: a fresh repository is checked, and what is in the ledger holds.
    #[track_caller]
    pub(crate) fn works(&self) {
        let repository = Repo::new();
        repository.commit("a healthy change", "2025-01-09T10:00:00Z", ANN);
        let found = self.january(&repository);
        assert_eq!(procedure(&found, "change_tests")["population"], 1);
        self.holds();
    }

    /// `verify` holds of everything that was acknowledged.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let said = self.does("verify");
        assert_eq!(said.matches("holds: ").count(), 2, "{said}");
    }

    /// Entries in the ledger.
    #[track_caller]
    pub(crate) fn entries(&self) -> u64 {
        let status: Json = serde_json::from_str(&self.does("ledger status --json")).unwrap();
        assert_eq!(status["acknowledged"], status["published"]);
        status["acknowledged"].as_u64().unwrap()
    }
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }

    /// Exit status 1, nothing on standard output, and a message for people.
    #[track_caller]
    pub(crate) fn refused(self, parts: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.err);
        assert_eq!(self.out, "", "a refusal is no result");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in: {}", self.err);
        }
        self.err
    }
}

/// A git repository of its own.
pub(crate) struct Repo {
    folder: tempfile::TempDir,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let repository = Self::without_history();
        repository.git("init -q -b main");
        repository
    }

    /// A folder.
    pub(crate) fn without_history() -> Self {
        Self { folder: tempfile::Builder::new().prefix("pump").tempdir().unwrap() }
    }

    pub(crate) fn cloned(from: &Self, how: &str) -> Self {
        let clone = Self::without_history();
        clone.git(&format!("clone -q {how} file://{} .", from.path().display()));
        clone
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn shown(&self) -> String {
        self.path().display().to_string()
    }

    #[track_caller]
    pub(crate) fn git(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        self.git_as(&words, "2025-01-01T00:00:00Z", ANN)
    }

    #[track_caller]
    pub(crate) fn git_as(&self, arguments: &[&str], at: &str, who: &str) -> String {
        let (name, email) = who.split_once(" <").unwrap();
        let email = email.trim_end_matches('>');
        let output = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_COMMITTER_NAME", name)])
            .envs([("GIT_AUTHOR_EMAIL", email), ("GIT_COMMITTER_EMAIL", email)])
            .envs([("GIT_AUTHOR_DATE", at), ("GIT_COMMITTER_DATE", at)])
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A commit of nothing but its message; its id.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str, at: &str, who: &str) -> String {
        self.git_as(&["commit", "-q", "--allow-empty", "-m", message], at, who);
        self.git("rev-parse HEAD")
    }

    /// A commit object with exactly these bytes after its tree and parent, at the tip of `main`; its id.
    pub(crate) fn raw(&self, rest: &[u8]) -> String {
        let mut bytes =
            format!("tree {}\nparent {}\n", self.git("rev-parse HEAD^{tree}"), self.git("rev-parse HEAD"))
                .into_bytes();
        bytes.extend_from_slice(rest);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let id = self.git(&format!("hash-object -t commit -w --literally {}", file.path().display()));
        self.git(&format!("update-ref refs/heads/main {id}"));
        id
    }

    /// `count` commits of `bytes` bytes each that no compression makes smaller, a minute apart from 1 January 2025 on.
    pub(crate) fn with_many(count: usize, bytes: usize) -> Self {
        let repository = Self::new();
        let mut stream = String::new();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for at in 0..count {
            let mut message = format!("change {at}\n\n");
            while message.len() < bytes {
                // xorshift: the same noise on every machine.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                message.push_str(&format!("{state:016x}"));
            }
            let second = 1_735_689_600 + 60 * at;
            stream.push_str(&format!(
                "commit refs/heads/main\ncommitter Ann Lee <ann@example.test> {second} +0000\ndata {}\n{message}\n",
                message.len()
            ));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), stream).unwrap();
        let output = Command::new("git")
            .current_dir(repository.path())
            .args(["fast-import", "--quiet"])
            .stdin(fs::File::open(file.path()).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        repository
    }

    /// Where a loose object lies.
    pub(crate) fn object(&self, id: &str) -> PathBuf {
        self.path().join(".git/objects").join(&id[..2]).join(&id[2..])
    }
}

/// A result by its id.
#[track_caller]
pub(crate) fn procedure<'a>(document: &'a Json, id: &str) -> &'a Json {
    let all = document["procedures"].as_array().unwrap();
    all.iter().find(|p| p["id"] == id).unwrap_or_else(|| panic!("no procedure {id}"))
}

/// An item's verdicts, as `a pass, b no_evidence`.
#[track_caller]
pub(crate) fn verdicts(document: &Json, id: &str, item: &str) -> String {
    let items = procedure(document, id)["items"].as_array().unwrap();
    let found = items.iter().find(|i| i["item"] == item).unwrap_or_else(|| panic!("no item {item}"));
    let map = found["verdicts"].as_object().unwrap();
    map.iter().map(|(a, v)| format!("{a} {}", v.as_str().unwrap())).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn text<'a>(value: &'a Json, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is no text in {value}"))
}

#[track_caller]
fn instant(value: &Json, name: &str) {
    let text = text(value, name);
    assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T', "`{name}` is no instant: {text}");
}

/// Parses what `check --json` printed and holds it to what docs/check.md promises: of the controls of changes, and no others.
#[track_caller]
pub(crate) fn document(printed: &str) -> Json {
    let document = assessment(printed);
    for procedure in document["procedures"].as_array().unwrap() {
        let controls = procedure["controls"].as_array().unwrap();
        assert!(controls.iter().all(|c| c.as_str().unwrap().starts_with("CHG-")), "{procedure}");
    }
    document
}

/// Parses what `assess --json` printed of a period, and holds it to the same.
#[track_caller]
pub(crate) fn assessment(printed: &str) -> Json {
    let document: Json = serde_json::from_str(printed).unwrap();
    for name in ["from", "to", "cutoff"] {
        instant(&document, name);
    }
    for procedure in document["procedures"].as_array().unwrap() {
        let id = text(procedure, "id");
        let controls = procedure["controls"].as_array().unwrap();
        assert!(!controls.is_empty(), "{id}");
        let conclusion = text(procedure, "conclusion");
        let conclusions = ["no_exceptions", "exceptions_noted", "did_not_operate", "cannot_conclude"];
        assert!(conclusions.contains(&conclusion), "{id}: {conclusion}");
        let items = procedure["items"].as_array().unwrap();
        let population = procedure["population"].as_u64().unwrap();
        assert_eq!(population, items.len() as u64, "{id}");
        let mut seen = std::collections::BTreeSet::new();
        for item in items {
            // What is judged each quarter is told apart by its instant.
            let told_by = (text(item, "item").to_owned(), text(item, "occurred_at").to_owned());
            assert!(seen.insert(told_by), "{id}: an item counted twice");
            assert!(!text(item, "label").is_empty());
            instant(item, "occurred_at");
            assert!(item["entry"].is_u64());
            assert!(["asserted", "manual", "system"].contains(&text(item, "grade")));
            assert!(!item["verdicts"].as_object().unwrap().is_empty());
            assert!(item["reasons"].is_object());
            if id.starts_with("change_") {
                let id = text(item, "item");
                assert!(id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
            }
        }
        // Every item has one verdict per attribute, and the counts say the same as the items.
        let mut known = true;
        for attribute in procedure["attributes"].as_array().unwrap() {
            let letter = text(attribute, "letter");
            let counts = attribute["counts"].as_object().unwrap();
            assert_eq!(
                counts.values().map(|n| n.as_u64().unwrap()).sum::<u64>(),
                population,
                "{id} {letter}"
            );
            for (verdict, count) in counts {
                let with = items.iter().filter(|i| i["verdicts"][letter] == verdict.as_str()).count();
                assert_eq!(count.as_u64().unwrap(), with as u64, "{id} {letter} {verdict}");
            }
            let some = |verdict: &str| counts[verdict].as_u64().unwrap() > 0;
            known &= !some("no_evidence") && !some("needs_judgement");
            if conclusion == "no_exceptions" {
                assert!(!some("deviation"), "{id}: no exceptions beside a deviation");
            }
        }
        for gap in procedure["gaps"].as_array().unwrap() {
            assert!(!text(gap, "table").is_empty() && !text(gap, "reason").is_empty());
            instant(gap, "from");
            instant(gap, "to");
        }
        // What was in force when, without a gap where nothing says that no control was.
        let versions = procedure["versions"].as_array().unwrap();
        assert!(!versions.is_empty(), "{id}");
        for version in versions {
            instant(version, "from");
            instant(version, "to");
            assert!(version["parameters"].is_object(), "{id}");
        }
        if let Some(uptime) = procedure.get("uptime") {
            let at = |name: &str| text(&document, name).parse::<model::Instant>().unwrap().ms();
            let sums = ["up_ms", "down_ms", "unknown_ms", "not_applicable_ms"];
            for lasted in uptime["items"].as_array().into_iter().flatten().chain([uptime]) {
                let sum: i64 = sums.iter().map(|name| lasted[name].as_i64().unwrap()).sum();
                assert_eq!(sum, at("to") - at("from"), "{id}: {lasted}");
            }
        }
        // Unknown never concludes.
        let gaps = procedure["gaps"].as_array().unwrap().len();
        assert_eq!(
            procedure["held_back_by"].as_array().unwrap().is_empty(),
            conclusion != "cannot_conclude",
            "{id}"
        );
        if conclusion != "cannot_conclude" {
            assert!(known && gaps == 0, "{id} concludes {conclusion} over something unknown");
        }
    }
    document
}

/// Every file below a folder, by its path there.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, all: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                walk(root, &entry.path(), all);
            } else {
                all.push(entry.path().strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut all = vec![];
    walk(folder, folder, &mut all);
    all.sort();
    all
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Two documents that say the same; else where they do not.
#[track_caller]
pub(crate) fn same(one: &Json, two: &Json) {
    fn differences(at: &str, one: &Json, two: &Json, all: &mut Vec<String>) {
        match (one, two) {
            (Json::Object(a), Json::Object(b)) => {
                let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for name in names {
                    differences(&format!("{at}.{name}"), &one[name], &two[name], all);
                }
            }
            (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    differences(&format!("{at}[{place}]"), a, b, all);
                }
            }
            _ if one == two => {}
            _ => all.push(format!("{at}: {one} is not {two}")),
        }
    }
    let mut all = vec![];
    differences("", one, two, &mut all);
    assert!(all.is_empty(), "{}", all.join("\n"));
}
