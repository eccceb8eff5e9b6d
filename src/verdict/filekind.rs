//! What kind of file a path names: by its extension, its base name and the folders above.

/// Languages, as far as they differ in what an unquoted word after `=` or `:` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Language {
    /// Not known: no extension, or an unknown one.
    #[default]
    Unknown,
    /// Compiled and scripting languages: a bare word is an identifier.
    Code,
    /// JavaScript and TypeScript, and templates that hold them.
    Script,
    /// Ruby.
    Ruby,
    /// Python.
    Python,
    /// Go.
    Go,
    /// PHP.
    Php,
    /// JVM languages.
    Jvm,
    /// C, C++, Objective-C, C#.
    CFamily,
    /// Shell and PowerShell: a bare word is a literal.
    Shell,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// TOML, INI, properties, `.env`, HCL: configuration.
    Config,
    /// XML, and what is written in it.
    Xml,
    /// HTML and style sheets.
    Markup,
    /// Markdown, reStructuredText, plain text.
    Prose,
    /// SQL.
    Sql,
    /// Notebooks, logs, recordings, tables.
    Data,
}

/// What a file is for, where its path says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Nothing special.
    #[default]
    Plain,
    /// A folder of tests and their data.
    Test,
    /// Code of a unit test, by the file's own name.
    UnitTest,
    /// Examples and documentation.
    Example,
    /// Texts in other languages.
    Translation,
    /// Lock files, checksums, minified code.
    Generated,
    /// Code of others, kept in the repository.
    Vendored,
    /// A template whose values are filled in later: `.env.example`, `.dist`.
    Template,
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKind {
    /// Its language.
    pub language: Language,
    /// Its purpose.
    pub role: Role,
}

impl FileKind {
    /// The kind of text without a path: standard input, messages.
    pub const UNKNOWN: FileKind = FileKind { language: Language::Unknown, role: Role::Plain };

    /// The kind that a `/`-separated path tells.
    pub fn from_path(path: &[u8]) -> FileKind {
        let base = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
        let mut lower = [0_u8; 96];
        let tail = &base[base.len().saturating_sub(lower.len())..];
        let lower = &mut lower[..tail.len()];
        lower.copy_from_slice(tail);
        lower.make_ascii_lowercase();
        FileKind { language: language(lower), role: role(lower, path) }
    }

    /// The kinds that a file can be of whose name by itself tells this one: folders tell purposes, too.
    pub fn in_any_folder(self) -> impl Iterator<Item = FileKind> {
        const OF_FOLDERS: [Role; 6] =
            [Role::Plain, Role::Test, Role::Example, Role::Vendored, Role::Translation, Role::Generated];
        let others: &[Role] = match self.role {
            Role::Plain | Role::Test | Role::Example | Role::Vendored => &OF_FOLDERS,
            Role::UnitTest => &[Role::Translation, Role::Generated],
            Role::Translation | Role::Generated | Role::Template => &[],
        };
        let others = others.iter().filter(move |&&role| role != self.role);
        std::iter::once(self).chain(others.map(move |&role| FileKind { role, ..self }))
    }
}

/// The last extension of a lower-case base name, and what stands before it.
fn split(base: &[u8]) -> (&[u8], &[u8]) {
    match base.iter().rposition(|&b| b == b'.') {
        Some(n) => (&base[..n], &base[n + 1..]),
        None => (base, b""),
    }
}

