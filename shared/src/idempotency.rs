//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07) on every `POST`.
//!
//! A key is claimed, the request runs, its answer is kept. Each write of the request commits
//! together with a note of what it returned, so a request that died after a write and is sent again
//! runs through its handler once more, with each noted write answered from the note: the effect
//! happens once, whatever crashed in between. Kept answers may hold tokens, so they are sealed under
//! a secret that only the client has: the key and the body it sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::app::Ctx;
use crate::auth::{Verified, bearer_token};
use crate::db::{Db, DbError, Value, first_text};
use crate::error::{ApiError, ApiResult};
use crate::ids::random_token;
use crate::params;
use crate::trace::log;

/// How long a claim keeps others away. Short, because a claim whose holder died is only in the
/// way; two runs at once would still have each effect once.
const LEASE: Duration = Duration::from_secs(5);
/// How long answers are kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

const CLAIM: &str = "insert into idempotency (scope, key, fingerprint, state, lease_until, created_at)
    values (?1, ?2, ?3, 'running', ?5, ?4)
    on conflict (scope, key) do update set
        effects = iif(created_at < ?6, '[]', effects), fingerprint = excluded.fingerprint,
        state = 'running', answer = null, lease_until = excluded.lease_until,
        created_at = iif(created_at < ?6, excluded.created_at, created_at)
    where idempotency.created_at < ?6
       or (idempotency.state = 'running' and idempotency.lease_until < ?4
           and idempotency.fingerprint = excluded.fingerprint)
    returning effects";

const LOOK: &str = "select json_object('state', state, 'fingerprint', fingerprint, 'answer', answer)
    from idempotency where scope = ?1 and key = ?2";

const NOTE: &str = "update idempotency set effects = json_insert(effects, '$[#]', json(?4))
    where scope = ?1 and key = ?2 and json_array_length(effects) = ?3 returning 1";

const KEEP: &str = "update idempotency set state = 'done', answer = ?3 where scope = ?1 and key = ?2";

// With a note in it the row must stay; without one it was as if never asked.
const RELEASE: &str = "update idempotency set lease_until = 0 where scope = ?1 and key = ?2";
const FORGET: &str = "delete from idempotency where scope = ?1 and key = ?2 and effects = '[]'";

/// The writes of one request under a key: those noted by a run that died, and this one's.
pub struct Effects {
    scope: String,
    key: String,
    noted: Vec<Option<String>>,
    next: AtomicUsize,
}

impl Effects {
    /// Whether the next write was noted by a run before.
    pub(crate) fn is_noted(&self) -> bool {
        self.next.load(Ordering::Acquire) < self.noted.len()
    }

    /// Runs a write and notes what it returned, in one transaction; or answers from the note.
    pub(crate) async fn once(
        &self,
        db: &Db,
        sql: &str,
        params: Vec<Value>,
    ) -> Result<Option<String>, DbError> {
        let step = self.next.fetch_add(1, Ordering::AcqRel);
        if let Some(noted) = self.noted.get(step) {
            return Ok(noted.clone());
        }
        let mut returned = None;
        let noted = db
            .transaction(
                (sql, params),
                |rows| {
                    returned = first_text(rows);
                    let step = i64::try_from(step).unwrap_or(i64::MAX);
                    let note = serde_json::json!(returned).to_string();
                    (NOTE, params![self.scope.as_str(), self.key.as_str(), step, note])
                },
                |noted| !noted.is_empty(),
            )
            .await?;
        // No note means that another run of the same request got here first: its effect stands,
        // and `transaction` rolled ours back.
        if noted { Ok(returned) } else { Err(DbError::Busy) }
    }
}

#[derive(Deserialize)]
struct Row {
    state: String,
    fingerprint: String,
    answer: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// What to do with a request.
pub(crate) enum Guarded {
    /// Run it; and keep its answer under the claim, where it has one.
    Run(Request, Option<Claim>),
    /// It ran before: this was its answer.
    Replayed(Response),
}

/// A claimed key.
pub(crate) struct Claim {
    effects: Arc<Effects>,
    seal: Seal,
}

/// Claims the key of the request, where it has one.
pub(crate) async fn guard(app: &Ctx, mut request: Request, body: &Bytes) -> ApiResult<Guarded> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(Guarded::Run(request, None));
    };
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let key =
        key.ok_or_else(|| ApiError::invalid("Idempotency-Key", "must be 1 to 255 characters"))?.to_owned();
    // The edge verified the token, where there is a good one; a bad one is the handler's to refuse.
    let caller = match (request.extensions().get::<Verified>(), bearer_token(request.extensions())) {
        (Some(verified), _) => verified.user.to_string(),
        (None, Ok(None)) => sender_of(body),
        (None, _) => return Ok(Guarded::Run(request, None)),
    };
    let scope = format!("{caller} {}", request.uri().path());
    let seal = Seal::new(&key, body);
    let key = hex(&hmac_sha256::Hash::hash(key.as_bytes()));
    let fingerprint = hex(&hmac_sha256::HMAC::mac(body, b"fingerprint"));
    let now = app.now();
    let claim = params![
        scope.as_str(),
        key.as_str(),
        fingerprint.as_str(),
        now.millis(),
        now.plus(LEASE).millis(),
        now.minus(KEPT).millis()
    ];
    let Some(noted) = app.db.read_as::<Vec<Option<String>>>(CLAIM, claim).await? else {
        return replay(app, &scope, &key, &fingerprint, &seal).await.map(Guarded::Replayed);
    };
    let effects = Arc::new(Effects { scope, key, noted, next: AtomicUsize::new(0) });
    request.extensions_mut().insert(effects.clone());
    Ok(Guarded::Run(request, Some(Claim { effects, seal })))
}

