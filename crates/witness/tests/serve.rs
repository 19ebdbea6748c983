//! `tickmark-witness` as an auditor runs it: a process, a socket, a folder.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier};

const NAME: &str = "log.example.test/a";

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tickmark-witness")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn log() -> NoteSigner {
    NoteSigner::new(NAME, Algorithm::Ed25519, &[1; 32]).unwrap()
}

/// A request for the first `size` entries, after the first `old`, of the log whose entries are `a`, `b`, `c` …; `twist` alters
/// them all.
fn request(old: u64, size: u64, twist: &str) -> String {
    let leaf = |i: u64| tlog::leaf_hash(format!("{i}{twist}").as_bytes());
    let leaves: Vec<_> = (0..size).map(leaf).collect();
    let text = Checkpoint { origin: NAME.into(), size, root: tlog::tree_hash(&leaves) }.to_string();
    let checkpoint = Note { signatures: vec![log().sign(&text, 0)], text }.to_string();
    let subtree = |s: tlog::Subtree| -> Result<_, tlog::Error> {
        let start = (s.index << s.height) as usize;
        Ok(tlog::tree_hash(&leaves[start..start + (1 << s.height)]))
    };
    AddCheckpoint { old, proof: tlog::consistency_proof(old, size, subtree).unwrap(), checkpoint }.to_string()
}

/// A witness's folder, and the process that serves it.
struct Served {
    dir: tempfile::TempDir,
    key: NoteVerifier,
    child: Option<Child>,
    address: String,
}

