//! Fetching: walks the default branch and hands over captures, oldest change first.
//!
//! A capture's body holds commit objects in the format of `git cat-file --batch='%(objectname) %(objecttype)
//! %(objectsize) %(rest)'`: a line `<id> commit <size> <change>`, the object's bytes, a line feed. `<change>` is the
//! first-parent commit of the default branch with which the commit landed (itself, for a change).

use std::collections::HashSet;

use gix::ObjectId;
use gix::objs::Kind;
use model::{Capture, Coverage, CoverageStatus, Instant, Receipt, Window};
use serde_json::json;

use super::message::parse_commit;
use super::repository::{GitError, Repository};
use super::{COLLECTOR, COMMITS, REFS};

/// Commits per capture: few enough to read one back quickly, many enough that the ledger's entry costs nothing.
const COMMITS_PER_CAPTURE: usize = 1000;
/// Bytes per capture, whatever comes first.
const BYTES_PER_CAPTURE: usize = 4 << 20;

/// What a run brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collected {
    /// New changes.
    pub changes: usize,
    /// New commits, changes included.
    pub commits: usize,
    /// What could not be read or does not fit, in words for people.
    pub problems: Vec<String>,
}

struct Object {
    id: ObjectId,
    data: Vec<u8>,
    parents: Vec<ObjectId>,
    committed_at: Option<Instant>,
}

/// Collects what is new on the default branch since the last run.
///
/// `cursor` is the last run's cursor. `known` says of a commit that landed as a change before the latest committer's
/// instant up to it, of any other commit nothing. `now` is the time of this look. Captures go to `sink` in order; the
/// last one carries coverage and the new cursor, so that a run that dies midway is simply repeated.
///
/// # Errors
/// An unreadable tip, or a sink that fails.
pub fn collect(
    repository: &Repository,
    cursor: Option<&serde_json::Value>,
    known: &dyn Fn(&str) -> Option<Instant>,
    now: Instant,
    sink: &mut dyn FnMut(Capture) -> Result<(), GitError>,
) -> Result<Collected, GitError> {
    let mut problems = vec![];
    let mut windows = vec![];
    let text = |name: &str| cursor.and_then(|c| c[name].as_str()).map(str::to_owned);
    let (last_tip, unfinished) = (text("tip"), text("unfinished"));

    let (mut line, mut end) = walk(repository, repository.tip, known)?;
    let fork = match &end {
        End::Known(id, _) => Some(*id),
        _ => None,
    };
    let mut landed_after = match &end {
        End::Known(_, at) => *at,
        _ => Instant::BEGINNING,
    };
    if let Some(last_tip) = &last_tip
        && fork.map(|f| f.to_string()).as_ref() != Some(last_tip)
    {
        let since = fork
            .and_then(|f| read(repository, f).ok())
            .and_then(|o| o.committed_at)
            .unwrap_or(Instant::BEGINNING);
        let what = if line.is_empty() { "went back" } else { "was rewritten" };
        let reason = format!(
            "the branch `{}` {what}: its tip {} does not descend from {}, its tip at the last look; what landed in \
             between may be lost",
            repository.branch,
            repository.tip.to_hex_with_len(12),
            short(last_tip),
        );
        problems.push(reason.clone());
        windows.push(window(&format!("gap {last_tip}"), since, now, reason));
    }

    // Where the last look met the end of a cut-off history, look again: it may have been completed since.
    let mut covered_from = cursor.and_then(|c| c["covered_from"].as_i64()).map(Instant::from_ms);
    if let (Some(at), End::Known(..)) =
        (unfinished.as_deref().and_then(|u| ObjectId::from_hex(u.as_bytes()).ok()), &end)
    {
        let parent = read(repository, at).ok().and_then(|o| o.parents.first().copied());
        end = match parent {
            Some(parent) if !repository.shallow.contains(&at) && repository.git.has_object(parent) => {
                let (mut older, older_end) = walk(repository, parent, known)?;
                older.append(&mut line);
                line = older;
                covered_from = None;
                landed_after = Instant::BEGINNING;
                older_end
            }
            _ => End::CutOff(at, cut_off_reason(at)),
        };
    }
    let unfinished = match &end {
        End::CutOff(at, reason) => {
            let oldest = line.first().and_then(|o| o.committed_at);
            let from = covered_from.or(oldest).unwrap_or(now);
            covered_from = Some(from);
            problems.push(reason.clone());
            windows.push(window("older", Instant::BEGINNING, from, reason.clone()));
            Some(at.to_string())
        }
        _ => {
            let from = covered_from.unwrap_or(Instant::BEGINNING);
            windows.push(window("older", Instant::BEGINNING, from, String::new()));
            None
        }
    };
    let covered_from = covered_from.unwrap_or(Instant::BEGINNING);
    windows.push(window("line", covered_from, now, String::new()));
    let coverage = Coverage {
        status: if problems.is_empty() { CoverageStatus::Complete } else { CoverageStatus::Partial },
        window: Window { from: covered_from, to: now },
        reason: problems.join("; "),
    };

    let mut writer = Writer::new(repository, now);
    let mut landed: Option<HashSet<ObjectId>> = None;
    let mut commits = 0;
    for (position, change) in line.iter().enumerate() {
        writer.cut(sink)?;
        if change.parents.len() > 1 && !repository.shallow.contains(&change.id) {
            // Side commits landed with the merge unless an earlier change brought them.
            let landed = match &mut landed {
                Some(set) => set,
                None => landed.insert(reachable(repository, &line[..position], fork)),
            };
            let mut stack: Vec<ObjectId> = change.parents[1..].to_vec();
            while let Some(id) = stack.pop() {
                if !landed.insert(id) {
                    continue;
                }
                match read(repository, id) {
                    Ok(object) => {
                        if !repository.shallow.contains(&id) {
                            stack.extend(object.parents.iter().copied());
                        }
                        commits += 1;
                        writer.push(&object, change.id, landed_after);
                    }
                    Err(reason) => {
                        let reason = format!(
                            "commit {id}, which landed with {}, cannot be read ({reason}); its author is unknown",
                            change.id
                        );
                        let at = change.committed_at.unwrap_or(now);
                        let mut gap =
                            window(&format!("side {id}"), at, Instant::from_ms(at.ms() + 1), reason.clone());
                        gap["relation"] = json!("contributor");
                        windows.push(gap);
                        problems.push(reason);
                    }
                }
            }
        }
        if let Some(landed) = &mut landed {
            landed.insert(change.id);
        }
        commits += 1;
        writer.push(change, change.id, landed_after);
        if let Some(at) = change.committed_at.filter(|at| *at <= now) {
            landed_after = landed_after.max(at);
        }
    }
    let cursor = json!({
        "tip": repository.tip_hex(),
        "branch": repository.branch,
        "covered_from": covered_from.ms(),
        "unfinished": unfinished,
    });
    writer.finish(landed_after, coverage, cursor, &windows, sink)?;
    Ok(Collected { changes: line.len(), commits, problems })
}

