use super::*;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use proptest::prelude::*;
use std::io::Write;

/// Shaped like a token, put together here so that no scanner takes this file for a leak.
fn token() -> String {
    format!("{}{}", "tok", "_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
}

fn all(text: &[u8]) -> Vec<Decoded> {
    let mut out = Vec::new();
    each(text, &whole(text), &mut Budget::for_text(text.len()), &mut |d| out.push(d.clone()));
    out
}

/// Checks that `encoded`, amid other text, is decoded to something that holds the token, by this
/// chain, and that the token's place lies inside `encoded`.
#[track_caller]
fn check(encoded: &str, chain: &[&str]) {
    let before = "first line\nkey: ";
    let text = format!("{before}{encoded}\nlast line\n");
    let token = token();
    let found = all(text.as_bytes());
    let at = |d: &Decoded| d.bytes.windows(token.len()).position(|w| w == token.as_bytes());
    let Some((decoded, at)) =
        found.iter().find_map(|d| (d.chain.as_slice() == chain).then(|| Some((d, at(d)?)))?)
    else {
        let chains: Vec<_> = found.iter().map(|d| (d.chain, at(d).is_some())).collect();
        panic!("{encoded}\nis not found as {chain:?}: {chains:?}");
    };
    let place = decoded.source_range(at..at + token.len());
    assert!(
        place.start >= before.len() && place.end <= before.len() + encoded.len(),
        "{place:?} in {encoded}"
    );
    assert!(place.len() >= token.len().min(12), "{place:?} in {encoded}");
    assert!(decoded.range.start <= place.start && place.end <= decoded.range.end);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn wrapped(text: &str, width: usize, newline: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
    lines.join(newline)
}

#[test]
fn base64_of_all_sorts() {
    let plain = format!("user=bob;token={}???>>>~~~", token());
    for encoding in [BASE64, BASE64_NOPAD] {
        check(&encoding.encode(plain.as_bytes()), &["base64"]);
        check(&format!("data:text/plain;base64,{}", encoding.encode(plain.as_bytes())), &["base64"]);
        check(&format!("\"{}\"", encoding.encode(plain.as_bytes())), &["base64"]);
    }
    for encoding in [BASE64URL, BASE64URL_NOPAD] {
        check(&encoding.encode(plain.as_bytes()), &["base64url"]);
    }
    check(&BASE64.encode(token().as_bytes()), &["base64"]);
    check(&BASE64.encode(&BASE64.encode(token().as_bytes()).into_bytes()), &["base64", "base64"]);
}

#[test]
fn base64_glued_to_other_text() {
    let plain = format!("user=bob;token={};and more text behind it", token());
    for prefix in ["id-", "a/", "v1_", "deploy-key-", "x"] {
        let encoded = format!("{prefix}{}", BASE64.encode(plain.as_bytes()));
        let found = all(encoded.as_bytes());
        assert!(found.iter().any(|d| d.bytes.windows(40).any(|w| w == token().as_bytes())), "{prefix}");
    }
}

#[test]
fn base64_over_lines() {
    let plain = format!("{}\n{}\n{}\n", "padding ".repeat(20), token(), "and more ".repeat(20));
    let encoded = BASE64.encode(plain.as_bytes());
    let breaks = ["\n", "\r\n", "\n    ", "\n# ", "\n\t* ", "\\\n", "\\n", "\\r\\n", "\n> ", " \n  ", "\r"];
    for width in [40, 64, 70, 75, 76] {
        for newline in breaks {
            check(&wrapped(&encoded, width, newline), &["base64"]);
        }
    }
}

#[test]
fn base64_one_value_a_line() {
    let secret = BASE64_NOPAD.encode(token().as_bytes());
    let other = BASE64_NOPAD.encode(format!("other {} value", "x".repeat(40)).as_bytes());
    let noise = "Zk3k9Qp0".repeat(7);
    for list in [[&other, &secret], [&noise, &secret], [&secret, &other], [&secret, &noise]] {
        let text = list.map(String::as_str).join("\n");
        let found = all(text.as_bytes());
        assert!(found.iter().any(|d| d.bytes.starts_with(token().as_bytes())), "{text}: {found:?}");
    }
}

#[test]
fn hex_of_all_sorts() {
    check(&HEXLOWER.encode(token().as_bytes()), &["hex"]);
    check(&HEXUPPER.encode(token().as_bytes()), &["hex"]);
    check(&format!("0x{}", HEXLOWER.encode(token().as_bytes())), &["hex"]);
    let long = format!("{} {}", "padding ".repeat(9), token());
    check(&wrapped(&HEXLOWER.encode(long.as_bytes()), 64, "\n  "), &["hex"]);
}

#[test]
fn compressed_payloads() {
    let plain = format!("user: bob\ntoken: {}\n", token());
    for (bytes, name) in [(gzip(plain.as_bytes()), "gzip"), (zlib(plain.as_bytes()), "zlib")] {
        check(&BASE64.encode(&bytes), &["base64", name]);
        check(&wrapped(&BASE64.encode(&bytes), 64, "\n"), &["base64", name]);
        check(&HEXLOWER.encode(&bytes), &["hex", name]);
        check(&BASE64.encode(BASE64.encode(&bytes).as_bytes()), &["base64", "base64", name]);
    }
}

#[test]
fn payload_cut_off() {
    let plain = format!("token: {}\n{}", token(), HEXLOWER.encode(&[7; 900]));
    let encoded = BASE64.encode(&gzip(plain.as_bytes()));
    let cut = &encoded[..encoded.len() - 8];
    assert!(all(cut.as_bytes()).iter().any(|d| d.bytes.windows(40).any(|w| w == token().as_bytes())));
}

#[test]
fn utf16_in_base64() {
    let utf16: Vec<u8> = format!("$t = '{}'", token()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&BASE64.encode(&utf16), &["base64", "utf-16le"]);
}

#[test]
fn escapes_of_all_sorts() {
    let each_byte = |f: &dyn Fn(u8) -> String| -> String { token().bytes().map(f).collect() };
    check(&each_byte(&|b| format!("%{b:02x}")), &["percent"]);
    check(&each_byte(&|b| format!("%{b:02X}")), &["percent"]);
    check(&each_byte(&|b| format!("\\x{b:02x}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("\\u{b:04x}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("\\u{{{b:x}}}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("\\U{b:08x}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("\\{b:03o}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("\\\\x{b:02x}")), &["unicode-escape"]);
    check(&each_byte(&|b| format!("&#{b};")), &["html-entity"]);
    check(&each_byte(&|b| format!("&#x{b:x};")), &["html-entity"]);
    check(
        &each_byte(&|b| {
            if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") }
        }),
        &["percent"],
    );
    check(&format!("a%3D{}", token()), &["percent"]);
    check(&format!("say%20{}", token()), &["percent"]);
    check(&format!("a=3D{}", token()), &["quoted-printable"]);
    check(&format!("https:\\/\\/bob:{}@example.com", token()), &["unicode-escape"]);
    check(&format!("value=&quot;{}&quot;", token()), &["html-entity"]);
    check(&format!("{}&lowbar;{}", &token()[..3], &token()[4..]), &["html-entity"]);
}

#[test]
fn surrogates_and_invalid_escapes() {
    let found = all(b"k = \"\\ud83d\\ude00\\u0061 \\ud83d \\u{110000} \\uzzzz &#1114112; %zz \\x4\"");
    assert_eq!(found.len(), 1);
    assert!(found[0].bytes.windows(5).any(|w| w == "😀a".as_bytes()));
}

#[test]
fn soft_line_breaks() {
    let (a, b) = (&token()[..20], &token()[20..]);
    let line = format!("Dear all, please use the following one for it: {a}=\n{b} and tell nobody");
    check(&line, &["quoted-printable"]);
    check(&line.replace('\n', "\r\n"), &["quoted-printable"]);
}

#[test]
fn literals_in_parts() {
    let (a, b) = (token()[..12].to_owned(), token()[12..].to_owned());
    let (b, c) = (b[..9].to_owned(), b[9..].to_owned());
    for joint in [
        "\" + \"",
        "\"+\"",
        "\" . \"",
        "\" \"",
        "\"\n    \"",
        "\" +\n    \"",
        "\"\n    + \"",
        "' + '",
        "` + `",
        "\" & \"",
        "\" .. \"",
        "\" || \"",
        "\" <> \"",
        "\" ++ \"",
        "\" \\\n \"",
        "\" + '",
        "\" + f\"",
        "\\\n",
        "\\\n    ",
        "\\\r\n",
    ] {
        check(&format!("\"{a}{joint}{b}{joint}{c}\""), &["concat"]);
    }
    let encoded = BASE64.encode(token().as_bytes());
    check(&format!("'{}' + '{}'", &encoded[..20], &encoded[20..]), &["concat", "base64"]);
}

#[test]
fn prose_is_not_joined() {
    for text in [
        "\"some words \" + \"and more words\"",
        "[\"alpha\", \"beta\"]",
        "x = \"\" + \"\"",
        "f(\"a\" + \"b\")",
    ] {
        assert!(all(text.as_bytes()).is_empty(), "{text}");
    }
}

#[test]
fn parts_of_a_jwt() {
    let part = |json: String| BASE64URL_NOPAD.encode(json.as_bytes());
    let header = part(format!("{{\"alg\":\"none\",\"kid\":\"{}\"}}", token()));
    let claims = part(format!("{{\"sub\":\"bob\",\"key\":\"{}\"}}", token()));
    check(&format!("{header}.{claims}.{}", "Zk3k9Qp0_-".repeat(4)), &["jwt"]);
    check(&format!("a.{claims}.{}", "Zk3k9Qp0_-".repeat(4)), &["jwt"]);
}

#[test]
fn nesting_ends_at_the_depth() {
    let mut text = token();
    for depth in 1..=MAX_DEPTH + 1 {
        text = BASE64.encode(text.as_bytes());
        let found = all(text.as_bytes());
        let deepest = found.iter().map(|d| d.chain.as_slice().len()).max();
        assert_eq!(deepest, Some(depth.min(MAX_DEPTH)));
        let seen = found.iter().any(|d| d.bytes == token().as_bytes());
        assert_eq!(seen, depth <= MAX_DEPTH);
    }
}

#[test]
fn containers_are_handed_on() {
    let zip = [b"PK\x03\x04".as_slice(), &[0; 60]].concat();
    let found = all(BASE64.encode(&zip).as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].content, Content::Container);
    assert_eq!(found[0].bytes, zip);
}

#[test]
fn ordinary_source_is_left_alone() {
    let text = b"
        use some_crate::a_module_with_a_long_name::AnotherRatherLongIdentifier;
        static DIGEST: &str = \"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\";
        printf(\"%d%%, %s\\n\", count, name); a = b == c; path = '/usr/share/doc/some-package/examples/x';
        <p>Tom &amp; Jerry &lt;3 &quot;quoted&quot;</p> ---------------------------------------------
        sha512-9OOhwj3DjBSJvR3bcW9RhhW8N9uVYb8hPZbwWlvUEZQrQFBWtVdB0aLdbGqzbTPPqUNJp4rXNz7wm4wOZGLGUA
    ";
    assert_eq!(all(text), vec![]);
}

#[test]
fn budget_is_kept_and_reported() {
    let text = BASE64.encode(&b"some text to decode ".repeat(1000));
    let mut budget = Budget { bytes: 5000, exhausted: false };
    let mut out = Vec::new();
    find(text.as_bytes(), &whole(text.as_bytes()), &mut budget, &mut out);
    assert!(out.is_empty() && budget.exhausted);

    let bomb = BASE64.encode(&gzip(&vec![b'a'; 10 << 20]));
    let mut budget = Budget { bytes: 1 << 20, exhausted: false };
    find(bomb.as_bytes(), &whole(bomb.as_bytes()), &mut budget, &mut out);
    assert!(budget.exhausted);
    assert!(out.iter().map(|d| d.bytes.len()).sum::<usize>() <= 1 << 20);
}

#[test]
fn long_payloads_that_are_cut_off_are_reported() {
    let noise: Vec<u8> = (0..400_000u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let text = BASE64.encode(&gzip(&noise));
    for (text, cut) in [(&text[..], false), (&text[..text.len() - 4000], true)] {
        let mut budget = Budget::for_text(text.len());
        find(text.as_bytes(), &whole(text.as_bytes()), &mut budget, &mut Vec::new());
        assert_eq!(budget.exhausted, cut);
    }
}

#[test]
fn a_file_of_nothing_but_base64() {
    let text = BASE64.encode(&b"all work and no play makes a dull text ".repeat(100_000));
    let found = all(text.as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].bytes.len(), 3_900_000);
}

#[test]
fn verbatim_parts_are_known() {
    let filler = "x".repeat(70);
    let text = format!("https://example.com/?q=some%20words&f={filler}&key=abcdefghijkl&y={filler}");
    let found = all(text.as_bytes());
    assert_eq!(found.len(), 1);
    let place = |needle: &str| {
        let at = found[0].bytes.windows(needle.len()).position(|w| w == needle.as_bytes()).unwrap();
        at..at + needle.len()
    };
    assert!(found[0].is_verbatim(place("abcdefghijkl")));
    assert!(!found[0].is_verbatim(place("some words")));
    assert!(!found[0].is_verbatim(place("&f=")), "what stands before it was decoded");
    assert_eq!(&text[found[0].source_range(place("some words"))], "some%20words");
}

#[test]
fn base64_places_are_exact() {
    let plain = format!("one two three {} four", token());
    let encoded = wrapped(&BASE64.encode(plain.as_bytes()), 20, "\n");
    let found = all(encoded.as_bytes());
    let at = plain.find(&token()).unwrap();
    let place = found[0].source_range(at..at + token().len());
    let line = |offset: usize| encoded[..offset].matches('\n').count();
    assert_eq!(line(place.start), at * 8 / 6 / 20);
    assert_eq!(line(place.end - 1), ((at + token().len()) * 8 - 1) / 6 / 20);
}

#[test]
fn texts_in_utf16_and_utf32() {
    let text = format!("ключ: \"{}\"\r\nsecond line, in Latin letters\r\n", token());
    let le16 = |t: &str| t.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let be16 = |t: &str| t.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let le32 = |t: &str| t.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<u8>>();
    let be32 = |t: &str| t.chars().flat_map(|c| (c as u32).to_be_bytes()).collect::<Vec<u8>>();
    type Encode<'e> = &'e dyn Fn(&str) -> Vec<u8>;
    let encoders: [(&str, Encode<'_>); 4] =
        [("utf-16le", &le16), ("utf-16be", &be16), ("utf-32le", &le32), ("utf-32be", &be32)];
    for (name, encode) in encoders {
        for mark in ["", "\u{feff}"] {
            let bytes = encode(&format!("{mark}{text}"));
            let found = encoding_of_text(&bytes).unwrap_or_else(|| panic!("{name} {mark:?}"));
            assert_eq!((found.name, found.text.as_slice()), (name, text.as_bytes()));
            // A byte more or less is no reason to see nothing.
            assert!(encoding_of_text(&bytes[..bytes.len() - 1]).is_some());
        }
    }
    assert_eq!(encoding_of_text(text.as_bytes()), None);
    assert_eq!(encoding_of_text(b"caf\xe9 latin-1"), None);
    assert_eq!(encoding_of_text(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0"), None);
    assert_eq!(encoding_of_text(b""), None);
    let invalid =
        [&b"\xff\xfe"[..], &le16("abcdefgh"), b"\x00\xd8", &le16("xyz and some more text")].concat();
    assert_eq!(encoding_of_text(&invalid).unwrap().text, "abcdefgh\u{fffd}xyz and some more text".as_bytes());
}

/// Text in which encodings, their parts and noise are mixed.
fn mixture() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,12}".prop_map(String::into_bytes),
        2 => "[ -~\n]{0,40}".prop_map(String::into_bytes),
        2 => "[ -~]{12,60}".prop_map(|t| BASE64.encode(t.as_bytes()).into_bytes()),
        1 => "[ -~]{40,160}".prop_map(|t| wrapped(&BASE64.encode(t.as_bytes()), 24, "\n").into_bytes()),
        1 => "[ -~]{12,30}".prop_map(|t| HEXLOWER.encode(t.as_bytes()).into_bytes()),
        1 => "[ -~]{1,5}".prop_map(|t| t.bytes().map(|b| format!("%{b:02x}")).collect::<String>().into_bytes()),
        1 => "[ -~]{1,5}".prop_map(|t| t.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>().into_bytes()),
        1 => "[ -~]{1,5}".prop_map(|t| t.bytes().map(|b| format!("&#{b};")).collect::<String>().into_bytes()),
        1 => "[a-z]{8,20}\" \\+ \"[a-z]{8,20}".prop_map(String::into_bytes),
        1 => "[a-z]{40}=\n[a-z]{10}=3D".prop_map(String::into_bytes),
        1 => "[a-zA-Z0-9+/]{0,90}".prop_map(String::into_bytes),
        1 => "[ab]{14,90}\n".prop_map(String::into_bytes),
        1 => "(\\\\?\"[a-z]{1,9}){1,40}".prop_map(String::into_bytes),
        1 => "[a-z]{1,9}\" ?\\+?\n *[fb]?\"[a-z]{1,9}".prop_map(String::into_bytes),
        1 => "[%\\\\&=\"'\\+\n]{0,6}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// What may stand around a reach.
fn around() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~\n]{0,400}".prop_map(String::into_bytes),
        mixture(),
        "[ab]{0,100}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What regions yield is what the whole text yields with a reach that touches them: what history's scan
    /// of changed bytes builds on.
    #[test]
    fn regions_yield_what_the_whole_yields(text in mixture(), cuts in proptest::collection::vec((any::<u16>(), 0usize..80), 1..4)) {
        let mut regions: Vec<Range<usize>> = cuts.iter().map(|&(at, len)| {
            let start = usize::from(at) % (text.len() + 1);
            start..(start + len).min(text.len())
        }).collect();
        regions.sort_by_key(|r| r.start);
        regions.dedup_by(|b, a| { let joined = b.start <= a.end; if joined { a.end = a.end.max(b.end); } joined });
        let mut budget = Budget::for_text(text.len());
        let (mut full, mut part) = (Vec::new(), Vec::new());
        find(&text, &whole(&text), &mut budget, &mut full);
        find(&text, &regions, &mut budget, &mut part);
        full.retain(|d| regions.iter().any(|r| r.start <= d.reach.end && d.reach.start <= r.end));
        prop_assert_eq!(full, part);
    }

    /// Bytes beyond the reach of a run do not change what it says.
    #[test]
    fn only_the_reach_counts(text in mixture(), before in around(), after in around()) {
        let mut budget = Budget::for_text(text.len());
        let mut found = Vec::new();
        find(&text, &whole(&text), &mut budget, &mut found);
        for decoded in found {
            let (first, last) = (decoded.reach.start, decoded.reach.end);
            prop_assert!(first <= decoded.range.start && decoded.range.end <= last && last <= text.len());
            // The beginning and the end of a text count.
            let before = if first == 0 { &[][..] } else { &before };
            let after = if last == text.len() { &[][..] } else { &after };
            let other = [before, &text[first..last], after].concat();
            let at = decoded.range.start - first + before.len();
            let mut again = Vec::new();
            find(&other, &whole(&other), &mut budget, &mut again);
            prop_assert!(again.iter().any(|d| d.range.start == at && d.bytes == decoded.bytes), "{:?}", decoded);
        }
    }

    #[test]
    fn any_bytes_are_decoded_without_panic(text in proptest::collection::vec(any::<u8>(), 0..600)) {
        for decoded in all(&text) {
            prop_assert!(decoded.range.end <= text.len());
            for at in 0..decoded.bytes.len() {
                let place = decoded.source_range(at..at + 1);
                prop_assert!(place.start <= place.end && place.end <= text.len());
            }
        }
        encoding_of_text(&text);
    }

    #[test]
    fn mixtures_are_decoded_without_panic(text in mixture()) {
        for decoded in all(&text) {
            for at in 0..decoded.bytes.len() {
                let place = decoded.source_range(at..at + 1);
                prop_assert!(decoded.range.start <= place.start && place.end <= decoded.range.end, "{:?}", decoded);
            }
        }
    }
}

mod borders;
mod places;
