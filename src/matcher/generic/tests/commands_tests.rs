//! Commands, statements, headers and JSON web keys at their borders: what is just read, and what just is not.

use super::*;

/// From each text this one value is read.
#[track_caller]
fn check_reads(kind: Kind, cases: &[(&str, &str)]) {
    for &(text, value) in cases {
        assert_eq!(values(text), [(kind.id(), value.to_owned())], "{text}");
    }
}

#[track_caller]
fn check_silent(texts: &[&str]) {
    texts.iter().for_each(|text| check_none(text));
}

#[test]
fn schemes_of_headers() {
    check_reads(
        Kind::BearerToken,
        &[
            ("Bearer abc12d", "abc12d"),
            ("bearer   abc12d\"", "abc12d"),
            ("Bearer abcdef12.", "abcdef12"),
            ("Bearer abcdef12.-", "abcdef12"),
            ("Bearer abcDef", "abcDef"),
            ("Bearer abcde=", "abcde="),
            ("-Bearer abc-1~_.d;", "abc-1~_.d"),
        ],
    );
    check_reads(Kind::BasicAuth, &[("Basic abcdef1=", "abcdef1="), ("'basic a+c/ef12'", "a+c/ef12")]);
    check_silent(&[
        "Bearer abc1d",
        "Basic abcde1=",
        "xBearer abc12d",
        "_Bearer abc12d",
        "Bearer Abcdef",
        "Bearer ABCDEF",
        "Bearer abcdef",
        "Bearer abc12d(",
        "Bearer abc12d[0]",
        "Bearer abc12d{x}",
        "Bearer abc12d<x>",
        "Basic abc-def12",
        "Basic abc_def12",
    ]);
}

#[test]
fn users_with_passwords() {
    check_reads(
        Kind::CliPassword,
        &[
            ("curl -u bob:qx7 h", "qx7"),
            ("curl -u 'bob:qx7' h", "qx7"),
            ("curl --user=bob:qx77vv", "qx77vv"),
            ("curl --user bob:qx77vv", "qx77vv"),
            ("run --proxy-user bob:qx77vv", "qx77vv"),
            ("[\"curl\", \"-u\", \"bob:qx77vv\"]", "qx77vv"),
            ("smbclient -U bob%qx77vv", "qx77vv"),
            ("curl \\\n  -u bob:qx77vv", "qx77vv"),
            ("run --user bob:qx77vv", "qx77vv"),
        ],
    );
    check_silent(&[
        "curl -u bob:qx h",
        "curl -u :qx77vv h",
        "curl -u bob h",
        "curl -u {a}b:qx77vv h",
        "curl -u system:qx77vv h",
        "curl -u http://bob h",
        "curl -u 1000:1000 h",
        "foo -u bob:qx77vv",
        "curl x-u bob:qx77vv",
        "curl --u bob:qx77vv",
        "[\"curl\", \"-u\" \"bob:qx77vv\"]",
        "smbget -U bobqx77vv",
        "curl h\n-u bob:qx77vv",
    ]);
}

#[test]
fn flags_of_one_letter() {
    check_reads(
        Kind::CliPassword,
        &[
            ("mysql -pqx7 db", "qx7"),
            ("mysql -p'qx77vv' db", "qx77vv"),
            ("docker login -p qx77vv", "qx77vv"),
            ("7z x -pqx77vv", "qx77vv"),
            ("ipmitool -P qx77vv", "qx77vv"),
            ("ldapsearch -w qx77vv", "qx77vv"),
            ("redis-cli -a qx77vv", "qx77vv"),
            ("['helm registry', '-p', 'qx77vv']", "qx77vv"),
            ("docker login \\\n  -p qx77vv", "qx77vv"),
            ("\ndocker login -p qx77vv", "qx77vv"),
            ("docker login -p qx/77vv", "qx/77vv"),
            ("docker login -p qx.77vv", "qx.77vv"),
            ("docker login -p 777777", "777777"),
            ("docker login -p q:x77v", "q:x77v"),
            // The blank after a short name belongs to it, and to the flag.
            ("rar -P qx77vv", "qx77vv"),
        ],
    );
    check_silent(&[
        "mysql -p qx77vv db",
        "mysql -pqx db",
        "docker login -pqx77vv",
        "docker login -p qx",
        "docker login -p $qx77vv",
        "docker login -p -qx77vv",
        "docker login -p qx77vv.",
        "docker login -p a/b.c7",
        "docker login -p 80:8080",
        "docker login\n  -p qx77vv",
        "mkdir -p qx77vv",
        "ldapsearch -a qx77vv",
        "redis-cli -w qx77vv",
        "['helm registry', '-p' 'qx77vv']",
        "['helm registry', '-p', qx77vv]",
    ]);
}

