//! The literals that lead to the finder, and what each of them is.

/// What an occurrence of a trigger may be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A name, followed by a value.
    Key,
    /// `://` of a URL.
    Url,
    /// The scheme of an HTTP `Authorization` header.
    Scheme,
    /// `-u user:password`.
    UserFlag,
    /// `-p password`.
    ShortFlag,
    /// `IDENTIFIED BY '…'`.
    Sql,
    /// PowerShell's `ConvertTo-SecureString`.
    SecureString,
    /// `kubectl … --from-literal=name=value`.
    Literal,
    /// `"kty"` of a JSON web key.
    Jwk,
    /// A call of which the argument of that number (0-based) is a password.
    Password(usize),
    /// A call of which the argument of that number (0-based) is a secret that signs or encrypts.
    Secret(usize),
    /// Java's `"…".toCharArray()`: what is not to stay in memory as a string.
    Chars,
    /// `htpasswd -b file user password`.
    Htpasswd,
    /// `net user name password`.
    NetUser,
    /// `net use Z: \\host\share password`.
    NetUse,
    /// `rabbitmqctl add_user name password`.
    Rabbit,
    /// `wpa_passphrase network password`.
    Wifi,
    /// `mysqladmin password new`.
    MysqlAdmin,
    /// A command that reads a password from its standard input.
    Piped,
    /// `user/password@database`.
    SlashPair,
    /// `user:password@tcp(host)/database`, as Go's drivers have it.
    Driver,
}

use Role::*;

macro_rules! triggers {
    ($($role:expr => $($literal:literal),+ ;)+) => {
        /// The literals whose occurrence (ASCII case ignored) calls [`super::at_hit`]: 3 to 16 bytes each.
        ///
        /// Names of keys are chosen sparingly: `key` alone is everywhere in code, so it counts only next
        /// to something that could assign it.
        pub const TRIGGERS: &[&str] = &[$($($literal),+),+];

        pub(super) const ROLES: &[Role] = &[$($({ let _ = $literal; $role }),+),+];
    };
}

triggers! {
    Key => "pass", "pwd", "secret", "token", "credential",
        "apikey", "api_key", "api-key", "api key", "accesskey", "access_key", "access-key", "_key", "-key",
        "key\"", "key'", "key:", "key=", "key =", "key\\", "key(", "key>", "key :", "key  ", "key !", "keyauth", "keystr",
        "auth\"", "auth'", "auth:", "auth=", "auth\\", "_auth", "auth_", "authoriz", "authcode", "authkey",
        "session", "sid=", "cookie",
        // Other languages; capital letters outside ASCII are left out of the literal where they could differ.
        "contrase", "senha", "clave", "kennwort", "geheim", "wachtwoord", "parola", "parol\u{103}", "sifre", "\u{15f}ifre",
        "heslo", "haslo", "hasło", "l\u{f6}senord", "losenord", "jeton", "chiave", "chave",
        "ароль", "екрет", "окен", "ключ:", "Ключ:", "ключ =", "密码", "密碼", "口令", "密钥", "密鑰", "令牌", "パスワ", "暗証",
        "トークン", "비밀번", "암호", "토큰", "mật kh", "المرور", "पासवर", "סיסמ";
    Url => "://";
    Scheme => "bearer ", "basic ";
    UserFlag => "-u ", "--user", "proxy-user", "\"-u\"", "'-u'";
    ShortFlag => " -p", " -w ", " -a ", " -k ", "\"-p\"", "'-p'";
    Sql => "identified by";
    SecureString => "convertto-secure";
    Literal => "from-literal";
    Jwk => "kty", "\"dp\"", "dp: '", "dp: \"";
    Password(1) => "basicauth(", "basic_auth(", "basic_auth ", "dauthentication(", "rdcredentials(", "rkcredential(", "auth=(",
        "wifi.begin(", "smtp.login(", "imap.login(", "ftp.login(", "server.login(", "client.login(",
        "sp_addlogin ", "oracle.connect(", "oracledb.connect", "simple_bind_s(", "creds = (", "credentials = (";
    Password(2) => "getconnection(", "mysqli(", "mysql_connect(", "mysqli_connect(", "new pdo(", "dbi->connect(",
        "plainauth(", "mysql.connect(", "mysqldb.connect(", "ftp_login(", "auth_password(", "imap_open(", "ldap_bind(";
    Secret(0) => "hmac256(", "hmac384(", "hmac512(", "hmacsha256(", "hmacsha512(", "hmac.new(", "cookieparser(", "fernet(",
        "secretkeyspec(", "hmacshakeyfor(", "csecuritykey(";
    Secret(1) => "jwt.sign(", "jwt.verify(", "jwt.encode(", "jwt.decode(", "createhmac(", "hmac.new(", "hmac.hexdigest(",
        "signwith(";
    Secret(2) => "hash_hmac(";
    Chars => "\".tochararray(";
    Htpasswd => "htpasswd ";
    NetUser => "net user ";
    NetUse => "net use ";
    Rabbit => "rabbitmqctl ";
    Wifi => "wpa_passphrase ";
    MysqlAdmin => "mysqladmin ";
    Piped => "chpasswd", "passwd --stdin", "password-stdin", "sudo -s";
    SlashPair => "sqlplus ", ":thin:";
    Driver => "@tcp(", "@unix(";
}
