//! The few settings of a repository that say how to read it.
//!
//! Includes are not followed and nothing is ever executed: no setting of a user or a repository can
//! change what is scanned.

use std::collections::HashMap;

use super::bytes::trim;

/// `section`, `subsection`, `name`, `value` of each setting, in order.
#[derive(Debug, Default)]
pub(super) struct Config {
    settings: Vec<Setting>,
    /// Where the last setting of each key stands. The standard hasher is keyed: no file makes look-ups slow.
    last: HashMap<String, usize>,
}

#[derive(Debug)]
struct Setting {
    /// `section.name`, lower case; `section.subsection.name` with the subsection as it is.
    key: String,
    /// None for a name without `=`, which means true.
    value: Option<Vec<u8>>,
}

impl Config {
    /// Reads a configuration file. Lines that make no sense are passed over: git itself would refuse
    /// the whole file, but the objects can still be read.
    pub(super) fn parse(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut settings = Vec::new();
        let mut section = None;
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
            rest = &rest[at..];
            match rest[0] {
                b'[' => (section, rest) = header(rest),
                b'#' | b';' => rest = after_line(rest),
                _ => {
                    let (setting, after) = setting(rest);
                    rest = after;
                    if let (Some(section), Some((name, value))) = (&section, setting) {
                        settings.push(Setting { key: format!("{section}.{name}"), value });
                    }
                }
            }
        }
        let last = settings.iter().enumerate().map(|(at, setting)| (setting.key.clone(), at)).collect();
        Config { settings, last }
    }

    /// The last value of `section.name`. A setting without a value reads as `true`.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        let setting = self.settings.get(*self.last.get(key)?)?;
        Some(setting.value.as_deref().unwrap_or(b"true"))
    }

    /// Whether `section.name` is a true value.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| {
            matches!(value.to_ascii_lowercase().as_slice(), b"true" | b"yes" | b"on" | b"1")
        })
    }

    /// Whether a setting of this name is true in any subsection.
    pub(super) fn is_true_in_any(&self, section: &str, name: &str) -> bool {
        let inside = |key: &str| {
            key.strip_prefix(section)
                .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(name)?.strip_suffix('.'))
                .is_some()
        };
        self.settings.iter().any(|setting| inside(&setting.key) && self.is_true(&setting.key))
    }

    /// Whether other files are included.
    pub(super) fn has_includes(&self) -> bool {
        let included =
            |key: &str| key == "include.path" || (key.starts_with("includeif.") && key.ends_with(".path"));
        self.settings.iter().any(|setting| included(&setting.key))
    }

    /// Names and last values of a section's settings, without those of subsections.
    pub(super) fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.settings.iter().filter_map(move |setting| {
            let name = setting.key.strip_prefix(section)?.strip_prefix('.')?;
            if name.contains('.') {
                return None;
            }
            Some((name, self.get(&setting.key)?))
        })
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).map_or(&[], |at| &text[at + 1..])
}

/// `[section]` or `[section "sub"]`: what names start with, and the text behind it.
fn header(text: &[u8]) -> (Option<String>, &[u8]) {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    let Some(close) = closing_bracket(line) else {
        return (None, after_line(text));
    };
    let name = String::from_utf8_lossy(trim(&line[1..close]));
    let section = match name.split_once('"') {
        None => name.to_ascii_lowercase(),
        Some((section, sub)) => {
            let sub = sub.strip_suffix('"').unwrap_or(sub);
            format!("{}.{}", section.trim_end().to_ascii_lowercase(), sub.replace('\\', ""))
        }
    };
    (Some(section), &text[close + 1..])
}

/// The bracket that closes a header; one inside of a quoted subsection does not.
fn closing_bracket(line: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

type NameAndValue = (String, Option<Vec<u8>>);

/// `name = value`, and the text behind it.
fn setting(text: &[u8]) -> (Option<NameAndValue>, &[u8]) {
    let end = text.iter().position(|byte| matches!(byte, b'=' | b'\n' | b'#' | b';')).unwrap_or(text.len());
    let name = String::from_utf8_lossy(trim(&text[..end])).to_ascii_lowercase();
    if text.get(end) != Some(&b'=') {
        return (Some((name, None)), after_line(&text[end..]));
    }
    let (value, rest) = value(&text[end + 1..]);
    (Some((name, Some(value))), rest)
}

/// A value up to its line end: quotes, escapes, comments and continuation lines undone.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut kept = 0; // trailing blanks outside of quotes do not count
    let mut quoted = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\n' => break,
            b'#' | b';' if !quoted => return finish(out, kept, after_line(&text[at..])),
            b'"' => quoted = !quoted,
            b'\\' => {
                match text.get(at) {
                    Some(b'\n') => {}
                    Some(b'n') => out.push(b'\n'),
                    Some(b't') => out.push(b'\t'),
                    Some(b'b') => out.push(8),
                    Some(&other) => out.push(other),
                    None => {}
                }
                at += 1;
                kept = out.len();
                continue;
            }
            _ if byte.is_ascii_whitespace() && !quoted => {
                if !out.is_empty() {
                    out.push(byte);
                }
                continue;
            }
            _ => out.push(byte),
        }
        kept = out.len();
    }
    finish(out, kept, text.get(at..).unwrap_or_default())
}

