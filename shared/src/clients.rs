//! Typed calls to other services. Chained inside Spin, over the network where a service is
//! deployed apart; either way with a time limit, since Spin has none.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Request, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{ApiError, Problem};
use crate::ids::Id;
use crate::jwks::Jwks;
use crate::people::Person;
use crate::platform::sleep;
use crate::trace::Trace;

/// How long another service may take, unless a call says otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Answers of services larger than this are refused.
const ANSWER_LIMIT: usize = 16 << 20;

/// Why a call brought nothing.
#[derive(Debug)]
pub enum ClientError {
    /// The service answered with a problem.
    Answered(Box<Problem>),
    /// It did not answer, or not in the form agreed.
    Failed(anyhow::Error),
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(problem) => write!(f, "answered {} {}", problem.status, problem.code),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<ClientError> for ApiError {
    /// A 4xx of the service is the client's to know; anything else is ours.
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Answered(problem)
                if (400..500).contains(&problem.status) && problem.status != 401 =>
            {
                let status =
                    http::StatusCode::from_u16(problem.status).unwrap_or(http::StatusCode::BAD_REQUEST);
                let mut error = ApiError::new(status, problem.code, problem.detail);
                error.fields = problem.errors;
                error
            }
            other => ApiError::unavailable(other),
        }
    }
}

/// Sends a request to anywhere, with a time limit and a bound on the answer.
pub async fn send(
    app: &App,
    request: Request<Bytes>,
    limit: Duration,
) -> Result<http::Response<Bytes>, anyhow::Error> {
    send_bounded(app, request, limit, ANSWER_LIMIT).await
}

/// [`send`], with an answer of at most `bytes`: for hosts that are not ours.
pub async fn send_bounded(
    app: &App,
    request: Request<Bytes>,
    limit: Duration,
    bytes: usize,
) -> Result<http::Response<Bytes>, anyhow::Error> {
    let call = std::pin::pin!(app.platform.send(request, bytes));
    match select(call, std::pin::pin!(sleep(limit))).await {
        Either::Left((answer, _)) => answer.map_err(|error| anyhow::anyhow!(error)),
        Either::Right(_) => Err(anyhow::anyhow!("no answer within {} s", limit.as_secs_f32())),
    }
}

/// A service, by name, called with the service token and the trace of the request at hand.
pub struct Client<'a> {
    app: &'a App,
    trace: &'a Trace,
    service: &'static str,
}

impl<'a> Client<'a> {
    /// The service called `service`.
    pub fn new(app: &'a App, trace: &'a Trace, service: &'static str) -> Self {
        Self { app, trace, service }
    }

    /// `GET path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, Bytes::new(), TIME_LIMIT).await
    }

    /// [`Client::get`] with a time limit of its own.
    pub async fn get_within<T: DeserializeOwned>(
        &self,
        path: &str,
        limit: Duration,
    ) -> Result<T, ClientError> {
        self.call(Method::GET, path, Bytes::new(), limit).await
    }

    /// `POST path` with a JSON body.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.post_within(path, body, TIME_LIMIT).await
    }

    /// [`Client::post`] with a time limit of its own.
    pub async fn post_within<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Failed(error.into()))?;
        self.call(Method::POST, path, body.into(), limit).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let failed = |error: anyhow::Error| {
            ClientError::Failed(error.context(format!("{} {path} of {}", "calling", self.service)))
        };
        let url = format!("{}{path}", self.app.config.service_url(self.service));
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.app.config.get("internal_token")))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| failed(error.into()))?;
        self.trace.apply(request.headers_mut());
        let answer = send(self.app, request, limit).await.map_err(failed)?;
        if answer.status().is_success() {
            let body = if answer.body().is_empty() { b"null" } else { answer.body().as_ref() };
            return serde_json::from_slice(body).map_err(|error| failed(error.into()));
        }
        match serde_json::from_slice::<Problem>(answer.body()) {
            Ok(problem) => Err(ClientError::Answered(Box::new(problem))),
            Err(_) => Err(failed(anyhow::anyhow!("status {}", answer.status()))),
        }
    }
}

/// `users`: who people are.
pub struct Users<'a>(Client<'a>);

/// An outside identity that calls: `POST /internal/identities` of users.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// `email`, where the issuer tells one.
    pub email: Option<String>,
    /// `email_verified`.
    pub email_verified: bool,
}

