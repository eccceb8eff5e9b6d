//! The YAML that CI systems read: that it parses, and that no value is pasted into a script.

use std::fs;
use std::path::PathBuf;

use yaml_rust2::{Yaml, YamlLoader};

use super::root;

/// The one document of a YAML file of this project.
pub fn yaml(path: &str) -> Yaml {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut documents = YamlLoader::load_from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

pub fn list<'y>(yaml: &'y Yaml, what: &str) -> &'y [Yaml] {
    yaml.as_vec().unwrap_or_else(|| panic!("{what} is no list: {yaml:?}"))
}

/// Keys and values of a table, in order.
pub fn table<'y>(yaml: &'y Yaml, what: &str) -> Vec<(&'y str, &'y Yaml)> {
    let table = yaml.as_hash().unwrap_or_else(|| panic!("{what} is no table: {yaml:?}"));
    table.iter().map(|(key, value)| (key.as_str().unwrap(), value)).collect()
}

/// Every text at a key of one of these names, however deep.
fn texts<'y>(yaml: &'y Yaml, names: &[&str], found: &mut Vec<&'y str>) {
    match yaml {
        Yaml::Array(items) => items.iter().for_each(|item| texts(item, names, found)),
        Yaml::Hash(table) => {
            for (key, value) in table {
                if key.as_str().is_some_and(|key| names.contains(&key)) {
                    found.extend(value.as_str());
                    found.extend(value.as_vec().into_iter().flatten().filter_map(Yaml::as_str));
                }
                texts(value, names, found);
            }
        }
        _ => {}
    }
}

/// Every file of ours that a CI system reads.
fn all() -> Vec<String> {
    let mut files: Vec<String> =
        ["action.yml", "ci/github.yml", "ci/gitlab.yml", "ci/azure-pipelines.yml", ".pre-commit-hooks.yaml"]
            .map(ToOwned::to_owned)
            .to_vec();
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        files.push(format!(".github/workflows/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    files
}

#[test]
fn no_expression_is_pasted_into_a_script() {
    let mut scripts = 0;
    for path in all() {
        let document = yaml(&path);
        let mut found = Vec::new();
        texts(&document, &["run", "bash", "script", "before_script", "after_script", "pwsh"], &mut found);
        for script in &found {
            assert!(!script.contains("${{"), "{path}: {script}");
            // Azure's macros are pasted in, too.
            assert!(!path.contains("azure") || !script.contains("$("), "{path}: {script}");
        }
        scripts += found.len();
    }
    assert!(scripts > 8, "{scripts}");
}

#[test]
fn what_is_run_is_there_and_may_be_run() {
    use std::os::unix::fs::PermissionsExt;
    for script in ["stanch-ci.sh", "action.sh", "install.sh", "wheel/scripts/stanch-ci"] {
        let path = root().join("ci").join(script);
        assert!(path.metadata().unwrap().permissions().mode() & 0o111 != 0, "{script}");
    }
    let real = |path: &str| -> PathBuf { root().join(path).canonicalize().unwrap() };
    assert_eq!(real("ci/wheel/scripts/stanch-ci"), real("ci/stanch-ci.sh"));
}

#[test]
fn versions_are_the_crates() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(yaml("action.yml")["inputs"]["version"]["default"].as_str(), Some(version));
    assert_eq!(yaml("ci/gitlab.yml")["stanch"]["variables"]["STANCH_VERSION"].as_str(), Some(version));
    assert_eq!(yaml("ci/azure-pipelines.yml")["parameters"][0]["default"].as_str(), Some(version));
    for file in ["ci/github.yml", "README.md", "docs/src/hook.md", "docs/src/ci.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(&format!("v{version}")), "{file} names another version");
    }
    let hooks = fs::read_to_string(root().join("packaging/pre-commit/pyproject.toml")).unwrap();
    assert!(hooks.contains(&format!("\"stanch=={version}\"")), "{hooks}");
    let npm = fs::read_to_string(root().join("npm/package.json")).unwrap();
    let npm: serde_json::Value = serde_json::from_str(&npm).unwrap();
    let programs = npm["optionalDependencies"].as_object().unwrap();
    assert_eq!(programs.len(), 4);
    for named in programs.values().chain([&npm["version"]]) {
        assert_eq!(named, version);
    }
}

#[test]
fn gitlab_keeps_the_reports_that_the_script_writes() {
    let script = fs::read_to_string(root().join("ci/stanch-ci.sh")).unwrap();
    let job = yaml("ci/gitlab.yml");
    for (kind, file) in table(&job["stanch"]["artifacts"]["reports"], "reports") {
        let file = file.as_str().unwrap();
        assert!(script.contains(&format!("={file} ")), "{kind}: {file}");
    }
    assert_eq!(job["stanch"]["artifacts"]["when"].as_str(), Some("always"));
    assert_eq!(job["stanch"]["variables"]["GIT_DEPTH"].as_str(), Some("0"));
}

#[test]
fn workflows_have_least_rights_and_whole_history() {
    let workflow = yaml("ci/github.yml");
    assert_eq!(table(&workflow["permissions"], "permissions").len(), 1);
    let steps = list(&workflow["jobs"]["stanch"]["steps"], "steps");
    assert_eq!(steps[0]["with"]["fetch-depth"].as_i64(), Some(0));
    assert_eq!(yaml("ci/azure-pipelines.yml")["steps"][0]["fetchDepth"].as_i64(), Some(0));
    for entry in all().iter().filter(|file| file.contains("workflows/")) {
        assert!(!yaml(entry)["permissions"].is_badvalue(), "{entry}: rights are not restricted");
    }
}

/// A tag can be moved to other code; a commit cannot be changed.
#[test]
fn actions_of_others_are_named_by_commit() {
    let mut seen = 0;
    for file in all().iter().filter(|file| file.contains("workflows/")) {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for line in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, uses)| uses) {
            let (_, version) = line.split_once('@').unwrap();
            let (id, comment) = version.split_once(' ').unwrap_or((version, ""));
            assert!(id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{file}: {line}");
            assert!(comment.starts_with("# v"), "{file}: {line}: of which version?");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn hooks_of_the_framework_are_as_its_rules_want_them() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hook = |id: &str| {
        list(&hooks, "hooks")
            .iter()
            .find(|hook| hook["id"].as_str() == Some(id))
            .unwrap_or_else(|| panic!("{id}"))
    };
    for id in ["stanch", "stanch-files", "stanch-history"] {
        // From wheels, so that nothing is compiled; once, so that a list of files is not split over processes
        // that each know a part of it only.
        assert_eq!(hook(id)["language"].as_str(), Some("python"));
        assert_eq!(hook(id)["require_serial"].as_bool(), Some(true), "{id}");
        assert_eq!(hook(id)["pass_filenames"].as_bool().unwrap_or(true), id == "stanch-files", "{id}");
    }
    // Without names of files the framework would not run a hook at all when only deletions are staged.
    assert_eq!(hook("stanch")["always_run"].as_bool(), Some(true));
}
