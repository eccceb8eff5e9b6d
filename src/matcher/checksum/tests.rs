//! Every checksum: what is completed passes, what is damaged does not.

use data_encoding::BASE64;

use super::azure::marvin32;
use super::*;

/// Deterministic text of `len` characters out of `alphabet`.
fn text(alphabet: &str, len: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 0x2545_f491_u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            letters[(state >> 8) as usize % letters.len()]
        })
        .collect()
}

const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What is completed passes; the same with its last or a middle character changed does not.
fn check(name: &str, partial: &str) {
    let sum = complete(name, partial).unwrap_or_else(|| panic!("{name} cannot complete"));
    let whole = format!("{partial}{sum}");
    assert_eq!(verify(name, whole.as_bytes()), Some(true), "{name}");
    for at in [partial.len() * 2 / 3, whole.trim_end_matches('=').len() - 2] {
        let mut bytes = whole.clone().into_bytes();
        bytes[at] = if bytes[at] == b'2' { b'3' } else { b'2' };
        assert_eq!(verify(name, &bytes), Some(false), "{name}, byte {at}");
    }
}

#[test]
fn completed_tokens_verify_and_damaged_ones_do_not() {
    check("github", &format!("gh{}", "p_".to_owned() + &text(BASE62, 30)));
    check("npm", &format!("np{}", "m_".to_owned() + &text(BASE62, 30)));
    check("gitlab-routable", &format!("gl{}-{}.01.0r", "pat", text(BASE62, 27)));
    check("cloudflare", &format!("cf{}_{}", "ut", text(BASE62, 40)));
    check("zuplo", &format!("zp{}_{}_", "ka", text("0123456789abcdef", 32)));
    check("grafana-service-account", &format!("gl{}_{}_", "sa", text(BASE62, 32)));
    check("atlassian", &format!("AT{}3xFfGF0{}=", "ATT", text(BASE62, 170)));
    check("confluent", &format!("cf{}{}", "lt", text(BASE62, 54)));
    check("luhn", "457-508");
}

#[test]
fn azure_keys() {
    for (name, body, signature) in [
        ("azure-storage", 76, "+ASt"),
        ("azure-cosmos-db", 76, "ACDb"),
        ("azure-messaging", 33, "+ASb"),
        ("azure-iot", 33, "AIoT"),
        ("azure-batch", 76, "+ABa"),
        ("azure-redis", 33, "AzCa"),
        ("azure-functions", 44, "AzFu"),
        ("azure-search", 42, "AzSe"),
        ("azure-container-registry", 42, "+ACR"),
        ("azure-api-management", 76, "APIM"),
        ("azure-ml", 76, "+AMC"),
    ] {
        check(name, &format!("{}{signature}", text(BASE62, body)));
    }
    check("azure-cask", &format!("{}JQQJ99AKACAAAAAAAAAAAAASAZDO", text(BASE62, 52)));
}

#[test]
fn marvin_agrees_with_published_vectors() {
    // dotnet/runtime, tests of System.Private.CoreLib's Marvin.
    let seed = 0x004f_b61a_001b_dbcc;
    assert_eq!(marvin32(&[], seed), 0x30ed_35c1 ^ 0x00cd_3c7d);
    assert_eq!(marvin32(&[0xaf], seed), 0x48e7_3fc7 ^ 0x7d75_ddc1);
    assert_eq!(marvin32(&[0xe7, 0x0f], seed), 0xb5f6_e1fc ^ 0x485d_bff8);
    assert_eq!(marvin32(&[0x86, 0x42, 0xdc, 0x59], seed), 0x7008_f2e8 ^ 0x7e9c_f556);
    assert_eq!(marvin32(&[0xab, 0x42, 0x7e, 0xa8, 0xd1, 0x0f, 0xc7], seed), 0xe118_47e4 ^ 0xf067_8c41);
}

