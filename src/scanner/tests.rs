use super::*;

fn leak() -> String {
    ["password = 'Vx9kq", "2!mTr7wLp'\n"].concat()
}

fn found(scan: &Scan) -> Vec<&str> {
    scan.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn text_files_and_streams_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.py");
    std::fs::write(&file, leak()).unwrap();
    let scanner = Scanner::default().threads(1);
    let text = scanner.scan(Source::Text { path: "settings.py", bytes: leak().as_bytes() }).unwrap();
    let files = scanner.scan(Source::Files(vec![folder.path().to_owned()])).unwrap();
    let stream = scanner.scan_reader(&mut leak().as_bytes()).unwrap();
    for scan in [&text, &files, &stream] {
        assert_eq!(found(scan), ["generic-password"]);
        assert_eq!(scan.findings[0].fingerprint, text.findings[0].fingerprint);
        assert_eq!((scan.files, scan.bytes), (1, leak().len() as u64));
    }
}

#[test]
fn what_could_not_be_read_is_not_clean() {
    let scan = Scanner::default().scan(Source::Files(vec!["/nowhere/at/all".into()])).unwrap();
    assert!(scan.findings.is_empty() && !scan.is_complete() && !scan.is_clean());
    assert!(matches!(
        Scanner::default().scan(Source::Staged(std::env::temp_dir().join("nowhere"))),
        Err(ScanError::Git(_))
    ));
}

#[test]
fn markers_count_and_are_told() {
    let line = leak().replace('\n', " # stanch:allow a sample\n");
    let scan = Scanner::default().scan(Source::Text { path: "a.py", bytes: line.as_bytes() }).unwrap();
    assert!(scan.is_clean());
    assert!(matches!(scan.findings[0].status, Status::Suppressed(_)));
}

#[test]
fn options_change_what_is_found() {
    let encoded = data_encoding::BASE64.encode(leak().repeat(2).as_bytes());
    let text = format!("data: {encoded}\n");
    let source = || Source::Text { path: "data.yml", bytes: text.as_bytes() };
    assert!(!Scanner::default().scan(source()).unwrap().is_clean());
    assert!(Scanner::default().shallow().scan(source()).unwrap().is_clean());
    let config = "[scan]\nmin_confidence = 'high'\n[overrides.generic-password]\nconfidence = 'low'\n";
    let strict = Scanner::from_config(config).unwrap();
    assert!(strict.scan(Source::Text { path: "a.py", bytes: leak().as_bytes() }).unwrap().is_clean());
    let lax = strict.min_confidence(Confidence::Low);
    let _ = lax.scan(source()).unwrap();
}

#[test]
fn configurations_cannot_reach_for_files() {
    let extends = "[extend]\npaths = ['/etc/passwd']\n";
    let error = Scanner::from_config(extends).unwrap_err().to_string();
    assert!(!error.contains("root:"), "{error}");
    let rule = "[[rules]]\nid = 'x'\nregex = '('\n";
    assert!(Scanner::from_config(rule).is_err());
}
