//! Anchors, end to end: a witness in a process of its own, over a socket, that is killed and started again; logs that were
//! rolled back or forked; answers that are none.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;

use serde_json::Value as Json;
use tlog::{AddCheckpoint, Algorithm, Checkpoint, Note, NoteSigner, NoteVerifier};

use crate::support::{ANN, Home, Ran, Repo, copy, ran};

const SERVE: &str = "TICKMARK_TEST_WITNESS";
pub(crate) const NAME: &str = "witness.example.test/w1";

/// No test: the process that [`Witness::start`] starts, which is `tickmark-witness serve`.
#[test]
#[ignore = "the witness of the other tests, started by them"]
fn witness_process() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "this is a process of its own")]
    fn clock() -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    }
    let Some(folder) = std::env::var_os(SERVE) else { return ExitCode::SUCCESS };
    let line = ["tickmark-witness".into(), "serve".into(), folder, "--listen".into(), "127.0.0.1:0".into()];
    witness::run(line, witness::Machine { clock, entropy: |_| Ok(()) })
}

/// A witness: its folder, and its process while it runs.
pub(crate) struct Witness {
    folder: tempfile::TempDir,
    pub(crate) key: NoteVerifier,
    child: Option<Child>,
    pub(crate) url: String,
}

impl Witness {
    /// One that watches a log and runs.
    pub(crate) fn of(log: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seed = |seed: &mut [u8]| {
            seed.fill(7);
            Ok(())
        };
        let (home, key) = witness::Home::init(&folder.path().join("w"), NAME, seed).unwrap();
        home.add_log(&log.parse().unwrap()).unwrap();
        let mut witness = Self { folder, key, child: None, url: String::new() };
        witness.start();
        witness
    }

    fn start(&mut self) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "anchor::witness_process", "--ignored", "--nocapture"])
            .env(SERVE, self.folder.path().join("w"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.into_iter().find(|line| line.contains("listening on ")).unwrap();
        let url = line.split("listening on ").nth(1).unwrap();
        self.url = url.split(',').next().unwrap().to_owned();
        self.child = Some(child);
    }

    /// As a power cut would end it.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn anchor(&self, home: &Home) -> Ran {
        anchor(home, &self.url, &self.key.to_string())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}

fn anchor(home: &Home, url: &str, key: &str) -> Ran {
    home.run(["ledger", "anchor", "--witness", url, "--witness-key", key])
}

/// A workspace that grows by one commit at a time.
struct Work {
    home: Home,
    repository: Repo,
    day: std::cell::Cell<u32>,
}

impl Work {
    fn new() -> Self {
        let work = Self { home: Home::new(), repository: Repo::new(), day: std::cell::Cell::new(1) };
        work.grow();
        work
    }

    fn grow(&self) {
        let day = self.day.get();
        self.day.set(day + 1);
        self.repository.commit(&format!("change {day}"), &format!("2025-01-{day:02}T10:00:00Z"), ANN);
        self.home.january(&self.repository);
    }

    fn status(&self) -> Json {
        serde_json::from_str(&self.home.does("ledger status --json")).unwrap()
    }

    fn vkey(&self) -> String {
        self.status()["vkey"].as_str().unwrap().to_owned()
    }

    fn copied(&self) -> tempfile::TempDir {
        let kept = tempfile::tempdir().unwrap();
        copy(&self.home.data(), kept.path());
        kept
    }

    fn put_back(&self, kept: &tempfile::TempDir) {
        fs::remove_dir_all(self.home.data()).unwrap();
        copy(kept.path(), &self.home.data());
    }

    fn anchors(&self) -> PathBuf {
        self.home.data().join("anchors")
    }
}

