//! `action.yml` and the templates, run step by step as their systems would.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use yaml_rust2::Yaml;

use super::super::cli_support::{Run, STANCH, clean};
use super::files::{list, table, yaml};
use super::{Server, assert_tells_no_secret, path_with, programs, root};

/// What expressions can ask for, by name.
type Context<'c> = BTreeMap<String, &'c str>;

/// The value of a text with at most one expression: names, and `||` between them.
fn evaluated(text: &str, context: &Context<'_>) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    assert!(!after.contains("${{"), "{text}");
    let value = |name: &str| {
        assert!(name.starts_with("inputs.") || name.starts_with("github.event."), "{name}");
        context.get(name).copied().unwrap_or_default()
    };
    let value = expression.split("||").map(|name| value(name.trim())).find(|value| !value.is_empty());
    format!("{before}{}{after}", value.unwrap_or_default())
}

/// A step of `action.yml` with these inputs and this event.
fn step(server: &Server, name: &str, given: &[(&str, &str)]) -> Command {
    let action = yaml("action.yml");
    let mut context = Context::new();
    for (input, facts) in table(&action["inputs"], "inputs") {
        context.insert(format!("inputs.{input}"), facts["default"].as_str().unwrap());
    }
    for (key, value) in given {
        assert!(context.insert((*key).to_owned(), value).is_some() || key.starts_with("github."), "{key}");
    }
    let steps = list(&action["runs"]["steps"], "steps");
    let step = steps.iter().find(|step| step["name"].as_str() == Some(name)).unwrap();
    assert_eq!(step["shell"].as_str(), Some("bash"));
    let mut command = clean("bash", server.clone.path());
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
    for (variable, value) in table(&step["env"], "env") {
        command.env(variable, evaluated(value.as_str().unwrap(), &context));
    }
    command.env("GITHUB_ACTION_PATH", root()).env("RUNNER_TEMP", server.server.join("runner"));
    command
}

fn scan_of_pull_request(server: &Server, given: &[(&str, &str)]) -> Run {
    let ids = &server.ids;
    let event = [
        ("inputs.program", STANCH),
        ("github.event.pull_request.base.sha", ids.main.as_str()),
        ("github.event.pull_request.head.sha", &ids.change),
        ("github.event.repository.default_branch", "main"),
    ];
    let run = Run::of(
        step(server, "Scan", &[&event, given].concat())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_BASE_REF", "main")
            .env("GITHUB_SHA", &ids.merge)
            .env("GITHUB_STEP_SUMMARY", server.server.join("summary"))
            .env("GITHUB_OUTPUT", server.server.join("output")),
    );
    assert_tells_no_secret(&run);
    run
}

#[test]
fn the_action_scans_a_pull_request() {
    let server = Server::new(&[]);
    let run = scan_of_pull_request(&server, &[]).exits(1);
    assert!(run.stdout.starts_with("::error file=deploy.sh,line=1,"), "{run:#?}");
    assert_eq!(run.stdout.lines().count(), 1, "{run:#?}");
    assert!(server.read("stanch.sarif").contains("github-pat"));
    assert_eq!(std::fs::read_to_string(server.server.join("output")).unwrap(), "exit-code=1\n");
}

#[test]
fn inputs_reach_the_program_and_no_shell() {
    let server = Server::new(&[]);
    let arguments = "--disable-rule\ngithub-pat\n\n--disable-rule=generic-token\r\n--min-confidence\nhigh\n";
    scan_of_pull_request(&server, &[("inputs.args", arguments), ("inputs.sarif", "")]).exits(0);
    assert_eq!(server.read("stanch.sarif"), "");
    for (input, value) in [
        ("inputs.args", "$(touch pwned)"),
        ("inputs.args", "`touch pwned`\n;touch pwned"),
        ("inputs.mode", "$(touch pwned)"),
        ("inputs.mode", "history; touch pwned"),
        ("inputs.base", "\"; touch pwned; \""),
        ("inputs.policy-rev", "$(touch pwned)"),
        ("inputs.program", "touch pwned"),
    ] {
        let run = scan_of_pull_request(&server, &[(input, value)]);
        assert!(run.code > Some(1), "{input}={value}: {run:#?}");
        assert!(!server.new_files().iter().any(|f| f.contains("pwned")), "{input}={value}");
    }
    // A name of a file is one, whatever is in it.
    scan_of_pull_request(&server, &[("inputs.sarif", "a $(touch pwned).sarif")]).exits(1);
    assert_eq!(server.new_files(), ["a $(touch pwned).sarif"]);
}

