//! Values that stand for a secret and are none: words that everybody writes, masks, runs, sequences.

use std::sync::LazyLock;

use crate::matcher::generic::words::{Group, bit, groups_of};

/// Words that make up placeholders. A value made only of these and of filler is one.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "passw",
    "secret",
    "token",
    "apikey",
    "apitoken",
    "key",
    "keys",
    "api",
    "auth",
    "access",
    "client",
    "private",
    "public",
    "credential",
    "credentials",
    "creds",
    "cred",
    "user",
    "username",
    "login",
    "admin",
    "root",
    "guest",
    "example",
    "sample",
    "dummy",
    "fake",
    "mock",
    "test",
    "testing",
    "tests",
    "tester",
    "demo",
    "foo",
    "bar",
    "baz",
    "qux",
    "foobar",
    "your",
    "my",
    "our",
    "the",
    "a",
    "an",
    "this",
    "is",
    "here",
    "some",
    "any",
    "insert",
    "enter",
    "change",
    "changeme",
    "changeit",
    "changethis",
    "replace",
    "replaceme",
    "todo",
    "fixme",
    "tbd",
    "placeholder",
    "redacted",
    "removed",
    "masked",
    "hidden",
    "filtered",
    "omitted",
    "censored",
    "null",
    "none",
    "nil",
    "undefined",
    "empty",
    "blank",
    "default",
    "value",
    "string",
    "text",
    "random",
    "invalid",
    "wrong",
    "incorrect",
    "bad",
    "valid",
    "good",
    "right",
    "correct",
    "real",
    "new",
    "old",
    "current",
    "another",
    "other",
    "not",
    "no",
    "me",
    "it",
    "to",
    "in",
    "of",
    "with",
    "for",
    "abc",
    "xyz",
    "abcd",
    "abcdef",
    "qwerty",
    "asdf",
    "asdfgh",
    "zxcv",
    "letmein",
    "pa55word",
    "p4ssw0rd",
    "passw0rd",
    "p@ssw0rd",
    "secure",
    "strong",
    "opensesame",
    "sesame",
    "open",
    "super",
    "top",
    "very",
    "long",
    "id",
    "name",
    "type",
    "field",
    "bearer",
    "basic",
    "authorization",
    "header",
    "hash",
    "hashed",
    "encrypted",
    "encoded",
    "base",
    "hex",
    "github",
    "gitlab",
    "aws",
    "google",
    "azure",
    "slack",
    "stripe",
    "openai",
    "db",
    "database",
    "app",
    "application",
    "service",
    "account",
    "consumer",
    "shared",
    "signing",
    "oauth",
    "refresh",
    "generated",
    "temp",
    "temporary",
    "tmp",
    "fill",
    "set",
    "add",
    "put",
    "use",
    "from",
    "unit",
    "integration",
    "e2e",
    "spec",
    "fixture",
    "stub",
    "first",
    "second",
    "one",
    "two",
    "three",
    "expected",
    "actual",
    "result",
    "word",
    "code",
    "data",
    "something",
    "anything",
    "whatever",
    "должен",
    "пароль",
    "密码",
    "パスワード",
    "contraseña",
    "senha",
    "passwort",
    "geheim",
    "kennwort",
    "motdepasse",
    "secreto",
    "clave",
    "myapp",
    "ok",
    "yes",
    "on",
    "off",
    "true",
    "false",
];

/// Why a value is a placeholder; None if nothing says so. The reason is a short stable name.
pub fn placeholder(value: &[u8]) -> Option<&'static str> {
    as_a_whole(value).or_else(|| in_part(value))
}

/// Why a part of a value, or what is left behind its first marks, was never drawn at random.
fn in_part(value: &[u8]) -> Option<&'static str> {
    if has_repeats(value) {
        return Some("repeated");
    }
    has_sequence(value).then_some("sequence")
}

/// Why a value as a whole is a placeholder. For rules of which nobody knows what their values begin with.
pub fn as_a_whole(value: &[u8]) -> Option<&'static str> {
    if value.is_empty() {
        return Some("empty");
    }
    if value.starts_with(b"<") && value.ends_with(b">")
        || value.starts_with(b"[") && value.ends_with(b"]")
        || value.starts_with(b"&lt;")
    {
        return Some("in-brackets");
    }
    if is_mask(value) || !String::from_utf8_lossy(value).chars().any(char::is_alphanumeric) {
        return Some("masked");
    }
    if has_example_word(value) {
        return Some("example-word");
    }
    if is_repeated(value) {
        return Some("repeated");
    }
    if is_sequence(value) {
        return Some("sequence");
    }
    if only_words(value) {
        return Some("placeholder-words");
    }
    None
}

