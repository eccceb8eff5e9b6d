//! What a configuration file says, field by field, before files are merged.

use std::ops::Range;

use toml::de::DeTable;

use super::go_regex;
use super::table::{Dialect, Reader, Table, Value, shown};
use super::{Located, RuleOverride, Settings};
use crate::finding::{Category, Confidence, Severity};
use crate::rules::spec::{AllowlistSpec, RemediationSpec, RequiredSpec, RuleSpec};

/// A file's content.
#[derive(Debug, Default)]
pub(super) struct FileContent {
    pub(super) extend: Extend,
    pub(super) rules: Vec<Located<RuleSpec>>,
    pub(super) allowlists: Vec<Located<AllowlistSpec>>,
    pub(super) overrides: Vec<Located<RuleOverride>>,
    pub(super) settings: Settings,
}

/// The table `[extend]`.
#[derive(Debug, Default)]
pub(super) struct Extend {
    /// None where the file does not say.
    pub(super) use_default: Option<bool>,
    pub(super) paths: Vec<Located<String>>,
    pub(super) disabled: Vec<Located<String>>,
}

impl Reader {
    /// Reads the whole file. Problems are in `errors` and `warnings` afterwards.
    pub(super) fn file(&mut self) -> FileContent {
        let source = self.source.clone();
        let mut content = FileContent::default();
        let parsed = match DeTable::parse(&source.text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let message = error.message().lines().next().unwrap_or("not valid TOML").to_owned();
                self.error(self.place(span).error(message));
                return content;
            }
        };
        let mut root = Table::new(parsed.get_ref(), parsed.span(), self.dialect);
        if let Some(mut table) = root.take(&["extend"]).and_then(|value| self.table(value)) {
            content.extend = self.extend(&mut table);
            table.finish(self, "[extend]");
        }
        if let Some(value) = root.take(&["rules"]) {
            content.rules = self.tables(value).into_iter().map(|table| self.rule(table)).collect();
        }
        content.allowlists = self.allowlists(&mut root, "", true);
        for known in ["title", "description", "minVersion"] {
            root.take(&[known]);
        }
        if self.dialect == Dialect::Stanch {
            self.our_tables(&mut root, &mut content);
        }
        root.finish(self, "this file");
        content
    }

    fn our_tables(&mut self, root: &mut Table<'_>, content: &mut FileContent) {
        if let Some(mut table) = root.take(&["scan"]).and_then(|value| self.table(value)) {
            content.settings = self.settings(&mut table);
            table.finish(self, "[scan]");
        }
        if let Some(mut table) = root.take(&["overrides"]).and_then(|value| self.table(value)) {
            for (id, span, value) in table.drain() {
                if let Some(table) = self.table(value) {
                    content.overrides.push(self.rule_override(id, span, table));
                }
            }
        }
    }

    fn extend(&mut self, table: &mut Table<'_>) -> Extend {
        let mut extend = Extend::default();
        extend.use_default = table.take(&["useDefault", "use_default"]).and_then(|value| self.boolean(value));
        if let Some(value) = table.take(&["path"])
            && let Some(path) = self.text(value)
        {
            extend.paths.push(Located::new(path, self.place(value.span())));
        }
        if self.dialect == Dialect::Stanch {
            let paths = table.take(&["paths"]).map(|value| self.located_texts(value)).unwrap_or_default();
            extend.paths.extend(paths);
        }
        if let Some(value) = table.take(&["url"])
            && value.get_ref().as_str() != Some("")
        {
            let error = self.place(value.span()).error("configurations are not fetched from the network");
            self.complain(error.with_help("commit the file and name it with `path`"));
        }
        extend.disabled = table
            .take(&["disabledRules", "disabled_rules"])
            .map(|value| self.located_texts(value))
            .unwrap_or_default();
        extend
    }

    fn located_texts(&mut self, value: Value<'_>) -> Vec<Located<String>> {
        self.texts(value).into_iter().map(|(text, span)| Located::new(text, self.place(span))).collect()
    }

    fn settings(&mut self, table: &mut Table<'_>) -> Settings {
        let confidences: Vec<&str> = Confidence::ALL.iter().map(|c| c.name()).collect();
        let mut settings = Settings::default();
        if let Some(value) = table.take(&["min_confidence"]) {
            let word = self.word(value, "confidence", &confidences);
            settings.min_confidence = word.and_then(|word| Confidence::from_name(&word));
        }
        if let Some(value) = table.take(&["max_file_size"]) {
            settings.max_file_size = self.size(value);
        }
        if let Some(value) = table.take(&["exclude"]) {
            settings.exclude = self.located_texts(value);
        }
        if let Some(value) = table.take(&["baseline"]) {
            settings.baseline = self.text(value).map(|text| Located::new(text, self.place(value.span())));
        }
        if let Some(value) = table.take(&["max_age"]) {
            settings.max_age_days = self.days(value);
        }
        settings
    }

    fn size(&mut self, value: Value<'_>) -> Option<u64> {
        if !value.get_ref().is_str() {
            return self.number(value).map(|n| n as u64);
        }
        let text = self.text(value)?;
        match parse_size(&text) {
            Some(size) => Some(size),
            None => {
                let error = self.place(value.span()).error(format!("`{}` is not a size", shown(&text)));
                self.error(error.with_help("write a number of bytes, or text such as \"50M\""));
                None
            }
        }
    }

    fn days(&mut self, value: Value<'_>) -> Option<u32> {
        if !value.get_ref().is_str() {
            return self.count(value);
        }
        let text = self.text(value)?;
        let days = text.strip_suffix('d').unwrap_or(&text).parse().ok();
        if days.is_none() {
            let error = self.place(value.span()).error(format!("`{}` is not a number of days", shown(&text)));
            self.error(error.with_help("write it like \"90d\""));
        }
        days
    }

    fn rule_override(
        &mut self,
        id: String,
        span: Range<usize>,
        mut table: Table<'_>,
    ) -> Located<RuleOverride> {
        let severities: Vec<&str> = Severity::ALL.iter().map(|s| s.name()).collect();
        let confidences: Vec<&str> = Confidence::ALL.iter().map(|c| c.name()).collect();
        let mut found = RuleOverride { id, ..RuleOverride::default() };
        found.enabled = table.take(&["enabled"]).and_then(|value| self.boolean(value));
        if let Some(word) =
            table.take(&["severity"]).and_then(|value| self.word(value, "severity", &severities))
        {
            found.severity = Severity::from_name(&word);
        }
        if let Some(word) =
            table.take(&["confidence"]).and_then(|value| self.word(value, "confidence", &confidences))
        {
            found.confidence = Confidence::from_name(&word);
        }
        table.finish(self, "an override");
        Located::new(found, self.place(span))
    }

    fn rule(&mut self, mut table: Table<'_>) -> Located<RuleSpec> {
        let mut rule = Located::new(RuleSpec::default(), self.place(table.span.clone()));
        if let Some(value) = table.take(&["id"]) {
            rule.place = self.place(value.span());
            rule.value.id = self.text(value).unwrap_or_default();
        }
        if rule.value.id.is_empty() {
            self.error(rule.place.error("a rule needs an `id`"));
        }
        self.rule_texts(&mut table, &mut rule);
        self.rule_numbers(&mut table, &mut rule);
        if let Some(value) = table.take(&["required"]) {
            rule.value.required = self.tables(value).into_iter().map(|table| self.required(table)).collect();
            rule.note("required", self.place(value.span()));
        }
        for (i, allowlist) in
            self.allowlists(&mut table, &rule.value.id.clone(), false).into_iter().enumerate()
        {
            let prefix = format!("allowlists[{i}]");
            rule.fields.push((prefix.clone(), allowlist.place));
            rule.fields.extend(
                allowlist.fields.into_iter().map(|(field, place)| (format!("{prefix}.{field}"), place)),
            );
            rule.value.allowlists.push(allowlist.value);
        }
        if let Some(mut remediation) = table.take(&["remediation"]).and_then(|value| self.table(value)) {
            rule.value.remediation = self.remediation(&mut remediation);
            remediation.finish(self, "a remediation");
        }
        table.finish(self, "a rule");
        rule
    }

    fn rule_texts(&mut self, table: &mut Table<'_>, rule: &mut Located<RuleSpec>) {
        let names = |all: Vec<&'static str>| all;
        let categories = names(Category::ALL.iter().map(|c| c.name()).collect());
        let severities = names(Severity::ALL.iter().map(|s| s.name()).collect());
        let confidences = names(Confidence::ALL.iter().map(|c| c.name()).collect());
        for field in ["description", "provider", "checksum", "regex", "path"] {
            let Some(value) = table.take(&[field]) else {
                continue;
            };
            rule.note(field, self.place(value.span()));
            let text = match field {
                "regex" | "path" => self.pattern(value),
                _ => self.text(value),
            };
            let text = text.filter(|text| !text.is_empty());
            match field {
                "description" => rule.value.description = text.unwrap_or_default(),
                "provider" => rule.value.provider = text,
                "checksum" => rule.value.checksum = text,
                "regex" => rule.value.regex = text,
                _ => rule.value.path = text,
            }
        }
        for (field, known) in
            [("category", &categories), ("severity", &severities), ("confidence", &confidences)]
        {
            let Some(value) = table.take(&[field]) else {
                continue;
            };
            rule.note(field, self.place(value.span()));
            let word = self.word(value, field, known);
            match field {
                "category" => rule.value.category = word,
                "severity" => rule.value.severity = word,
                _ => rule.value.confidence = word,
            }
        }
        for field in ["keywords", "tags", "aliases", "references", "match", "reject"] {
            let Some(value) = table.take(&[field]) else {
                continue;
            };
            rule.note(field, self.place(value.span()));
            let texts = self.texts(value).into_iter().enumerate().map(|(at, (text, span))| {
                rule.note(&format!("{field}[{at}]"), self.place(span));
                text
            });
            let texts = texts.collect();
            match field {
                "keywords" => rule.value.keywords = texts,
                "tags" => rule.value.tags = texts,
                "aliases" => rule.value.aliases = texts,
                "references" => rule.value.references = texts,
                "match" => rule.value.matches = texts,
                _ => rule.value.reject = texts,
            }
        }
    }

    fn rule_numbers(&mut self, table: &mut Table<'_>, rule: &mut Located<RuleSpec>) {
        if let Some(value) = table.take(&["secretGroup", "secret_group"]) {
            rule.note("secretGroup", self.place(value.span()));
            rule.value.secret_group = self.count(value).unwrap_or(0) as usize;
        }
        if let Some(value) = table.take(&["entropy"]) {
            rule.note("entropy", self.place(value.span()));
            rule.value.entropy = self.number(value);
        }
        if let Some(value) = table.take(&["prefix"]) {
            rule.note("prefix", self.place(value.span()));
            rule.value.prefix = self.count(value).map(|n| n as usize);
        }
        if let Some(value) = table.take(&["skipReport", "skip_report"]) {
            rule.value.skip_report = self.boolean(value).unwrap_or(false);
        }
    }

    fn required(&mut self, mut table: Table<'_>) -> RequiredSpec {
        let mut required = RequiredSpec::default();
        match table.take(&["id"]).and_then(|value| self.text(value)) {
            Some(id) if !id.is_empty() => required.id = id,
            _ => {
                let error = self.place(table.span.clone()).error("a required rule needs an `id`");
                self.error(error);
            }
        }
        required.within_lines =
            table.take(&["withinLines", "within_lines"]).and_then(|value| self.count(value));
        required.within_columns =
            table.take(&["withinColumns", "within_columns"]).and_then(|value| self.count(value));
        required.optional = table.take(&["optional"]).and_then(|value| self.boolean(value)).unwrap_or(false);
        table.finish(self, "a required rule");
        required
    }

    fn remediation(&mut self, table: &mut Table<'_>) -> RemediationSpec {
        let mut text = |name| table.take(&[name]).and_then(|value| self.text(value));
        let (opens, revoke, rotate) = (text("opens"), text("revoke"), text("rotate"));
        let (url, command) = (text("url"), text("command"));
        let rotate_days = table.take(&["rotate_days"]).and_then(|value| self.count(value));
        RemediationSpec { opens, revoke, rotate, url, command, rotate_days }
    }

    /// `[[allowlists]]`, or the older `[allowlist]`.
    fn allowlists(
        &mut self,
        table: &mut Table<'_>,
        owner: &str,
        global: bool,
    ) -> Vec<Located<AllowlistSpec>> {
        let many = table.take(&["allowlists"]);
        let one = table.take(&["allowlist"]);
        if let (Some(_), Some(old)) = (many, one) {
            let error = self.place(old.span()).error("both `allowlist` and `allowlists` are given");
            self.error(error.with_help("write every one as [[allowlists]]"));
        }
        let mut tables = many.map(|value| self.tables(value)).unwrap_or_default();
        tables.extend(one.and_then(|value| self.table(value)));
        tables.into_iter().map(|table| self.allowlist(table, owner, global)).collect()
    }

    fn allowlist(&mut self, mut table: Table<'_>, owner: &str, global: bool) -> Located<AllowlistSpec> {
        let mut list = Located::new(AllowlistSpec::default(), self.place(table.span.clone()));
        list.value.description =
            table.take(&["description"]).and_then(|value| self.text(value)).unwrap_or_default();
        if let Some(value) = table.take(&["condition"]) {
            list.value.condition = self.condition(value);
        }
        if let Some(value) = table.take(&["regexTarget", "regex_target"]) {
            list.value.regex_target = self.word(value, "target", &["secret", "match", "line"]);
        }
        for field in ["regexes", "paths", "commits", "stopwords", "targetRules"] {
            let names: &[&'static str] =
                if field == "targetRules" { &["targetRules", "target_rules"] } else { &[field] };
            if field == "targetRules" && !global {
                continue;
            }
            let Some(value) = table.take(names) else {
                continue;
            };
            list.note(field, self.place(value.span()));
            let texts = self.texts(value);
            for (i, (_, span)) in texts.iter().enumerate() {
                list.note(&format!("{field}[{i}]"), self.place(span.clone()));
            }
            let is_pattern = field == "regexes" || field == "paths";
            let texts = texts.into_iter().map(
                |(text, span)| {
                    if is_pattern { self.checked(text, span) } else { text }
                },
            );
            let texts: Vec<String> = texts.collect();
            match field {
                "regexes" => list.value.regexes = texts,
                "paths" => list.value.paths = texts,
                "commits" => list.value.commits = texts,
                "stopwords" => list.value.stopwords = texts,
                _ => list.value.target_rules = texts,
            }
        }
        let what = if global || owner.is_empty() { "an allowlist" } else { "a rule's allowlist" };
        let value = &list.value;
        let kinds = [&value.regexes, &value.paths, &value.commits, &value.stopwords];
        if kinds.iter().all(|kind| kind.is_empty()) {
            let error = list.place.error("this allowlist allows nothing");
            self.error(error.with_help("give `regexes`, `paths`, `stopwords` or `commits`"));
        }
        table.finish(self, what);
        list
    }

    fn condition(&mut self, value: Value<'_>) -> Option<String> {
        let text = self.text(value)?;
        match text.to_ascii_uppercase().as_str() {
            "" => None,
            "OR" | "||" => Some("OR".to_owned()),
            "AND" | "&&" => Some("AND".to_owned()),
            _ => {
                let error = self.place(value.span()).error(format!("unknown condition `{}`", shown(&text)));
                self.error(error.with_help("one of AND, OR"));
                None
            }
        }
    }

    fn pattern(&mut self, value: Value<'_>) -> Option<String> {
        self.text(value).map(|text| self.checked(text, value.span()))
    }

    /// Checks a regex (after translating it, in gitleaks' files) and points into it where it is wrong.
    fn checked(&mut self, text: String, span: Range<usize>) -> String {
        let pattern = match self.dialect {
            Dialect::Stanch => text.clone(),
            Dialect::Gitleaks => go_regex::translate(&text),
        };
        if let Err((at, reason)) = check_regex(&pattern) {
            let at = if pattern == text { at } else { None };
            let place = self.place(at.and_then(|at| self.inside(&span, &text, at)).unwrap_or(span));
            self.error(place.error(format!("invalid regex: {reason}")));
        }
        pattern
    }

    /// Where a part of a text stands in the file, if the text is written there without escapes.
    fn inside(&self, span: &Range<usize>, text: &str, at: Range<usize>) -> Option<Range<usize>> {
        let written = self.source.text.get(span.clone())?;
        let offset = written.find(text)?;
        let start = span.start + offset + at.start;
        Some(start..(span.start + offset + at.end).max(start + 1).min(span.end))
    }
}

/// Checks a regex as the rules and allowlists will read it: by ASCII classes, else by Unicode ones.
fn check_regex(pattern: &str) -> Result<(), (Option<Range<usize>>, String)> {
    let parse = |unicode| {
        let mut parser =
            regex_syntax::ParserBuilder::new().unicode(unicode).utf8(false).nest_limit(100).build();
        parser.parse(pattern)
    };
    let error = match parse(false) {
        Ok(_) => return Ok(()),
        Err(_) if parse(true).is_ok() => return Ok(()),
        Err(error) => error,
    };
    Err(match error {
        regex_syntax::Error::Parse(error) => {
            (Some(error.span().start.offset..error.span().end.offset), error.kind().to_string())
        }
        regex_syntax::Error::Translate(error) => {
            (Some(error.span().start.offset..error.span().end.offset), error.kind().to_string())
        }
        other => (None, other.to_string()),
    })
}

/// A number of bytes: digits and an optional K, M or G (powers of 1024), with or without B.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let shift = match text.get(digits.len()..)?.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}
