//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::project::root;

/// What `cargo xtask` alone prints.
pub const USAGE: &str = "\
cargo xtask COMMAND

  up [--listen 127.0.0.1:3000] [--state .data] [--runtime embedded|spin]
      Builds what changed, starts everything - the application, an S3 server, a transcoder - and ticks
      the clock until Ctrl-C. A port of 0 takes a free one. Variables of the application come from
      SPIN_VARIABLE_<NAME>, as with Spin.

  test [FILTER] [--runtime embedded|spin] [--crash-minutes N] [--generated-minutes N]
      Format, lints, unit tests, the host's tests, the journeys through the built components, then
      requests and a client generated from the OpenAPI document. With FILTER only the tests whose name
      contains it, and no format and lints. With --crash-minutes the runtime is killed at random moments
      for so long instead of three times; with --generated-minutes requests are generated for so long
      instead of one.

  doctor [--url http://127.0.0.1:3000] [--state .data]
      What is wrong with a running application or its state, and how to mend it.

  rebuild analytics|gamification [--url http://127.0.0.1:3000] [--state .data]
      Has a service of a running application that is made of events alone be made again of all of them, and waits until
      it is. Meanwhile its numbers are too low.

  bench [--quick]
      What the application bears, against the floor, on this machine: some 10 minutes, most of it making
      a million posts; --quick leaves those out. Writes docs/benchmarks.md.

`embedded` is tools/host, built here; `spin` is the spin command, 4.1 or newer.";

/// A command with its flags.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Prints [`USAGE`].
    Help,
    /// `up`.
    Up(UpOptions),
    /// `test`.
    Test(TestOptions),
    /// `doctor`.
    Doctor(DoctorOptions),
    /// `rebuild`.
    Rebuild(RebuildOptions),
    /// `bench`.
    Bench(BenchOptions),
}

/// What runs the components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// `tools/host`.
    Embedded,
    /// The `spin` command.
    Spin,
}

/// Flags of `up`.
#[derive(Debug, PartialEq, Eq)]
pub struct UpOptions {
    /// `--listen`.
    pub listen: SocketAddr,
    /// `--state`.
    pub state: PathBuf,
    /// `--runtime`.
    pub runtime: Runtime,
}

/// Flags of `test`.
#[derive(Debug, PartialEq, Eq)]
pub struct TestOptions {
    /// Part of the names of the tests to run.
    pub filter: Option<String>,
    /// `--runtime`.
    pub runtime: Runtime,
    /// `--crash-minutes`.
    pub crash_minutes: u32,
    /// `--generated-minutes`.
    pub generated_minutes: u32,
}

/// Flags of `bench`.
#[derive(Debug, PartialEq, Eq)]
pub struct BenchOptions {
    /// `--quick`.
    pub quick: bool,
}

/// Flags of `doctor`.
#[derive(Debug, PartialEq, Eq)]
pub struct DoctorOptions {
    /// `--url`; else where the `up` on this state listens.
    pub url: Option<String>,
    /// `--state`.
    pub state: PathBuf,
}

/// Flags of `rebuild`.
#[derive(Debug, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Which service.
    pub service: String,
    /// `--url`; else where the `up` on this state listens.
    pub url: Option<String>,
    /// `--state`.
    pub state: PathBuf,
}

/// Reads the command line after the program's name.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Command::Help);
    };
    if arguments.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help" | "help")) {
        return Ok(Command::Help);
    }
    match command.as_str() {
        "up" => {
            let mut given = Given::read(rest, &["--listen", "--state", "--runtime"], 0)?;
            Ok(Command::Up(UpOptions {
                listen: given.listen()?,
                state: given.state()?,
                runtime: given.runtime()?,
            }))
        }
        "test" => {
            let flags = ["--runtime", "--crash-minutes", "--generated-minutes"];
            let mut given = Given::read(rest, &flags, 1)?;
            Ok(Command::Test(TestOptions {
                filter: given.words.pop(),
                runtime: given.runtime()?,
                crash_minutes: given.minutes("--crash-minutes")?,
                generated_minutes: given.minutes("--generated-minutes")?,
            }))
        }
        "doctor" => {
            let mut given = Given::read(rest, &["--url", "--state"], 0)?;
            Ok(Command::Doctor(DoctorOptions { url: given.take("--url"), state: given.state()? }))
        }
        "rebuild" => {
            let mut given = Given::read(rest, &["--url", "--state"], 1)?;
            let service = given.words.pop().ok_or("rebuild which service? Such as `rebuild analytics`")?;
            Ok(Command::Rebuild(RebuildOptions { service, url: given.take("--url"), state: given.state()? }))
        }
        "bench" => match rest {
            [] => Ok(Command::Bench(BenchOptions { quick: false })),
            [flag] if flag == "--quick" => Ok(Command::Bench(BenchOptions { quick: true })),
            [other, ..] => Err(format!("unexpected `{other}`")),
        },
        other => Err(format!("there is no command `{other}`")),
    }
}

