//! Files that are known to hold credentials: each is found, by its name or by what stands in it, with a password
//! as people choose them.

use stanch::matcher::checksum;

use super::cli_support::{letters, password, scan};
use super::git_support::Sandbox;

/// Path and content. `{p}` stands for a password, `{t}` for a token, `{h}` for hexadecimal digits, `{b}` for user
/// and password in base64, `{c}` for the hash that bcrypt makes, `{k}` for the body of a private key.
const FILES: &[(&str, &str)] = &[
    // Profiles and environments.
    (".bashrc", "export DB_PASSWORD={p}\n"),
    (".zshrc", "export MYSQL_PWD='{p}'\n"),
    (".profile", "GITHUB_TOKEN={t}\nexport GITHUB_TOKEN\n"),
    (".config/fish/config.fish", "set -gx GITHUB_TOKEN {t}\n"),
    ("profile.ps1", "$env:DB_PASSWORD = \"{p}\"\n"),
    (".env", "DB_PASSWORD={p}\n"),
    (".env.production", "REDIS_PASSWORD=\"{p}\"\n"),
    // Clients of networks, packages and containers.
    (".netrc", "machine api.acme.invalid login bob password {p}\n"),
    ("_netrc", "machine api.acme.invalid\n  login bob\n  password {p}\n"),
    (".pgpass", "db.acme.invalid:5432:shop:bob:{p}\n"),
    (".my.cnf", "[client]\nuser=bob\npassword={p}\n"),
    (".npmrc", "//registry.acme.invalid/:_authToken={t}\n"),
    (".pypirc", "[pypi]\nusername = bob\npassword = {p}\n"),
    (".git-credentials", "https://bob:{p}@git.acme.invalid\n"),
    (".dockercfg", "{\"https://index.acme.invalid/v1/\": {\"auth\": \"{b}\"}}\n"),
    (".docker/config.json", "{\"auths\": {\"r.acme.invalid\": {\"auth\": \"{b}\"}}}\n"),
    ("kubeconfig", "kind: Config\nusers:\n- name: bob\n  user:\n    token: {t}\n"),
    (".kube/config", "kind: Config\nusers:\n- name: bob\n  user:\n    username: bob\n    password: {p}\n"),
    // Clouds.
    (".aws/credentials", "[default]\naws_secret_access_key = {t}\n"),
    (".azure/accessTokens.json", "[{\"accessToken\": \"{t}{t}\", \"refreshToken\": \"{t}{t}\"}]\n"),
    ("application_default_credentials.json", "{\"client_id\": \"1\", \"client_secret\": \"{t}\"}\n"),
    (".s3cfg", "[default]\nsecret_key = {t}\n"),
    (".boto", "[Credentials]\ngs_secret_access_key = {t}\n"),
    ("credentials.json", "{\"username\": \"bob\", \"password\": \"{p}\"}\n"),
    // Infrastructure as code.
    ("terraform.tfstate", "{\"resources\": [{\"attributes\": {\"password\": \"{p}\"}}]}\n"),
    ("prod.tfvars", "db_password = \"{p}\"\n"),
    ("group_vars/all.yml", "db_password: {p}\n"),
    ("inventory.ini", "web1 ansible_user=bob ansible_ssh_pass={p}\n"),
    // Frameworks.
    ("config/master.key", "{h}\n"),
    ("config/secrets.yml", "production:\n  secret_key_base: {h}{h}\n"),
    ("config/database.yml", "production:\n  username: bob\n  password: {p}\n"),
    ("settings.py", "SECRET_KEY = '{t}{t}'\n"),
    ("wp-config.php", "<?php\ndefine('DB_PASSWORD', '{p}');\n"),
    ("config.php", "<?php\n$config['db_pass'] = '{p}';\n"),
    ("application.properties", "spring.datasource.password={p}\n"),
    ("appsettings.json", "{\"Default\": \"Server=h;User Id=bob;Password={p};\"}\n"),
    // Transfers of files, editors, databases' tools.
    ("sitemanager.xml", "<Server><Host>h</Host><User>bob</User><Pass>{p}</Pass></Server>\n"),
    ("WinSCP.ini", "[Sessions\\h]\nPassword={h}\n"),
    (".vscode/sftp.json", "{\"host\": \"h\", \"username\": \"bob\", \"password\": \"{p}\"}\n"),
    ("sftp-config.json", "{\"type\": \"sftp\", \"password\": \"{p}\"}\n"),
    (".ftpconfig", "{\"host\": \"h\", \"user\": \"bob\", \"pass\": \"{p}\"}\n"),
    (".idea/WebServers.xml", "<fileTransfer host=\"h\" password=\"{h}\" username=\"bob\"/>\n"),
    (".lftp/bookmarks", "prod ftp://bob:{p}@ftp.acme.invalid/\n"),
    ("robomongo.json", "{\"credentials\": [{\"userName\": \"bob\", \"userPassword\": \"{p}\"}]}\n"),
    ("heidisql_portable_settings.txt", "Servers\\h\\Password<|||>1<|||>{h}\n"),
    ("odbc.ini", "[dsn]\nUID=bob\nPWD={p}\n"),
    (".snowsql/config", "[connections]\nusername = bob\npassword = {p}\n"),
    ("deploy.sql", "CONNECT bob/{p}@ORCL\n"),
    ("userlist.txt", "\"bob\" \"{p}\"\n"),
    ("dump.sql", "INSERT INTO users (id, email, password) VALUES (1, 'bob@acme.invalid', '{p}');\n"),
    ("copy.sql", "COPY users (id, password) FROM stdin;\n1\t{p}\n"),
    (".curlrc", "user = \"bob:{p}\"\n"),
    ("office.ovpn", "<auth-user-pass>\nbob\n{p}\n</auth-user-pass>\n"),
    ("variables.tf", "variable \"db_password\" {\n  default = \"{p}\"\n}\n"),
    ("irc.conf", "[server]\nlibera.sasl_password = \"{p}\"\n"),
    ("init.js", "db.auth(\"bob\", \"{p}\")\n"),
    // Key stores and hashes.
    ("keystore.properties", "storePassword={p}\nkeyAlias=k\n"),
    ("server.xml", "<Connector keystoreFile=\"k.jks\" keystorePass=\"{p}\"/>\n"),
    (".htpasswd", "bob:{c}\n"),
    ("shadow", "bob:{c}:19000:0:99999:7:::\n"),
    ("passwd.txt", "bob:{c}\n"),
    ("users.ldif", "dn: uid=bob\nuserPassword: {SSHA}{t}\n"),
    ("hashes.sql", "INSERT INTO users VALUES (1, 'bob', '{c}');\n"),
    ("create.sql", "CREATE USER 'bob'@'%' IDENTIFIED BY '{p}';\n"),
    // Mail, chat and voice.
    (".msmtprc", "account a\nuser bob\npassword {p}\n"),
    (".fetchmailrc", "poll imap.acme.invalid user \"bob\" password \"{p}\"\n"),
    (".muttrc", "set imap_pass=\"{p}\"\n"),
    ("sasl_passwd", "smtp.acme.invalid:587 bob:{p}\n"),
    ("dovecot-users", "bob:{PLAIN}{p}\n"),
    (".irssi/config", "{ address = \"irc.acme.invalid\"; password = \"{p}\"; }\n"),
    ("znc.conf", "<Pass password>\n  Hash = {h}\n</Pass>\n"),
    ("unrealircd.conf", "oper bob { password \"{p}\"; };\n"),
    ("mumble-server.ini", "serverpassword={p}\n"),
    // Continuous integration.
    (".travis.yml", "env:\n  global:\n    - DB_PASSWORD={p}\n"),
    (".gitlab-ci.yml", "variables:\n  DEPLOY_PASSWORD: \"{p}\"\n"),
    (".circleci/config.yml", "environment:\n  DB_PASSWORD: {p}\n"),
    (".github/workflows/a.yml", "env:\n  DEPLOY_TOKEN: {t}\n"),
    ("Jenkinsfile", "environment { DB_PASSWORD = \"{p}\" }\n"),
    ("credentials.xml", "<password>{AQAAABAAAAAQ{t}=}</password>\n"),
    // Keys.
    ("id_rsa", "-----BEGIN OPENSSH {k} KEY-----\n"),
    ("server.key", "-----BEGIN RSA {k} KEY-----\n"),
    ("secring.asc", "-----BEGIN PGP {k} KEY BLOCK-----\n"),
    ("key.ppk", "PuTTY-User-Key-File-2: ssh-rsa\nComment: me\nPublic-Lines: 1\n{t}\nPrivate-Lines: 1\n{t}\n"),
    ("wg0.conf", "[Interface]\nPrivateKey = {t}a4=\n"),
    ("age.txt", "{age}\n"),
    // Browsers.
    ("logins.json", "{\"logins\": [{\"encryptedPassword\": \"MDoEEPgAAAA{t}\"}]}\n"),
    ("passwords.csv", "name,url,username,password\nacme,https://acme.invalid,bob,{p}\n"),
    // Containers.
    ("Dockerfile", "FROM x\nENV DB_PASSWORD={p}\n"),
    ("build/Dockerfile", "FROM x\nARG NPM_TOKEN={t}\n"),
    ("docker-compose.yml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {p}\n"),
    ("values.yaml", "postgresql:\n  auth:\n    postgresPassword: {p}\n"),
    ("secret.yaml", "kind: Secret\ndata:\n  password: {b}\n"),
    ("plain.yaml", "kind: Secret\nstringData:\n  password: {p}\n"),
];

