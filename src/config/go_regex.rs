//! Go's regex syntax, which gitleaks' files use, in terms of the `regex` crate's.
//!
//! Both descend from RE2. Where they differ (from the documentation of Go's `regexp/syntax` and of
//! the `regex` crate): Go takes a `{` that begins no repetition literally, has `\Q…\E`, knows neither
//! nested classes nor `&&`, `--`, `~~` in them, and `\<` is an escaped `<`.

/// Rewrites a pattern. Mistakes in it stay, for the regex parser to report.
pub(super) fn translate(pattern: &str) -> String {
    rewrite(&mut Reader { rest: pattern, steps: 0, unclosed: false })
}

fn rewrite(reader: &mut Reader<'_>) -> String {
    let mut out = String::with_capacity(reader.rest.len() + 8);
    while let Some(c) = reader.next() {
        match c {
            '\\' => escape(reader, &mut out),
            '[' => class(reader, &mut out),
            '{' => out.push_str(if reader.is_repetition() { "{" } else { "\\{" }),
            _ => out.push(c),
        }
    }
    out
}

/// What is left of a pattern. Each character is looked at a few times at most, however long the pattern is.
struct Reader<'p> {
    rest: &'p str,
    /// Bytes looked at.
    steps: usize,
    /// Whether no `}` is left.
    unclosed: bool,
}

impl<'p> Reader<'p> {
    fn peek(&mut self) -> Option<char> {
        self.steps += 1;
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.next();
        }
        is_next
    }

    /// As many bytes, which end with a character.
    fn take(&mut self, len: usize) -> &'p str {
        self.steps += len;
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    /// `x{1F600}` or `p{Greek}`, if it is next.
    fn braced(&mut self) -> Option<&'p str> {
        self.steps += 2;
        if self.unclosed || !["x{", "p{", "P{"].iter().any(|start| self.rest.starts_with(start)) {
            return None;
        }
        let end = memchr::memchr(b'}', self.rest.as_bytes());
        if end.is_none() {
            self.steps += self.rest.len();
            self.unclosed = true;
        }
        Some(self.take(end? + 1))
    }

    /// Whether the `{` before begins a repetition: `3}`, `3,}` or `3,5}`.
    fn is_repetition(&mut self) -> bool {
        let text = self.rest.as_bytes();
        let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let low = digits(0);
        let end = match text.get(low) {
            Some(b',') => low + 1 + digits(low + 1),
            _ => low,
        };
        self.steps += end + 1;
        low > 0 && text.get(end) == Some(&b'}')
    }

    /// `[:alpha:]` and its like, if it is next.
    fn named(&mut self) -> Option<&'p str> {
        /// No name is longer.
        const LONGEST: usize = 13;
        self.steps += 2;
        let name = self.rest.strip_prefix("[:")?;
        self.steps += LONGEST;
        let end = name.as_bytes().windows(2).take(LONGEST).position(|pair| pair == b":]")?;
        Some(self.take(end + 4))
    }
}

/// Outside a class, behind a backslash.
fn escape(reader: &mut Reader<'_>, out: &mut String) {
    if reader.next_if('Q') {
        let end = reader.rest.find("\\E");
        out.push_str(&regex_syntax::escape(reader.take(end.unwrap_or(reader.rest.len()))));
        reader.take(end.map_or(0, |_| 2));
    } else if let Some(braced) = reader.braced() {
        out.push('\\');
        out.push_str(braced);
    } else {
        match reader.next() {
            Some(c @ ('<' | '>')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
}

/// Behind a `[`: the whole class, up to its `]`.
fn class(reader: &mut Reader<'_>, out: &mut String) {
    let whole = reader.rest;
    let mut class = String::from("[");
    if reader.next_if('^') {
        class.push('^');
    }
    let mut first = true;
    loop {
        match reader.peek() {
            // Unclosed: all that is left stays as it is, the parser will say so.
            None => return out.extend(["[", whole]),
            Some(']') if !first => break,
            Some(_) => item(reader, &mut class),
        }
        first = false;
    }
    reader.next();
    out.extend([&class, "]"]);
}

/// One item of a class: a character, an escape, a range, or a named class.
fn item(reader: &mut Reader<'_>, class: &mut String) {
    if let Some(named) = reader.named() {
        return class.push_str(named);
    }
    endpoint(reader, class);
    let mut ahead = reader.rest.chars();
    reader.steps += 2;
    if ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']') {
        reader.next();
        class.push('-');
        endpoint(reader, class);
    }
}

fn endpoint(reader: &mut Reader<'_>, class: &mut String) {
    match reader.next() {
        Some('\\') => match reader.next() {
            Some(c @ ('<' | '>')) => class.push(c),
            Some(c @ ('p' | 'P' | 'x')) if reader.peek() == Some('{') => {
                let end = memchr::memchr(b'}', reader.rest.as_bytes());
                class.extend(['\\', c]);
                class.push_str(reader.take(end.map_or(reader.rest.len(), |end| end + 1)));
            }
            Some('x') => {
                class.push_str("\\x");
                class.extend(reader.next());
                class.extend(reader.next());
            }
            Some(c @ ('p' | 'P')) => {
                class.extend(['\\', c]);
                class.extend(reader.next());
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

    /// Each of these used to be read to its end from every second or third character on.
    #[test]
    fn a_long_pattern_is_read_once() {
        let pieces =
            ["[", "[a]", "[^]", "{", "{1", "{1,", "{1,}", "\\x{", "\\p{a}", "[\\p{", "[[:", "[[:alpha:]]"];
        let more = ["[:", "\\Q", "\\Qa\\E", "[a-", "\\[", "a"];
        for piece in pieces.iter().chain(&more) {
            for end in ["", "}", "]", ":]"] {
                let pattern = piece.repeat(10_000) + end;
                let mut reader = Reader { rest: &pattern, steps: 0, unclosed: false };
                rewrite(&mut reader);
                assert!(reader.steps < 20 * pattern.len(), "{piece}…{end}: {} steps", reader.steps);
            }
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
