//! Families: one table row per provider instead of one regex per provider.
//!
//! A row names the provider, its keywords and the shape of its value; this file turns it into a rule
//! with a regex, filters and tests. `build.rs` includes this file too, so besides `spec` it depends
//! on nothing of the crate.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::context;
use super::rule::{Context, Others, Text};
use super::spec::{AllowlistSpec, FamilySpec, MemberSpec, RemediationSpec, RuleSpec};

/// How a value is recognised.
#[derive(Clone, Copy, PartialEq)]
enum Template {
    /// By its own prefix and shape.
    Token,
    /// By a keyword before it and a credential word or an assignment between the two.
    Near,
    /// By the name it is assigned to.
    Assignment,
}

/// Expands a family into one rule per member.
///
/// # Errors
/// Names the member and what is wrong with it.
pub fn expand(family: &FamilySpec) -> Result<Vec<RuleSpec>, String> {
    family.members.iter().map(|member| expand_member(family, member)).collect()
}

fn expand_member(family: &FamilySpec, member: &MemberSpec) -> Result<RuleSpec, String> {
    let place = |what: &str| format!("family `{}`, member `{}`: {what}", family.name, member.provider);
    if member.provider.is_empty() {
        return Err(place("`provider` is needed"));
    }
    let template = match member.template.as_deref().or(family.template.as_deref()) {
        Some("token") => Template::Token,
        None | Some("near") => Template::Near,
        Some("assignment") => Template::Assignment,
        Some(other) => {
            return Err(place(&format!("unknown template `{other}`: token, near or assignment")));
        }
    };
    if template == Template::Token && member.value.is_empty() {
        return Err(place("`value` is needed"));
    }
    if template != Template::Token && member.keywords.is_empty() {
        return Err(place("`keywords` are needed"));
    }
    let mut sampler =
        Sampler::new(if member.value.is_empty() { "[a-z0-9]{32}" } else { &member.value }, &member.provider)
            .map_err(|why| place(&why))?;
    let starts_with_word = sampler.sample().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let context = (template != Template::Token).then(|| Context {
        keywords: member.keywords.iter().cloned().map(Text::Owned).collect(),
        value: member.value.clone().into(),
        near: template == Template::Near,
        others: match (member.loose, member.strict) {
            (true, _) => Others::Any,
            (false, true) => Others::None,
            (false, false) => Others::Solid,
        },
    });
    let mut rule = RuleSpec {
        id: member.id.clone().unwrap_or_else(|| format!("{}-{}", kebab(&member.provider), family.name)),
        description: describe(member.description.as_ref().unwrap_or(&family.description), &member.provider),
        provider: Some(member.provider.clone()),
        regex: Some(
            context.as_ref().map_or_else(|| token_pattern(member, starts_with_word), context::pattern),
        ),
        context: context.clone(),
        entropy: member.entropy.or(Some(if template == Template::Token { 2.6 } else { 2.8 })),
        category: member.category.clone().or(family.category.clone()),
        severity: member.severity.clone().or(family.severity.clone()),
        confidence: member.confidence.clone().or(family.confidence.clone()),
        checksum: member.checksum.clone(),
        prefix: member.prefix,
        aliases: member.aliases.clone(),
        references: member.references.clone(),
        remediation: remediation(family, member),
        matches: member.matches.clone(),
        reject: member.reject.clone(),
        ..RuleSpec::default()
    };
    if template != Template::Token {
        rule.digit = sampler.may_hold(|b| b.is_ascii_digit());
        rule.allowlists = no_words();
        if sampler.always_may_hold(|b| b.is_ascii_alphabetic()) {
            rule.allowlists.push(AllowlistSpec {
                description: "a number".to_owned(),
                regexes: vec![r"^[0-9][0-9.:/_-]*$".to_owned()],
                ..AllowlistSpec::default()
            });
        }
    }
    add_tests(&mut rule, template, member, sampler);
    Ok(rule)
}

