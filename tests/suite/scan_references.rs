//! References to secrets are never reported; hard-coded values always are. Whole runs over one file a case.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::cli_support::{Run, github, letters, password, scan, stanch};
use super::git_support::Sandbox;

/// Text that only says where a secret is, or names it: file name, content. The file name decides the language.
const REFERENCES: &[(&str, &str)] = &[
    // The environment, in the languages that have one.
    ("a.js", "const apiKey = process.env.API_KEY;\n"),
    ("a.js", "const password = process.env['DB_PASSWORD'] || '';\n"),
    ("a.ts", "export const token: string = process.env.GITHUB_TOKEN!;\n"),
    ("a.ts", "const { API_SECRET_KEY, DB_PASSWORD } = process.env;\n"),
    ("a.mjs", "const key = import.meta.env.VITE_API_KEY;\n"),
    ("a.ts", "const secret = Deno.env.get(\"CLIENT_SECRET\");\n"),
    ("a.py", "SECRET_KEY = os.environ['DJANGO_SECRET_KEY']\n"),
    ("a.py", "password = os.environ.get('DATABASE_PASSWORD_PRODUCTION')\n"),
    ("a.py", "api_token = os.getenv(\"SERVICE_API_TOKEN\")\n"),
    ("a.py", "DB_PASSWORD = env.str('DB_PASSWORD')\nSECRET_KEY = config('SECRET_KEY')\n"),
    ("a.rb", "password = ENV['DATABASE_PASSWORD']\nsecret = ENV.fetch('SECRET_KEY_BASE')\n"),
    ("a.go", "apiKey := os.Getenv(\"STRIPE_SECRET_KEY\")\n"),
    ("a.rs", "let token = std::env::var(\"GITHUB_TOKEN\")?;\n"),
    ("A.java", "String password = System.getenv(\"DB_PASSWORD\");\n"),
    ("A.kt", "val apiKey = System.getenv(\"API_KEY\") ?: error(\"API_KEY\")\n"),
    ("A.cs", "var secret = Environment.GetEnvironmentVariable(\"CLIENT_SECRET\");\n"),
    ("a.php", "$password = getenv('DB_PASSWORD'); $key = $_ENV['API_KEY'];\n"),
    ("a.php", "'password' => env('DB_PASSWORD', ''),\n"),
    ("a.ex", "secret_key_base: System.get_env(\"SECRET_KEY_BASE\"),\n"),
    ("a.pl", "my $password = $ENV{DB_PASSWORD};\n"),
    ("a.R", "token <- Sys.getenv(\"GITHUB_PAT\")\n"),
    // Shells and their kin.
    ("a.sh", "export API_TOKEN=$SERVICE_API_TOKEN\n"),
    ("a.sh", "PASSWORD=\"${DB_PASSWORD:-}\"\nAPI_KEY=\"${API_KEY:?must be set}\"\n"),
    ("a.sh", "export VAULT_TOKEN=$(vault login -token-only -method=aws role=ci)\n"),
    ("a.sh", "TOKEN=`gcloud auth print-access-token`\n"),
    ("a.sh", "curl -H \"Authorization: Bearer $TOKEN\" -u \"$USER:$PASSWORD\" https://api.corp.net/\n"),
    ("a.sh", "mysql --password=\"$MYSQL_PWD\" -u root\nsshpass -p \"$SSH_PASSWORD\" ssh host\n"),
    ("a.sh", "kubectl create secret generic db --from-literal=password=\"$DB_PASSWORD\"\n"),
    ("a.sh", "kubectl create secret generic db --from-literal=password=${DB_PASSWORD}\n"),
    ("a.sh", "kubectl create secret generic db --from-file=password=./password.txt\n"),
    ("a.sh", "docker login -u ci -p $CI_REGISTRY_PASSWORD registry.corp.net\n"),
    ("a.bat", "set DB_PASSWORD=%PROD_DB_PASSWORD%\r\nset API_KEY=%API_KEY%\r\n"),
    ("a.ps1", "$password = $env:DB_PASSWORD\n$token = Get-Secret -Name 'ProdToken'\n"),
    ("Makefile", "deploy:\n\tAPI_TOKEN=$(API_TOKEN) PASSWORD=$${PASSWORD} ./deploy\n"),
    ("Dockerfile", "ARG NPM_TOKEN\nENV NPM_TOKEN=${NPM_TOKEN}\nRUN --mount=type=secret,id=npm_token true\n"),
    (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"),
    (".env", "DATABASE_URL=postgres://${DB_USER}:${DB_PASSWORD}@db:5432/app\nAPI_KEY=$OTHER_API_KEY\n"),
    // Continuous integration.
    ("ci.yml", "env:\n  API_KEY: ${{ secrets.API_KEY }}\n  password: ${{secrets.DB_PASSWORD}}\n"),
    ("ci.yml", "with:\n  token: ${{ secrets.GITHUB_TOKEN || github.token }}\n"),
    ("ci.yml", "variables:\n  API_TOKEN: $CI_JOB_TOKEN\n  PASSWORD: ${PROD_PASSWORD}\n"),
    ("azure-pipelines.yml", "env:\n  DB_PASSWORD: $(database-password)\n  url: $(database-url)\n"),
    ("circle.yml", "password: $DOCKERHUB_PASSWORD\naws_secret_access_key: $ECR_AWS_SECRET_ACCESS_KEY\n"),
    (
        "Jenkinsfile",
        "withCredentials([string(credentialsId: 'prod-api-token', variable: 'API_TOKEN')]) {\n  sh 'deploy'\n}\n",
    ),
    ("Jenkinsfile", "API_KEY = credentials('production-api-key')\n"),
    (
        "compose.yml",
        "environment:\n  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}\n  POSTGRES_PASSWORD_FILE: /run/secrets/pg_password\n",
    ),
    // Templates.
    ("site.yml", "db_password: \"{{ vault_db_password }}\"\n"),
    (
        "site.yml",
        "api_key: \"{{ lookup('community.hashi_vault.hashi_vault', 'secret/data/prod:api_key') }}\"\n",
    ),
    ("site.yml", "password: '{{ vault \"secret/data/prod/db\" \"password\" }}'\n"),
    (
        "values.yaml",
        "password: {{ .Values.postgres.password | quote }}\ntoken: {{ required \"token\" .Values.token }}\n",
    ),
    ("app.conf.j2", "password = {{ db.password }}\nsecret_key = {{ secret_key_base }}\n"),
    ("app.erb", "password: <%= ENV['DB_PASSWORD'] %>\nsecret: <%= Rails.application.credentials.secret %>\n"),
    ("a.ctmpl", "password={{ with secret \"database/creds/app\" }}{{ .Data.password }}{{ end }}\n"),
    (
        "app.properties",
        "spring.datasource.password=${DB_PASSWORD}\napi.key=#{systemEnvironment['API_KEY']}\n",
    ),
    ("pom.xml", "<password>${env.NEXUS_PASSWORD}</password><privateKey>${settings.key}</privateKey>\n"),
    // Kubernetes.
    (
        "pod.yaml",
        "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: prod-db-credentials\n      key: password\n",
    ),
    (
        "pod.json",
        "{\"name\":\"API_TOKEN\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"api-credentials\",\"key\":\"token\"}}}\n",
    ),
    (
        "pod.yaml",
        "envFrom:\n- secretRef:\n    name: production-api-secrets\nvolumes:\n- secret:\n    secretName: tls-private-key-2024\n",
    ),
    (
        "es.yaml",
        "apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\nmetadata:\n  name: database-credentials\nspec:\n  secretStoreRef:\n    name: vault-backend-production\n    kind: ClusterSecretStore\n  target:\n    name: database-credentials\n  data:\n  - secretKey: password\n    remoteRef:\n      key: secret/data/production/database\n      property: password\n  - secretKey: api-token\n    remoteRef:\n      key: prod/api-token-2024\n",
    ),
    (
        "sealed.yaml",
        "kind: SealedSecret\nspec:\n  template:\n    metadata:\n      name: mysecret-production\n",
    ),
    (
        "sc.yaml",
        "kind: SecretProviderClass\nparameters:\n  objects: |\n    - objectName: \"arn:aws:secretsmanager:us-east-1:111122223333:secret:MySecret-AbCdEf\"\n      objectType: \"secretsmanager\"\n",
    ),
    (
        "sa.yaml",
        "kind: ServiceAccount\nsecrets:\n- name: build-robot-token-x7k2p\nimagePullSecrets:\n- name: registry-credentials-prod\n",
    ),
    (
        "auth.yaml",
        "auth:\n  existingSecret: postgresql-credentials-prod\n  secretKeys:\n    adminPasswordKey: postgres-password\n",
    ),
    // Stores of secrets.
    ("a.tf", "secret_arn = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf\"\n"),
    ("a.tf", "password = data.aws_secretsmanager_secret_version.db.secret_string\napi_key = var.api_key\n"),
    ("a.tf", "variable \"db_password\" {\n  type      = string\n  sensitive = true\n}\n"),
    ("cf.yaml", "MasterUserPassword: '{{resolve:secretsmanager:MyRDSSecret:SecretString:password}}'\n"),
    ("cf.yaml", "Password: !Sub '{{resolve:ssm-secure:/prod/db/password:1}}'\nToken: !Ref ApiToken\n"),
    (
        "task.json",
        "{\"secrets\":[{\"name\":\"DB_PASSWORD\",\"valueFrom\":\"arn:aws:ssm:us-east-1:123456789012:parameter/prod/db_password\"}]}\n",
    ),
    (
        "app.json",
        "{\"Password\": \"@Microsoft.KeyVault(SecretUri=https://corp.vault.azure.net/secrets/DbPassword/ec96f02080254f109c51a1f14cdb1931)\"}\n",
    ),
    (
        "app.json",
        "{\"ClientSecret\": \"@Microsoft.KeyVault(VaultName=corpvault;SecretName=ClientSecret)\"}\n",
    ),
    (
        "arm.json",
        "{\"adminPassword\":{\"reference\":{\"keyVault\":{\"id\":\"/subscriptions/x/vaults/kv\"},\"secretName\":\"vmAdminPassword\"}}}\n",
    ),
    ("a.cs", "var secret = await client.GetSecretAsync(\"prod-db-password\");\n"),
    ("a.js", "const dbPassword = await getSecret('prod/db/password');\n"),
    (
        "a.js",
        "const password = await getSecret('prod/db');\nconst token = getSecretValue(\"prod/api-token-v2\");\n",
    ),
    ("a.py", "token = client.get_secret_value(SecretId='prod/payments/api-token')['SecretString']\n"),
    ("a.py", "password = keyring.get_password('system', 'username')\n"),
    (
        "a.py",
        "name = f\"projects/{project}/secrets/db-password/versions/latest\"\npassword = access_secret(name)\n",
    ),
    ("a.go", "secret := \"projects/1234567890/secrets/prod-db-password/versions/7\"\n"),
    ("A.java", "String password = vault.read(\"secret/data/prod/database\").getData().get(\"password\");\n"),
    ("op.env", "DB_PASSWORD=op://production/database/password\nAPI_KEY=\"op://prod/api/credential\"\n"),
    ("v.yaml", "password: ref+vault://secret/data/prod/db#/password\ntoken: vault:secret/data/prod#token\n"),
    ("boot.yml", "password: '{cipher}AQB3dGVzdGluZ3RoaXNub3RhcmVhbGNpcGhlcnRleHQ='\n"),
    (
        "sops.yaml",
        "password: ENC[AES256_GCM,data:7yNOGE1dHZ8mWgVT,iv:2Qk5vN3bLxWc8dRf,tag:J8sLp4MxQzBn,type:str]\n",
    ),
    // Policies and logs that only name secrets.
    (
        "policy.json",
        "{\"Effect\":\"Allow\",\"Action\":[\"secretsmanager:GetSecretValue\",\"ssm:GetParameter\"],\"Resource\":\"arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db/password-a1B2c3\"}\n",
    ),
    ("policy.json", "{\"Action\":\"iam:CreateAccessKey\",\"Sid\":\"AllowAccessKeyRotation20240501\"}\n"),
    ("policy.hcl", "path \"secret/data/prod/database/password\" {\n  capabilities = [\"read\"]\n}\n"),
    (
        "audit.log",
        "2024-05-01T12:00:00Z user=alice action=GetSecretValue secret=prod/db/password result=Allowed\n",
    ),
    (
        "audit.log",
        "{\"eventName\":\"GetSecretValue\",\"requestParameters\":{\"secretId\":\"prod/payments/stripe-api-key\"},\"eventID\":\"9e5b4c1a-0f0e-4f7e-8d3a-2b1c4d5e6f70\"}\n",
    ),
    (
        "audit.log",
        "time=2024-05-01 level=info msg=\"rotated secret\" secret_name=prod-db-password version=7\n",
    ),
    (
        "app.log",
        "INFO  Loaded secret 'prod/api-key' from vault; token=[REDACTED] password=******** api_key=***\n",
    ),
    (
        "README.md",
        "Set the `API_KEY` and `DB_PASSWORD` environment variables. The password is stored in Vault.\n",
    ),
    (
        "README.md",
        "export API_KEY=<your-api-key>\nexport DB_PASSWORD=your_password_here\ntoken: YOUR_TOKEN\n",
    ),
];

/// Scans each text in a file of its own; the secrets that were reported of each, by index.
fn found(cases: &[(&str, String)]) -> (BTreeMap<usize, Vec<String>>, String) {
    let dir = Sandbox::empty();
    for (i, (name, text)) in cases.iter().enumerate() {
        dir.write(&format!("{i}/{name}"), text);
    }
    let run = scan(dir.path(), ["--show-secrets", "."]);
    let report = run.report();
    assert_eq!(report.count("files") as usize, cases.len());
    assert_eq!(report.skipped(), [""; 0]);
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for finding in report.findings() {
        let path = finding["path"].as_str().unwrap();
        let index = path.split('/').next().unwrap().parse().unwrap();
        found.entry(index).or_default().push(finding["secret"].as_str().unwrap().to_owned());
    }
    (found, run.stdout)
}

#[test]
fn references_are_never_reported() {
    let cases: Vec<(&str, String)> =
        REFERENCES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let (found, _) = found(&cases);
    let wrong: Vec<String> =
        found.iter().map(|(&i, secrets)| format!("{} {:?}: {secrets:?}", cases[i].0, cases[i].1)).collect();
    assert!(wrong.is_empty(), "{} of {} reported:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn references_that_are_staged_pass_the_hook() {
    let repo = Sandbox::new();
    for (i, (name, text)) in REFERENCES.iter().enumerate() {
        repo.write(&format!("{i}/{name}"), text);
    }
    repo.git(["add", "--all", "--force"]);
    let report = scan(repo.path(), ["--staged"]).exits(0).report();
    assert_eq!(report.count("files") as usize, REFERENCES.len());
}

/// Hard-coded values: file name, text, the secret that must be reported.
fn hard_coded() -> Vec<(&'static str, String, String)> {
    let stripe = format!("sk_{}_{}", "live", letters(1, 24));
    let pw = |seed| password(seed);
    let (named, key) = (["MyP@ss", "w0rd123"].concat(), letters(3, 40));
    let (p1, p2, p3) = (pw(11), pw(12), pw(13));
    let url_pw = letters(14, 16);
    let base64 = |text: &str| BASE64.encode(text.as_bytes());
    let begin = |kind: &str| format!("-----BEGIN {kind}{} KEY-----\n", "PRIVATE");
    let pem = |kind: &str| {
        let begin = begin(kind);
        let rest = stanch::matcher::checksum::complete("private-key", &begin).unwrap();
        begin + &rest
    };
    let mut cases: Vec<(&'static str, String, String)> = Vec::new();
    let mut add = |name, text: String, secret: &str| cases.push((name, text, secret.to_owned()));
    // Source code.
    for (name, text) in [
        ("a.js", "const API_KEY = \"§\";\n"),
        ("a.ts", "export const apiKey: string = '§';\n"),
        ("a.py", "API_KEY = '§'\n"),
        ("A.java", "private static final String API_KEY = \"§\";\n"),
        ("a.go", "const apiKey = \"§\"\n"),
        ("a.rb", "API_KEY = '§'.freeze\n"),
        ("a.rs", "const API_KEY: &str = \"§\";\n"),
        ("a.php", "define('API_KEY', '§');\n"),
        ("A.cs", "const string ApiKey = \"§\";\n"),
    ] {
        add(name, text.replace('§', &stripe), &stripe);
    }
    for (name, text) in [
        ("a.py", "DB_PASSWORD = \"§\"\n"),
        ("a.js", "const DB_PASSWORD = '§';\n"),
        ("a.js", "module.exports = { user: 'app', password: '§' };\n"),
        ("a.py", "connect(host='db', user='app', password='§')\n"),
        ("a.py", "config['password'] = '§'\n"),
        ("A.java", "String password = \"§\";\n"),
        ("A.java", "DriverManager.getConnection(url, \"app\", dbPassword = \"§\");\n"),
        ("a.go", "password := \"§\"\n"),
        ("a.rb", "password: '§',\n"),
        ("a.php", "$db_password = '§';\n"),
        ("a.php", "'password' => '§',\n"),
        ("A.cs", "public string Password { get; set; } = \"§\";\n"),
        ("a.sh", "export DB_PASSWORD='§'\n"),
        ("a.sh", "DB_PASSWORD=§ ./run\n"),
        ("a.ps1", "$Password = '§'\n"),
        ("a.bat", "set DB_PASSWORD=§\r\n"),
        ("Dockerfile", "ENV DB_PASSWORD=§\n"),
        ("Dockerfile", "ENV DB_PASSWORD §\n"),
        // Environment files of any name.
        (".env", "DB_PASSWORD=§\n"),
        (".env.local", "DB_PASSWORD='§'\n"),
        (".env.production", "export DB_PASSWORD=\"§\"\n"),
        ("prod.env", "MYSQL_ROOT_PASSWORD=§\n"),
        // Structured files.
        ("a.yml", "database:\n  password: §\n"),
        ("a.yaml", "database:\n  password: \"§\"\n"),
        ("a.yaml", "- name: DB_PASSWORD\n  value: \"§\"\n"),
        ("compose.yml", "environment:\n  - POSTGRES_PASSWORD=§\n"),
        ("a.json", "{\"password\": \"§\"}\n"),
        ("a.json", "{\"db\":{\"user\":\"app\",\"password\":\"§\",\"port\":1}}"),
        ("a.toml", "password = \"§\"\n"),
        ("a.ini", "[db]\npassword = §\n"),
        ("a.properties", "spring.datasource.password=§\n"),
        ("a.xml", "<password>§</password>\n"),
        ("a.xml", "<add key=\"DbPassword\" value=\"§\"/>\n"),
        ("a.tf", "password = \"§\"\n"),
        ("a.tfvars", "db_password = \"§\"\n"),
        // Kubernetes.
        ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: §\n"),
        ("secret.yaml", "kind: Secret\nstringData:\n  username: app\n  DB_PASSWORD: \"§\"\n"),
        ("deploy.sh", "kubectl create secret generic db --from-literal=password='§'\n"),
        (
            "deploy.sh",
            "kubectl create secret generic db \\\n  --from-literal=username=app \\\n  --from-literal=password=§\n",
        ),
        ("notes.md", "    kubectl create secret generic db --from-literal=password=§ -n prod\n"),
    ] {
        for value in [&named, &p1] {
            add(name, text.replace('§', value), value);
        }
    }
    // `data` of a Secret is base64.
    for (value, kind) in [(&named, "Opaque"), (&p2, "Opaque"), (&key, "kubernetes.io/basic-auth")] {
        let text = format!(
            "apiVersion: v1\nkind: Secret\ntype: {kind}\nmetadata:\n  name: db\ndata:\n  username: {}\n  password: {}\n",
            base64("app"),
            base64(value)
        );
        add("secret.yaml", text, value);
        let text = format!(
            "{{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"data\":{{\"password\":\"{}\"}}}}\n",
            base64(value)
        );
        add("secret.json", text, value);
    }
    let token = github(5);
    add("secret.yaml", format!("kind: Secret\ndata:\n  token: {}\n", base64(&token)), &token);
    // Connection strings; marked as a template, which no scanner takes for a password.
    for (name, text) in [
        (".env", "DATABASE_URL=postgres://app:{{pw}}@db.corp.net:5432/shop\n"),
        ("a.py", "engine = create_engine('mysql+pymysql://app:{{pw}}@db.corp.net/shop')\n"),
        ("a.js", "mongoose.connect('mongodb+srv://app:{{pw}}@cluster0.ab1cd.mongodb.net/shop');\n"),
        ("a.yml", "url: redis://:{{pw}}@cache.corp.net:6379/0\n"),
        ("a.yml", "broker: amqp://app:{{pw}}@mq.corp.net:5672/vhost\n"),
        (
            "a.json",
            "{\"cs\": \"Server=db.corp.net;Database=shop;User Id=app;Password={{pw}};Encrypt=True\"}\n",
        ),
        (
            "a.config",
            "connectionString=\"Data Source=db.corp.net;Initial Catalog=shop;User ID=app;Password={{pw}}\"\n",
        ),
        ("a.properties", "jdbc.url=jdbc:postgresql://db.corp.net/shop?user=app&password={{pw}}\n"),
    ] {
        add(name, text.replace("{{pw}}", &url_pw), &url_pw);
    }
    // Keys in PEM form, as files and inside of others.
    for kind in ["RSA ", "EC ", "", "OPENSSH ", "DSA "] {
        add("id.pem", pem(kind) + "\n", pem(kind).as_str());
    }
    let one_line = pem("").replace('\n', "\\n");
    add("sa.json", format!("{{\"private_key\": \"{one_line}\\n\"}}\n"), &one_line);
    // A secret in a default, behind a reference.
    add("a.js", format!("const password = process.env.DB_PASSWORD || '{p3}';\n"), &p3);
    add("a.py", format!("password = os.environ.get('DB_PASSWORD', '{p3}')\n"), &p3);
    add("a.sh", format!("DB_PASSWORD=\"${{DB_PASSWORD:-{p3}}}\"\n"), &p3);
    cases
}

#[test]
fn hard_coded_values_are_always_reported() {
    let cases = hard_coded();
    let texts: Vec<(&str, String)> = cases.iter().map(|(name, text, _)| (*name, text.clone())).collect();
    let (found, _) = found(&texts);
    let mut missed = Vec::new();
    for (i, (name, text, secret)) in cases.iter().enumerate() {
        let secrets = found.get(&i).map_or(&[][..], Vec::as_slice);
        let hit =
            secrets.iter().any(|s| s == secret || (secret.contains("-----") && s.contains(&secret[40..80])));
        if !hit {
            missed.push(format!("{name} {text:?}: wanted {secret:?}, got {secrets:?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {} missed:\n{}", missed.len(), cases.len(), missed.join("\n"));
}

#[test]
fn staged_hard_coded_values_stop_the_commit() {
    let repo = Sandbox::new();
    let cases = hard_coded();
    for (i, (name, text, _)) in cases.iter().enumerate() {
        repo.write(&format!("{i}/{name}"), text);
    }
    repo.git(["add", "--all", "--force"]);
    let worktree = scan(repo.path(), ["--show-secrets", "."]).exits(1).report();
    let staged = scan(repo.path(), ["--show-secrets", "--staged"]).exits(1).report();
    assert_eq!(staged.0["findings"], worktree.0["findings"]);
}

/// What has the form of a key in the midst of base64 is there by chance: no finding in files nor in the history, and
/// `explain` says why.
#[test]
fn keys_in_the_midst_of_data_are_chance() {
    let repo = Sandbox::new();
    let key = format!("{}{}", ["AI", "za"].concat(), letters(5, 35));
    let data = |seed| letters(seed, 90) + "+/7aB";
    repo.write("data.js", format!("x = \"{}/{key}/{}\";\n", data(1), data(2)));
    repo.write("key.js", format!("x = \"{key}\";\n").replace(&key[30..], &letters(6, 9)));
    repo.git(["add", "--all"]);
    repo.git(["commit", "-q", "-m", "data"]);
    for command in ["scan", "history"] {
        let report = Run::of(&mut stanch(repo.path(), [command, ".", "--format", "json"])).exits(1).report();
        let paths: Vec<_> = report.0["findings"].as_array().unwrap().iter().map(|f| &f["path"]).collect();
        assert_eq!(paths, ["key.js"], "{command}");
    }
    let why = Run::of(stanch(repo.path(), ["explain", "data.js:1"]).arg("--no-history"));
    assert!(why.stdout.contains("midst-of-base64"), "{}", why.stdout);
}
