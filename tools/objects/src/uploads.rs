//! Multipart uploads: each is a folder of parts, until it is completed or aborted.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::PathBuf;

use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, Received, Stored, refused};
use crate::note::Note;

/// Every part but the last has at least so much, as in S3.
const SMALLEST_PART: u64 = 5 << 20;
/// Parts are numbered 1 to this.
const MOST_PARTS: i32 = 10_000;
/// What the upload is for, beside its parts.
const ABOUT: &str = "about.json";

/// What an upload is for.
#[derive(Serialize, Deserialize)]
struct About {
    key: String,
    note: Note,
}

/// One multipart upload.
pub struct Upload {
    folder: Folder,
    path: PathBuf,
    about: About,
}

impl Upload {
    /// Begins an upload; its id.
    pub fn create(folder: &Folder, key: &str, note: Note) -> S3Result<String> {
        folder.path_of(key)?;
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| S3Error::internal_error(io::Error::other(error)))?;
        let id = hex(&bytes);
        let path = folder.uploads().join(&id);
        let about =
            serde_json::to_vec(&About { key: key.to_owned(), note }).map_err(S3Error::internal_error)?;
        fs::create_dir(&path).map_err(refused)?;
        fs::write(path.join(ABOUT), about).map_err(refused)?;
        Ok(id)
    }

    /// The upload `id` of `key`.
    pub fn find(folder: &Folder, key: &str, id: &str) -> S3Result<Self> {
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = folder.uploads().join(id);
        let text = if is_id { fs::read(path.join(ABOUT)) } else { Err(ErrorKind::NotFound.into()) };
        let text = text.map_err(|error| match error.kind() {
            ErrorKind::NotFound => s3_error!(NoSuchUpload),
            _ => refused(error),
        })?;
        let about: About = serde_json::from_slice(&text).map_err(S3Error::internal_error)?;
        if about.key == key {
            Ok(Self { folder: folder.clone(), path, about })
        } else {
            Err(s3_error!(NoSuchUpload))
        }
    }

    /// Keeps a part; its ETag. One sent again takes the place of the first.
    pub fn keep_part(&self, number: i32, received: Received) -> S3Result<String> {
        if !(1..=MOST_PARTS).contains(&number) {
            return Err(s3_error!(InvalidArgument, "parts are numbered 1 to 10000"));
        }
        let etag = hex(&received.md5);
        let note = Note { etag: etag.clone(), ..Note::default() };
        note.write(&received.temporary.file).map_err(refused)?;
        // Completed or aborted meanwhile: there is nothing left to be a part of.
        if !self.path.exists() {
            return Err(s3_error!(NoSuchUpload));
        }
        self.folder.publish(received.temporary, &self.part(number), false)?;
        Ok(etag)
    }

    /// The parts that are here, by number.
    pub fn parts(&self) -> S3Result<Vec<(i32, Stored)>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(refused)? {
            let path = entry.map_err(refused)?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            if let Some((number, part)) = number.zip(self.folder.find(&path).map_err(refused)?) {
                parts.push((number, part));
            }
        }
        parts.sort_by_key(|(number, _)| *number);
        Ok(parts)
    }

    /// Puts the parts together under the key; the ETag of the object.
    pub fn complete(self, parts: &[(i32, String)], must_be_new: bool) -> S3Result<String> {
        if parts.is_empty() {
            return Err(s3_error!(MalformedXML, "there are no parts"));
        }
        if !parts.is_sorted_by(|(before, _), (after, _)| before < after) {
            return Err(s3_error!(InvalidPartOrder));
        }
        self.check(parts)?;
        let mut whole = self.folder.temporary().map_err(refused)?;
        let mut md5 = Md5::new();
        for (number, etag) in parts {
            let part = self.named(*number, etag)?;
            let copied = io::copy(&mut part.file.take(part.size), &mut whole.file).map_err(refused)?;
            if copied != part.size {
                return Err(S3Error::internal_error(io::Error::other("a part lost its end")));
            }
            md5.update(&unhex(etag));
        }
        let etag = format!("{}-{}", hex(&md5.finalize()), parts.len());
        let note = Note { etag: etag.clone(), ..self.about.note };
        note.write(&whole.file).map_err(refused)?;
        let path = self.folder.path_of(&self.about.key)?;
        self.folder.publish(whole, &path, must_be_new)?;
        // Last: an upload whose completion was broken off is completed again.
        fs::remove_dir_all(&self.path).map_err(refused)?;
        Ok(etag)
    }

    /// Before anything is copied: whether every part is here and large enough.
    fn check(&self, parts: &[(i32, String)]) -> S3Result<()> {
        let sizes = parts.iter().map(|(number, etag)| Ok(self.named(*number, etag)?.size));
        let sizes = sizes.collect::<S3Result<Vec<u64>>>()?;
        match sizes.split_last() {
            Some((_, others)) if others.iter().any(|size| *size < SMALLEST_PART) => {
                Err(s3_error!(EntityTooSmall))
            }
            _ => Ok(()),
        }
    }

    /// The part of this number, if it has this ETag.
    fn named(&self, number: i32, etag: &str) -> S3Result<Stored> {
        let part = self.folder.find(&self.part(number)).map_err(refused)?;
        part.filter(|part| part.note.etag == etag)
            .ok_or_else(|| s3_error!(InvalidPart, "part {number} is not here with this ETag"))
    }

    /// Forgets the upload and its parts.
    pub fn abort(self) -> S3Result<()> {
        fs::remove_dir_all(&self.path).map_err(refused)
    }

    fn part(&self, number: i32) -> PathBuf {
        self.path.join(number.to_string())
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a part's ETag, which [`hex`] made.
fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
