use super::*;

const VALUE: &str = "Vx9kq2mTr7wLp";

fn report(edit: impl FnOnce(&mut Report)) -> Report {
    let finding = Finding {
        rule: "r".into(),
        description: "about it".into(),
        secret: Secret::new(VALUE.as_bytes(), 0),
        parts: vec![("id".into(), Location::default())],
        tags: vec!["tag".into()],
        ..Finding::blank()
    };
    let skipped = Skipped { what: "f".into(), reason: "unreadable", detail: "why".into(), incomplete: true };
    let mut report = Report {
        findings: vec![finding.clone(), finding],
        skipped: vec![skipped],
        summary: Default::default(),
    };
    edit(&mut report);
    report
}

/// Each text alone: one that is looked at only when another one is bad, too, would be shown.
#[test]
fn no_text_of_a_rule_shows_a_value() {
    let text = || format!("as in {VALUE}.");
    let edits: [fn(&mut Report, String); 11] = [
        |r, text| r.findings[0].rule = text,
        |r, text| r.findings[1].description = text,
        |r, text| r.findings[0].tags.push(text),
        |r, text| r.findings[1].parts[0].0 = text,
        |r, text| Arc::make_mut(&mut r.findings[0].remediation).opens = text,
        |r, text| Arc::make_mut(&mut r.findings[1].remediation).revoke = text,
        |r, text| Arc::make_mut(&mut r.findings[0].remediation).rotate = text,
        |r, text| Arc::make_mut(&mut r.findings[1].remediation).url = text,
        |r, text| Arc::make_mut(&mut r.findings[0].remediation).command = text,
        |r, text| r.skipped[0].detail = text,
        |r, text| r.findings.iter_mut().for_each(|f| f.description = text.clone()),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let report = report(|report| edit(report, text()));
        let cleaned = without_values(&report, &redactor(&report, &Options::default()));
        let said = |report: &Report| {
            let texts = report.findings.iter().flat_map(|f| {
                let parts = f.parts.iter().map(|(role, _)| role);
                words_of_rule(f).chain(parts).cloned().collect::<Vec<_>>()
            });
            texts.chain([report.skipped[0].detail.clone()]).collect::<Vec<_>>().join("\n")
        };
        assert!(said(&report).contains(VALUE), "{n}");
        assert!(!said(&cleaned).contains(VALUE) && said(&cleaned).contains("as in …."), "{n}");
        let all = Options { show_secrets: true, ..Options::default() };
        let shown = without_values(&report, &redactor(&report, &all));
        assert!(said(&shown).contains(VALUE), "{n}");
    }
    let clean = report(|_| ());
    assert!(matches!(without_values(&clean, &redactor(&clean, &Options::default())), Cow::Borrowed(_)));
}

/// A short value goes from the name of the file that it was found in, and from no other.
#[test]
fn the_path_that_a_value_was_found_in_hides_it() {
    let named = |kind: Option<MessageKind>| Location {
        path: Some("a/hunter/b".into()),
        message_kind: kind,
        ..Location::default()
    };
    let report = report(|report| report.findings[0].secret = Secret::new(b"hunter", 0));
    let finding = &report.findings[0];
    let view_with = |options: Options| View::new(&report, options, redactor(&report, &options));
    let view = view_with(Options::default());
    let (own, other) = (named(Some(MessageKind::FileName)), named(None));
    assert_eq!(view.path(finding, &own).unwrap().to_string(), "a/…/b");
    assert_eq!(view.path(finding, &other).unwrap().to_string(), "a/hunter/b");
    let shown = view_with(Options { show_secrets: true, ..Options::default() });
    assert_eq!(shown.path(finding, &own).unwrap().to_string(), "a/hunter/b");
}

/// A file's name may hold several values: the one that a finding is about is not the only one that must go.
#[test]
fn a_path_hides_every_value_not_only_its_own() {
    let other = "hunter2-Qm83vKx";
    let report = report(|report| {
        report.findings[0].secret = Secret::new(b"hunter", 0);
        report.findings[1].secret = Secret::new(other.as_bytes(), 0);
    });
    let view = View::new(&report, Options::default(), redactor(&report, &Options::default()));
    let place = Location {
        path: Some(format!("a/hunter/{other}/{other}.txt").into()),
        message_kind: Some(MessageKind::FileName),
        ..Location::default()
    };
    assert_eq!(view.path(&report.findings[0], &place).unwrap().to_string(), "a/…/…/….txt");
    // `hunter` is too short for names of which it is not the value.
    assert_eq!(view.path(&report.findings[1], &place).unwrap().to_string(), "a/hunter/…/….txt");
}

