//! Values → findings: the place where a value entered is examined as a file would be.

use std::collections::HashMap;
use std::fs;

use bstr::BString;

use super::commits::Graph;
use super::life::{Lives, ValueLife};
use super::sets::{Holdings, Sets};
use super::values::Values;
use super::visit::readable;
use crate::finding::{self, Finding, Life, Location, MessageKind, Skipped};
use crate::scan::{Engine, Outcome, Session};
use crate::source::git::{self, Kind, Odb, Oid, Ref, Repo};

/// Commits, and paths in each, that are examined before a value is given up.
const TRIES: usize = 6;

/// Where a blob with a value lies in some commit's tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    oid: Oid,
    path: Option<BString>,
    symlink: bool,
}

/// Makes the findings.
pub struct Finder<'a> {
    session: Session<'a>,
    odb: &'a Odb,
    values: &'a Values,
    holdings: &'a Holdings,
    sets: &'a Sets,
    graph: &'a Graph,
    lives: &'a Lives,
    names: &'a [Box<[u8]>],
    now: i64,
    examined: HashMap<Place, Vec<Finding>>,
    /// Values that have a finding.
    found: HashMap<Box<[u8]>, usize>,
    findings: Vec<Finding>,
    skipped: Vec<Skipped>,
}

impl<'a> Finder<'a> {
    /// Begins with no findings.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        engine: &'a Engine,
        odb: &'a Odb,
        values: &'a Values,
        holdings: &'a Holdings,
        sets: &'a Sets,
        graph: &'a Graph,
        lives: &'a Lives,
        names: &'a [Box<[u8]>],
        now: i64,
    ) -> Self {
        Finder {
            session: Session::new(engine),
            odb,
            values,
            holdings,
            sets,
            graph,
            lives,
            names,
            now,
            examined: HashMap::new(),
            found: HashMap::new(),
            findings: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Everything that was found.
    pub fn finish(self) -> Outcome {
        Outcome { findings: self.findings, skipped: self.skipped, ..Outcome::default() }
    }

    /// Makes one finding for each value that holds where it stands.
    pub fn find_values(&mut self) {
        let paths = self.count_paths();
        for value in 0..self.values.secrets.len() {
            let made = self.in_blobs(value as u32).or_else(|| self.in_messages(value as u32));
            let Some((mut finding, commit)) = made else { continue };
            let life = &self.lives.values[value];
            finding.commit =
                commit.or(life.introduced.first().map(|&c| c as usize)).map(|at| self.commit(at));
            finding.life = Some(self.life(life, value, paths[value]));
            self.found.insert(self.values.secrets[value].clone(), self.findings.len());
            self.findings.push(finding);
        }
    }

    fn in_blobs(&mut self, value: u32) -> Option<(Finding, Option<usize>)> {
        let life = &self.lives.values[value as usize];
        let commits = life.introduced.iter().take(TRIES).map(|&c| c as usize);
        let head = self.lives.head.filter(|_| life.in_head);
        for at in commits.chain(life.last.map(|l| l as usize)).chain(head) {
            for place in self.places_in(at, value) {
                if let Some(finding) = self.examine(&place, value) {
                    return Some((finding, Some(at)));
                }
            }
        }
        let oid = self.values.some_blob[value as usize]?;
        let finding = self.examine(&Place { oid, path: None, symlink: false }, value)?;
        Some((finding, None))
    }

    fn in_messages(&mut self, value: u32) -> Option<(Finding, Option<usize>)> {
        let holds = |set: &u32| self.sets.values(*set).binary_search(&value).is_ok();
        let holders: Vec<(Oid, Kind)> =
            self.values.messages.iter().filter(|m| holds(&m.2)).take(TRIES).map(|m| (m.0, m.1)).collect();
        for (oid, kind) in holders {
            let Ok(Some((_, data))) = self.odb.read(&oid) else { continue };
            let text = readable(&data);
            let header = memchr::memmem::find(text, b"\n\n").unwrap_or(text.len());
            let of = |f: &Finding| f.secret.expose() == &*self.values.secrets[value as usize];
            let message_kind = if kind == Kind::Tag { MessageKind::Tag } else { MessageKind::Commit };
            let parts = [
                (&text[..header], MessageKind::Identity),
                (text.get(header + 2..).unwrap_or_default(), message_kind),
            ];
            for (part, message_kind) in parts {
                let location = Location { message_kind: Some(message_kind), ..Location::default() };
                if let Some(finding) = examine(&mut self.session, part, &location).into_iter().find(of) {
                    return Some((finding, self.graph.place(&oid)));
                }
            }
        }
        None
    }

    /// The finding of a value at a place, if it is one there.
    fn examine(&mut self, place: &Place, value: u32) -> Option<Finding> {
        let secret = &*self.values.secrets[value as usize];
        if !self.examined.contains_key(place) {
            let location = Location {
                path: place.path.clone(),
                message_kind: place.symlink.then_some(MessageKind::LinkTarget),
                ..Location::default()
            };
            let findings = match self.odb.read(&place.oid) {
                Ok(Some((_, data))) => examine(&mut self.session, &data, &location),
                _ => Vec::new(),
            };
            self.examined.insert(place.clone(), findings);
        }
        self.examined[place].iter().find(|f| f.secret.expose() == secret).cloned()
    }

    /// Some places in a commit's tree where a blob holds a value, in order of path.
    fn places_in(&self, commit: usize, value: u32) -> Vec<Place> {
        let mut places = Vec::new();
        let mut stack = vec![(self.graph.commits[commit].tree, BString::default())];
        while let Some((tree, prefix)) = stack.pop() {
            let mut below = Vec::new();
            for holding in self.holdings.entries(&tree) {
                if self.sets.values(holding.set).binary_search(&value).is_err() {
                    continue;
                }
                let path = join(&prefix, &self.names[holding.entry.name as usize]);
                if holding.entry.mode.is_tree() {
                    below.push((holding.entry.oid, path));
                } else {
                    places.push(Place {
                        oid: holding.entry.oid,
                        path: Some(path),
                        symlink: holding.entry.mode.is_symlink(),
                    });
                }
            }
            if places.len() >= TRIES {
                break;
            }
            below.sort_by(|a, b| b.1.cmp(&a.1));
            stack.extend(below);
        }
        places.sort_by(|a, b| a.path.cmp(&b.path));
        places.truncate(TRIES);
        places
    }

    /// Number of distinct paths that ever held each value.
    fn count_paths(&self) -> Vec<u64> {
        let mut paths: Vec<u64> = vec![0; self.values.secrets.len()];
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut visited: std::collections::HashSet<(Oid, u32)> = std::collections::HashSet::new();
        let mut counted: std::collections::HashSet<(u32, u32)> = std::collections::HashSet::new();
        let mut stack: Vec<(Oid, u32)> = self.graph.commits.iter().map(|c| (c.tree, 0)).collect();
        while let Some((tree, prefix)) = stack.pop() {
            if !visited.insert((tree, prefix)) {
                continue;
            }
            for holding in self.holdings.entries(&tree) {
                let next = numbers.len() as u32 + 1;
                let path = *numbers.entry((prefix, holding.entry.name)).or_insert(next);
                if holding.entry.mode.is_tree() {
                    stack.push((holding.entry.oid, path));
                } else {
                    for &value in self.sets.values(holding.set) {
                        if counted.insert((value, path)) {
                            paths[value as usize] += 1;
                        }
                    }
                }
            }
        }
        paths
    }

    fn commit(&self, at: usize) -> finding::Commit {
        let oid = self.graph.commits[at].oid;
        let mut commit = finding::Commit { id: oid.to_hex(), ..finding::Commit::default() };
        if let Ok(data) = self.odb.read_kind(&oid, Kind::Commit)
            && let Ok(parsed) = git::Commit::parse(&data)
        {
            commit.author = parsed.author.name.into();
            commit.email = parsed.author.email.into();
            commit.time = parsed.author.time;
            commit.offset_minutes = parsed.author.offset_minutes;
        }
        commit
    }

    fn life(&self, life: &ValueLife, value: usize, paths: u64) -> Life {
        const DAY: i64 = 86_400;
        let first = life.introduced.first().map(|&at| self.commit(at as usize));
        let last = life.last.filter(|_| !life.in_head).map(|at| self.commit(at as usize));
        let until = last.as_ref().map_or(self.now, |c| c.time);
        Life {
            age_days: first.as_ref().map(|c| (until - c.time).max(0) / DAY),
            last_seen: last.filter(|_| life.reachable),
            first_seen: first,
            in_head: life.in_head,
            refs: life.refs.clone(),
            unreachable: (!life.reachable).then_some(if life.in_reflog { "reflog" } else { "none" }),
            blobs: self.values.blob_counts[value],
            paths,
            commits: life.introduced.len() as u64,
        }
    }

    /// Scans the names of files and refs.
    pub fn find_names(&mut self, refs: &[Ref]) {
        let of_refs = refs.iter().map(|r| (&r.name[..], MessageKind::RefName));
        let of_files = self.names.iter().map(|n| (&n[..], MessageKind::FileName));
        for (name, kind) in of_files.chain(of_refs) {
            let location =
                Location { message_kind: Some(kind), path: Some(name.into()), ..Location::default() };
            let findings = examine(&mut self.session, name, &location);
            self.add(findings);
        }
    }

    /// Scans what lies beside the objects: configuration, hooks, and the notes git keeps.
    pub fn find_git_dir(&mut self, repo: &Repo) {
        let folder = repo.common_dir();
        let mut files = vec![folder.join("config"), folder.join("packed-refs"), folder.join("FETCH_HEAD")];
        files.push(folder.join("info/exclude"));
        files.push(repo.git_dir().join("config.worktree"));
        files.push(repo.git_dir().join("COMMIT_EDITMSG"));
        match fs::read_dir(folder.join("hooks")) {
            Ok(entries) => files.extend(
                entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_none_or(|e| e != "sample")),
            ),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => self.unreadable("hooks", &e),
        }
        files.sort();
        for file in files {
            let shown = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
            match fs::read(&file) {
                Ok(text) => {
                    let location = Location {
                        path: Some(format!(".git/{shown}").into()),
                        message_kind: Some(MessageKind::GitDir),
                        ..Location::default()
                    };
                    let findings = examine(&mut self.session, &text, &location);
                    self.add(findings);
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => self.unreadable(&shown, &e),
            }
        }
    }

    fn unreadable(&mut self, what: &str, error: &std::io::Error) {
        self.skipped.push(Skipped {
            what: format!(".git/{what}").into(),
            reason: "read-error",
            detail: error.to_string(),
            incomplete: true,
        });
    }

    /// Adds findings whose value was not found before; else their places to the finding that was.
    fn add(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            match self.found.get(finding.secret.expose()) {
                Some(&at) => self.findings[at].occurrences.push(finding.location),
                None => {
                    self.found.insert(finding.secret.expose().into(), self.findings.len());
                    self.findings.push(finding);
                }
            }
        }
    }
}

fn join(prefix: &BString, name: &[u8]) -> BString {
    let mut path = prefix.clone();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// Examines one text by itself.
fn examine(session: &mut Session<'_>, text: &[u8], location: &Location) -> Vec<Finding> {
    let before = std::mem::take(&mut session.outcome);
    session.examine_content(text, None, location);
    std::mem::replace(&mut session.outcome, before).findings
}
