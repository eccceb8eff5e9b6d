//! Revision expressions, as far as people write them for ranges: `gitrevisions(7)`.
//!
//! Names (`main`, `v1.0`, `origin/main`, `HEAD`, `@`), ids and their abbreviations, `git describe` output,
//! `NAME@{N}`, and any number of `~N`, `^N` and `^{KIND}` behind them; ranges `A..B`, `A...B`, `^A`, `A^!`, and
//! `--not`, `--all`, `--branches`, `--tags`, `--remotes[=NAME]`. Replaced objects are not looked at.

use super::error::{Error, Result};
use super::object::{Commit, Kind, Tag};
use super::odb::Odb;
use super::oid::Oid;
use super::refs::{self, Ref};
use super::repo::Repo;

/// How many tags may name one another.
const MAX_TAGS: usize = 100;

/// Commits to start from and commits to leave out, each with all that leads to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Where to start.
    pub include: Vec<Oid>,
    /// What is known already.
    pub exclude: Vec<Oid>,
}

/// An annotated tag that a range comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagInRange {
    /// The tag.
    pub oid: Oid,
    /// The commit, or other object, behind it and all tags that it names.
    pub target: Oid,
    /// Whether the range names it, and not only a set of refs to which it belongs.
    pub named: bool,
}

/// Understands revision expressions in one repository.
pub struct Revisions<'a> {
    repo: &'a Repo,
    odb: &'a Odb,
    boundary: Vec<Oid>,
}

/// What stands behind a name.
enum Step {
    /// `~N`: the first parent, N times.
    Ancestor(usize),
    /// `^N`: the N-th parent; the commit itself if N is 0.
    Parent(usize),
    /// `^{KIND}`: what tags lead to; None for `^{}`.
    Peel(Option<Kind>),
}

impl<'a> Revisions<'a> {
    /// Reads what a shallow clone says about its boundary.
    pub fn new(repo: &'a Repo, odb: &'a Odb) -> Result<Self> {
        Ok(Revisions { repo, odb, boundary: repo.shallow_boundary()? })
    }

    /// The object that an expression names.
    pub fn object(&self, text: &str) -> Result<Oid> {
        let at = text.find(['~', '^']).unwrap_or(text.len());
        let mut oid = self.name(&text[..at])?;
        for step in steps(&text[at..]).ok_or_else(|| bad(text, "what follows the name makes no sense"))? {
            oid = self.step(text, oid, &step)?;
        }
        Ok(oid)
    }

    /// The commit that an expression names, directly or by a tag.
    pub fn commit(&self, text: &str) -> Result<Oid> {
        self.peel(self.object(text)?, Some(Kind::Commit))
    }

    /// The commits that words separated by blanks include and exclude. `A..B` leaves out what leads to `A`; a
    /// missing side is `HEAD`. An id of all zeros, which hooks and CI systems give for a branch that is new,
    /// leaves out nothing.
    pub fn range(&self, text: &str) -> Result<Range> {
        let mut range = Range::default();
        let mut negated = false;
        for word in text.split_ascii_whitespace() {
            match word {
                "--not" => negated = !negated,
                _ if word.starts_with("--") => {
                    let commits = self.refs_by_option(word)?;
                    range.side(negated).extend(commits);
                }
                _ => self.add_word(word, negated, &mut range)?,
            }
        }
        if range.include.is_empty() {
            return Err(bad(text, "it names no commit to start from"));
        }
        Ok(range)
    }

    fn add_word(&self, word: &str, negated: bool, range: &mut Range) -> Result<()> {
        let side = |name: &str| self.commit(if name.is_empty() { "HEAD" } else { name });
        if let Some((left, right)) = word.split_once("...") {
            let (left, right) = (side(left)?, side(right)?);
            // Whatever leads to both is left out.
            range.exclude.extend(self.merge_bases(left, right)?);
            range.include.extend([left, right]);
        } else if let Some((left, right)) = word.split_once("..") {
            if !is_zeros(left) {
                range.side(!negated).push(side(left)?);
            }
            range.side(negated).push(side(right)?);
        } else if let Some(name) = word.strip_prefix('^') {
            range.side(!negated).push(self.commit(name)?);
        } else if let Some(name) = word.strip_suffix("^!") {
            let commit = self.commit(name)?;
            range.side(!negated).extend(self.parents(commit)?);
            range.side(negated).push(commit);
        } else {
            range.side(negated).push(self.commit(word)?);
        }
        Ok(())
    }

