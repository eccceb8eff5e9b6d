//! `ci/stanch-ci.sh`: which commits a run is about, and whose policy holds.

use super::super::cli_support::Run;
use super::{Server, leak};

/// What GitHub sets for a pull request, with what the action adds.
fn pull_request(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("GITHUB_ACTIONS", "true".into()),
        ("GITHUB_EVENT_NAME", "pull_request".into()),
        ("GITHUB_BASE_REF", "main".into()),
        ("GITHUB_HEAD_REF", "change".into()),
        ("GITHUB_REF", "refs/pull/7/merge".into()),
        ("GITHUB_SHA", server.ids.merge.clone()),
        ("STANCH_EVENT_BASE", server.ids.main.clone()),
        ("STANCH_EVENT_HEAD", server.ids.change.clone()),
        ("GITHUB_STEP_SUMMARY", server.server.join("summary").to_str().unwrap().to_owned()),
        ("GITHUB_OUTPUT", server.server.join("output").to_str().unwrap().to_owned()),
    ]
}

fn merge_request(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("GITLAB_CI", "true".into()),
        ("CI_PIPELINE_SOURCE", "merge_request_event".into()),
        ("CI_MERGE_REQUEST_IID", "7".into()),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".into()),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", server.ids.main.clone()),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", String::new()),
        ("CI_COMMIT_BEFORE_SHA", "0".repeat(40)),
        ("CI_COMMIT_SHA", server.ids.change.clone()),
        ("CI_DEFAULT_BRANCH", "main".into()),
    ]
}

fn azure_request(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("TF_BUILD", "True".into()),
        ("BUILD_REASON", "PullRequest".into()),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main".into()),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", server.ids.change.clone()),
        ("BUILD_SOURCEVERSION", server.ids.merge.clone()),
        ("BUILD_SOURCEBRANCH", "refs/pull/7/merge".into()),
    ]
}

fn run(server: &Server, variables: &[(&str, String)]) -> Run {
    let borrowed: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.run(&borrowed)
}

