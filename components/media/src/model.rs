//! The rules of uploads: what may be uploaded, how it is told from its first bytes, and what a worker may make of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::error::{ApiError, ApiResult, Check};
use utoipa::ToSchema;

/// How long a presigned upload holds.
pub const UPLOAD_TIME: Duration = Duration::from_secs(15 * 60);
/// The same for the parts of a large one, which comes over bad networks.
pub const PARTS_TIME: Duration = Duration::from_secs(3_600);
/// Uploads a person may have open at a time.
pub const MAX_OPEN: u32 = 20;
/// How long an upload nobody uses is kept.
pub const UNUSED: Duration = Duration::from_secs(24 * 3_600);
/// How long a lease lasts.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long the URLs of a lease hold: the longest attempt there may be, and some more.
pub const LEASED_URLS: Duration = Duration::from_secs(3 * 3_600);
/// Attempts of a job.
pub const MAX_ATTEMPTS: i64 = 5;
/// Bytes read to tell what a file is.
pub const HEAD: u64 = 64;
/// A part of a multipart upload; S3 takes none below 5 MiB but the last.
pub const PART: u64 = 8 << 20;

const MIB: u64 = 1 << 20;

/// What a media is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A still.
    Image,
    /// A moving one.
    Video,
}

impl Kind {
    /// As on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
        }
    }
}

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A post or a scoop.
    Post,
    /// The picture of its owner.
    Avatar,
}

impl Purpose {
    /// As in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Avatar => "avatar",
        }
    }

    /// The largest upload, in bytes.
    fn limit(self, kind: Kind) -> u64 {
        match (self, kind) {
            (Self::Avatar, _) => 5 * MIB,
            (Self::Post, Kind::Image) => 16 * MIB,
            (Self::Post, Kind::Video) => 512 * MIB,
        }
    }

    /// The sizes made of an image: file name, pixels of the longer side, cut square.
    pub fn variants(self) -> [Variant; 2] {
        let variant = |name, size| Variant { name, size, square: self == Self::Avatar };
        match self {
            Self::Post => [variant("large", 1_600), variant("small", 400)],
            Self::Avatar => [variant("large", 512), variant("small", 128)],
        }
    }
}

/// A size an image is wanted in.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Variant {
    /// Of the file, without its ending.
    pub name: &'static str,
    /// The longer side at the most, in pixels.
    pub size: u32,
    /// Whether the middle square is cut out.
    pub square: bool,
}

/// The types that may be uploaded, by their media type.
const TYPES: &[(&str, Kind)] = &[
    ("image/jpeg", Kind::Image),
    ("image/png", Kind::Image),
    ("image/webp", Kind::Image),
    ("image/gif", Kind::Image),
    ("image/avif", Kind::Image),
    ("image/heic", Kind::Image),
    ("image/heif", Kind::Image),
    ("video/mp4", Kind::Video),
    ("video/quicktime", Kind::Video),
    ("video/webm", Kind::Video),
    ("video/x-matroska", Kind::Video),
    ("video/matroska", Kind::Video),
];

/// An upload that is admitted.
#[derive(Debug, PartialEq, Eq)]
pub struct Upload {
    /// Lower case, without parameters.
    pub content_type: &'static str,
    /// What it is.
    pub kind: Kind,
    /// In bytes, exactly.
    pub size: u64,
}

impl Upload {
    /// 422 for a type or a size that `purpose` does not admit, or a `kind` that is not the type's.
    pub fn check(content_type: &str, size: i64, kind: Option<Kind>, purpose: Purpose) -> ApiResult<Self> {
        let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let known = TYPES.iter().find(|(name, _)| *name == bare);
        let admitted = known.filter(|(_, kind)| *kind == Kind::Image || purpose == Purpose::Post);
        let limit = known.map_or(u64::MAX, |(_, kind)| purpose.limit(*kind));
        let bytes = u64::try_from(size).unwrap_or(0);
        let types = match purpose {
            Purpose::Post => {
                "must be image/jpeg, png, webp, gif, avif or heic, or video/mp4, quicktime, webm or x-matroska"
            }
            Purpose::Avatar => "must be image/jpeg, png, webp, gif, avif or heic",
        };
        Check::default()
            .field(admitted.is_some(), "contentType", types)
            .field(bytes > 0, "size", "must be at least 1")
            .field(bytes <= limit, "size", &format!("must be at most {limit}"))
            .field(
                kind.is_none() || known.is_none_or(|(_, known)| kind == Some(*known)),
                "kind",
                "is not that of the type",
            )
            .finish()?;
        let (content_type, kind) = admitted.ok_or_else(ApiError::not_found)?;
        Ok(Self { content_type, kind: *kind, size: bytes })
    }
}

/// Number and size of the parts of an upload of `size` bytes.
pub fn parts_of(size: u64, part: u64) -> Vec<(u16, u64)> {
    let part = part.max(1);
    let count = u16::try_from(size.div_ceil(part)).unwrap_or(u16::MAX);
    (1..=count).map(|number| (number, part.min(size - part * (u64::from(number) - 1)))).collect()
}

