//! Where reports go: standard output, or files that appear whole or not at all.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{ColorWhen, CommonArgs};
use crate::report::{self, Format, Report};

/// A format and the file it goes to; standard output without one.
#[derive(Debug)]
pub struct Target {
    format: Format,
    file: Option<PathBuf>,
}

/// Reads `--format` and `--output`.
///
/// # Errors
/// An unknown format, or two reports for one place.
pub fn targets(args: &CommonArgs) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for text in &args.format {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text.as_str(), args.output.clone()),
        };
        let Some(format) = Format::from_name(name) else {
            let names: Vec<&str> = Format::ALL.iter().map(|f| f.name()).collect();
            bail!("unknown format `{name}`; there are {}", names.join(", "));
        };
        targets.push(Target { format, file });
    }
    if targets.is_empty() {
        targets.push(Target { format: Format::Text, file: args.output.clone() });
    }
    for (i, target) in targets.iter().enumerate() {
        if targets[..i].iter().any(|t| t.file == target.file) {
            bail!("two reports go to the same place; write --format FORMAT=FILE");
        }
    }
    Ok(targets)
}

/// Writes every report. A reader that went away (a broken pipe) is not an error.
///
/// # Errors
/// The first file that could not be written, with its path; the others are written all the same.
pub fn write(report: &Report, targets: &[Target], args: &CommonArgs) -> anyhow::Result<()> {
    let mut result = Ok(());
    for target in targets {
        let color = target.file.is_none() && use_color(args.color);
        let options = report::Options {
            show_secrets: args.show_secrets,
            color,
            personal_data: false,
            suppressed: args.show_suppressed,
            verbose: args.verbose,
        };
        let written = match &target.file {
            Some(path) => write_file(path, report, target.format, options),
            None => write_stdout(report, target.format, options),
        };
        result = result.and(written);
    }
    result
}

fn write_stdout(report: &Report, format: Format, options: report::Options) -> anyhow::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let written = report::write(report, format, &options, &mut out).and_then(|()| out.flush());
    // What is left in the buffer after an error must not be tried again when it is dropped.
    let _ = out.into_parts();
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the report to standard output"),
    }
}

/// Writes beside the target and renames, so that a reader never sees half a report.
fn write_file(path: &Path, report: &Report, format: Format, options: report::Options) -> anyhow::Result<()> {
    let failed = || format!("cannot write the report {}", path.display());
    if path.is_dir() {
        bail!("{}: it is a folder", failed());
    }
    // Pipes and devices such as /dev/stdout cannot be replaced; they are written to.
    if path.metadata().is_ok_and(|m| !m.is_file()) {
        let file = std::fs::File::options().write(true).open(path).with_context(failed)?;
        let mut out = io::BufWriter::new(file);
        return report::write(report, format, &options, &mut out)
            .and_then(|()| out.flush())
            .with_context(failed);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stanch-").permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder).with_context(failed)?;
    let mut out = io::BufWriter::with_capacity(64 << 10, file);
    report::write(report, format, &options, &mut out).and_then(|()| out.flush()).with_context(failed)?;
    let file = out.into_inner().map_err(|e| e.into_error()).with_context(failed)?;
    file.persist(path).with_context(failed)?;
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