fn hidden() -> Status {
    Status::Suppressed(Suppression::Allowlist { description: "docs".into() })
}

#[test]
fn what_counts_is_shown_and_counted() {
    let report = report(|report| {
        let one = report.findings[0].clone();
        report.findings = [(Severity::High, Status::New), (Severity::Low, hidden())]
            .into_iter()
            .chain([
                (Severity::High, Status::New),
                (Severity::Critical, Status::New),
                (Severity::High, hidden()),
            ])
            .map(|(severity, status)| Finding { severity, status, ..one.clone() })
            .collect();
    });
    let shown = |suppressed: bool| {
        let options = Options { suppressed, ..Options::default() };
        View::new(&report, options, Redactor::default()).findings().count()
    };
    assert_eq!((shown(false), shown(true)), (3, 5));
    let view = View::new(&report, Options::default(), Redactor::default());
    assert_eq!(view.new_findings().count(), 3);
    let counts = view.counts();
    assert_eq!((counts.new, counts.suppressed), (3, 2));
    let by_severity = |severity: Severity| counts.by_severity[severity as usize];
    assert_eq!(
        Severity::ALL.iter().map(|&severity| by_severity(severity)).sum::<u64>(),
        3,
        "those that count, and no others"
    );
    assert_eq!((by_severity(Severity::High), by_severity(Severity::Critical)), (2, 1));
    assert!(is_new(&report.findings[0]) && !is_new(&report.findings[1]));
}

/// Fail closed: whatever was not read makes a run incomplete, as does the run itself saying so.
#[test]
fn what_was_not_read_makes_a_run_incomplete() {
    for (of_run, of_file, expected) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, true)]
    {
        let report = report(|report| {
            report.summary.incomplete = of_run;
            report.skipped[0].incomplete = of_file;
        });
        let view = View::new(&report, Options::default(), Redactor::default());
        assert_eq!(view.incomplete(), expected, "{of_run} {of_file}");
        assert_eq!(view.unread().count(), usize::from(of_file));
    }
}

/// What stands around a value may hold another one, or the same once more.
#[test]
fn the_text_of_a_match_shows_no_value() {
    let report = report(|report| {
        report.findings[0].matched = (format!("x {VALUE} y=").into(), format!(" # {VALUE}").into());
        report.findings[1].secret = Secret::new(b"Vx9k", 4);
    });
    let of = |show_secrets: bool| {
        let options = Options { show_secrets, ..Options::default() };
        let view = View::new(&report, options, redactor(&report, &options));
        let finding = &report.findings[0];
        let (before, after) = view.context(finding);
        (
            view.matched(finding),
            view.secret(&finding.secret).into_owned(),
            before.into_owned(),
            after.into_owned(),
        )
    };
    let hidden = ("x … y=… # …".to_owned(), "…".to_owned(), "x … y=".into(), " # …".into());
    assert_eq!(of(false), hidden);
    let (matched, secret, ..) = of(true);
    assert_eq!((matched, secret), (format!("x {VALUE} y={VALUE} # {VALUE}"), VALUE.to_owned()));
}

/// Names and words as they are shown, with and without a value in them.
#[test]
fn names_and_words_lose_values_and_nothing_else() {
    let report = report(|_| ());
    let view = View::new(&report, Options::default(), redactor(&report, &Options::default()));
    for (text, shown) in [(format!("a-{VALUE}.zip"), "a-….zip"), ("plain é".to_owned(), "plain é")] {
        assert_eq!(view.name(text.as_bytes()).to_string(), shown);
        assert_eq!(view.name_text(text.as_bytes()), shown);
        assert_eq!(view.words(&text), shown);
    }
    assert_eq!(view.name_text(b"a\xff"), "a\u{fffd}");
    let with_value = [b"\xff-".as_slice(), VALUE.as_bytes()].concat();
    assert_eq!(view.name_text(&with_value), "\u{fffd}-…");
}

