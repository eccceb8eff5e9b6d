//! What the verdict weighs, as a vector of small integers: the same for the hand-written rules, the
//! model and the explanation.
//!
//! Of the value only its length, classes of characters, placeholder words, repetition and shape are
//! looked at: no letter statistics, which separate generated test data better than life.

use crate::matcher::generic::words::GROUP_NAMES;
use crate::matcher::generic::{Evidence, Kind};

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
