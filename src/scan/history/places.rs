//! Values → findings: the place where a value entered is examined as a file would be.

use std::sync::{Arc, Mutex, PoisonError};

use bstr::BString;
use rayon::prelude::*;

use super::commits::Graph;
use super::everywhere::{Everywhere, Found, count_paths};
use super::fresh::Fresh;
use super::git_dir;
use super::life::{Lives, ValueLife};
use super::messages;
use super::oids::{FastMap, FastSet};
use super::range::commit_of;
use super::sets::{Holdings, Sets, What};
use super::values::{Judge, Values};
use super::visit::Taken;
use super::workers::Workers;
use crate::finding::{self, Finding, Life, Location, MessageKind, Skipped, Status};
use crate::scan::{Engine, Outcome, Session};
use crate::source::git::{Mode, Odb, Oid, Ref, Repo};
use crate::verdict::filekind::FileKind;

/// Commits, and paths in each, that are examined before a value is given up.
const TRIES: usize = 6;
/// Paths of one value that are examined, when those do not tell what it is.
const MAX_PATHS: usize = 1000;

/// Where a blob with a value lies in some commit's tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The blob.
    pub oid: Oid,
    /// Its path. None for a blob that is in no commit's tree.
    pub path: Option<BString>,
    /// What it is, where it is no file.
    pub kind: Option<MessageKind>,
}

/// Makes the findings.
pub struct Finder<'a> {
    session: Session<'a>,
    odb: &'a Odb,
    judge: Judge<'a>,
    taken: &'a Taken,
    values: &'a Values,
    holdings: &'a Holdings,
    sets: &'a Sets,
    graph: &'a Graph,
    lives: &'a Lives,
    names: &'a [Box<[u8]>],
    now: i64,
    workers: Workers<'a>,
    examined: Mutex<FastMap<Place, Arc<[Finding]>>>,
    /// Values that have a finding.
    found: FastMap<Box<[u8]>, usize>,
    findings: Vec<Finding>,
    skipped: Vec<Skipped>,
}

