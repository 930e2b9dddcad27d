//! The operations of S3 that are here; every other is answered `501 NotImplemented`.

use std::io::{Seek as _, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tokio::io::AsyncReadExt as _;

use crate::folder::{Folder, Received, Stored, on_disk, refused};
use crate::listing;
use crate::note::Note;
use crate::uploads::{Upload, hex};

/// Read from a file at once.
const PIECE: usize = 256 << 10;
/// Parts of a page, at the most, as in S3.
const MOST_PARTS: i32 = 1000;

#[async_trait::async_trait]
impl S3 for Folder {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let path = self.path_of(&input.key)?;
        let must_be_new = must_be_new(input.if_none_match.as_ref(), input.if_match.as_ref())?;
        if must_be_new && path.exists() {
            // Told before the body is taken; looked at again when it gets its name.
            return Err(s3_error!(PreconditionFailed, "there is an object of this key"));
        }
        let received = self.receive(input.body, input.content_length).await?;
        check_md5(input.content_md5.as_deref(), &received)?;
        let note = Note {
            etag: hex(&received.md5),
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata,
        };
        let folder = self.clone();
        let etag = on_disk(move || {
            note.write(&received.temporary.file).map_err(refused)?;
            folder.publish(received.temporary, &path, must_be_new)?;
            Ok(note.etag)
        });
        let e_tag = Some(ETag::Strong(etag.await?));
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let stored = self.look_up(&input.bucket, &input.key).await?;
        check_conditions(&stored, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let range = match input.range {
            Some(range) => range.check(stored.size)?,
            None => 0..stored.size,
        };
        let length = range.end - range.start;
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{}", range.start, range.end - 1, stored.size));
        let mut file = stored.file;
        file.seek(SeekFrom::Start(range.start)).map_err(refused)?;
        let note = stored.note;
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(pieces(file, length))),
            content_length: Some(signed(length)?),
            content_range,
            content_type: note.content_type,
            content_encoding: note.content_encoding,
            content_disposition: note.content_disposition,
            content_language: note.content_language,
            cache_control: note.cache_control,
            e_tag: Some(ETag::Strong(note.etag)),
            last_modified: Some(stored.modified.into()),
            metadata: note.metadata,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let stored = self.look_up(&input.bucket, &input.key).await?;
        check_conditions(&stored, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let note = stored.note;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(signed(stored.size)?),
            content_type: note.content_type,
            content_encoding: note.content_encoding,
            content_disposition: note.content_disposition,
            content_language: note.content_language,
            cache_control: note.cache_control,
            e_tag: Some(ETag::Strong(note.etag)),
            last_modified: Some(stored.modified.into()),
            metadata: note.metadata,
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check_bucket(&request.input.bucket)?;
        let (folder, path) = (self.clone(), self.path_of(&request.input.key)?);
        on_disk(move || folder.remove(&path).map_err(refused)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.check_bucket(&request.input.bucket)?;
        let (folder, quiet) = (self.clone(), request.input.delete.quiet == Some(true));
        let objects = request.input.delete.objects;
        let output = on_disk(move || {
            let (mut deleted, mut errors) = (Vec::new(), Vec::new());
            for ObjectIdentifier { key, .. } in objects {
                let path = folder.path_of(&key);
                match path.and_then(|path| folder.remove(&path).map_err(refused)) {
                    Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                    Err(error) => errors.push(Error {
                        code: Some(error.code().as_str().to_owned()),
                        key: Some(key),
                        message: error.message().map(ToOwned::to_owned),
                        ..Error::default()
                    }),
                }
            }
            let deleted = Some(deleted).filter(|_| !quiet);
            Ok(DeleteObjectsOutput { deleted, errors: Some(errors), ..DeleteObjectsOutput::default() })
        });
        Ok(S3Response::new(output.await?))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_bucket(&request.input.bucket)?;
        let folder = self.clone();
        let output = on_disk(move || listing::list_objects(&folder, request.input));
        Ok(S3Response::new(output.await?))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let note = Note {
            etag: String::new(),
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata,
        };
        let (folder, key) = (self.clone(), input.key.clone());
        let id = on_disk(move || Upload::create(&folder, &key, note)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, input.key, input.upload_id).await?;
        let received = self.receive(input.body, input.content_length).await?;
        check_md5(input.content_md5.as_deref(), &received)?;
        let etag = on_disk(move || upload.keep_part(input.part_number, received)).await?;
        let e_tag = Some(ETag::Strong(etag));
        Ok(S3Response::new(UploadPartOutput { e_tag, ..UploadPartOutput::default() }))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let after = input.part_number_marker.unwrap_or(0);
        let limit = input.max_parts.unwrap_or(MOST_PARTS).clamp(1, MOST_PARTS);
        let upload = self.upload(&input.bucket, input.key.clone(), input.upload_id.clone()).await?;
        let stored = on_disk(move || upload.parts()).await?;
        let mut parts = Vec::new();
        for (number, part) in stored.into_iter().filter(|(number, _)| *number > after) {
            parts.push(Part {
                part_number: Some(number),
                e_tag: Some(ETag::Strong(part.note.etag)),
                size: Some(signed(part.size)?),
                last_modified: Some(part.modified.into()),
                ..Part::default()
            });
        }
        let most = usize::try_from(limit).unwrap_or_default();
        let is_truncated = parts.len() > most;
        parts.truncate(most);
        let last = parts.last().and_then(|part| part.part_number).filter(|_| is_truncated);
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(limit),
            is_truncated: Some(is_truncated),
            next_part_number_marker: last,
            parts: Some(parts),
            ..ListPartsOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let must_be_new = must_be_new(input.if_none_match.as_ref(), input.if_match.as_ref())?;
        let upload = self.upload(&input.bucket, input.key.clone(), input.upload_id).await?;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let parts = named.into_iter().map(|part| {
            let etag = part.e_tag.map(ETag::into_value);
            part.part_number
                .zip(etag)
                .ok_or_else(|| s3_error!(MalformedXML, "a part has a number and an ETag"))
        });
        let parts: Vec<(i32, String)> = parts.collect::<S3Result<_>>()?;
        let etag = on_disk(move || upload.complete(&parts, must_be_new)).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        let upload = self.upload(&input.bucket, input.key, input.upload_id).await?;
        on_disk(move || upload.abort()).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

impl Folder {
    async fn look_up(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.check_bucket(bucket)?;
        let (folder, path) = (self.clone(), self.path_of(key)?);
        on_disk(move || folder.find(&path).map_err(refused)?.ok_or_else(|| s3_error!(NoSuchKey))).await
    }

    async fn upload(&self, bucket: &str, key: String, id: String) -> S3Result<Upload> {
        self.check_bucket(bucket)?;
        let folder = self.clone();
        on_disk(move || Upload::find(&folder, &key, &id)).await
    }
}

/// Whether a write is for a new key alone; conditions that are not kept here are refused, not passed over.
fn must_be_new(if_none_match: Option<&ETagCondition>, if_match: Option<&ETagCondition>) -> S3Result<bool> {
    match (if_none_match, if_match) {
        (None, None) => Ok(false),
        (Some(ETagCondition::Any), None) => Ok(true),
        _ => Err(s3_error!(NotImplemented, "of conditions on writes, only `If-None-Match: *` is here")),
    }
}

fn check_conditions(
    stored: &Stored,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is_it = |wanted: &ETagCondition| match wanted {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == stored.note.etag,
    };
    if if_match.is_some_and(|wanted| !is_it(wanted)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(is_it) {
        return Err(S3Error::new(S3ErrorCode::NotModified));
    }
    Ok(())
}

/// What a client says of its bytes holds, or they are not kept.
fn check_md5(given: Option<&str>, received: &Received) -> S3Result<()> {
    let Some(given) = given else { return Ok(()) };
    if given == STANDARD.encode(received.md5) { Ok(()) } else { Err(s3_error!(BadDigest)) }
}

/// A size as S3 writes it.
pub fn signed(size: u64) -> S3Result<i64> {
    i64::try_from(size).map_err(S3Error::internal_error)
}

/// The next `length` bytes of a file.
fn pieces(file: std::fs::File, length: u64) -> impl Stream<Item = std::io::Result<Bytes>> {
    let file = tokio::fs::File::from_std(file).take(length);
    futures_util::stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        file.read_buf(&mut piece).await?;
        Ok(if piece.is_empty() { None } else { Some((piece.freeze(), file)) })
    })
}
