//! What languages and tools write in a way of their own: each text, and one beside it that says nothing.

use super::*;

#[track_caller]
fn check_reads(cases: &[(&str, Kind, &str)]) {
    for &(text, kind, value) in cases {
        let found = values(text);
        assert_eq!(found, [(kind.id(), value.to_owned())], "{text}");
    }
}

#[track_caller]
fn check_silent(texts: &[&str]) {
    texts.iter().for_each(|text| check_none(text));
}

#[test]
fn declarations() {
    check_reads(&[
        ("api_key <- \"qx77vv\"", Kind::ApiKey, "qx77vv"),
        ("api_key<<-'qx77vv'", Kind::ApiKey, "qx77vv"),
        ("#define kAPISecret @\"qx77vv\"", Kind::Secret, "qx77vv"),
        ("password!: string = 'qx77vv'", Kind::Password, "qx77vv"),
        ("{password, \"qx77vv\"}", Kind::Password, "qx77vv"),
        ("-define(PASSWORD, \"qx77vv\").", Kind::Password, "qx77vv"),
        ("%define token qx77vv", Kind::Token, "qx77vv"),
        ("%global api_key qx77vv", Kind::ApiKey, "qx77vv"),
        ("password = Field(default=\"qx77vv\")", Kind::Password, "qx77vv"),
        ("password = CharField(default='qx77vv', null=True)", Kind::Password, "qx77vv"),
        ("secret = '''\nqx77vv\n'''", Kind::Secret, "qx77vv"),
        ("secret = \"\"\"qx77vv\n\"\"\"", Kind::Secret, "qx77vv"),
    ]);
    check("password: <%= ENV['X'] || 'qx77vv' %>", Kind::Password, "qx77vv");
    check_silent(&[
        "token <- channel",
        "password <-'qx",
        "\"password\" <- \"qx77vv\"",
        "password! = 'qx77vv'",
        "define(PASSWORD, qx77vv)",
        "f(password, \"qx77vv\")",
        "%undefine token qx77vv",
        "secret = '''\nqx77vv\nqx88ww\n'''",
        "secret = '''\nqx77vv",
        "password: <% qx77vv %>",
        "password: <%= encrypt('qx77vv') %>",
    ]);
}

/// The padding of a value is not the `=` behind a type.
#[test]
fn padded_values_before_other_words() {
    check_reads(&[
        ("token: q7Kxq7Kxq7= for bob", Kind::Token, "q7Kxq7Kxq7="),
        ("token: String= \"qx77vv\"", Kind::Token, "qx77vv"),
        ("token: u8 = \"qx77vv\"", Kind::Token, "qx77vv"),
    ]);
}

#[test]
fn elements_with_attributes() {
    check_reads(&[
        ("<password encrypted=\"false\">qx77vv</password>", Kind::Password, "qx77vv"),
        ("<wsse:Password Type='a#b' x:y-z=\"1\">qx77vv</wsse:Password>", Kind::Password, "qx77vv"),
        ("<password id=\"1\" value=\"qx77vv\"/>", Kind::Password, "qx77vv"),
    ]);
    check_silent(&[
        "<password a=\"1\" b=\"2\" c=\"3\" d=\"4\" e=\"5\">qx77vv</password>",
        "<password encrypted>qx77vv</password>",
        "<password encrypted=false>qx77vv</password>",
        "x password type=\"a\">qx77vv",
    ]);
}

#[test]
fn secrets_that_sign() {
    check_reads(&[
        ("Algorithm.HMAC256(\"qx77vv\")", Kind::Secret, "qx77vv"),
        ("hmac.new(b'qx77vv', body)", Kind::Secret, "qx77vv"),
        ("hmac.New(sha256.New, []byte(\"qx77vv\"))", Kind::Secret, "qx77vv"),
        ("createHmac('sha256', 'qx77vv')", Kind::Secret, "qx77vv"),
        ("hash_hmac('sha256', $body, 'qx77vv')", Kind::Secret, "qx77vv"),
        ("OpenSSL::HMAC.hexdigest('SHA256', 'qx77vv', body)", Kind::Secret, "qx77vv"),
        ("new HMACSHA256(Encoding.UTF8.GetBytes(\"qx77vv\"))", Kind::Secret, "qx77vv"),
        ("new SymmetricSecurityKey(Encoding.UTF8.GetBytes(\"qx77vv\"))", Kind::Secret, "qx77vv"),
        ("new SecretKeySpec(\"qx77vv\".getBytes(), \"AES\")", Kind::Secret, "qx77vv"),
        ("cookieParser('qx77vv')", Kind::Secret, "qx77vv"),
        ("Fernet(b'qx77vv')", Kind::Secret, "qx77vv"),
        (".signWith(SignatureAlgorithm.HS256, \"qx77vv\")", Kind::Secret, "qx77vv"),
    ]);
    check_silent(&["createHmac('sha256', key)", "hmac.new(key, body)", "hash_hmac('sha256', 'qx77vv')"]);
}

