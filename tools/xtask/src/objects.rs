//! The local S3 server of an `up`.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::Process;
use crate::project::objects;
use crate::stack::local_url;
use crate::state::State;

/// The bucket of every `up`.
pub const BUCKET: &str = "scooterbooter";
/// The server opens a folder and a port, no more.
const START_TIME: Duration = Duration::from_secs(20);
/// The server finishes what is in flight for 5 s.
const STOP_TIME: Duration = Duration::from_secs(7);

/// The running server.
pub struct Objects {
    process: Process,
    /// Where it answers.
    pub url: String,
}

impl Objects {
    /// Starts the server on the folder `objects` of `state`, with the credentials kept there.
    pub fn start(state: &State, ip: IpAddr) -> Result<Self> {
        let secrets = state.secrets()?;
        let secret = |name: &str| secrets.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let listen = address(ip, state.running().and_then(|running| port_of(&running.objects)));
        let mut command = Command::new(objects());
        command
            .args(["--bucket", BUCKET, "--listen", &listen.to_string(), "--folder"])
            .arg(state.objects())
            .stdout(Stdio::piped());
        for (variable, name) in [
            ("SCOOTERBOOTER_S3_ACCESS_KEY_ID", "s3_access_key_id"),
            ("SCOOTERBOOTER_S3_SECRET_ACCESS_KEY", "s3_secret_access_key"),
        ] {
            command.env(variable, secret(name).context("the state holds no credentials")?);
        }
        let mut process = Process::start(&mut command)?;
        let out = process.child.stdout.take().context("the S3 server has no output")?;
        let (told, heard) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(out).read_line(&mut line);
            let _ = told.send(line);
        });
        let line = heard.recv_timeout(START_TIME).unwrap_or_default();
        let Some(at) = line.trim().strip_prefix("Serving http://") else {
            bail!("the local S3 server does not start; it says why above");
        };
        let url = local_url(at.parse().with_context(|| format!("the S3 server says `{at}`"))?);
        Ok(Self { process, url })
    }

    /// How the server ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Ends the server.
    pub fn stop(self) {
        self.process.stop(STOP_TIME);
    }
}

/// Where to listen: at the port of the last run, so that links given out then stay good, where it is free.
fn address(ip: IpAddr, last: Option<u16>) -> SocketAddr {
    let last = last.map(|port| SocketAddr::new(ip, port)).filter(|at| TcpListener::bind(at).is_ok());
    last.unwrap_or(SocketAddr::new(ip, 0))
}

/// The port at the end of an address.
fn port_of(url: &str) -> Option<u16> {
    url.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_last_run_is_taken_again_where_it_is_free() {
        let ip = "127.0.0.1".parse().unwrap();
        let taken = TcpListener::bind((ip, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(address(ip, Some(port)).port(), 0);
        drop(taken);
        assert_eq!(address(ip, port_of(&format!("http://127.0.0.1:{port}"))).port(), port);
        assert_eq!(address(ip, port_of("")).port(), 0);
    }
}