#[test]
fn a_witness_vouches_and_everybody_says_how_far() {
    let work = Work::new();
    let home = &work.home;
    let unanchored =
        "no anchor outside this machine: whoever has the key could have written all of it at once";
    assert!(home.does("verify").contains(unanchored) && home.does("ledger status").contains(unanchored));
    let mut witness = Witness::of(&work.vkey());
    let first = home.entries();
    let said = witness.anchor(home).succeeded();
    assert!(said.starts_with(&format!("the first {first} entries cosigned by `{NAME}` at 20")), "{said}");
    // It runs here, whoever it is said to be of.
    assert!(
        said.contains("the witness is on this machine: this proves the format, not that anybody else saw"),
        "{said}"
    );
    assert_eq!(home.entries(), first + 1);
    home.holds();
    let said = home.does("verify");
    assert!(
        said.contains(&format!(
            "1 anchor fits the log: the first {first} entries were cosigned by the witness"
        )),
        "{said}"
    );
    assert!(said.contains("it proves the format, not the time: no anchor outside this machine"), "{said}");
    let own = &work.status()["anchors"];
    assert_eq!((&own["own"]["size"], &own["external"]), (&first.into(), &Json::Null), "{own}");
    assert!(home.does("ledger status").contains("anchored by ourselves only: the first"));

    // Killed, and started again: it goes on where it was.
    witness.kill();
    let said = witness
        .anchor(home)
        .refused(&["cannot reach the witness `witness.example.test/w1`", "did not answer"]);
    assert!(said.contains("check the address and try again"), "{said}");
    witness.start();
    work.grow();
    let second = home.entries();
    witness.anchor(home).succeeded();
    let said = home.does("verify");
    assert!(
        said.contains(&format!("2 anchors fit the log: the first {second} entries were cosigned")),
        "{said}"
    );

    // Reached by its name it counts as somebody else's, by the word of whoever named it.
    let proxy = proxy(&witness.url);
    let third = home.entries();
    let url = format!("http://{}", NAME.split('/').next().unwrap());
    let arguments = ["ledger", "anchor", "--witness", &url, "--witness-key", &witness.key.to_string()];
    let said = ran(home.command(arguments).env("HTTP_PROXY", &proxy)).succeeded();
    assert!(said.contains("whoever relies on it must know its key from them"), "{said}");
    work.grow();
    let since = home.entries() - third;
    let said = home.does("verify");
    assert!(
        said.contains(&format!("3 anchors fit the log: the first {third} entries were cosigned")),
        "{said}"
    );
    assert!(said.contains(&format!("compare its key, {}", witness.key)), "{said}");
    assert!(said.contains(&format!("nobody outside has vouched for the {since} entries since")), "{said}");
    assert!(
        home.does("ledger status")
            .contains(&format!("anchored outside: the first {third} entries, cosigned by"))
    );
    // Unless its key is one of our own.
    let own = home.path().join("own");
    fs::write(&own, format!("{}\n", witness.key)).unwrap();
    let arguments = arguments.iter().copied().chain(["--own", "own"]);
    let said = ran(home.command(arguments).env("HTTP_PROXY", &proxy)).succeeded();
    assert!(said.contains("the witness is our own: this proves the format"), "{said}");
    assert!(home.does("ledger status").contains(&format!("anchored outside: the first {third} entries")));

    // Without the key to the evidence the copies still speak; and so they do beside a log that was handed over.
    let said = ran(home.command(["verify"]).env("HOME", "/nonexistent").args([home.workspace()])).succeeded();
    assert!(said.contains("of the anchors only the copies in data/anchors were looked at"), "{said}");
    assert!(said.contains("4 anchors fit the log"), "{said}");
    let said = home.does(&format!("verify {}", home.data().join("log").display()));
    assert!(said.contains("4 anchors fit the log"), "{said}");
    // A machine that forgot the anchors finds them in the ledger.
    let state = rusqlite::Connection::open(home.data().join("state.db")).unwrap();
    assert_eq!(state.execute("DELETE FROM setting WHERE key = 'anchors'", []).unwrap(), 1);
    drop(state);
    assert_eq!(work.status()["anchors"]["external"]["size"], third);
    fs::remove_dir_all(work.anchors()).unwrap();
    assert!(home.does("verify").contains("4 anchors fit the log"), "the ledger keeps them itself");
}

