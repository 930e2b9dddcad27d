//! Push services and a browser that decrypts.

use std::sync::{Arc, Mutex};

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac_sha256::HKDF;
use http::{HeaderMap, StatusCode};
use jwt_simple::prelude::{ECDSAP256PublicKeyLike, ES256PublicKey, NoCustomClaims};
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use serde_json::{Value, json};

use crate::House;

/// A request that came in.
pub struct Came {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Came {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Answer = Arc<dyn Fn(&Came) -> Response + Send + Sync>;

/// A host that keeps what comes and answers as told.
#[derive(Clone)]
pub struct Host {
    came: Arc<Mutex<Vec<Came>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Host {
    /// One at `authority`.
    pub fn at(house: &House, authority: &str) -> Self {
        let host = Self { came: Arc::default(), answer: Arc::new(Mutex::new(status(201, &[]))) };
        let kept = host.clone();
        let routes = axum::Router::new().fallback(async move |request: Request| kept.take(request).await);
        house.world.platform.mesh.lock().unwrap().insert(authority.to_owned(), routes);
        host
    }

    async fn take(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let came = Came { path: parts.uri.path().to_owned(), headers: parts.headers, body };
        let answer = self.answer.lock().unwrap().clone();
        let response = answer(&came);
        self.came.lock().unwrap().push(came);
        response
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What came since it was asked last.
    pub fn take_all(&self) -> Vec<Came> {
        std::mem::take(&mut *self.came.lock().unwrap())
    }
}

/// An answer without a body.
pub fn status(status: u16, headers: &'static [(&'static str, &'static str)]) -> Answer {
    Arc::new(move |_| {
        let mut response = StatusCode::from_u16(status).unwrap().into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    })
}

/// An answer with a body.
pub fn says(status: u16, body: impl Into<String>) -> Answer {
    let body = body.into();
    Arc::new(move |_| (StatusCode::from_u16(status).unwrap(), Body::from(body.clone())).into_response())
}

/// A browser with a subscription at `https://push.example.com/<name>`.
pub struct Browser {
    pub name: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    pub fn new(name: &str) -> Self {
        let mut secret = [7; 32];
        getrandom::fill(&mut secret[1..]).unwrap();
        Self { name: name.to_owned(), secret: SecretKey::from_slice(&secret).unwrap(), auth: [9; 16] }
    }

    pub fn endpoint(&self) -> String {
        format!("https://push.example.com/{}", self.name)
    }

    /// The body of `/push/register`.
    pub fn subscription(&self) -> Value {
        let point = self.secret.public_key().to_encoded_point(false);
        json!({ "provider": "webpush", "subscription": { "endpoint": self.endpoint(), "expirationTime": null,
            "keys": { "p256dh": URL_SAFE_NO_PAD.encode(point), "auth": URL_SAFE_NO_PAD.encode(self.auth) } } })
    }

    /// Registers it for somebody; its id.
    pub async fn register(&self, house: &House, who: usize) -> String {
        let answer = house.post("/push/register", who, self.subscription()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Puts it where a registration does, where the clock was moved and no token is good.
    pub async fn put(&self, house: &House, who: usize) {
        let keys = &self.subscription()["subscription"]["keys"];
        let text = |name: &str| keys[name].as_str().unwrap().to_owned();
        let insert = "insert into push_endpoints (id, person, provider, address, p256dh, auth, registered_at)
            select ?2, pk, 'webpush', ?2, ?3, ?4, '' from people where id = ?1";
        let params = shared::params![house.ids[who], self.endpoint(), text("p256dh"), text("auth")];
        house.world.app("notifications").db.rows(insert, params).await.unwrap();
    }

    /// Opens what came (RFC 8291, RFC 8188); `None` where it is sealed for another.
    pub fn try_open(&self, body: &[u8]) -> Option<Value> {
        let (salt, rest) = body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert_eq!((size, rest[0]), (&4096_u32.to_be_bytes()[..], 65));
        let (theirs, sealed) = rest[1..].split_at(65);
        let agreed = diffie_hellman(
            self.secret.to_nonzero_scalar(),
            PublicKey::from_sec1_bytes(theirs).unwrap().as_affine(),
        );
        let own = self.secret.public_key().to_encoded_point(false);
        let mut input = [0; 32];
        let info = [b"WebPush: info\0", own.as_bytes(), theirs].concat();
        HKDF::expand(&mut input, HKDF::extract(self.auth, agreed.raw_secret_bytes()), info);
        let secret = HKDF::extract(salt, input);
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        HKDF::expand(&mut key, secret, b"Content-Encoding: aes128gcm\0");
        HKDF::expand(&mut nonce, secret, b"Content-Encoding: nonce\0");
        let mut plain = Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), sealed).ok()?;
        assert_eq!(plain.pop(), Some(2), "the end of the last record");
        Some(serde_json::from_slice(&plain).unwrap())
    }

    pub fn open(&self, came: &Came) -> Value {
        self.try_open(&came.body).expect("it is sealed for this one")
    }
}

/// Checks who signed for `origin` (RFC 8292) and answers with the key and the contact.
pub fn check_signature(came: &Came, origin: &str) -> (String, String) {
    let signed = came.header("authorization").strip_prefix("vapid t=").unwrap();
    let (token, key) = signed.split_once(", k=").unwrap();
    let public = ES256PublicKey::from_bytes(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let claims = public.verify_token::<NoCustomClaims>(token, None).unwrap();
    let audience = claims.audiences.unwrap().into_string().unwrap();
    assert_eq!(audience, origin);
    let lives = claims.expires_at.unwrap().as_secs() - claims.issued_at.unwrap().as_secs();
    assert!(lives <= 24 * 3600, "{lives}");
    (key.to_owned(), claims.subject.unwrap())
}
