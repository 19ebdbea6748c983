//! A simulated source on this machine's own loopback: whoever makes a company up serves it here, and a connector collects it as it
//! would any other. It listens on 127.0.0.1 alone, answers one question at a time, and hears nobody new once it is dropped.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A question as it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// Path and parameters.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers; the length is added.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

/// The largest head of a question that is read.
const MOST: usize = 64 << 10;

/// A server of one function.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Begins to answer, on a port that is free.
    ///
    /// # Errors
    /// No port of the loopback can be had.
    pub fn serve(answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> std::io::Result<Self> {
        let answer = Arc::new(Mutex::new(answer));
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let answer = Arc::clone(&answer);
                // A connection lasts for as long as somebody asks: a new one for each question costs more than the answer.
                std::thread::spawn(move || {
                    while let Some(asked) = read(&mut stream) {
                        let reply = answer.lock().unwrap_or_else(PoisonError::into_inner)(&asked);
                        if write(&mut stream, &reply).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Its address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The thread waits for somebody to call.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The next question. What it brings along is read, so that the one after it begins where it ends, and is not kept: a source is
/// only asked.
fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.set_nodelay(true).ok()?;
    let (mut bytes, mut buffer) = (vec![], [0; 4096]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 && bytes.len() < MOST => bytes.extend_from_slice(buffer.get(..n)?),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect::<Vec<(String, String)>>();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0);
    let mut left = (end + 4 + length).saturating_sub(bytes.len());
    while left > 0 {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => left = left.saturating_sub(n),
            _ => return None,
        }
    }
    Some(Asked { method, target, headers })
}

fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {} -\r\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    // An answer that is not modified has no body, whatever would stand there.
    if reply.status == 304 {
        text.push_str("\r\n");
    } else {
        text.push_str(&format!("content-length: {}\r\n\r\n{}", reply.body.len(), reply.body));
    }
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_answered_and_nothing_after_the_end() {
        let server = Loopback::serve(|asked| Reply {
            status: 200,
            headers: vec![("x-saw".to_owned(), asked.headers.len().to_string())],
            body: format!("{} {}", asked.method, asked.target),
        })
        .unwrap();
        let address = server.address;
        let ask = || {
            let mut stream = TcpStream::connect(address).unwrap();
            // Two on one connection, the first of them with a body.
            stream.write_all(b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET ").unwrap();
            let mut first = vec![];
            while !first.ends_with(b"POST /x") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                first.extend(byte);
            }
            stream.write_all(b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: y\r\n\r\n").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        let answer = ask();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("x-saw: 2\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nGET /a?b=c"), "{answer}");
        // Somebody who says nothing does not stand in the way of the next.
        drop(TcpStream::connect(address).unwrap());
        assert_eq!(ask(), answer);
        assert!(server.url().starts_with("http://127.0.0.1:"));
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}