    /// The annotated tags by which [`range`](Self::range) comes to what it includes, tags of tags, too.
    pub fn tags(&self, text: &str) -> Result<Vec<TagInRange>> {
        let mut tags = Vec::new();
        let mut negated = false;
        for word in text.split_ascii_whitespace() {
            match word {
                "--not" => negated = !negated,
                _ if word.starts_with("--") && negated => {}
                _ if word.starts_with("--") => {
                    let targets = self.refs_of_option(word)?.into_iter().map(|found| found.target);
                    targets.for_each(|target| self.add_tags(target, false, &mut tags));
                }
                _ => {
                    for name in included(word, negated) {
                        self.add_tags(self.object(name)?, true, &mut tags);
                    }
                }
            }
        }
        tags.sort_by_key(|tag| (tag.oid, !tag.named));
        tags.dedup_by_key(|tag| tag.oid);
        Ok(tags)
    }

    /// Adds the tags from an object on. What cannot be read is left out: `range` says so.
    fn add_tags(&self, mut oid: Oid, named: bool, tags: &mut Vec<TagInRange>) {
        let first = tags.len();
        while tags.len() - first < MAX_TAGS
            && let Ok(data) = self.odb.read_kind(&oid, Kind::Tag)
            && let Ok(tag) = Tag::parse(&data)
        {
            tags.push(TagInRange { oid, target: oid, named });
            oid = tag.target;
        }
        tags[first..].iter_mut().for_each(|tag| tag.target = oid);
    }

    /// Commits of the refs that `--all` and its like stand for. Refs to other objects are passed over.
    fn refs_by_option(&self, option: &str) -> Result<Vec<Oid>> {
        let named = self.refs_of_option(option)?.into_iter();
        Ok(named.filter_map(|found| self.peel(found.target, Some(Kind::Commit)).ok()).collect())
    }

    fn refs_of_option(&self, option: &str) -> Result<Vec<Ref>> {
        let (name, pattern) = option.split_once('=').unwrap_or((option, ""));
        let prefix = match (name, pattern) {
            ("--all", "") => String::new(),
            ("--branches", "") => "refs/heads/".to_owned(),
            ("--tags", "") => "refs/tags/".to_owned(),
            ("--remotes", "") => "refs/remotes/".to_owned(),
            ("--remotes", remote) => format!("refs/remotes/{}/", remote.trim_end_matches('/')),
            _ => return Err(bad(option, "this option is not known")),
        };
        let all = refs::all(self.repo)?.into_iter();
        Ok(all.filter(|found| found.name.starts_with(prefix.as_bytes())).collect())
    }

    fn merge_bases(&self, left: Oid, right: Oid) -> Result<Vec<Oid>> {
        super::select::merge_bases(self.odb, &self.boundary, left, right)
    }