/// `Better Stack` → `better-stack`.
fn kebab(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.ends_with('-') && !id.is_empty() {
            id.push('-');
        }
    }
    id.trim_end_matches('-').to_owned()
}

fn describe(text: &str, provider: &str) -> String {
    text.replace("{provider}", provider)
}

fn remediation(family: &FamilySpec, member: &MemberSpec) -> RemediationSpec {
    let fill = |text: &Option<String>| text.as_ref().map(|text| describe(text, &member.provider));
    RemediationSpec {
        opens: member.opens.clone().or(fill(&family.remediation.opens)),
        revoke: fill(&family.remediation.revoke),
        rotate: fill(&family.remediation.rotate),
        url: member.url.clone().or(fill(&family.remediation.url)),
        command: member.command.clone().or(fill(&family.remediation.command)),
        rotate_days: family.remediation.rotate_days,
    }
}

// --- The regex --------------------------------------------------------------------------------------

/// The regex of a token: a value that is recognised by itself.
fn token_pattern(member: &MemberSpec, starts_with_word: bool) -> String {
    let value = &member.value;
    let glued = member.prefix.unwrap_or(0) >= 5 && fixed_length(value).is_some()
        || ends_in_mark(member) && fixed_length(value) >= Some(36);
    // `_` and `\n` in front are no part of a longer token: variable names, escapes in strings. A value of base64 does
    // not stand between characters of base64 either: there, a prefix is a coincidence.
    let (front, back) = match holds_base64(value) {
        true => (r"(?:\A|[^A-Za-z0-9+/]|\\[nrt])", r"(?:[^A-Za-z0-9_+/]|\z)"),
        false => (r"(?:\b|_|\\[nrt])", r"(?:[^A-Za-z0-9_]|\z)"),
    };
    match (glued, starts_with_word) {
        // Behind a prefix and a fixed length nothing needs to end: the text may be glued.
        (true, _) => format!("{front}({value})"),
        (false, true) => format!("{front}({value}){back}"),
        (false, false) => format!("({value}){back}"),
    }
}

/// Whether a pattern has a class of all characters of base64.
fn holds_base64(pattern: &str) -> bool {
    ["[A-Za-z0-9+/]", "[A-Za-z0-9/+]"].iter().any(|class| pattern.contains(class))
}

/// Whether a prefix of four bytes ends in a mark: it is seldom part of something longer.
fn ends_in_mark(member: &MemberSpec) -> bool {
    member.prefix == Some(4) && member.value.split_once('_').is_some_and(|(head, _)| head.len() < 8)
}

/// The length of a pattern's matches in bytes, when all have the same.
fn fixed_length(pattern: &str) -> Option<usize> {
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
    hir.properties().minimum_len().filter(|&least| hir.properties().maximum_len() == Some(least))
}

