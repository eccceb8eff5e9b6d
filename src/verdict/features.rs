//! What the verdict weighs, as a vector of small integers: the same for the hand-written rules, the
//! model and the explanation.
//!
//! Of the value only its length, classes of characters, placeholder words, repetition and shape are
//! looked at: no letter statistics, which separate generated test data better than life.

use crate::matcher::generic::words::GROUP_NAMES;
use crate::matcher::generic::{self, Evidence, Kind};

use super::filekind::FileKind;
use super::{placeholder, reference};

/// Number of word groups.
const GROUPS: usize = GROUP_NAMES.len();
/// Features that are no sets of words.
const PLAIN: usize = 44;
/// Number of bits of [`crate::matcher::generic::Flags`].
const FLAGS: usize = 25;
/// Length of the vector.
pub const COUNT: usize = PLAIN + FLAGS + 4 * GROUPS;

/// Names of the plain features, in order.
const PLAIN_NAMES: [&str; PLAIN] = [
    "kind",
    "syntax",
    "quote",
    "wrapper",
    "escapes",
    "name-length",
    "column",
    "tail",
    "next",
    "previous",
    "marks",
    "language",
    "role",
    "length",
    "upper",
    "lower",
    "digits",
    "symbols",
    "spaces",
    "non-ascii",
    "classes",
    "changes",
    "distinct",
    "longest-run",
    "placeholder",
    "reference",
    "hex",
    "base64",
    "identifier",
    "dotted",
    "path",
    "url",
    "number",
    "uuid",
    "date",
    "camel",
    "snake",
    "first-class",
    "last-class",
    "longest-letters",
    "basic-pair",
    "hash-shape",
    "pem-or-jwt",
    "escapes-inside",
];

/// The name of a feature, for explanations.
pub fn name(index: usize) -> String {
    if let Some(name) = PLAIN_NAMES.get(index) {
        return (*name).to_owned();
    }
    let rest = index - PLAIN;
    if rest < FLAGS {
        return format!("flag-{rest}");
    }
    let rest = rest - FLAGS;
    let set = ["name", "head", "line", "around"].get(rest / GROUPS).copied().unwrap_or("?");
    format!("{set}:{}", GROUP_NAMES.get(rest % GROUPS).copied().unwrap_or("?"))
}

/// The features of a candidate. There are as many places as a byte can name, so that a tree asks without a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector([i16; 256]);

impl Vector {
    fn new(plain: &[i16; PLAIN], flags: u64, groups: [u64; 4]) -> Self {
        let mut numbers = [0; 256];
        numbers[..PLAIN].copy_from_slice(plain);
        let mut mark = |first: usize, count: usize, mut set: u64| {
            set &= (1 << count) - 1;
            while set != 0 {
                numbers[first + set.trailing_zeros() as usize] = 1;
                set &= set - 1;
            }
        };
        mark(PLAIN, FLAGS, flags);
        for (n, set) in groups.into_iter().enumerate() {
            mark(PLAIN + FLAGS + n * GROUPS, GROUPS, set);
        }
        Vector(numbers)
    }

    /// The feature of this number.
    #[inline(always)]
    pub(super) fn at(&self, feature: u8) -> i16 {
        self.0[usize::from(feature)]
    }

    /// Every feature, in order.
    pub fn numbers(&self) -> &[i16] {
        &self.0[..COUNT]
    }
}

/// A node of a tree names its feature in a byte, and one of these is left for leaves.
const _: () = assert!(COUNT < 255 && GROUPS < 64);

