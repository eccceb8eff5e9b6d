//! Words that names and surroundings are made of, in groups: what a reviewer would read in them.
//!
//! A set of groups is a `u64`; it is the same set for names and for surroundings.

use std::collections::HashMap;
use std::sync::LazyLock;

macro_rules! groups {
    ($($group:ident: $($word:literal)|+;)+) => {
        /// A group of words that mean the same to the verdict.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Group { $(#[allow(missing_docs)] $group),+ }

        /// Names of the groups, in the order of [`Group`].
        pub const GROUP_NAMES: &[&str] = &[$(stringify!($group)),+];

        const WORDS: &[(&str, Group)] = &[$($(($word, Group::$group)),+),+];
    };
}

groups! {
    Password: "password" | "passwords" | "passwd" | "passwort" | "kennwort" | "senha" | "passwrd" | "userpass" | "mypassword" | "dbpassword" | "sslpassword" | "keypass" | "storepass" | "contrase\u{f1}a" | "contrasena" | "wachtwoord" | "parola" | "parol\u{103}" | "sifre" | "\u{15f}ifre" | "heslo" | "haslo" | "has\u{142}o" | "l\u{f6}senord" | "losenord" | "motdepasse" | "passe" | "ароль" | "пароля" | "密码" | "密碼" | "口令" | "パスワード" | "暗証番号" | "비밀번호" | "암호" | "mật" | "khẩu" | "المرور" | "पासवर्ड" | "סיסמה" | "userpassword" | "adminpassword" | "rootpassword" | "clave";
    Pass: "pass" | "userpass" | "dbpass";
    Pwd: "pwd" | "pw" | "pswd" | "psw" | "passw";
    Phrase: "passphrase" | "passcode" | "pin" | "passkey" | "phrase";
    Secret: "secret" | "secrets" | "clientsecret" | "secretkey" | "geheim" | "geheimnis" | "екрет" | "appsecret" | "sharedsecret";
    Token: "token" | "tokens" | "accesstoken" | "authtoken" | "jeton" | "окен" | "令牌" | "トークン" | "토큰" | "apitoken" | "bearertoken" | "usertoken" | "sessiontoken";
    Key: "key" | "keys" | "密钥" | "密鑰" | "ключ" | "chiave" | "chave" | "nkey" | "repokey" | "authkey";
    ApiKey: "apikey" | "apikeys" | "appkey" | "accesskey" | "accesskeyid" | "accountkey" | "consumerkey";
    Api: "api" | "app" | "aws" | "google" | "twitter" | "facebook" | "github" | "gitlab" | "slack" | "stripe" | "azure" | "firebase" | "twilio" | "sendgrid" | "mailgun" | "heroku" | "dropbox" | "openai" | "maps" | "datadog";
    Access: "access" | "refresh" | "bearer" | "personal" | "deploy";
    Auth: "auth" | "oauth" | "oauth2" | "authorization" | "authentication" | "authenticate" | "authn" | "authcode";
    Credential: "credential" | "credentials" | "creds" | "cred" | "login" | "logon";
    Client: "client" | "consumer" | "application" | "customer" | "partner" | "merchant";
    Private: "private" | "priv" | "privatekey";
    Public: "public" | "pub" | "publickey" | "publishable" | "site" | "sitekey";
    Crypto: "encryption" | "encrypt" | "cipher" | "signing" | "sign" | "signature" | "hmac" | "master" | "shared" | "jwt" | "aes" | "crypto";
    Digest: "hash" | "hashed" | "digest" | "salt" | "bcrypt" | "encrypted" | "encoded" | "md5" | "sha" | "sha1" | "sha256" | "sha512" | "checksum" | "fingerprint" | "integrity" | "verifier" | "encryptedpassword" | "passwordhash" | "thumbprint" | "scrypt" | "pbkdf2" | "argon2" | "ciphertext";
    User: "user" | "username" | "usr" | "uname" | "account" | "email" | "mail" | "userid" | "member" | "owner";
    Admin: "admin" | "root" | "superuser" | "sa" | "administrator" | "sudo" | "become" | "bind";
    Database: "db" | "database" | "mysql" | "postgres" | "postgresql" | "pg" | "redis" | "mongo" | "mongodb" | "ldap" | "smtp" | "ftp" | "sftp" | "host" | "hostname" | "port" | "server" | "rabbitmq" | "amqp" | "oracle" | "mssql" | "jdbc" | "elasticsearch" | "kafka" | "minio" | "keystore" | "truststore" | "ssh" | "wifi" | "ssl" | "tls" | "proxy" | "vpn" | "dsn" | "datasource";
    Id: "id" | "ids" | "identifier" | "uid" | "uuid" | "guid" | "sid" | "arn";
    Name: "name" | "names" | "alias" | "prefix" | "suffix" | "attribute" | "attr" | "column" | "property" | "prop" | "kind" | "type" | "types" | "class" | "enum" | "format" | "scheme" | "style" | "mode" | "method" | "strategy" | "algorithm" | "alg" | "namespace" | "ref" | "reference" | "group" | "scope" | "role";
    Path: "path" | "file" | "filename" | "filepath" | "dir" | "directory" | "location" | "store" | "folder" | "files" | "url" | "uri" | "endpoint" | "link" | "href" | "route" | "page" | "host" | "issuer" | "audience" | "domain" | "bucket" | "address" | "callback";
    Text: "field" | "label" | "title" | "text" | "message" | "messages" | "msg" | "placeholder" | "hint" | "help" | "description" | "desc" | "prompt" | "caption" | "tooltip" | "error" | "errors" | "err" | "warning" | "question" | "input" | "button" | "icon" | "image" | "component" | "content" | "subject" | "template" | "translation" | "summary" | "comment" | "note" | "notes" | "instructions" | "feedback";
    Header: "header" | "headers" | "cookie" | "cookies" | "param" | "params" | "parameter" | "query" | "claim";
    Measure: "length" | "len" | "min" | "max" | "size" | "count" | "limit" | "num" | "number" | "strength" | "policy" | "rule" | "rules" | "regex" | "regexp" | "pattern" | "validator" | "validation" | "validate" | "expiry" | "expires" | "expiration" | "expire" | "expired" | "ttl" | "timeout" | "age" | "date" | "time" | "interval" | "lifetime" | "index" | "offset" | "position" | "level" | "version" | "status" | "code" | "minimum" | "maximum" | "history" | "at" | "score" | "bits" | "duration" | "cost" | "within" | "price" | "total" | "usage";
    Csrf: "csrf" | "xsrf" | "nonce" | "state" | "captcha" | "recaptcha" | "authenticity" | "challenge" | "antiforgery";
    Page: "next" | "continuation" | "cursor" | "sync" | "marker" | "starting" | "pagination" | "last" | "resume" | "start";
    DataKey: "foreign" | "primary" | "sort" | "partition" | "cache" | "lookup" | "routing" | "composite" | "unique" | "row" | "hot" | "arrow" | "press" | "down" | "up" | "left" | "right" | "board" | "map" | "object" | "storage" | "local" | "translation" | "i18n" | "group" | "event" | "data" | "meta" | "metadata" | "item" | "dict" | "hash" | "shortcut" | "escape" | "enter" | "tab" | "registry" | "config" | "feature" | "lang" | "menu" | "react" | "entity" | "record" | "resource" | "redis" | "session" | "label" | "annotation" | "bind" | "sub" | "json" | "value" | "join" | "order" | "filter" | "idempotency" | "any" | "some" | "my" | "translate" | "dispatch" | "action" | "search" | "document" | "media" | "answer" | "musical" | "signature" | "song";
    Reset: "reset" | "forgot" | "forgotten" | "change" | "changed" | "recover" | "recovery" | "update" | "updated" | "edit" | "set" | "send" | "request" | "generate" | "create" | "created" | "delete" | "remove" | "add" | "get" | "fetch" | "load" | "read" | "find" | "parse" | "check" | "verify" | "handle" | "on" | "ask" | "show" | "hide" | "toggle" | "enter" | "invalid" | "wrong" | "missing" | "incorrect" | "unknown" | "bad" | "failed" | "fail" | "failure" | "unauthorized" | "no" | "not" | "without";
    Confirm: "confirm" | "confirmation" | "repeat" | "retype" | "again" | "match" | "matches" | "old" | "new" | "current" | "previous" | "original" | "confirmed" | "second" | "re";
    Test: "test" | "tests" | "testing" | "spec" | "expect" | "expected" | "expects" | "assert" | "asserts" | "assertequal" | "assertequals" | "should" | "equal" | "equals" | "assertthat" | "eq" | "tobe" | "toequal" | "want" | "got" | "given" | "describe" | "it" | "actual" | "t" | "testcase" | "scenario" | "verifies" | "refute";
    Fake: "fake" | "dummy" | "mock" | "mocked" | "stub" | "fixture" | "sample" | "example" | "examples" | "demo" | "foo" | "bar" | "baz" | "eg" | "e.g" | "placeholder" | "bogus" | "faker" | "factory" | "sandbox" | "replace" | "your" | "changeme" | "change" | "todo" | "fixme" | "xxx";
    Default: "default" | "defaults" | "initial" | "generated" | "temp" | "temporary" | "random" | "fallback";
    Env: "env" | "environ" | "getenv" | "environment" | "variable" | "vars" | "config" | "settings" | "setting" | "option" | "options" | "arg" | "args" | "argument" | "flag" | "export" | "os" | "process" | "property" | "properties" | "getproperty" | "dotenv" | "lookup" | "vault" | "secretsmanager" | "keyvault" | "kms" | "ssm" | "parameterstore";
    Agent: "manager" | "service" | "provider" | "handler" | "helper" | "builder" | "resolver" | "parser" | "listener" | "controller" | "view" | "form" | "repository" | "generator" | "encoder" | "util" | "utils" | "model" | "schema" | "request" | "response" | "dto" | "module" | "plugin" | "source" | "table" | "list" | "array" | "set" | "context" | "info" | "holder" | "getter" | "setter" | "func" | "function" | "interface" | "impl" | "abstract" | "extends" | "import" | "require" | "include" | "from" | "package" | "def" | "lambda" | "struct";
    Bool: "is" | "has" | "enable" | "enabled" | "disable" | "disabled" | "required" | "allow" | "allowed" | "use" | "can" | "with" | "supports" | "needs" | "optional" | "need" | "valid" | "visible" | "visibility" | "true" | "false" | "boolean" | "bool" | "if" | "else" | "unless" | "when" | "while";
    Output: "print" | "log" | "echo" | "puts" | "printf" | "println" | "console" | "logger" | "debug" | "info" | "warn" | "fprintf" | "write" | "writeline" | "throw" | "throws" | "raise" | "exception" | "translate" | "gettext" | "stderr" | "fatal" | "errorf" | "logf" | "trace";
    Connect: "connect" | "connection" | "conn" | "dial" | "open" | "session" | "engine" | "pool" | "connectionstring" | "datasourcename" | "http" | "https" | "curl" | "wget" | "docker" | "psql" | "mysqldump" | "kubectl" | "sshpass" | "openssl";
    Recording: "cassette" | "vcr" | "body" | "interactions" | "set-cookie" | "useragent" | "content-type" | "base64" | "uri" | "cookie" | "encoding" | "accept";
    Schema: "properties" | "schema" | "openapi" | "swagger" | "string" | "str" | "integer" | "varchar" | "char" | "nullable" | "const" | "final" | "static" | "var" | "let" | "val" | "column";
    Hosted: "secretkeyref" | "valuefrom" | "configmapkeyref" | "externalsecret" | "existingsecret" | "secretname" | "secretref" | "imagepullsecret" | "pull" | "secretstore" | "secretmanager" | "secretid";
    License: "license" | "licence" | "serial" | "product" | "activation" | "seed" | "mnemonic" | "otp" | "totp" | "mfa" | "recovery" | "webhook" | "subscription";
    Build: "resolved" | "commit" | "lock" | "lockfile" | "revision" | "vendor" | "module" | "publickeytoken" | "culture" | "assembly" | "gpg" | "apt" | "repokey" | "sums" | "keyid" | "pgp" | "rpm" | "keyserver" | "recv" | "thumbprint";
    Prose: "please" | "must" | "cannot" | "the" | "this" | "that" | "for" | "to" | "of" | "and" | "or" | "you" | "will" | "be" | "are" | "was" | "can't" | "when" | "a" | "an" | "in";
    Sql: "alter" | "grant" | "identified" | "insert" | "into" | "values" | "select" | "role" | "by" | "identity";
}