/// Values that are names, files or digests of files, not secrets.
fn no_words() -> Vec<AllowlistSpec> {
    let regexes = vec![
        r"(?i)\.(?:json|ya?ml|pem|txt|jsx?|tsx?|py|rb|go|php|html?|png|svg|jpe?g|md|sh|com|org|net|io|csv|xml|class|java)$".to_owned(),
        r"^(?:arn|urn|https?|s3|gs|file|docker|git|sha1|sha256|sha512|md5|data|jdbc|redis|postgres|mysql)[:+]".to_owned(),
        r"^[A-Z]?[a-z]{1,20}(?:[_.-]?[A-Z]?[a-z]{1,20}){0,4}[_.-]?[0-9]{1,4}$".to_owned(),
        r"^[a-zA-Z]{2,20}(?:[_./-][a-zA-Z]{1,20}[0-9]{0,2}){2,30}$".to_owned(),
        r"^(?:[A-Z]?[a-z]{3,20}|[A-Z]{3,8}){1,8}[0-9]{1,5}(?:[A-Z]?[a-z]{3,20}|[A-Z]{3,8}){0,5}$".to_owned(),
        r"^[a-z]{2,20}-[a-z]{2,20}(?:-[a-z0-9]{1,40}){2,20}$".to_owned(),
        r"^[A-Za-z][A-Za-z0-9_-]{1,60}:[0-9]{1,4}(?:[.][0-9]{1,4}){1,4}(?:[.+_-][A-Za-z0-9.+_-]{1,40})?$".to_owned(),
    ];
    let digest = r"(?i)(?:(?:commit|\bref|sha-?(?:1|256|384|512)|md5|checksum|integrity|digest|revision|etag|_hash)\W{0,12}(?:[0-9a-f]{32,128}|[0-9a-z+/]{27,88}={1,2})|@[0-9a-f]{40})\W?$";
    vec![
        AllowlistSpec {
            description: "a name or a file, not a random value".to_owned(),
            regexes,
            stopwords: ["example", "changeme", "xxxx", "placeholder", "redacted"].map(str::to_owned).to_vec(),
            ..AllowlistSpec::default()
        },
        AllowlistSpec {
            description: "a digest".to_owned(),
            regex_target: Some("match".to_owned()),
            regexes: vec![digest.to_owned()],
            ..AllowlistSpec::default()
        },
    ]
}

// --- Tests ------------------------------------------------------------------------------------------

fn add_tests(rule: &mut RuleSpec, template: Template, member: &MemberSpec, mut sampler: Sampler) {
    let (value, other) = (sampler.sample(), sampler.sample());
    let half = &value[..(0..=value.len() / 2).rev().find(|&at| value.is_char_boundary(at)).unwrap_or(0)];
    if template == Template::Token {
        rule.matches.push(format!("token = \"⟦{value}⟧\"\n"));
        rule.matches.push(format!("curl -H 'X-Auth: ⟦{other}⟧' https://api.invalid/\n"));
        rule.reject.push(format!("token = \"{half}\"\n"));
        rule.reject.push(format!("see {}... in the documentation\n", &half[..half.len().min(4)]));
        return;
    }
    let keyword = member.keywords.first().map(String::as_str).unwrap_or_default();
    let keyword = keyword.trim_start_matches('^').replace(['-', '.', ' '], "_");
    rule.matches.push(format!("{keyword}_api_key = \"⟦{value}⟧\"\n"));
    rule.matches.push(format!("  \"{}_TOKEN\": \"⟦{other}⟧\",\n", keyword.to_uppercase()));
    rule.reject.push(format!("{keyword}_api_key = os.environ[\"API_KEY\"]\n"));
    rule.reject.push(format!("revision = \"{value}\"\n"));
}

/// Makes texts that a regex matches: the shortest of its alternatives' forms, letters at random but
/// the same for the same seed.
struct Sampler {
    hir: Hir,
    state: u64,
}

impl Sampler {
    fn new(pattern: &str, seed: &str) -> Result<Self, String> {
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .map_err(|error| format!("value: {error}"))?;
        let state = seed
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Ok(Sampler { hir, state })
    }

