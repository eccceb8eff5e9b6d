//! Sessions that threads take and give back, so that none is made more often than there are threads.

use std::sync::{Mutex, PoisonError};

use crate::finding::{Finding, Location};
use crate::rules::RuleIndex;
use crate::scan::{Engine, Outcome, Session};

/// Sessions that are not in use.
#[derive(Debug)]
pub struct Workers<'e> {
    engine: &'e Engine,
    idle: Mutex<Vec<Session<'e>>>,
}

impl<'e> Workers<'e> {
    /// None yet.
    pub fn new(engine: &'e Engine) -> Self {
        Workers { engine, idle: Mutex::default() }
    }

    /// Lends a session. What it finds is returned, what it skips and counts stays with it.
    pub fn find(&self, work: impl FnOnce(&mut Session<'e>)) -> Vec<Finding> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = idle().pop().unwrap_or_else(|| Session::new(self.engine));
        work(&mut session);
        let findings = std::mem::take(&mut session.outcome.findings);
        idle().push(session);
        findings
    }

    /// What a scan of this content finds. It counts nowhere, and what it skips is forgotten.
    /// Nothing is found where files are passed over.
    pub fn examine_apart(&self, content: &[u8], location: &Location) -> Vec<Finding> {
        match &location.path {
            Some(path) if self.passes_over(path) => Vec::new(),
            _ => self.examine_anywhere(content, location),
        }
    }

    /// The same; what is found where files are passed over is suppressed, with the reason.
    pub fn examine_anywhere(&self, content: &[u8], location: &Location) -> Vec<Finding> {
        self.apart(|session| session.examine_content(content, None, location))
    }

    /// What [`examine_anywhere`](Self::examine_anywhere) finds in a content of which it is known which rules have
    /// candidates there.
    pub fn examine_for(&self, rules: &[RuleIndex], content: &[u8], location: &Location) -> Vec<Finding> {
        self.apart(|session| session.examine_for(rules, content, location))
    }

    fn apart(&self, work: impl FnOnce(&mut Session<'e>)) -> Vec<Finding> {
        self.find(|session| {
            let before = std::mem::take(&mut session.outcome);
            work(session);
            let found = std::mem::replace(&mut session.outcome, before).findings;
            session.outcome.findings = found;
        })
    }

    fn passes_over(&self, path: &[u8]) -> bool {
        let policy = self.engine.policy();
        policy.excluded(path) || policy.allows_all_of(Some(path), None).is_some()
    }

    /// What all sessions skipped and counted.
    pub fn finish(self) -> Outcome {
        let mut all = Outcome::default();
        for session in self.idle.into_inner().unwrap_or_else(PoisonError::into_inner) {
            all.merge(session.outcome);
        }
        all
    }
}
