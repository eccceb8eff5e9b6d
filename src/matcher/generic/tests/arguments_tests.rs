//! Values that only their place tells, at their borders.

use super::*;

#[track_caller]
fn check_reads(cases: &[(&str, &str)]) {
    for &(text, value) in cases {
        let found = values(text);
        assert_eq!(found.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(), [value], "{text}");
    }
}

#[track_caller]
fn check_silent(texts: &[&str]) {
    texts.iter().for_each(|text| check_none(text));
}

#[test]
fn arguments_of_calls() {
    check_reads(&[
        ("setBasicAuth('bob', 'qx77vv')", "qx77vv"),
        ("UsernamePasswordAuthentication(user, \"qx77vv\")", "qx77vv"),
        ("getConnection(f(a, [b, c]), 'bob', 'qx77vv')", "qx77vv"),
        ("getConnection(\n  \"u,r(l\",\n  \"bob\",\n  \"qx77vv\")", "qx77vv"),
        ("new mysqli('h', 'bob', 'qx77vv', 'db')", "qx77vv"),
        ("jwt.sign({a: 1}, 'qx77vv')", "qx77vv"),
        ("basicAuth(x, Some(\"qx77vv\"))", "qx77vv"),
        ("basicAuth(x, @\"qx77vv\")", "qx77vv"),
        ("basicAuth(x, bytes('qx77vv'))", "qx77vv"),
        ("mysqli_connect(f(a,\nb), bob, 'qx77vv')", "qx77vv"),
    ]);
    // The user is read as well, and weighed.
    check("basic_auth 'bob', 'qx77vv'", Kind::Password, "qx77vv");
    check("get(u, auth=(user, \"qx77vv\"))", Kind::Password, "qx77vv");
    check_silent(&[
        "basicAuth('qx77vv')",
        "basicAuth(bob, qx77vv)",
        "basicAuth(bob, 'two words')",
        "basicAuth(bob; 'qx77vv')",
        "basicAuth(bob\n, 'qx77vv')",
        "basicAuth('bob, 'qx77vv')",
        "basicAuth(bob), 'qx77vv'",
        "getConnection('url', 'qx77vv')",
        "getConnection(url; a, b, 'qx77vv')",
    ]);
}

#[test]
fn words_of_commands() {
    check_reads(&[
        ("htpasswd -b file bob qx7", "qx7"),
        ("htpasswd -nb bob qx77vv", "qx77vv"),
        ("htpasswd -b /etc/users bob qx77vv", "qx77vv"),
        ("$ htpasswd -c -b file bob 'qx 77vv'", "qx 77vv"),
        ("sudo net user bob qx77vv /add", "qx77vv"),
        ("rabbitmqctl add_user bob qx77vv", "qx77vv"),
        ("a && rabbitmqctl change_password bob \"qx77vv\"", "qx77vv"),
        ("RUN wpa_passphrase net qx77vv", "qx77vv"),
        ("mysqladmin -u root password qx77vv", "qx77vv"),
        // In quotes it is no option.
        ("htpasswd -nb bob '-qx77vv'", "-qx77vv"),
    ]);
    check_silent(&[
        "htpasswd file bob qx77vv",
        "htpasswd -b file bob qx",
        "htpasswd -b file bob $qx77vv",
        "htpasswd -b file bob",
        "htpasswd -b file bob 'qx77vv",
        // More than four words are those of something else.
        "htpasswd file bob qx77vv x -b",
        "the htpasswd -b file bob qx77vv",
        "net user bob /add",
        "net user bob *",
        "rabbitmqctl set_tags bob qx77vv",
        "wpa_passphrase net",
        "mysqladmin ping qx77vv qx77vv",
    ]);
}

#[test]
fn what_is_piped_into_a_command() {
    check_reads(&[
        ("echo qx7 | passwd --stdin bob", "qx7"),
        ("echo 'bob:qx77vv' | chpasswd", "qx77vv"),
        ("printf 'qx77vv\\n' | docker login --password-stdin", "qx77vv"),
        ("echo -n -e \"qx77vv\" | sudo -S ls", "qx77vv"),
        ("echo a; echo qx77vv | sudo -S ls", "qx77vv"),
    ]);
    // The pipe stands in the literal: nothing is piped.
    check_silent(&["cd /var/lib/somewhere && echo 'qx77vv | passwd --stdin'"]);
    check_silent(&[
        "echo qx | passwd --stdin bob",
        "echo $qx77vv | passwd --stdin bob",
        "echo qx77vv; passwd --stdin bob",
        "cat qx77vv | passwd --stdin bob",
        "echo bobqx77vv | chpasswd",
        "echo -n | passwd --stdin bob",
    ]);
}

#[test]
fn users_of_oracle() {
    check_reads(&[
        ("sqlplus bob/qx7@db", "qx7"),
        ("sqlplus -s -l bob.a-b#/qx77vv@//h/db", "qx77vv"),
        // Put together, so that no scanner takes this file for a leak.
        (&["sqlplus 'bob", "qx77vv@db'"].join("/"), "qx77vv"),
        ("jdbc:oracle:thin:bob/qx77vv@h:1521", "qx77vv"),
    ]);
    check_silent(&[
        "sqlplus bob/qx@db",
        "sqlplus /qx77vv@db",
        "sqlplus bob/qx77vv",
        "sqlplus bob/qx/77vv@db",
        "sqlplus bob/$qx77vv@db",
        "sqlplus bob qx77vv@db",
    ]);
}