#[test]
fn passwords_of_calls_and_commands() {
    check_reads(&[
        ("smtp.PlainAuth(\"\", from, \"qx77vv\", host)", Kind::Password, "qx77vv"),
        ("ks.load(in, \"qx77vv\".toCharArray())", Kind::Password, "qx77vv"),
        ("conn.simple_bind_s(dn, 'qx77vv')", Kind::Password, "qx77vv"),
        ("\"qx77vv\" | ConvertTo-SecureString -AsPlainText -Force", Kind::CliPassword, "qx77vv"),
        ("ConvertTo-SecureString -String qx77vv -AsPlainText", Kind::CliPassword, "qx77vv"),
        (r"net use Z: \\host\share qx77vv /user:bob", Kind::CliPassword, "qx77vv"),
        (r"net use \\host\share /user:corp\bob qx77vv", Kind::CliPassword, "qx77vv"),
        ("openssl enc -aes-256-cbc -k qx77vv -in x", Kind::CliPassword, "qx77vv"),
    ]);
    check_silent(&[
        "\"qwerty\".toCharArray()",
        "\"271828\".toCharArray()",
        "\"two words1\".toCharArray()",
        "ConvertTo-SecureString qx77vv -Force",
        "ConvertTo-SecureString $qx77vv -AsPlainText",
        r"net use Z: \\host\share /user:bob",
        "net use Z: qx77vv",
        "curl -k qx77vv",
    ]);
}

/// A look-up of another credential's name judges its default by that name, not by what it is assigned to.
#[test]
fn defaults_of_names_that_say_more() {
    check("'passwords' => env('DB_PASSWORD', 'qx77vv')", Kind::Password, "qx77vv");
    let found = all(b"'passwords' => env('AUTH_PASSWORD_BROKER', 'qx77vv')");
    let keys: Vec<_> = found.iter().map(|a| (a.key.start, a.key.end)).collect();
    assert_eq!(keys, [(20, 40)], "the name that is looked up");
}

/// The option of a mail URL that names how to log in; elsewhere it may be a secret.
#[test]
fn ways_to_log_in_are_no_secrets() {
    check_none("imap://bob;AUTH=qx77vvqx@host/x");
    check_none("imap://bob;auth=qx77vvqx77vvqx77@host/x");
    check_reads(&[("imap://bob:qx77vv;AUTH=PLAIN@host/x", Kind::UrlCredentials, "qx77vv")]);
    check_reads(&[("https://bob:qx;77vv@host/x", Kind::UrlCredentials, "qx;77vv")]);
    check("host=x;AUTH=qx77vvqx;", Kind::ConnectionString, "qx77vvqx");
}

/// Names of what looks like a credential and is public, whoever writes it.
#[test]
fn names_that_are_public_by_design() {
    check_silent(&[
        "MagicCookieValue: \"qx77vvqx77vv\"",
        "PLUGIN_MAGIC_COOKIE=qx77vvqx77vv",
        "\"Postman-Token\": \"qx77vvqx77vv\"",
        "Public key: qx77vvqx77vv",
        "PASSWORD_STRENGTH_ERROR = 'qx77vvqx77vv'",
        "\"BlueprintIdentifierKey\" : \"qx77vvqx77vv\"",
        "[](https://host/x/badge.svg?token=qx77vvqx77vv)",
        "<key>qx77vvqx77vv</key>\n<true/>",
        "<key>qx77vvqx77vv</key> <string>",
    ]);
    check_reads(&[
        ("CookieValue: \"qx77vvqx77vv\"", Kind::SessionCookie, "qx77vvqx77vv"),
        ("\"X-Postman-Token\": \"qx77vvqx77vv\"", Kind::Token, "qx77vvqx77vv"),
        ("https://host/x/bad.svg?token=qx77vvqx77vv", Kind::Token, "qx77vvqx77vv"),
        ("My key: qx77vvqx77vv", Kind::ApiKey, "qx77vvqx77vv"),
        ("<key>qx77vvqx77vv</key>\n<other>", Kind::ApiKey, "qx77vvqx77vv"),
        ("<key>qx77vvqx77vv<key>\n<true/>", Kind::ApiKey, "qx77vvqx77vv"),
    ]);
}

/// The name of a member, and what its value may be in a property list; other elements of that name hold keys.
#[test]
fn members_of_property_lists() {
    for value in ["string", "true/", "false/", "dict", "array", "integer", "data", "date", "real"] {
        check_silent(&[&format!("<key>qx77vvqx77vv</key>\n<{value}>")]);
    }
    check("<key name=\"token\">qx77vvqx77vv</key> <date>", Kind::Token, "qx77vvqx77vv");
}

/// `influx` takes its password behind a blank; `-portable` is another option.
#[test]
fn joined_options_of_other_commands() {
    check_silent(&["influxd backup -portable qx77vv"]);
    check_reads(&[
        ("influx -p qx77vv", Kind::CliPassword, "qx77vv"),
        ("7z x -pqx77vv", Kind::CliPassword, "qx77vv"),
    ]);
}

#[test]
fn templates_look_up() {
    check_silent(&["password: {{ include \"a\" . | quote }}", "password: {{- index .Values \"a\" }}"]);
    check_reads(&[
        ("password: {{- \"qx77vv\" | quote }}", Kind::Password, "qx77vv"),
        ("password: {{\"qx77vv\"}}", Kind::Password, "qx77vv"),
        ("password: {{ 'qx77vv' }}", Kind::Password, "qx77vv"),
        ("password: {{ `qx77vv` }}", Kind::Password, "qx77vv"),
    ]);
}
