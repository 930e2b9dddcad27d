//! Reads `spin.toml`, as strictly as Spin does.
//!
//! Three kinds of key exist. What these components need is read. What Spin would ignore when it runs an
//! application (`build`, `tool`, descriptions) is ignored here too. What Spin would act on and this host does
//! not know is refused by name, because an application that silently loses its files or its environment is
//! harder to understand than one that does not start.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An application, checked: every trigger names a component that exists.
#[derive(Debug)]
pub struct Manifest {
    /// The application's name, for the log.
    pub name: String,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in the order written.
    pub triggers: Vec<HttpTrigger>,
    /// `[component.<id>]`, by id.
    pub components: BTreeMap<String, Component>,
}

/// One entry of `[variables]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Whether a value must come from outside.
    #[serde(default)]
    pub required: bool,
    /// The value when none comes from outside.
    pub default: Option<String>,
    /// Whether the value is kept out of the log.
    #[serde(default)]
    pub secret: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// The component that answers.
    pub component: String,
    /// The path pattern; `None` for a private endpoint, reached by chaining only.
    pub route: Option<String>,
}

/// One `[component.<id>]`.
#[derive(Debug, Clone)]
pub struct Component {
    /// The component's file.
    pub source: PathBuf,
    /// Component variables: templates over the application's variables.
    pub variables: BTreeMap<String, String>,
    /// Where it may send requests.
    pub allowed_outbound_hosts: Vec<String>,
    /// The key-value stores it may open.
    pub key_value_stores: Vec<String>,
    /// The databases it may open.
    pub sqlite_databases: Vec<String>,
}

/// Reads and checks the manifest at `path`.
pub fn load(path: &Path) -> Result<Manifest> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the manifest {}: give its path with --from", path.display()))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    parse(&text, dir).with_context(|| format!("the manifest {} is not right", path.display()))
}