/// The bit of a group in a set.
pub const fn bit(group: Group) -> u64 {
    1 << group as u8
}

/// Longest word that is looked up; longer ones are in no group.
const LONGEST: usize = 32;

/// A hash table over the words in ASCII, built at compile time: collisions go to the next slot. A slot holds
/// the word's number plus one, and above it 16 bits of its hash, so that other words are seldom compared.
const SLOTS: usize = 2048;
static TABLE: [u32; SLOTS] = table();

/// The hash of a word of letters and digits, whatever their case: of its length, its first eight bytes and its last.
const fn hash(word: &[u8]) -> u64 {
    // Sets the bit by which small letters differ from capital ones; digits have it.
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let (first, last) = match (word.first_chunk::<8>(), word.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (word.first_chunk::<4>(), word.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
            }
            _ => match word {
                [a] => (*a as u64, 0),
                [a, b] => (*a as u64, *b as u64),
                [a, b, c] => ((*a as u64) | (*b as u64) << 8, *c as u64),
                _ => (0, 0),
            },
        },
    };
    let mixed = (first | SMALL).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ ((last | SMALL).wrapping_add(word.len() as u64))
            .wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            .rotate_left(29);
    mixed ^ (mixed >> 32)
}

/// Where to look for a word of this hash, and what its slot holds above the number.
const fn place(hash: u64) -> (usize, u32) {
    (hash as usize % SLOTS, (hash >> 16) as u32 & 0xffff_0000)
}