/// The flags and words given, not yet looked at.
struct Given {
    flags: Vec<(String, String)>,
    words: Vec<String>,
}

impl Given {
    fn read(arguments: &[String], known: &[&str], words: usize) -> Result<Self, String> {
        let mut given = Self { flags: Vec::new(), words: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if !argument.starts_with('-') {
                given.words.push(argument.clone());
                continue;
            }
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if !known.contains(&flag) {
                return Err(format!("unknown flag {flag}"));
            }
            let value = inline.or_else(|| arguments.next().cloned());
            let value = value.ok_or_else(|| format!("{flag} needs a value"))?;
            given.flags.push((flag.to_owned(), value));
        }
        match given.words.get(words) {
            Some(extra) => Err(format!("unexpected `{extra}`")),
            None => Ok(given),
        }
    }

    /// The last value given of `flag`.
    fn take(&mut self, flag: &str) -> Option<String> {
        let found = self.flags.iter().rposition(|(name, _)| name == flag)?;
        Some(self.flags.swap_remove(found).1)
    }

    fn listen(&mut self) -> Result<SocketAddr, String> {
        let text = self.take("--listen").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let address = text.strip_prefix("http://").unwrap_or(&text);
        address
            .replace("localhost", "127.0.0.1")
            .parse()
            .map_err(|_| format!("--listen {text}: write an address and a port, such as 127.0.0.1:3000"))
    }

    /// Relative to where the command is given; the default lies at the top of the repository.
    fn state(&mut self) -> Result<PathBuf, String> {
        match self.take("--state") {
            None => Ok(root().join(".data")),
            Some(given) if given.is_empty() => Err("--state needs the name of a folder".to_owned()),
            Some(given) => std::path::absolute(&given).map_err(|error| format!("--state {given}: {error}")),
        }
    }

    fn runtime(&mut self) -> Result<Runtime, String> {
        match self.take("--runtime").as_deref() {
            None | Some("embedded") => Ok(Runtime::Embedded),
            Some("spin") => Ok(Runtime::Spin),
            Some(other) => Err(format!("--runtime {other}: write embedded or spin")),
        }
    }

    /// A number of minutes; 0 where it is not given.
    fn minutes(&mut self, flag: &str) -> Result<u32, String> {
        let Some(minutes) = self.take(flag) else { return Ok(0) };
        minutes.parse().map_err(|_| format!("{flag} {minutes}: write a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn no_command_and_help_print_the_usage() {
        for line in ["", "help", "--help", "up --help", "test -h"] {
            assert_eq!(read(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn unknown_commands_flags_and_values_are_refused() {
        for line in [
            "down",
            "up --port 3000",
            "up now",
            "up --listen",
            "up --listen 3000",
            "up --runtime wasmer",
            "test one two",
            "doctor --listen 127.0.0.1:1",
            "-v",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn up_takes_an_address_a_state_and_a_runtime() {
        let Ok(Command::Up(options)) = read("up --listen=127.0.0.1:4000 --state /tmp/x --runtime spin")
        else {
            panic!("refused");
        };
        assert_eq!(options.listen.to_string(), "127.0.0.1:4000");
        assert_eq!(options.state, PathBuf::from("/tmp/x"));
        assert_eq!(options.runtime, Runtime::Spin);
        let Ok(Command::Up(options)) = read("up") else { panic!("refused") };
        assert_eq!((options.listen.port(), options.runtime), (3000, Runtime::Embedded));
        assert!(options.state.ends_with(".data"));
    }

    #[test]
    fn a_rebuild_is_of_one_service() {
        let Ok(Command::Rebuild(options)) = read("rebuild analytics --url http://127.0.0.1:4000") else {
            panic!("refused");
        };
        assert_eq!(
            (options.service.as_str(), options.url.as_deref()),
            ("analytics", Some("http://127.0.0.1:4000"))
        );
        assert!(read("rebuild").is_err() && read("rebuild analytics gamification").is_err());
    }

    #[test]
    fn a_test_filter_is_one_word() {
        let filter = |line| match read(line) {
            Ok(Command::Test(options)) => options.filter,
            other => panic!("{other:?}"),
        };
        assert_eq!(filter("test"), None);
        assert_eq!(filter("test follow --runtime spin").as_deref(), Some("follow"));
    }
}
