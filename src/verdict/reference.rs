//! Values that only say where a secret is: variables, look-ups, templates, names of entries in a store.

/// Why `value`, which stands between `before` and `after` on its line, is a reference; None if it is none.
///
/// The reason is a short stable name such as `variable` or `vault-reference`.
pub fn reference(value: &[u8], before: &[u8], after: &[u8]) -> Option<&'static str> {
    of_value(value).or_else(|| of_surroundings(before, after))
}

/// Beginnings of values that name where the secret is, with the reason.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"process.env", "environment"),
    (b"os.environ", "environment"),
    (b"os.getenv", "environment"),
    (b"getenv(", "environment"),
    (b"env.", "environment"),
    (b"env[", "environment"),
    (b"system.getenv", "environment"),
    (b"$env:", "environment"),
    (b"import.meta.env", "environment"),
    (b"arn:aws", "secret-store"),
    (b"urn:", "secret-store"),
    (b"projects/", "secret-store"),
    (b"@microsoft.keyvault", "secret-store"),
    (b"vault:", "secret-store"),
    (b"vault/", "secret-store"),
    (b"secret/data/", "secret-store"),
    (b"ssm:", "secret-store"),
    (b"secretsmanager:", "secret-store"),
    (b"sops:", "secret-store"),
    (b"op://", "secret-store"),
    (b"awssm:", "secret-store"),
    (b"gcpsm:", "secret-store"),
    (b"keyvault:", "secret-store"),
    (b"ref+", "secret-store"),
    (b"bao:", "secret-store"),
    (b"/run/secrets", "secret-store"),
    (b"!vault", "encrypted"),
    (b"enc[", "encrypted"),
    (b"enc(", "encrypted"),
    (b"encrypted:", "encrypted"),
    (b"$ansible_vault", "encrypted"),
    (b"{cipher}", "encrypted"),
    (b"{encrypted}", "encrypted"),
    (b"age-encryption", "encrypted"),
];

/// Why the value itself is a reference.
pub(crate) fn of_value(value: &[u8]) -> Option<&'static str> {
    let begins = |beginning: &[u8]| {
        value.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning))
    };
    let first = value.first().map(u8::to_ascii_lowercase);
    let may = |beginning: &[u8]| beginning.first().copied() == first && begins(beginning);
    if let Some((_, reason)) = BEGINNINGS.iter().find(|(beginning, _)| may(beginning)) {
        return Some(reason);
    }
    if let Some(reason) = of_marks(value) {
        return Some(reason);
    }
    let has = |part: &[u8]| value.windows(part.len()).any(|w| w == part);
    if value.len() >= 24
        && value.contains(&b'.')
        && (has(b".vault.azure.net") || has(b"secretmanager.googleapis"))
    {
        return Some("secret-store");
    }
    // `id=NAME,env=NAME`: how builds of images name a secret.
    if value.starts_with(b"id=") && [b",env=".as_slice(), b",src=", b",source="].iter().any(|part| has(part))
    {
        return Some("secret-store");
    }
    is_file_of_media(value).then_some("path")
}

/// Whether a value is the path of a picture or film, as services call their pieces: `Purple1/v4/…/source.png`.
fn is_file_of_media(value: &[u8]) -> bool {
    const EXTENSIONS: [&[u8]; 8] = [b".png", b".jpg", b".jpeg", b".gif", b".svg", b".webp", b".mov", b".mp4"];
    value.contains(&b'/') && EXTENSIONS.iter().any(|extension| value.ends_with(extension))
}

/// Bytes that the marks of template languages are made of, a bit for each kind.
mod mark {
    pub const BRACE: u8 = 1;
    pub const ROUND: u8 = 2;
    pub const DOLLAR: u8 = 4;
    pub const PERCENT: u8 = 8;
    pub const DASH: u8 = 16;
    pub const QUOTE: u8 = 32;
    pub const OTHER: u8 = 64;

    /// The kind of a byte; 0 for one that no mark begins with.
    pub fn of(byte: u8) -> u8 {
        match byte {
            b'{' => BRACE,
            b'(' => ROUND,
            b'$' => DOLLAR,
            b'%' => PERCENT,
            b'-' => DASH,
            0xe2 => QUOTE,
            b'@' | b'_' => OTHER,
            _ => 0,
        }
    }
}

/// Why the marks of a template language make the value a reference.
fn of_marks(value: &[u8]) -> Option<&'static str> {
    // Most values have none of the bytes that all marks begin with, and most others only dashes and underscores.
    let marks = value.iter().fold(0, |marks, &byte| marks | mark::of(byte));
    let any = |of: u8| marks & of != 0;
    if marks == 0 {
        return None;
    }
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    if any(mark::BRACE) && (has_moustache(value) || has(b"{%"))
        || any(mark::PERCENT) && has(b"<%")
        || any(mark::QUOTE) && (has("\u{2039}".as_bytes()) || has("\u{27e6}".as_bytes()))
    {
        return Some("template"); // the last two are the notation of this project's own test texts
    }
    if any(mark::BRACE) && is_pattern(value)
        || any(mark::DASH) && has_ranges(value)
        || any(mark::ROUND) && (has(b"(?i:") || has(b"(?:") || has(b"(?i)"))
        || value.starts_with(b"?i)")
    {
        return Some("pattern");
    }
    if any(mark::DOLLAR) && (has_dollar_brace(value) || has(b"$("))
        || any(mark::BRACE) && has(b"#{")
        || is_variable(value)
        || percent_variable(value)
    {
        return Some("variable");
    }
    None
}