fn finish(mut out: Vec<u8>, kept: usize, rest: &[u8]) -> (Vec<u8>, &[u8]) {
    out.truncate(kept);
    (out, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_git_config() {
        let config = Config::parse(
            b"; a comment\n[Core]\n\tbare = false # here too\n\tWorkTree = \"/a b\"\\\n/c  \n[remote \"o]x\"]\n\turl = x\n\
              [core] ignorecase\n[extensions]\nobjectFormat=sha256\nobjectformat = sha1\n\tbroken\\",
        );
        assert_eq!(config.get("core.bare"), Some(&b"false"[..]));
        assert!(!config.is_true("core.bare"));
        assert_eq!(config.get("core.worktree"), Some(&b"/a b/c"[..]));
        assert!(config.is_true("core.ignorecase"));
        assert_eq!(config.get("extensions.objectformat"), Some(&b"sha1"[..]));
        assert_eq!(config.get("remote.url"), None);
        assert_eq!(config.get("remote.o]x.url"), Some(&b"x"[..]));
        assert!(!config.is_true_in_any("remote", "promisor"));
        assert!(Config::parse(b"[remote \"a.b\"]\npromisor").is_true_in_any("remote", "promisor"));
        assert_eq!(config.section("extensions").filter(|(name, _)| *name == "objectformat").count(), 2);
    }

    #[test]
    fn includes_are_seen() {
        for text in ["[include]path=x", "[Include]\n\tPATH", "[includeIf \"gitdir:/a]b.path\"]\n path = y"] {
            assert!(Config::parse(text.as_bytes()).has_includes(), "{text}");
        }
        for text in ["[include]\npaths=x", "[include \"a\"]path=x", "[includes]path=x", "# [include]path=x"] {
            assert!(!Config::parse(text.as_bytes()).has_includes(), "{text}");
        }
    }

    /// Each look-up used to read all settings: with so many, this test would not end today.
    #[test]
    fn many_settings_are_read_once() {
        let mut text = "[extensions]\n".to_owned();
        (0..100_000).for_each(|n| text.push_str(&format!("a{n}\n")));
        (0..100_000).for_each(|n| text.push_str(&format!("[remote \"{n}\"]\npromisor = no\n")));
        let config = Config::parse(text.as_bytes());
        assert_eq!(config.section("extensions").count(), 100_000);
        assert!(!config.is_true_in_any("remote", "promisor"));
    }

    #[test]
    fn nothing_makes_it_loop_or_panic() {
        for text in ["[", "[\"", "a=\\", "=\n=", "[a]\n\\", "[a]b=\"", "\u{feff}[a]\nb=1\n#"] {
            Config::parse(text.as_bytes());
        }
    }

    #[test]
    fn comments_quotes_and_escapes_of_values() {
        let config = Config::parse(
            b"# a\n; b\n[x] # c\na = 1 ; one\nb = \"2 # two\" # and\nc = \\\"3\\\"\\t\\n\\\\\nd = 4\\\n 5\n\
              [remote \"a\\\"]b\"]\nurl = y\n[y \"\\\\]\"]\nz = 1\n#e = 6",
        );
        let get = |name: &str| config.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(get("x.a").as_deref(), Some("1"));
        assert_eq!(get("x.b").as_deref(), Some("2 # two"));
        assert_eq!(get("x.c").as_deref(), Some("\"3\"\t\n\\"));
        assert_eq!(get("x.d").as_deref(), Some("4 5"));
        assert!(config.settings.iter().all(|setting| !setting.key.contains('#')));
        assert!(config.settings.iter().any(|setting| setting.key.ends_with("]b.url")));
        assert_eq!(config.settings.len(), 6);
    }
}