#[test]
fn a_log_that_was_put_back_is_found_out() {
    let work = Work::new();
    let home = &work.home;
    let early = work.copied();
    let short = home.entries();
    work.grow();
    let long = home.entries();
    let witness = Witness::of(&work.vkey());
    witness.anchor(home).succeeded();
    let anchored = work.copied();

    // The whole data folder of before, as whoever regrets a capture would put it there.
    work.put_back(&early);
    home.holds();
    let told = format!(
        "`{NAME}` has signed this log with {long} entries, and it has {short}: it was rolled back or forked"
    );
    let said = witness.anchor(home).refused(&[&told, "put the newer one back"]);
    assert!(!said.contains("409"), "a status is no message: {said}");
    assert_eq!(home.entries(), short, "nothing was entered");
    // Where the anchors were left lying, verify needs no witness.
    copy(&anchored.path().join("anchors"), &work.anchors());
    home.run(["verify"])
        .refused_after_output(&[&format!("it is for {long} entries, and the log has {short}")]);
    fs::remove_dir_all(work.anchors()).unwrap();

    // Grown again, by other entries, up to the same size and beyond it.
    while home.entries() < long {
        work.grow();
    }
    let same = home.entries() == long;
    witness.anchor(home).refused(&[NAME, if same { "it was forked" } else { "rewritten, or it was forked" }]);
    work.grow();
    let told = format!("has signed {long} entries of this log that aren't its first {long} now");
    witness.anchor(home).refused(&[&told, "rewritten, or it was forked"]);
    copy(&anchored.path().join("anchors"), &work.anchors());
    let told =
        format!("the first {long} entries of the log aren't the ones it is for: the history was rewritten");
    home.run(["verify"]).refused_after_output(&["`anchors/", &told]);
    // What the fork signed is kept by the witness, beside what it cosigned.
    let kept: Vec<String> = fs::read_dir(witness.folder.path().join("w/signed"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".contradiction"))
        .collect();
    assert_eq!(kept.len(), 1);

    work.put_back(&anchored);
    work.grow();
    witness.anchor(home).succeeded();
    assert!(home.does("verify").contains("2 anchors fit the log"));
}

#[test]
fn a_witness_of_another_log_is_no_witness_of_this_one() {
    let work = Work::new();
    let home = &work.home;
    let origin = work.vkey().split('+').next().unwrap().to_owned();
    // Another log of the same name: only its key tells them apart.
    let twin = NoteSigner::new(&origin, Algorithm::Ed25519, &[1; 32]).unwrap();
    let witness = Witness::of(&twin.verifier().to_string());
    witness.anchor(home).refused(&["knows this log by another key", "tickmark ledger status"]);
    let other = NoteSigner::new("log.example.test/other", Algorithm::Ed25519, &[1; 32]).unwrap();
    let witness = Witness::of(&other.verifier().to_string());
    witness
        .anchor(home)
        .refused(&["doesn't watch this log, or that is not its address", "tickmark ledger status"]);
    // The right address, and the key of somebody else.
    let witness = Witness::of(&work.vkey());
    let stranger = NoteSigner::new(NAME, Algorithm::CosignatureV1, &[9; 32]).unwrap().verifier().to_string();
    anchor(home, &witness.url, &stranger)
        .refused(&["holds no signature by the witness", "the key is the one its keeper gave you"]);
    anchor(home, &witness.url, &work.vkey()).refused(&["is the key of a log, not of a witness"]);
    anchor(home, &witness.url, "garbage")
        .refused(&["`garbage` is neither the key of a witness nor a file that holds one"]);
    assert!(home.does("verify").contains("no anchor outside this machine"));
    for line in [
        "ledger anchor",
        "ledger anchor --witness http://x.example.test",
        "ledger anchor --tsa a --witness b --witness-key c",
    ] {
        assert_eq!(home.run(line.split(' ')).code, Some(2), "{line}");
    }
}

