//! What media does in the object store, by presigned requests of its own. A store that does not answer, or not as S3
//! does, is [`StoreError::Down`]: nothing a client sent.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use rusty_s3::actions::{CreateMultipartUpload, ListObjectsV2, ListParts, S3Action};
use shared::app::App;
use shared::clients::send_bounded;
use shared::error::ApiError;
use shared::objects::Objects;

use crate::model::{HEAD, PARTS_TIME, UPLOAD_TIME, parts_of};

/// How long the store may take for one request.
const TIME: Duration = Duration::from_secs(10);
/// How long a request of ours may be on its way.
const SIGNED: Duration = Duration::from_secs(60);
/// Largest answer taken: a page of a listing, or an avatar.
const ANSWER: usize = 4 << 20;

/// Why the store did not do it.
#[derive(Debug)]
pub enum StoreError {
    /// It does not answer, or answers nonsense; with what it said.
    Down(anyhow::Error),
    /// It refuses: what was named is not there or not right.
    Refused(StatusCode),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Down(source) => write!(f, "{source:#}"),
            Self::Refused(status) => write!(f, "the object store answered {status}"),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Down(source) => ApiError::unavailable(source),
            refused @ StoreError::Refused(_) => ApiError::unavailable(anyhow::anyhow!("{refused}")),
        }
    }
}

fn down(error: impl std::fmt::Display) -> StoreError {
    StoreError::Down(anyhow::anyhow!("the object store: {error}"))
}

/// What lies at an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// In bytes.
    pub size: u64,
    /// Its first bytes.
    pub head: Bytes,
}

/// A part that arrived.
#[derive(Debug, serde::Serialize, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u16,
    /// As the store tells it.
    pub etag: String,
    /// In bytes.
    pub size: u64,
}

/// A URL to send a part to.
#[derive(serde::Serialize)]
pub struct PartUrl {
    /// From 1.
    pub number: u16,
    /// A presigned PUT.
    pub url: String,
}

/// The object store, for one request.
pub struct Store<'a> {
    app: &'a App,
    objects: &'a Objects,
}

impl<'a> Store<'a> {
    /// The configured one; 503 where there is none.
    pub fn of(app: &'a App) -> Result<Self, ApiError> {
        let missing = || ApiError::unavailable(anyhow::anyhow!("no object store: set s3_endpoint"));
        Ok(Self { app, objects: app.objects().ok_or_else(missing)? })
    }

