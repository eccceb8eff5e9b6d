//! Synthetic reports. No value here is a real secret; all are put together when the tests run.

use std::sync::Arc;

use bstr::BString;
use stanch::finding::{
    Category, Commit, Confidence, Finding, Life, Location, MessageKind, Position, Remediation, Secret,
    Severity, Skipped, Status, Suppression,
};
use stanch::report::{Format, Options, Report, Summary, write};

/// 2024-05-01T10:30:00Z.
const INTRODUCED: i64 = 1_714_559_400;

/// A token with a public prefix, different for each `n`.
pub fn token(n: usize) -> String {
    format!("{}{}_{:036}", "gh", "p", n * 7919 + 1)
}

/// A report as the library writes it.
pub fn render(report: &Report, format: &str, options: &Options) -> String {
    String::from_utf8(render_bytes(report, format, options)).expect("reports are UTF-8")
}

/// [`render`], as bytes.
pub fn render_bytes(report: &Report, format: &str, options: &Options) -> Vec<u8> {
    let format = Format::from_name(format).expect("a known format");
    let mut out = Vec::new();
    write(report, format, options, &mut out).expect("memory takes everything");
    out
}

pub fn at(path: &[u8], line: u64, column: u64, len: u64) -> Location {
    Location {
        path: Some(BString::from(path)),
        start: Position { line, column },
        end: Position { line, column: column + len },
        ..Location::default()
    }
}

/// A GitHub token in a file of the worktree.
pub fn github(n: usize) -> Finding {
    Finding {
        rule: "github-pat".into(),
        description: "GitHub personal access token".into(),
        category: Category::Token,
        severity: Severity::Critical,
        confidence: Confidence::High,
        location: at(b"config/prod.env", 12, 9, 53),
        secret: Secret::new(token(n).as_bytes(), 4),
        matched: ("GITHUB_TOKEN=\"".into(), "\"".into()),
        fingerprint: format!("{:012x}{:020x}", 0x3fa9_c2d1_e0b7_u64 + n as u64, 0),
        parts: Vec::new(),
        commit: None,
        life: None,
        occurrences: Vec::new(),
        status: Status::New,
        remediation: Arc::new(Remediation {
            opens: "Opens the repositories of its owner.".into(),
            revoke: "Delete it on the token page of the account.".into(),
            rotate: "Create a fine-grained token with fewer rights.".into(),
            url: "https://github.com/settings/tokens".into(),
            command: String::new(),
            rotate_days: 90,
        }),
        reasons: vec!["checksum-valid", "near-keyword"],
        tags: vec!["github".into()],
    }
}

/// A password with no public prefix.
pub fn password() -> Finding {
    Finding {
        rule: "generic-password".into(),
        description: "Hard-coded password".into(),
        category: Category::Password,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        location: at(b"src/db.py", 3, 1, 30),
        secret: Secret::new(format!("{}{}", "correct-horse", "-battery").as_bytes(), 0),
        matched: ("\tDB_PASSWORD = '".into(), "'".into()),
        fingerprint: format!("{:032x}", 0xc05_39d2_7712_u128 << 80),
        remediation: Arc::default(),
        reasons: Vec::new(),
        tags: Vec::new(),
        ..github(0)
    }
}

pub fn commit(n: u64, author: &str) -> Commit {
    Commit {
        id: format!("{:016x}{n:024x}", 0x1a2b_3c4d_5e6f_7080_u64 + n),
        author: author.into(),
        email: format!("{}@example.org", author.to_lowercase().replace(' ', ".")).into(),
        time: INTRODUCED + n as i64 * 86_400,
        offset_minutes: 120,
    }
}

/// A token that went through the history and is gone from HEAD.
pub fn historic(n: usize) -> Finding {
    Finding {
        commit: Some(Box::new(commit(1, "Ana Lima"))),
        life: Some(Box::new(Life {
            first_seen: Some(commit(1, "Ana Lima")),
            last_seen: Some(commit(9, "Bo Chen")),
            in_head: false,
            refs: ["main", "dev", "a", "b"].iter().map(|r| format!("refs/heads/{r}")).collect(),
            unreachable: None,
            blobs: 3,
            paths: 2,
            commits: 4,
            age_days: Some(8),
        })),
        occurrences: vec![at(b"config/old.env", 2, 1, 53)],
        ..github(n)
    }
}

/// Findings in every kind of place, some of them awkward.
pub fn sample() -> Report {
    let stdin = Finding { location: Location { path: None, ..github(3).location }, ..github(3) };
    let message = Finding {
        commit: Some(Box::new(commit(2, "Ana Lima"))),
        location: Location {
            path: None,
            message_kind: Some(MessageKind::Commit),
            start: Position { line: 3, column: 5 },
            end: Position { line: 3, column: 45 },
            ..Location::default()
        },
        ..github(4)
    };
    let container = Finding {
        location: Location {
            container: vec!["lib.tar".into(), "etc/app.yml".into()],
            decoded: vec!["base64", "gzip"],
            ..at(b"dist/app.zip", 7, 2, 40)
        },
        parts: vec![("github-app-id".into(), at(b"dist/app.zip", 6, 2, 9))],
        ..github(5)
    };
    let bytes = Finding { location: at(b"caf\xe9/\xff.env", 1, 1, 40), ..github(6) };
    Report {
        findings: vec![github(1), password(), historic(2), stdin, message, container, bytes, suppressed()],
        skipped: vec![
            skipped("etc/shadow", "permission-denied", true),
            skipped("big.iso", "excluded", false),
        ],
        summary: summary(),
    }
}

pub fn suppressed() -> Finding {
    let suppression = Suppression::Baseline {
        status: "false-positive".into(),
        reason: "Test data".into(),
        by: "Cy Dorn".into(),
        on: "2024-04-30".into(),
    };
    Finding {
        status: Status::Suppressed(suppression),
        location: at(b"tests/data.txt", 4, 1, 40),
        ..github(8)
    }
}

pub fn skipped(what: &str, reason: &'static str, incomplete: bool) -> Skipped {
    Skipped { what: what.into(), reason, detail: format!("{what} was not read"), incomplete }
}

/// A run that could read everything.
pub fn summary() -> Summary {
    Summary {
        mode: "scan",
        scope: vec![".".into()],
        files: 1204,
        bytes: 12_345_678,
        commits: 0,
        head: Some(format!("{:040x}", 0xfeed)),
        started: INTRODUCED + 864_000,
        elapsed_ms: 120,
        rules: 60,
        rules_hash: "0a1b2c3d".into(),
        incomplete: false,
    }
}

/// A clean run.
pub fn clean() -> Report {
    Report { summary: summary(), ..Report::default() }
}
