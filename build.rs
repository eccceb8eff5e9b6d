//! Prepares the built-in rule pack: TOML → checked rules → constants.
//!
//! A bad rule stops the build with its file and reason, so that a binary never holds one, and a run
//! neither parses TOML nor analyses patterns.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use sha2::{Digest, Sha256};

#[path = "src/rules/analyse.rs"]
#[allow(dead_code)]
mod analyse;
#[path = "src/matcher/checksum.rs"]
#[allow(dead_code)]
mod checksum;
#[path = "src/rules/compile.rs"]
#[allow(dead_code)]
mod compile;
#[path = "src/rules/context.rs"]
#[allow(dead_code)]
mod context;
#[path = "src/matcher/entropy.rs"]
#[allow(dead_code)]
mod entropy;
#[path = "src/rules/family.rs"]
#[allow(dead_code)]
mod family;
#[path = "src/finding/kind.rs"]
#[allow(dead_code, unused_macros, unused_imports)]
mod kind;
#[path = "src/rules/rarity.rs"]
#[allow(dead_code)]
mod rarity;
#[path = "src/rules/rule.rs"]
#[allow(dead_code)]
mod rule;
#[path = "src/rules/spec.rs"]
#[allow(dead_code)]
mod spec;
#[path = "src/rules/template.rs"]
#[allow(dead_code)]
mod template;