/// Every place has a path for consumers that know files only, and none shows a value.
#[test]
fn paths_for_machines() {
    let mut report = report(|_| ());
    report.findings[1].commit = Some(Box::new(Commit { id: "0a1b".into(), ..Commit::default() }));
    let view = View::new(&report, Options::default(), redactor(&report, &Options::default()));
    let [alone, in_commit] = [&report.findings[0], &report.findings[1]];
    let place = |path: Option<&str>, kind: Option<MessageKind>, members: &[String]| Location {
        path: path.map(Into::into),
        message_kind: kind,
        container: members.iter().map(|member| member.as_str().into()).collect(),
        ..Location::default()
    };
    let members = [format!("in-{VALUE}"), "b".to_owned()];
    for (finding, place, artifact, members) in [
        (alone, place(Some("a/b"), None, &[]), "a/b", ""),
        (alone, place(Some("a.zip"), None, &members), "a.zip", "!in-…!b"),
        (in_commit, place(Some("a/b"), None, &[]), "a/b", ""),
        (in_commit, place(None, Some(MessageKind::Commit), &[]), ".git/commit/0a1b", ""),
        (alone, place(None, Some(MessageKind::Commit), &[]), ".git/commit", ""),
        (alone, place(None, None, &[]), "stdin", ""),
        (in_commit, place(None, None, &members[1..]), "stdin", "!b"),
    ] {
        assert_eq!(view.artifact(finding, &place).as_bstr(), artifact);
        assert_eq!(view.machine_path(finding, &place).as_bstr(), format!("{artifact}{members}"));
        let container: String = view.container(&place).iter().map(|member| format!("!{member}")).collect();
        assert_eq!(container, members);
    }
}

#[test]
fn each_kind_of_suppression_has_its_reason() {
    let baseline = Suppression::Baseline {
        status: "accepted".into(),
        reason: "until June".into(),
        by: "Ann".into(),
        on: "2025-01-02".into(),
    };
    let inline = Suppression::Inline { marker: "stanch:allow".into(), reason: "sample".into() };
    let list = Suppression::Allowlist { description: "docs".into() };
    for (suppression, expected) in [
        (Some(baseline), Some(["baseline", "accepted", "until June", "Ann", "2025-01-02"])),
        (Some(inline), Some(["inline", "stanch:allow", "sample", "", ""])),
        (Some(list), Some(["allowlist", "", "docs", "", ""])),
        (None, None),
    ] {
        let report = report(|r| r.findings[0].status = suppression.map_or(Status::New, Status::Suppressed));
        let found = suppressed(&report.findings[0]);
        assert_eq!(found.map(|r| [r.kind, r.status, r.reason, r.by, r.on]), expected);
    }
}

/// Times at the ends of a day, in other time zones, and such as no calendar or clock has.
#[test]
fn times_are_written_as_people_and_machines_read_them() {
    const NEW_YEAR: i64 = 1_767_225_600;
    for (seconds, minutes, expected, date) in [
        (NEW_YEAR, 0, Some("2026-01-01T00:00:00+00:00"), Some("2026-01-01")),
        (NEW_YEAR - 1, 0, Some("2025-12-31T23:59:59+00:00"), Some("2025-12-31")),
        (NEW_YEAR - 1, 90, Some("2026-01-01T01:29:59+01:30"), Some("2026-01-01")),
        (NEW_YEAR, -60, Some("2025-12-31T23:00:00-01:00"), Some("2025-12-31")),
        // No clock has such an offset, but the time is known.
        (NEW_YEAR, i32::MAX, None, Some("2026-01-01")),
        (NEW_YEAR, 60 * 100, None, Some("2026-01-01")),
        (i64::MAX, 0, None, None),
    ] {
        assert_eq!(rfc3339(seconds, minutes).as_deref(), expected, "{seconds} {minutes}");
        assert_eq!(day(seconds, minutes).as_deref(), date, "{seconds} {minutes}");
        let commit = Commit { time: seconds, offset_minutes: minutes, ..Commit::default() };
        assert_eq!(commit_date(&commit), rfc3339(seconds, minutes).or(utc(seconds)));
    }
    assert_eq!(utc(NEW_YEAR).as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(utc(i64::MAX), None);
    let odd = Commit { time: NEW_YEAR, offset_minutes: 60 * 100, ..Commit::default() };
    assert_eq!(commit_date(&odd).as_deref(), Some("2026-01-01T00:00:00Z"));
}