/// Files that hold nothing but credentials: there a word is one too.
const WORDS: &[(&str, &str)] = &[
    (".pgpass", "db.acme.invalid:5432:shop:bob:{w}\n"),
    (".my.cnf", "[client]\nuser=bob\npassword={w}\n"),
    (".pypirc", "[pypi]\nusername = bob\npassword = {w}\n"),
    (".git-credentials", "https://bob:{w}@git.acme.invalid\n"),
    ("sasl_passwd", "smtp.acme.invalid:587 bob:{w}\n"),
    (".muttrc", "set imap_pass=\"{w}\"\n"),
];

fn filled(seed: u64, template: &str) -> String {
    let password = password(seed);
    let hex: String = letters(seed + 1, 64).bytes().map(|b| format!("{:x}", b % 16)).collect();
    let base64 = data_encoding::BASE64.encode(format!("bob:{password}").as_bytes());
    let lines: Vec<String> = (0..6).map(|line| letters(seed + line, 64)).collect();
    let key = format!("PRIVATE KEY-----\n{}\n-----END PRIVATE", lines.join("\n"));
    let body: String = letters(seed, 52)
        .bytes()
        .map(|b| char::from(b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"[usize::from(b) % 32]))
        .collect();
    let age = format!("AGE-SECRET-{}-1{body}", "KEY");
    let age = format!("{age}{}", checksum::complete("age", &age).unwrap());
    let age = if template.contains("{age}") { age } else { String::new() };
    [
        ("{p}", password.as_str()),
        ("{t}", &letters(seed + 2, 40)),
        ("{h}", &hex),
        ("{b}", &base64),
        ("{c}", &format!("$2b$12${}", letters(seed + 3, 53))),
        ("{k} KEY", &format!("{key} KEY")),
        ("{age}", &age),
        ("{w}", &["sun", "shine"].concat()),
    ]
    .iter()
    .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn all_are_found(files: &[(&str, &str)]) {
    let dir = Sandbox::empty();
    for (seed, (path, template)) in files.iter().enumerate() {
        dir.write(path, filled(seed as u64 + 11, template));
    }
    let found = scan(dir.path(), [".", "--no-ignore"]).exits(1).report().paths();
    let missed: Vec<&&str> =
        files.iter().map(|(path, _)| path).filter(|path| !found.contains(&path.to_string())).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn credential_files_are_found_by_their_name_or_by_what_stands_in_them() {
    all_are_found(FILES);
}

#[test]
fn where_only_credentials_stand_a_word_is_one() {
    all_are_found(WORDS);
}

#[test]
fn the_same_files_without_credentials_are_silent() {
    let dir = Sandbox::empty();
    for (path, template) in FILES {
        if template.contains("{p}") {
            dir.write(path, template.replace("{p}", "${PASSWORD}"));
        }
    }
    assert_eq!(scan(dir.path(), [".", "--no-ignore"]).exits(0).report().places(), Vec::<String>::new());
}

/// A rule's allowlist leaves plain words in connection strings to the generic detector: then that one's find, or
/// that of the rule for the file's name, is what is reported.
#[test]
fn what_one_rule_leaves_to_others_is_theirs() {
    let dir = Sandbox::empty();
    let uri = filled(3, "https://bob:{w}flower@git.acme.invalid\n");
    dir.write(".git-credentials", &uri);
    let report = scan(dir.path(), [".", "--no-ignore"]).exits(1).report();
    assert_eq!(report.places(), [".git-credentials:1:13 git-credentials-password"]);
    assert_eq!(report.count("suppressed"), 0);
}
