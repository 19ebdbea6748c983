//! `tickmark serve` and the site in a browser that somebody else wrote.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::Home;

/// A site that is being served.
pub(crate) struct Served {
    child: Child,
    /// Address of the first page, without the slash.
    pub(crate) base: String,
    /// The one-time link, where there is one.
    pub(crate) link: Option<String>,
}

impl Served {
    /// Serves on a port that is free.
    #[track_caller]
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut base, mut link) = (None, None);
        while base.is_none() {
            let line = said.next().expect("it ended before it listened").unwrap();
            let line = line.trim();
            if line.starts_with("http://") {
                link = Some(line.to_owned());
            }
            base =
                line.strip_prefix("listening on ").and_then(|rest| rest.split(';').next()).map(str::to_owned);
        }
        // Nobody reads on; what is printed later has room in the pipe.
        std::mem::forget(said);
        Self { child, base: base.unwrap(), link }
    }

    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to stop, and gives how it ended.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_this_machine_alone_and_lets_nobody_in_unasked() {
    let home = Home::new();
    home.does("init company");
    home.refuses(
        "--workspace company serve --listen 0.0.0.0:0",
        &["can be reached from other machines", "[serve]", "docs/web.md"],
    );
    let served = Served::start(&home, &["--workspace", "company", "serve", "--listen", "127.0.0.1:0"]);
    let link = served.link.clone().unwrap();
    assert!(link.starts_with(&format!("{}/join/", served.base)), "{link}");
    let host = served.base.trim_start_matches("http://").to_owned();
    let get = |path: &str, host: &str| {
        served.ask(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
    };
    let home_page = get("/", &host);
    assert!(
        home_page.starts_with("HTTP/1.1 303 ") && home_page.contains("location: /sign-in?then=%2F"),
        "{home_page}"
    );
    // Another name that leads here is somebody else's page.
    assert!(get("/", "evil.example").starts_with("HTTP/1.1 421 "));
    // A whole request head of nonsense, and one that never ends, harm nobody.
    assert!(served.ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let _slow = TcpStream::connect(&host).unwrap();
    assert!(get("/join/none", &host).starts_with("HTTP/1.1 410 "));
    let path = link.strip_prefix(&served.base).unwrap();
    assert!(get(path, &host).contains("You are the first owner"));
    // One at a time has the workspace, and one the port.
    home.refuses("--workspace company ledger status", &["is in use by"]);
    home.refuses(&format!("--workspace company serve --listen {host}"), &["cannot listen on", "--listen"]);
    assert_eq!(served.stop(), Some(0));
    // A new start makes a new link, and the old one leads nowhere.
    let served = Served::start(&home, &["--workspace", "company", "serve", "--listen", "127.0.0.1:0"]);
    assert_ne!(served.link.as_deref().map(|l| &l[l.len() - 43..]), Some(&link[link.len() - 43..]));
    let host = served.base.trim_start_matches("http://").to_owned();
    let old = served.ask(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    assert!(old.starts_with("HTTP/1.1 410 "), "{old}");
    assert_eq!(served.stop(), Some(0));
    home.does("--workspace company ledger status");
}

#[test]
fn other_machines_come_by_the_name_that_was_configured() {
    let home = Home::new();
    home.does("init company");
    let file = home.path().join("company/tickmark.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let with = |serve: &str| std::fs::write(&file, format!("{config}\n[serve]\n{serve}\n")).unwrap();
    with("origin = \"http://soc2.example.test\"");
    home.refuses(
        "--workspace company serve --listen 127.0.0.1:0",
        &["https://", "never travel in the clear"],
    );
    with("orign = \"https://soc2.example.test\"");
    home.refuses("--workspace company serve --listen 127.0.0.1:0", &["orign"]);
    with("origin = \"https://soc2.example.test\"");
    let mut child = home
        .command(["--workspace", "company", "serve", "--listen", "0.0.0.0:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines.map(Result::unwrap).take(3).collect();
    let _ = child.kill();
    let _ = child.wait();
    assert!(said[1].trim().starts_with("https://soc2.example.test/join/"), "{said:?}");
    assert!(said[2].starts_with("listening on https://soc2.example.test;"), "{said:?}");
}

fn tools(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools").join(name)
}

/// Whether there is what a browser test needs; says why not. With TICKMARK_CI set that is a failure.
#[expect(clippy::print_stdout, reason = "says what was skipped")]
fn can_browse() -> bool {
    let why = if !Path::new("/usr/bin/chromium").exists() {
        Some("no chromium on this machine".to_owned())
    } else {
        match Command::new("bash").arg(tools("e2e.sh")).arg("install").output() {
            Err(e) => Some(format!("bash cannot be run: {e}")),
            Ok(done) if !done.status.success() => {
                Some(format!("npm cannot install playwright-core: {}", String::from_utf8_lossy(&done.stderr)))
            }
            Ok(_) => None,
        }
    };
    if let Some(why) = &why {
        assert!(std::env::var_os("TICKMARK_CI").is_none(), "{why}");
        println!("skipped: {why}");
    }
    why.is_none()
}

#[test]
fn the_demo_in_a_browser() {
    if !can_browse() {
        return;
    }
    let home = Home::new();
    home.does("demo");
    let demo = home.path().join(".local/share/tickmark-demo").display().to_string();
    let served = Served::start(&home, &["--workspace", &demo, "serve", "--listen", "127.0.0.1:0"]);
    let pictures =
        std::env::var_os("TICKMARK_PICTURES").map_or_else(|| home.path().join("pictures"), PathBuf::from);
    let done = Command::new("bash")
        .arg(tools("e2e.sh"))
        .args(["run", &served.base, served.link.as_deref().unwrap()])
        .arg(pictures)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
    assert!(out.contains("pages hold"), "{out}\n{err}");
    assert_eq!(served.stop(), Some(0));
}
