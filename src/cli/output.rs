//! Where reports go: standard output, or files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{ColorWhen, CommonArgs};
use crate::beside;
use crate::finding::Status;
use crate::report::escape::{visible, visible_str};
use crate::report::{self, Format, Report};

/// A format and the place it goes to.
#[derive(Debug)]
pub struct Target {
    format: Format,
    /// The place as the user named it.
    name: PathBuf,
    place: Place,
}

/// Where a report goes.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Standard output.
    Stdout,
    /// Something that is there and takes bytes: a pipe, a device, an open file of the process.
    Open(PathBuf),
    /// A file, which is replaced. The path is that of the file itself, not of a link to it.
    File(PathBuf),
}

/// Reads `--format` and `--output`.
///
/// # Errors
/// An unknown format, or two reports for one place.
pub fn targets(args: &CommonArgs) -> anyhow::Result<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    let default = [Format::Text.name().to_owned()];
    let formats = if args.format.is_empty() { &default[..] } else { &args.format };
    for text in formats {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(Path::new(file))),
            None => (text.as_str(), args.output.as_deref()),
        };
        let Some(format) = Format::from_name(name) else {
            let names: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
            bail!("unknown format `{name}`; there are {}", names.join(", "));
        };
        let name = file.unwrap_or(Path::new("-"));
        if name.as_os_str().is_empty() {
            bail!("the name of the report's file is empty");
        }
        targets.push(Target { format, name: name.to_owned(), place: place(name) });
    }
    for (i, target) in targets.iter().enumerate() {
        if targets[..i].iter().any(|t| t.place == target.place) {
            bail!("two reports go to the same place; write --format FORMAT=FILE");
        }
    }
    Ok(targets)
}

/// What a name leads to: links are followed, so that none is replaced by a report.
fn place(name: &Path) -> Place {
    /// As many links as Linux follows.
    const LINKS: usize = 40;
    if name == Path::new("-") {
        return Place::Stdout;
    }
    let mut path = name.to_owned();
    for _ in 0..LINKS {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let Some(file) = path.file_name() else { break };
        let whole = folder.join(file);
        // `/dev/stdout` leads to `/proc/self/fd/1`, behind which there may be a file. It is open already, and
        // whoever opened it wants it written to, not replaced.
        if folder.starts_with("/proc") && folder.ends_with("fd") {
            let own = folder == Path::new(&format!("/proc/{}/fd", std::process::id()));
            return if own && file == "1" { Place::Stdout } else { Place::Open(whole) };
        }
        match fs::read_link(&whole) {
            Ok(target) => path = folder.join(target),
            Err(_) if whole.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) => {
                return Place::Open(whole);
            }
            Err(_) => return Place::File(whole),
        }
    }
    Place::File(path)
}

/// Writes every report. A reader that went away (a broken pipe) is not an error.
///
/// # Errors
/// The first report that could not be written, with its place; the others are written all the same. When
/// nothing else tells the user what was found, standard error does.
pub fn write(report: &Report, targets: &[Target], args: &CommonArgs) -> anyhow::Result<()> {
    let mut result = Ok(());
    if targets.iter().all(|target| target.format == Format::Gitleaks) {
        say_skipped(report);
    }
    for target in targets {
        let options = report::Options {
            show_secrets: args.show_secrets,
            color: target.place == Place::Stdout && use_color(args.color),
            personal_data: false,
            suppressed: args.show_suppressed,
            verbose: args.verbose,
            brief: args.brief,
        };
        if args.quiet
            && target.place == Place::Stdout
            && target.format == Format::Text
            && says_nothing(report)
        {
            continue;
        }
        let write = |out: &mut dyn Write| report::write(report, target.format, &options, out);
        let written = match &target.place {
            Place::Stdout => write_stdout(write),
            Place::Open(path) => write_open(path, write),
            Place::File(path) => write_file(path, args.show_secrets, write),
        };
        let written = written.with_context(|| match target.place {
            Place::Stdout => "cannot write the report to standard output".to_owned(),
            _ => format!("cannot write the report {}", target.name.display()),
        });
        result = result.and(written);
    }
    if result.is_err() && targets.iter().all(|target| target.place != Place::Stdout) {
        let _ = report::write(report, Format::Text, &report::Options::default(), &mut io::stderr().lock());
    }
    result
}

/// Says on standard error what was not read, for formats that have no place for it.
fn say_skipped(report: &Report) {
    for skip in report.skipped.iter().filter(|skip| skip.incomplete) {
        let (what, detail) = (visible(&skip.what), visible_str(&skip.detail));
        eprintln!("stanch: not scanned: {what}: {} ({detail})", skip.reason);
    }
}

/// Whether a report has neither findings nor anything that was not read.
fn says_nothing(report: &Report) -> bool {
    report.findings.iter().all(|f| f.status != Status::New) && !report.skipped.iter().any(|s| s.incomplete)
}

/// Writes to what is open; a reader that went away is not an error.
fn written_to(out: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 << 10, out);
    let written = write(&mut out).and_then(|()| out.flush());
    // What is left in the buffer after an error must not be tried again when it is dropped.
    let _ = out.into_parts();
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    written_to(io::stdout().lock(), write)
}

fn write_open(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    written_to(File::options().append(true).open(path)?, write)
}

/// Writes beside the file and renames, so that a reader never sees half a report.
fn write_file(
    path: &Path,
    secrets: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let old = path.metadata().ok();
    if old.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    // A file that others may not read stays so; one with whole secrets is for its owner.
    let mode = match old {
        Some(old) => old.permissions().mode() & 0o777,
        None if secrets => 0o600,
        None => 0o666,
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut out = io::BufWriter::with_capacity(64 << 10, beside::file_in(folder, mode)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path)?;
    Ok(())
}

/// Whether standard output is to be coloured.
pub fn use_color(when: ColorWhen) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set("NO_COLOR") => false,
        ColorWhen::Auto if set("CLICOLOR_FORCE") => true,
        ColorWhen::Auto => io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
    }
}
