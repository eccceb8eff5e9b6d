//! Places of the reach tests in which a secret stands in text: in other character encodings, encoded, or
//! cut in pieces.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::archive_support::{gzip, tar, zip};
use super::reach::Place;

/// Each byte by a rule.
fn bytewise(token: &str, f: impl Fn(u8) -> String) -> String {
    token.bytes().map(f).collect()
}

fn wrapped(text: &str, width: usize, newline: &str) -> String {
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

/// A file in which the encoded secret stands on line 3, from column 8 on.
fn in_line(name: &str, encoded: &str, decoded: &[&'static str]) -> Place {
    let text = format!("first\nsecond\nkey = \"{encoded}\"\nlast\n");
    let lines = encoded.matches('\n').count() as u64;
    let width = encoded.lines().map(|l| l.chars().count()).max().unwrap_or_default() as u64;
    Place::new(name, text.into_bytes()).on_lines(3..=3 + lines).in_columns(1..=9 + width).decoded(decoded)
}

/// Text in other character encodings and with other line ends.
pub fn characters(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let text = |token: &str| format!("first, ключ\nsecond\nkey = \"{token}\"\nlast\n");
    let mut plain = |name: &str, make: &dyn Fn(String) -> Vec<u8>, decoded: &[&'static str]| {
        let place = Place::new(name, make(text(&token()))).on_lines(3..=3).in_columns(8..=8).decoded(decoded);
        places.push(place);
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
    plain("utf-32be-bom", &|t| utf32(&format!("\u{feff}{t}"), u32::to_be_bytes), &["utf-32be"]);
    plain("latin-1", &|t| [b"caf\xe9 ".as_slice(), t.as_bytes(), b"na\xefve \xff\xfe\x80"].concat(), &[]);
    plain("crlf", &|t| t.replace('\n', "\r\n").into_bytes(), &[]);
    let t = token();
    let cr = Place::new("lone-cr", format!("first\rsecond\rkey = \"{t}\"\rlast\r").into_bytes());
    places.push(cr.on_lines(1..=1).in_columns(21..=21));
    let long = format!("{} key = \"{}\" {}", "x ".repeat(3_000_000), token(), "y ".repeat(100_000));
    places.push(Place::new("long-line", long.into_bytes()).on_lines(1..=1).in_columns(6_000_009..=6_000_009));
    places
}

/// Text that is encoded within text.
pub fn encoded(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let mut line = |name: &str, encode: &dyn Fn(&str) -> String, decoded: &[&'static str]| {
        places.push(in_line(name, &encode(&token()), decoded));
    };
    let pair = |t: &str| format!("user=bob??>>;token={t};more");
    line("base64", &|t| BASE64.encode(t.as_bytes()), &["base64"]);
    line("base64-in-text", &|t| BASE64.encode(pair(t).as_bytes()), &["base64"]);
    line("base64-nopad", &|t| BASE64_NOPAD.encode(t.as_bytes()), &["base64"]);
    line("base64url", &|t| BASE64URL.encode(pair(t).as_bytes()), &["base64url"]);
    line("base64url-nopad", &|t| BASE64URL_NOPAD.encode(pair(t).as_bytes()), &["base64url"]);
    line("base64-glued", &|t| format!("deploy-key-{}", BASE64.encode(pair(t).as_bytes())), &["base64"]);
    line("data-uri", &|t| format!("data:text/plain;base64,{}", BASE64.encode(t.as_bytes())), &["base64"]);
    let long =
        |t: &str| BASE64.encode(format!("{}{t} {}", "filler ".repeat(20), "more ".repeat(20)).as_bytes());
    line("base64-wrapped", &|t| wrapped(&long(t), 76, "\n"), &["base64"]);
    line("base64-wrapped-crlf", &|t| wrapped(&long(t), 64, "\r\n"), &["base64"]);
    line("base64-indented", &|t| wrapped(&long(t), 64, "\n      "), &["base64"]);
    line("base64-commented", &|t| wrapped(&long(t), 64, "\n# "), &["base64"]);
    line("base64-in-json", &|t| wrapped(&long(t), 64, "\\n"), &["base64"]);
    line("base64-twice", &|t| BASE64.encode(BASE64.encode(t.as_bytes()).as_bytes()), &["base64", "base64"]);
    let five = |t: &str| (0..5).fold(t.to_owned(), |t, _| BASE64.encode(t.as_bytes()));
    line("base64-five-times", &five, &["base64"; 5]);
    line("base64-utf16", &|t| BASE64.encode(&utf16(&pair(t), u16::to_le_bytes)), &["base64", "utf-16le"]);
    line("base64-gzip", &|t| BASE64.encode(&gzip(pair(t).as_bytes())), &["base64", "gzip"]);
    line("base64-zlib", &|t| BASE64.encode(&zlib(pair(t).as_bytes())), &["base64", "zlib"]);
    let helm = |t: &str| BASE64.encode(BASE64.encode(&gzip(pair(t).as_bytes())).as_bytes());
    line("base64-base64-gzip", &helm, &["base64", "base64", "gzip"]);
    line("hex", &|t| HEXLOWER.encode(t.as_bytes()), &["hex"]);
    line("hex-upper", &|t| HEXUPPER.encode(t.as_bytes()), &["hex"]);
    line("hex-0x", &|t| format!("0x{}", HEXLOWER.encode(t.as_bytes())), &["hex"]);
    line("hex-wrapped", &|t| wrapped(&HEXLOWER.encode(pair(t).as_bytes()), 40, "\n  "), &["hex"]);
    line("hex-gzip", &|t| HEXLOWER.encode(&gzip(pair(t).as_bytes())), &["hex", "gzip"]);
    line("percent", &|t| bytewise(t, |b| format!("%{b:02x}")), &["percent"]);
    line(
        "percent-in-url",
        &|t| format!("https://e.com/?a=b%26c&k=x%3D{}", t.replace('_', "%5F")),
        &["percent"],
    );
    line("percent-base64", &|t| BASE64.encode(pair(t).as_bytes()).replace('=', "%3D"), &["base64"]);
    let inner = |t: &str| bytewise(&BASE64.encode(pair(t).as_bytes()), |b| format!("%{b:02X}"));
    line("percent-of-base64", &inner, &["percent", "base64"]);
    line("x-escape", &|t| bytewise(t, |b| format!("\\x{b:02x}")), &["unicode-escape"]);
    line("u-escape", &|t| bytewise(t, |b| format!("\\u{b:04x}")), &["unicode-escape"]);
    line("u-brace-escape", &|t| bytewise(t, |b| format!("\\u{{{b:x}}}")), &["unicode-escape"]);
    line("long-u-escape", &|t| bytewise(t, |b| format!("\\U{b:08x}")), &["unicode-escape"]);
    line("octal-escape", &|t| bytewise(t, |b| format!("\\{b:03o}")), &["unicode-escape"]);
    line("escaped-escape", &|t| bytewise(t, |b| format!("\\\\u{b:04x}")), &["unicode-escape"]);
    line("one-escape", &|t| t.replace('_', "\\u005f"), &["unicode-escape"]);
    line("html-decimal", &|t| bytewise(t, |b| format!("&#{b};")), &["html-entity"]);
    line("html-hex", &|t| bytewise(t, |b| format!("&#x{b:x};")), &["html-entity"]);
    line("html-named", &|t| t.replace('_', "&lowbar;"), &["html-entity"]);
    line("quoted-printable", &|t| format!("a=3D1 t=3D{}", t.replace('_', "=5F")), &["quoted-printable"]);
    let soft = |t: &str| format!("Hello, please use this one from now on: {}=\n{}", &t[..20], &t[20..]);
    line("quoted-printable-soft", &soft, &["quoted-printable"]);
    let header = BASE64URL_NOPAD.encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    let claims = |t: &str| BASE64URL_NOPAD.encode(format!("{{\"sub\":\"bob\",\"key\":\"{t}\"}}").as_bytes());
    line("jwt", &|t| format!("{header}.{}.c2lnbmF0dXJl", claims(t)), &["jwt"]);
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
        line(name, &cut, &["concat"]);
    }
    let base64 = |t: &str| {
        let encoded = BASE64.encode(pair(t).as_bytes());
        format!("{}\" +\n  \"{}", &encoded[..30], &encoded[30..])
    };
    line("concat-of-base64", &base64, &["concat", "base64"]);
    places
}

/// Files that are text with text inside.
pub fn files(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let har = format!(
        "{{\"log\":{{\"entries\":[{{\"response\":{{\"content\":{{\"text\":\"{}\",\"encoding\":\"base64\"}}}}}}]}}}}\n",
        BASE64.encode(format!("{{\"token\": \"{}\"}}", token()).as_bytes())
    );
    places.push(Place::new("capture.har", har.into_bytes()).on_lines(1..=1).decoded(&["base64"]));
    let notebook =
        format!("{{\"cells\":[{{\"outputs\":[{{\"text\":[\n \"value {}\\n\"\n]}}]}}]}}\n", token());
    places.push(Place::new("notebook.ipynb", notebook.into_bytes()).on_lines(2..=2).in_columns(9..=9));
    let body =
        BASE64.encode(format!("Dear all,\r\n\r\nthe key is {}\r\n{}", token(), "bye ".repeat(40)).as_bytes());
    let headers = "From bob@example.com Mon Jan  1 00:00:00 2001\nFrom: bob@example.com\nMIME-Version: 1.0\n";
    let mail = format!("{headers}Content-Transfer-Encoding: base64\n\n{}\n", wrapped(&body, 76, "\n"));
    places.push(Place::new("base64.mbox", mail.into_bytes()).on_lines(6..=10).decoded(&["base64"]));
    let attached =
        zip(&[("conf/.env", format!("a\nb = {}\n", token()).as_bytes())], zip::CompressionMethod::Deflated);
    let mail = format!(
        "{headers}Content-Transfer-Encoding: base64\n\n{}\n",
        wrapped(&BASE64.encode(&attached), 76, "\n")
    );
    let place = Place::new("attachment.eml", mail.into_bytes()).on_lines(6..=20).decoded(&["base64"]);
    places.push(place.inside(&["conf/.env"]));
    let packed = tar(&[("a", format!("x\nb = {}\n", token()).as_bytes())]);
    let place = Place::new("short-name.txt", format!("tar: {}\n", BASE64.encode(&packed)).into_bytes());
    places.push(place.on_lines(1..=1).in_columns(1..=6).decoded(&["base64"]).inside(&["a"]));
    let map = format!("{{\"version\":3,\"sourcesContent\":[\"const key = '{}';\"]}}", token());
    places.push(Place::new("app.js.map", map.into_bytes()).on_lines(1..=1).in_columns(46..=46));
    let lock = format!("[[package]]\nname = \"x\"\nsource = \"git+https://{}@example.com/x\"\n", token());
    places.push(Place::new("Cargo.lock", lock.into_bytes()).on_lines(3..=3).in_columns(23..=23));
    let svg = format!("<svg><!-- {} --></svg>\n", token());
    places.push(Place::new("logo.svg", svg.into_bytes()).on_lines(1..=1).in_columns(11..=11));
    let minified = format!("{}var k=\"{}\";", "a=1;".repeat(20_000), token());
    places.push(Place::new("app.min.js", minified.into_bytes()).on_lines(1..=1).in_columns(80_008..=80_008));
    let module = format!("module.exports = '{}';\n", token());
    places
        .push(Place::new("node_modules/x/index.js", module.into_bytes()).on_lines(1..=1).in_columns(19..=19));
    places
}