/// Whether `{{ … }}` or its beginning is in the value; other closing braces in it make it a password of odd marks.
fn has_moustache(value: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(value, b"{{") else { return false };
    let inner = value.get(at + 2..).unwrap_or_default();
    let end = memchr::memmem::find(inner, b"}}").unwrap_or(inner.len());
    !inner.get(..end).unwrap_or_default().contains(&b'}')
}

/// Whether `${name` is in the value, and what follows the name can follow one.
fn has_dollar_brace(value: &[u8]) -> bool {
    memchr::memmem::find_iter(value, b"${").any(|at| {
        let rest = value.get(at + 2..).unwrap_or_default();
        let name = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || b"_. ".contains(b)));
        name.and_then(|end| rest.get(end)).is_none_or(|b| b"}:-?+=|[({$#@!,/^~%\"'`".contains(b))
    })
}

/// Whether the value is a regular expression: a class or a group, repeated a stated number of times.
fn is_pattern(value: &[u8]) -> bool {
    memchr::memmem::find_iter(value, b"{").any(|at| {
        let counts = value.get(at + 1..).unwrap_or_default();
        let end = counts.iter().position(|b| !matches!(b, b'0'..=b'9' | b','));
        matches!(value.get(at.wrapping_sub(1)), Some(b']' | b')'))
            && matches!(counts, [b'0'..=b'9', ..])
            && end.is_some_and(|end| counts[end] == b'}')
    })
}

/// Whether classes of characters are in the value, as patterns write them: `a-zA-Z0-9+`.
fn has_ranges(value: &[u8]) -> bool {
    let ranges = [b"a-z".as_slice(), b"A-Z", b"0-9"];
    ranges.iter().filter(|range| memchr::memmem::find(value, range).is_some()).count() >= 2
}

/// Why the text around says that the value is the name of a secret that is looked up.
fn of_surroundings(before: &[u8], after: &[u8]) -> Option<&'static str> {
    let tail = &before[before.len().saturating_sub(64)..];
    let lower: Vec<u8> = tail.to_ascii_lowercase();
    let has = |part: &[u8]| memchr::memmem::find(&lower, part).is_some();
    let calls: [&[u8]; 16] = [
        b"getenv(",
        b"environ[",
        b"environ.get(",
        b"env.get(",
        b"env[",
        b"env.fetch(",
        b"getsecret(",
        b"get_secret(",
        b"getsecretvalue(",
        b"lookup(",
        b"getproperty(",
        b"secretkeyref",
        b"valuefrom",
        b"get_parameter(",
        b"configmapkeyref",
        b"secretref",
    ];
    if calls.iter().any(|c| has(c)) && !matches!(after.first(), Some(b'"' | b'\''))
        || calls.iter().any(|c| ends_with_open(&lower, c))
    {
        return Some("looked-up");
    }
    None
}

/// Whether the text ends with a call that is still open: its first argument comes now.
fn ends_with_open(text: &[u8], call: &[u8]) -> bool {
    let mut rest = text;
    while let [head @ .., b'"' | b'\'' | b' ' | b'`'] = rest {
        rest = head;
    }
    rest.ends_with(call)
}

/// `$NAME`, `$env:NAME`, `@name@`, `__NAME__`, `:name`, `%(name)s`.
fn is_variable(value: &[u8]) -> bool {
    let word = |text: &[u8]| {
        !text.is_empty()
            && text.iter().all(|&b| {
                b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || b == b':' || b == b'-' || b == b'>'
            })
    };
    match value {
        [b'$', rest @ ..] => word(rest) && !rest[0].is_ascii_digit(),
        [b'@', middle @ .., b'@'] => word(middle),
        [b'_', b'_', middle @ .., b'_', b'_'] => word(middle),
        [b'%', b'(', ..] => true,
        _ => false,
    }
}

/// `%NAME%`, `%s`, `%{name}`, `{0}`, `{name}`, `<%= … %>`.
fn percent_variable(value: &[u8]) -> bool {
    match value {
        [b'%', middle @ .., b'%'] => {
            !middle.is_empty() && middle.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_')
        }
        [b'%', b's' | b'd' | b'v' | b'@' | b'q'] | [b'%', b'{', ..] => true,
        [b'{', middle @ .., b'}'] => middle.iter().all(|&b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b'.' | b'-' | b'$' | b'[' | b']' | b'(' | b')' | b' ')
        }),
        _ => false,
    }
}
