//! `html`: one self-contained page, for an audit that people read, sort, print and file.
//!
//! The page loads nothing and, by its content security policy, could not: only the script and the
//! style that are part of it run. Numbers, charts, decisions and what was not read are plain HTML;
//! the table of findings is made by the script from JSON that is embedded as it is streamed.

mod context;
mod timeline;

use std::collections::BTreeMap;
use std::io;

use data_encoding::BASE64;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::escape::SafeJson;
use super::json::{Each, Extent, JsonRemediation, finding_with, remediation};
use super::view::View;

const TEMPLATE: &str = include_str!("template.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Where the template gives way to the data.
const DATA: &str = "<!--data-->";

/// Writes the page.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let (before, after) = TEMPLATE.split_once(DATA).unwrap_or((TEMPLATE, ""));
    let page = Page { csp: policy(), css: STYLE, js: SCRIPT, report: context::report(view) };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    render(&environment, before, &page, out)?;
    data(view, out)?;
    render(&environment, after, &page, out)
}

#[derive(Serialize)]
struct Page {
    csp: String,
    css: &'static str,
    js: &'static str,
    #[serde(flatten)]
    report: context::Context,
}

fn render(
    environment: &Environment<'_>,
    source: &str,
    page: &Page,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let template = environment.template_from_str(source).map_err(io::Error::other)?;
    match template.render_captured_to(page, out) {
        Ok(_) => Ok(()),
        // An error of the output keeps its kind: a full disk is not a bad template.
        Err(error) => match std::error::Error::source(&error).and_then(|e| e.downcast_ref::<io::Error>()) {
            Some(cause) => Err(io::Error::new(cause.kind(), error)),
            None => Err(io::Error::other(error)),
        },
    }
}

/// Nothing may be loaded, sent or run but the page's own style and script.
fn policy() -> String {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[derive(Serialize)]
struct Data<'a, F: Serialize> {
    /// Upper limits in days, and names, of the groups by age.
    ages: &'static [(Option<i64>, &'static str)],
    /// What to do, by rule.
    rules: BTreeMap<&'a str, JsonRemediation<'a>>,
    /// As in the `json` format, without what the rule says already.
    findings: F,
}

fn data(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = &view.report.findings;
    let extent = Extent { remediation: false, email: view.options.personal_data };
    let data = Data {
        ages: context::AGES,
        rules: findings
            .iter()
            .filter_map(|f| Some((f.rule.as_str(), remediation(&f.remediation)?)))
            .collect(),
        findings: Each(|| findings.iter().map(|f| finding_with(view, f, extent))),
    };
    data.serialize(&mut serde_json::Serializer::with_formatter(out, SafeJson::html()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_place_for_the_data() {
        assert_eq!(TEMPLATE.matches(DATA).count(), 1);
    }

    /// A `</script` or `<!--` in the script would end it early.
    #[test]
    fn style_and_script_cannot_end_their_elements() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }
}
