//! Kinds and grades of findings. `build.rs` includes this file, so it depends on nothing of the crate.

use std::fmt;

/// What kind of secret a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Key of an API, bound to an account or application.
    ApiKey,
    /// Password of a person or a service.
    Password,
    /// Access, refresh or session token.
    Token,
    /// Certificate with its private part, or the private key of one.
    Certificate,
    /// Key used to encrypt or sign data.
    EncryptionKey,
    /// URL or string that holds the credentials of a database or service.
    ConnectionString,
}

/// How much damage the secret does in wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Public by design, or of little use.
    Low,
    /// Limited scope.
    Medium,
    /// Access to an account's data or money.
    High,
    /// Control of an account, an infrastructure or a supply chain.
    Critical,
}

/// How sure stanch is that the value is a live-looking secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// At least four in ten are secrets.
    Low,
    /// At least eight in ten are secrets.
    Medium,
    /// At least 95 in a hundred are secrets.
    High,
}

/// Gives an enum its names for files, command line and reports.
macro_rules! names {
    ($ty:ident { $($name:literal = $variant:ident),+ $(,)? }) => {
        impl $ty {
            /// Every value, in ascending order.
            pub const ALL: &'static [$ty] = &[$($ty::$variant),+];

            /// The name used in rule files, on the command line and in reports.
            pub const fn name(self) -> &'static str {
                match self { $($ty::$variant => $name),+ }
            }

            /// The value with this [`name`](Self::name), if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some($ty::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use names;

names!(Category {
    "api-key" = ApiKey,
    "password" = Password,
    "token" = Token,
    "certificate" = Certificate,
    "encryption-key" = EncryptionKey,
    "connection-string" = ConnectionString,
});
names!(Severity { "low" = Low, "medium" = Medium, "high" = High, "critical" = Critical });
names!(Confidence { "low" = Low, "medium" = Medium, "high" = High });
