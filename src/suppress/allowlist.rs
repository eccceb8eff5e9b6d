//! Allowlists, with gitleaks' semantics (release 8.30, `config/allowlist.go` and `detect/detect.go`
//! for reference): kinds of conditions joined by OR (default) or AND; regexes look at the secret
//! unless `regexTarget` says `match` or `line`; stopwords always look at the secret.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::Subject;
use crate::rules::spec::AllowlistSpec;

/// Memory that one compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 32 << 20;

/// An allowlist that was checked. Its patterns are compiled when they are first needed.
#[derive(Debug)]
pub struct Allowlist {
    description: String,
    all: bool,
    target: Target,
    commits: Vec<String>,
    paths: Vec<Pattern>,
    regexes: Vec<Pattern>,
    stopwords: Option<AhoCorasick>,
    rules: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Secret,
    Match,
    Line,
}

/// What is wrong with an allowlist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct AllowlistError {
    /// The field, such as `condition` or `regexes[2]`.
    pub field: String,
    /// Why it cannot be used.
    pub reason: String,
}

fn error(field: impl Into<String>, reason: impl Into<String>) -> AllowlistError {
    AllowlistError { field: field.into(), reason: reason.into() }
}

impl Allowlist {
    /// Checks a specification. `fallback` describes it where it has no description of its own
    /// (its place in the file, usually).
    ///
    /// # Errors
    /// No condition at all, an unknown word, or a pattern that cannot be compiled.
    pub fn new(spec: &AllowlistSpec, fallback: &str) -> Result<Self, AllowlistError> {
        let all = match spec.condition.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("" | "OR" | "||") => false,
            Some("AND" | "&&") => true,
            Some(_) => return Err(error("condition", "must be `AND` or `OR`")),
        };
        let target = match spec.regex_target.as_deref() {
            None | Some("" | "secret") => Target::Secret,
            Some("match") => Target::Match,
            Some("line") => Target::Line,
            Some(_) => return Err(error("regexTarget", "must be `secret`, `match` or `line`")),
        };
        let kinds = [&spec.commits, &spec.paths, &spec.regexes, &spec.stopwords];
        if kinds.iter().all(|list| list.is_empty()) {
            return Err(error(
                "",
                "an allowlist needs at least one of `commits`, `paths`, `regexes`, `stopwords`",
            ));
        }
        let commits = commits(&spec.commits)?;
        let stopwords = match spec.stopwords.as_slice() {
            [] => None,
            words => Some(stopwords(words)?),
        };
        Ok(Allowlist {
            description: if spec.description.is_empty() { fallback } else { &spec.description }.to_owned(),
            all,
            target,
            commits,
            paths: patterns("paths", &spec.paths)?,
            regexes: patterns("regexes", &spec.regexes)?,
            stopwords,
            rules: spec.target_rules.clone(),
        })
    }

    /// What it is for, or where it stands.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether it names commits.
    pub fn names_commits(&self) -> bool {
        !self.commits.is_empty()
    }

    /// Whether it speaks of a rule (known by `ids`: its id and aliases) at all.
    pub fn targets<'a>(&self, mut ids: impl Iterator<Item = &'a str>) -> bool {
        self.rules.is_empty() || ids.any(|id| self.rules.iter().any(|rule| rule == id))
    }

    /// Whether a find is allowed. Does not look at the target rules: see [`targets`](Self::targets).
    pub fn allows(&self, subject: &Subject<'_>) -> bool {
        let mut checks = Checks { all: self.all, given: 0, met: 0 };
        checks.add(!self.commits.is_empty(), || self.commit_allowed(subject.commit));
        checks.add(!self.paths.is_empty(), || self.path_allowed(subject.path));
        checks.add(self.stopwords.is_some(), || self.stopword_in(subject.secret));
        checks.add(!self.regexes.is_empty(), || {
            let text = match self.target {
                Target::Secret => subject.secret,
                Target::Match => subject.matched,
                Target::Line => subject.line(),
            };
            !text.is_empty() && self.regexes.iter().any(|regex| regex.is_match(text))
        });
        checks.outcome()
    }

    /// Whether every find in a file or commit is allowed, whatever it is: true lets a caller leave
    /// the content alone.
    pub fn allows_all_of(&self, path: Option<&[u8]>, commit: Option<&str>) -> bool {
        if !self.rules.is_empty() || (self.all && (self.stopwords.is_some() || !self.regexes.is_empty())) {
            return false;
        }
        let mut checks = Checks { all: self.all, given: 0, met: 0 };
        checks.add(!self.commits.is_empty(), || self.commit_allowed(commit));
        checks.add(!self.paths.is_empty(), || self.path_allowed(path));
        checks.outcome()
    }

    fn commit_allowed(&self, commit: Option<&str>) -> bool {
        let Some(commit) = commit else { return false };
        let starts = |known: &String| {
            let head = commit.as_bytes().get(..known.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(known.as_bytes()))
        };
        self.commits.iter().any(starts)
    }

    fn path_allowed(&self, path: Option<&[u8]>) -> bool {
        path.is_some_and(|path| !path.is_empty() && self.paths.iter().any(|pattern| pattern.is_match(path)))
    }

    fn stopword_in(&self, secret: &[u8]) -> bool {
        self.stopwords.as_ref().is_some_and(|words| words.is_match(secret))
    }
}

