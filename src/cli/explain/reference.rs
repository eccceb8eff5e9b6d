//! How to replace a value in a file by a reference: reading it in the file's own language, and giving
//! it to the program on each platform. `NAME` is the variable's name.
//!
//! Spelling follows the platforms' own documentation: docs.github.com (Actions secrets),
//! docs.gitlab.com (CI/CD variables), learn.microsoft.com (Azure Pipelines, Key Vault),
//! kubernetes.io (secretKeyRef), external-secrets.io, docs.aws.amazon.com (Secrets Manager),
//! cloud.google.com (Secret Manager), developer.hashicorp.com (Vault, KV version 2).

use std::fmt::Write as _;

/// Where values can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    /// An environment variable, from wherever it comes.
    Environment,
    /// GitHub Actions secrets.
    GithubActions,
    /// GitLab CI/CD variables.
    GitlabCi,
    /// Azure Pipelines variables.
    AzurePipelines,
    /// A Kubernetes Secret.
    Kubernetes,
    /// External Secrets, which fills a Kubernetes Secret.
    ExternalSecrets,
    /// AWS Secrets Manager.
    AwsSecretsManager,
    /// Azure Key Vault.
    AzureKeyVault,
    /// Google Secret Manager.
    GoogleSecretManager,
    /// HashiCorp Vault.
    Vault,
}

impl Store {
    /// Every store.
    pub const ALL: [Store; 10] = [
        Store::Environment,
        Store::GithubActions,
        Store::GitlabCi,
        Store::AzurePipelines,
        Store::Kubernetes,
        Store::ExternalSecrets,
        Store::AwsSecretsManager,
        Store::AzureKeyVault,
        Store::GoogleSecretManager,
        Store::Vault,
    ];

    /// Its name, as its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Store::Environment => "Environment",
            Store::GithubActions => "GitHub Actions",
            Store::GitlabCi => "GitLab CI",
            Store::AzurePipelines => "Azure Pipelines",
            Store::Kubernetes => "Kubernetes",
            Store::ExternalSecrets => "External Secrets",
            Store::AwsSecretsManager => "AWS Secrets Manager",
            Store::AzureKeyVault => "Azure Key Vault",
            Store::GoogleSecretManager => "Google Secret Manager",
            Store::Vault => "HashiCorp Vault",
        }
    }
}

/// The language of a file, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Go.
    Go,
    /// Java, Kotlin and Scala.
    Java,
    /// C#.
    CSharp,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Rust.
    Rust,
    /// Shell scripts and `.env` files.
    Shell,
    /// Terraform.
    Terraform,
    /// Container build files.
    Docker,
    /// YAML.
    Yaml,
    /// Java properties and similar.
    Properties,
    /// Anything else.
    Other,
}

impl Language {
    /// By the file's name.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if name.starts_with(".env") || name.ends_with("rc") {
            return Language::Shell;
        }
        if name.starts_with("dockerfile") || name.starts_with("containerfile") {
            return Language::Docker;
        }
        match extension {
            "py" | "pyw" | "ipynb" => Language::Python,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "vue" | "svelte" => Language::JavaScript,
            "go" => Language::Go,
            "java" | "kt" | "kts" | "scala" | "groovy" | "gradle" => Language::Java,
            "cs" => Language::CSharp,
            "rb" | "erb" => Language::Ruby,
            "php" => Language::Php,
            "rs" => Language::Rust,
            "sh" | "bash" | "zsh" | "env" => Language::Shell,
            "tf" | "tfvars" | "hcl" => Language::Terraform,
            "yml" | "yaml" => Language::Yaml,
            "properties" | "ini" | "cfg" | "conf" | "toml" => Language::Properties,
            _ => Language::Other,
        }
    }

    /// How a program in this language reads the variable.
    pub fn reads(self, name: &str) -> String {
        match self {
            Language::Python => format!("os.environ[\"{name}\"]"),
            Language::JavaScript => format!("process.env.{name}"),
            Language::Go => format!("os.Getenv(\"{name}\")"),
            Language::Java => format!("System.getenv(\"{name}\")"),
            Language::CSharp => format!("Environment.GetEnvironmentVariable(\"{name}\")"),
            Language::Ruby => format!("ENV.fetch(\"{name}\")"),
            Language::Php => format!("getenv('{name}')"),
            Language::Rust => format!("std::env::var(\"{name}\")?"),
            Language::Shell => format!("\"${{{name}:?is not set}}\""),
            Language::Terraform => {
                format!("var.{}   # set TF_VAR_{}", name.to_ascii_lowercase(), name.to_ascii_lowercase())
            }
            Language::Docker => {
                format!("RUN --mount=type=secret,id={name} …   # docker build --secret id={name},env={name}")
            }
            Language::Yaml | Language::Properties | Language::Other => format!("${{{name}}}"),
        }
    }
}

