//! From arguments and environment to what a run works with: configuration, rules, policy, baseline.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use bstr::ByteSlice;
use jiff::civil::Date;

use super::args::CommonArgs;
use super::diagnostic::{self, Problems};
use super::trusted::{self, Trusted};
use crate::config::{
    self, Config, ConfigError, Dialect, Disk, Files, LoadOptions, Located, Tree, TreeSource, Within,
};
use crate::finding::{Confidence, Finding};
use crate::rules::spec::RuleSpec;
use crate::rules::{Rule, RuleSet, builtin};
use crate::scanner::{builtin_ids, own_rules};
use crate::suppress::baseline::{self, Baseline, Ledger};
use crate::suppress::fingerprint::Fingerprinter;
use crate::suppress::foreign::{Foreign, is_foreign};
use crate::suppress::ignorefile::{IGNORE_FILE_NAME, IgnoreFile};
use crate::suppress::{Markers, Policy};

/// The environment variable that holds the key of fingerprints.
pub const KEY_VARIABLE: &str = "STANCH_FINGERPRINT_KEY";

/// detect-secrets' usual baseline.
const SECRETS_BASELINE: &str = ".secrets.baseline";

/// How the paths of a run's finds are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// Relative to the working directory, or absolute: files that were named.
    AsGiven,
    /// Relative to the repository's top folder: what is staged, and history.
    InRepository,
}

/// What a run works with.
pub struct Setup {
    /// The rules in force.
    pub rules: RuleSet,
    /// What suppresses finds.
    pub policy: Policy,
    /// Least confidence of what is reported: by flag, else by the repository's configuration.
    pub min_confidence: Confidence,
    /// Makes fingerprints.
    pub fingerprinter: Fingerprinter,
    /// The repository's top folder, or the folder that is scanned.
    pub root: PathBuf,
    /// Where the baseline is, or would be written.
    pub baseline_path: PathBuf,
}

impl Setup {
    /// Prepares a run over what lies at `start`. Warnings go to standard error.
    ///
    /// # Errors
    /// Everything that is wrong with configuration and baseline.
    pub fn new(args: &CommonArgs, start: &Path, paths: Paths) -> anyhow::Result<Self> {
        let start = folder_of(start)?;
        let bare = match paths {
            Paths::InRepository => trusted::of_bare(&start)?,
            Paths::AsGiven => None,
        };
        let around = if bare.is_some() { None } else { repository_root(&start) };
        let root = around.unwrap_or_else(|| start.clone());
        let trusted = match &args.policy_rev {
            Some(rev) => Some(trusted::open(&root, rev)?),
            None => bare,
        };
        let within = Within::new(&root);
        let files: &dyn Files = match &trusted {
            Some(trusted) => trusted,
            None => &within,
        };
        let config = configuration(args, files, &start, &root)?;
        let min_confidence =
            args.min_confidence.or(config.settings.min_confidence).unwrap_or(Confidence::Medium);
        let baseline_path = baseline_path(args, &config, &root)?;
        let rules = rule_set(args, &config)?;
        let known = known_values(args, files, &baseline_path)?;
        let ignored = gitleaks_ignore(files, &root)?;
        let fingerprinter = match &known.baseline {
            Some(baseline) => baseline.fingerprinter(key().as_deref()).map_err(Problems::from)?,
            None => Fingerprinter::new(None, key().as_deref()),
        };
        if let Some(trusted) = &trusted {
            trusted.report_changes(args.quiet);
        }
        let source = TreeSource { files: nested_files(&trusted, &root), root: root.clone(), builtin_ids };
        let tree = Tree::new(config, source).map_err(Problems::from)?;
        let mut policy = Policy::new(tree, today()).map_err(Problems)?;
        policy.set_min_confidence(args.min_confidence);
        policy.set_ignored(ignored);
        policy.set_baseline(known.baseline);
        // As gitleaks does: its report holds the values that it says are known.
        let report = args.baseline.as_ref().filter(|_| known.foreign.is_some());
        if let Some(path) = report.and_then(|path| path.canonicalize().ok())
            && let Ok(path) = path.strip_prefix(&root)
        {
            policy.pass_over(<[u8]>::from_path(path).unwrap_or_default());
        }
        policy.set_foreign(known.foreign);
        if let Some(trusted) = trusted.filter(|_| args.policy_rev.is_some()) {
            policy.set_markers(Markers::Trusted(Box::new(move |path| trusted.read_path(path))));
        }
        set_base(&mut policy, &root, paths)?;
        Ok(Setup { rules, policy, min_confidence, fingerprinter, root, baseline_path })
    }
}