/// Joins the kinds of conditions that an allowlist gives.
struct Checks {
    all: bool,
    given: u8,
    met: u8,
}

impl Checks {
    fn add(&mut self, given: bool, check: impl FnOnce() -> bool) {
        if !given {
            return;
        }
        // Once the outcome is known nothing more is evaluated.
        let open = if self.all { self.met == self.given } else { self.met == 0 };
        self.given += 1;
        self.met += u8::from(open && check());
    }

    fn outcome(&self) -> bool {
        if self.all { self.given > 0 && self.met == self.given } else { self.met > 0 }
    }
}

fn commits(given: &[String]) -> Result<Vec<String>, AllowlistError> {
    let mut commits = Vec::with_capacity(given.len());
    for (i, commit) in given.iter().enumerate() {
        let commit = commit.trim().to_ascii_lowercase();
        if commit.len() < 7 || !commit.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error(format!("commits[{i}]"), "must be at least seven hex digits of a commit id"));
        }
        commits.push(commit);
    }
    Ok(commits)
}

fn stopwords(words: &[String]) -> Result<AhoCorasick, AllowlistError> {
    if let Some(i) = words.iter().position(String::is_empty) {
        return Err(error(format!("stopwords[{i}]"), "an empty word would allow every secret"));
    }
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words)
        .map_err(|reason| error("stopwords", reason.to_string()))
}

fn patterns(field: &str, given: &[String]) -> Result<Vec<Pattern>, AllowlistError> {
    let compile = |(i, text): (usize, &String)| {
        Pattern::new(text).map_err(|reason| error(format!("{field}[{i}]"), reason))
    };
    given.iter().enumerate().map(compile).collect()
}

/// A regex that was checked, and is compiled on first use.
///
/// Classes are ASCII, as in Go and as in our rules; a pattern that needs Unicode classes gets them.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    unicode: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let unicode = match parse(text, false) {
            Ok(()) => false,
            Err(reason) => parse(text, true).map(|()| true).map_err(|_| reason)?,
        };
        let pattern = Pattern { text: text.to_owned(), unicode, compiled: OnceLock::new() };
        // Only counted repetitions can make a pattern much larger than its text: everything else
        // may wait until a find asks for it.
        if text.len() > 1000 || text.contains('{') {
            let regex = pattern.build().map_err(|error| one_line(&error.to_string()))?;
            let _ = pattern.compiled.set(Some(regex));
        }
        Ok(pattern)
    }

    /// Whether it matches anywhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.compiled.get_or_init(|| self.build().ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }

    fn build(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text).unicode(self.unicode).size_limit(SIZE_LIMIT).build()
    }
}

