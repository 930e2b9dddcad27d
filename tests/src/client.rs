//! A person at a client.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

use crate::stack::Stack;

/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody with a token, or nobody.
#[derive(Clone, Debug)]
pub struct Person {
    /// Where the application is.
    pub url: String,
    /// Their address.
    pub email: String,
    /// Their handle.
    pub handle: String,
    /// Their id.
    pub id: String,
    /// Their access token; empty for nobody.
    pub token: String,
    /// Their refresh token.
    pub refresh_token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Answer {
    /// The header `name` as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The `code` of a problem document; empty where it is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// The items of a page.
    ///
    /// # Panics
    /// Where the answer is no page.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no page: {self:?}"))
    }

    /// This answer, where it has `status`.
    ///
    /// # Panics
    /// Where it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// This answer, where it is a problem document with `status` and `code` and nothing internal.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["requestId"], self.header("x-request-id"));
        self
    }
}

/// The HTTP client of all tests. A status is an answer, not an error.
pub fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .build();
        config.into()
    })
}

/// What came back from somewhere else than the application, such as the object store.
#[derive(Debug)]
pub struct Raw {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Raw {
    /// The header `name` as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// This answer, where it has `status`.
    ///
    /// # Panics
    /// Where it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, String::from_utf8_lossy(&self.body));
        self
    }
}

/// One request to any address, without a token. A status is an answer, not an error.
///
/// # Errors
/// Where no answer comes, or it breaks off.
pub fn fetch(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> anyhow::Result<Raw> {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match method {
        "PUT" | "POST" | "PATCH" => agent().run(request.body(body)?)?,
        _ => agent().run(request.body(())?)?,
    };
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
    Ok(Raw { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// Sends bytes to the presigned address of `POST /upload-url`'s answer, with the headers it names. The length is that
/// of the bytes, whatever the answer says, so that a test can send others than it declared.
///
/// # Errors
/// Where no answer comes.
pub fn upload(answer: &Value, bytes: &[u8]) -> anyhow::Result<Raw> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let url = text(&answer["url"]).ok_or_else(|| anyhow::anyhow!("no address to upload to: {answer}"))?;
    let headers: Vec<(String, String)> = answer["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !matches!(name.to_ascii_lowercase().as_str(), "content-length" | "host"))
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fetch(answer["method"].as_str().unwrap_or("PUT"), &url, &headers, bytes)
}

static NUMBERS: AtomicU32 = AtomicU32::new(0);

impl Person {
    /// Registers somebody new at `stack`.
    ///
    /// # Panics
    /// Where that fails.
    #[track_caller]
    pub fn register(stack: &Stack, name: &str) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (email, handle) = (format!("{name}{number}@example.com"), format!("{name}_{number}"));
        let body = json!({ "email": email, "password": PASSWORD, "handle": handle, "displayName": name });
        let session = Self::anonymous(&stack.url).post("/auth/register", body).expect(201);
        Self { email, handle, ..Self::from_session(&stack.url, &session.body) }
    }

    /// Whom a `Session` signs in.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub fn from_session(url: &str, session: &Value) -> Self {
        let text =
            |value: &Value| value.as_str().unwrap_or_else(|| panic!("no session: {session}")).to_owned();
        Self {
            url: url.to_owned(),
            email: session["user"]["email"].as_str().unwrap_or_default().to_owned(),
            handle: session["user"]["handle"].as_str().unwrap_or_default().to_owned(),
            id: text(&session["user"]["id"]),
            token: text(&session["accessToken"]),
            refresh_token: text(&session["refreshToken"]),
        }
    }

    /// Nobody.
    pub fn anonymous(url: &str) -> Self {
        let nothing = String::new;
        Self {
            url: url.to_owned(),
            email: nothing(),
            handle: nothing(),
            id: nothing(),
            token: nothing(),
            refresh_token: nothing(),
        }
    }

    /// The same person with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// One request. A null body sends none.
    ///
    /// # Panics
    /// Where no answer comes.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let json = [("content-type", "application/json")];
        let headers: Vec<_> = if body.is_null() { headers.to_vec() } else { [&json[..], headers].concat() };
        self.send_bytes(method, path, &headers, bytes)
    }

    /// [`Person::send`] with any body.
    ///
    /// # Panics
    /// Where no answer comes.
    #[track_caller]
    pub fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// [`Person::send_bytes`], where the application may be gone.
    ///
    /// # Errors
    /// Where no answer comes.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match (method, body.is_empty()) {
            ("GET" | "HEAD" | "OPTIONS" | "DELETE", true) => agent().run(request.body(())?)?,
            _ => agent().run(request.body(body)?)?,
        };
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    /// `GET path`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Value::Null)
    }

    /// `POST path`.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], body)
    }

    /// `PATCH path`.
    #[track_caller]
    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &[], body)
    }

    /// `DELETE path`.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], Value::Null)
    }

    /// Follows somebody.
    #[track_caller]
    pub fn follow(&self, other: &Self) -> Answer {
        self.post("/follow", json!({ "userId": other.id })).expect(200)
    }

    /// Publishes a post; its id.
    #[track_caller]
    pub fn publish(&self, text: &str) -> String {
        let post = self.post("/posts", json!({ "text": text })).expect(201);
        post.body["id"].as_str().unwrap_or_default().to_owned()
    }

    /// The ids of a page, all pages of it, `limit` at a time.
    #[track_caller]
    pub fn all(&self, path: &str, limit: u32) -> Vec<String> {
        let mut ids = Vec::new();
        let mut cursor = String::new();
        let glue = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{glue}limit={limit}{cursor}")).expect(200);
            ids.extend(page.items().iter().map(|item| item["id"].as_str().unwrap_or_default().to_owned()));
            match page.body["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    }
}