    fn next(&mut self, below: usize) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) as usize) % below.max(1)
    }

    /// A sample that holds letters and digits where the regex allows both.
    fn sample(&mut self) -> String {
        let hir = self.hir.clone();
        let mut text = String::new();
        for _ in 0..64 {
            text.clear();
            self.write(&hir, &mut text);
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if !self.may_hold(|b| b.is_ascii_digit()) || (digits > 0 && digits < text.len()) {
                break;
            }
        }
        text
    }

    /// Whether matches of each alternative may hold a byte of a kind.
    fn always_may_hold(&self, kind: fn(u8) -> bool) -> bool {
        match self.hir.kind() {
            HirKind::Alternation(ways) => ways.iter().all(|way| Self::holds(way, kind)),
            _ => self.may_hold(kind),
        }
    }

    /// Whether matches may hold a byte of a kind.
    fn may_hold(&self, kind: fn(u8) -> bool) -> bool {
        Self::holds(&self.hir, kind)
    }

    fn holds(hir: &Hir, kind: fn(u8) -> bool) -> bool {
        match hir.kind() {
            HirKind::Class(Class::Bytes(class)) => {
                class.ranges().iter().any(|r| (r.start()..=r.end()).any(kind))
            }
            HirKind::Class(Class::Unicode(class)) => {
                class.ranges().iter().any(|r| (r.start()..=r.end()).any(|c| u8::try_from(c).is_ok_and(kind)))
            }
            HirKind::Repetition(repetition) => Self::holds(&repetition.sub, kind),
            HirKind::Capture(capture) => Self::holds(&capture.sub, kind),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().any(|part| Self::holds(part, kind))
            }
            _ => false,
        }
    }
    fn write(&mut self, hir: &Hir, out: &mut String) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => out.push(self.pick(class)),
            HirKind::Repetition(repetition) => {
                for _ in 0..repetition.min {
                    self.write(&repetition.sub, out);
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub, out),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part, out)),
            HirKind::Alternation(parts) => {
                let at = self.next(parts.len());
                if let Some(part) = parts.get(at) {
                    self.write(part, out);
                }
            }
        }
    }

    fn pick(&mut self, class: &Class) -> char {
        let ranges: Vec<(u32, u32)> = match class {
            Class::Bytes(class) => {
                class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect()
            }
            Class::Unicode(class) => {
                class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect()
            }
        };
        let plain = |c: &char| c.is_ascii_alphanumeric();
        let all: Vec<char> =
            ranges.iter().flat_map(|&(a, b)| (a..=b.min(0x7e)).filter_map(char::from_u32)).collect();
        let alphanumeric: Vec<char> = all.iter().copied().filter(plain).collect();
        let from = if alphanumeric.is_empty() { all } else { alphanumeric };
        let at = self.next(from.len());
        from.get(at).copied().unwrap_or('-')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(template: &str, member: MemberSpec) -> Result<Vec<RuleSpec>, String> {
        expand(&FamilySpec {
            name: "credential".into(),
            template: Some(template.into()),
            description: "{provider} key".into(),
            members: vec![member],
            ..FamilySpec::default()
        })
    }

    fn member(keywords: &[&str], value: &str) -> MemberSpec {
        MemberSpec {
            provider: "Better Stack".into(),
            keywords: keywords.iter().map(|&k| k.into()).collect(),
            value: value.into(),
            ..MemberSpec::default()
        }
    }

    /// The texts that the first capture group that took part holds.
    fn found(rule: &RuleSpec, text: &str) -> Vec<String> {
        let regex = regex::bytes::RegexBuilder::new(rule.regex.as_deref().unwrap_or_default())
            .unicode(false)
            .build()
            .expect("the pattern compiles");
        regex
            .captures_iter(text.as_bytes())
            .filter_map(|c| {
                c.iter().skip(1).flatten().next().map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned())
            })
            .collect()
    }

    #[test]
    fn a_row_becomes_a_rule_whose_own_tests_it_passes() {
        for (template, member) in [
            ("near", member(&["better stack"], "[a-f0-9]{32}")),
            ("near", member(&["better stack"], "")),
            ("near", MemberSpec { loose: true, ..member(&["better stack"], "[a-z0-9]{24}") }),
            ("assignment", member(&["better stack"], "")),
            ("token", MemberSpec { prefix: Some(5), ..member(&[], "bstk_[A-Za-z0-9]{24}") }),
        ] {
            let rules = family(template, member).expect("a good row");
            let rule = &rules[0];
            assert_eq!(rule.id, "better-stack-credential");
            assert_eq!(rule.description, "Better Stack key");
            assert!(rule.matches.len() >= 2 && rule.reject.len() >= 2);
            for test in &rule.matches {
                let secret = test.split(['⟦', '⟧']).nth(1).unwrap_or_default();
                let text = test.replace(['⟦', '⟧'], "");
                assert_eq!(found(rule, &text), [secret], "{template}: {text}");
            }
            for text in &rule.reject {
                assert!(
                    found(rule, text).iter().all(|s| !s.bytes().any(|b| b.is_ascii_digit())),
                    "{template}: {text}"
                );
            }
        }
    }

    #[test]
    fn another_shape_than_the_known_one_is_taken_unless_the_row_is_strict() {
        let text = format!("better_stack_api_key = {}\n", ["Qw3rTz7u", "Io9pAs1d", "Fg5hJk2l"].concat());
        let row = || member(&["better stack"], "[a-f0-9]{32}");
        let open = family("near", row()).expect("a good row");
        assert_eq!(found(&open[0], &text).len(), 1);
        let strict = family("near", MemberSpec { strict: true, ..row() }).expect("a good row");
        assert!(found(&strict[0], &text).is_empty());
    }

    #[test]
    fn keywords_may_be_spelled_in_many_ways_and_stand_before_the_value() {
        let rules = family("near", member(&["better stack"], "[a-f0-9]{32}")).expect("a good row");
        let value = ["0a1b2c3d", "4e5f6071", "8293a4b5", "c6d7e8f9"].concat();
        for before in [
            "BETTER_STACK_TOKEN=",
            "betterStackKey := \"",
            "better-stack: api key is ",
            "https://betterstack.com/v1?token=",
            "betterstack '",
            "<id>betterstack</id>\n  <secret>",
        ] {
            assert_eq!(found(&rules[0], &format!("{before}{value}\n")), [value.as_str()], "{before}");
        }
        assert!(found(&rules[0], &format!("checksum = {value}\n")).is_empty());
    }

    #[test]
    fn in_the_midst_of_base64_a_prefix_is_a_coincidence() {
        let base64 = MemberSpec { prefix: Some(3), ..member(&[], "AK7[A-Za-z0-9/+]{30,35}") };
        let rules = family("token", base64).expect("a good row");
        let value = ["AK7", "Zx81kQ/mPw04+LsTbN", "95uRdVyC2hGoJf"].concat();
        for (before, behind) in [("key = '", "'"), ("_", "\n"), ("", ""), (r"\n", ";"), ("key=", "&")] {
            assert_eq!(found(&rules[0], &format!("{before}{value}{behind}")), [value.as_str()], "{before}");
        }
        for (before, behind) in [("x5/", "'"), ("x5+", ""), ("'", "/Wq8"), ("", "+Wq8=")] {
            assert_eq!(found(&rules[0], &format!("{before}{value}{behind}")), [""; 0], "{before} {behind}");
        }
    }

    #[test]
    fn a_common_word_needs_a_credential_word_behind_it() {
        let rules = family("near", member(&["^line"], "[a-f0-9]{32}")).expect("a good row");
        let value = ["0a1b2c3d", "4e5f6071", "8293a4b5", "c6d7e8f9"].concat();
        assert_eq!(found(&rules[0], &format!("line_token: {value}\n")), [value.as_str()]);
        assert!(found(&rules[0], &format!("on this line the key {value}\n")).is_empty());
        assert!(found(&rules[0], &format!("outline_token: {value}\n")).is_empty());
    }

    #[test]
    fn mistakes_name_the_member() {
        for (template, member) in [
            ("nope", member(&["x"], "[a-z]{9}")),
            ("near", member(&[], "[a-z]{9}")),
            ("token", member(&[], "")),
            ("near", member(&["x"], "[a-z")),
            ("near", MemberSpec { provider: String::new(), ..member(&["x"], "[a-z]{9}") }),
        ] {
            let why = family(template, member).expect_err("a bad row");
            assert!(why.contains("family `credential`"), "{why}");
        }
    }
}