impl Claim {
    /// Keeps the answer for 24 h; lets the key go where the answer is a 5xx or 429.
    pub(crate) async fn keep(self, app: &Ctx, response: Response) -> Response {
        let Self { effects, seal } = self;
        let (response, answer) = read_answer(response).await;
        let at = params![effects.scope.as_str(), effects.key.as_str()];
        let kept =
            if response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS {
                let released = app.db.rows(RELEASE, at.clone()).await;
                released.and(app.db.rows(FORGET, at).await)
            } else {
                let sealed = seal.close(&serde_json::to_string(&answer).unwrap_or_default());
                app.db.rows(KEEP, params![effects.scope.as_str(), effects.key.as_str(), sealed]).await
            };
        if let Err(error) = kept {
            // The effect is noted, so a retry is safe all the same.
            log(
                "warn",
                app.service.name,
                "answer not kept",
                serde_json::json!({ "error": error.to_string() }),
            );
        }
        response
    }
}

async fn replay(app: &Ctx, scope: &str, key: &str, fingerprint: &str, seal: &Seal) -> ApiResult<Response> {
    let row = app.db.read_as::<Row>(LOOK, params![scope, key]).await?;
    let in_progress = || {
        ApiError::conflict("idempotency_in_progress", "The first request with this key still runs.")
            .header(header::RETRY_AFTER, "1")
    };
    let row = row.ok_or_else(in_progress)?;
    if row.fingerprint != fingerprint {
        return Err(ApiError::unprocessable(
            "idempotency_mismatch",
            "This Idempotency-Key was used with another body.",
        )
        .field("Idempotency-Key", "was used with another body"));
    }
    if row.state != "done" {
        return Err(in_progress());
    }
    let answer = row.answer.as_deref().and_then(|sealed| seal.open(sealed));
    let answer: Answer = answer
        .and_then(|json| serde_json::from_str(&json).ok())
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("a kept answer cannot be read")))?;
    let mut response =
        (StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK), answer.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// Whose key it is on an open route: the one's whose address the body names, or else whoever sends
/// that body, so that strangers who picked the same key do not meet.
fn sender_of(body: &Bytes) -> String {
    #[derive(Deserialize)]
    struct HasEmail {
        email: String,
    }
    let named = serde_json::from_slice::<HasEmail>(body).ok();
    hex(&match named {
        Some(named) => hmac_sha256::Hash::hash(named.email.trim().to_lowercase().as_bytes()),
        None => hmac_sha256::HMAC::mac(body, b"scope"),
    })
}

async fn read_answer(response: Response) -> (Response, Answer) {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    let answer = Answer { status: parts.status.as_u16(), headers, body };
    (Response::from_parts(parts, Body::from(bytes)), answer)
}

/// Seals an answer with a key stream of HMAC-SHA256 in counter mode. The stream belongs to one key,
/// one body and one nonce, and what it hides leaves the database only to who sent both.
struct Seal([u8; 32]);

impl Seal {
    fn new(key: &str, body: &[u8]) -> Self {
        let mut mac = hmac_sha256::HMAC::new(key.as_bytes());
        mac.update(b"seal");
        mac.update(body);
        Self(mac.finalize())
    }

    fn stream(&self, nonce: &str, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for (count, chunk) in text.chunks(32).enumerate() {
            let mut mac = hmac_sha256::HMAC::new(self.0);
            mac.update(nonce.as_bytes());
            mac.update(u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
            out.extend(chunk.iter().zip(mac.finalize()).map(|(byte, mask)| byte ^ mask));
        }
        out
    }

    fn close(&self, text: &str) -> String {
        let nonce = random_token(12);
        let sealed = STANDARD.encode(self.stream(&nonce, text.as_bytes()));
        format!("{nonce}.{sealed}")
    }

    fn open(&self, sealed: &str) -> Option<String> {
        let (nonce, sealed) = sealed.split_once('.')?;
        String::from_utf8(self.stream(nonce, &STANDARD.decode(sealed).ok()?)).ok()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_answer_opens_only_for_who_sent_the_same_key_and_body() {
        let sealed = Seal::new("k", b"{}").close("a secret of some length, longer than a block");
        assert!(!sealed.contains("secret"));
        let opened = Seal::new("k", b"{}").open(&sealed);
        assert_eq!(opened.as_deref(), Some("a secret of some length, longer than a block"));
        assert_ne!(Seal::new("k", b"{ }").open(&sealed), opened);
        assert_ne!(Seal::new("l", b"{}").open(&sealed), opened);
    }
}