    /// A name without anything behind it, in the order in which git tries.
    fn name(&self, name: &str) -> Result<Oid> {
        if let Some(oid) = Oid::from_hex(name.as_bytes()).filter(|_| name.len() == self.odb.hash().hex_len())
        {
            return Ok(oid);
        }
        if let Some((name, number)) = name.strip_suffix('}').and_then(|text| text.split_once("@{")) {
            return self.reflog(name, number);
        }
        let name = if name == "@" { "HEAD" } else { name };
        for rule in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
            if let Some(oid) = refs::resolve(self.repo, format!("{rule}{name}").as_bytes())? {
                return Ok(oid);
            }
        }
        if let Some(oid) = refs::resolve(self.repo, format!("refs/remotes/{name}/HEAD").as_bytes())? {
            return Ok(oid);
        }
        self.abbreviated(name).or_else(|error| match name.rsplit_once("-g") {
            Some((_, hex)) => self.abbreviated(hex).map_err(|_| error),
            None => Err(error),
        })
    }

    fn abbreviated(&self, hex: &str) -> Result<Oid> {
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = if is_hex { self.odb.with_prefix(&hex.to_ascii_lowercase()) } else { Vec::new() };
        let mut commits = found.iter().filter(|oid| self.peel(**oid, Some(Kind::Commit)).is_ok());
        match (found.as_slice(), commits.next(), commits.next()) {
            ([], ..) => Err(Error::UnknownRevision(hex.to_owned())),
            ([only], ..) => Ok(*only),
            // Of several objects, one that is a commit is meant.
            (_, Some(commit), None) => Ok(*commit),
            _ => Err(bad(hex, "several objects start with these digits")),
        }
    }

    /// `NAME@{N}`: where the ref pointed N moves ago.
    fn reflog(&self, name: &str, number: &str) -> Result<Oid> {
        let text = || format!("{name}@{{{number}}}");
        let number: usize =
            number.parse().map_err(|_| bad(&text(), "only numbers can stand in the braces"))?;
        let name = if matches!(name, "" | "@") { "HEAD" } else { name };
        for rule in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
            let entries = refs::reflog(self.repo, format!("{rule}{name}").as_bytes())?;
            if entries.is_empty() {
                continue;
            }
            let entry = entries.iter().rev().nth(number).and_then(|entry| entry.new);
            let oldest = entries.first().filter(|_| number == entries.len()).and_then(|entry| entry.old);
            return entry.or(oldest).ok_or_else(|| bad(&text(), "the reflog is not so long"));
        }
        Err(Error::UnknownRevision(text()))
    }

    fn step(&self, text: &str, oid: Oid, step: &Step) -> Result<Oid> {
        match *step {
            Step::Peel(kind) => self.peel(oid, kind),
            Step::Parent(0) => self.peel(oid, Some(Kind::Commit)),
            Step::Parent(number) => self.parent(text, self.peel(oid, Some(Kind::Commit))?, number),
            Step::Ancestor(count) => {
                let mut commit = self.peel(oid, Some(Kind::Commit))?;
                for _ in 0..count {
                    commit = self.parent(text, commit, 1)?;
                }
                Ok(commit)
            }
        }
    }

    fn parent(&self, text: &str, commit: Oid, number: usize) -> Result<Oid> {
        if self.boundary.contains(&commit) {
            return Err(Error::Shallow(commit));
        }
        let parents = self.parents(commit)?;
        parents.get(number - 1).copied().ok_or_else(|| Error::UnknownRevision(text.to_owned()))
    }

    fn parents(&self, commit: Oid) -> Result<Vec<Oid>> {
        Ok(Commit::parse(&self.odb.read_kind(&commit, Kind::Commit)?)?.parents)
    }

    /// Follows tags, and from a commit to its tree if a tree is asked for.
    fn peel(&self, mut oid: Oid, wanted: Option<Kind>) -> Result<Oid> {
        for _ in 0..MAX_TAGS {
            let (kind, data) = self.odb.read(&oid)?.ok_or(Error::Missing(oid))?;
            oid = match (kind, wanted) {
                (kind, Some(wanted)) if kind == wanted => return Ok(oid),
                (Kind::Tag, _) => Tag::parse(&data)?.target,
                (_, None) => return Ok(oid),
                (Kind::Commit, Some(Kind::Tree)) => Commit::parse(&data)?.tree,
                (_, Some(wanted)) => return Err(Error::WrongKind { oid, expected: wanted.name() }),
            };
        }
        Err(Error::CorruptObject("tags name one another without end"))
    }
}

impl Range {
    fn side(&mut self, negated: bool) -> &mut Vec<Oid> {
        if negated { &mut self.exclude } else { &mut self.include }
    }
}

/// One side of a range; HEAD where it is left out.
fn or_head(side: &str) -> &str {
    if side.is_empty() { "HEAD" } else { side }
}

/// The names of which a word that is not an option includes what leads to them.
fn included(word: &str, negated: bool) -> Vec<&str> {
    if let Some((left, right)) = word.split_once("...") {
        return vec![or_head(left), or_head(right)];
    }
    if let Some((left, right)) = word.split_once("..") {
        return match negated {
            false => vec![or_head(right)],
            true if is_zeros(left) => vec![],
            true => vec![or_head(left)],
        };
    }
    let (name, excluded) = match word.strip_prefix('^') {
        Some(name) => (name, true),
        None => (word.strip_suffix("^!").unwrap_or(word), false),
    };
    if excluded == negated { vec![name] } else { vec![] }
}

fn bad(text: &str, reason: &'static str) -> Error {
    Error::BadRevision { text: text.to_owned(), reason }
}

fn is_zeros(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte == b'0')
}

/// Reads `~N`, `^N` and `^{KIND}`, any number of them.
fn steps(mut text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while let Some(sign) = text.chars().next() {
        text = &text[sign.len_utf8()..];
        if let Some(rest) = text.strip_prefix('{').filter(|_| sign == '^') {
            let (kind, rest) = rest.split_once('}')?;
            let peel = match kind {
                "" => None,
                kind => Some(Kind::from_name(kind.as_bytes())?),
            };
            steps.push(Step::Peel(peel));
            text = rest;
            continue;
        }
        let digits = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
        let number = if digits == 0 { 1 } else { text[..digits].parse().ok()? };
        text = &text[digits..];
        steps.push(match sign {
            '~' => Step::Ancestor(number),
            '^' => Step::Parent(number),
            _ => return None,
        });
    }
    Some(steps)
}