/// What there is to know of a repository's policy without its rules.
pub struct Known {
    /// The repository's own configuration.
    pub config: Config,
    /// The repository's top folder, or the folder at hand.
    pub root: PathBuf,
    /// Where the baseline is, or would be written.
    pub baseline_path: PathBuf,
}

impl Known {
    /// Finds configuration and baseline of what lies at `start`.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn find(args: &CommonArgs, start: &Path) -> anyhow::Result<Self> {
        let start = folder_of(start)?;
        let root = repository_root(&start).unwrap_or_else(|| start.clone());
        let config = match &args.policy_rev {
            Some(rev) => configuration(args, &trusted::open(&root, rev)?, &start, &root)?,
            None => configuration(args, &Within::new(&root), &start, &root)?,
        };
        let baseline_path = baseline_path(args, &config, &root)?;
        Ok(Known { config, root, baseline_path })
    }
}

/// Gives findings their fingerprints, then lets the baseline suppress them.
///
/// # Errors
/// A damaged baseline, or nested configurations that are wrong.
pub fn finish(
    policy: &Policy,
    fingerprinter: &Fingerprinter,
    rules: &RuleSet,
    findings: &mut [Finding],
) -> anyhow::Result<()> {
    for finding in findings.iter_mut() {
        finding.fingerprint = fingerprinter.of(finding.secret.expose());
    }
    policy.apply(findings, |id| aliases(rules, id)).map_err(Problems::from)?;
    let errors = policy.take_errors();
    if errors.is_empty() { Ok(()) } else { Err(Problems(errors).into()) }
}

