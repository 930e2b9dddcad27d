//! The command line, a subset of `spin up`'s.

use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `--help` prints.
pub const USAGE: &str = "\
scooterbooter-host: runs the components of a spin.toml

  --from, -f FILE               the manifest (default: spin.toml)
  --listen ADDRESS              where to listen; port 0 takes a free one (default: 127.0.0.1:3000)
  --runtime-config-file FILE    the files behind databases and stores
  --state-dir DIR               where the default ones are kept (default: .spin beside the manifest)
  --variable NAME=VALUE         a variable's value; @FILE reads it from a file; repeatable
  --cache-dir DIR               where compiled components are kept (default: target/host-cache or the state)
  --max-instance-reuse-count N  requests one instance serves before it is replaced (default: 128)
  --memory-file FILE            at the end, the largest memory an instance of each component had, as JSON

Variables are also taken from SPIN_VARIABLE_<NAME>.";

/// Spin's own default.
const MOST_REQUESTS: usize = 128;

/// The command line, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `--from`.
    pub from: PathBuf,
    /// `--listen`.
    pub listen: SocketAddr,
    /// `--runtime-config-file`.
    pub runtime_config: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--cache-dir`.
    pub cache_dir: Option<PathBuf>,
    /// `--max-instance-reuse-count`.
    pub most_requests: usize,
    /// `--memory-file`.
    pub memory_file: Option<PathBuf>,
    /// `--variable`, by name.
    pub variables: HashMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            from: PathBuf::from("spin.toml"),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            runtime_config: None,
            state_dir: None,
            cache_dir: None,
            most_requests: MOST_REQUESTS,
            memory_file: None,
            variables: HashMap::new(),
        }
    }
}

impl Options {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
                _ => (argument, None),
            };
            let value = || {
                inline
                    .or_else(|| arguments.next())
                    .with_context(|| format!("{flag} needs a value: see --help"))
            };
            match flag.as_str() {
                "--from" | "-f" => options.from = value()?.into(),
                "--listen" => {
                    let text = value()?;
                    options.listen = text.parse().ok().with_context(|| {
                        format!("--listen {text}: write an address and a port, such as 127.0.0.1:3000")
                    })?;
                }
                "--runtime-config-file" => options.runtime_config = Some(value()?.into()),
                "--state-dir" => options.state_dir = Some(value()?.into()),
                "--cache-dir" => options.cache_dir = Some(value()?.into()),
                "--max-instance-reuse-count" => {
                    let text = value()?;
                    options.most_requests =
                        text.parse().ok().filter(|count| *count > 0).with_context(|| {
                            format!("--max-instance-reuse-count {text}: write a whole number above 0")
                        })?;
                }
                "--memory-file" => options.memory_file = Some(value()?.into()),
                "--variable" => {
                    let (name, value) = parse_variable(&value()?)?;
                    options.variables.insert(name, value);
                }
                _ => bail!("unknown argument {flag}: see --help"),
            }
        }
        Ok(options)
    }
}

fn parse_variable(text: &str) -> Result<(String, String)> {
    // The text is not repeated: it may be a secret.
    let (name, value) = text.split_once('=').context("--variable needs NAME=VALUE: add the `=`")?;
    let value = match value.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("--variable {name}: cannot read {file}: correct the path"))?,
        None => value.to_owned(),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        Options::parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn flags_take_their_value_either_way() {
        let options =
            parse(&["-f", "a.toml", "--listen=127.0.0.1:0", "--variable", "a=b=c", "--state-dir", "s"])
                .unwrap();
        assert_eq!(options.from, PathBuf::from("a.toml"));
        assert_eq!(options.listen.port(), 0);
        assert_eq!(options.variables["a"], "b=c");
        assert_eq!(options.state_dir, Some(PathBuf::from("s")));
        assert_eq!(parse(&[]).unwrap(), Options::default());
    }

    #[test]
    fn a_wrong_argument_is_named_and_a_secret_is_not() {
        for (arguments, word) in [
            (&["--frob"][..], "--frob"),
            (&["--from"], "--from"),
            (&["--listen", "nowhere"], "nowhere"),
            (&["--max-instance-reuse-count", "0"], "above 0"),
            (&["--variable", "sekret"], "NAME=VALUE"),
            (&["--variable", "a=@/no/such/file"], "/no/such/file"),
        ] {
            let said = format!("{:#}", parse(arguments).unwrap_err());
            assert!(said.contains(word) && !said.contains("sekret"), "{said}");
        }
    }
}