#[test]
fn structures() {
    let jwt = complete("jwt", "").unwrap_or_default() + &text(BASE62, 43);
    assert_eq!(verify("jwt", jwt.as_bytes()), Some(true));
    assert_eq!(
        verify("jwt", format!("eyJ{}.eyJ{}.x", text(BASE62, 30), text(BASE62, 30)).as_bytes()),
        Some(false)
    );
    let begin = format!("-----BEGIN {} KEY-----\n", "PRIVATE");
    let key = format!("{begin}{}", complete("private-key", &begin).unwrap_or_default());
    assert_eq!(verify("private-key", key.as_bytes()), Some(true));
    assert_eq!(verify("private-key", key.replace('\n', "\\n").as_bytes()), Some(true));
    assert_eq!(verify("private-key", key.replacen('M', "X", 1).as_bytes()), Some(false));
    let token = complete("jfrog-reference", "").unwrap_or_default();
    assert_eq!(verify("jfrog-reference", token.as_bytes()), Some(true));
    assert_eq!(verify("jfrog-reference", token[8..].as_bytes()), Some(false));
    let bot = BASE64.encode(b"123456789012345678");
    assert_eq!(verify("discord-bot", format!("{bot}.abc.def").as_bytes()), Some(true));
    assert_eq!(
        verify("pypi", format!("pypi-{}", BASE64.encode(b"\x02\x01\x08pypi.org\x02\x24abc")).as_bytes()),
        Some(true)
    );
    assert_eq!(
        verify("pypi", format!("pypi-{}", BASE64.encode(b"\x02\x01\x08pypi.com\x02\x24abc")).as_bytes()),
        Some(false)
    );
    assert_eq!(
        verify("atlassian-data-center", BASE64.encode(b"588925395905:\x9b\xf5\x16>").as_bytes()),
        Some(true)
    );
    assert_eq!(
        verify("grafana-cloud", format!("glc_{}", BASE64.encode(br#"{"o":"1","n":"a","k":"b"}"#)).as_bytes()),
        Some(true)
    );
}

#[test]
fn age_keys() {
    let body = text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 52);
    let partial = format!("AGE-SECRET-{}{body}", "KEY-1");
    let whole = format!("{partial}{}", complete("age", &partial).unwrap_or_default());
    assert_eq!(whole.len(), 74);
    assert_eq!(verify("age", whole.as_bytes()), Some(true));
    assert_eq!(verify("age", format!("{partial}QQQQQQ").as_bytes()), Some(false));
}

#[test]
fn aws_account() {
    // Worked example of the encoding: account 581039954779.
    let id = format!("AS{}QNZGKIQY56JQ7WML", "IA");
    assert_eq!(aws_account_id(id.as_bytes()).as_deref(), Some("029608264753"));
    assert_eq!(aws_account_id(format!("AK{}I2345672345672345", "IA").as_bytes()), None);
    assert_eq!(verify("aws-key-id", b"too short"), Some(false));
}

#[test]
fn unknown_names_and_foreign_input() {
    assert_eq!(verify("no-such", b"x"), None);
    for name in names() {
        for input in [&b""[..], b"=", b"_", b"\xff\xfe", b"1", b"......", &[b'A'; 79]] {
            assert!(verify(name, input).is_some(), "{name}");
        }
    }
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    [&[tag, 0x82, (length >> 8) as u8, length as u8], content].concat()
}

#[test]
fn the_length_of_rsa_keys() {
    let armoured = |der: &[u8]| {
        let label = "PRIVATE";
        format!("-----BEGIN RSA {label} KEY-----\n{}\n-----END RSA {label} KEY-----", BASE64.encode(der))
    };
    for bits in [512, 1024, 2048] {
        let modulus: Vec<u8> =
            [0].into_iter().chain((0..bits / 8).map(|i| (i * 37 + 129) as u8 | 1)).collect();
        let key = der(0x30, &[der(2, &[0]), der(2, &modulus), der(2, &[1, 0, 1])].concat());
        assert_eq!(rsa_bits(armoured(&key).as_bytes()), Some(bits));
        let algorithm = der(0x30, &der(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"));
        let wrapped = der(0x30, &[der(2, &[0]), algorithm, der(4, &key)].concat());
        assert_eq!(rsa_bits(armoured(&wrapped).as_bytes()), Some(bits));
        assert_eq!(rsa_bits(armoured(&wrapped[..wrapped.len() - 9]).as_bytes()), None);
    }
    let elliptic = der(0x30, &[der(2, &[1]), der(4, &[7; 32])].concat());
    assert_eq!(rsa_bits(armoured(&elliptic).as_bytes()), None);
    assert_eq!(rsa_bits(b"no key"), None);
}

/// What completes a text and what verifies it share their code: only others' examples show that both are right.
#[test]
fn sums_agree_with_published_ones() {
    // BIP-173, valid test vectors.
    for (text, sum) in [
        ("a1", "2uel5l"),
        ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7l", "mqqqxw"),
        ("split1checkupstagehandshakeupstreamerranterredcaperred", "2y9e3w"),
    ] {
        assert_eq!(structure::bech32_checksum(text).as_deref(), Some(sum), "{text}");
    }
    // The example of Luhn's sum that everybody gives.
    for digit in 0..10 {
        assert_eq!(verify("luhn", format!("7992739871{digit}").as_bytes()), Some(digit == 3));
    }
}

#[test]
fn an_age_key_holds_something() {
    let empty = format!("age-secret-{}", "key-1");
    let sum = structure::bech32_checksum(&empty).unwrap_or_default();
    assert_eq!(verify("age", format!("{empty}{sum}").as_bytes()), Some(false));
}

#[test]
fn headers_and_claims_are_objects() {
    let encode = |json: &str| BASE64.encode(json.as_bytes()).trim_end_matches('=').to_owned();
    let token =
        |header: &str, claims: &str| format!("{}.{}.{}", encode(header), encode(claims), text(BASE62, 43));
    let (header, claims) = (r#"{"alg":"HS256"}"#, r#"{"sub":"4711"}"#);
    for (header, claims, right) in [
        (header, claims, true),
        (r#" {"alg":"HS256"} "#, claims, true),
        (r#"{"typ":"JWT"}"#, claims, false),
        (r#"["alg"]"#, claims, false),
        (r#"{"alg":"HS256""#, claims, false),
        (r#""alg":"HS256"}"#, claims, false),
        (header, "4711", false),
    ] {
        assert_eq!(verify("jwt", token(header, claims).as_bytes()), Some(right), "{header} {claims}");
    }
    let not_text = BASE64.encode(b"{\"alg\":\xff\xff}").trim_end_matches('=').to_owned();
    assert_eq!(verify("jwt", format!("{not_text}.{}.x", encode(claims)).as_bytes()), Some(false));
}

#[test]
fn a_cloud_token_names_all_that_it_opens() {
    for (json, right) in [
        (r#"{"o":"1","n":"a","k":"b"}"#, true),
        (r#"{"o":"1","n":"a"}"#, false),
        (r#""o":"1","n":"a","k":"b""#, false),
    ] {
        let token = format!("glc_{}", BASE64.encode(json.as_bytes()));
        assert_eq!(verify("grafana-cloud", token.as_bytes()), Some(right), "{json}");
    }
}

#[test]
fn a_private_key_is_as_long_as_it_says() {
    let armoured = |der: &[u8]| {
        let label = format!("{} KEY", "PRIVATE");
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", BASE64.encode(der))
    };
    let key = |der: &[u8]| verify("private-key", armoured(der).as_bytes()) == Some(true);
    for length in [32, 100, 200, 400] {
        let body: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
        let head = match length {
            0..=127 => vec![0x30, length as u8],
            128..=255 => vec![0x30, 0x81, length as u8],
            _ => vec![0x30, 0x82, (length >> 8) as u8, length as u8],
        };
        let whole = [head, body].concat();
        assert!(key(&whole), "{length}");
        assert!(!key(&whole[..whole.len() - 1]), "{length}");
        assert!(!key(&[&whole[..], b"x"].concat()), "{length}");
    }
    assert!(!key(&[&[0x30, 31][..], &[1; 31]].concat()), "too short for a key");
    assert!(!key(&[&[0x31, 40][..], &[1; 40]].concat()), "no sequence");
}

#[test]
fn a_key_id_of_a_few_characters_is_a_mask() {
    let id = |body: &str| format!("AK{}{body}", "IA");
    assert_eq!(verify("aws-key-id", id("Q234Q234Q234Q234").as_bytes()), Some(false));
    assert_eq!(verify("aws-key-id", id("Q2345Q2345Q2345Q").as_bytes()), Some(true));
    assert_eq!(verify("aws-key-id", id("Q23456Q2345Q2345QX").as_bytes()), Some(false));
}

#[test]
fn numbers_are_written_in_any_base() {
    assert_eq!(in_base(u32::MAX, b"0123456789", 12), "004294967295");
    assert_eq!(in_base(0xbeef, b"0123456789abcdef", 4), "beef");
}