const fn table() -> [u32; SLOTS] {
    let mut slots = [0_u32; SLOTS];
    let mut i = 0;
    while i < WORDS.len() {
        if WORDS[i].0.is_ascii() {
            let (mut slot, tag) = place(hash(WORDS[i].0.as_bytes()));
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = tag | (i as u32 + 1);
        }
        i += 1;
    }
    slots
}

/// The groups of one word in lower case: a word may be in several.
pub fn groups_of(word: &[u8]) -> u64 {
    if word.is_ascii() { known(word) } else { foreign(word) }
}

/// The groups of a word in ASCII, whatever its case.
fn known(word: &[u8]) -> u64 {
    let mut set = 0;
    let (mut slot, tag) = place(hash(word));
    while TABLE[slot] != 0 {
        if TABLE[slot] & 0xffff_0000 == tag
            && let Some((known, group)) = WORDS.get((TABLE[slot] & 0xffff) as usize - 1)
            && known.as_bytes().eq_ignore_ascii_case(word)
        {
            set |= bit(*group);
        }
        slot = (slot + 1) % SLOTS;
    }
    set
}

/// Words with their groups' bits, by the first two bytes of the words.
type ByStart = HashMap<&'static [u8], Vec<(&'static [u8], u64)>>;

/// The words in other scripts.
static FOREIGN: LazyLock<ByStart> = LazyLock::new(|| {
    let mut words = ByStart::new();
    for (word, group) in WORDS.iter().filter(|(word, _)| !word.is_ascii()) {
        if let Some(first) = word.as_bytes().get(..2) {
            words.entry(first).or_default().push((word.as_bytes(), bit(*group)));
        }
    }
    words
});