/// `****`, `xxxx`, `....`, `XXXX-XXXX`, a mask with a few letters left of it.
fn is_mask(value: &[u8]) -> bool {
    let masks =
        value.iter().filter(|&&b| matches!(b, b'x' | b'X' | b'*' | b'.' | b'-' | b'?' | b'_' | b'#')).count();
    let stars = value.iter().filter(|&&b| b == b'*').count();
    let has = |mark: &str| memchr::memmem::find(value, mark.as_bytes()).is_some();
    let bullets = !value.is_ascii() && (has("\u{2022}") || has("\u{2026}"));
    let run = longest_run(value, |b| matches!(b, b'x' | b'X' | b'*' | b'.' | b'?' | b'#' | b'_'));
    masks == value.len() || stars >= 3 || bullets || run >= 5 || run >= 3 && value.ends_with(b"...")
}

/// Longest run of equal bytes that `of` accepts.
fn longest_run(value: &[u8], of: impl Fn(u8) -> bool) -> usize {
    let (mut best, mut run, mut last) = (0, 0, 0);
    for &b in value {
        run = if b == last && of(b) { run + 1 } else { usize::from(of(b)) };
        best = best.max(run);
        last = b;
    }
    best
}

/// Words that nobody writes into a real secret, anywhere in it.
const SURE: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replace_me",
    "replaceme",
    "replace-me",
    "your_",
    "your-",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourkey",
    "yourapi",
    "your ",
    "<your",
    "dummy",
    "redacted",
    "_here",
    "-here",
    "insert_",
    "todo",
    "fixme",
    "not-a-real",
    "notreal",
    "not_real",
    "fake",
    "foobar",
    "sample",
    "my_pass",
    "my-pass",
    "mypass",
    "my_secret",
    "my-secret",
    "mysecret",
    "my_token",
    "my-token",
    "mytoken",
    "mykey",
    "my_key",
    "my-key",
    "enter_",
    "abc123",
    "notasecret",
    "xxxx",
    "lorem",
    "some_",
    "some-",
];

/// Words by their first byte (`a` to `z`; the last slot for the rest), and which pairs of bytes one begins with: most
/// places of a value need no more than that look.
struct Index {
    words: [Vec<&'static [u8]>; 27],
    pairs: Vec<u64>,
}

impl Index {
    fn of(words: &[&'static str]) -> Index {
        let mut index = Index { words: Default::default(), pairs: vec![0; 1 << 10] };
        for word in words {
            if let &[first, second, ..] = word.as_bytes() {
                index.words[slot(first)].push(word.as_bytes());
                index.pairs[pair(first, second) >> 6] |= 1 << (pair(first, second) & 63);
            }
        }
        index
    }

    /// The words that may stand at the beginning of a text; all of them have two bytes at least.
    fn at(&self, text: &[u8]) -> &[&'static [u8]] {
        match *text {
            [a, b, ..] if self.pairs[pair(a, b) >> 6] >> (pair(a, b) & 63) & 1 != 0 => &self.words[slot(a)],
            _ => &[],
        }
    }
}

fn slot(byte: u8) -> usize {
    if byte.is_ascii_lowercase() { usize::from(byte - b'a') } else { 26 }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

static SURE_INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(SURE));
static WORD_INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(WORDS));

fn has_example_word(value: &[u8]) -> bool {
    let mut lower = [0_u8; 256];
    let n = value.len().min(lower.len());
    lower[..n].copy_from_slice(&value[..n]);
    lower[..n].make_ascii_lowercase();
    let index = &*SURE_INDEX;
    (0..n).any(|at| index.at(&lower[at..n]).iter().any(|word| lower[at..n].starts_with(word)))
}

/// One byte, or one short block, over and over: `aaaa`, `abcabcabc`, `deadbeefdeadbeef`.
pub(crate) fn is_repeated(value: &[u8]) -> bool {
    if value.len() < 4 {
        return value.windows(2).all(|w| w[0] == w[1]);
    }
    (1..=value.len().min(64) / 2).any(|period| {
        (value.len() >= 2 * period + period.min(2) || value.len().is_multiple_of(period))
            && value.iter().skip(period).zip(value).all(|(a, b)| a == b)
    })
}

/// A part that nobody would draw: one letter eight times, one digit thirteen times (account numbers hold shorter
/// runs), or the same few characters for most of the value.
///
/// Zeros in base64 are the letter `A`: these count for nothing, as do lines of dashes and margins.
fn has_repeats(value: &[u8]) -> bool {
    const LONGEST: usize = 256;
    let value = &value[..value.len().min(LONGEST)];
    (1..=8).any(|period| {
        let blocks = (value.len() * 3 / 5).max(3 * period).max(14);
        let (mut run, mut longest) = (period, 0);
        for (at, &b) in value.iter().enumerate().skip(period) {
            let counts = b.is_ascii_alphanumeric() && b != b'A' || period > 1 && !b.is_ascii_whitespace();
            let goes_on = b == value[at - period] && counts;
            run = if goes_on { run + 1 } else { period };
            // For one character, digits count a little more than half.
            longest = longest.max(if period == 1 && b.is_ascii_digit() { run * 8 / 13 } else { run });
        }
        longest >= if period == 1 { 8 } else { blocks }
    })
}

/// Ten or more characters in the order of the alphabet or of the digits, anywhere; or a part behind a mark that is
/// a sequence and most of the value.
fn has_sequence(value: &[u8]) -> bool {
    let mut run = 1;
    let rises = value.windows(2).any(|w| {
        run = if w[1] == w[0].wrapping_add(1) || w == b"90" { run + 1 } else { 1 };
        run >= 10
    });
    let marks = |b: &u8| matches!(b, b'-' | b'_' | b'.' | b':');
    let last = value.rsplit(marks).next().unwrap_or_default();
    rises || last.len() >= 8 && last.len() * 2 >= value.len() && last.len() < value.len() && is_sequence(last)
}

/// `12345`, `abcdef`, `0123456789abcdef`, `qwertyuiop`, `987654`.
pub(crate) fn is_sequence(value: &[u8]) -> bool {
    const ROWS: &[&[u8]] = &[
        b"qwertyuiop",
        b"asdfghjkl",
        b"zxcvbnm",
        b"1234567890",
        b"1q2w3e4r5t6y",
        b"qazwsxedc",
        b"0123456789abcdef0123456789abcdef",
        b"abcdefghijklmnopqrstuvwxyz",
    ];
    if value.len() < 3 {
        return true;
    }
    let mut lower = [0_u8; 128];
    let Some(lower) = lower.get_mut(..value.len()) else {
        return false;
    };
    lower.copy_from_slice(value);
    lower.make_ascii_lowercase();
    let steps = lower
        .windows(2)
        .filter(|w| {
            w[1] == w[0].wrapping_add(1)
                || w[0] == w[1].wrapping_add(1)
                || w == b"90"
                || w == b"9a"
                || w == b"09"
        })
        .count();
    steps * 10 >= (lower.len() - 1) * 8 || ROWS.iter().any(|row| memchr::memmem::find(row, lower).is_some())
}

/// Whether a value consists of placeholder words, digits and punctuation only.
fn only_words(value: &[u8]) -> bool {
    if value.len() > 64 {
        return false;
    }
    // Scripts that do not set words apart: the text speaks of a password, so it describes one.
    if value.iter().all(|b| !b.is_ascii()) && groups_of(value) & bit(Group::Password) != 0 {
        return true;
    }
    let (mut words, mut letters, mut known) = (0, 0, 0);
    let mut digits_run = 0;
    crate::matcher::generic::words::each_word(value, |word| {
        let end = word.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |n| n + 1);
        let begin = word.iter().position(|b| !b.is_ascii_digit()).unwrap_or(0).min(end);
        digits_run = digits_run.max(word.len() - (end - begin));
        let core = &word[begin..end];
        words += 1;
        letters += core.len();
        if covered(core) {
            known += core.len();
        }
    });
    if letters == 0 {
        return words > 0 && value.len() < 5 && digits_run <= 4;
    }
    known == letters && digits_run <= 6
}