/// What to write for a store, ready to copy.
pub fn text(store: Store, language: Language, name: &str) -> String {
    let kebab = name.to_ascii_lowercase().replace('_', "-");
    match store {
        Store::Environment => language.reads(name),
        Store::GithubActions => format!(
            "gh secret set {name}\n\nenv:\n  {name}: ${{{{ secrets.{name} }}}}\n\n{}",
            language.reads(name)
        ),
        Store::GitlabCi => {
            let set = format!("glab variable set {name} --masked --protected");
            format!("{set}\n\n# jobs have it as an environment variable\n{}", language.reads(name))
        }
        Store::AzurePipelines => format!(
            "az pipelines variable create --name {name} --secret true --pipeline-name PIPELINE\n\n\
             env:\n  {name}: $({name})\n\n{}",
            language.reads(name)
        ),
        Store::Kubernetes => format!(
            "kubectl create secret generic {kebab} --from-file=value=/dev/stdin\n\n{}\n\n{}",
            secret_key_ref(name, &kebab),
            language.reads(name)
        ),
        Store::ExternalSecrets => format!(
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: {kebab}\nspec:\n  \
             secretStoreRef:\n    name: STORE\n    kind: ClusterSecretStore\n  target:\n    name: {kebab}\n  data:\n    \
             - secretKey: value\n      remoteRef:\n        key: {kebab}\n\n{}",
            secret_key_ref(name, &kebab)
        ),
        Store::AwsSecretsManager => aws(language, &kebab),
        Store::AzureKeyVault => azure(language, &kebab),
        Store::GoogleSecretManager => google(language, &kebab),
        Store::Vault => vault(language, &kebab),
    }
}

fn secret_key_ref(name: &str, kebab: &str) -> String {
    format!(
        "env:\n  - name: {name}\n    valueFrom:\n      secretKeyRef:\n        name: {kebab}\n        key: value"
    )
}

/// A command that stores the value from standard input, then code that reads it.
fn stored(command: &str, code: Option<String>, read_by_command: String) -> String {
    let mut text = format!("{command}\n\n");
    let _ = write!(text, "{}", code.unwrap_or(read_by_command));
    text
}

fn aws(language: Language, id: &str) -> String {
    let code = match language {
        Language::Python => Some(format!(
            "boto3.client(\"secretsmanager\").get_secret_value(SecretId=\"{id}\")[\"SecretString\"]"
        )),
        Language::JavaScript => Some(format!(
            "import {{ SecretsManagerClient, GetSecretValueCommand }} from \"@aws-sdk/client-secrets-manager\";\n\
             (await new SecretsManagerClient().send(new GetSecretValueCommand({{ SecretId: \"{id}\" }}))).SecretString"
        )),
        Language::Go => Some(format!(
            "client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{{SecretId: aws.String(\"{id}\")}})"
        )),
        Language::Java => {
            Some(format!("client.getSecretValue(request -> request.secretId(\"{id}\")).secretString()"))
        }
        Language::Terraform => Some(format!(
            "data \"aws_secretsmanager_secret_version\" \"this\" {{\n  secret_id = \"{id}\"\n}}"
        )),
        _ => None,
    };
    let read =
        format!("$(aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text)");
    stored(
        &format!("aws secretsmanager create-secret --name {id} --secret-string file:///dev/stdin"),
        code,
        read,
    )
}