/// An answer that is an id.
#[derive(Debug, Serialize, Deserialize)]
pub struct IdAnswer {
    /// The id.
    pub id: Id,
}

/// Who registers with the built-in issuer: `POST /internal/people` of users.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPerson {
    /// Their id, made by `auth`; sent again it names the same person.
    pub id: Id,
    /// Lower case, checked by `auth`.
    pub email: String,
    /// The handle asked for, as given.
    pub handle: Option<String>,
    /// At most 50 characters.
    pub display_name: Option<String>,
    /// The invite they came by.
    pub invite_code: Option<String>,
}

impl<'a> Users<'a> {
    /// The users service.
    pub fn new(app: &'a App, trace: &'a Trace) -> Self {
        Self(Client::new(app, trace, "users"))
    }

    /// The person `id`, deleted and suspended ones included.
    pub async fn person(&self, id: Id) -> Result<Person, ClientError> {
        self.0.get(&format!("/internal/people/{id}")).await
    }

    /// The person who has the handle now.
    pub async fn person_by_handle(&self, handle: &str) -> Result<Person, ClientError> {
        let handle: String = url::form_urlencoded::byte_serialize(handle.as_bytes()).collect();
        self.0.get(&format!("/internal/people?handle={handle}")).await
    }

    /// Creates who registers; again with the same id, answers the same. The answer is their `Me`.
    pub async fn create_person(&self, person: &NewPerson) -> Result<serde_json::Value, ClientError> {
        self.0.post("/internal/people", person).await
    }

    /// `Me` of a person, for a session.
    pub async fn me(&self, id: Id) -> Result<serde_json::Value, ClientError> {
        self.0.get(&format!("/internal/people/{id}/me")).await
    }

    /// The person of an outside identity, created at their first call.
    pub async fn identify(&self, identity: &Identity) -> Result<Id, ClientError> {
        self.0.post::<IdAnswer>("/internal/identities", identity).await.map(|answer| answer.id)
    }
}

/// `auth`: whose keys sign tokens.
pub struct Auth<'a>(Client<'a>);

impl<'a> Auth<'a> {
    /// The auth service.
    pub fn new(app: &'a App, trace: &'a Trace) -> Self {
        Self(Client::new(app, trace, "auth"))
    }

    /// The keys tokens are verified with: ours, or those of the outside issuer, which `auth` alone
    /// fetches. `kid` names a key the caller misses, so that `auth` looks again.
    pub async fn keys(&self, kid: &str) -> Result<Jwks, ClientError> {
        let kid: String = url::form_urlencoded::byte_serialize(kid.as_bytes()).collect();
        self.0.get(&format!("/internal/keys?kid={kid}")).await
    }
}

/// `media`: what people upload.
pub struct MediaStore<'a>(Client<'a>);

/// Somebody is about to use what they uploaded: `POST /internal/claims` of media.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClaimIn {
    /// Whose they are.
    pub owner: Id,
    /// `post` or `avatar`.
    pub purpose: String,
    /// Keys, as given.
    pub keys: Vec<String>,
    /// The field of the caller's body that each key stands in, for the problem document.
    pub fields: Vec<String>,
}

/// How far a media is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedMedia {
    /// Names it.
    pub key: Id,
    /// `queued`, `processing` or `ready`.
    pub status: String,
    /// The template of what is answered (see [`crate::media`]), without `alt`.
    pub media: serde_json::Value,
    /// Where an avatar is shown, once it is ready.
    pub avatar_url: Option<String>,
}

/// The answer to a [`ClaimIn`].
#[derive(Debug, Deserialize)]
struct Claimed {
    items: Vec<ClaimedMedia>,
}

impl<'a> MediaStore<'a> {
    /// Looking for an upload and waiting for a picture take longer than other calls.
    const CLAIM_TIME: Duration = Duration::from_secs(15);

    /// The media service.
    pub fn new(app: &'a App, trace: &'a Trace) -> Self {
        Self(Client::new(app, trace, "media"))
    }

    /// How far each of the caller's uploads is, in the order asked; 422 where one cannot be used.
    pub async fn claim(&self, claim: &ClaimIn) -> Result<Vec<ClaimedMedia>, ClientError> {
        self.0
            .post_within::<Claimed>("/internal/claims", claim, Self::CLAIM_TIME)
            .await
            .map(|claimed| claimed.items)
    }
}