/// The features of a candidate.
///
/// `placeholder` is what [`placeholder::placeholder`] says of the value.
pub fn vector(
    kind: Kind,
    value: &[u8],
    evidence: &Evidence,
    file: FileKind,
    placeholder: Option<&str>,
) -> Vector {
    let e = evidence;
    let s = Shape::of(value);
    let plain: [i16; PLAIN] = [
        kind.index() as i16,
        e.syntax as i16,
        e.quote as i16,
        e.wrapper as i16,
        i16::from(e.escapes),
        i16::from(e.name_len),
        i16::from(e.column),
        i16::from(e.tail),
        i16::from(e.next),
        i16::from(e.previous),
        i16::from(e.marks),
        file.language as i16,
        file.role as i16,
        s.length,
        s.upper,
        s.lower,
        s.digits,
        s.symbols,
        s.spaces,
        s.non_ascii,
        s.classes,
        s.changes,
        s.distinct,
        s.run,
        placeholder_class(placeholder),
        i16::from(reference::of_value(value).is_some()),
        s.hex,
        s.base64,
        s.identifier,
        s.dotted,
        s.path,
        s.url,
        s.number,
        s.uuid,
        s.date,
        s.camel,
        s.snake,
        s.first,
        s.last,
        s.letters_run,
        if kind == Kind::BasicAuth { pair_class(value) } else { 0 },
        s.hash_shape,
        s.pem_or_jwt,
        s.escapes,
    ];
    Vector::new(&plain, u64::from(e.flags.bits()), [e.name, e.head, e.line, e.around])
}

fn placeholder_class(placeholder: Option<&str>) -> i16 {
    match placeholder {
        None => 0,
        Some("masked") => 1,
        Some("example-word") => 2,
        Some("repeated") => 3,
        Some("sequence") => 4,
        Some("placeholder-words") => 5,
        Some(_) => 6,
    }
}

/// Counts of classes, and shapes made of them.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    length: i16,
    upper: i16,
    lower: i16,
    digits: i16,
    symbols: i16,
    spaces: i16,
    non_ascii: i16,
    classes: i16,
    changes: i16,
    distinct: i16,
    run: i16,
    hex: i16,
    base64: i16,
    identifier: i16,
    dotted: i16,
    path: i16,
    url: i16,
    number: i16,
    uuid: i16,
    date: i16,
    camel: i16,
    snake: i16,
    first: i16,
    last: i16,
    letters_run: i16,
    hash_shape: i16,
    pem_or_jwt: i16,
    escapes: i16,
}

/// How many of small letters, capital letters, digits and other ASCII a value has.
pub(crate) fn classes(value: &[u8]) -> usize {
    (0..4).filter(|&wanted| value.iter().any(|&b| class(b) == wanted)).count()
}

/// 0 lower case, 1 upper case, 2 digit, 3 other ASCII, 4 outside ASCII.
fn class(b: u8) -> usize {
    match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        0..=0x7f => 3,
        _ => 4,
    }
}

impl Shape {
    fn of(value: &[u8]) -> Shape {
        let mut count = [0_i16; 5];
        let mut seen = [false; 256];
        let (mut changes, mut run, mut best, mut letters, mut most, mut camel) =
            (0_i16, 0_i16, 0_i16, 0_i16, 0_i16, 0_i16);
        let mut last = None;
        for &b in value.iter().take(512) {
            let c = class(b);
            count[c] += 1;
            seen[usize::from(b)] = true;
            if let Some(l) = last {
                changes += i16::from(class(l) != c);
                camel += i16::from(class(l) == 0 && c == 1);
                run = if l == b { run + 1 } else { 1 };
            } else {
                run = 1;
            }
            best = best.max(run);
            letters = if c < 2 { letters + 1 } else { 0 };
            most = most.max(letters);
            last = Some(b);
        }
        let all = |ok: fn(u8) -> bool| value.iter().all(|&b| ok(b));
        let n = value.len();
        let underscores = value.iter().filter(|&&b| b == b'_' || b == b'-').count();
        Shape {
            length: n.min(300) as i16,
            upper: count[1],
            lower: count[0],
            digits: count[2],
            symbols: count[3],
            non_ascii: count[4],
            spaces: value.iter().filter(|&&b| b == b' ').count().min(99) as i16,
            classes: count.iter().take(4).filter(|&&c| c > 0).count() as i16,
            changes,
            distinct: seen.iter().filter(|&&s| s).count() as i16,
            run: best,
            hex: i16::from(all(|b| b.is_ascii_hexdigit())),
            base64: i16::from(
                all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
                    && n.is_multiple_of(4)
                    && n >= 8,
            ),
            identifier: i16::from(
                value.first().is_some_and(|b| !b.is_ascii_digit())
                    && all(|b| b.is_ascii_alphanumeric() || b == b'_'),
            ),
            dotted: i16::from(
                value.contains(&b'.')
                    && all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')),
            ),
            path: path_shape(value),
            url: i16::from(memchr::memmem::find(value, b"://").is_some()),
            number: i16::from(all(|b| {
                b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b':' | b' ')
            })),
            uuid: i16::from(is_uuid(value)),
            date: i16::from(
                n >= 8
                    && value.iter().take(4).all(u8::is_ascii_digit)
                    && matches!(value.get(4), Some(b'-' | b'/')),
            ),
            camel,
            snake: if count[1] == 0
                && count[2] == 0
                && all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            {
                underscores.min(20) as i16
            } else {
                0
            },
            first: value.first().map_or(0, |&b| class(b) as i16),
            last: value.last().map_or(0, |&b| class(b) as i16),
            letters_run: most,
            hash_shape: i16::from(
                all(|b| b.is_ascii_hexdigit()) && matches!(n, 32 | 40 | 56 | 64 | 96 | 128),
            ),
            pem_or_jwt: i16::from(
                value.starts_with(b"eyJ")
                    || value.starts_with(b"-----BEGIN")
                    || value.starts_with(b"LS0tLS1CRUdJTi"),
            ),
            escapes: value.iter().filter(|&&b| b == b'\\').count().min(99) as i16,
        }
    }
}

