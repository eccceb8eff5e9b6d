//! Places of the reach tests in which a secret stands in text: in other character encodings, encoded, or
//! cut in pieces.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::archive_support::gzip;
use super::reach::Place;

/// Each byte by a rule.
fn bytewise(token: &str, f: impl Fn(u8) -> String) -> String {
    token.bytes().map(f).collect()
}

pub fn wrapped(text: &str, width: usize, newline: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
    lines.join(newline)
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn utf16(text: &str, convert: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(convert).collect()
}

fn utf32(text: &str, convert: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| convert(c as u32)).collect()
}

/// A file in which the encoded text begins on line 3 in column 8. The secret in it begins at the character `at`
/// of the encoded text (0-based), line ends and what stands around them counted.
fn in_line(name: &str, encoded: &str, at: usize, decoded: &[&'static str]) -> Place {
    let text = format!("first\nsecond\nkey = \"{encoded}\"\nlast\n");
    let before = &encoded[..at];
    let column = before.rsplit('\n').next().map_or(0, str::len) + if before.contains('\n') { 1 } else { 8 };
    let line = 3 + before.matches('\n').count();
    Place::new(name, text.into_bytes(), (line as u64, column as u64)).decoded(decoded)
}

/// Text in other character encodings and with other line ends.
pub fn characters(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let text = |token: &str| format!("first, ключ\nsecond\nkey = \"{token}\"\nlast\n");
    let mut plain = |name: &str, make: &dyn Fn(String) -> Vec<u8>, decoded: &[&'static str]| {
        places.push(Place::new(name, make(text(&token())), (3, 8)).decoded(decoded));
    };
    plain("utf-8", &|t| t.into_bytes(), &[]);
    plain("utf-8-bom", &|t| [b"\xef\xbb\xbf", t.as_bytes()].concat(), &[]);
    plain("utf-16le", &|t| utf16(&t, u16::to_le_bytes), &["utf-16le"]);
    plain("utf-16be", &|t| utf16(&t, u16::to_be_bytes), &["utf-16be"]);
    plain("utf-16le-bom", &|t| utf16(&format!("\u{feff}{t}"), u16::to_le_bytes), &["utf-16le"]);
    plain("utf-16be-bom", &|t| utf16(&format!("\u{feff}{t}"), u16::to_be_bytes), &["utf-16be"]);
    plain(
        "utf-16le-invalid",
        &|t| [utf16(&t, u16::to_le_bytes), vec![0, 0xd8, 0x41]].concat(),
        &["utf-16le"],
    );
    plain("utf-32le", &|t| utf32(&t, u32::to_le_bytes), &["utf-32le"]);
    plain("utf-32le-bom", &|t| utf32(&format!("\u{feff}{t}"), u32::to_le_bytes), &["utf-32le"]);
    plain("utf-32be", &|t| utf32(&t, u32::to_be_bytes), &["utf-32be"]);
    plain("utf-32be-bom", &|t| utf32(&format!("\u{feff}{t}"), u32::to_be_bytes), &["utf-32be"]);
    plain("latin-1", &|t| [b"caf\xe9 ".as_slice(), t.as_bytes(), b"na\xefve \xff\xfe\x80"].concat(), &[]);
    plain("crlf", &|t| t.replace('\n', "\r\n").into_bytes(), &[]);
    let t = token();
    // Lines end with LF; a CR alone ends none.
    places.push(Place::new("lone-cr", format!("first\rsecond\rkey = \"{t}\"\rlast\r").into_bytes(), (1, 21)));
    let long = format!("{} key = \"{}\" {}", "x ".repeat(3_000_000), token(), "y ".repeat(100_000));
    places.push(Place::new("long-line", long.into_bytes(), (1, 6_000_009)));
    places
}

/// Text that is encoded within text.
pub fn encoded(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let mut line = |name: &str, encode: &dyn Fn(&str) -> String, at: usize, decoded: &[&'static str]| {
        places.push(in_line(name, &encode(&token()), at, decoded));
    };
    // Three bytes are four characters: the token, behind 19 bytes, begins in the 25th character.
    let pair = |t: &str| format!("user=bob??>>;token={t};more");
    line("base64", &|t| BASE64.encode(t.as_bytes()), 0, &["base64"]);
    line("base64-in-text", &|t| BASE64.encode(pair(t).as_bytes()), 25, &["base64"]);
    line("base64-nopad", &|t| BASE64_NOPAD.encode(t.as_bytes()), 0, &["base64"]);
    line("base64url", &|t| BASE64URL.encode(pair(t).as_bytes()), 25, &["base64url"]);
    line("base64url-nopad", &|t| BASE64URL_NOPAD.encode(pair(t).as_bytes()), 25, &["base64url"]);
    line("base64-glued", &|t| format!("deploy-key-{}", BASE64.encode(pair(t).as_bytes())), 36, &["base64"]);
    line("data-uri", &|t| format!("data:text/plain;base64,{}", BASE64.encode(t.as_bytes())), 23, &["base64"]);
    let long =
        |t: &str| BASE64.encode(format!("{}{t} {}", "filler ".repeat(20), "more ".repeat(20)).as_bytes());
    line("base64-wrapped", &|t| wrapped(&long(t), 76, "\n"), 188, &["base64"]);
    line("base64-wrapped-crlf", &|t| wrapped(&long(t), 64, "\r\n"), 190, &["base64"]);
    line("base64-indented", &|t| wrapped(&long(t), 64, "\n      "), 200, &["base64"]);
    line("base64-commented", &|t| wrapped(&long(t), 64, "\n# "), 192, &["base64"]);
    line("base64-in-json", &|t| wrapped(&long(t), 64, "\\n"), 190, &["base64"]);
    line(
        "base64-twice",
        &|t| BASE64.encode(BASE64.encode(t.as_bytes()).as_bytes()),
        0,
        &["base64", "base64"],
    );
    let five = |t: &str| (0..5).fold(t.to_owned(), |t, _| BASE64.encode(t.as_bytes()));
    line("base64-five-times", &five, 0, &["base64"; 5]);
    line("base64-utf16", &|t| BASE64.encode(&utf16(&pair(t), u16::to_le_bytes)), 0, &["base64", "utf-16le"]);
    line("base64-gzip", &|t| BASE64.encode(&gzip(pair(t).as_bytes())), 0, &["base64", "gzip"]);
    line("base64-zlib", &|t| BASE64.encode(&zlib(pair(t).as_bytes())), 0, &["base64", "zlib"]);
    let helm = |t: &str| BASE64.encode(BASE64.encode(&gzip(pair(t).as_bytes())).as_bytes());
    line("base64-base64-gzip", &helm, 0, &["base64", "base64", "gzip"]);
    line("hex", &|t| HEXLOWER.encode(t.as_bytes()), 0, &["hex"]);
    line("hex-upper", &|t| HEXUPPER.encode(t.as_bytes()), 0, &["hex"]);
    line("hex-0x", &|t| format!("0x{}", HEXLOWER.encode(t.as_bytes())), 2, &["hex"]);
    line("hex-wrapped", &|t| wrapped(&HEXLOWER.encode(pair(t).as_bytes()), 40, "\n  "), 38, &["hex"]);
    line("hex-gzip", &|t| HEXLOWER.encode(&gzip(pair(t).as_bytes())), 0, &["hex", "gzip"]);
    line("percent", &|t| bytewise(t, |b| format!("%{b:02x}")), 0, &["percent"]);
    line(
        "percent-in-url",
        &|t| format!("https://e.com/?a=b%26c&k=x%3D{}", t.replace('_', "%5F")),
        29,
        &["percent"],
    );
    line("percent-base64", &|t| BASE64.encode(pair(t).as_bytes()).replace('=', "%3D"), 25, &["base64"]);
    let inner = |t: &str| bytewise(&BASE64.encode(pair(t).as_bytes()), |b| format!("%{b:02X}"));
    line("percent-of-base64", &inner, 0, &["percent", "base64"]);
    line("x-escape", &|t| bytewise(t, |b| format!("\\x{b:02x}")), 0, &["unicode-escape"]);
    line("u-escape", &|t| bytewise(t, |b| format!("\\u{b:04x}")), 0, &["unicode-escape"]);
    line("u-brace-escape", &|t| bytewise(t, |b| format!("\\u{{{b:x}}}")), 0, &["unicode-escape"]);
    line("long-u-escape", &|t| bytewise(t, |b| format!("\\U{b:08x}")), 0, &["unicode-escape"]);
    line("octal-escape", &|t| bytewise(t, |b| format!("\\{b:03o}")), 0, &["unicode-escape"]);
    line("escaped-escape", &|t| bytewise(t, |b| format!("\\\\u{b:04x}")), 0, &["unicode-escape"]);
    line("one-escape", &|t| t.replace('_', "\\u005f"), 0, &["unicode-escape"]);
    line("html-decimal", &|t| bytewise(t, |b| format!("&#{b};")), 0, &["html-entity"]);
    line("html-hex", &|t| bytewise(t, |b| format!("&#x{b:x};")), 0, &["html-entity"]);
    line("html-named", &|t| t.replace('_', "&lowbar;"), 0, &["html-entity"]);
    line("quoted-printable", &|t| format!("a=3D1 t=3D{}", t.replace('_', "=5F")), 10, &["quoted-printable"]);
    let soft = |t: &str| format!("Hello, please use this one from now on: {}=\n{}", &t[..20], &t[20..]);
    line("quoted-printable-soft", &soft, 40, &["quoted-printable"]);
    let header = BASE64URL_NOPAD.encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    let claims = |t: &str| BASE64URL_NOPAD.encode(format!("{{\"sub\":\"bob\",\"key\":\"{t}\"}}").as_bytes());
    let secret_header =
        |t: &str| BASE64URL_NOPAD.encode(format!("{{\"alg\":\"HS256\",\"kid\":\"{t}\"}}").as_bytes());
    // Behind 22 bytes.
    line("jwt-header", &|t| format!("{}.e30.c2lnbmF0dXJl", secret_header(t)), 29, &["jwt"]);
    line("jwt", &|t| format!("{header}.{}.c2lnbmF0dXJl", claims(t)), 63, &["jwt"]);
    for (name, joint) in [
        ("concat-plus", "\" + \""),
        ("concat-plus-line", "\" +\n  \""),
        ("concat-line-plus", "\"\n  + \""),
        ("concat-adjacent", "\" \""),
        ("concat-adjacent-line", "\"\n  \""),
        ("concat-dot", "' . '"),
        ("concat-backslash", "\" \\\n  \""),
        ("line-continuation", "\\\n"),
        ("concat-ampersand", "\" & \""),
        ("concat-template", "` + `"),
    ] {
        let cut = |t: &str| format!("{}{joint}{}{joint}{}", &t[..9], &t[9..25], &t[25..]);
        line(name, &cut, 0, &["concat"]);
    }
    let base64 = |t: &str| {
        let encoded = BASE64.encode(pair(t).as_bytes());
        format!("{}\" +\n  \"{}", &encoded[..30], &encoded[30..])
    };
    line("concat-of-base64", &base64, 0, &["concat", "base64"]);
    places
}