fn language(base: &[u8]) -> Language {
    let (stem, extension) = split(base);
    match extension {
        b"js" | b"mjs" | b"cjs" | b"jsx" | b"ts" | b"tsx" | b"mts" | b"vue" | b"svelte" | b"coffee"
        | b"bundle" => Language::Script,
        b"rb" | b"rake" | b"erb" | b"gemspec" | b"ru" | b"cr" => Language::Ruby,
        b"py" | b"pyi" | b"pyx" => Language::Python,
        b"go" => Language::Go,
        b"php" | b"phpt" | b"inc" | b"module" => Language::Php,
        b"java" | b"kt" | b"kts" | b"scala" | b"groovy" | b"gradle" | b"clj" | b"jsp" => Language::Jvm,
        b"c" | b"h" | b"cc" | b"cpp" | b"cxx" | b"hpp" | b"hh" | b"m" | b"mm" | b"cs" | b"csx" | b"vb" => {
            Language::CFamily
        }
        b"rs" | b"swift" | b"dart" | b"ex" | b"exs" | b"erl" | b"hs" | b"lua" | b"pl" | b"pm" | b"r"
        | b"jl" | b"ml" | b"fs" | b"nim" | b"zig" | b"v" | b"d" | b"pas" | b"t" | b"elm" | b"sol"
        | b"graphql" | b"proto" | b"idl" => Language::Code,
        b"sh" | b"bash" | b"zsh" | b"fish" | b"ksh" | b"bats" | b"ps1" | b"psm1" | b"bat" | b"cmd" => {
            Language::Shell
        }
        b"yml" | b"yaml" => Language::Yaml,
        b"json" | b"json5" | b"jsonc" | b"jsonl" | b"har" | b"tfstate" => Language::Json,
        b"toml" | b"ini" | b"cfg" | b"conf" | b"config" | b"properties" | b"env" | b"tf" | b"tfvars"
        | b"hcl" | b"cnf" | b"dist" | b"local" | b"netrc" | b"npmrc" | b"pypirc" | b"desktop"
        | b"service" => Language::Config,
        b"xml" | b"xib" | b"storyboard" | b"resx" | b"xaml" | b"plist" | b"csproj" | b"svg" | b"wsdl"
        | b"pom" => Language::Xml,
        b"html" | b"htm" | b"css" | b"scss" | b"less" | b"hbs" | b"ejs" | b"haml" | b"slim" | b"pug"
        | b"twig" => Language::Markup,
        b"md" | b"markdown" | b"rst" | b"adoc" | b"asciidoc" | b"txt" | b"org" | b"tex" | b"pod" => {
            Language::Prose
        }
        b"sql" | b"psql" | b"ddl" => Language::Sql,
        b"ipynb" | b"log" | b"csv" | b"tsv" | b"snap" | b"golden" | b"http" | b"pcap" | b"out" => {
            Language::Data
        }
        b"j2" | b"tmpl" | b"tpl" | b"template" | b"example" | b"sample" | b"default" | b"in" | b"bak"
        | b"orig" | b"old"
            if !stem.is_empty() =>
        {
            match language(stem) {
                Language::Unknown => Language::Config,
                inner => inner,
            }
        }
        _ if stem == b".env" || base.starts_with(b".env") => Language::Config,
        _ => match base {
            b"dockerfile" | b"makefile" | b"jenkinsfile" | b"vagrantfile" | b"procfile" => Language::Shell,
            b"gemfile" | b"rakefile" | b"podfile" | b"fastfile" => Language::Ruby,
            _ => Language::Unknown,
        },
    }
}