#[test]
fn an_altered_or_foreign_anchor_is_refused() {
    let (work, other) = (Work::new(), Work::new());
    let home = &work.home;
    for work in [&work, &other] {
        Witness::of(&work.vkey()).anchor(&work.home).succeeded();
    }
    let kept = work.copied();
    let size = home.entries() - 1;
    let cosigned = work.anchors().join(format!("{size}.cosigned"));
    let text = fs::read_to_string(&cosigned).unwrap();
    let (checkpoint, witness_line) = text.trim_end().rsplit_once('\n').unwrap();
    let refused = |expect: &str| {
        home.run(["verify"]).refused_after_output(&["`anchors/", "doesn't hold as an anchor", expect]);
        work.put_back(&kept);
    };
    let turned = witness_line.replace("AAAA", "AAAB");
    assert_ne!(turned, witness_line, "its time begins with zeros");
    fs::write(&cosigned, format!("{checkpoint}\n{turned}\n")).unwrap();
    refused("the text or the signature was altered");
    fs::write(&cosigned, format!("{checkpoint}\n")).unwrap();
    refused("no signature by a known key");
    fs::write(&cosigned, text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)).unwrap();
    refused("the text or the signature was altered");
    let theirs = other.anchors().join(format!("{}.cosigned", other.home.entries() - 1));
    fs::copy(theirs, &cosigned).unwrap();
    refused("it is of the log `tickmark/");
    home.holds();
}

/// Answers every connection with these bytes, once its request is there; `None` never answers.
fn answering(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = vec![];
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = request(&mut stream);
            match answer {
                Some(answer) => {
                    let body: AddCheckpoint = request.parse().unwrap();
                    stream.write_all(filled(answer, &body).as_bytes()).unwrap();
                }
                None => open.push(stream),
            }
        }
    });
    url
}

/// The body of a request.
fn request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// `LINE` becomes a good cosignature of the test's witness, `HALF` the first half of one.
fn filled(answer: &str, request: &AddCheckpoint) -> String {
    let note = Note::parse(request.checkpoint.as_bytes()).unwrap();
    let line = signer().sign(&note.text, 1_785_000_000).to_string();
    answer.replace("LINE", &line).replace("HALF", &line[..line.len() / 2])
}

fn signer() -> NoteSigner {
    NoteSigner::new(NAME, Algorithm::CosignatureV1, &[7; 32]).unwrap()
}

#[test]
fn an_answer_that_is_none_is_told_and_nothing_is_entered() {
    let work = Work::new();
    let home = &work.home;
    let before = home.entries();
    let key = signer().verifier().to_string();
    let check = |answer: Option<&'static str>, parts: &[&str]| {
        let url = answering(answer);
        let said = home
            .run(["ledger", "anchor", "--timeout", "1", "--witness", &url, "--witness-key", &key])
            .refused(parts);
        assert!(!said.contains('\u{1b}'), "nothing that steers a terminal: {said:?}");
    };
    check(
        Some(
            "HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n<!DOCTYPE html><title>\u{1b}]0;Welcome</title>!!!",
        ),
        &[
            "holds no signature by the witness `witness.example.test/w1`",
            "check that the address is the witness's",
        ],
    );
    check(
        Some("HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n<html>404"),
        &["doesn't watch this log", "<html>404"],
    );
    check(
        Some("HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
        &["refuses with status 301"],
    );
    check(Some("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"), &["cannot sign now (status 500"]);
    check(
        Some("HTTP/1.1 409 Conflict\r\ncontent-length: 3\r\n\r\n-1\n"),
        &["answered 409 without a size: `-1`"],
    );
    check(
        Some("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nLINE"),
        &["cannot reach the witness", "breaks off or isn't text"],
    );
    check(Some("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nHALF"), &["holds no signature by the witness"]);
    check(
        Some("it is not HTTP at all\r\n\r\n"),
        &["cannot reach the witness", "check the address and try again"],
    );
    check(None, &["cannot reach the witness", "timeout"]);
    home.run(["ledger", "anchor", "--witness", "no address", "--witness-key", &key])
        .refused(&["cannot reach the witness"]);
    assert_eq!(home.entries(), before);
    assert!(!work.anchors().exists());
    home.holds();
    // And a good one is good.
    let url = answering(Some("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nLINE"));
    anchor(home, &url, &key).succeeded();
    let size = before;
    let note = fs::read(work.anchors().join(format!("{size}.cosigned"))).unwrap();
    let log: NoteVerifier = work.vkey().parse().unwrap();
    assert_eq!(Checkpoint::open(&note, &log).unwrap().size, size);
    assert_eq!(Note::parse(&note).unwrap().verify(&[signer().verifier()]).unwrap()[0].time, 1_785_000_000);
}