/// Whether the first bytes of a file are those of its declared type (the magic numbers of each format). MP4 and
/// QuickTime are one family, as are WebM and Matroska: players tell them apart by what is inside.
pub fn is_of_type(content_type: &str, head: &[u8]) -> bool {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let brands = || head.get(8..).unwrap_or_default().chunks_exact(4);
    let has_brand = |known: &[&[u8; 4]]| brands().any(|brand| known.iter().any(|known| brand == *known));
    let still: &[&[u8; 4]] =
        &[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"];
    match content_type {
        "image/jpeg" => at(0, b"\xff\xd8\xff"),
        "image/png" => at(0, b"\x89PNG\r\n\x1a\n"),
        "image/gif" => at(0, b"GIF87a") || at(0, b"GIF89a"),
        "image/webp" => at(0, b"RIFF") && at(8, b"WEBP"),
        "image/avif" => at(4, b"ftyp") && has_brand(&[b"avif", b"avis"]),
        "image/heic" | "image/heif" => {
            at(4, b"ftyp")
                && has_brand(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"])
        }
        "video/mp4" | "video/quicktime" => {
            let boxes: &[&[u8; 4]] = &[b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];
            let is_still = brands().next().is_some_and(|brand| still.iter().any(|known| brand == *known));
            (at(4, b"ftyp") && !is_still)
                || (content_type == "video/quicktime" && boxes.iter().any(|name| at(4, *name)))
        }
        "video/webm" | "video/x-matroska" | "video/matroska" => at(0, b"\x1a\x45\xdf\xa3"),
        _ => false,
    }
}

/// Every file name an attempt at a media of this kind may write.
pub fn file_names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Image => &["large.jpg", "large.png", "small.jpg", "small.png"],
        Kind::Video => &[
            "v360.mp4",
            "v480.mp4",
            "v720.mp4",
            "v1080.mp4",
            "vsource.mp4",
            "audio.mp4",
            "video.mp4",
            "poster.jpg",
        ],
    }
}

/// How long a failed job waits for its next attempt: 2 s, doubled each time, up to half as much again by `jitter` (0..=255).
pub fn backoff(attempt: i64, jitter: u8) -> Duration {
    let base = 2_000 << attempt.clamp(1, 10).saturating_sub(1);
    Duration::from_millis(base + base / 2 * u64::from(jitter) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_admitted_is_of_a_known_type_and_size() {
        let check = |content_type: &str, size, purpose| Upload::check(content_type, size, None, purpose);
        assert_eq!(check("Image/JPEG; q=1", 5, Purpose::Post).unwrap().content_type, "image/jpeg");
        assert!(check("image/jpeg", 16 << 20, Purpose::Post).is_ok());
        assert!(check("video/mp4", 512 << 20, Purpose::Post).is_ok());
        for (content_type, size, purpose, field) in [
            ("image/jpeg", (16 << 20) + 1, Purpose::Post, "size"),
            ("video/mp4", (512 << 20) + 1, Purpose::Post, "size"),
            ("image/png", (5 << 20) + 1, Purpose::Avatar, "size"),
            ("image/png", 0, Purpose::Post, "size"),
            ("image/png", -1, Purpose::Post, "size"),
            ("image/svg+xml", 5, Purpose::Post, "contentType"),
            ("text/html", 5, Purpose::Post, "contentType"),
            ("", 5, Purpose::Post, "contentType"),
            ("video/mp4", 5, Purpose::Avatar, "contentType"),
        ] {
            let refused = check(content_type, size, purpose).unwrap_err();
            assert_eq!(refused.fields[0].field, field, "{content_type} {size}");
        }
        let refused = Upload::check("image/png", 5, Some(Kind::Video), Purpose::Post).unwrap_err();
        assert_eq!(refused.fields[0].field, "kind");
    }

    #[test]
    fn parts_make_up_the_whole() {
        assert_eq!(parts_of(10, 4), [(1, 4), (2, 4), (3, 2)]);
        assert_eq!(parts_of(8, 4), [(1, 4), (2, 4)]);
        assert_eq!(parts_of(1, PART), [(1, 1)]);
        assert_eq!(parts_of(512 << 20, PART).iter().map(|(_, size)| size).sum::<u64>(), 512 << 20);
    }

    #[test]
    fn a_file_is_told_by_its_first_bytes() {
        let files: &[(&str, &[u8])] = &[
            ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
            ("image/png", b"\x89PNG\r\n\x1a\n\0\0"),
            ("image/gif", b"GIF89a\x01\0"),
            ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "),
            ("image/avif", b"\0\0\0\x1cftypavif\0\0\0\0mif1"),
            ("image/heic", b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic"),
            ("video/mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1"),
            ("video/quicktime", b"\0\0\0\x14ftypqt  \0\0\0\0qt  "),
            ("video/webm", b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01"),
        ];
        for (content_type, head) in files {
            assert!(is_of_type(content_type, head), "{content_type}");
            for wrong in [&b""[..], b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<html>", b"\0\0\0\0"] {
                assert!(!is_of_type(content_type, wrong), "{content_type}");
            }
        }
        assert!(!is_of_type("video/mp4", files[5].1), "a still is no video");
        assert!(!is_of_type("image/heic", files[6].1), "a video is no still");
        assert!(is_of_type("video/quicktime", b"\0\0\0\x08wide\0\0\0\0mdat"), "old cameras write no ftyp");
        assert!(!is_of_type("text/html", b"<html>"));
    }

    #[test]
    fn attempts_wait_longer_each_time_and_never_all_alike() {
        assert_eq!(backoff(1, 0), Duration::from_secs(2));
        assert_eq!(backoff(1, 255), Duration::from_secs(3));
        assert_eq!(backoff(4, 0), Duration::from_secs(16));
        assert!(backoff(i64::MAX, 255) < Duration::from_secs(3_600));
    }
}