/// The groups of a word in another script, where words are not set apart: the parts that are known.
fn foreign(word: &[u8]) -> u64 {
    let words = &*FOREIGN;
    let mut set = 0;
    for (at, pair) in word.windows(2).enumerate() {
        for (known, groups) in words.get(pair).into_iter().flatten() {
            if word[at..].starts_with(known) {
                set |= groups;
            }
        }
    }
    set
}

/// Calls `each` with every word of `text` in lower case: split at what is no letter or digit, and
/// where `camelCase` or `HTTPServer` begins a new word.
pub fn each_word(text: &[u8], mut each: impl FnMut(&[u8])) {
    let mut word = [0_u8; LONGEST];
    let mut len = 0;
    for (i, &b) in text.iter().enumerate() {
        let letter = b.is_ascii_alphanumeric() || b >= 0x80;
        let previous = i.checked_sub(1).and_then(|p| text.get(p)).copied().unwrap_or(0);
        let next = text.get(i + 1).copied().unwrap_or(0);
        let camel = b.is_ascii_uppercase() && begins_word(previous, Some(&next));
        if (!letter || camel) && len > 0 {
            each(&word[..len.min(LONGEST)]);
            len = 0;
        }
        if letter {
            if let Some(slot) = word.get_mut(len) {
                *slot = b.to_ascii_lowercase();
            }
            len += 1;
        }
    }
    if len > 0 {
        each(&word[..len.min(LONGEST)]);
    }
}

