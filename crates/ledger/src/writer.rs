//! Group commit: many callers, one thread that writes, one flush for all who wait together.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::error::Error;
use crate::leaf::NewEntry;
use crate::ledger::Ledger;
use crate::reader::Reader;

/// The most bytes of documents taken into one commit, so that nobody waits long behind a flood.
const POOL: usize = 32 << 20;

/// Where a caller waits for its indexes.
type Answer = SyncSender<Result<Range<u64>, Error>>;

enum Job {
    Append(Vec<NewEntry>, Answer),
    Run(Box<dyn FnOnce(&mut Ledger) + Send>),
}

/// A handle to the thread that writes a ledger. Clones share it; it ends when the last is dropped.
#[derive(Clone)]
pub struct Writer {
    jobs: Sender<Job>,
    reader: Reader,
}

impl Writer {
    /// Gives the ledger to a thread of its own. Joining it gives the ledger back once every handle is gone.
    #[must_use]
    pub fn spawn(ledger: Ledger) -> (Self, JoinHandle<Ledger>) {
        let (jobs, inbox) = channel();
        let writer = Self { jobs, reader: ledger.reader() };
        (writer, std::thread::spawn(move || work(ledger, &inbox)))
    }

    /// Appends entries, all or none, and returns their indexes once they are durable. Those who call at the same time share
    /// a commit.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append(&self, entries: Vec<NewEntry>) -> Result<Range<u64>, Error> {
        // An entry that doesn't fit is its caller's affair only, so it must not get into the pool.
        entries.iter().try_for_each(NewEntry::check)?;
        let (answer, wait) = sync_channel(1);
        let gone = || Error::Stopped { reason: "the thread that writes has ended".into() };
        self.jobs.send(Job::Append(entries, answer)).map_err(|_| gone())?;
        wait.recv().map_err(|_| gone())?
    }

    /// Runs something with the ledger between two commits, and waits for it.
    ///
    /// # Errors
    /// The thread has ended.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, wait) = sync_channel(1);
        let gone = || Error::Stopped { reason: "the thread that writes has ended".into() };
        let job = Box::new(move |ledger: &mut Ledger| drop(answer.send(job(ledger))));
        self.jobs.send(Job::Run(job)).map_err(|_| gone())?;
        wait.recv().map_err(|_| gone())
    }

    /// Reads beside the writer.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }
}

fn work(mut ledger: Ledger, inbox: &Receiver<Job>) -> Ledger {
    let mut next = inbox.recv().ok();
    while let Some(job) = next.take() {
        match job {
            Job::Run(run) => run(&mut ledger),
            Job::Append(entries, answer) => {
                let mut pool = entries;
                let mut waiting = vec![(pool.len(), answer)];
                let mut bytes: usize = pool.iter().map(|entry| entry.document.len()).sum();
                while bytes < POOL {
                    match inbox.try_recv() {
                        Ok(Job::Append(entries, answer)) => {
                            bytes += entries.iter().map(|entry| entry.document.len()).sum::<usize>();
                            waiting.push((entries.len(), answer));
                            pool.extend(entries);
                        }
                        Ok(run) => {
                            next = Some(run);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                settle(ledger.commit(&pool), waiting);
                // Acknowledged; publishing is for the readers. An error is met again by the next commit, which says it.
                let _ = ledger.publish();
            }
        }
        if next.is_none() {
            next = inbox.recv().ok();
        }
    }
    ledger
}

/// Tells everybody who waited what became of theirs. That a caller is gone changes nothing.
fn settle(outcome: Result<Range<u64>, Error>, waiting: Vec<(usize, Answer)>) {
    match outcome {
        Ok(range) => {
            let mut at = range.start;
            for (count, answer) in waiting {
                let _ = answer.send(Ok(at..at + count as u64));
                at += count as u64;
            }
        }
        Err(error) => {
            let reason = error.to_string();
            let mut first = Some(error);
            for (_, answer) in waiting {
                let error = first.take().unwrap_or_else(|| Error::Stopped { reason: reason.clone() });
                let _ = answer.send(Err(error));
            }
        }
    }
}