fn role(base: &[u8], path: &[u8]) -> Role {
    const GENERATED: &[&[u8]] = &[
        b"package-lock.json",
        b"yarn.lock",
        b"pnpm-lock.yaml",
        b"composer.lock",
        b"gemfile.lock",
        b"cargo.lock",
        b"poetry.lock",
        b"go.sum",
        b"pipfile.lock",
        b"npm-shrinkwrap.json",
        b"packages.lock.json",
        b"podfile.lock",
        b"flake.lock",
        b"uv.lock",
    ];
    let (stem, extension) = split(base);
    if GENERATED.contains(&base) || stem.ends_with(b".min") || matches!(extension, b"map" | b"lock" | b"sum")
    {
        return Role::Generated;
    }
    if matches!(extension, b"po" | b"pot" | b"xlf" | b"xliff" | b"strings" | b"resx" | b"arb") {
        return Role::Translation;
    }
    if matches!(extension, b"example" | b"sample" | b"dist" | b"template" | b"tmpl" | b"tpl") {
        return Role::Template;
    }
    let mut role = Role::Plain;
    for folder in path.split(|&b| b == b'/') {
        let is = |names: &[&[u8]]| names.iter().any(|n| folder.eq_ignore_ascii_case(n));
        if is(&[b"locale", b"locales", b"i18n", b"l10n", b"lang", b"translations", b"intl"]) {
            return Role::Translation;
        }
        if is(&[b"node_modules", b"bower_components"]) {
            return Role::Generated;
        }
        if is(&[b"vendor", b"third_party", b"third-party"]) {
            role = Role::Vendored;
        } else if is(&[
            b"test",
            b"tests",
            b"spec",
            b"specs",
            b"testdata",
            b"fixtures",
            b"fixture",
            b"__tests__",
            b"testing",
            b"e2e",
            b"mocks",
            b"cassettes",
            b"t",
            b"unittest",
            b"unittests",
            b"unit_tests",
            b"testcases",
            b"testsuite",
            b"test-data",
            b"test_data",
            b"testfixtures",
            b"test-fixtures",
            b"test_fixtures",
            b"integration-tests",
            b"integration_tests",
            b"selftests",
            b"__fixtures__",
            b"__mocks__",
        ]) {
            role = Role::Test;
        } else if role == Role::Plain && is(&[b"example", b"examples", b"doc", b"docs", b"samples", b"demo"])
        {
            role = Role::Example;
        }
    }
    if is_unit_test(path) { Role::UnitTest } else { role }
}

/// Whether the file's own name says that it is code of a unit test, by the conventions of its language:
/// `x_test.go`, `test_x.py`, `x_spec.rb`, `x.spec.ts`, `XTest.java`, `XTests.cs`, `t1234-x.sh`.
fn is_unit_test(path: &[u8]) -> bool {
    let base = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    // Templates of tests (`x_test.rb.tt`) are tests too.
    let base = [b".tt".as_slice(), b".erb", b".j2", b".tmpl"]
        .iter()
        .find_map(|t| base.strip_suffix(*t))
        .unwrap_or(base);
    let (stem, extension) = split(base);
    let code = !matches!(
        extension,
        b"" | b"json"
            | b"yml"
            | b"yaml"
            | b"toml"
            | b"xml"
            | b"env"
            | b"md"
            | b"txt"
            | b"conf"
            | b"ini"
            | b"cfg"
            | b"properties"
    );
    if !code {
        return false;
    }
    if matches!(extension, b"bats" | b"t" | b"snap") {
        return true;
    }
    let ends = [
        b"_test".as_slice(),
        b"_tests",
        b"_spec",
        b".test",
        b".spec",
        b"-test",
        b"-spec",
        b".e2e",
        b".cy",
        b"_helper",
        b"Test",
        b"Tests",
        b"Spec",
        b"IT",
        b"TestCase",
        b"TestBase",
        b"_unittest",
    ];
    let begins = [b"test_".as_slice(), b"test-", b"Test", b"conftest", b"spec_helper", b"rails_helper"];
    let numbered =
        extension == b"sh" && stem.len() > 5 && stem[0] == b't' && stem[1..5].iter().all(u8::is_ascii_digit);
    numbered
        || ends.iter().any(|e| stem.ends_with(e))
        || begins.iter().any(|b| stem.starts_with(b))
        || stem == b"test"
        || stem == b"tests"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_kinds_there_are_in_folders() {
        let names = [
            "a.sh",
            "t",
            "doc",
            "vendor",
            "test_a.py",
            "a_test.go",
            "de.po",
            "x.min.js",
            ".env.example",
            "a.lock",
        ];
        let folders = [
            "",
            "src/",
            "t/",
            "docs/",
            "a/vendor/x/",
            "locale/",
            "node_modules/a/",
            "tests/docs/",
            "docs/tests/",
        ];
        for name in names {
            let known: Vec<FileKind> = FileKind::from_path(name.as_bytes()).in_any_folder().collect();
            for folder in folders {
                let path = format!("{folder}{name}");
                let kind = FileKind::from_path(path.as_bytes());
                assert!(known.contains(&kind), "{path} is {kind:?}, none of {known:?}");
            }
        }
    }
}
