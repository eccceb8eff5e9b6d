use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::*;

/// Files by path.
#[derive(Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn memory(files: &[(&str, &str)]) -> Memory {
    Memory(files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect())
}

fn options(files: &Memory) -> LoadOptions<'_> {
    LoadOptions { files, builtin_ids: &|| vec!["github-pat".to_owned(), "aws-access-key".to_owned()] }
}

fn load_from(files: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
    let files = memory(files);
    let path = Path::new(".stanch.toml");
    if files.exists(path) {
        load(&options(&files), path, Dialect::Stanch)
    } else {
        load(&options(&files), Path::new(".gitleaks.toml"), Dialect::Gitleaks)
    }
}

fn ours(text: &str) -> Result<Config, Vec<ConfigError>> {
    load_from(&[(".stanch.toml", text)])
}

fn theirs(text: &str) -> Result<Config, Vec<ConfigError>> {
    load_from(&[(".gitleaks.toml", text)])
}

fn ids(config: &Config) -> Vec<&str> {
    config.rules.iter().map(|rule| rule.value.id.as_str()).collect()
}

#[test]
fn reads_everything() {
    let config = ours(
        r#"
title = "x"
[extend]
disabledRules = ["aws-access-key"]
[scan]
min_confidence = "high"
max_file_size = "2M"
exclude = ["vendor/"]
baseline = "b.toml"
max_age = "90d"
[overrides.github-pat]
severity = "low"
[[rules]]
id = "corp-token"
description = "Corp token"
regex = '''corp_([a-z]{20})'''
secretGroup = 1
entropy = 3
keywords = ["corp_"]
category = "token"
  [[rules.allowlists]]
  regexTarget = "line"
  regexes = ['''sample''', "x{2}"]
  [[rules.required]]
  id = "github-pat"
  withinLines = 3
[[allowlists]]
targetRules = ["corp-token"]
condition = "and"
paths = ["^docs/"]
stopwords = ["example"]
"#,
    )
    .unwrap();
    assert!(config.use_default);
    assert_eq!(config.disabled_rules[0].value, "aws-access-key");
    assert_eq!(config.settings.min_confidence, Some(Confidence::High));
    assert_eq!(config.settings.max_file_size, Some(2 << 20));
    assert_eq!(config.settings.max_age_days, Some(90));
    assert_eq!(config.overrides[0].value.severity, Some(Severity::Low));
    let rule = &config.rules[0];
    assert_eq!((rule.value.secret_group, rule.value.entropy), (1, Some(3.0)));
    assert_eq!(rule.place_of("regex").source.position(rule.place_of("regex").span.start).0, 16);
    assert_eq!(rule.error("allowlists[0].regexes[1]", "x").line, 23);
    assert_eq!(rule.error("keywords[7]", "x").line, 19);
    assert_eq!(config.allowlists[0].value.condition.as_deref(), Some("AND"));
}

