//! The page for audits, without a browser; `tests/browser/html-report.sh` tests it in one.

use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest, Sha256};
use stanch::report::{Options, Report};

use super::fixtures::{clean, render, sample, skipped, summary};
use super::hostile::{NASTY, with_text};

fn page(report: &Report) -> String {
    render(report, "html", &Options::default())
}

/// What stands between `open` and the next `close`.
fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
    let start = page.find(open).unwrap_or_else(|| panic!("no {open}")) + open.len();
    let len = page[start..].find(close).unwrap_or_else(|| panic!("no {close}"));
    &page[start..start + len]
}

fn data(page: &str) -> Value {
    let json = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    serde_json::from_str(json).expect("the embedded data is JSON")
}

/// The page without its style and script: what reports fill in.
fn filled(page: &str) -> String {
    let style = between(page, "<style>", "</style>");
    let script = between(page, "<script>", "</script>");
    page.replacen(style, "", 1).replacen(script, "", 1)
}

fn hostile() -> Report {
    let findings = NASTY.iter().map(|nasty| with_text(nasty)).collect();
    let skipped = NASTY.iter().map(|nasty| skipped(nasty, "odd", true)).collect();
    let mut summary = summary();
    summary.scope = NASTY.iter().map(|nasty| (*nasty).to_owned()).collect();
    Report { findings, skipped, summary }
}

#[test]
fn the_policy_lets_only_the_pages_own_style_and_script_run() {
    let page = page(&sample());
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"")
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/");
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)));
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        policy.contains(&format!("style-src {};", hash(between(&page, "<style>", "</style>")))),
        "{policy}"
    );
    assert!(
        policy.contains(&format!("script-src {};", hash(between(&page, "<script>", "</script>")))),
        "{policy}"
    );
}

#[test]
fn the_page_loads_nothing() {
    for report in [sample(), clean(), hostile()] {
        let page = page(&report);
        let style = between(&page, "<style>", "</style>");
        assert!(!style.contains("url(") && !style.contains("@import"));
        for tag in filled(&page).split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
            for attribute in [" src=", " srcset=", " style=", " on", " data=", " action=", "link "] {
                assert!(!tag.contains(attribute) || tag.starts_with("meta "), "<{tag}>");
            }
        }
    }
}

#[test]
fn hostile_text_makes_no_elements() {
    let names = |page: &str| -> Vec<String> {
        let tags = page.split('<').skip(1);
        let mut names: Vec<_> = tags
            .map(|t| t.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '!' || *c == '/').collect())
            .collect();
        names.sort();
        names.dedup();
        names
    };
    // The browser knows the same elements for a tame report.
    let mut tame = hostile();
    tame.findings = NASTY.iter().map(|_| with_text("tame")).collect();
    tame.skipped = NASTY.iter().map(|_| skipped("tame", "odd", true)).collect();
    tame.summary.scope = NASTY.iter().map(|_| "tame".to_owned()).collect();
    let (wild, tame) = (filled(&page(&hostile())), filled(&page(&tame)));
    assert_eq!(names(&wild), names(&tame));
    assert_eq!(wild.matches("<script").count(), 2);
}

#[test]
fn every_reference_inside_the_page_leads_somewhere() {
    let page = filled(&page(&sample()));
    let mut seen = 0;
    for attribute in ["href=\"#", "aria-labelledby=\""] {
        for rest in page.split(attribute).skip(1) {
            for id in rest.split('"').next().unwrap_or_default().split(' ') {
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
                seen += 1;
            }
        }
    }
    assert!(seen > 12, "{seen}");
}

#[test]
fn the_page_is_evidence() {
    let page = page(&sample());
    for fact in [
        env!("CARGO_PKG_VERSION"),
        "0a1b2c3d",
        "000000000000000000000000000000000000feed",
        "2024-05-11T10:30:00Z",
        "1,204 files, 12.3 MB",
        "permission-denied",
        "makes the run incomplete",
        "left out as asked",
        "false-positive (baseline)",
        "Cy Dorn",
        "2024-04-30",
        "Reviewed by",
    ] {
        assert!(filled(&page).contains(fact), "{fact}");
    }
}

#[test]
fn the_embedded_data_is_that_of_the_json_format() {
    let data = data(&page(&sample()));
    let options = Options { suppressed: true, ..Options::default() };
    let json: Value = serde_json::from_str(&render(&sample(), "json", &options)).expect("JSON");
    let mut findings = json["findings"].clone();
    for finding in findings.as_array_mut().expect("an array") {
        let finding = finding.as_object_mut().expect("an object");
        finding.remove("remediation");
        finding.remove("email");
        for commit in ["first_seen", "last_seen"] {
            finding.get_mut(commit).and_then(Value::as_object_mut).and_then(|c| c.remove("email"));
        }
    }
    assert_eq!(data["findings"], findings);
    assert_eq!(data["rules"]["github-pat"], json["findings"][0]["remediation"]);
    let asked = render(&sample(), "html", &Options { personal_data: true, ..Options::default() });
    assert!(asked.contains("ana.lima@example.org") && !page(&sample()).contains("ana.lima@example.org"));
}

#[test]
fn the_verdict_fits_the_run() {
    let mut flagged = clean();
    flagged.summary.incomplete = true;
    assert!(page(&clean()).contains("No secrets found."));
    assert!(!page(&flagged).contains("No secrets found"));
    assert!(page(&flagged).contains("Incomplete: nothing was found"));
    assert!(page(&sample()).contains("7 secrets found, in an incomplete run."));
}

#[test]
fn a_timeline_only_when_there_are_dates() {
    assert!(
        page(&sample())
            .contains("From 2024-05-02 to 2024-05-10, 2 secrets entered the repository; 1 went out")
    );
    let mut undated = sample();
    undated.findings.iter_mut().for_each(|f| (f.life, f.commit) = (None, None));
    assert!(!page(&undated).contains("id=\"timeline\""));
}
