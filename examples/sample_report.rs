//! Writes a synthetic report, to look at a format and to test it with real readers:
//!
//! ```text
//! cargo run --example sample_report -- html 10000 > report.html
//! ```
//!
//! A third argument is `history` (the default), `scan` (no commits) or `hostile` (texts that try to
//! break out of the page).
//!
//! The findings are made up: no value in them is, or ever was, a secret.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use stanch::finding::{
    Category, Commit, Confidence, Finding, Life, Location, Position, Remediation, Secret, Severity, Skipped,
    Status, Suppression,
};
use stanch::report::{Format, Options, Report, Summary, write};

/// 2026-11-01T09:00:00Z.
const NOW: i64 = 1_793_523_600;
const DAY: i64 = 86_400;

struct Kind {
    rule: &'static str,
    description: &'static str,
    category: Category,
    severity: Severity,
    prefix: &'static str,
    before: &'static str,
    url: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        rule: "github-pat",
        description: "GitHub personal access token",
        category: Category::Token,
        severity: Severity::Critical,
        prefix: "ghp_",
        before: "GITHUB_TOKEN=",
        url: "https://github.com/settings/tokens",
    },
    Kind {
        rule: "aws-access-key",
        description: "AWS access key with its secret key",
        category: Category::ApiKey,
        severity: Severity::Critical,
        prefix: "AKIA",
        before: "aws_access_key_id = ",
        url: "https://console.aws.amazon.com/iam/home#/security_credentials",
    },
    Kind {
        rule: "postgres-url",
        description: "PostgreSQL connection string with a password",
        category: Category::ConnectionString,
        severity: Severity::High,
        prefix: "",
        before: "DATABASE_URL: postgres://app:",
        url: "",
    },
    Kind {
        rule: "pem-private-key",
        description: "Private key in PEM form",
        category: Category::Certificate,
        severity: Severity::High,
        prefix: "----",
        before: "",
        url: "",
    },
    Kind {
        rule: "stripe-live-key",
        description: "Stripe live secret key",
        category: Category::ApiKey,
        severity: Severity::Critical,
        prefix: "sk_l",
        before: "const stripe = new Stripe(\"",
        url: "https://dashboard.stripe.com/apikeys",
    },
    Kind {
        rule: "generic-password",
        description: "Hard-coded password",
        category: Category::Password,
        severity: Severity::Medium,
        prefix: "",
        before: "    password: '",
        url: "",
    },
    Kind {
        rule: "sentry-dsn",
        description: "Sentry DSN",
        category: Category::ConnectionString,
        severity: Severity::Low,
        prefix: "",
        before: "SENTRY_DSN=https://",
        url: "",
    },
    Kind {
        rule: "fernet-key",
        description: "Fernet encryption key",
        category: Category::EncryptionKey,
        severity: Severity::High,
        prefix: "",
        before: "FERNET_KEY = b'",
        url: "",
    },
];

const AUTHORS: &[&str] = &[
    "Ana Lima",
    "Bo Chen",
    "Cy Dorn",
    "Dana Okafor",
    "Émile Roux",
    "Farid Haddad",
    "Greta Holm",
    "build-bot",
    "Ísold Jóns",
];

const PATHS: &[&str] = &[
    "config/production.env",
    "deploy/k8s/secret.yaml",
    "src/settings.py",
    "terraform/modules/network/variables.tf",
    "services/billing/src/main/resources/application.properties",
    "docs/setup.md",
    "scripts/release.sh",
    "web/src/lib/payments/client.ts",
    "tests/fixtures/server.pem",
    ".github/workflows/deploy.yml",
];

/// A small generator (Knuth's constants): the same report on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[self.below(16) as usize])).collect()
    }
}

fn commit(random: &mut Random, time: i64) -> Commit {
    let author = *random.pick(AUTHORS);
    Commit {
        id: random.hex(40),
        author: author.into(),
        email: format!("{}@example.org", author.to_lowercase().replace(' ', ".")).into(),
        time,
        offset_minutes: 60,
    }
}

fn place(random: &mut Random, width: u64) -> Location {
    let (line, column) = (1 + random.below(400), 1 + random.below(30));
    Location {
        path: Some((*random.pick(PATHS)).into()),
        start: Position { line, column },
        end: Position { line, column: column + width },
        ..Location::default()
    }
}

fn life(random: &mut Random) -> Life {
    let age = 3 + random.below(2200) as i64;
    let entered = NOW - age * DAY;
    let first_seen = Some(commit(random, entered));
    let in_head = random.below(10) < 4;
    let stayed = if in_head { age } else { 1 + random.below(age as u64) as i64 };
    Life {
        first_seen,
        last_seen: (!in_head).then(|| commit(random, entered + stayed * DAY)),
        in_head,
        refs: vec!["refs/heads/main".into(), "refs/tags/v1.2.0".into()],
        unreachable: (!in_head && random.below(12) == 0).then_some("reflog"),
        blobs: 1 + random.below(9),
        paths: 1 + random.below(3),
        commits: 1 + random.below(6),
        age_days: Some(stayed),
    }
}

