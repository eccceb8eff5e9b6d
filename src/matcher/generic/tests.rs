use super::*;

/// All candidates of a text, found the slow way: every trigger at every place.
pub(crate) fn all(text: &[u8]) -> Vec<Assignment> {
    let mut found = Vec::new();
    for at in 0..text.len() {
        for (i, trigger) in TRIGGERS.iter().enumerate() {
            if text[at..]
                .get(..trigger.len())
                .is_some_and(|w| w.eq_ignore_ascii_case(trigger.as_bytes()))
            {
                at_hit(text, at, i, &mut found);
            }
        }
    }
    dedup(&mut found);
    found
}
