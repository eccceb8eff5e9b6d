//! Names that whoever pushes may choose are data: nothing of them is executed, printed, or taken for an option.

use super::Server;

/// Shell code in the characters that git allows in names of branches.
const CODE: &str = "a;touch${IFS}pwned;`touch${IFS}pwned`$(touch${IFS}pwned)&&'\"|touch${IFS}pwned";

#[test]
fn shell_code_in_the_name_of_a_branch() {
    let server = Server::with_target(CODE, &[]);
    let ids = &server.ids;
    for variables in [
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_BASE_REF", CODE),
            ("GITHUB_SHA", &ids.merge),
        ][..],
        &[
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", CODE),
            ("CI_COMMIT_SHA", &ids.change),
        ],
        &[
            ("TF_BUILD", "True"),
            ("BUILD_REASON", "PullRequest"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", CODE),
            ("BUILD_SOURCEVERSION", &ids.merge),
        ],
        &[("JENKINS_URL", "x"), ("CHANGE_TARGET", CODE)],
    ] {
        let found = server.run(variables).exits(1);
        assert!(found.stdout.contains("deploy.sh"), "the branch was not found: {found:#?}");
        assert!(!found.stdout.contains("old.txt"), "{found:#?}");
        assert!(!server.new_files().iter().any(|f| f.contains("pwned")), "{:?}", server.new_files());
    }
}

#[test]
fn values_that_no_system_sets() {
    let server = Server::new(&[]);
    let main = server.ids.main.as_str();
    for value in [
        "",
        "--output=pwned",
        "--all",
        "-n",
        "main",
        "HEAD",
        "main~1",
        "../../../../etc/passwd",
        "x\n::error::injected",
        "##vso[task.setvariable variable=x]injected",
        "##[error]injected",
        "$(touch pwned)",
        "`touch pwned`",
        "a b",
        "0123456789abcdef0123456789abcdef0123456g",
        "*",
    ] {
        for name in ["GITHUB_SHA", "STANCH_EVENT_HEAD", "STANCH_BASE", "STANCH_HEAD", "STANCH_POLICY_REV"] {
            let mut variables = vec![
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_EVENT_NAME", "pull_request"),
                ("GITHUB_BASE_REF", "main"),
            ];
            match name {
                "STANCH_HEAD" => variables.push(("STANCH_BASE", main)),
                "STANCH_POLICY_REV" => variables.push(("GITHUB_SHA", &server.ids.merge)),
                _ => {}
            }
            variables.push((name, value));
            let run = server.run(&variables);
            // An empty one is one that is not set.
            let code =
                if value.is_empty() && !matches!(name, "GITHUB_SHA" | "STANCH_EVENT_HEAD" | "STANCH_BASE") {
                    1
                } else {
                    2
                };
            assert_eq!(run.code, Some(code), "{name}={value:?}: {run:#?}");
            assert!(!run.stdout.contains("injected") && !run.stderr.contains("injected"), "{run:#?}");
            assert!(!server.new_files().iter().any(|f| f.contains("pwned")), "{name}={value}");
        }
    }
}

#[test]
fn a_path_that_looks_like_a_command_of_the_runner() {
    let server = Server::new(&[
        ("::set-output name=x::y.py", "a = 1\n"),
        ("##vso[task.complete result=Succeeded]x.py", &super::leak(2)),
    ]);
    let ids = &server.ids;
    let github = server
        .run(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_BASE_REF", "main"),
            ("GITHUB_SHA", &ids.merge),
        ])
        .exits(1);
    assert!(github.stdout.lines().all(|line| line.starts_with("::error ")), "{github:#?}");
    let azure = server
        .run(&[
            ("TF_BUILD", "True"),
            ("BUILD_REASON", "PullRequest"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
            ("BUILD_SOURCEVERSION", &ids.merge),
        ])
        .exits(1);
    for line in azure.stdout.lines() {
        assert!(line.starts_with("##vso[task.logissue "), "{azure:#?}");
        assert!(!line[1..].contains("##vso["), "{azure:#?}");
    }
}