use rule::{Rule, Text, Word};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=rules");
    for file in [
        "rules/analyse.rs",
        "rules/compile.rs",
        "rules/context.rs",
        "rules/family.rs",
        "rules/rarity.rs",
        "rules/rule.rs",
        "rules/spec.rs",
        "rules/template.rs",
        "matcher/checksum.rs",
        "matcher/entropy.rs",
        "finding/kind.rs",
    ] {
        println!("cargo:rerun-if-changed=src/{file}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let mut problems = Vec::new();
    let rules = load(&root.join("rules"), &mut problems);
    check_unique(&rules, &mut problems);
    for (file, rule) in &rules {
        if let Err(reason) = check_tests(rule) {
            problems.push(format!("{}: rule `{}`: {reason}", file.display(), rule.id));
        }
    }
    if !problems.is_empty() {
        for problem in &problems {
            println!("cargo:warning={}", problem.replace('\n', " "));
            eprintln!("error: {problem}");
        }
        eprintln!("error: the built-in rule pack has {} problems", problems.len());
        process::exit(1);
    }
    let rules: Vec<Rule> = rules.into_iter().map(|(_, rule)| rule).collect();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("builtin.rs");
    fs::write(out, emit(&rules)).expect("OUT_DIR can be written");
}

/// Reads every rule file, in order of their paths.
fn load(folder: &Path, problems: &mut Vec<String>) -> Vec<(PathBuf, Rule)> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut rules = Vec::new();
    for path in files {
        let shown = path.strip_prefix(folder.parent().unwrap_or(folder)).unwrap_or(&path).to_path_buf();
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file: spec::RuleFile = match toml::from_str(&text) {
            Ok(file) => file,
            Err(e) => {
                problems.push(format!("{}: {e}", shown.display()));
                continue;
            }
        };
        let mut specs = file.rules;
        for member in &file.families {
            match family::expand(member) {
                Ok(expanded) => specs.extend(expanded),
                Err(e) => problems.push(format!("{}: {e}", shown.display())),
            }
        }
        for spec in &specs {
            let known = |name: &str| checksum::verify(name, b"").is_some();
            match compile::compile(spec, &file.defaults, compile::Strictness::Pack, &known) {
                Ok(rule) => rules.push((shown.clone(), rule)),
                Err(e) => problems.push(format!("{}: rule `{}`: {e}", shown.display(), spec.id)),
            }
        }
    }
    rules
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("rules/ can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
}

fn check_unique(rules: &[(PathBuf, Rule)], problems: &mut Vec<String>) {
    let mut seen = std::collections::HashMap::new();
    for (file, rule) in rules {
        if let Some(other) = seen.insert(rule.id.as_ref(), file) {
            problems.push(format!("{} and {}: two rules `{}`", other.display(), file.display(), rule.id));
        }
    }
    for (file, rule) in rules {
        for required in rule.required.iter() {
            if !seen.contains_key(required.id.as_ref()) {
                problems.push(format!(
                    "{}: rule `{}` requires the unknown rule `{}`",
                    file.display(),
                    rule.id,
                    required.id
                ));
            }
        }
    }
}

/// Runs a rule's `match` tests: every marked secret must be found, with the entropy it asks for.
/// (`reject` tests need the verdict; the test suite and `stanch rules check` run them.)
fn check_tests(rule: &Rule) -> Result<(), String> {
    if rule.pattern.is_empty() {
        return Ok(());
    }
    let hir = analyse::parse(&rule.pattern)?;
    let regex = regex_automata::meta::Builder::new()
        .configure(regex_automata::meta::Config::new().utf8_empty(false).nfa_size_limit(Some(16 << 20)))
        .build_from_hir(&hir)
        .map_err(|e| e.to_string())?;
    let complete = |partial: &str| checksum::complete(&rule.checksum, partial);
    for template in rule.matches.iter() {
        let test = template::expand(template, &complete)?;
        if test.secrets.is_empty() {
            return Err(format!("`match` test without `⟦secret⟧`: {template}"));
        }
        let found: Vec<&[u8]> = regex
            .captures_iter(test.text.as_bytes())
            .filter_map(|c| {
                let group = match usize::from(rule.secret_group) {
                    0 => (1..c.group_len()).find_map(|g| c.get_group(g)).or_else(|| c.get_group(0)),
                    g => c.get_group(g),
                };
                group.map(|span| &test.text.as_bytes()[span.range()])
            })
            .collect();
        for secret in &test.secrets {
            if !found.contains(&secret.as_bytes()) {
                return Err(format!("`match` test does not match: {template}"));
            }
            if entropy::shannon(secret.as_bytes()) < rule.entropy {
                return Err(format!("`match` test has less entropy than the rule asks for: {template}"));
            }
        }
    }
    for template in rule.rejects.iter() {
        template::expand(template, &complete)?;
    }
    Ok(())
}

fn emit(rules: &[Rule]) -> String {
    let mut out = String::with_capacity(1 << 20);
    out.push_str("pub static BUILTIN: &[Rule] = &[\n");
    for rule in rules {
        emit_rule(&mut out, rule);
    }
    out.push_str("];\n");
    let hash = Sha256::digest(out.as_bytes());
    let hex = data_encoding::HEXLOWER.encode(&hash[..8]);
    let _ = writeln!(out, "pub static BUILTIN_HASH: &str = {hex:?};");
    out
}

fn emit_rule(out: &mut String, r: &Rule) {
    let _ = writeln!(
        out,
        "Rule {{ id: {}, description: {}, provider: {}, category: Category::{:?}, severity: Severity::{:?}, \
         confidence: Confidence::{:?}, pattern: {}, context: {}, detector: {}, secret_group: {}, entropy: {:?}, digit: {}, path: {}, \
         anchors: {}, max_len: {:?}, run: {:?}, words: {}, keywords: {}, checksum: {}, prefix: {}, skip_report: {}, required: {}, \
         allowlists: {}, aliases: {}, tags: {}, references: {}, remediation: {}, matches: {}, rejects: {} }},",
        text(&r.id),
        text(&r.description),
        text(&r.provider),
        r.category,
        r.severity,
        r.confidence,
        text(&r.pattern),
        r.context.as_ref().map_or("None".to_owned(), context_of),
        text(&r.detector),
        r.secret_group,
        r.entropy,
        r.digit,
        text(&r.path),
        list(&r.anchors, |a| format!(
            "Anchor {{ literal: Cow::Borrowed(&{:?}), fold: {}, before_min: {}, before_max: {:?}, tail: {}, rarest: {} }}",
            a.literal, a.fold, a.before_min, a.before_max, a.tail, a.rarest
        )),
        r.max_len,
        r.run,
        list(&r.words, word),
        texts(&r.keywords),
        text(&r.checksum),
        r.prefix,
        r.skip_report,
        list(&r.required, |q| format!(
            "Required {{ id: {}, within_lines: {:?}, within_columns: {:?}, optional: {} }}",
            text(&q.id),
            q.within_lines,
            q.within_columns,
            q.optional
        )),
        list(&r.allowlists, |a| format!(
            "Allowlist {{ description: {}, all: {}, target: RegexTarget::{:?}, regexes: {}, paths: {}, commits: {}, stopwords: {} }}",
            text(&a.description),
            a.all,
            a.target,
            texts(&a.regexes),
            texts(&a.paths),
            texts(&a.commits),
            texts(&a.stopwords)
        )),
        texts(&r.aliases),
        texts(&r.tags),
        texts(&r.references),
        {
            let m = &r.remediation;
            format!(
                "Remedy {{ opens: {}, revoke: {}, rotate: {}, url: {}, command: {}, rotate_days: {} }}",
                text(&m.opens),
                text(&m.revoke),
                text(&m.rotate),
                text(&m.url),
                text(&m.command),
                m.rotate_days
            )
        },
        texts(&r.matches),
        texts(&r.rejects),
    );
}

fn context_of(c: &rule::Context) -> String {
    format!(
        "Some(Context {{ keywords: {}, value: {}, near: {}, others: Others::{:?} }})",
        texts(&c.keywords),
        text(&c.value),
        c.near,
        c.others
    )
}

fn text(t: &Text) -> String {
    format!("Cow::Borrowed({t:?})")
}

fn texts(list_: &[Text]) -> String {
    list(list_, text)
}

fn word(w: &Word) -> String {
    let others = list(&w.others, word);
    format!("Word {{ text: Cow::Borrowed(&{:?}), rarest: {}, others: {others} }}", w.text, w.rarest)
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    format!("Cow::Borrowed(&[{}])", items.iter().map(one).collect::<Vec<_>>().join(", "))
}
