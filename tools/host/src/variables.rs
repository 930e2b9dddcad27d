//! Application variables and the templates made of them.
//!
//! Everything is resolved once, at start: an unset variable is an error a person sees at once and by name,
//! and a component's `get` is a look-up in a map.

use crate::manifest::Manifest;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, HashMap};

/// Where environment variables are looked for: `SPIN_VARIABLE_` and the name in capitals.
const ENV_PREFIX: &str = "SPIN_VARIABLE_";

/// The application's variables with their values.
#[derive(Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    secrets: Vec<String>,
}

impl Variables {
    /// Takes each variable from the command line, else the environment, else its default.
    pub fn resolve(
        manifest: &Manifest,
        given: &HashMap<String, String>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        if let Some(name) = given.keys().find(|name| !manifest.variables.contains_key(*name)) {
            bail!(
                "--variable {name}: the manifest has no such variable: add it to [variables] or correct the name"
            );
        }
        let mut resolved = Self::default();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            let env_name = format!("{ENV_PREFIX}{}", name.to_ascii_uppercase());
            let value =
                given.get(name).cloned().or_else(|| env(&env_name)).or_else(|| variable.default.clone());
            match value {
                Some(value) => {
                    if variable.secret && !value.is_empty() {
                        resolved.secrets.push(value.clone());
                    }
                    resolved.values.insert(name.clone(), value);
                }
                None => missing.push((name.as_str(), env_name)),
            }
        }
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|(name, _)| format!("`{name}`")).collect();
            let envs: Vec<_> = missing.iter().map(|(_, env)| env.as_str()).collect();
            bail!(
                "no value for the required variable {}: set {}, or pass --variable NAME=VALUE",
                names.join(", "),
                envs.join(", ")
            );
        }
        Ok(resolved)
    }

    /// Puts values into a template.
    pub fn render(&self, template: &str) -> Result<String> {
        let mut rendered = String::with_capacity(template.len());
        for part in parse_template(template)? {
            match part {
                Part::Literal(text) => rendered.push_str(text),
                Part::Name(name) => {
                    let value = self.values.get(name).with_context(|| {
                        format!("the template `{template}` names the variable `{name}`, which is not in [variables]: add it or correct the name")
                    })?;
                    rendered.push_str(value);
                }
            }
        }
        Ok(rendered)
    }

    /// A component's own variables, rendered.
    pub fn render_all(
        &self,
        component: &str,
        templates: &BTreeMap<String, String>,
    ) -> Result<HashMap<String, String>> {
        templates
            .iter()
            .map(|(name, template)| {
                let value = self.render(template).with_context(|| {
                    format!("variable `{name}` of component `{component}` cannot be resolved")
                })?;
                Ok((name.clone(), value))
            })
            .collect()
    }

    /// The values that must not reach a log, longest first so that one inside another hides nothing.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.secrets.clone();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }
}

/// Whether a string holds an expression at all.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

enum Part<'a> {
    Literal(&'a str),
    Name(&'a str),
}

fn parse_template(template: &str) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            bail!("the template `{template}` has a `{{{{` without its `}}}}`: close it");
        };
        parts.push(Part::Literal(before));
        parts.push(Part::Name(name.trim()));
        rest = after;
    }
    parts.push(Part::Literal(rest));
    Ok(parts)
}

/// Says why a name can be no variable's, if it cannot; the wording is Spin's, which components may show.
pub fn name_fault(name: &str) -> Option<String> {
    let bad = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(bad) = bad {
        format!(
            "invalid character {bad:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        )
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit".to_owned()
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores".to_owned()
    } else {
        return None;
    };
    Some(format!("{name:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn manifest() -> Manifest {
        let text = "spin_manifest_version = 2\n[application]\nname = \"a\"\n[trigger]\n[variables]\n\
            host = { default = \"local\" }\nkey = { required = true, secret = true }\nport = { required = true }\n";
        crate::manifest::parse(text, Path::new(".")).unwrap()
    }

    fn env(name: &str) -> Option<String> {
        match name {
            "SPIN_VARIABLE_KEY" => Some("from env".to_owned()),
            "SPIN_VARIABLE_PORT" => Some("1".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_command_line_comes_before_the_environment_before_the_default() {
        let given = [("port".to_owned(), "2".to_owned())].into();
        let variables = Variables::resolve(&manifest(), &given, env).unwrap();
        assert_eq!(variables.render("{{host}}:{{ port }} {{ key }}!").unwrap(), "local:2 from env!");
        assert_eq!(variables.secrets(), ["from env"]);
    }

    #[test]
    fn every_missing_variable_is_named() {
        let said = Variables::resolve(&manifest(), &HashMap::new(), |_| None).unwrap_err().to_string();
        for word in ["`key`", "`port`", "SPIN_VARIABLE_KEY", "SPIN_VARIABLE_PORT", "--variable"] {
            assert!(said.contains(word), "{said}");
        }
        let given = [("prot".to_owned(), "2".to_owned())].into();
        let said = Variables::resolve(&manifest(), &given, env).unwrap_err().to_string();
        assert!(said.contains("prot"), "{said}");
    }

    #[test]
    fn a_wrong_template_is_named() {
        let variables = Variables::default();
        assert!(variables.render("a {{ b").unwrap_err().to_string().contains("`}}`"));
        assert!(variables.render("{{ nope }}").unwrap_err().to_string().contains("`nope`"));
        assert_eq!(variables.render("plain { } }}").unwrap(), "plain { } }}");
        let templates = [("url".to_owned(), "{{ nope }}".to_owned())].into();
        let said = format!("{:#}", variables.render_all("posts", &templates).unwrap_err());
        assert!(said.contains("`url`") && said.contains("`posts`") && said.contains("`nope`"), "{said}");
    }

    #[test]
    fn names_are_held_to_spins_rules() {
        for name in ["a", "a1", "a_b"] {
            assert_eq!(name_fault(name), None);
        }
        for name in ["", "A", "1a", "a-b", "a__b", "a_"] {
            assert!(name_fault(name).is_some(), "{name}");
        }
    }
}
