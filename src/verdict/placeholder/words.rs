//! Words that everybody writes in place of a secret.

use std::sync::LazyLock;

use crate::matcher::generic::words::{Group, bit, each_word, groups_of};

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

/// Whether one of the words that say so by themselves is in a value.
pub(super) fn has_example_word(value: &[u8]) -> bool {
    let mut lower = [0_u8; 256];
    let n = value.len().min(lower.len());
    lower[..n].copy_from_slice(&value[..n]);
    lower[..n].make_ascii_lowercase();
    let index = &*SURE_INDEX;
    (0..n).any(|at| index.at(&lower[at..n]).iter().any(|word| lower[at..n].starts_with(word)))
}

/// Longest value of nothing but single letters that says nothing: `a-b-c`.
const FEW_LETTERS: usize = 5;

/// Whether a value consists of placeholder words, digits and punctuation only.
///
/// A letter by itself belongs to the words it stands beside (`my-app-x`); where most letters stand alone, marks and
/// digits were drawn between them.
pub(super) fn only_words(value: &[u8]) -> bool {
    if value.len() > 64 {
        return false;
    }
    // Scripts that do not set words apart: the text speaks of a password, so it describes one.
    if value.iter().all(|b| !b.is_ascii()) && groups_of(value) & bit(Group::Password) != 0 {
        return true;
    }
    let (mut letters, mut known, mut single) = (0, 0, 0);
    let mut digits_run = 0;
    each_word(value, |word| {
        let end = word.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |n| n + 1);
        let begin = word.iter().position(|b| !b.is_ascii_digit()).unwrap_or(0).min(end);
        digits_run = digits_run.max(word.len() - (end - begin));
        let core = &word[begin..end];
        letters += core.len();
        single += usize::from(core.len() == 1);
        if covered(core) {
            known += core.len();
        }
    });
    if letters == 0 {
        return value.len() < 5;
    }
    let spelled = single * 2 <= letters || value.len() <= FEW_LETTERS;
    known == letters && digits_run <= 6 && spelled
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
            if (known.len() >= 3 || at + known.len() == word.len()) && word[at..].starts_with(known) {
                reach[at + known.len()] = true;
            }
        }
    }
    reach.get(word.len()) == Some(&true)
}
