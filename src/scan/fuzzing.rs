//! What fuzz targets call: a whole content, as the program examines it.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Engine, Options, Session};
use crate::finding::{Confidence, Finding, Location};
use crate::matcher::decode;
use crate::matcher::fuzzing::expanded;
use crate::rules::RuleSet;
use crate::source::archive::Limits;
use crate::suppress::Policy;

pub use super::history::fuzzing::histories;

const PATHS: [&str; 12] = [
    "src/a.py",
    ".env",
    "tests/b.rs",
    "c.json",
    "docs/d.md",
    "deploy/e.yaml",
    ".npmrc",
    "id_rsa",
    ".htpasswd",
    "g.ipynb",
    "h.zip",
    "",
];

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let limits = Limits {
            depth: 4,
            total_bytes: 1 << 20,
            ratio: 20,
            ratio_free_bytes: 1 << 19,
            members: 200,
            memory: 4 << 20,
            time: Duration::from_secs(20),
        };
        let options = Options { min_confidence: Confidence::Low, limits, ..Options::default() };
        Engine::new(RuleSet::builtin(), Policy::of_nothing(), options)
    })
}

/// A file's content; its first byte chooses its name.
pub fn contents(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let content = &expanded(data)[..];
    let path = PATHS[usize::from(which) % PATHS.len()];
    let location =
        Location { path: Some(path).filter(|p| !p.is_empty()).map(Into::into), ..Location::default() };
    let whole = examined(content, None, &location);
    let lines = content.iter().filter(|&&b| b == b'\n').count() as u64 + 1;
    for finding in &whole {
        assert!(!finding.secret.is_empty());
        let (start, end) = (finding.location.start, finding.location.end);
        assert!(start <= end, "{finding:?}");
        if finding.location.container.is_empty() {
            assert!(end.line <= lines + 1, "{finding:?}");
        }
    }
    // The whole text as one region is the whole text.
    let region = decode::whole(content);
    let by_region = examined(content, Some(&region), &location);
    assert_eq!(names(&whole), names(&by_region));
}

fn examined(content: &[u8], regions: Option<&[std::ops::Range<usize>]>, location: &Location) -> Vec<Finding> {
    let mut session = Session::new(engine());
    session.examine_content(content, regions, location);
    session.outcome.sort();
    session.outcome.findings
}

fn names(findings: &[Finding]) -> Vec<(&str, &Location, usize)> {
    findings.iter().map(|f| (f.rule.as_str(), &f.location, f.secret.len())).collect()
}