/// Whether a word in lower case is one of the words, or several of them joined.
fn covered(word: &[u8]) -> bool {
    if word.is_empty() || word.len() == 1 {
        return true;
    }
    let mut reach = [false; 65];
    reach[0] = true;
    for at in 0..word.len().min(64) {
        if !reach[at] {
            continue;
        }
        for known in WORD_INDEX.at(&word[at..]) {
            if (known.len() >= 3 || known.len() == word.len() || at > 0 && at + known.len() == word.len())
                && word[at..].starts_with(known)
            {
                reach[at + known.len()] = true;
            }
        }
    }
    word.len() <= 64 && reach[word.len()]
}

/// Whether a value is written as names in code are: words of one case joined by marks (`MAX_KEY_LENGTH`), or words
/// of which each begins with a capital letter (`getApiKeyV2`), with hardly a digit. What is drawn at random has
/// more digits, and its case changes at every other letter.
pub fn is_identifier(value: &[u8]) -> bool {
    let count = |of: fn(&u8) -> bool| value.iter().filter(|b| of(b)).count();
    let (small, capital) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let digits = count(u8::is_ascii_digit);
    let marks = value.iter().filter(|b| matches!(b, b'_' | b'-' | b'.' | b':' | b'/')).count();
    if small + capital + digits + marks != value.len() {
        return false;
    }
    let one_case = (small == 0) != (capital == 0);
    if marks > 0 && one_case {
        return digits <= 2 + value.len() / 24 && small + capital >= 2 * (marks + 1);
    }
    digits <= 1 + value.len() / 24 && small > 0 && capital > 0 && is_of_words(value)
}

/// Whether a text is words of two letters or more, each all capitals or small behind its first letter, and what
/// is no letter.
fn is_of_words(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let run = |of: fn(&u8) -> bool, from: usize| rest.iter().skip(from).take_while(|b| of(b)).count();
        let length = if !first.is_ascii_alphabetic() {
            1
        } else {
            let small = run(u8::is_ascii_lowercase, usize::from(first.is_ascii_uppercase()));
            let capital = run(u8::is_ascii_uppercase, 0);
            match (small, capital) {
                (2.., _) => small + usize::from(first.is_ascii_uppercase()),
                (0, 2..) if !rest.get(capital).is_some_and(u8::is_ascii_lowercase) => capital,
                (0, 1) if rest.get(1).is_some_and(u8::is_ascii_digit) => capital,
                _ => return false,
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}