/// How a walk down the first-parent line ended.
enum End {
    /// At the root: there is nothing older.
    Root,
    /// At a change that landed before the last look, with the latest committer's instant up to it.
    Known(ObjectId, Instant),
    /// Behind this commit something is missing, for this reason.
    CutOff(ObjectId, String),
}

/// The first-parent line from `tip` down to the newest change that is known, oldest first.
fn walk(
    repository: &Repository,
    tip: ObjectId,
    known: &dyn Fn(&str) -> Option<Instant>,
) -> Result<(Vec<Object>, End), GitError> {
    let mut line: Vec<Object> = vec![];
    let mut next = Some(tip);
    let mut end = End::Root;
    while let Some(id) = next {
        if let Some(at) = known(&id.to_string()) {
            end = End::Known(id, at);
            break;
        }
        match read(repository, id) {
            Ok(object) => {
                next = object.parents.first().copied();
                let shallow = repository.shallow.contains(&id);
                line.push(object);
                if shallow {
                    end = End::CutOff(id, cut_off_reason(id));
                    break;
                }
            }
            Err(reason) => match line.last() {
                None => {
                    let branch = repository.branch.clone();
                    return Err(GitError::Corrupt { branch, commit: id.to_string(), reason });
                }
                Some(child) => {
                    let reason = format!("commit {id} cannot be read ({reason}); older changes are unknown");
                    end = End::CutOff(child.id, reason);
                    break;
                }
            },
        }
    }
    line.reverse();
    Ok((line, end))
}

fn cut_off_reason(at: ObjectId) -> String {
    format!(
        "the history is cut off behind {}; run `git fetch --unshallow` (or `git fsck`) and check again",
        at.to_hex_with_len(12)
    )
}

/// A statement about a window of time; complete when there is no reason why not.
fn window(name: &str, from: Instant, to: Instant, reason: String) -> serde_json::Value {
    let status = if reason.is_empty() { CoverageStatus::Complete } else { CoverageStatus::Partial };
    json!({ "name": name, "from": from.ms(), "to": to.ms(), "status": status.word(), "reason": reason })
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Every commit reachable from what landed before: only asked for when a merge arrives.
fn reachable(repository: &Repository, line: &[Object], fork: Option<ObjectId>) -> HashSet<ObjectId> {
    let mut seen: HashSet<ObjectId> = line.iter().map(|o| o.id).collect();
    let mut stack: Vec<ObjectId> = fork.into_iter().collect();
    while let Some(id) = stack.pop() {
        if seen.insert(id)
            && let Ok(object) = read(repository, id)
            && !repository.shallow.contains(&id)
        {
            stack.extend(object.parents);
        }
    }
    seen
}

/// Reads a commit and hashes it again: a flipped bit in the object store must not become evidence.
fn read(repository: &Repository, id: ObjectId) -> Result<Object, String> {
    let object = repository.git.find_object(id).map_err(|e| super::repository::one_line(&e))?;
    if object.kind != Kind::Commit {
        return Err(format!("it is a {}, not a commit", object.kind));
    }
    let actual = gix::objs::compute_hash(id.kind(), Kind::Commit, &object.data)
        .map_err(|e| super::repository::one_line(&e))?;
    if actual != id {
        return Err("its bytes do not have this id".to_owned());
    }
    let data = object.detach().data;
    let commit = parse_commit(&data).ok_or("it is no commit object")?;
    let parents = commit
        .parents
        .iter()
        .map(|p| ObjectId::from_hex(p.as_bytes()).map_err(|_| "a parent's id is malformed".to_owned()))
        .collect::<Result<_, _>>()?;
    let committed_at = commit.committer.as_ref().and_then(|(_, at)| *at);
    drop(commit);
    Ok(Object { id, data, parents, committed_at })
}

/// Cuts the walk into captures.
struct Writer<'a> {
    repository: &'a Repository,
    now: Instant,
    page: u32,
    body: Vec<u8>,
    count: usize,
    landed_after: Instant,
    first: Option<ObjectId>,
    last: Option<ObjectId>,
}

