//! stanch stops secrets from leaking through git. This is its library; the program is a thin layer on it.
//!
//! The front door is the [`Scanner`]: it takes a [`RuleSet`] and a [`Source`], and gives a [`Scan`] of
//! [`Finding`]s.
//!
//! ```
//! use stanch::{Scanner, Source};
//!
//! let scan = Scanner::default().scan(Source::Text { path: "a.py", bytes: b"print('no secret')" })?;
//! assert!(scan.is_clean());
//! # Ok::<(), stanch::ScanError>(())
//! ```
//!
//! To write what was found in one of the formats of the program, fill a [`report::Report`]:
//!
//! ```
//! use stanch::report::{Format, Options, Report, Summary, write};
//! use stanch::{Scanner, Source};
//!
//! let text = format!("password = '{}{}'", "Vx9kq2!m", "Tr7wLp");
//! let scan = Scanner::default().scan(Source::Text { path: "a.py", bytes: text.as_bytes() })?;
//! let summary = Summary { mode: "scan", files: scan.files, bytes: scan.bytes, ..Summary::default() };
//! let report = Report { findings: scan.findings, skipped: scan.skipped, summary };
//! let mut page = Vec::new();
//! write(&report, Format::Text, &Options::default(), &mut page)?;
//! assert!(page.starts_with(b"a.py:1:13\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The library never prints, reads no clock and no environment, uses no network, and executes nothing of what
//! it scans. A secret's bytes are in [`finding::Secret`], which shows at most a public prefix of them.
//!
//! # What is stable
//!
//! [`Scanner`], [`Source`], [`Scan`], [`ScanError`], [`RuleSet`], [`finding`] and [`report`] follow semantic
//! versioning. The other modules are the rooms that the program is made of (`ARCHITECTURE.md` names them, and
//! what each must not depend on): a value moves in one direction, from a *source* through the *matcher*, the
//! *verdict* and *suppress* to a *report*. They are public so that they can be tested and studied, and change
//! when the program does.
#![deny(missing_docs)]

mod beside;
#[doc(hidden)]
pub mod cli;
pub mod config;
pub mod finding;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod matcher;
#[doc(hidden)]
pub mod memory;
pub mod report;
pub mod rules;
pub mod scan;
pub mod scanner;
pub mod source;
pub mod suppress;
pub mod verdict;

pub use finding::Finding;
pub use rules::RuleSet;
pub use scanner::{ConfigErrors, Scan, ScanError, Scanner, Source};