/// Text, line, column, part of the message, help.
#[test]
fn mistakes_have_their_place() {
    let cases = [
        ("a = ", 1, 5, "", ""),
        ("x = 1", 1, 1, "unknown key `x` in this file", ""),
        ("[[rules]]\nid = 'a'\nregx = 'b'", 3, 1, "unknown key `regx` in a rule", "did you mean `regex`?"),
        ("[[rules]]\nid = 'a'\nregex = 'a(b'", 3, 11, "invalid regex: unclosed group", ""),
        ("[[rules]]\nid = 'a'\nregex = '''\nab[z-a]'''", 4, 4, "invalid regex", ""),
        ("[[rules]]\nid = 'a'\nregex = 'é\\q'", 3, 11, "invalid regex: unrecognized escape", ""),
        (
            "[[rules]]\nid = 'a'\nregex = 'b'\ncategory = 'tokn'",
            4,
            12,
            "unknown category `tokn`",
            "did you mean `token`?",
        ),
        ("[[rules]]\nid = 'a'\nregex = 'b'\nentropy = 'high'", 4, 11, "expected a number", ""),
        (
            "[[rules]]\nid = 'a'\nregex = 'b'\nkeywords = 'high'",
            4,
            12,
            "expected a list, found text",
            "brackets",
        ),
        ("[[rules]]\nid = 'a'\nregex = 'b'\nsecretGroup = -1", 4, 15, "not negative", ""),
        ("[[rules]]\nregex = 'b'", 1, 1, "needs an `id`", ""),
        ("[rules]\nid = 'a'", 1, 1, "expected a list of tables", "double brackets"),
        ("[[rules]]\nid = 'a'\nregex = 'b'\n[[rules]]\nid = 'a'\nregex = 'b'", 5, 6, "a second rule `a`", ""),
        (
            "[extend]\ndisabledRules = [\n 'github-pta']",
            3,
            2,
            "there is no rule `github-pta`",
            "did you mean `github-pat`?",
        ),
        ("[extend]\npath = 'no.toml'", 2, 8, "there is no file no.toml", "relative"),
        ("[extend]\nurl = 'https://x'", 2, 7, "not fetched from the network", "path"),
        ("[[allowlists]]\ndescription = 'd'", 1, 1, "allows nothing", ""),
        ("[[allowlists]]\npaths = ['(']", 2, 11, "invalid regex", ""),
        ("[[allowlists]]\npaths = ['a']\ncondition = 'XOR'", 3, 13, "unknown condition", "AND, OR"),
        (
            "[[allowlists]]\npaths = ['a']\nregexTarget = 'lines'",
            3,
            15,
            "unknown target",
            "did you mean `line`?",
        ),
        ("[scan]\nmax_file_size = '5X'", 2, 17, "is not a size", ""),
        ("[overrides.nope]\nenabled = false", 1, 12, "there is no rule `nope`", ""),
    ];
    for (text, line, column, message, help) in cases {
        let errors = ours(text).unwrap_err();
        let error = &errors[0];
        assert_eq!((error.line, error.column), (line, column), "{text}\n{error}");
        assert!(error.message.contains(message), "{text}\n{error}");
        assert!(error.help.as_deref().unwrap_or("").contains(help), "{text}\n{error}");
        assert!(error.source_text.is_some() && error.path == Path::new(".stanch.toml"));
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let errors = ours("x = 1\n[[rules]]\nid = 'a'\nregex = '('\n[[allowlists]]\n").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [4, 5, 1]);
    assert!(ours(&"[[rules]]\nid = 'a'\n".repeat(20_000)).unwrap_err().len() <= 100);
}

#[test]
fn gitleaks_dialect_is_lenient() {
    let config = theirs(
        r#"
title = "t"
minVersion = "v8.25.0"
[[rules]]
ID = "a"
Regex = '''x[[]\${{'''
keywords = "one,two"
secretgroup = "0"
unknown = 1
[rules.allowList]
StopWords = ["s"]
[[rules]]
id = "p"
path = '''\.p12$'''
[allowlist]
regexTarget = "match"
regexes = ['''a{,3}''']
"#,
    )
    .unwrap();
    assert!(!config.use_default);
    assert_eq!(ids(&config), ["a", "p"]);
    assert_eq!(config.rules[0].value.keywords, ["one", "two"]);
    assert_eq!(config.rules[0].value.regex.as_deref(), Some(r"x[\[]\$\{\{"));
    assert_eq!(config.rules[0].value.allowlists[0].stopwords, ["s"]);
    assert_eq!(config.allowlists[0].value.regexes, [r"a\{,3}"]);
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].message.contains("unknown key `unknown`"));
}

#[test]
fn a_gitleaks_file_without_rules_does_not_mean_clean() {
    let config = theirs("[[allowlists]]\npaths = ['x']\n").unwrap();
    assert!(config.use_default);
    assert_eq!(config.warnings.len(), 1);
    let config = theirs("[extend]\nuseDefault = true\ndisabledRules = ['theirs-only']\n").unwrap();
    assert!(config.use_default);
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].message.contains("there is no rule"));
}

