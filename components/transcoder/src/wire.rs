//! What goes over the wire between a worker and `media` (`docs/media.md`, "The worker's routes").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a worker can do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A stream out of a video.
    Video,
    /// Pictures in the sizes of the web.
    Image,
}

/// The answer to a lease.
#[derive(Debug, Deserialize)]
pub struct Leased {
    /// A job, or none within the wait.
    pub job: Option<Lease>,
}

/// A job that this worker has for as long as its heartbeats arrive.
#[derive(Debug, Deserialize)]
pub struct Lease {
    /// The job.
    pub id: String,
    /// What is to be made.
    pub kind: Kind,
    /// The media, for the log.
    pub key: String,
    /// How many times it was tried, this one included.
    #[serde(default)]
    pub attempt: u64,
    /// Tells this lease from every other of the job.
    pub fence: u64,
    /// The upload.
    pub source: SourceObject,
    /// The pictures wanted; empty for a video.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Where the results go.
    pub upload: Upload,
}

/// The upload.
#[derive(Deserialize)]
pub struct SourceObject {
    /// A presigned GET.
    pub url: String,
    /// In bytes.
    pub size: u64,
}

/// Where the results go.
#[derive(Deserialize)]
pub struct Upload {
    /// A presigned PUT for each file the kind may have.
    pub urls: BTreeMap<String, String>,
}

// A presigned URL is a secret for as long as it holds: none is ever printed.
impl std::fmt::Debug for SourceObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SourceObject").field("size", &self.size).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.urls.keys()).finish()
    }
}

/// A picture that is wanted.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// Its name, and that of its file before the extension.
    pub name: String,
    /// The most pixels of its longer side.
    pub size: u32,
    /// Whether the square in the middle is cut out first.
    #[serde(default)]
    pub square: bool,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Result {
    /// Of an image.
    Image(ImageResult),
    /// Of a video.
    Video(VideoResult),
}

/// What became of an image.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ImageResult {
    /// Of the upright original.
    pub width: u32,
    /// Of the upright original.
    pub height: u32,
    /// A blurred preview.
    pub blurhash: String,
    /// The pictures made.
    pub variants: Vec<VariantResult>,
}

/// A picture that was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct VariantResult {
    /// As it was asked for.
    pub name: String,
    /// The file.
    pub file: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// What became of a video.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoResult {
    /// Of the upright source, with square pixels.
    pub width: u32,
    /// Of the upright source, with square pixels.
    pub height: u32,
    /// How long it plays.
    pub duration_ms: u64,
    /// A blurred preview.
    pub blurhash: String,
    /// The file of the poster.
    pub poster: String,
    /// The file for players without HLS.
    pub mp4: String,
    /// The pictures of the stream, lowest first.
    pub renditions: Vec<Rendition>,
    /// The sound of the stream; none for a silent video.
    pub audio: Option<Audio>,
}

/// One size of a video.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// A header and segments, back to back.
    pub file: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames a second.
    pub frame_rate: f64,
    /// RFC 6381.
    pub codecs: String,
    /// Where its segments are, and how many bits a second they take.
    #[serde(flatten)]
    pub track: Track,
}

/// The sound of a video.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Audio {
    /// A header and segments, back to back.
    pub file: String,
    /// RFC 6381.
    pub codecs: String,
    /// Where its segments are, and how many bits a second they take.
    #[serde(flatten)]
    pub track: Track,
}

/// Where the segments of a file are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Bits a second of the largest segment.
    pub bandwidth: u64,
    /// Bits a second of all.
    pub average_bandwidth: u64,
    /// Length of the header in bytes.
    pub init: u64,
    /// Seconds and bytes of each segment after it.
    pub segments: Vec<(f64, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_read_as_the_contract_writes_it() {
        let text = r#"{"job": {"id": "j", "kind": "image", "key": "k", "attempt": 1, "fence": 7,
            "leaseExpiresAt": "2026-11-25T12:00:00.000Z",
            "source": {"url": "http://store/secret", "size": 1234, "contentType": "video/mp4"},
            "variants": [{"name": "large", "size": 1600, "square": false}],
            "upload": {"prefix": "o/k/7/", "urls": {"large.jpg": "http://store/secret2"}}}}"#;
        let job = serde_json::from_str::<Leased>(text).unwrap().job.unwrap();
        assert_eq!((job.kind, job.fence, job.source.size), (Kind::Image, 7, 1234));
        assert_eq!(job.variants, [Variant { name: "large".into(), size: 1600, square: false }]);
        let printed = format!("{job:?}");
        assert!(!printed.contains("secret") && printed.contains("large.jpg"), "{printed}");
        assert!(serde_json::from_str::<Leased>(r#"{"job": null}"#).unwrap().job.is_none());
    }

    #[test]
    fn a_rendition_is_written_as_the_contract_reads_it() {
        let track = Track { bandwidth: 2, average_bandwidth: 1, init: 10, segments: vec![(6.006, 4400)] };
        let rendition = Rendition {
            file: "v360.mp4".into(),
            width: 640,
            height: 360,
            frame_rate: 29.97,
            codecs: "avc1.64001e".into(),
            track,
        };
        let expected = serde_json::json!({
            "file": "v360.mp4", "width": 640, "height": 360, "frameRate": 29.97, "codecs": "avc1.64001e",
            "bandwidth": 2, "averageBandwidth": 1, "init": 10, "segments": [[6.006, 4400]],
        });
        assert_eq!(serde_json::to_value(rendition).unwrap(), expected);
    }
}