/// Replaces or adds a variable.
fn set(variables: &mut Vec<(&'static str, String)>, name: &'static str, value: &str) {
    variables.retain(|(known, _)| *known != name);
    variables.push((name, value.to_owned()));
}

#[test]
fn a_pull_request_on_github() {
    let server = Server::new(&[]);
    let run = run(&server, &pull_request(&server)).exits(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(matches!(lines[..], [line] if line.starts_with("::error file=deploy.sh,line=1,")), "{run:#?}");
    let sarif: serde_json::Value = serde_json::from_str(&server.read("stanch.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(1));
    let outside = |name: &str| std::fs::read_to_string(server.server.join(name)).unwrap();
    assert!(outside("summary").starts_with("## stanch: 1 secret found\n"), "{}", outside("summary"));
    assert_eq!(outside("output"), "exit-code=1\n");
}

#[test]
fn the_step_summary_of_others_stays() {
    let server = Server::new(&[]);
    server.server.write("summary", "# Before\n");
    run(&server, &pull_request(&server)).exits(1);
    let summary = std::fs::read_to_string(server.server.join("summary")).unwrap();
    assert!(summary.starts_with("# Before\n## stanch: 1 secret found\n"), "{summary}");
}

#[test]
fn a_pull_request_on_github_without_the_action() {
    let server = Server::new(&[]);
    let mut variables = pull_request(&server);
    variables.retain(|(name, _)| !name.starts_with("STANCH_EVENT"));
    let found = run(&server, &variables).exits(1);
    assert!(found.stdout.starts_with("::error file=deploy.sh,line=1,"), "{found:#?}");
    // There, what is checked out is the target: a scan of it would say nothing about the change.
    set(&mut variables, "GITHUB_EVENT_NAME", "pull_request_target");
    set(&mut variables, "GITHUB_SHA", &server.ids.main);
    let refused = run(&server, &variables).exits(2);
    assert!(refused.stderr.contains("set STANCH_BASE and STANCH_HEAD"), "{refused:#?}");
}

#[test]
fn a_merge_queue_on_github() {
    let server = Server::new(&[]);
    let mut variables = pull_request(&server);
    set(&mut variables, "GITHUB_EVENT_NAME", "merge_group");
    set(&mut variables, "GITHUB_BASE_REF", "");
    set(&mut variables, "STANCH_EVENT_HEAD", &server.ids.merge);
    assert_eq!(run(&server, &variables).exits(1).stdout.lines().count(), 1);
}

#[test]
fn a_merge_request_on_gitlab() {
    let server = Server::new(&[]);
    let mut variables = merge_request(&server);
    let found = run(&server, &variables).exits(1);
    assert!(found.stdout.starts_with("deploy.sh:1:10\n"), "{found:#?}");
    for (file, list) in
        [("gl-secret-detection-report.json", "/vulnerabilities"), ("gl-code-quality-report.json", "")]
    {
        let report: serde_json::Value = serde_json::from_str(&server.read(file)).unwrap();
        assert_eq!(
            report.pointer(list).and_then(|l| l.as_array()).map(Vec::len),
            Some(1),
            "{file}: {report}"
        );
    }
    // Pipelines for merged results check out the merge.
    set(&mut variables, "CI_COMMIT_SHA", &server.ids.merge);
    set(&mut variables, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", &server.ids.change);
    assert!(run(&server, &variables).exits(1).stdout.starts_with("deploy.sh:1:10\n"));
}

#[test]
fn a_pull_request_on_azure() {
    let server = Server::new(&[]);
    let mut variables = azure_request(&server);
    let found = run(&server, &variables).exits(1);
    let line = "##vso[task.logissue type=error;sourcepath=deploy.sh;linenumber=1;";
    assert!(found.stdout.starts_with(line), "{found:#?}");
    assert!(server.read("stanch.sarif").contains("\"2.1.0\""));
    // The name without `refs/heads/` is what GitHub's pull requests have there; the change may have moved on.
    set(&mut variables, "SYSTEM_PULLREQUEST_TARGETBRANCH", "main");
    set(&mut variables, "SYSTEM_PULLREQUEST_SOURCECOMMITID", &"1".repeat(40));
    assert!(run(&server, &variables).exits(1).stdout.starts_with(line));
}

#[test]
fn changes_on_other_systems() {
    let server = Server::new(&[]);
    let ids = &server.ids;
    let bitbucket: &[(&str, &str)] = &[
        ("BITBUCKET_BUILD_NUMBER", "3"),
        ("BITBUCKET_PR_ID", "7"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BITBUCKET_COMMIT", &ids.change),
    ];
    let jenkins: &[(&str, &str)] =
        &[("JENKINS_URL", "https://ci.example/"), ("CHANGE_TARGET", "main"), ("CHANGE_ID", "7")];
    let given: &[(&str, &str)] = &[("STANCH_BASE", &ids.main), ("STANCH_HEAD", &ids.change)];
    let checked_out: &[(&str, &str)] = &[("STANCH_BASE", &ids.main)];
    for variables in [bitbucket, jenkins, given, checked_out] {
        let found = server.run(variables).exits(1);
        assert!(found.stdout.starts_with("deploy.sh:1:10\n"), "{variables:?}: {found:#?}");
        assert!(!found.stdout.contains("old.txt"), "{variables:?}: {found:#?}");
    }
    let unknown = server.run(&[]).exits(2);
    assert!(unknown.stderr.contains("this CI system is not known"), "{unknown:#?}");
}

#[test]
fn a_change_cannot_excuse_itself() {
    let excuses = [
        (".stanch.toml", "[scan]\nexclude = [\"*\"]\n"),
        ("marked.py", &format!("key = 1\n{} # stanch:allow\n", leak(3).trim_end())),
        (".gitleaks.toml", "[allowlist]\npaths = ['.*']\n"),
        (".gitattributes", "* -diff binary\n"),
    ];
    let server = Server::new(&excuses);
    for variables in [pull_request(&server), merge_request(&server), azure_request(&server)] {
        let found = run(&server, &variables).exits(1);
        for place in ["deploy.sh", "marked.py"] {
            assert!(found.stdout.contains(place), "{place}: {found:#?}");
        }
        assert!(found.stderr.contains("note: .stanch.toml differs from that of"), "{found:#?}");
    }
    // What the script prevents: with the change's own policy nothing would be found.
    let range = format!("{}..{}", server.ids.main, server.ids.change);
    let fooled = super::super::cli_support::stanch(server.clone.path(), ["history", "--range", &range]);
    Run::of(&mut { fooled }).exits(0);
}

#[test]
fn a_change_cannot_bring_its_own_baseline() {
    let server = Server::new(&[]);
    server.server.git(["checkout", "--quiet", "change"]);
    Run::of(&mut super::super::cli_support::stanch(server.server.path(), ["baseline", "update"])).exits(0);
    let excused = server.server.commit("everything is known").to_string();
    server.clone.git(["fetch", "--quiet", "origin"]);
    server.clone.git(["checkout", "--quiet", "--detach", &excused]);
    let mut variables = merge_request(&server);
    set(&mut variables, "CI_COMMIT_SHA", &excused);
    let found = run(&server, &variables).exits(1);
    assert!(found.stdout.contains("deploy.sh"), "{found:#?}");
    assert!(found.stderr.contains("note: .stanch-baseline.toml differs from that of"), "{found:#?}");
    // Merged, it is the policy.
    let pushed = [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_BEFORE_SHA", server.ids.main.as_str()),
        ("CI_COMMIT_SHA", &excused),
    ];
    server.run(&pushed).exits(0);
}

#[test]
fn the_policy_of_the_target_holds() {
    let server = Server::new(&[]);
    server.server.git(["checkout", "--quiet", "main"]);
    server.server.write(".stanch.toml", "[scan]\nexclude = [\"deploy.sh\"]\n");
    let excused = server.server.commit("what is known").to_string();
    server.clone.git(["fetch", "--quiet", "origin"]);
    run(&server, &pull_request(&server)).exits(0);
    let mut stricter = pull_request(&server);
    set(&mut stricter, "STANCH_POLICY_REV", &server.ids.main);
    run(&server, &stricter).exits(1);
    set(&mut stricter, "STANCH_POLICY_REV", &excused);
    run(&server, &stricter).exits(0);
}

#[test]
fn pushes() {
    let server = Server::new(&[]);
    let ids = &server.ids;
    let zeros = "0".repeat(40);
    // Branch, before, after, whether old.txt and deploy.sh are found.
    let cases = [
        ("main", ids.first.as_str(), ids.main.as_str(), false, false),
        ("main", &ids.first, &ids.merge, false, true),
        ("main", &zeros, &ids.main, true, false),
        ("main", &"1".repeat(40), &ids.merge, true, true),
        ("change", &zeros, &ids.change, false, true),
        // What an earlier push brought is still there.
        ("change", &ids.change, &ids.change, false, true),
    ];
    for (branch, before, after, old, new) in cases {
        let gitlab = server.run(&[
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_COMMIT_BRANCH", branch),
            ("CI_COMMIT_BEFORE_SHA", before),
            ("CI_COMMIT_SHA", after),
        ]);
        let github = server.run(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", &format!("refs/heads/{branch}")),
            ("GITHUB_SHA", after),
            ("STANCH_EVENT_BASE", before),
            ("STANCH_DEFAULT_BRANCH", "main"),
        ]);
        for run in [gitlab, github] {
            let found = (run.stdout.contains("old.txt"), run.stdout.contains("deploy.sh"));
            assert_eq!(found, (old, new), "{branch} {before}..{after}: {run:#?}");
            run.exits(i32::from(old || new));
        }
    }
    let azure = |branch: &str, after: &str| {
        server.run(&[
            ("TF_BUILD", "True"),
            ("BUILD_REASON", "IndividualCI"),
            ("BUILD_SOURCEBRANCH", branch),
            ("BUILD_SOURCEVERSION", after),
        ])
    };
    assert!(azure("refs/heads/main", &ids.main).exits(1).stdout.contains("old.txt"));
    assert!(!azure("refs/heads/change", &ids.change).exits(1).stdout.contains("old.txt"));
}

#[test]
fn on_a_schedule_and_on_request_everything() {
    let server = Server::new(&[]);
    for variables in [
        &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "schedule")][..],
        &[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "schedule")],
        &[("TF_BUILD", "True"), ("BUILD_REASON", "Schedule")],
        &[("STANCH_MODE", "history")],
    ] {
        let found = server.run(variables).exits(1);
        assert!(found.stdout.contains("old.txt") && found.stdout.contains("deploy.sh"), "{found:#?}");
    }
    let wrong = server.run(&[("STANCH_MODE", "quick")]).exits(2);
    assert!(wrong.stderr.contains("STANCH_MODE is neither auto nor history"), "{wrong:#?}");
}

#[test]
fn clones_that_lack_something_are_no_clean_result() {
    let server = Server::new(&[]);
    let variables = pull_request(&server);
    let url = format!("file://{}", server.server.path().display());
    // As `actions/checkout` does by default: the merge alone, without its parents.
    let shallow = super::super::git_support::Sandbox::new();
    shallow.git(["fetch", "--quiet", "--depth=1", &url, &server.ids.merge]);
    shallow.git(["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
    let mut command = server.script(&[]);
    command.envs(variables).current_dir(shallow.path());
    let run = Run::of(&mut command).exits(2);
    assert!(run.stderr.contains("fetch all history"), "{run:#?}");
    assert_eq!(run.stdout, "");
    // No repository at all, no program at all.
    let empty = super::super::git_support::Sandbox::empty();
    Run::of(server.script(&[("STANCH_MODE", "history")]).current_dir(empty.path())).exits(2);
    Run::of(server.script(&[("STANCH_MODE", "history")]).env("STANCH", "/nowhere/stanch")).exits(127);
}