/// 1 = has slashes between words, 2 = begins like a path.
fn path_shape(value: &[u8]) -> i16 {
    let slashes = value.iter().filter(|&&b| b == b'/').count();
    if value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"../")
        || value.starts_with(b"~/")
    {
        2
    } else {
        i16::from(slashes > 0)
    }
}

pub(crate) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, &b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Basic credentials: 0 = no `user:password`, 1 = a placeholder, 2 = a short password, 3 = a password.
pub(crate) fn pair_class(value: &[u8]) -> i16 {
    let Ok(pair) = data_encoding::BASE64.decode(value).or_else(|_| data_encoding::BASE64_NOPAD.decode(value))
    else {
        return 0;
    };
    class_of_pair(&pair)
}

/// [`pair_class`] of what was encoded.
fn class_of_pair(pair: &[u8]) -> i16 {
    let Some(colon) = pair.iter().position(|&b| b == b':') else {
        return 0;
    };
    let (user, password) = (&pair[..colon], pair[colon + 1..].trim_ascii());
    if pair.iter().any(|&b| b < 0x20 && b != b'\n') {
        0
    } else if password == user || placeholder::placeholder(password).is_some() {
        1
    } else {
        2 + i16::from(password.len() >= 4)
    }
}

/// Whether a value is base64 of a name and a password that stands for one: `username:password`.
pub(crate) fn is_placeholder_pair(value: &[u8]) -> bool {
    generic::text_in_base64(value).is_some_and(|text| text.is_ascii() && class_of_pair(&text) == 1)
}

/// Whether a value is base64 of a readable text without a colon.
pub(crate) fn is_word_in_base64(value: &[u8]) -> bool {
    data_encoding::BASE64
        .decode(value)
        .is_ok_and(|text| text.iter().all(u8::is_ascii_graphic) && !text.contains(&b':'))
}

macro_rules! families {
    ($($family:ident, $for:literal, $against:literal;)+) => {
        /// Features that say the same kind of thing: what an explanation names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Family { $($family),+ }

        impl Family {
            pub(crate) const ALL: &'static [Family] = &[$(Family::$family),+];

            /// The reason when it raises the score.
            pub(crate) fn speaks_for(self) -> &'static str {
                match self { $(Family::$family => $for),+ }
            }

            /// The reason when it lowers it.
            pub(crate) fn speaks_against(self) -> &'static str {
                match self { $(Family::$family => $against),+ }
            }
        }
    };
}