impl<'a> Writer<'a> {
    fn new(repository: &'a Repository, now: Instant) -> Self {
        Self {
            repository,
            now,
            page: 0,
            body: vec![],
            count: 0,
            landed_after: Instant::BEGINNING,
            first: None,
            last: None,
        }
    }

    /// Hands a full capture over. Only between changes: a change and its side commits stay together.
    fn cut(&mut self, sink: &mut dyn FnMut(Capture) -> Result<(), GitError>) -> Result<(), GitError> {
        if self.count >= COMMITS_PER_CAPTURE || self.body.len() > BYTES_PER_CAPTURE {
            let capture = self.capture(None, None);
            sink(capture)?;
        }
        Ok(())
    }

    fn push(&mut self, object: &Object, change: ObjectId, landed_after: Instant) {
        if self.count == 0 {
            self.landed_after = landed_after;
            self.first = Some(object.id);
        }
        self.last = Some(object.id);
        self.count += 1;
        self.body
            .extend_from_slice(format!("{} commit {} {change}\n", object.id, object.data.len()).as_bytes());
        self.body.extend_from_slice(&object.data);
        self.body.push(b'\n');
    }

    fn capture(&mut self, coverage: Option<Coverage>, cursor: Option<serde_json::Value>) -> Capture {
        let request = match (self.first.take(), self.last.take()) {
            (Some(first), Some(last)) => {
                format!("{} first-parent {first}..{last}", self.repository.reference)
            }
            _ => format!("{} first-parent, nothing new", self.repository.reference),
        };
        let capture = Capture {
            receipt: Receipt {
                source: self.repository.source(),
                stream: COMMITS.to_owned(),
                media_type: "application/x-git-cat-file-batch".to_owned(),
                collected_at: self.now,
                collector: COLLECTOR.to_owned(),
                request,
                status: None,
                server_date: None,
                page: self.page,
                coverage,
                cursor,
                context: json!({
                    "repository": self.repository.key,
                    "label": self.repository.label,
                    "branch": self.repository.branch,
                    "tip": self.repository.tip_hex(),
                    "landed_after": self.landed_after.ms(),
                }),
                redacted: vec![],
            },
            body: std::mem::take(&mut self.body),
        };
        self.page += 1;
        self.count = 0;
        capture
    }

    fn finish(
        mut self,
        landed_after: Instant,
        coverage: Coverage,
        cursor: serde_json::Value,
        windows: &[serde_json::Value],
        sink: &mut dyn FnMut(Capture) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        if self.count == 0 {
            self.landed_after = landed_after;
        }
        sink(refs(self.repository, self.now))?;
        let mut capture = self.capture(Some(coverage), Some(cursor));
        capture.receipt.context["windows"] = json!(windows);
        sink(capture)
    }
}

/// A snapshot of the references: the branch's tip as it was seen, and the tags.
fn refs(repository: &Repository, now: Instant) -> Capture {
    let mut tags = vec![];
    if let Ok(platform) = repository.git.references()
        && let Ok(iter) = platform.tags()
    {
        for mut tag in iter.flatten() {
            let name = tag.name().as_bstr().to_string();
            let object = tag.try_id().map(|id| id.to_string());
            let commit = tag.peel_to_id().ok().map(|id| id.to_string());
            tags.push(json!({ "name": name, "object": object, "commit": commit }));
        }
    }
    let body = json!({ "reference": repository.reference, "tip": repository.tip_hex(), "tags": tags });
    Capture {
        receipt: Receipt {
            source: repository.source(),
            stream: REFS.to_owned(),
            media_type: "application/json".to_owned(),
            collected_at: now,
            collector: COLLECTOR.to_owned(),
            request: "references".to_owned(),
            status: None,
            server_date: None,
            page: 0,
            coverage: None,
            cursor: None,
            context: json!({ "repository": repository.key, "label": repository.label, "branch": repository.branch }),
            redacted: vec![],
        },
        body: body.to_string().into_bytes(),
    }
}
