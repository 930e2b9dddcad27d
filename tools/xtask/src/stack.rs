//! A running application: the runtime process, until it is stopped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http;
use crate::options::Runtime;
use crate::process::Process;
use crate::project::{host, root};
use crate::steps::{human, say, stop_asked};

/// A first start compiles the components and makes the databases.
const READY_TIME: Duration = Duration::from_secs(180);
/// The host finishes what is in flight for 10 s.
const STOP_TIME: Duration = Duration::from_secs(12);

/// Requests one instance serves before it is replaced. Starting one costs as much as two short requests, and what it remembers
/// (tokens, prepared connections) is worth the more the longer it lives; 128 is Spin's own default.
pub const REUSE: &str = "16384";

/// The runtime.
pub struct Stack {
    runtime: Process,
}

/// What a [`Stack`] needs.
pub struct Plan<'a> {
    /// What runs the components.
    pub runtime: Runtime,
    /// Where it listens; the port is not 0.
    pub listen: SocketAddr,
    /// The state folder.
    pub state: &'a Path,
    /// The runtime configuration.
    pub config: &'a Path,
    /// Variables of the application.
    pub variables: &'a [(String, String)],
    /// Where the embedded runtime leaves, at its end, how much memory an instance took.
    pub memory_file: Option<&'a Path>,
}

impl Stack {
    /// Starts the runtime.
    pub fn start(plan: &Plan<'_>) -> Result<Self> {
        let mut command = match plan.runtime {
            Runtime::Embedded => {
                let mut command = Command::new(host());
                // It says where it serves there, and nothing else.
                command.stdout(Stdio::null());
                command.args(plan.memory_file.iter().flat_map(|file| [Path::new("--memory-file"), file]));
                command
            }
            Runtime::Spin => {
                let mut command = Command::new("spin");
                command.arg("up");
                command
            }
        };
        command
            .args(["--listen", &plan.listen.to_string(), "--max-instance-reuse-count", REUSE])
            .arg("--from")
            .arg(root().join("spin.toml"))
            .arg("--runtime-config-file")
            .arg(plan.config)
            .arg("--state-dir")
            .arg(plan.state)
            .current_dir(root());
        for (name, value) in plan.variables {
            // Not on the command line, where everybody on the machine could read it.
            command.env(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()), value);
        }
        Ok(Self { runtime: Process::start(&mut command)? })
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.runtime.child.id()
    }

    /// How the runtime ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.runtime.ended()
    }

    /// Waits until every service is ready; `false` where somebody asked to stop meanwhile.
    pub fn wait_until_ready(&mut self, url: &str) -> Result<bool> {
        let start = Instant::now();
        let mut told = (String::new(), Duration::from_secs(5));
        loop {
            if stop_asked() {
                return Ok(false);
            }
            if let Some(status) = self.ended() {
                bail!("the runtime ended with {status}; it says why above");
            }
            let answer = http::get(&format!("{url}/readyz"), Duration::from_secs(5));
            if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                return Ok(true);
            }
            let waited = start.elapsed();
            let said = match answer {
                Ok(answer) => {
                    answer.json()["detail"].as_str().unwrap_or("it does not know /readyz").to_owned()
                }
                Err(_) => "it compiles the components".to_owned(),
            };
            if waited > READY_TIME {
                bail!("not ready after {}: {said}", human(waited));
            }
            // Told after 5 s, then when it changes, else twice a minute.
            if waited >= told.1 && (said != told.0 || waited >= told.1 + Duration::from_secs(30)) {
                say(&format!("    not ready yet: {said}"));
                told = (said, waited);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the runtime: it finishes what is in flight.
    pub fn stop(self) {
        self.runtime.stop(STOP_TIME);
    }
}

/// The address to listen on, with a free port where none is named; a taken one is told in a sentence.
pub fn free_address(listen: SocketAddr) -> Result<SocketAddr> {
    match TcpListener::bind(listen) {
        Ok(listener) => Ok(listener.local_addr()?),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {} is taken by another program: stop it, or choose another with --listen {}:{}",
            listen.port(),
            listen.ip(),
            listen.port().saturating_add(1)
        ),
        Err(error) => bail!("cannot listen on {listen}: {error}; choose another address with --listen"),
    }
}

/// The URL that reaches `listen` from this machine.
pub fn local_url(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_a_url_that_reaches_it() {
        let url = |text: &str| local_url(text.parse().unwrap());
        assert_eq!(url("127.0.0.1:3000"), "http://127.0.0.1:3000");
        assert_eq!(url("0.0.0.0:3000"), "http://127.0.0.1:3000");
        assert_eq!(url("[::]:80"), "http://[::1]:80");
    }

    #[test]
    fn a_taken_port_is_told_in_one_sentence() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let said = free_address(taken.local_addr().unwrap()).unwrap_err().to_string();
        assert!(said.contains("is taken by another program") && said.contains("--listen"), "{said}");
        assert_ne!(free_address("127.0.0.1:0".parse().unwrap()).unwrap().port(), 0);
    }
}