/// Parses a manifest whose relative paths start at `dir`.
pub fn parse(text: &str, dir: &Path) -> Result<Manifest> {
    let raw: RawManifest = from_toml(text)?;
    if raw.spin_manifest_version.as_integer() != Some(2) {
        bail!(
            "`spin_manifest_version` is {}: only version 2 is read, write `spin_manifest_version = 2`",
            raw.spin_manifest_version
        );
    }
    if let Some(kind) = raw.application.trigger.keys().next() {
        bail!(
            "`[application.trigger.{kind}]` is not supported by this host: remove it, or run the application with `spin up`"
        );
    }
    for (name, variable) in &raw.variables {
        check_variable(name, variable)?;
    }
    let components = raw
        .component
        .into_iter()
        .map(|(id, component)| {
            check_id(&id, '-', "component id")?;
            let component = component.check(&id, dir)?;
            Ok((id, component))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    let triggers = check_triggers(raw.trigger, &components)?;
    Ok(Manifest { name: raw.application.name, variables: raw.variables, triggers, components })
}

/// Deserialises TOML, naming the line: the first thing a person asks of "unknown field".
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().trim_end().replace('\n', " ");
        match error.span() {
            Some(span) => {
                let line = text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
                anyhow::anyhow!("line {line}: {message}")
            }
            None => anyhow::anyhow!("{message}"),
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    spin_manifest_version: toml::Value,
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: BTreeMap<String, Vec<RawTrigger>>,
    #[serde(default)]
    component: BTreeMap<String, RawComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApplication {
    name: String,
    #[serde(default, rename = "version")]
    _version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: Vec<toml::Value>,
    #[serde(default)]
    trigger: BTreeMap<String, toml::Table>,
    #[serde(default, rename = "tool")]
    _tool: BTreeMap<String, toml::Table>,
}

#[derive(Deserialize)]
struct RawTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    component: Option<toml::Value>,
    route: Option<RawRoute>,
    executor: Option<RawExecutor>,
    static_response: Option<toml::Value>,
    components: Option<toml::Value>,
    dependencies: Option<toml::Value>,
    /// `channel`, `address` and the like of other triggers: read so that they are refused with their type.
    #[serde(flatten)]
    others: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`route` must be a path pattern or { private = true }")]
enum RawRoute {
    Pattern(String),
    Private(RawPrivate),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrivate {
    private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExecutor {
    r#type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComponent {
    source: toml::Value,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    // Ignored, as `spin up` ignores them.
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "build")]
    _build: Option<RawBuild>,
    #[serde(default, rename = "tool")]
    _tool: BTreeMap<String, toml::Table>,
    #[serde(default, rename = "targets")]
    _targets: Option<Vec<toml::Value>>,
    #[serde(default, rename = "profile")]
    _profile: BTreeMap<String, toml::Table>,
    // Refused, because `spin up` would act on them.
    environment: Option<toml::Value>,
    files: Option<toml::Value>,
    exclude_files: Option<toml::Value>,
    ai_models: Option<toml::Value>,
    allowed_http_hosts: Option<toml::Value>,
    dependencies: Option<toml::Value>,
    dependencies_inherit_configuration: Option<toml::Value>,
}

/// Checked although unused: Spin refuses a `build` table it does not understand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBuild {
    #[serde(rename = "command")]
    _command: RawCommand,
    #[serde(default, rename = "workdir")]
    _workdir: Option<String>,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`command` must be a string or a list of strings")]
enum RawCommand {
    One(#[allow(dead_code, reason = "read for its shape only")] String),
    Many(#[allow(dead_code, reason = "read for its shape only")] Vec<String>),
}

impl RawComponent {
    fn check(self, id: &str, dir: &Path) -> Result<Component> {
        let refused = [
            ("environment", &self.environment),
            ("files", &self.files),
            ("exclude_files", &self.exclude_files),
            ("ai_models", &self.ai_models),
            ("allowed_http_hosts", &self.allowed_http_hosts),
            ("dependencies", &self.dependencies),
            ("dependencies_inherit_configuration", &self.dependencies_inherit_configuration),
        ];
        if let Some((key, _)) = refused.iter().find(|(_, value)| value.is_some()) {
            bail!(
                "component `{id}`: `{key}` is not supported by this host: remove it, or run the application with `spin up`"
            );
        }
        let toml::Value::String(source) = self.source else {
            bail!(
                "component `{id}`: only a file path is supported as `source`: build the component and name its .wasm file"
            );
        };
        for name in self.variables.keys() {
            check_id(name, '_', &format!("component `{id}`: variable name"))?;
        }
        for label in self.key_value_stores.iter().chain(&self.sqlite_databases) {
            if id_fault(label, '-').is_some() && id_fault(label, '_').is_some() {
                bail!("component `{id}`: the label `{label}` must be kebab-case or snake_case");
            }
        }
        Ok(Component {
            source: dir.join(source),
            variables: self.variables,
            allowed_outbound_hosts: self.allowed_outbound_hosts,
            key_value_stores: self.key_value_stores,
            sqlite_databases: self.sqlite_databases,
        })
    }
}

fn check_variable(name: &str, variable: &Variable) -> Result<()> {
    check_id(name, '_', "variable name")?;
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        bail!("variable name `{name}`: only lower-case letters, digits and underscores are allowed");
    }
    if variable.required == variable.default.is_some() {
        bail!("variable `{name}` must have either `required = true` or a `default`, and not both");
    }
    Ok(())
}

fn check_triggers(
    triggers: BTreeMap<String, Vec<RawTrigger>>,
    components: &BTreeMap<String, Component>,
) -> Result<Vec<HttpTrigger>> {
    if let Some(kind) = triggers.keys().find(|kind| *kind != "http") {
        bail!(
            "`[[trigger.{kind}]]` is not supported by this host, only `[[trigger.http]]` is: remove it, or run the application with `spin up`"
        );
    }
    triggers.into_values().flatten().map(|trigger| check_trigger(trigger, components)).collect()
}

fn check_trigger(trigger: RawTrigger, components: &BTreeMap<String, Component>) -> Result<HttpTrigger> {
    let refused = [
        ("static_response", &trigger.static_response),
        ("components", &trigger.components),
        ("dependencies", &trigger.dependencies),
    ];
    if let Some((key, _)) = refused.iter().find(|(_, value)| value.is_some()) {
        bail!(
            "`[[trigger.http]]`: `{key}` is not supported by this host: remove it, or run the application with `spin up`"
        );
    }
    if let Some(key) = trigger.others.keys().next() {
        bail!("`[[trigger.http]]`: unknown key `{key}`: `component`, `route`, `id` and `executor` are known");
    }
    let component = match trigger.component {
        Some(toml::Value::String(id)) => id,
        Some(_) => bail!(
            "`[[trigger.http]]`: a component written in place is not supported: move it to `[component.<id>]` and name the id"
        ),
        None => {
            bail!("`[[trigger.http]]`: `component` is missing: name the component that answers")
        }
    };
    if !components.contains_key(&component) {
        bail!(
            "`[[trigger.http]]` names the component `{component}`, which is not in the manifest: add `[component.{component}]` or correct the name"
        );
    }
    match trigger.executor.as_ref().map(|executor| executor.r#type.as_str()) {
        None | Some("http" | "spin") => {}
        Some(other) => {
            bail!("the executor `{other}` of component `{component}` is not supported: only `http` is")
        }
    }
    let route = match trigger.route {
        Some(RawRoute::Pattern(pattern)) => Some(pattern),
        Some(RawRoute::Private(RawPrivate { private: true })) => None,
        Some(RawRoute::Private(RawPrivate { private: false })) => {
            bail!(
                "component `{component}` has `route = {{ private = false }}`: write a path pattern or {{ private = true }}"
            )
        }
        None => bail!(
            "a `[[trigger.http]]` of component `{component}` has no `route`: write a path pattern or {{ private = true }}"
        ),
    };
    Ok(HttpTrigger { component, route })
}

fn check_id(id: &str, delimiter: char, what: &str) -> Result<()> {
    match id_fault(id, delimiter) {
        Some(fault) => bail!("{what} `{id}`: {fault}"),
        None => Ok(()),
    }
}

/// Says what is wrong with an identifier made of words joined by `delimiter`, if anything is.
fn id_fault(id: &str, delimiter: char) -> Option<String> {
    if id.is_empty() {
        return Some("must not be empty".into());
    }
    for word in id.split(delimiter) {
        let Some(first) = word.chars().next() else {
            return Some(format!("words must not be empty, so no {delimiter:?} at an end or twice in a row"));
        };
        if !first.is_ascii_alphabetic() {
            return Some(format!("the word `{word}` must start with a letter"));
        }
        if let Some(bad) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Some(format!(
                "{bad:?} is not allowed: words of letters and digits are joined by {delimiter:?}"
            ));
        }
        let cased = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() == first.is_ascii_uppercase();
        if !word.chars().all(cased) {
            return Some(format!("the word `{word}` must be all lower case or all upper case"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
spin_manifest_version = 2
[application]
name = "app"
authors = ["us"]
[application.tool.x]
y = 1
[variables]
a_b = { default = "1" }
[[trigger.http]]
id = "one"
route = "/a/..."
component = "first"
executor = { type = "http" }
[[trigger.http]]
route = { private = true }
component = "second-one"
[component.first]
source = "x/first.wasm"
description = "the first"
sqlite_databases = ["default", "other_one"]
[component.first.variables]
url = "{{ a_b }}"
[component.first.build]
command = ["a", "b"]
watch = ["src"]
[component.second-one]
source = "second.wasm"
"#;

    fn fault(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        format!("{:#}", parse(&GOOD.replacen(from, to, 1), Path::new("dir")).unwrap_err())
    }

    #[test]
    fn a_right_manifest_is_read() {
        let manifest = parse(GOOD, Path::new("dir")).unwrap();
        assert_eq!(manifest.name, "app");
        assert_eq!(manifest.triggers[0].route.as_deref(), Some("/a/..."));
        assert_eq!(manifest.triggers[1].route, None);
        assert_eq!(manifest.components["first"].source, Path::new("dir/x/first.wasm"));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (from, to, word) in [
            (
                "[[trigger.http]]",
                "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"first\"\n[[trigger.http]]",
                "trigger.redis",
            ),
            ("description =", "files = [\"a\"]\ndescription =", "`files`"),
            ("description =", "environment = { A = \"b\" }\ndescription =", "`environment`"),
            ("description =", "ai_models = [\"a\"]\ndescription =", "`ai_models`"),
            ("description =", "dependencies = { \"a:b\" = \"1\" }\ndescription =", "`dependencies`"),
            ("source = \"second.wasm\"", "source = { url = \"http://x\", digest = \"d\" }", "`source`"),
            ("type = \"http\"", "type = \"wagi\"", "`wagi`"),
            ("component = \"first\"", "static_response = { body = \"x\" }", "`static_response`"),
            ("component = \"first\"", "component = { source = \"a.wasm\" }", "in place"),
            ("[application.tool.x]", "[application.trigger.http]", "application.trigger.http"),
        ] {
            let said = fault(from, to);
            assert!(said.contains(word), "{word}: {said}");
        }
    }

    #[test]
    fn what_spin_refuses_is_refused_with_its_place() {
        for (from, to, words) in [
            ("spin_manifest_version = 2", "spin_manifest_version = \"1\"", &["version 2"][..]),
            ("description =", "frobs = 1\ndescription =", &["line 20", "frobs"]),
            ("authors", "frobs = 1\nauthors", &["frobs"]),
            ("name = \"app\"\n", "", &["name"]),
            ("id = \"one\"", "frob = \"one\"", &["`frob`"]),
            ("component = \"first\"", "component = \"third\"", &["`third`"]),
            ("{ private = true }", "{ private = false }", &["second-one", "private"]),
            ("route = \"/a/...\"\n", "", &["`first`", "`route`"]),
            ("route = \"/a/...\"", "route = 1", &["route"]),
            ("a_b = { default = \"1\" }", "a-b = { default = \"1\" }", &["`a-b`"]),
            ("a_b = { default = \"1\" }", "A = { default = \"1\" }", &["`A`"]),
            ("{ default = \"1\" }", "{ }", &["`a_b`", "required"]),
            ("{ default = \"1\" }", "{ default = \"1\", required = true }", &["`a_b`", "not both"]),
            ("[component.second-one]", "[component.second_one]", &["`second_one`"]),
            ("\"other_one\"", "\"other one\"", &["`first`", "`other one`"]),
            ("url = ", "Url-x = ", &["`first`", "`Url-x`"]),
            ("watch", "wacht", &["wacht"]),
        ] {
            let said = fault(from, to);
            for word in words {
                assert!(said.contains(word), "{word}: {said}");
            }
        }
    }
}