/// The other ids of a rule.
pub fn aliases(rules: &RuleSet, id: &str) -> Vec<String> {
    let index = rules.find(id);
    index.map(|index| rules.rule(index).aliases.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// The day, in UTC: the same for everybody who looks at an entry.
pub fn today() -> Date {
    now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The time. A clock that shows one before 1970, or after all dates, counts as the first or last of those.
pub fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::try_from(SystemTime::now().max(SystemTime::UNIX_EPOCH));
    now.unwrap_or(jiff::Timestamp::MAX)
}

/// The key of fingerprints, if one is set.
pub fn key() -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    std::env::var_os(KEY_VARIABLE).map(OsStringExt::into_vec).filter(|key| !key.is_empty())
}

/// The folder at, or around, a path; absolute.
fn folder_of(path: &Path) -> anyhow::Result<PathBuf> {
    let path = if path == Path::new("-") { Path::new(".") } else { path };
    let absolute = match path.canonicalize() {
        Ok(absolute) => absolute,
        // What does not exist is the scan's to report.
        Err(_) => std::env::current_dir().context("there is no working directory")?,
    };
    if absolute.is_dir() {
        return Ok(absolute);
    }
    Ok(absolute.parent().unwrap_or(Path::new("/")).to_owned())
}

/// The top folder of the repository around a folder.
pub fn repository_root(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

fn set_base(policy: &mut Policy, root: &Path, paths: Paths) -> anyhow::Result<()> {
    let bytes = |path: &Path| <[u8]>::from_path(path).map(<[u8]>::to_vec).unwrap_or_default();
    if paths == Paths::InRepository {
        policy.set_base(b"", &bytes(root));
        return Ok(());
    }
    let here = std::env::current_dir().context("there is no working directory")?;
    let here = here.canonicalize().unwrap_or(here);
    match here.strip_prefix(root) {
        Ok(prefix) => policy.set_base(&bytes(prefix), &bytes(root)),
        // The repository lies elsewhere: below the working directory, or beside it.
        Err(_) => {
            policy.set_base(b"", &bytes(root));
            policy.set_outside(&bytes(&relative(&here, root)));
        }
    }
    Ok(())
}

/// The way from one absolute folder to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| Path::new(".."));
    up.chain(to.components().skip(common).map(|part| Path::new(part.as_os_str()))).collect()
}

fn nested_files(trusted: &Option<Trusted>, root: &Path) -> Box<dyn Files + Send + Sync> {
    match trusted {
        Some(trusted) => Box::new(trusted.clone()),
        None => Box::new(Within::new(root)),
    }
}

/// Finds and loads the configuration.
///
/// # Errors
/// Everything that is wrong with it.
pub fn configuration(
    args: &CommonArgs,
    files: &dyn Files,
    start: &Path,
    root: &Path,
) -> anyhow::Result<Config> {
    let options = LoadOptions { files, builtin_ids: &builtin_ids };
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let found = config::find(files, start, root);
    let ours = found.as_ref().filter(|found| found.dialect == Dialect::Stanch);
    let loaded = if let Some(path) = &args.config {
        // What the user names is the user's, and read from the disk even under --policy-rev.
        let options = LoadOptions { files: &Disk, ..options };
        config::load(&options, path, dialect_of(path))
    } else if let Some(found) = ours {
        config::load(&options, &found.path, found.dialect)
    } else if let Some(path) = variable("GITLEAKS_CONFIG") {
        let options = LoadOptions { files: &Disk, ..options };
        config::load(&options, Path::new(&path), Dialect::Gitleaks)
    } else if let Some(text) = variable("GITLEAKS_CONFIG_TOML") {
        let text =
            text.into_string().map_err(|_| anyhow::anyhow!("GITLEAKS_CONFIG_TOML is not UTF-8 text"))?;
        config::load_text(&options, "GITLEAKS_CONFIG_TOML", text, Dialect::Gitleaks)
    } else if let Some(found) = found {
        config::load(&options, &found.path, found.dialect)
    } else {
        Ok(Config::default())
    };
    let config = loaded.map_err(Problems)?;
    if !args.quiet {
        diagnostic::warn(&config.warnings);
    }
    Ok(config)
}

/// The dialect that a configuration's name promises.
pub fn dialect_of(path: &Path) -> Dialect {
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    if name.contains("gitleaks") { Dialect::Gitleaks } else { Dialect::Stanch }
}

/// The rules in force: built-in ones and those of the configuration, less what is disabled.
///
/// # Errors
/// Rules that cannot be used, with their places; flags that name no rule.
pub fn rule_set(args: &CommonArgs, config: &Config) -> anyhow::Result<RuleSet> {
    let custom = custom_rules(config)?;
    let own: HashSet<String> = custom.iter().map(|(rule, _)| rule.id.to_string()).collect();
    check_flags(args, &custom)?;
    let named = |list: &[String], rule: &Rule| list.iter().any(|id| is_called(rule, id));
    let keep = |rule: &Rule| {
        (args.rule.is_empty() || named(&args.rule, rule))
            && !named(&args.disable_rule, rule)
            && (own.contains(rule.id.as_ref()) || !config.disables(rule))
    };
    let (rules, specs): (Vec<Rule>, Vec<Located<RuleSpec>>) = custom.into_iter().unzip();
    RuleSet::new(config.use_default, rules, keep).map_err(|(id, reason)| {
        match specs.iter().find(|spec| spec.value.id == id) {
            Some(spec) => Problems::from(spec.error("regex", reason)).into(),
            None => anyhow::anyhow!("rule `{id}`: {reason}"),
        }
    })
}

fn is_called(rule: &Rule, id: &str) -> bool {
    rule.id == id || rule.aliases.iter().any(|alias| alias == id)
}

/// The rules of a configuration; those that come with tests have passed them.
fn custom_rules(config: &Config) -> anyhow::Result<Vec<(Rule, Located<RuleSpec>)>> {
    let rules = untested_rules(config)?;
    let has_tests = |spec: &Located<RuleSpec>| {
        spec.fields.iter().any(|(field, _)| matches!(field.as_str(), "match" | "reject"))
    };
    let mut errors = Vec::new();
    for (rule, spec) in rules.iter().filter(|(rule, spec)| rule.detector.is_empty() && has_tests(spec)) {
        // A pattern that cannot be run is reported where the rules are put together.
        let Ok(engine) = super::prove::alone(rule) else { continue };
        for failure in super::prove::prove(rule, &engine) {
            let field = format!("{}[{}]", failure.field, failure.index);
            errors.push(spec.error(&field, format!("the rule fails its test: {}", failure.reason)));
        }
    }
    if errors.is_empty() { Ok(rules) } else { Err(Problems(errors).into()) }
}

/// The rules of a configuration, their tests not run.
///
/// # Errors
/// Rules that cannot be used, with their places.
pub fn untested_rules(config: &Config) -> anyhow::Result<Vec<(Rule, Located<RuleSpec>)>> {
    own_rules(config).map_err(|errors| Problems(errors).into())
}

fn check_flags(args: &CommonArgs, custom: &[(Rule, Located<RuleSpec>)]) -> anyhow::Result<()> {
    for id in args.rule.iter().chain(&args.disable_rule) {
        let known =
            builtin().iter().chain(custom.iter().map(|(rule, _)| rule)).any(|rule| is_called(rule, id));
        if !known {
            let help = config::did_you_mean(id, builtin().iter().map(|rule| rule.id.as_ref()));
            bail!("there is no rule `{id}`; {}", help.as_deref().unwrap_or("see `stanch rules list`"));
        }
    }
    Ok(())
}

/// Where the baseline is: as the flag says, as the configuration says, or in the top folder.
///
/// # Errors
/// The repository, not the user, names one that lies elsewhere, or a link to it.
fn baseline_path(args: &CommonArgs, config: &Config, root: &Path) -> anyhow::Result<PathBuf> {
    if let Some(path) = &args.baseline {
        return Ok(path.clone());
    }
    let path = match &config.settings.baseline {
        Some(path) => {
            let folder = path.place.source.path.parent().unwrap_or(root);
            folder.join(&path.value)
        }
        None => root.join(baseline::FILE_NAME),
    };
    // What the user's own configuration says is the user's word.
    if args.config.is_none() {
        let there = path.symlink_metadata().is_ok();
        let folder = path.parent().unwrap_or(root);
        match Within::new(root).locate(if there { &path } else { folder }) {
            Err(error) if there || error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot use the baseline {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Values that are known.
#[derive(Default)]
struct KnownValues {
    baseline: Option<Ledger>,
    foreign: Option<Foreign>,
}

fn known_values(args: &CommonArgs, files: &dyn Files, path: &Path) -> anyhow::Result<KnownValues> {
    if args.no_baseline {
        return Ok(KnownValues::default());
    }
    let asked_for = args.baseline.is_some();
    let from_disk = asked_for || args.policy_rev.is_none();
    if from_disk && looks_like_ours(path) {
        let baseline = Ledger::open(path).map_err(Problems::from)?;
        return Ok(KnownValues { baseline, foreign: None });
    }
    let read = |path: &Path| match if asked_for { Disk.read(path) } else { files.read(path) } {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Problems::from(ConfigError::whole_file(path, format!("cannot read the baseline: {error}"))))
        }
    };
    let Some(bytes) = read(path)? else {
        if asked_for {
            bail!("there is no baseline {}; `stanch baseline update` makes one", path.display());
        }
        // A repository that still uses detect-secrets.
        let theirs = path.with_file_name(SECRETS_BASELINE);
        return match read(&theirs)? {
            Some(bytes) if is_foreign(&bytes) => foreign(args, &theirs, bytes),
            _ => Ok(KnownValues::default()),
        };
    };
    if is_foreign(&bytes) {
        return foreign(args, path, bytes);
    }
    let baseline = Baseline::load(path, bytes).map_err(Problems::from)?;
    Ok(KnownValues { baseline: Some(baseline.into()), foreign: None })
}

/// Whether a file begins as our baselines do: then no more of it is read than is needed.
fn looks_like_ours(path: &Path) -> bool {
    let mut first = [0; 1];
    let regular = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let mut read = || std::fs::File::open(path)?.read_exact(&mut first);
    regular && read().is_ok() && matches!(first, [b'#' | b'v' | b's'])
}

fn foreign(args: &CommonArgs, path: &Path, bytes: Vec<u8>) -> anyhow::Result<KnownValues> {
    let foreign = Foreign::load(path, bytes).map_err(Problems::from)?;
    if !args.quiet {
        for what in foreign.unsupported() {
            eprintln!("stanch: warning: {}: not supported: {what}", path.display());
        }
    }
    Ok(KnownValues { baseline: None, foreign: Some(foreign) })
}

fn gitleaks_ignore(files: &dyn Files, root: &Path) -> anyhow::Result<IgnoreFile> {
    let path = root.join(IGNORE_FILE_NAME);
    let mut ignored = IgnoreFile::default();
    match files.read(&path) {
        Ok(bytes) => diagnostic::warn(&ignored.add(&path, bytes).map_err(Problems::from)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    Ok(ignored)
}
