//! What is known of an object besides its bytes. It stands behind them in the same file, so that one rename
//! publishes both: a file beside it could be of another version after a crash.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;

use serde::{Deserialize, Serialize};

/// Ends every file of ours; before it stands the length of the note.
const MARK: &[u8; 8] = b"s3note01";
/// Length and mark.
const TAIL: u64 = 4 + MARK.len() as u64;
/// S3 admits 2 KB of metadata of one's own, and headers are bounded.
const LARGEST: u64 = 256 << 10;

/// What S3 keeps of an object besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// Without quotes.
    pub etag: String,
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `x-amz-meta-*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<HashMap<String, String>>,
}

impl Note {
    /// Writes the note at the end of `file`, after the bytes of the object.
    pub fn write(&self, mut file: &File) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).ok().filter(|length| u64::from(*length) <= LARGEST);
        let length = length.ok_or_else(|| io::Error::other("the headers of the object are too long"))?;
        let tail = [&text[..], &length.to_le_bytes(), MARK].concat();
        file.write_all(&tail)
    }

    /// The note at the end of `file` and how many bytes stand before it; nothing where the file is none of ours.
    pub fn read(file: &File) -> io::Result<Option<(Self, u64)>> {
        let whole = file.metadata()?.len();
        let mut tail = [0u8; TAIL as usize];
        let Some(end) = whole.checked_sub(TAIL) else { return Ok(None) };
        file.read_exact_at(&mut tail, end)?;
        let [a, b, c, d, mark @ ..] = tail;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        let Some(size) = end.checked_sub(length).filter(|_| mark == *MARK && length <= LARGEST) else {
            return Ok(None);
        };
        let mut text = vec![0u8; usize::try_from(length).map_err(io::Error::other)?];
        file.read_exact_at(&mut text, size)?;
        Ok(serde_json::from_slice(&text).ok().map(|note| (note, size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_from_behind_the_bytes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"twelve bytes").unwrap();
        let note = Note { etag: "abc".into(), content_type: Some("image/png".into()), ..Note::default() };
        note.write(&file).unwrap();
        assert_eq!(Note::read(&file).unwrap(), Some((note, 12)));
    }

    #[test]
    fn a_file_of_somebody_else_is_no_object() {
        for bytes in [&b""[..], b"short", b"long enough to have a tail", b"\xff\xff\xff\xffs3note01"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            assert_eq!(Note::read(&file).unwrap(), None, "{bytes:?}");
        }
    }
}
