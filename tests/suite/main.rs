mod report;

#[test]
fn t() {}
