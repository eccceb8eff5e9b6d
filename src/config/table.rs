//! Reading TOML tables by hand, so that every value keeps its place and every mistake is reported
//! with it: types, unknown keys, unknown words.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, SourceText, did_you_mean};

/// Which rules of reading apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `.stanch.toml`: unknown keys are errors.
    Stanch,
    /// gitleaks' files: keys in any case, lists may be one text, unknown keys are warnings.
    Gitleaks,
}

/// No more problems than this are collected: the rest repeats them.
pub(super) const MAX_PROBLEMS: usize = 50;

/// Collects what is wrong with one file.
pub(super) struct Reader {
    pub(super) source: Arc<SourceText>,
    pub(super) dialect: Dialect,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<ConfigError>,
}

/// A value of the file.
pub(super) type Value<'t> = &'t Spanned<DeValue<'t>>;

impl Reader {
    pub(super) fn new(source: Arc<SourceText>, dialect: Dialect) -> Self {
        Reader { source, dialect, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place { source: self.source.clone(), span }
    }

    pub(super) fn error(&mut self, error: ConfigError) {
        if self.errors.len() < MAX_PROBLEMS {
            self.errors.push(error);
        }
    }

    /// An error in our files, a warning in gitleaks'.
    pub(super) fn complain(&mut self, error: ConfigError) {
        match self.dialect {
            Dialect::Stanch => self.error(error),
            Dialect::Gitleaks if self.warnings.len() < MAX_PROBLEMS => self.warnings.push(error),
            Dialect::Gitleaks => {}
        }
    }

    fn wrong_type(&mut self, value: Value<'_>, expected: &str) {
        let found = match value.get_ref() {
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::String(_) => "text",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let error = self.place(value.span()).error(format!("expected {expected}, found {found}"));
        self.error(error);
    }

    pub(super) fn text(&mut self, value: Value<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.clone().into_owned()),
            _ => {
                self.wrong_type(value, "text in quotes");
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, value: Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            DeValue::String(text) if self.dialect == Dialect::Gitleaks && text.parse::<bool>().is_ok() => {
                text.parse().ok()
            }
            _ => {
                self.wrong_type(value, "true or false");
                None
            }
        }
    }

    /// A number that is not negative.
    pub(super) fn number(&mut self, value: Value<'_>) -> Option<f64> {
        let number = match value.get_ref() {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
            DeValue::Float(n) => n.as_str().parse().ok(),
            DeValue::String(text) if self.dialect == Dialect::Gitleaks => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(n) if n.is_finite() && n >= 0.0 => Some(n),
            _ => {
                self.wrong_type(value, "a number that is not negative");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, value: Value<'_>) -> Option<u32> {
        let number = self.number(value)?;
        if number.fract() == 0.0 && number <= f64::from(u32::MAX) {
            return Some(number as u32);
        }
        self.wrong_type(value, "a whole number");
        None
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&mut self, value: Value<'_>) -> Vec<(String, Range<usize>)> {
        match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| self.text(item).map(|text| (text, item.span()))).collect()
            }
            // gitleaks' reader splits a text where it expects a list.
            DeValue::String(text) if self.dialect == Dialect::Gitleaks => text
                .split(',')
                .filter(|part| !part.is_empty())
                .map(|part| (part.to_owned(), value.span()))
                .collect(),
            DeValue::String(_) => {
                let error = self
                    .place(value.span())
                    .error("expected a list, found text")
                    .with_help("put it in brackets: [\"…\"]");
                self.error(error);
                Vec::new()
            }
            _ => {
                self.wrong_type(value, "a list of texts");
                Vec::new()
            }
        }
    }

    /// The fields of a table.
    pub(super) fn table<'t>(&mut self, value: Value<'t>) -> Option<Table<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Table::new(table, value.span(), self.dialect)),
            _ => {
                self.wrong_type(value, "a table");
                None
            }
        }
    }

    /// The tables of a list of tables (`[[…]]`). One table alone is taken for a list of one in
    /// gitleaks' files only.
    pub(super) fn tables<'t>(&mut self, value: Value<'t>) -> Vec<Table<'t>> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| self.table(item)).collect(),
            DeValue::Table(_) if self.dialect == Dialect::Gitleaks => self.table(value).into_iter().collect(),
            DeValue::Table(_) => {
                let error = self.place(value.span()).error("expected a list of tables, found one table");
                self.error(error.with_help("write its header in double brackets: [[…]]"));
                Vec::new()
            }
            _ => {
                self.wrong_type(value, "a list of tables");
                Vec::new()
            }
        }
    }

    /// A word of a fixed set.
    pub(super) fn word(&mut self, value: Value<'_>, what: &str, known: &[&str]) -> Option<String> {
        let text = self.text(value)?;
        if known.contains(&text.as_str()) {
            return Some(text);
        }
        let help = did_you_mean(&text, known.iter().copied())
            .unwrap_or_else(|| format!("one of {}", known.join(", ")));
        let error =
            self.place(value.span()).error(format!("unknown {what} `{}`", shown(&text))).with_help(help);
        self.error(error);
        None
    }
}

/// Text from a file, made safe and short for a message.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().count() > 60 {
        shown.push('…');
    }
    shown
}

/// The fields of one table; those that nobody asked for are unknown.
pub(super) struct Table<'t> {
    fields: Vec<Field<'t>>,
    asked: Vec<&'static str>,
    dialect: Dialect,
    pub(super) span: Range<usize>,
}

struct Field<'t> {
    key: Cow<'t, str>,
    key_span: Range<usize>,
    value: Value<'t>,
    used: bool,
}

impl<'t> Table<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, span: Range<usize>, dialect: Dialect) -> Self {
        let field = |(key, value): (&'t Spanned<Cow<'t, str>>, Value<'t>)| Field {
            key: key.get_ref().clone(),
            key_span: key.span(),
            value,
            used: false,
        };
        let mut fields: Vec<Field<'t>> = table.iter().map(field).collect();
        fields.sort_by_key(|field| field.key_span.start);
        Table { fields, asked: Vec::new(), dialect, span }
    }

    /// The value of a key, if it is given. The first name is the one to suggest; others are accepted too.
    pub(super) fn take(&mut self, names: &[&'static str]) -> Option<Value<'t>> {
        self.asked.extend(names.first());
        let same = |key: &str, name: &str| match self.dialect {
            Dialect::Stanch => key == name,
            Dialect::Gitleaks => key.eq_ignore_ascii_case(name),
        };
        let field = self
            .fields
            .iter_mut()
            .find(|field| !field.used && names.iter().any(|name| same(&field.key, name)))?;
        field.used = true;
        Some(field.value)
    }

    /// The remaining fields, for tables whose keys are free.
    pub(super) fn drain(&mut self) -> Vec<(String, Range<usize>, Value<'t>)> {
        let open = self.fields.iter_mut().filter(|field| !field.used);
        open.map(|field| {
            field.used = true;
            (field.key.clone().into_owned(), field.key_span.clone(), field.value)
        })
        .collect()
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader, what: &str) {
        for field in self.fields.iter().filter(|field| !field.used) {
            let twice = self.asked.iter().any(|name| field.key.eq_ignore_ascii_case(name));
            let message = match twice && self.dialect == Dialect::Gitleaks {
                true => format!("key `{}` is given twice", shown(&field.key)),
                false => format!("unknown key `{}` in {what}", shown(&field.key)),
            };
            let mut error = reader.place(field.key_span.clone()).error(message);
            error.help = did_you_mean(&field.key, self.asked.iter().copied());
            reader.complain(error);
        }
    }
}