/// Somebody else's witness: PyPI's `aics-witness`, which wants Python 3.12. It is fetched, so this runs with
/// `TICKMARK_LONG=1` only.
#[test]
fn a_witness_nobody_here_wrote_agrees() {
    if std::env::var_os("TICKMARK_LONG").is_none() {
        println!("skipped: fetches aics-witness; set TICKMARK_LONG=1");
        return;
    }
    let new_enough = |python: &String| {
        let check = "import sys; sys.exit(sys.version_info < (3, 12))";
        Command::new(python).args(["-c", check]).output().is_ok_and(|output| output.status.success())
    };
    let named = std::env::var("TICKMARK_PYTHON").ok();
    let all = ["python3.14", "python3.13", "python3.12", "python3"].map(String::from);
    let Some(python) = named.into_iter().chain(all).find(new_enough) else {
        println!("skipped: no Python 3.12; name one with TICKMARK_PYTHON");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aics-witness");
    let run = |program: &Path, line: &[&str]| {
        let output = Command::new(program).current_dir(folder.path()).args(line).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(Path::new(&python), &["-m", "venv", venv.to_str().unwrap()]);
    run(&venv.join("bin/pip"), &["install", "-q", "--disable-pip-version-check", "aics-witness==0.1.0"]);
    let theirs = venv.join("bin/aics-witness");
    let work = Work::new();
    let (home, vkey) = (&work.home, work.vkey());
    let key = run(&theirs, &["init", "--name", NAME]);
    let key = key.lines().find(|line| line.starts_with(NAME)).unwrap().to_owned();
    run(&theirs, &["add-log", "--origin", vkey.split('+').next().unwrap(), "--vkey", &vkey]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut serve = Command::new(&theirs);
    serve
        .current_dir(folder.path())
        .args(["serve", "--listen", &address])
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let mut witness = Witness {
        folder: tempfile::tempdir().unwrap(),
        key: key.parse().unwrap(),
        child: Some(serve.spawn().unwrap()),
        url: format!("http://{address}"),
    };
    while TcpStream::connect(&address).is_err() {
        assert!(witness.child.as_mut().unwrap().try_wait().unwrap().is_none(), "it ended");
        thread::yield_now();
    }
    let early = work.copied();
    for _ in 0..3 {
        witness.anchor(home).succeeded();
        work.grow();
    }
    witness.anchor(home).succeeded();
    assert!(home.does("verify").contains("4 anchors fit the log"));
    let (late, anchored) = (work.copied(), home.entries());
    work.put_back(&early);
    witness.anchor(home).refused(&["it was rolled back or forked"]);
    // The fork has more entries than what was signed, and others.
    while home.entries() <= anchored {
        work.grow();
    }
    witness.anchor(home).refused(&["rewritten, or it was forked"]);
    work.put_back(&late);
    witness.anchor(home).succeeded();
}

/// A proxy that leads every name to one address.
pub(crate) fn proxy(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = to.strip_prefix("http://").unwrap().to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut near = stream.unwrap();
            let head = request_head(&mut near);
            assert!(head.starts_with("CONNECT witness.example.test:80 "), "{head}");
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let far = TcpStream::connect(&to).unwrap();
            let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut into));
            thread::spawn(move || {
                let (mut far, mut near) = (far, near);
                std::io::copy(&mut far, &mut near)
            });
        }
    });
    url
}

