//! What is known, by number, of the text that is scanned. Of the next text nothing is known, without a look at what
//! was known of this one.

/// What is known under each number.
#[derive(Debug, Default)]
pub(super) struct PerText<T> {
    /// Each with the number of its text.
    known: Vec<(u64, T)>,
    text: u64,
}

impl<T: Default> PerText<T> {
    /// Begins with another text.
    pub fn begin(&mut self) {
        self.text += 1;
    }

    /// What is known under a number of the text that was begun last; the default is to say that nothing is.
    pub fn of(&mut self, number: usize) -> &mut T {
        if self.known.len() <= number {
            self.known.resize_with(number + 1, Default::default);
        }
        let (text, known) = &mut self.known[number];
        if std::mem::replace(text, self.text) != self.text {
            *known = T::default();
        }
        known
    }
}