/// What a byte is to the words of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Sets words apart.
    Other,
    /// A small letter or a digit.
    Plain,
    /// A capital letter.
    Capital,
    /// Outside ASCII: a letter in another script.
    Wide,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut b = 0;
    while b < 256 {
        classes[b] = match b as u8 {
            b'a'..=b'z' | b'0'..=b'9' => Class::Plain,
            b'A'..=b'Z' => Class::Capital,
            0x80.. => Class::Wide,
            _ => Class::Other,
        };
        b += 1;
    }
    classes
};

/// The groups of all words in `text`.
///
/// The same as [`each_word`] with [`groups_of`] for each word without the digits at its end, and without a copy.
pub fn groups_in(text: &[u8]) -> u64 {
    let mut set = 0;
    let mut at = 0;
    while let Some(&first) = text.get(at) {
        let start = at;
        at += 1;
        let class = CLASSES[usize::from(first)];
        if class == Class::Other {
            continue;
        }
        let mut wide = class == Class::Wide;
        while let Some(&b) = text.get(at) {
            match CLASSES[usize::from(b)] {
                Class::Plain => {}
                Class::Wide => wide = true,
                Class::Capital if !begins_word(text[at - 1], text.get(at + 1)) => {}
                _ => break,
            }
            at += 1;
        }
        let word = trim_digits(&text[start..at.min(start + LONGEST)]);
        set |= if wide { groups_of(&word.to_ascii_lowercase()) } else { known(word) };
    }
    set
}

/// Whether a capital letter between these two begins a word: `aB`, `ABc`.
fn begins_word(previous: u8, next: Option<&u8>) -> bool {
    previous.is_ascii_lowercase() || previous.is_ascii_uppercase() && next.is_some_and(u8::is_ascii_lowercase)
}

/// A word without the digits at its end: `password1` means the same as `password`.
fn trim_digits(word: &[u8]) -> &[u8] {
    let end = word.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |n| n + 1);
    if end == 0 { word } else { &word[..end] }
}

/// The groups of the last word of a name that is no number.
pub fn groups_of_last(name: &[u8]) -> u64 {
    let mut last = 0;
    each_word(name, |word| {
        if !word.iter().all(u8::is_ascii_digit) {
            last = groups_of(trim_digits(word));
        }
    });
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What [`groups_in`] does, word by word.
    fn one_by_one(text: &[u8]) -> u64 {
        let mut set = 0;
        each_word(text, |word| set |= groups_of(trim_digits(word)));
        set
    }

    #[test]
    fn groups_of_names() {
        let has = |text: &str, group| groups_in(text.as_bytes()) & bit(group) != 0;
        assert!(has("dbPassword1", Group::Password) && has("HTTPToken", Group::Token));
        assert!(has("x пароля y", Group::Password) && !has("compass", Group::Pass));
        assert_eq!(groups_of("пароль".as_bytes()), bit(Group::Password), "and nothing else");
    }

    #[test]
    fn every_word_has_its_group() {
        for (word, group) in WORDS {
            assert!(groups_of(word.as_bytes()) & bit(*group) != 0, "{word}");
        }
    }

    #[test]
    fn words_are_split_where_they_are_none() {
        let of = |text: &str| {
            let mut words = Vec::new();
            each_word(text.as_bytes(), |word| words.push(String::from_utf8_lossy(word).into_owned()));
            words
        };
        assert_eq!(of("--a  bC_"), ["a", "b", "c"], "nothing between two marks, nor at an end");
        assert_eq!(of("HTTPServerX"), ["http", "server", "x"]);
        // The second byte of `р` is 0x80, the least that belongs to a letter of another script.
        assert_eq!(of("пароль"), ["пароль"]);
        let last = |name: &str, group| groups_of_last(name.as_bytes()) == bit(group);
        assert!(last("token_password1", Group::Password) && last("пароль_token", Group::Token));
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_words_one_by_one_do(
            parts in proptest::collection::vec(
                prop_oneof![
                    (0..WORDS.len()).prop_map(|i| WORDS[i].0.to_owned()),
                    (0..WORDS.len()).prop_map(|i| WORDS[i].0.to_uppercase()),
                    "[A-Za-z0-9_. -]{0,40}",
                    "\\PC{0,4}",
                    "[0-9]{1,3}",
                ],
                0..8,
            )
        ) {
            let text = parts.concat();
            prop_assert_eq!(groups_in(text.as_bytes()), one_by_one(text.as_bytes()));
        }
    }
}