#[test]
fn statements_and_literals() {
    check_reads(
        Kind::SqlPassword,
        &[
            ("IDENTIFIED BY 'qx7'", "qx7"),
            ("IDENTIFIED BY 'qx77 vv88'", "qx77 vv88"),
            ("create user x identified by qx77vv;", "qx77vv"),
            ("create user x identified by values 'qx77vv'", "qx77vv"),
        ],
    );
    check_silent(&[
        "IDENTIFIED BY 'qx'",
        "IDENTIFIED BY 'q\nx77vv'",
        "IDENTIFIED BY qx77vv",
        "identified by 'qx77vv'",
    ]);
    check_reads(
        Kind::CliPassword,
        &[
            ("ConvertTo-SecureString \"qx7\" -AsPlainText", "qx7"),
            ("ConvertTo-SecureString -String \"qx77vv\"", "qx77vv"),
            ("ConvertTo-SecureString('qx77vv')", "qx77vv"),
            ("ConvertTo-SecureString 'qx7 7vv'", "qx7 7vv"),
            ("ConvertTo-SecureString -AsPlainText -Force 'qx77vv'", "qx77vv"),
        ],
    );
    check_silent(&[
        "ConvertTo-SecureString 'qx'",
        "ConvertTo-SecureString $qx77vv",
        "'ConvertTo-SecureString''qx77vv'",
        "ConvertTo-SecureString-Like 'qx77vv'",
    ]);
    check_reads(
        Kind::Secret,
        &[
            ("--from-literal=a=qx7", "qx7"),
            ("--from-literal a=qx77vv", "qx77vv"),
            ("--from-literal='a.b-c=qx77vv'", "qx77vv"),
            ("--from-literal=a='qx77vv'", "qx77vv"),
            ("--from-literal=a=qx77vv --from-file=b", "qx77vv"),
        ],
    );
    check_silent(&[
        "--from-literal=a=qx",
        "--from-literal==qx77vv",
        "--from-literal:a=qx77vv",
        "--from-literal=a qx77vv",
    ]);
}

#[test]
fn members_of_private_keys() {
    let value = "q7Kx".repeat(4);
    let short = &value[..15];
    for text in [
        format!("{{\"kty\":\"RSA\",\"d\":\"{value}\"}}"),
        format!("{{\"d\": \"{value}\", \"kty\": \"EC\"}}"),
        format!("{{ kty: 'oct', k: '{value}' }}"),
        format!("{{\\\"kty\\\":\\\"EC\\\",\\\"d\\\":\\\"{value}\\\"}}"),
        format!("{{\"dp\":\"{value}\"}}"),
        format!("{{kty = 'EC', d = '{value}'}}"),
        // The first that could be a member has no value.
        format!("kty: d d: '{value}'"),
    ] {
        check_reads(Kind::PrivateJwk, &[(&text, &value)]);
    }
    for text in [
        format!("{{\"kty\":\"RSA\",\"d\":\"{short}\"}}"),
        format!("{{\"kty\":\"RSA\",\"id\":\"{value}\"}}"),
        format!("{{\"kty\":\"RSA\",\"d\":{value}}}"),
        format!("{{\"xkty\":\"RSA\",\"d\":\"{value}\"}}"),
        format!("{{\"kty\",\"d\":\"{value}\"}}"),
        format!("{{\"dp\":\"{short}\"}}"),
    ] {
        check_none(&text);
    }
}
