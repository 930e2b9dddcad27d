//! Answers that no type of their own makes, as the document shows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::wire::Time;
use utoipa::ToSchema;

/// Where to put one file.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadUrl {
    /// Names the media from now on.
    pub key: String,
    /// `PUT`.
    #[schema(examples("PUT"))]
    pub method: String,
    /// A presigned URL of the object store.
    #[schema(format = "uri")]
    pub url: String,
    /// Headers the upload must carry, besides its length.
    pub headers: BTreeMap<String, String>,
    /// Until when it is admitted.
    pub expires_at: Time,
}

/// Where to put one file in parts.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartsUrl {
    /// Names the media from now on.
    pub key: String,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// Where each goes.
    pub parts: Vec<PartUrl>,
    /// Until when they are admitted.
    pub expires_at: Time,
}

/// Where to put a part.
#[derive(Deserialize, ToSchema)]
pub struct PartUrl {
    /// From 1.
    pub number: u16,
    /// A presigned URL of the object store, for `PUT`.
    #[schema(format = "uri")]
    pub url: String,
}

/// How far an upload in parts is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// What arrived.
    pub received: Vec<ReceivedPart>,
    /// What did not, and where it goes. Empty when the upload is complete.
    pub missing: Vec<PartUrl>,
}

/// A part that arrived.
#[derive(Deserialize, ToSchema)]
pub struct ReceivedPart {
    /// From 1.
    pub number: u16,
    /// To be named when the upload is completed.
    pub etag: String,
    /// In bytes.
    pub size: u64,
}
