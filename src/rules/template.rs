//! Texts of rule tests: written as templates, so that no scanner takes the rule files for a leak.
//!
//! `⟦…⟧` marks the secret, `‹class:length›` stands for generated characters and `‹check›` for the
//! rule's checksum over what precedes it in the secret; `‹›` stands for nothing and parts what scanners
//! would take together, such as a URL with credentials. Generation is deterministic: the same
//! template gives the same text on every machine. `build.rs` includes this file.

/// A template with its generators replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// The texts that stood in `⟦…⟧`, in order.
    pub secrets: Vec<String>,
}

/// Expands a template. `complete` computes the checksum of a partial secret.
///
/// # Errors
/// A sentence that says what is wrong with the template.
pub fn expand(template: &str, complete: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, String> {
    let mut random = Random::new(template);
    let mut text = String::with_capacity(template.len() + 64);
    let mut secrets = Vec::new();
    let mut secret_start = None;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '⟦' if secret_start.is_some() => return Err("`⟦` inside `⟦…⟧`".to_owned()),
            '⟦' => secret_start = Some(text.len()),
            '⟧' => {
                let start = secret_start.take().ok_or("`⟧` without `⟦`")?;
                secrets.push(text[start..].to_owned());
            }
            '‹' => {
                let end = rest.find('›').ok_or("`‹` without `›`")?;
                let generator = &rest[..end];
                rest = &rest[end + '›'.len_utf8()..];
                if generator.is_empty() {
                    continue;
                }
                if generator == "check" {
                    let partial = &text[secret_start.unwrap_or(0)..];
                    let check =
                        complete(partial).ok_or("`‹check›` in a rule whose checksum cannot be computed")?;
                    text.push_str(&check);
                } else {
                    generate(generator, &mut random, &mut text)?;
                }
            }
            _ => text.push(c),
        }
    }
    if secret_start.is_some() {
        return Err("`⟦` without `⟧`".to_owned());
    }
    Ok(Expanded { text, secrets })
}

fn generate(generator: &str, random: &mut Random, out: &mut String) -> Result<(), String> {
    let (class, length) = generator.split_once(':').unwrap_or((generator, ""));
    if class == "uuid" {
        for (i, n) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            if i > 0 {
                out.push('-');
            }
            push(b"0123456789abcdef", n, random, out);
        }
        return Ok(());
    }
    let alphabet: &[u8] = match class {
        "digit" => b"0123456789",
        "hex" => b"0123456789abcdef",
        "HEX" => b"0123456789ABCDEF",
        "lower" => b"abcdefghijklmnopqrstuvwxyz",
        "upper" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "base36" => b"0123456789abcdefghijklmnopqrstuvwxyz",
        "BASE36" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "alnum" | "base62" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "base58" => b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "base32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "base64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "base64url" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        _ => return Err(format!("unknown generator `‹{generator}›`")),
    };
    let length: usize = length.parse().map_err(|_| format!("`‹{generator}›` needs a length"))?;
    if length > 65_536 {
        return Err(format!("`‹{generator}›` is too long"));
    }
    push(alphabet, length, random, out);
    Ok(())
}

fn push(alphabet: &[u8], length: usize, random: &mut Random, out: &mut String) {
    for _ in 0..length {
        out.push(char::from(alphabet[random.below(alphabet.len())]));
    }
}

/// splitmix64, seeded from the template by FNV-1a: good enough to look random, and reproducible.
struct Random(u64);

impl Random {
    fn new(seed: &str) -> Self {
        Random(
            seed.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_generators_are_expanded() {
        let e = expand("a=⟦p_‹digit:6›‹check›⟧;", &|p| Some(format!("<{}>", p.len()))).unwrap();
        assert_eq!(e.secrets.len(), 1);
        assert!(e.secrets[0].starts_with("p_") && e.secrets[0].ends_with("<8>"));
        assert_eq!(e.text, format!("a={};", e.secrets[0]));
        assert_eq!(e, expand("a=⟦p_‹digit:6›‹check›⟧;", &|p| Some(format!("<{}>", p.len()))).unwrap());
    }

    #[test]
    fn an_empty_generator_only_parts_the_template() {
        let e = expand("pass‹›word=⟦x‹›y⟧;", &|_| None).unwrap();
        assert_eq!((e.text.as_str(), e.secrets), (concat!("pass", "word=xy;"), vec!["xy".to_owned()]));
    }

    #[test]
    fn mistakes_are_named() {
        for bad in ["⟦a", "a⟧", "‹hex:3", "‹nope:3›", "‹hex›", "⟦⟦a⟧⟧", "⟦‹check›⟧"]
        {
            assert!(expand(bad, &|_| None).is_err(), "{bad}");
        }
    }
}