/// The head of a request, byte by byte: what follows is somebody else's.
fn request_head(stream: &mut TcpStream) -> String {
    let mut head = vec![];
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn openssl(folder: &Path, line: &str) -> Result<(), String> {
    let output = Command::new("openssl").current_dir(folder).args(line.split(' ')).output();
    let output = output.map_err(|e| format!("openssl cannot be run: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// An authority made with openssl, that answers over HTTP.
fn authority(folder: PathBuf) -> String {
    fs::write(
        folder.join("tsa.cnf"),
        "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nextendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=own\n[own]\n\
         serial=serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n",
    )
    .unwrap();
    fs::write(folder.join("serial"), "01\n").unwrap();
    openssl(&folder, "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -subj /CN=Example.test -days 30 -config tsa.cnf -extensions ext").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = request_head(&mut stream).to_ascii_lowercase();
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            let mut query = vec![0; length];
            stream.read_exact(&mut query).unwrap();
            fs::write(folder.join("query.tsq"), query).unwrap();
            openssl(&folder, "ts -reply -config tsa.cnf -queryfile query.tsq -inkey tsa.key -signer tsa.pem -out answer.tsr").unwrap();
            let answer = fs::read(folder.join("answer.tsr")).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len()).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    url
}

#[test]
fn a_time_stamp_is_kept_reported_and_held_against_the_log() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(why) = openssl(folder.path(), "version") {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "{why}");
        println!("skipped: {why}");
        return;
    }
    let url = authority(folder.path().to_owned());
    let work = Work::new();
    let home = &work.home;
    let size = home.entries();
    let said = home.does(&format!("ledger anchor --tsa {url}"));
    assert!(said.contains(&format!("the first {size} entries stamped at 20")), "{said}");
    assert!(
        said.contains("the authority is on this machine: this proves the format, not the time"),
        "{said}"
    );
    home.does(&format!("ledger anchor --tsa {url} --own {}", folder.path().join("tsa.pem").display()));
    home.holds();
    let said = home.does("verify");
    assert!(
        said.contains(&format!("2 anchors fit the log: the first {} entries were stamped", size + 1)),
        "{said}"
    );
    // The copies are for openssl.
    for name in [size, size + 1] {
        let line = format!(
            "ts -verify -data {name}.checkpoint -in {name}.tsr -CAfile {}/tsa.pem",
            folder.path().display()
        );
        openssl(&work.anchors(), &line).unwrap();
    }
    fs::copy(work.anchors().join(format!("{size}.tsr")), work.anchors().join(format!("{}.tsr", size + 1)))
        .unwrap();
    home.run(["verify"]).refused_after_output(&["the time stamp is over other bytes than its checkpoint"]);

    let html = answering_anything("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>");
    home.refuses(&format!("ledger anchor --tsa {html}"), &["it isn't an RFC 3161 answer"]);
    let busy = answering_anything("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
    home.refuses(&format!("ledger anchor --tsa {busy}"), &["answered with status 503", "try again"]);
}

fn answering_anything(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            request_head(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

impl Ran {
    /// Exit status 1 and a message, after what does hold was said.
    #[track_caller]
    fn refused_after_output(mut self, parts: &[&str]) -> String {
        self.out.clear();
        self.refused(parts)
    }
}
