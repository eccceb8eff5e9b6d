//! Taking a value out of the history. It is of no use before the value is revoked: clones, forks and
//! caches keep it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context;

use crate::finding::Secret;

/// Says how, and writes the input for `git filter-repo` if a file for it is named.
pub fn advise(secret: &Secret, file: Option<&Path>) -> anyhow::Result<()> {
    println!("\nIn the history");
    println!("  Revoke the value first: whoever has a clone keeps it.");
    match file {
        None => {
            println!(
                "  --show-secrets --purge-file FILE writes the value into a file that only you can read. Then, in a fresh clone:"
            );
            println!("  git filter-repo --replace-text FILE");
        }
        Some(path) => {
            write(secret, path).with_context(|| format!("cannot write {}", path.display()))?;
            println!("  {} holds the value: delete it afterwards. In a fresh clone:", path.display());
            println!("  git filter-repo --replace-text {}", path.display());
        }
    }
    println!("  Then push with --force to every branch, and ask for clones to be made anew.");
    Ok(())
}

fn write(secret: &Secret, path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(&replacements(secret.expose()));
    if written.is_err() {
        // Half of it would rewrite half of the history.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// The lines that `git filter-repo` reads: `literal:VALUE==>TEXT`. Values of several lines are replaced
/// line by line, but for lines that stand in other files, too, such as `-----BEGIN …`.
fn replacements(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let lines: Vec<&[u8]> =
        value.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect();
    for line in &lines {
        if lines.len() > 1 && (line.len() < 16 || line.starts_with(b"-----")) {
            continue;
        }
        text.extend_from_slice(b"literal:");
        text.extend_from_slice(line);
        text.extend_from_slice(b"==>REMOVED\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_are_replaced_line_by_line() {
        assert_eq!(replacements(b"abc"), b"literal:abc==>REMOVED\n");
        let key = [b"-----BEGIN X-----\n".as_slice(), &[b'a'; 64], b"\nshort\n-----END X-----"].concat();
        assert_eq!(replacements(&key), [b"literal:".as_slice(), &[b'a'; 64], b"==>REMOVED\n"].concat());
    }
}
