//! The kinds of generic secrets. Their texts are rules of the pack (`rules/generic.toml`).

use crate::rules::RuleIndex;

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:literal = $kind:ident, $generality:literal;)+) => {
        /// What a candidate is, by its name and syntax.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $kind),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// The id of the kind's rule.
            pub const fn id(self) -> &'static str {
                match self { $(Kind::$kind => $id),+ }
            }

            /// Smaller is more specific: it wins when two kinds claim one value.
            pub(super) const fn generality(self) -> u8 {
                match self { $(Kind::$kind => $generality),+ }
            }
        }
    };
}

kinds! {
    /// `password = "…"` and its like.
    "generic-password" = Password, 2;
    /// `token: …`.
    "generic-token" = Token, 3;
    /// `api_key=…`, `access-key`, `"key": "…"`.
    "generic-api-key" = ApiKey, 3;
    /// `client_secret`, `SECRET_KEY_BASE`.
    "generic-secret" = Secret, 3;
    /// A URL whose authority holds a user and a password.
    "url-credentials" = UrlCredentials, 0;
    /// `Authorization: Basic …`.
    "http-basic-auth" = BasicAuth, 0;
    /// `Authorization: Bearer …`.
    "http-bearer-token" = BearerToken, 0;
    /// `IDENTIFIED BY '…'`, `ALTER USER … PASSWORD '…'`.
    "sql-password" = SqlPassword, 1;
    /// `--password …`, `-u user:…`.
    "cli-password" = CliPassword, 1;
    /// `Server=…;Password=…`.
    "connection-string-password" = ConnectionString, 1;
    /// The private members of a JSON web key.
    "jwk-private-key" = PrivateJwk, 0;
    /// Session cookies.
    "session-cookie" = SessionCookie, 4;
}

impl Kind {
    /// Place of the kind's rule in what [`kinds`] returns.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The rule of each kind, in the order of [`Kind::ALL`]; None where the rule is disabled.
pub fn kinds(find: &dyn Fn(&str) -> Option<RuleIndex>) -> Vec<Option<RuleIndex>> {
    Kind::ALL.iter().map(|kind| find(kind.id())).collect()
}