impl<'a> Finder<'a> {
    /// Begins with no findings.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        engine: &'a Engine,
        odb: &'a Odb,
        judge: Judge<'a>,
        taken: &'a Taken,
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
            judge,
            taken,
            values,
            holdings,
            sets,
            graph,
            lives,
            names,
            now,
            workers: Workers::new(engine),
            examined: Mutex::default(),
            found: FastMap::default(),
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
        let values = 0..self.values.secrets.len() as u32;
        let (made, fresh) = rayon::join(
            || values.into_par_iter().map(|value| self.in_commits(value)).collect(),
            || Fresh::of(self.graph, self.holdings),
        );
        let (made, paths) =
            rayon::join(|| self.find_elsewhere(made, &fresh), || count_paths(&fresh, self.sets, self.values));
        let whole = |(value, made): (usize, Option<Made>)| {
            let (mut finding, commit) = made?;
            let life = &self.lives.values[value];
            let entered = commit.or(life.introduced.first().map(|&c| c as usize));
            finding.commit = entered.map(|at| Box::new(self.commit(at)));
            finding.life = Some(Box::new(self.life(life, value, paths[value])));
            Some((value, finding))
        };
        let found: Vec<(usize, Finding)> = made.into_par_iter().enumerate().filter_map(whole).collect();
        for (value, finding) in found {
            self.found.insert(self.values.secrets[value].clone(), self.findings.len());
            self.findings.push(finding);
        }
    }

    /// Looks elsewhere for values that have no finding where they entered, or a suppressed one.
    fn find_elsewhere(&self, mut made: Vec<Option<Made>>, fresh: &Fresh<'_>) -> Vec<Option<Made>> {
        let undecided: Vec<u32> =
            (0..made.len()).filter(|&value| !is_new(&made[value])).map(|value| value as u32).collect();
        if undecided.is_empty() {
            return made;
        }
        let mut elsewhere = self.elsewhere(&undecided, fresh);
        let mut open: Vec<(u32, Option<Made>, Vec<Elsewhere>)> = undecided
            .iter()
            .map(|value| (*value, made[*value as usize].take(), elsewhere.remove(value).unwrap_or_default()))
            .collect();
        open.par_iter_mut().for_each(|(value, made, places)| {
            for (commit, place) in places.drain(..) {
                if better(made, self.examine(&place, *value).map(|finding| (finding, commit))) {
                    return;
                }
            }
            better(made, self.in_messages(*value));
        });
        for (value, found, _) in open {
            made[value as usize] = found;
        }
        made
    }

    /// The finding at the earliest place that nothing suppresses; else at the earliest place.
    fn in_commits(&self, value: u32) -> Option<Made> {
        let life = &self.lives.values[value as usize];
        let commits = life.introduced.iter().take(TRIES).map(|&c| c as usize);
        let head = self.lives.head.filter(|_| life.in_head);
        let mut made = None;
        for at in commits.chain(life.last.map(|l| l as usize)).chain(head) {
            for place in self.places_in(at, value) {
                let finding = self.examine(&place, value);
                if better(&mut made, finding.map(|finding| (finding, Some(at)))) {
                    return made;
                }
            }
        }
        made
    }

    /// Every path of some values, and for each a blob that is in no tree.
    fn elsewhere(&self, sought: &[u32], fresh: &Fresh<'_>) -> FastMap<u32, Vec<Elsewhere>> {
        let Finder { lives, sets, names, .. } = *self;
        let everywhere = Everywhere { fresh, sets, names, sought, most: MAX_PATHS };
        let mut places: FastMap<u32, Vec<Elsewhere>> = FastMap::default();
        let (found, loose) = everywhere.search(self.values, |at, mode| kind_of(lives, at, mode));
        for Found { value, commit, place } in found {
            places.entry(value).or_default().push((Some(commit), place));
        }
        for (value, oid) in loose {
            places.entry(value).or_default().push((None, Place { oid, path: None, kind: None }));
        }
        places
    }

    fn in_messages(&self, value: u32) -> Option<Made> {
        let holds = |set: &u32| self.sets.holds(*set, value);
        let of = |f: &Finding| f.secret.expose() == &*self.values.secrets[value as usize];
        for (oid, kind, _) in self.values.messages.iter().filter(|m| holds(&m.2)).take(TRIES) {
            let Ok(Some((_, data))) = self.odb.read(oid) else { continue };
            for (part, message_kind) in messages::parts(&data, *kind) {
                let location = Location { message_kind: Some(message_kind), ..Location::default() };
                if let Some(finding) = self.workers.examine_anywhere(part, &location).into_iter().find(of) {
                    return Some((finding, self.lives.commit_of(self.graph, oid)));
                }
            }
        }
        None
    }

    /// The finding of a value at a place, if it is one there.
    fn examine(&self, place: &Place, value: u32) -> Option<Finding> {
        // The blob is read only if what was seen of the value can be a finding in a file of this kind.
        let kind = place.path.as_ref().map_or(FileKind::UNKNOWN, |path| FileKind::from_path(path));
        if !self.values.marks[value as usize].iter().any(|&mark| self.judge.passes(mark, kind)) {
            return None;
        }
        let examined = || self.examined.lock().unwrap_or_else(PoisonError::into_inner);
        let known = examined().get(place).cloned();
        let findings = known.unwrap_or_else(|| {
            let location =
                Location { path: place.path.clone(), message_kind: place.kind, ..Location::default() };
            let findings: Arc<[Finding]> = match self.odb.read(&place.oid) {
                Ok(Some((_, data))) => self.examine_blob(&place.oid, &data, &location).into(),
                _ => Arc::default(),
            };
            examined().insert(place.clone(), findings.clone());
            findings
        });
        let secret = &*self.values.secrets[value as usize];
        findings.iter().find(|f| f.secret.expose() == secret).cloned()
    }

    /// What a scan finds in a blob. It is searched for the rules that have candidates there, as the walk saw.
    fn examine_blob(&self, oid: &Oid, data: &[u8], location: &Location) -> Vec<Finding> {
        match self.taken.text(oid) {
            Some(text) => {
                let rules = self.taken.rules_of(text, self.judge.sightings);
                let found = self.workers.examine_for(&rules, data, location);
                debug_assert!(
                    found == self.workers.examine_anywhere(data, location),
                    "the walk saw less in {oid}"
                );
                found
            }
            None => self.workers.examine_anywhere(data, location),
        }
    }

    /// Some places in a commit's tree where a blob holds a value, in order of path.
    fn places_in(&self, commit: usize, value: u32) -> Vec<Place> {
        let mut places = Vec::new();
        let mut stack = vec![(self.holdings.list(&self.graph.commits[commit].tree), BString::default())];
        while let Some((list, prefix)) = stack.pop() {
            let mut below = Vec::new();
            for holding in self.holdings.in_list(list) {
                if !self.sets.holds(holding.set, value) {
                    continue;
                }
                let path = join(&prefix, &self.names[holding.name as usize]);
                match holding.what {
                    What::Folder(list) => below.push((list, path)),
                    What::Blob(oid) => {
                        let kind = kind_of(self.lives, commit, holding.mode);
                        places.push(Place { oid, path: Some(path), kind });
                    }
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

    fn commit(&self, at: usize) -> finding::Commit {
        commit_of(self.odb, self.graph.commits[at].oid)
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

    /// Scans the names of files and refs, without the first `clean` names of files, in which nothing is known to be.
    /// Returns the numbers of the names of files in which something is.
    pub fn find_names(&mut self, refs: &[Ref], clean: usize) -> FastSet<u32> {
        let mut speaking = FastSet::default();
        let of_refs = refs.iter().map(|r| (None, &r.name[..], MessageKind::RefName));
        let of_files = (0..).zip(self.names).skip(clean);
        let of_files = of_files.map(|(number, n)| (Some(number), &n[..], MessageKind::FileName));
        for (number, name, kind) in of_files.chain(of_refs) {
            let location =
                Location { message_kind: Some(kind), path: Some(name.into()), ..Location::default() };
            let findings = examine(&mut self.session, name, &location);
            speaking.extend(number.filter(|_| !findings.is_empty()));
            self.add(findings);
        }
        speaking
    }

    /// Scans what lies beside the objects: configuration, hooks, logs, and the notes git keeps.
    pub fn find_git_dir(&mut self, repo: &Repo) {
        for file in git_dir::read(repo, &mut self.skipped) {
            let location = Location {
                path: Some(file.shown),
                message_kind: Some(MessageKind::GitDir),
                ..Location::default()
            };
            let findings = examine(&mut self.session, &file.text, &location);
            self.add(findings);
        }
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

/// A finding, and the place of its commit, if it is in one.
type Made = (Finding, Option<usize>);
/// A place, and that of a commit which holds it, if one does.
type Elsewhere = (Option<usize>, Place);

/// Whether there is a finding that nothing suppresses.
fn is_new(made: &Option<Made>) -> bool {
    made.as_ref().is_some_and(|made| made.0.status == Status::New)
}

/// Keeps a finding that is the first, or the first that nothing suppresses. Returns whether what is kept
/// is one that nothing suppresses.
fn better(kept: &mut Option<Made>, found: Option<Made>) -> bool {
    if !is_new(kept) && (kept.is_none() || is_new(&found)) && found.is_some() {
        *kept = found;
    }
    is_new(kept)
}

/// What a blob in a commit's tree is, if it is no file.
fn kind_of(lives: &Lives, commit: usize, mode: Mode) -> Option<MessageKind> {
    match () {
        () if lives.is_note[commit] => Some(MessageKind::Note),
        () if mode.is_symlink() => Some(MessageKind::LinkTarget),
        () => None,
    }
}

/// A path and a name below it.
pub fn join(prefix: &BString, name: &[u8]) -> BString {
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