fn status(random: &mut Random) -> Status {
    match random.below(9) {
        0 => Status::Suppressed(Suppression::Baseline {
            status: "rotated".into(),
            reason: "Replaced after the audit of March".into(),
            by: (*random.pick(AUTHORS)).into(),
            on: "2026-03-14".into(),
        }),
        1 => Status::Suppressed(Suppression::Inline {
            marker: "stanch:allow".into(),
            reason: "test data".into(),
        }),
        _ => Status::New,
    }
}

/// Texts that would run, hide or mislead where they are not escaped.
const HOSTILE: &[&str] = &[
    "<script>window.owned = 1</script>",
    "\"><img src=x onerror=\"window.owned = 1\">",
    "</script><script>window.owned = 1</script>",
    "<!--<script>",
    "javascript:window.owned=1",
    "{{ 7 * 7 }}",
    "\u{202e}txt.exe\u{2069}",
    "\u{1b}[2Jclear",
];

/// Puts hostile text wherever text from a repository can stand.
fn spoil(random: &mut Random, f: &mut Finding) {
    let nasty = *random.pick(HOSTILE);
    f.location.path = Some(nasty.into());
    f.location.container = vec![nasty.into()];
    f.matched = (nasty.into(), nasty.into());
    f.description = nasty.into();
    f.rule = nasty.into();
    Arc::make_mut(&mut f.remediation).url = nasty.into();
    if let Some(life) = &mut f.life {
        life.refs = vec![format!("refs/heads/{nasty}")];
        for commit in [&mut life.first_seen, &mut life.last_seen].into_iter().flatten() {
            commit.author = nasty.into();
        }
    }
}

fn finding(random: &mut Random, history: bool) -> Finding {
    let kind = random.pick(KINDS);
    let value = format!("{}{}", kind.prefix, random.hex(36));
    let life = history.then(|| life(random));
    let more = random.below(4).saturating_sub(1);
    Finding {
        rule: kind.rule.into(),
        description: kind.description.into(),
        category: kind.category,
        severity: kind.severity,
        confidence: *random.pick(Confidence::ALL),
        location: place(random, value.len() as u64),
        secret: Secret::new(value.as_bytes(), kind.prefix.len()),
        matched: (kind.before.into(), "'".into()),
        fingerprint: random.hex(32),
        parts: Vec::new(),
        commit: life.as_ref().and_then(|l| l.first_seen.clone()).map(Box::new),
        life: life.map(Box::new),
        occurrences: (0..more).map(|_| place(random, 40)).collect(),
        status: status(random),
        remediation: Arc::new(Remediation {
            opens: format!("Whoever has it can act as its owner ({}).", kind.description),
            revoke: "Revoke it on the provider's page for credentials.".into(),
            rotate: "Create a new one with the least rights that do, and store it outside of the repository."
                .into(),
            url: kind.url.into(),
            command: String::new(),
            rotate_days: 90,
        }),
        reasons: vec!["checksum-valid", "near-keyword"],
        tags: Vec::new(),
    }
}

fn report(n: usize, mode: &str) -> Report {
    let history = mode != "scan";
    let mut random = Random(7);
    let skipped = |what: &str, reason, detail: &str, incomplete| Skipped {
        what: what.into(),
        reason,
        detail: detail.into(),
        incomplete,
    };
    let mut findings: Vec<_> = (0..n).map(|_| finding(&mut random, history)).collect();
    if mode == "hostile" {
        findings.iter_mut().for_each(|f| spoil(&mut random, f));
    }
    let unread = skipped(
        "backups/dump.zip!db.sql",
        "too-large",
        "4.1 GB after decompression; the limit is 1 GB",
        true,
    );
    let mut excluded: Vec<_> = (0..14)
        .map(|i| skipped(&format!("vendor/lib{i}.min.js"), "excluded", "by .stanch.toml", false))
        .collect();
    if n > 0 {
        excluded.push(unread);
    }
    Report {
        findings,
        skipped: excluded,
        summary: Summary {
            mode: if history { "history" } else { "scan" },
            scope: vec!["example/shop".into()],
            files: 48_211,
            bytes: 1_912_004_113,
            commits: if history { 9_321 } else { 0 },
            head: Some("9fceb02d0ae598e95dc970b74767f19372d61af8".into()),
            started: NOW,
            elapsed_ms: 3_870,
            rules: 312,
            rules_hash: "0a1b2c3d4e5f".into(),
            incomplete: false,
        },
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "html".into());
    let n = args.next().map_or(Ok(120), |n| n.parse())?;
    let mode = args.next().unwrap_or_else(|| "history".into());
    let format = Format::from_name(&name).ok_or("no such format")?;
    let options = Options { suppressed: true, ..Options::default() };
    let mut out = BufWriter::new(std::io::stdout().lock());
    write(&report(n, &mode), format, &options, &mut out)?;
    Ok(out.flush()?)
}
