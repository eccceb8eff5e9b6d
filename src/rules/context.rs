//! The grammar of context rules: a keyword, surroundings that all of them share, a value.
//!
//! [`pattern`] writes a rule's [`Context`] down as a regex, which says what the rule means: `explain`
//! shows it, and the tests search with it. The matcher reads the same grammar by hand
//! (`matcher::context`), because a thousand regexes of a hundred states each cost more memory and time
//! than all that the rest of a scan does. One thing a regex cannot say, as it does not look back: a keyword in
//! the midst of another word (`configmap`) is none, nor is one in the path of a repository before the id of a
//! commit (`matcher::context::is_chance`). `build.rs` includes this file, so it depends only on its siblings.

use super::rule::{Context, Others};

/// Words that say that a credential follows. No one begins another.
pub const CREDENTIAL_WORDS: [&str; 11] =
    ["api", "key", "token", "secret", "pass", "pwd", "auth", "bearer", "cred", "access", "private"];
/// Most bytes between a keyword and the credential word.
pub const BEFORE_CREDENTIAL: usize = 40;
/// Most bytes between the credential word and the byte in front of the value.
pub const AFTER_CREDENTIAL: usize = 14;
/// What follows a common word at once (a keyword that begins with `^`), so that each spelling is a literal of its
/// own and not the common word alone.
pub const FOLLOWERS: [&str; 6] = ["api", "token", "secret", "key", "access", "auth"];
/// What may join the words of a keyword; or nothing.
pub const JOINTS: [&str; 4] = ["_", "-", ".", " "];

/// Operators that assign, in the notations of code, configuration and markup.
const ASSIGN: &str =
    r#"["'`\]\)]{0,2}[ \t]{0,8}(?::{1,3}=|\?=|\|\|:?|=>|->|={1,3}|[:,>(])[ \t]{0,4}(?:\\?["'`]){0,3}"#;
/// What may stand before a value that is only near its keyword, when its shape says little.
const OPENER: &str = r#"[\s"'`=:({\[>,|]"#;
/// What may stand behind a value of unknown shape.
pub const MARK: &str = r#"(?:[\s"'`)}\]<,;&|\\]|\z)"#;
/// What may stand behind a value of known shape.
pub const NO_WORD: &str = r"(?:[^A-Za-z0-9_]|\z)";
/// A value of unknown shape, somewhere near: one word of letters, digits, `-` and `_`.
pub const WORD: &str = r"[A-Za-z0-9]{16,80}|[A-Za-z0-9][A-Za-z0-9_-]{16,126}[A-Za-z0-9_=-]";
/// A value of unknown shape, right beside its keyword.
pub const PLAIN: &str = r"[A-Za-z0-9]{20,80}|[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}";
/// A value of unknown shape, assigned: base64 and dotted forms too.
pub const ASSIGNED: &str = r"[A-Za-z0-9_+/.=~:-]{14,600}";

/// A value of another shape than its provider's known ones: what keys look like everywhere.
pub const SOLID: &str = r"[A-Za-z0-9]{20,80}|[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}|[A-Za-z0-9][A-Za-z0-9_-]{30,126}[A-Za-z0-9]";

/// The regex of a context rule. Its first group that took part is the value.
pub fn pattern(context: &Context) -> String {
    let keywords: Vec<&str> = context.keywords.iter().map(AsRef::as_ref).collect();
    let keyword = keywords_pattern(&keywords);
    let named = format!(r"{keyword}[\w.\-]{{0,24}}{ASSIGN}(?i:bearer |token |basic )?");
    let near = near_pattern(&keywords);
    // `mixpanel 0123…`, `jira token 'Ab12…'`: next to the keyword, one word between at most.
    let beside = format!(r"{keyword}\W{{1,4}}(?:\w{{1,12}}\W{{1,3}})?");
    let value = format!("({}){NO_WORD}", context.value);
    let solid = || format!("(?:{near}{OPENER}|{named}|{beside})({SOLID}){MARK}");
    let any = || format!("{near}{OPENER}({WORD}){MARK}|{named}({ASSIGNED}){MARK}|{beside}({PLAIN}){MARK}");
    let shaped = || format!("(?:{near}[^0-9A-Za-z]|{named}|{beside}){value}");
    match (context.near, context.value.is_empty(), context.others) {
        (true, true, _) => format!("(?:{})", any()),
        (true, false, Others::Any) => format!("(?:{}|{})", shaped(), any()),
        (true, false, Others::Solid) => format!("(?:{}|{})", shaped(), solid()),
        (true, false, Others::None) => shaped(),
        (false, true, _) => format!("{named}({ASSIGNED}){MARK}"),
        (false, false, _) => format!("{named}{value}"),
    }
}

/// A keyword, and within some bytes a credential word; a common word as keyword must be followed by
/// the credential word at once (see [`keyword_pattern`]).
fn near_pattern(keywords: &[&str]) -> String {
    let (common, plain): (Vec<&str>, Vec<&str>) = keywords.iter().partition(|k| k.starts_with('^'));
    let credential = format!("(?i:{})", CREDENTIAL_WORDS.join("|"));
    let mut ways = Vec::new();
    if !plain.is_empty() {
        ways.push(format!(
            r"{}(?s-u:.{{0,{BEFORE_CREDENTIAL}}}?){credential}(?s-u:.{{0,{AFTER_CREDENTIAL}}}?)",
            keywords_pattern(&plain)
        ));
    }
    if !common.is_empty() {
        ways.push(format!(r"{}(?s-u:.{{0,{BEFORE_CREDENTIAL}}}?)", keywords_pattern(&common)));
    }
    format!("(?:{})", ways.join("|"))
}

fn keywords_pattern(keywords: &[&str]) -> String {
    let keywords: Vec<String> = keywords.iter().map(|keyword| keyword_pattern(keyword)).collect();
    format!("(?i:{})", keywords.join("|"))
}

/// The words of a keyword, which may be joined by any of [`JOINTS`] or nothing.
pub fn words(keyword: &str) -> impl Iterator<Item = &str> {
    keyword.split(['-', '_', '.', ' ']).filter(|word| !word.is_empty())
}

/// The regex of one keyword, without its `(?i)`. A leading `^` marks a common word: it must begin a
/// word, and one of [`FOLLOWERS`] must follow.
pub fn keyword_pattern(keyword: &str) -> String {
    let Some(common) = keyword.strip_prefix('^') else {
        return words(keyword).map(regex_syntax::escape).collect::<Vec<_>>().join("[-_. ]?");
    };
    let joints = std::iter::once("").chain(JOINTS);
    let spelled = joints.flat_map(|joint| FOLLOWERS.iter().map(move |follower| (joint, follower)));
    let all: Vec<String> = spelled
        .map(|(joint, follower)| {
            format!("{}{}{follower}", regex_syntax::escape(common), regex_syntax::escape(joint))
        })
        .collect();
    format!(r"(?:\b|_)(?:{})", all.join("|"))
}
