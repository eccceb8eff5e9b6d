//! A small JSON schema checker: the keywords that our own schema uses, and no others.
//!
//! The published validators would bring forty crates into the build.

use regex::Regex;
use serde_json::Value;

/// Every way in which `value` breaks `schema`, as `pointer: reason`.
pub fn violations(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        if let Some(reason) = broken(root, schema, keyword, wanted, value, at, found) {
            found.push(format!("{at}: {reason}"));
        }
    }
}

fn broken(
    root: &Value,
    schema: &Value,
    keyword: &str,
    wanted: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) -> Option<String> {
    let fits = match keyword {
        "$schema" | "title" | "description" | "$defs" => true,
        "$ref" => {
            let pointer = wanted.as_str().and_then(|r| r.strip_prefix('#')).expect("a local reference");
            check(root, root.pointer(pointer).expect("the reference leads somewhere"), value, at, found);
            true
        }
        "type" => has_type(value, wanted.as_str().expect("one type")),
        "const" => value == wanted,
        "enum" => wanted.as_array().expect("a list").contains(value),
        "minimum" => value.as_i64() >= wanted.as_i64(),
        "minLength" => {
            value.as_str().is_none_or(|s| s.chars().count() as u64 >= wanted.as_u64().unwrap_or(0))
        }
        "minItems" => value.as_array().is_none_or(|a| a.len() as u64 >= wanted.as_u64().unwrap_or(0)),
        "minProperties" => value.as_object().is_none_or(|o| o.len() as u64 >= wanted.as_u64().unwrap_or(0)),
        "pattern" => {
            let pattern = Regex::new(wanted.as_str().expect("a pattern")).expect("a valid pattern");
            value.as_str().is_none_or(|s| pattern.is_match(s))
        }
        "required" => {
            wanted.as_array().expect("a list").iter().all(|key| value.get(key.as_str().unwrap()).is_some())
        }
        "additionalProperties" => {
            let known = &schema["properties"];
            value.as_object().is_none_or(|o| o.keys().all(|key| known.get(key).is_some()))
        }
        "properties" => {
            for (key, schema) in wanted.as_object().expect("an object") {
                if let Some(member) = value.get(key) {
                    check(root, schema, member, &format!("{at}/{key}"), found);
                }
            }
            true
        }
        "items" => {
            for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                check(root, wanted, item, &format!("{at}/{i}"), found);
            }
            true
        }
        "oneOf" => {
            let fitting =
                wanted.as_array().expect("a list").iter().filter(|s| violations(root, s, value).is_empty());
            fitting.count() == 1
        }
        other => panic!("the checker does not know `{other}`"),
    };
    (!fits).then(|| format!("`{keyword}` wants {wanted}, got {value}"))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("the checker does not know the type `{other}`"),
    }
}
