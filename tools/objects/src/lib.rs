#![doc = include_str!("../README.md")]

mod body;
mod cors;
mod folder;
mod listing;
mod note;
pub mod options;
mod s3;
mod server;
mod uploads;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use s3s::auth::SimpleAuth;
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result};

use crate::folder::Folder;
pub use crate::server::serve;

/// The S3 server on one folder, with one bucket and one pair of credentials. Clones share the folder.
#[derive(Clone)]
pub struct Objects {
    service: S3Service,
}

impl Objects {
    /// Opens the folder, and makes it and the bucket in it where they are missing.
    ///
    /// # Errors
    /// Where the name is none a bucket may have, a credential is empty, the folder cannot be written, or another
    /// process serves it.
    pub fn open(folder: &Path, bucket: &str, access_key_id: &str, secret_access_key: &str) -> Result<Self> {
        ensure!(
            s3s::path::check_bucket_name(bucket),
            "`{bucket}` is no name of a bucket: write 3 to 63 small letters, digits, dots and hyphens"
        );
        ensure!(!access_key_id.is_empty() && !secret_access_key.is_empty(), "both credentials are needed");
        let store = Folder::open(folder, bucket)
            .with_context(|| format!("the folder {} cannot be served", folder.display()))?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
        builder.set_host(AnyHost { bucket: bucket.to_owned() });
        Ok(Self { service: builder.build() })
    }

    /// Answers a request that is held in memory whole, as [`serve`] answers one from the network: for tests that
    /// have the server inside.
    pub async fn answer(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        let length = request.body().len();
        let sends_body = length > 0 || matches!(*request.method(), Method::PUT | Method::POST);
        if sends_body && !request.headers().contains_key(CONTENT_LENGTH) {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let authority = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        if let Some(host) = authority
            && !request.headers().contains_key(HOST)
        {
            request.headers_mut().insert(HOST, host);
        }
        let (parts, body) = self.respond(request.map(Body::from)).await.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(parts, body.to_bytes()),
            Err(error) => {
                eprintln!("[objects] an object cannot be read: {error}");
                let mut failed = Response::new(Bytes::new());
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                failed
            }
        }
    }

    /// Answers a request; whatever the answer, a browser may read it.
    async fn respond(&self, request: Request<Body>) -> Response<Body> {
        if let Some(preflight) = cors::preflight(&request) {
            return preflight;
        }
        // Without the query, which has the signature.
        let what = format!("{} {}", request.method(), request.uri().path());
        let mut response = match self.service.call(request).await {
            Ok(response) => response,
            Err(error) => {
                eprintln!("[objects] {what}: {error:?}");
                let mut failed = Response::new(Body::empty());
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                failed
            }
        };
        // What is not here is a mistake of the client's.
        if response.status().is_server_error() && response.status() != StatusCode::NOT_IMPLEMENTED {
            eprintln!("[objects] {what}: {}", response.status());
        }
        cors::admit_browsers(response.headers_mut());
        response
    }
}

/// Takes every host, since a signature holds for the host it was made for: behind a proxy, under another name.
/// One that begins with the bucket's name has it there and not in the path.
struct AnyHost {
    bucket: String,
}

impl S3Host for AnyHost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let rest = host.strip_prefix(&self.bucket).and_then(|rest| rest.strip_prefix('.'));
        Ok(match rest {
            Some(domain) if !domain.is_empty() => VirtualHost::new(domain).with_bucket(&self.bucket),
            _ => VirtualHost::new(host),
        })
    }
}