fn parse(text: &str, unicode: bool) -> Result<(), String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(unicode).utf8(false).build();
    parser.parse(text).map(|_| ()).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => one_line(&other.to_string()),
    })
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'a>(text: &'a [u8], secret: &'a [u8], path: &'a str, commit: Option<&'a str>) -> Subject<'a> {
        let at = memchr::memmem::find(text, secret).unwrap();
        Subject {
            rule: "r",
            aliases: &[],
            rule_allowlists: &[],
            text,
            span: at.saturating_sub(2)..at + secret.len(),
            secret_span: at..at + secret.len(),
            secret,
            matched: &text[at.saturating_sub(2)..at + secret.len()],
            path: Some(path.as_bytes()),
            commit,
        }
    }

    fn allowlist(edit: impl FnOnce(&mut AllowlistSpec)) -> Allowlist {
        let mut spec = AllowlistSpec::default();
        edit(&mut spec);
        Allowlist::new(&spec, "here").unwrap()
    }

    #[test]
    fn targets_secret_match_or_line() {
        let text = b"one\nkey: k=value # note\ntwo";
        let subject = subject(text, b"value", "a/b.txt", None);
        for (target, pattern, expected) in [
            (None, "^value$", true),
            (None, "k=", false),
            (Some("match"), "^k=value$", true),
            (Some("line"), "# note$", true),
            (Some("line"), "one", false),
            (Some("secret"), "note", false),
        ] {
            let list = allowlist(|spec| {
                spec.regexes = vec![pattern.to_owned()];
                spec.regex_target = target.map(str::to_owned);
            });
            assert_eq!(list.allows(&subject), expected, "{target:?} {pattern}");
        }
    }

    #[test]
    fn or_needs_one_kind_and_needs_all() {
        let text = b"k=someexamplevalue";
        for (path, word, commit, or, and) in [
            ("t/x", "example", "abcdef1", true, true),
            ("t/x", "other", "abcdef1", true, false),
            ("s/x", "other", "abcdef1", true, false),
            ("s/x", "other", "0000000", false, false),
            ("s/x", "EXAMPLE", "0000000", true, false),
        ] {
            let subject =
                subject(text, b"someexamplevalue", path, Some("abcdef1234567890abcdef1234567890abcdef12"));
            for (condition, expected) in [("or", or), ("AND", and), ("&&", and), ("||", or)] {
                let list = allowlist(|spec| {
                    spec.condition = Some(condition.to_owned());
                    spec.paths = vec!["^t/".to_owned()];
                    spec.stopwords = vec![word.to_owned()];
                    spec.commits = vec![commit.to_uppercase()];
                });
                assert_eq!(list.allows(&subject), expected, "{path} {word} {commit} {condition}");
            }
        }
    }

    #[test]
    fn whole_files_are_allowed_only_without_conditions_on_content() {
        let of = |condition: &str, words: &[&str]| {
            allowlist(|spec| {
                spec.condition = Some(condition.to_owned());
                spec.paths = vec!["^t/".to_owned()];
                spec.stopwords = words.iter().map(|&word| word.to_owned()).collect();
            })
        };
        assert!(of("OR", &["w"]).allows_all_of(Some(b"t/x"), None));
        assert!(!of("OR", &["w"]).allows_all_of(Some(b"s/x"), None));
        assert!(of("AND", &[]).allows_all_of(Some(b"t/x"), None));
        assert!(!of("AND", &["w"]).allows_all_of(Some(b"t/x"), None));
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        let failing = |edit: fn(&mut AllowlistSpec)| {
            let mut spec = AllowlistSpec::default();
            edit(&mut spec);
            Allowlist::new(&spec, "").unwrap_err().field
        };
        assert_eq!(failing(|_| ()), "");
        assert_eq!(failing(|spec| spec.condition = Some("XOR".into())), "condition");
        assert_eq!(failing(|spec| spec.regex_target = Some("file".into())), "regexTarget");
        assert_eq!(failing(|spec| spec.regexes = vec!["a".into(), "(".into()]), "regexes[1]");
        assert_eq!(failing(|spec| spec.regexes = vec!["((a{1000}){1000}){1000}".into()]), "regexes[0]");
        assert_eq!(failing(|spec| spec.stopwords = vec![String::new()]), "stopwords[0]");
        assert_eq!(failing(|spec| spec.commits = vec!["abc".into()]), "commits[0]");
    }

    #[test]
    fn patterns_see_bytes() {
        assert!(Pattern::new("é+$").unwrap().is_match("caféé".as_bytes()));
        assert!(Pattern::new("[é]").unwrap().is_match("é".as_bytes()));
        assert!(Pattern::new("a.b").unwrap().is_match(b"a\xffb"));
        assert!(!Pattern::new(r"^\w$").unwrap().is_match("é".as_bytes()));
    }

    #[test]
    fn says_whether_it_names_commits() {
        let of_commit = allowlist(|spec| spec.commits = vec!["abcdef1".into()]);
        let of_path = allowlist(|spec| spec.paths = vec!["^t/".into()]);
        assert!(of_commit.names_commits() && !of_path.names_commits());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for pattern in ["((a{1000}){1000}){1000}", "(", "a{2,1}", "[z-a]", r"\p{Nothing}"] {
            let reason = Pattern::new(pattern).unwrap_err();
            assert!(reason.len() > 10 && !reason.contains('\n'), "{pattern}: {reason}");
        }
        assert_eq!(one_line(" one\n\n  two \n"), "one two");
    }

    /// An allowlist that gives no condition allows nothing, however its conditions are joined.
    #[test]
    fn no_condition_is_not_every_condition() {
        for (all, given, met, expected) in [
            (true, 0, 0, false),
            (true, 1, 1, true),
            (true, 2, 1, false),
            (true, 2, 2, true),
            (false, 0, 0, false),
            (false, 2, 0, false),
            (false, 2, 1, true),
        ] {
            assert_eq!(Checks { all, given, met }.outcome(), expected, "{all} {given} {met}");
        }
    }

    /// What may be large is compiled when the configuration is read, so that its error is seen; nothing else is.
    #[test]
    fn only_what_may_be_large_is_compiled_at_once() {
        for (pattern, at_once) in [
            ("a".to_owned(), false),
            ("a".repeat(1000), false),
            ("a".repeat(1001), true),
            ("a{2}".to_owned(), true),
        ] {
            let compiled = Pattern::new(&pattern).unwrap().compiled.get().is_some();
            assert_eq!(compiled, at_once, "{}", pattern.len());
        }
    }

    /// The reason is the parser's own, without its drawing of the pattern.
    #[test]
    fn the_parser_s_reasons_are_short() {
        for (pattern, expected) in [
            ("(", "unclosed group"),
            ("[z-a]", "invalid character class range, the start must be <= the end"),
            (r"\p{Nothing}", "Unicode not allowed here"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), expected);
        }
    }
}
