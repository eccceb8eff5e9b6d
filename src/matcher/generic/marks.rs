//! Marks that no notation explains: what a person or a password manager mixed in.

/// Least length, so that a few marks of a format are not taken for a password.
const LEAST: usize = 12;
/// Longest password that anybody types or pastes.
const MOST: usize = 64;
/// Least number of different marks.
const KINDS: u32 = 7;
/// Least number of letters and digits.
const LETTERS: usize = 6;

/// Whether a value (of at most 64 bytes) holds many kinds of marks, and brackets among them that do not close each
/// other. Templates, patterns, formats and code in a literal are balanced, or hold blanks, quotes and backslashes.
pub fn of_no_syntax(value: &[u8]) -> bool {
    if !(LEAST..=MOST).contains(&value.len()) || !value.iter().all(u8::is_ascii_graphic) {
        return false;
    }
    if value.iter().any(|b| matches!(b, b'\\' | b'"' | b'\'' | b'`')) {
        return false;
    }
    let letters = value.iter().filter(|b| b.is_ascii_alphanumeric()).count();
    letters >= LETTERS && kinds(value) >= KINDS && !is_balanced(value) && !is_argument(value)
}

/// Whether a value is balanced but for what closes behind it: the last argument of a call.
fn is_argument(mut value: &[u8]) -> bool {
    while let [head @ .., b')' | b']' | b'}'] = value {
        value = head;
        if is_balanced(value) {
            return true;
        }
    }
    false
}

/// How many different marks there are.
fn kinds(value: &[u8]) -> u32 {
    let set = value.iter().filter(|b| b.is_ascii_punctuation()).fold(0_u128, |set, b| set | 1 << b);
    set.count_ones()
}

/// Whether each bracket closes the last one that is open.
fn is_balanced(value: &[u8]) -> bool {
    let mut open = Vec::new();
    value.iter().all(|b| match b {
        b'(' => {
            open.push(b')');
            true
        }
        b'[' => {
            open.push(b']');
            true
        }
        b'{' => {
            open.push(b'}');
            true
        }
        b')' | b']' | b'}' => open.pop() == Some(*b),
        _ => true,
    }) && open.is_empty()
}

#[cfg(test)]
mod tests {
    use super::of_no_syntax;

    #[test]
    fn passwords_of_odd_marks_are_told_from_notations() {
        for value in ["k}{w3%r[o)p$T9v!", "s(a]7#d{f+Gh-2)l&q", "k}{w3%r[o)p$T9v!)"] {
            assert!(of_no_syntax(value.as_bytes()), "{value}");
        }
        for value in [
            "{{ vault.password | default(omit) }}",
            "^(?=.*[a-z])(?=.*[0-9])[^;]{8,}$",
            "${a.b[0]}#{c}%(d)s:e!f",
            "Ab3$xyz!Qw9(",
            "level,optional,range=[1:5),string",
            "no-brackets-but_marks+=.:!",
            "params[:user].token_for(:mail,a=b))",
            "a.token_for(:mail,b=c-d)]",
            "a.token_for(:mail,b=c-d)})",
            "}{[)(]%$#@!:;",
        ] {
            assert!(!of_no_syntax(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn length_and_letters_of_odd_marks_are_bounded() {
        let (marks, more) = ("}{%[)$#", "a1b2c3");
        let odd = |letters: &str, rest: usize| {
            of_no_syntax(format!("{marks}{letters}{}", "x".repeat(rest)).as_bytes())
        };
        assert!(odd(more, 0) && !odd(&more[..5], 0), "six letters or digits");
        assert!(odd(more, 64 - 13) && !odd(more, 65 - 13), "nobody types so much");
        assert!(!of_no_syntax(b"}{%[)$#a1b2 c3"), "a blank");
        assert!(!of_no_syntax(b"}{%[)$}a1b2c3"), "six kinds of marks");
    }
}