#[test]
fn the_action_installs_no_version_that_is_none() {
    let server = Server::new(&[]);
    for version in ["", "1.0; touch pwned", "$(touch pwned)", "https://example.com/x.whl", "../x", "a b"] {
        let run = Run::of(&mut step(&server, "Install stanch", &[("inputs.version", version)])).exits(2);
        assert!(run.stderr.contains("is no version"), "{run:#?}");
        assert_eq!(server.new_files(), [""; 0]);
    }
}

#[test]
fn inputs_and_outputs_are_used_and_explained() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let action = yaml("action.yml");
    for (input, facts) in table(&action["inputs"], "inputs") {
        assert!(text.contains(&format!("${{{{ inputs.{input} }}}}")), "{input} is not used");
        assert!(facts["description"].as_str().is_some_and(|d| d.len() > 20), "{input} is not explained");
    }
    // Each variable of a step is read by what it runs.
    let scripts = ["action.sh", "install.sh", "stanch-ci.sh"]
        .map(|script| std::fs::read_to_string(root().join("ci").join(script)).unwrap())
        .concat();
    for step in list(&action["runs"]["steps"], "steps") {
        for (variable, _) in table(&step["env"], "env") {
            assert!(scripts.contains(&format!("${{{variable}")) || scripts.contains(&format!("${variable}")));
        }
    }
}

/// Runs the lines of a template with `stanch` and `stanch-ci` in this folder.
fn template(server: &Server, script: &str, bin: &Path) -> Command {
    let mut command = clean("bash", server.clone.path());
    command.args(["-c", script]).env("PATH", path_with(bin));
    command
}

fn bin(server: &Server, folder: &str) -> std::path::PathBuf {
    let links = [("stanch", Path::new(STANCH)), ("stanch-ci", &root().join("ci/stanch-ci.sh"))];
    programs(&server.server.join(folder), &links)
}

#[test]
fn the_gitlab_template_scans_a_merge_request() {
    let server = Server::new(&[]);
    let job = yaml("ci/gitlab.yml");
    let lines: Vec<&str> = list(&job["stanch"]["script"], "script").iter().filter_map(Yaml::as_str).collect();
    let mut command = template(&server, &lines.join("\n"), &bin(&server, "bin"));
    command.env("GITLAB_CI", "true").env("CI_MERGE_REQUEST_IID", "7");
    command.env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main").env("CI_COMMIT_SHA", &server.ids.change);
    let run = Run::of(&mut command).exits(1);
    assert!(run.stdout.starts_with("deploy.sh:1:10\n"), "{run:#?}");
    assert!(server.read("gl-secret-detection-report.json").contains("\"deploy.sh\""));
}

#[test]
fn the_azure_template_scans_a_pull_request() {
    let server = Server::new(&[]);
    let template_file = yaml("ci/azure-pipelines.yml");
    let steps = list(&template_file["steps"], "steps");
    let scan = steps.iter().find(|step| step["displayName"].as_str() == Some("Secrets")).unwrap();
    let folder = bin(&server, "temp/stanch/bin");
    let mut command = template(&server, scan["bash"].as_str().unwrap(), &folder);
    command.env("AGENT_TEMPDIRECTORY", server.server.join("temp"));
    command.env("TF_BUILD", "True").env("BUILD_REASON", "PullRequest");
    command.env("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main");
    command.env("BUILD_SOURCEVERSION", &server.ids.merge);
    let run = Run::of(&mut command).exits(1);
    assert!(run.stdout.starts_with("##vso[task.logissue type=error;sourcepath=deploy.sh;"), "{run:#?}");
    assert!(server.read("stanch.sarif").contains("github-pat"));
}