families! {
    Kind, "kind-of-credential", "kind-often-harmless";
    Name, "name-of-a-credential", "name-of-something-else";
    Syntax, "written-as-a-literal", "written-as-something-else";
    Place, "place-on-the-line", "place-on-the-line-unusual";
    File, "kind-of-file", "kind-of-file-often-harmless";
    Length, "length-of-a-secret", "length-unusual-for-a-secret";
    Characters, "mix-of-characters", "reads-like-a-word-or-identifier";
    Placeholder, "no-placeholder", "placeholder-like";
    Shape, "shape-of-a-secret", "shape-of-a-path-date-or-number";
    Line, "line-speaks-of-credentials", "line-speaks-of-something-else";
    Around, "surroundings-speak-of-credentials", "surroundings-speak-of-something-else";
    Facts, "facts-of-the-line", "facts-of-the-line-unusual";
}

/// The family of a feature.
pub(crate) fn family(index: usize) -> Family {
    match index {
        0 => Family::Kind,
        1..=4 => Family::Syntax,
        5 => Family::Name,
        6..=10 => Family::Place,
        11 | 12 => Family::File,
        13 => Family::Length,
        14..=23 | 35..=39 => Family::Characters,
        24 | 25 => Family::Placeholder,
        26..=43 => Family::Shape,
        i if i < PLAIN + FLAGS => Family::Facts,
        i if i < PLAIN + FLAGS + 2 * GROUPS => Family::Name,
        i if i < PLAIN + FLAGS + 3 * GROUPS => Family::Line,
        _ => Family::Around,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(feature: &str, value: &[u8], placeholder: Option<&str>) -> i16 {
        let vector = vector(Kind::BasicAuth, value, &Evidence::default(), FileKind::UNKNOWN, placeholder);
        let at = (0..COUNT).find(|&at| name(at) == feature).unwrap_or_else(|| panic!("no {feature}"));
        vector.numbers()[at]
    }

    #[test]
    fn numbers_say_what_their_names_say() {
        for (feature, value, expected) in [
            ("length", "aB3-é", 6),
            ("upper", "aBC3", 2),
            ("lower", "abC3", 2),
            ("digits", "a12B", 2),
            ("symbols", "a-_B", 2),
            ("spaces", "a b c", 2),
            ("non-ascii", "aé", 2),
            ("classes", "aaaa", 1),
            ("classes", "aB3-", 4),
            ("changes", "aaBB33", 2),
            ("distinct", "abab", 2),
            ("longest-run", "abbba", 3),
            ("hex", "09afAF", 1),
            ("hex", "09ag", 0),
            ("base64", "ab+/AB==", 1),
            ("base64", "ab+/AB=", 0),
            ("base64", "abcd", 0),
            ("base64", "ab-/AB==", 0),
            ("identifier", "a_1", 1),
            ("identifier", "1_a", 0),
            ("dotted", "a.b-c", 1),
            ("dotted", "a.b/c", 0),
            ("path", "/a", 2),
            ("path", "./a", 2),
            ("path", "a/b", 1),
            ("path", "ab", 0),
            ("url", "a://b", 1),
            ("url", "a:/b", 0),
            ("number", "1.2,3", 1),
            ("number", "1.2a", 0),
            ("uuid", "01234567-89ab-cdef-0123-456789abcdef", 1),
            ("uuid", "01234567-89ab-cdef-0123-456789abcdeg", 0),
            ("uuid", "01234567089ab-cdef-0123-456789abcdef", 0),
            ("date", "2025-01-02", 1),
            ("date", "2025.01.02", 0),
            ("date", "2025-1-2", 1),
            ("date", "2025-01", 0),
            ("camel", "aBcDE", 2),
            ("snake", "a_b-c", 2),
            ("snake", "a_B", 0),
            ("first-class", "Ab", 1),
            ("last-class", "A3", 2),
            ("longest-letters", "ab1abc2", 3),
            ("hash-shape", "0123456789abcdef0123456789abcdef", 1),
            ("hash-shape", "0123456789abcdef0123456789abcde", 0),
            ("pem-or-jwt", "eyJh", 1),
            ("pem-or-jwt", "eyKh", 0),
            ("escapes-inside", r"a\b\c", 2),
            ("reference", "${DB}", 1),
            ("reference", "DB", 0),
        ] {
            assert_eq!(number(feature, value.as_bytes(), None), expected, "{feature} of {value}");
        }
        let pair = data_encoding::BASE64.encode(b"aladdin:Vx9kq2mTr7");
        assert_eq!(number("basic-pair", pair.as_bytes(), None), 3);
        for (value, count) in [("", 0), ("aaa", 1), ("a1", 2), ("aB3", 3), ("aB3-", 4), ("é", 0)] {
            assert_eq!(classes(value.as_bytes()), count, "{value}");
        }
        let placeholders = [None, Some("masked"), Some("example-word"), Some("repeated"), Some("sequence")];
        for (class, placeholder) in placeholders.into_iter().enumerate() {
            assert_eq!(number("placeholder", b"x", placeholder), class as i16);
        }
    }

    #[test]
    fn pairs_of_user_and_password_are_told_from_words() {
        let of = |text: &str| pair_class(data_encoding::BASE64.encode(text.as_bytes()).as_bytes());
        for (text, class) in [
            ("aladdin:Vx9kq2mTr7", 3),
            ("aladdin:Vx9\n", 2),
            ("aladdin:Vx9k", 3),
            ("aladdin:Vx 9kq", 3),
            ("aladdin:Vx9kq2mTr7\n", 3),
            ("admin:password", 1),
            ("aladdin:aladdin", 1),
            ("aladdin", 0),
            ("aladdin:Vx9kq\u{1}Tr7", 0),
        ] {
            assert_eq!(of(text), class, "{text}");
        }
        assert_eq!(pair_class(b"not base64"), 0);
        let word = |text: &str| is_word_in_base64(data_encoding::BASE64.encode(text.as_bytes()).as_bytes());
        assert!(word("aladdin") && !word("aladdin:x") && !word("two words") && !word("a\u{1}b"));
    }

    #[test]
    fn facts_and_groups_have_a_number_each() {
        let mut evidence =
            Evidence { name: 1, head: 1 << 1, line: 1 << 2, around: 1 << 3, ..Evidence::default() };
        evidence.flags.set(1 << 4);
        let vector = vector(Kind::Password, b"", &evidence, FileKind::UNKNOWN, None);
        let set: Vec<String> = (PLAIN..COUNT).filter(|&at| vector.numbers()[at] != 0).map(name).collect();
        let group = |n: usize| GROUP_NAMES[n];
        let sets = [("name", 0), ("head", 1), ("line", 2), ("around", 3)];
        let groups = sets.map(|(set, n)| format!("{set}:{}", group(n)));
        assert_eq!(set, [&["flag-4".to_owned()][..], &groups].concat());
        let mut names: Vec<String> = (0..COUNT).map(name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), COUNT);
    }

    #[test]
    fn features_belong_to_families() {
        let of = |feature: &str| (0..COUNT).find(|&at| name(at) == feature).map(family);
        for (feature, expected) in [
            ("kind", Family::Kind),
            ("quote", Family::Syntax),
            ("name-length", Family::Name),
            ("marks", Family::Place),
            ("role", Family::File),
            ("length", Family::Length),
            ("digits", Family::Characters),
            ("camel", Family::Characters),
            ("reference", Family::Placeholder),
            ("hex", Family::Shape),
            ("date", Family::Shape),
            ("escapes-inside", Family::Shape),
            ("flag-0", Family::Facts),
        ] {
            assert_eq!(of(feature), Some(expected), "{feature}");
        }
        for (set, expected) in [
            ("name", Family::Name),
            ("head", Family::Name),
            ("line", Family::Line),
            ("around", Family::Around),
        ] {
            for group in [GROUP_NAMES[0], GROUP_NAMES[GROUPS - 1]] {
                assert_eq!(of(&format!("{set}:{group}")), Some(expected), "{set}:{group}");
            }
        }
        assert_eq!(family(PLAIN + FLAGS - 1), Family::Facts);
    }
}
