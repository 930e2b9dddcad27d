//! The worker's routes of `media`.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;

use crate::failure::Failure;
use crate::wire::{Kind, Lease, Leased, Result as Made};

/// How long the server may keep a request for a job waiting, in seconds: short of the 20 it would, because a runtime that
/// stops lets what is in flight come to its end.
const WAIT: u64 = 5;
/// A list of segments has two megabytes at the most; an answer is far smaller.
const LARGEST_ANSWER: u64 = 4 << 20;

/// What came of a request.
#[derive(Debug)]
pub enum Trouble {
    /// No answer, or one that a server gives in passing; another try may succeed.
    Passing(anyhow::Error),
    /// Another worker has the job, or nobody.
    LeaseLost,
    /// The token is not the application's.
    Refused,
    /// An answer that no other try will change.
    Final(anyhow::Error),
}

/// What a heartbeat answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Nobody wants the result any more.
    pub cancelled: bool,
}

/// Talks to one application.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    authorization: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is never printed.
        formatter.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What is the same for every connection. Nobody is followed anywhere: neither the token nor a presigned URL is
/// meant for another host.
pub(crate) fn agent() -> ConfigBuilder<AgentScope> {
    Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(Duration::from_secs(10)))
        .user_agent(concat!("scooterbooter-transcoder/", env!("CARGO_PKG_VERSION")))
}

/// An error of a connection, without the URL that some of them carry.
pub(crate) fn told(error: &ureq::Error) -> anyhow::Error {
    match error {
        ureq::Error::Io(error) => anyhow!("{}", error.kind()),
        ureq::Error::Timeout(_) => anyhow!("no answer in time"),
        ureq::Error::HostNotFound => anyhow!("the host is not known"),
        ureq::Error::ConnectionFailed => anyhow!("the connection cannot be made"),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => anyhow!("the certificate is not accepted"),
        ureq::Error::BadUri(_) => anyhow!("the URL cannot be read"),
        _ => anyhow!("the request failed"),
    }
}

impl Client {
    /// A client of the application at `url`.
    pub fn new(url: &str, token: &str) -> Self {
        Self { agent: agent().build().into(), url: url.to_owned(), authorization: format!("Bearer {token}") }
    }

    /// Waits for a job.
    pub fn lease(&self, worker: &str, kinds: &[Kind]) -> Result<Option<Lease>, Trouble> {
        let body = json!({"worker": worker, "kinds": kinds, "waitSeconds": WAIT});
        let text = self.post("/worker/lease", &body, Duration::from_secs(WAIT + 15))?;
        match serde_json::from_str::<Leased>(&text) {
            Ok(leased) => Ok(leased.job),
            // Without its position, which would show a piece of the answer.
            Err(error) => {
                Err(Trouble::Final(anyhow!("a lease that cannot be read ({:?} error)", error.classify())))
            }
        }
    }

    /// Keeps a job, and tells how far it is.
    pub fn heartbeat(&self, lease: &Lease, progress: u8) -> Result<Beat, Trouble> {
        let body = json!({"fence": lease.fence, "progress": progress});
        let text =
            self.post(&format!("/worker/jobs/{}/heartbeat", lease.id), &body, Duration::from_secs(10))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(Beat { cancelled: answer["cancelled"] == true })
    }

    /// Tells what was made, after everything is uploaded.
    pub fn complete(&self, lease: &Lease, result: &Made) -> Result<(), Trouble> {
        let body = json!({"fence": lease.fence, "result": result});
        self.post(&format!("/worker/jobs/{}/complete", lease.id), &body, Duration::from_secs(30)).map(|_| ())
    }

    /// Tells why nothing was made.
    pub fn fail(&self, lease: &Lease, failure: &Failure) -> Result<(), Trouble> {
        let permanent = failure.code.is_permanent();
        let body = json!({
            "fence": lease.fence, "code": failure.code.as_str(), "detail": failure.detail, "permanent": permanent,
        });
        self.post(&format!("/worker/jobs/{}/fail", lease.id), &body, Duration::from_secs(10)).map(|_| ())
    }

    fn post(&self, path: &str, body: &Value, time: Duration) -> Result<String, Trouble> {
        let request =
            self.agent.post(format!("{}{path}", self.url)).config().timeout_global(Some(time)).build();
        let request =
            request.header("authorization", &self.authorization).header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).map_err(|error| Trouble::Passing(told(&error)))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => {
                let body = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
                body.map_err(|error| Trouble::Passing(told(&error)))
            }
            // A job that is not known was deleted with its media.
            404 | 409 if path != "/worker/lease" => Err(Trouble::LeaseLost),
            401 | 403 => Err(Trouble::Refused),
            404 => Err(Trouble::Passing(anyhow!(
                "there is no /worker/lease: --url names no ScooterBooter application"
            ))),
            408 | 429 | 500.. => Err(Trouble::Passing(anyhow!("the application answered {status}"))),
            _ => Err(Trouble::Final(anyhow!("the application answered {status}"))),
        }
    }
}