fn azure(language: Language, id: &str) -> String {
    let code = match language {
        Language::Python => {
            Some(format!("SecretClient(vault_url, DefaultAzureCredential()).get_secret(\"{id}\").value"))
        }
        Language::JavaScript => Some(format!(
            "(await new SecretClient(vaultUrl, new DefaultAzureCredential()).getSecret(\"{id}\")).value"
        )),
        Language::CSharp => Some(format!(
            "new SecretClient(vaultUri, new DefaultAzureCredential()).GetSecret(\"{id}\").Value.Value"
        )),
        Language::Java => Some(format!("client.getSecret(\"{id}\").getValue()")),
        Language::Terraform => Some(format!(
            "data \"azurerm_key_vault_secret\" \"this\" {{\n  name         = \"{id}\"\n  key_vault_id = var.key_vault_id\n}}"
        )),
        _ => None,
    };
    let read =
        format!("$(az keyvault secret show --vault-name VAULT --name {id} --query value --output tsv)");
    stored(&format!("az keyvault secret set --vault-name VAULT --name {id} --file /dev/stdin"), code, read)
}

fn google(language: Language, id: &str) -> String {
    let version = format!("projects/PROJECT/secrets/{id}/versions/latest");
    let code = match language {
        Language::Python => Some(format!(
            "SecretManagerServiceClient().access_secret_version(name=\"{version}\").payload.data.decode()"
        )),
        Language::JavaScript => Some(format!(
            "const [version] = await new SecretManagerServiceClient().accessSecretVersion({{ name: \"{version}\" }});\n\
             version.payload.data.toString()"
        )),
        Language::Go => Some(format!(
            "client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{{Name: \"{version}\"}})"
        )),
        Language::Terraform => Some(format!(
            "data \"google_secret_manager_secret_version\" \"this\" {{\n  secret = \"{id}\"\n}}"
        )),
        _ => None,
    };
    let read = format!("$(gcloud secrets versions access latest --secret={id})");
    stored(&format!("gcloud secrets create {id} --data-file=-"), code, read)
}

fn vault(language: Language, id: &str) -> String {
    let code = match language {
        Language::Python => Some(format!(
            "hvac.Client().secrets.kv.v2.read_secret_version(path=\"{id}\")[\"data\"][\"data\"][\"value\"]"
        )),
        Language::Go => Some(format!("client.KVv2(\"secret\").Get(ctx, \"{id}\")")),
        Language::Terraform => Some(format!(
            "data \"vault_kv_secret_v2\" \"this\" {{\n  mount = \"secret\"\n  name  = \"{id}\"\n}}"
        )),
        _ => None,
    };
    stored(
        &format!("vault kv put -mount=secret {id} value=-"),
        code,
        format!("$(vault kv get -mount=secret -field=value {id})"),
    )
}

/// A name for the variable: the one that the value is assigned to, else one made of the rule's id.
pub fn variable_name(before: &[u8], rule: &str) -> String {
    let text = String::from_utf8_lossy(before);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let head = text.trim_end_matches(|c: char| !is_part(c));
    let start = head
        .rfind(|c: char| !is_part(c))
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    let word = &head[start..];
    let assigned = text[head.len()..].contains(['=', ':'])
        && word.len() > 2
        && !word.starts_with(|c: char| c.is_ascii_digit());
    let name = if assigned { snake(word) } else { rule.replace('-', "_") };
    name.to_ascii_uppercase()
}

/// `apiKey` → `api_Key`.
fn snake(word: &str) -> String {
    let mut snake = String::new();
    let mut lower = false;
    for c in word.chars() {
        if c.is_ascii_uppercase() && lower {
            snake.push('_');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(c);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_assignment() {
        assert_eq!(variable_name(b"const apiKey = \"", "generic-api-key"), "API_KEY");
        assert_eq!(variable_name(b"  db_password: '", "r"), "DB_PASSWORD");
        assert_eq!(variable_name(b"Bearer ", "github-pat"), "GITHUB_PAT");
        assert_eq!(variable_name("é = ".as_bytes(), "github-pat"), "GITHUB_PAT");
        assert_eq!(variable_name(b"", "github-pat"), "GITHUB_PAT");
    }

    #[test]
    fn every_store_names_the_variable_or_the_secret() {
        for store in Store::ALL {
            for path in [
                "a.py",
                "a.ts",
                "a.go",
                "A.java",
                "a.cs",
                "a.rb",
                "a.php",
                "a.rs",
                ".env",
                "a.tf",
                "Dockerfile",
                "a.yml",
                "x",
            ] {
                let text = text(store, Language::of(path), "DB_PASSWORD");
                assert!(
                    text.contains("DB_PASSWORD")
                        || text.contains("db-password")
                        || text.contains("db_password"),
                    "{path} {text}"
                );
            }
        }
    }
}
