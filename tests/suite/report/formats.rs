//! A snapshot of each format, of findings in every kind of place and of nothing.

use stanch::report::{Format, Options};

use super::fixtures::{clean, render, sample};

/// The version changes with every release and would change every snapshot.
fn without_version(text: String) -> String {
    text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// Every format but the page, which has tests of its own and would be a snapshot of its style.
fn formats() -> impl Iterator<Item = &'static Format> {
    Format::ALL.iter().filter(|format| **format != Format::Html)
}

#[test]
fn every_format_of_the_sample() {
    for format in formats() {
        let options = Options { suppressed: true, ..Options::default() };
        let text = without_version(render(&sample(), format.name(), &options));
        insta::assert_snapshot!(format!("sample_{}", format.name()), text);
    }
}

#[test]
fn every_format_of_nothing() {
    for format in formats() {
        let text = without_version(render(&clean(), format.name(), &Options::default()));
        insta::assert_snapshot!(format!("nothing_{}", format.name()), text);
    }
}

#[test]
fn names_lead_to_formats() {
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(*format));
    }
    assert_eq!(Format::from_name("codeclimate"), Some(Format::Codequality));
    assert_eq!(Format::from_name("yaml"), None);
}

/// People are named where the report is for the people who work with it, and nowhere else.
#[test]
fn people_are_named_only_where_it_is_their_report() {
    const NAMES: [Format; 4] = [Format::Text, Format::Json, Format::Jsonl, Format::Html];
    for format in Format::ALL {
        let options = Options { suppressed: true, ..Options::default() };
        let text = render(&sample(), format.name(), &options);
        let named = text.contains("Ana Lima") || text.contains("ana.lima") || text.contains("Cy Dorn");
        assert_eq!(named, NAMES.contains(format), "{}", format.name());
        if matches!(format, Format::Sarif | Format::Gitlab | Format::Csv | Format::Gitleaks) {
            let asked = render(&sample(), format.name(), &Options { personal_data: true, ..options });
            assert!(asked.contains("Ana Lima"), "{}", format.name());
        }
    }
}
