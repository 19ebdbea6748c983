//! A small HTTP server that misbehaves on demand, and surroundings whose clock only moves when somebody sleeps.

#![allow(dead_code, unreachable_pub, reason = "shared by several test programs, each of which uses a part")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use collect::Surroundings;
use model::Instant;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// How often this target was asked for before.
    pub before: usize,
}

impl Asked {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub fn query(&self, name: &str) -> Option<String> {
        collect::query_value(&self.target, name).map(str::to_owned)
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Hang up after so many bytes of the body.
    pub cut: Option<usize>,
    /// Send the body without saying how long it is.
    pub unsized_body: bool,
    /// Send the body in chunks.
    pub chunked: bool,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![], body: body.into(), cut: None, unsized_body: false, chunked: false }
            .header("content-type", "application/json; charset=utf-8")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name || n == "link");
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The server. It stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub log: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(mut answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (thread_log, thread_stop) = (log.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if thread_stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let Some(mut asked) = read_request(&mut stream) else { continue };
                {
                    let mut log = thread_log.lock().unwrap();
                    asked.before = log.iter().filter(|a| a.target == asked.target).count();
                    log.push(asked.clone());
                }
                send(&mut stream, &answer(&asked));
            }
        });
        Self { address, log, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn targets(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|a| a.target.clone()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut bytes = vec![];
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.trim().to_lowercase(), v.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => body.extend_from_slice(&buffer[..n]),
        }
    }
    Some(Asked { method, target, headers, body, before: 0 })
}

fn send(stream: &mut TcpStream, reply: &Reply) {
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut body = reply.body.clone();
    if reply.chunked {
        head.push_str("transfer-encoding: chunked\r\n");
        body = format!("{:x}\r\n", reply.body.len()).into_bytes();
        body.extend_from_slice(&reply.body);
        body.extend_from_slice(b"\r\n0\r\n\r\n");
    } else if !reply.unsized_body {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    head.push_str("\r\n");
    if let Some(cut) = reply.cut {
        body.truncate(cut);
    }
    let _ = stream.write_all(head.as_bytes());
    if reply.status != 304 && reply.status != 204 {
        let _ = stream.write_all(&body);
    }
    let _ = stream.flush();
}

/// A clock that stands still but for sleeping, and a list of the sleeps.
#[derive(Clone)]
pub struct Clock {
    now: Arc<Mutex<i64>>,
    pub sleeps: Arc<Mutex<Vec<u64>>>,
}

impl Clock {
    pub fn at(text: &str) -> Self {
        let now: Instant = text.parse().unwrap();
        Self { now: Arc::new(Mutex::new(now.ms())), sleeps: Arc::default() }
    }

    pub fn now(&self) -> Instant {
        Instant::from_ms(*self.now.lock().unwrap())
    }

    pub fn forward(&self, seconds: i64) {
        *self.now.lock().unwrap() += seconds * 1000;
    }

    pub fn slept(&self) -> Vec<u64> {
        self.sleeps.lock().unwrap().clone()
    }

    pub fn surroundings(&self) -> Surroundings {
        let (a, b) = (self.clone(), self.clone());
        Surroundings {
            now: Box::new(move || a.now()),
            sleep: Box::new(move |d| {
                b.sleeps.lock().unwrap().push(d.as_secs());
                *b.now.lock().unwrap() += i64::try_from(d.as_millis()).unwrap();
            }),
            random: Box::new(|| 0),
        }
    }
}
