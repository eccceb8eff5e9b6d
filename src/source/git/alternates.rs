//! The object folders of a repository: its own and those it borrows from.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bstr::{ByteSlice, ByteVec};

use super::error::{Error, Result};
use super::repo::{Repo, read_optional};

/// All object folders, the repository's own first, each once. Chains are followed to their end; a
/// folder that was met before is not followed again, so loops end.
///
/// Folders that are named but not there are in the second list.
pub(super) fn object_dirs(repo: &Repo) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut queue = VecDeque::from([repo.object_dir().to_owned()]);
    if let Some(list) = repo.env_alternates() {
        queue.extend(parse_env_list(list));
    }
    let (mut dirs, mut absent, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    while let Some(dir) = queue.pop_front() {
        let Ok(canonical) = dir.canonicalize() else {
            absent.push(dir);
            continue;
        };
        if !seen.insert(canonical) {
            continue;
        }
        queue.extend(alternates_of(&dir)?);
        dirs.push(dir);
    }
    Ok((dirs, absent))
}

/// The folders that `info/alternates` names. Relative ones start at the object folder.
fn alternates_of(dir: &Path) -> Result<Vec<PathBuf>> {
    let file = dir.join("info").join("alternates");
    let Some(text) = read_optional(&file)? else {
        return Ok(Vec::new());
    };
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    lines
        .map(|line| match line.strip_prefix(b"\"") {
            None => Ok(dir.join(line.to_path_lossy())),
            Some(quoted) => {
                let (path, _) =
                    unquote(quoted).ok_or_else(|| Error::corrupt(&file, "a quote is not closed"))?;
                Ok(dir.join(path.to_path_lossy()))
            }
        })
        .collect()
}

/// `GIT_ALTERNATE_OBJECT_DIRECTORIES`: paths separated as in `PATH`; a path that starts with a double
/// quote is quoted as in C.
pub(super) fn parse_env_list(list: &OsStr) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { b';' } else { b':' };
    let bytes = Vec::from_os_str_lossy(list);
    let (mut rest, mut paths) = (bytes.as_ref(), Vec::new());
    while !rest.is_empty() {
        let quoted = rest.strip_prefix(b"\"").and_then(unquote);
        let (path, after) = quoted.unwrap_or_else(|| {
            let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
            (rest[..end].to_vec(), &rest[end..])
        });
        rest = after.strip_prefix(&[separator]).unwrap_or(after);
        if !path.is_empty() {
            paths.push(path.to_path_lossy().into_owned());
        } else if after.len() == rest.len() {
            break; // neither a path nor a separator: nothing sensible follows
        }
    }
    paths
}

/// Undoes C quoting up to the closing quote: (text, what follows).
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some((out, &text[at + 1..])),
            b'\\' => {
                at += 1;
                let escape = *text.get(at)?;
                out.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'0'..=b'3' => {
                        let digits = std::str::from_utf8(text.get(at..at + 3)?).ok()?;
                        at += 2;
                        u8::from_str_radix(digits, 8).ok()?
                    }
                    other => other,
                });
            }
            &byte => out.push(byte),
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn lists_in_the_environment() {
        let parse = |text: &str| parse_env_list(OsStr::new(text));
        assert_eq!(parse("/a:/b c:"), [PathBuf::from("/a"), PathBuf::from("/b c")]);
        assert_eq!(parse(r#""/a\:b\n\101":/c"#), [PathBuf::from("/a:b\nA"), PathBuf::from("/c")]);
        assert_eq!(parse(r#""open"#), [PathBuf::from("\"open")]);
        assert!(parse("").is_empty());
        assert!(parse("::").is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn what_follows_a_closed_quote_is_no_part_of_the_path() {
        let parse = |text: &str| parse_env_list(OsStr::new(text));
        assert_eq!(parse(r#""/a"b:/c"#), [PathBuf::from("/a"), PathBuf::from("b"), PathBuf::from("/c")]);
        assert_eq!(parse(r#""":/c"#), [PathBuf::from("/c")]);
        assert!(parse(r#"""/c"#).is_empty(), "nothing sensible follows");
    }

    #[test]
    fn quotes_are_undone_as_in_c() {
        let unquoted = |text: &str| unquote(text.as_bytes()).map(|(out, rest)| (out, rest.len()));
        assert_eq!(
            unquoted(r#"\a\b\f\n\r\t\v\\\"\101\377" rest"#),
            Some((b"\x07\x08\x0c\n\r\t\x0b\\\"A\xff".to_vec(), 5))
        );
        for text in ["", "open", r"\", r"\10", r#"\18""#] {
            assert_eq!(unquoted(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_of_alternates_names_folders_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| {
            std::fs::create_dir_all(folder.path().join("info")).unwrap();
            std::fs::write(folder.path().join("info/alternates"), text).unwrap();
            alternates_of(folder.path())
        };
        assert!(alternates_of(folder.path()).unwrap().is_empty(), "there is none");
        let named = write("# a comment\n../a\n\n\"b\\tc\"\n/d e\n").unwrap();
        assert_eq!(named, ["../a", "b\tc", "/d e"].map(|name| folder.path().join(name)));
        assert!(matches!(write("\"open\n"), Err(Error::Corrupt { .. })));
    }
}
