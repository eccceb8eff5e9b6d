//! Go's regex syntax, which gitleaks' files use, in terms of the `regex` crate's.
//!
//! Both descend from RE2. Where they differ (from the documentation of Go's `regexp/syntax` and of
//! the `regex` crate): Go takes a `{` that begins no repetition literally, has `\Q…\E`, knows neither
//! nested classes nor `&&`, `--`, `~~` in them, and `\<` is an escaped `<`.

use std::iter::Peekable;
use std::str::Chars;

/// Rewrites a pattern. Mistakes in it stay, for the regex parser to report.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, &mut out),
            '[' => class(after, &mut out),
            '{' => brace(after, &mut out),
            _ => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// Outside a class, behind a backslash.
fn escape<'p>(after: &'p str, out: &mut String) -> &'p str {
    if let Some(quoted) = after.strip_prefix('Q') {
        let (literal, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        out.push_str(&regex_syntax::escape(literal));
        return rest;
    }
    if let Some(braced) = braced_escape(after) {
        out.push('\\');
        out.push_str(braced);
        return &after[braced.len()..];
    }
    match after.chars().next() {
        Some(c @ ('<' | '>')) => out.push(c),
        Some(c) => out.extend(['\\', c]),
        None => out.push('\\'),
    }
    let skipped = after.chars().next().map_or(0, char::len_utf8);
    &after[skipped..]
}

/// `x{1F600}` or `p{Greek}` at the start of a text.
fn braced_escape(after: &str) -> Option<&str> {
    let is_braced = after.starts_with("x{") || after.starts_with("p{") || after.starts_with("P{");
    is_braced.then(|| after.find('}')).flatten().map(|end| &after[..=end])
}

/// Behind a `{`: a repetition stays, anything else is literal.
fn brace<'p>(after: &'p str, out: &mut String) -> &'p str {
    let repetition = after.split_once('}').is_some_and(|(inner, _)| {
        let (low, high) = inner.split_once(',').unwrap_or((inner, "0"));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        !low.is_empty() && digits(low) && digits(high)
    });
    out.push_str(if repetition { "{" } else { "\\{" });
    after
}

/// Behind a `[`: the whole class, up to its `]`.
fn class<'p>(after: &'p str, out: &mut String) -> &'p str {
    let mut chars = after.chars().peekable();
    let mut class = String::from("[");
    if chars.next_if_eq(&'^').is_some() {
        class.push('^');
    }
    let mut first = true;
    loop {
        match chars.peek() {
            // Unclosed: leave it as it is, the parser will say so.
            None => {
                out.push('[');
                return after;
            }
            Some(']') if !first => {
                chars.next();
                break;
            }
            Some(_) => item(&mut chars, &mut class),
        }
        first = false;
    }
    class.push(']');
    out.push_str(&class);
    let left: usize = chars.map(char::len_utf8).sum();
    &after[after.len() - left..]
}

/// One item of a class: a character, an escape, a range, or a named class.
fn item(chars: &mut Peekable<Chars<'_>>, class: &mut String) {
    if named(chars, class) {
        return;
    }
    endpoint(chars, class);
    let mut ahead = chars.clone();
    if ahead.next() == Some('-') && ahead.peek().is_some_and(|&next| next != ']') {
        chars.next();
        class.push('-');
        endpoint(chars, class);
    }
}

/// `[:alpha:]` and its like.
fn named(chars: &mut Peekable<Chars<'_>>, class: &mut String) -> bool {
    let text: String = chars.clone().take(16).collect();
    let Some(end) = text.strip_prefix("[:").and_then(|name| name.find(":]")) else {
        return false;
    };
    for c in chars.take(end + 4) {
        class.push(c);
    }
    true
}

fn endpoint(chars: &mut Peekable<Chars<'_>>, class: &mut String) {
    match chars.next() {
        Some('\\') => match chars.next() {
            Some(c @ ('<' | '>')) => class.push(c),
            Some(c @ ('p' | 'P' | 'x')) if chars.peek() == Some(&'{') => {
                class.extend(['\\', c]);
                for c in chars.by_ref() {
                    class.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
            Some('x') => {
                class.push_str("\\x");
                class.extend(chars.by_ref().take(2));
            }
            Some(c @ ('p' | 'P')) => {
                class.extend(['\\', c]);
                class.extend(chars.next());
            }
            Some(c) => class.extend(['\\', c]),
            None => class.push('\\'),
        },
        Some(c @ ('[' | ']' | '&' | '~' | '-' | '^')) => class.extend(['\\', c]),
        Some(c) => class.push(c),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (pattern, a text it matches whole, a text it does not)
    const CASES: &[(&str, &str, &str)] = &[
        (r"\${{ x }}", "${{ x }}", "$ x "),
        (r"a{2}b{1,}c{1,2}", "aabc", "abc"),
        (r"a{,2}", "a{,2}", "aa"),
        (r"{x", "{x", "x"),
        (r"\Qa.b[\E+", "a.b[[", "axb["),
        (r"[[]x[]]", "[x]", "xx"),
        (r"[]a]+", "]a", "b"),
        (r"[^]a]+", "bc", "]"),
        (r"[a&&b]+", "a&b", "c"),
        (r"[+--]+", "+,-", "."),
        (r"[--/]+", "-./", "0"),
        (r"[a-]+", "a-", "b"),
        (r"[\w.\-~]+", "a.-~", "!"),
        (r"[[:alpha:][:digit:]_]+", "a1_", "-"),
        (r"\<b\>", "<b>", "b"),
        (r"[\<\x41-\x43]+", "<ABC", "D"),
        (r"[a^]+", "a^", "b"),
        (r"\x{41}\p{Lu}{2}[\p{Lu}]", "ABCD", "Abcd"),
        ("(?P<n>a)(?i:B)", "ab", "aa"),
    ];

    #[test]
    fn means_what_go_means() {
        for (pattern, yes, no) in CASES {
            let regex = regex::Regex::new(&format!("^(?:{})$", translate(pattern)))
                .unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert!(regex.is_match(yes), "{pattern} should match {yes}: {}", translate(pattern));
            assert!(!regex.is_match(no), "{pattern} should not match {no}");
        }
    }

    #[test]
    fn mistakes_stay_mistakes() {
        for pattern in ["[a", "(", "\\", "*", "[", "[^", "\\Q"] {
            let translated = translate(pattern);
            assert_eq!(regex::Regex::new(&translated).is_err(), pattern != "\\Q", "{pattern} {translated}");
        }
    }
}