impl Served {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("w");
        let (code, said) = run(&["init", folder.to_str().unwrap(), "--name", "witness.example.test/w1"]);
        assert_eq!(code, Some(0), "{said}");
        let key = said.lines().next().unwrap().parse().unwrap();
        let (code, said) = run(&["add-log", folder.to_str().unwrap(), &log().verifier().to_string()]);
        assert_eq!(code, Some(0), "{said}");
        let mut served = Self { dir, key, child: None, address: String::new() };
        served.start();
        served
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickmark-witness"));
        command.arg("serve").arg(self.folder()).args(["--listen", "127.0.0.1:0", "--timeout", "1"]);
        command
    }

    fn start(&mut self) {
        let mut child = self.command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert_eq!(lines.next().unwrap(), self.key.to_string());
        let line = lines.next().unwrap();
        assert!(line.ends_with(", watching 1 logs"), "{line}");
        self.address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        self.child = Some(child);
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes; what comes back until the other side closes.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may have refused and closed before all is sent.
        let _ = stream.write_all(bytes);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8(said).unwrap()
    }

    /// Status, media type and body of the answer to a posted body.
    fn post(&self, body: &str) -> (u16, String, String) {
        let said = self.raw(
            format!(
                "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        );
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        let media = head.lines().find_map(|l| l.strip_prefix("content-type: ")).unwrap();
        (head[9..12].parse().unwrap(), media.to_owned(), body.to_owned())
    }

    fn signal(&mut self, name: &str) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn it_cosigns_over_http_and_remembers_through_kill_and_stop() {
    let mut served = Served::new();
    assert_eq!((mode(&served.folder().join("key")), mode(&served.folder())), (0o600, 0o700));
    let (status, media, line) = served.post(&request(0, 3, ""));
    assert_eq!((status, media.as_str()), (200, "text/plain; charset=utf-8"));
    let body: AddCheckpoint = request(0, 3, "").parse().unwrap();
    let note = Note::parse(format!("{}{line}", body.checkpoint).as_bytes()).unwrap();
    assert_eq!(note.verify(&[log().verifier(), &served.key]).unwrap().len(), 2);

    assert_eq!(served.signal("-KILL"), None);
    served.start();
    let stale = |size: &str| (409, "text/x.tlog.size".to_owned(), size.to_owned());
    assert_eq!(served.post(&request(0, 3, "")), stale("3\n"), "what was answered is remembered");
    assert_eq!(served.post(&request(3, 7, "x")).0, 422, "a fork");
    assert_eq!(served.post(&request(3, 3, "x")), stale("3\n"), "a fork");
    assert_eq!(served.post(&request(3, 7, "")).0, 200);

    // Two processes would be two witnesses with one key.
    let output = served.command().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("at work in another process"), "{said}");

    // An idle connection doesn't hold it up.
    let idle = served.connect();
    assert_eq!(served.signal("-TERM"), Some(0));
    drop(idle);
    served.start();
    assert_eq!(served.post(&request(3, 9, "")), stale("7\n"));
    assert_eq!(served.signal("-INT"), Some(0));
}

#[test]
fn what_is_no_request_is_refused_in_bounds() {
    let served = Served::new();
    let other = NoteSigner::new(NAME, Algorithm::Ed25519, &[2; 32]).unwrap();
    let forged = |signer: &NoteSigner, origin: &str| {
        let text = Checkpoint { origin: origin.into(), size: 0, root: tlog::EMPTY_ROOT }.to_string();
        let checkpoint = Note { signatures: vec![signer.sign(&text, 0)], text }.to_string();
        AddCheckpoint { old: 0, proof: vec![], checkpoint }.to_string()
    };
    assert_eq!(served.post("<html></html>").0, 400);
    assert_eq!(served.post("").0, 400);
    assert_eq!(served.post(&forged(&other, NAME)).0, 403);
    assert_eq!(served.post(&forged(&other, "log.example.test/b")).0, 404);
    assert_eq!(served.post(&forged(&log(), NAME)).0, 200, "an empty log is one");
    assert_eq!(served.post(&"x".repeat(300_000)).0, 413);
    let check = |request: &[u8], expect: &str| {
        let said = served.raw(request);
        assert!(said.starts_with(expect), "`{said}` should begin with `{expect}`");
    };
    check(b"GET /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n", "HTTP/1.1 405 ");
    check(b"POST / HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 404 ");
    check(
        b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: 2\r\n\r\n\xff\xfe",
        "HTTP/1.1 400 ",
    );
    check(b"\x16\x03\x01 TLS perhaps\r\n\r\n", "HTTP/1.1 400 ");
    // A body that never comes has its second; so have a head that never ends and nobody who says anything, without an answer.
    check(b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 900\r\n\r\nold 0\n", "HTTP/1.1 408 ");
    assert_eq!(served.raw(b"POST /add-checkpoint HTTP/1.1\r\nhost: "), "");
    assert_eq!(served.raw(b""), "");
    assert_eq!(served.post(&request(0, 2, "")).0, 200, "and it goes on");
}

#[test]
fn of_many_at_once_one_is_signed() {
    let served = Served::new();
    assert_eq!(served.post(&request(0, 1, "")).0, 200);
    for round in 1..6 {
        // Half of them with another history.
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let ask = |twist| {
                scope.spawn({
                    let served = &served;
                    move || served.post(&request(round, round + 1, twist)).0
                })
            };
            let asked: Vec<_> = (0..12).map(|i| ask(if i % 2 == 0 { "" } else { "x" })).collect();
            asked.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409, 422].contains(status)), "{statuses:?}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    let served = Served::new();
    let folder = served.folder();
    let folder = folder.to_str().unwrap();
    let check = |arguments: &[&str], status: i32, expect: &str| {
        let (code, said) = run(arguments);
        assert_eq!(code, Some(status), "{said}");
        assert!(said.contains(expect), "`{said}` should say `{expect}`");
    };
    check(&["init", folder, "--name", "witness.example.test/w2"], 1, "holds a witness already");
    check(&["add-log", folder, "garbage"], 1, "`garbage` is neither a key nor a file that holds one");
    check(&["add-log", folder, &served.key.to_string()], 1, "is the key of a witness, not of a log");
    let empty = tempfile::tempdir().unwrap();
    check(
        &["serve", empty.path().to_str().unwrap(), "--listen", "127.0.0.1:0"],
        1,
        "holds no witness; make one with",
    );
    check(&["serve", folder, "--listen", "8080"], 2, "invalid value");
    check(&["serve", folder], 2, "--listen");
    // A file does as well as the key itself, and twice is once.
    let vkey = empty.path().join("log.vkey");
    fs::write(&vkey, format!("{}\n", log().verifier())).unwrap();
    check(&["add-log", folder, vkey.to_str().unwrap()], 0, "is watched already");
    let second = NoteSigner::new(NAME, Algorithm::Ed25519, &[2; 32]).unwrap().verifier().to_string();
    check(&["add-log", folder, &second], 0, "it has another key too");
}