    async fn send(
        &self,
        method: Method,
        url: impl AsRef<str>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<http::Response<Bytes>, StoreError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.as_ref().parse().map_err(down)?;
        *request.headers_mut() = headers;
        let answer = send_bounded(self.app, request, TIME, ANSWER).await.map_err(StoreError::Down)?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status if status.is_client_error() && status != StatusCode::FORBIDDEN => {
                Err(StoreError::Refused(status))
            }
            status => Err(down(format!("answered {status}"))),
        }
    }

    async fn get(&self, url: impl AsRef<str>) -> Result<http::Response<Bytes>, StoreError> {
        self.send(Method::GET, url, HeaderMap::new(), Bytes::new()).await
    }

    /// The URL that admits one upload of exactly this size and type, once, and the headers it must carry besides its length.
    pub fn upload_url(
        &self,
        object: &str,
        content_type: &str,
        size: u64,
    ) -> (String, [(&'static str, String); 2]) {
        let mut action = self.objects.public().put_object(Some(self.objects.credentials()), object);
        let headers = [("content-type", content_type.to_owned()), ("if-none-match", "*".to_owned())];
        for (name, value) in headers.clone() {
            action.headers_mut().insert(name, value);
        }
        action.headers_mut().insert("content-length", size.to_string());
        (self.objects.sign(&action, UPLOAD_TIME).into(), headers)
    }

    /// What a worker reads and writes: presigned for as long as an attempt may take.
    pub fn worker_urls(
        &self,
        object: &str,
        prefix: &str,
        files: &[&str],
        time: Duration,
    ) -> (String, Vec<(String, String)>) {
        let (bucket, credentials) = (self.objects.bucket(), Some(self.objects.credentials()));
        let source = self.objects.sign(&bucket.get_object(credentials, object), time).into();
        let target = |file: &&str| {
            let object = format!("{prefix}{file}");
            ((*file).to_owned(), self.objects.sign(&bucket.put_object(credentials, &object), time).into())
        };
        (source, files.iter().map(target).collect())
    }

    /// What lies at `object`, or `None`.
    pub async fn find(&self, object: &str) -> Result<Option<Found>, StoreError> {
        let action = self.objects.bucket().get_object(Some(self.objects.credentials()), object);
        let range = HeaderValue::try_from(format!("bytes=0-{}", HEAD - 1)).map_err(down)?;
        let headers = HeaderMap::from_iter([(header::RANGE, range)]);
        match self.send(Method::GET, self.objects.sign(&action, SIGNED), headers, Bytes::new()).await {
            Ok(answer) => Ok(Some(Found {
                size: size_of(&answer).ok_or_else(|| down("told no size"))?,
                head: answer.into_body(),
            })),
            Err(StoreError::Refused(StatusCode::NOT_FOUND)) => Ok(None),
            // Nothing but an empty object has no first byte.
            Err(StoreError::Refused(StatusCode::RANGE_NOT_SATISFIABLE)) => {
                Ok(Some(Found { size: 0, head: Bytes::new() }))
            }
            Err(error) => Err(error),
        }
    }

    /// A whole object with its type, or `None`.
    pub async fn read(&self, object: &str) -> Result<Option<http::Response<Bytes>>, StoreError> {
        let action = self.objects.bucket().get_object(Some(self.objects.credentials()), object);
        match self.get(self.objects.sign(&action, SIGNED)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(StoreError::Refused(StatusCode::NOT_FOUND)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins an upload in parts; its id.
    pub async fn begin_parts(&self, object: &str, content_type: &str) -> Result<String, StoreError> {
        let mut action =
            self.objects.bucket().create_multipart_upload(Some(self.objects.credentials()), object);
        action.headers_mut().insert("content-type", content_type.to_owned());
        let kind = HeaderValue::from_str(content_type).map_err(down)?;
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let url = self.objects.sign(&action, SIGNED);
        let answer = self.send(Method::POST, url, headers, Bytes::new()).await?;
        let said = CreateMultipartUpload::parse_response(text(&answer)?).map_err(down)?;
        Ok(said.upload_id().to_owned())
    }

    /// Where each of `numbers` of an upload of `size` bytes goes, each of exactly its length.
    pub fn part_urls(
        &self,
        object: &str,
        upload: &str,
        size: u64,
        part: u64,
        missing: impl Fn(u16) -> bool,
    ) -> Vec<PartUrl> {
        let url = |(number, length): (u16, u64)| {
            let mut action =
                self.objects.public().upload_part(Some(self.objects.credentials()), object, number, upload);
            action.headers_mut().insert("content-length", length.to_string());
            PartUrl { number, url: self.objects.sign(&action, PARTS_TIME).into() }
        };
        parts_of(size, part).into_iter().filter(|(number, _)| missing(*number)).map(url).collect()
    }

    /// The parts that arrived; `None` where the store knows no such upload.
    pub async fn list_parts(&self, object: &str, upload: &str) -> Result<Option<Vec<Part>>, StoreError> {
        let action = self.objects.bucket().list_parts(Some(self.objects.credentials()), object, upload);
        let answer = match self.get(self.objects.sign(&action, SIGNED)).await {
            Ok(answer) => answer,
            Err(StoreError::Refused(StatusCode::NOT_FOUND)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // At most 64 parts, so one page has them all.
        let said = ListParts::parse_response(text(&answer)?).map_err(down)?;
        let part = |part: &rusty_s3::actions::PartsContent| Part {
            number: part.number,
            etag: part.etag.clone(),
            size: part.size,
        };
        Ok(Some(said.parts.iter().map(part).collect()))
    }

    /// Puts the parts together. [`StoreError::Refused`] where one is missing or another than named.
    pub async fn complete_parts(
        &self,
        object: &str,
        upload: &str,
        etags: &[String],
    ) -> Result<(), StoreError> {
        let credentials = Some(self.objects.credentials());
        let tags = etags.iter().map(String::as_str);
        let action = self.objects.bucket().complete_multipart_upload(credentials, object, upload, tags);
        let url = self.objects.sign(&action, SIGNED);
        let answer = self.send(Method::POST, url, HeaderMap::new(), action.body().into()).await?;
        // S3 may find the fault after it has begun to answer 200.
        if text(&answer)?.contains("<Error>") {
            Err(StoreError::Refused(StatusCode::BAD_REQUEST))
        } else {
            Ok(())
        }
    }

    /// Gives up an upload in parts; one that is not there is given up already.
    pub async fn abort_parts(&self, object: &str, upload: &str) -> Result<(), StoreError> {
        let action =
            self.objects.bucket().abort_multipart_upload(Some(self.objects.credentials()), object, upload);
        let url = self.objects.sign(&action, SIGNED);
        match self.send(Method::DELETE, url, HeaderMap::new(), Bytes::new()).await {
            Ok(_) | Err(StoreError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A page of the objects below `prefix`, after those of the page before; and what to ask the next one by.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StoreError> {
        let mut action = self.objects.bucket().list_objects_v2(Some(self.objects.credentials()));
        action.with_prefix(prefix.to_owned());
        if let Some(after) = after {
            action.with_continuation_token(after.to_owned());
        }
        let answer = self.get(self.objects.sign(&action, SIGNED)).await?;
        let said = ListObjectsV2::parse_response(text(&answer)?).map_err(down)?;
        Ok((said.contents.into_iter().map(|object| object.key).collect(), said.next_continuation_token))
    }

    /// Deletes an object; one that is not there is deleted already.
    pub async fn delete(&self, object: &str) -> Result<(), StoreError> {
        let action = self.objects.bucket().delete_object(Some(self.objects.credentials()), object);
        let url = self.objects.sign(&action, SIGNED);
        match self.send(Method::DELETE, url, HeaderMap::new(), Bytes::new()).await {
            Ok(_) | Err(StoreError::Refused(StatusCode::NOT_FOUND)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes everything below `prefix`; how much that was.
    pub async fn delete_below(&self, prefix: &str) -> Result<usize, StoreError> {
        let mut deleted = 0;
        loop {
            // Always the first page, since what it named is gone.
            let (objects, _) = self.list(prefix, None).await?;
            if objects.is_empty() {
                return Ok(deleted);
            }
            for object in &objects {
                self.delete(object).await?;
            }
            deleted += objects.len();
        }
    }
}

/// The size of the whole object, of which the answer may be a piece.
fn size_of(answer: &http::Response<Bytes>) -> Option<u64> {
    let header = |name| answer.headers().get(name)?.to_str().ok();
    match header(header::CONTENT_RANGE) {
        Some(range) => range.rsplit_once('/')?.1.parse().ok(),
        None => u64::try_from(answer.body().len()).ok(),
    }
}

fn text(answer: &http::Response<Bytes>) -> Result<&str, StoreError> {
    std::str::from_utf8(answer.body()).map_err(down)
}