#[test]
fn extended_files_are_merged() {
    let config = load_from(&[
        (".stanch.toml", "[extend]\npaths = ['packs/a.toml', 'packs/b.toml']\ndisabledRules = ['b2']\n[[rules]]\nid = 'a1'\nentropy = 4\ntags = ['mine']\n[scan]\nexclude = ['c']\n"),
        ("packs/a.toml", "[[rules]]\nid = 'a1'\nregex = 'abc'\ntags = ['base']\n[[allowlists]]\npaths = ['p']\n[scan]\nexclude = ['a']\nmax_age = 5\n"),
        ("packs/b.toml", "[extend]\npath = '../packs/./c.toml'\n[[rules]]\nid = 'b1'\nregex = 'b'\n[[rules]]\nid = 'b2'\nregex = 'b'\n"),
        ("packs/c.toml", "[[rules]]\nid = 'c1'\nregex = 'c'\n"),
    ])
    .unwrap();
    let mut found = ids(&config);
    found.sort_unstable();
    assert_eq!(found, ["a1", "b1", "c1"]);
    let merged = config.rules.iter().find(|rule| rule.value.id == "a1").unwrap();
    assert_eq!(merged.value.regex.as_deref(), Some("abc"));
    assert_eq!(merged.value.entropy, Some(4.0));
    assert_eq!(merged.value.tags, ["base", "mine"]);
    assert_eq!(merged.place_of("regex").source.path, Path::new("packs/a.toml"));
    assert_eq!(config.allowlists.len(), 1);
    assert_eq!(
        config.settings.exclude.iter().map(|text| text.value.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    assert_eq!(config.settings.max_age_days, Some(5));
    assert_eq!(config.files.len(), 4);
}

#[test]
fn loops_and_depth() {
    let errors = load_from(&[
        (".stanch.toml", "[extend]\npath = 'a.toml'\n"),
        ("a.toml", "[extend]\npath = './x/../.stanch.toml'\n"),
    ])
    .unwrap_err();
    assert!(errors[0].message.contains("loop") && errors[0].path == Path::new("a.toml"), "{errors:?}");

    let chain = |name: &str, next: &str| {
        format!("[extend]\npath = '{next}'\n[[rules]]\nid = '{name}'\nregex = 'xyz'\n")
    };
    let files =
        [chain("r0", "g1.toml"), chain("r1", "g2.toml"), chain("r2", "g3.toml"), chain("r3", "g4.toml")];
    let config = load_from(&[
        (".gitleaks.toml", &files[0]),
        ("g1.toml", &files[1]),
        ("g2.toml", &files[2]),
        ("g3.toml", &files[3]),
    ])
    .unwrap();
    let mut found = ids(&config);
    found.sort_unstable();
    assert_eq!(found, ["r0", "r1", "r2"]);
    assert_eq!(config.warnings.len(), 1);
    let long: Vec<(String, String)> = (0..12)
        .map(|n| {
            (
                if n == 0 { ".stanch.toml".into() } else { format!("f{n}.toml") },
                format!("[extend]\npath = 'f{}.toml'", n + 1),
            )
        })
        .collect();
    let long: Vec<(&str, &str)> = long.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(load_from(&long).unwrap_err()[0].message.contains("more than 8 files"));
}

#[test]
fn built_in_rules_can_be_changed() {
    use crate::rules::builtin;
    let Some(base) = builtin().iter().find(|rule| !rule.pattern.is_empty()) else {
        return;
    };
    let text = format!(
        "[[rules]]\nid = '{}'\nseverity = 'low'\n[[rules.allowlists]]\nstopwords = ['mine']\n",
        base.id
    );
    let config = ours(&text).unwrap();
    let merged = &merge_rules(&config, builtin())[0].value;
    assert_eq!(merged.regex.as_deref(), Some(base.pattern.as_ref()));
    assert_eq!(merged.severity.as_deref(), Some("low"));
    assert_eq!(merged.allowlists.len(), base.allowlists.len() + 1);
    // As written, a built-in rule is the same rule again.
    let known = |name: &str| crate::matcher::checksum::names().any(|known| known == name);
    for rule in builtin() {
        let again = crate::rules::compile::compile(
            &spec_of(rule),
            &Default::default(),
            crate::rules::compile::Strictness::User,
            &known,
        );
        assert_eq!(again.unwrap(), *rule);
    }
}

#[test]
fn nearest_configuration_wins() {
    let files = memory(&[
        (
            ".stanch.toml",
            "[scan]\nmin_confidence = 'high'\nexclude = ['/vendor/', '*.min.js']\n[overrides.github-pat]\nseverity = 'low'\n",
        ),
        (
            "pkg/.stanch.toml",
            "[scan]\nexclude = ['!keep.min.js', '/gen/']\n[overrides.github-pat]\nenabled = false\n",
        ),
        (
            "pkg/sub/.stanch.toml",
            "[scan]\nmin_confidence = 'low'\n[overrides.github-pat]\nenabled = true\nconfidence = 'low'\n",
        ),
        ("bad/.stanch.toml", "[scan]\nbaseline = 'x'\n[[rules]]\nid = 'x'\nregex = 'abc'\n"),
    ]);
    let base = load(&options(&files), Path::new(".stanch.toml"), Dialect::Stanch).unwrap();
    let source = TreeSource {
        files: Box::new(files),
        root: PathBuf::new(),
        builtin_ids: || vec!["github-pat".to_owned()],
    };
    let tree = Tree::new(base, source).unwrap();

    let of = |path: &str| tree.effective(path.as_bytes(), &["github-pat", "alias"]);
    let base_effective = Effective {
        min_confidence: Some(Confidence::High),
        enabled: true,
        severity: Some(Severity::Low),
        confidence: None,
    };
    assert_eq!(of("a"), base_effective);
    assert_eq!(of("pkgs/a"), base_effective);
    assert_eq!(of("pkg/a"), Effective { enabled: false, ..base_effective });
    assert_eq!(
        of("pkg/sub/a"),
        Effective {
            min_confidence: Some(Confidence::Low),
            confidence: Some(Confidence::Low),
            ..base_effective
        }
    );
    for (path, excluded, nested) in [
        ("vendor/x", true, false),
        ("pkg/vendor/x", false, false),
        ("a.min.js", true, false),
        ("pkg/gen/x", false, true),
        ("pkg/gen/keep.min.js", true, false),
        ("gen/x", false, false),
    ] {
        assert_eq!(
            (tree.excluded(path.as_bytes()), tree.excluded_by(path.as_bytes()).is_some()),
            (excluded, nested),
            "{path}"
        );
    }
    assert_eq!(tree.take_errors(), []);
    assert_eq!(of("bad/a"), base_effective);
    assert_eq!(of("bad/b"), base_effective);
    assert_eq!(tree.take_errors().iter().map(|error| error.line).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(of("../pkg/a"), base_effective);
}

#[test]
fn finds_ours_at_the_top_else_the_nearest_of_theirs() {
    let root = Path::new("/r");
    let found = |files: &[(&str, &str)], start: &str| {
        find(&memory(files), Path::new(start), root).map(|found| found.path)
    };
    let ours = [("/r/a/.stanch.toml", ""), ("/r/.stanch.toml", ""), ("/.stanch.toml", "")];
    assert_eq!(found(&ours, "/r/a/b"), Some("/r/.stanch.toml".into()));
    assert_eq!(found(&ours[..1], "/r/a/b"), None);
    assert_eq!(found(&ours[..1], "/r/b"), None);
    let theirs = [("/r/a/.gitleaks.toml", ""), ("/r/.gitleaks.toml", "")];
    assert_eq!(found(&theirs, "/r/a/b"), Some("/r/a/.gitleaks.toml".into()));
}
