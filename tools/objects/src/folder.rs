//! Objects as files: a key is a path in the folder of the bucket. Whoever writes does so in a file beside them
//! that is renamed when it is whole, so that half an object is never seen.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, s3_error};
use tokio::sync::mpsc;

use crate::note::Note;

/// File names end at 255 bytes nearly everywhere.
const LONGEST_NAME: usize = 255;
/// How long a client may be silent in the middle of a body.
const BODY_LIMIT: Duration = Duration::from_secs(60);
/// Pieces of a body that wait for the disk.
const WAITING: usize = 8;

/// The folder of one bucket. Clones share it.
#[derive(Clone, Debug)]
pub struct Folder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bucket: String,
    /// Where the bucket's objects are.
    objects: PathBuf,
    /// Where what is not whole yet is.
    temporary: PathBuf,
    /// Where the parts of uploads are.
    uploads: PathBuf,
    next: AtomicU64,
    /// Held while a name is looked at and changed. This process alone has the folder, so that is enough.
    names: Mutex<()>,
    /// Locked for as long as this lives.
    _lock: File,
}

/// A whole file without a name yet; gone when dropped.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    pub file: File,
}

/// What came with a request, on disk.
#[derive(Debug)]
pub struct Received {
    pub temporary: Temporary,
    pub md5: [u8; 16],
}

/// A stored object.
#[derive(Debug)]
pub struct Stored {
    pub file: File,
    pub note: Note,
    pub size: u64,
    pub modified: SystemTime,
}

impl Folder {
    /// Opens a folder that nobody else serves, and clears away what an earlier run left unfinished.
    pub fn open(root: &Path, bucket: &str) -> anyhow::Result<Self> {
        let (objects, temporary) = (root.join(bucket), root.join(".temporary"));
        let uploads = root.join(".uploads");
        fs::create_dir_all(root)?;
        let lock = File::create(root.join(".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!("another process serves it: stop that one first"),
            // Some network file systems have no locks; they are no reason not to start.
            Err(TryLockError::Error(_)) => {}
        }
        match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        for folder in [&objects, &temporary, &uploads] {
            fs::create_dir_all(folder)?;
        }
        Ok(Self {
            shared: Arc::new(Shared {
                bucket: bucket.to_owned(),
                objects,
                temporary,
                uploads,
                next: AtomicU64::new(0),
                names: Mutex::new(()),
                _lock: lock,
            }),
        })
    }

    /// Fails for every bucket but the one that is here.
    pub fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.shared.bucket { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// Where the bucket's objects are.
    pub fn objects(&self) -> &Path {
        &self.shared.objects
    }

    /// Where the parts of uploads are.
    pub fn uploads(&self) -> &Path {
        &self.shared.uploads
    }

    /// The file of a key. A key that could mean another place, or that no file can have, is refused.
    pub fn path_of(&self, key: &str) -> S3Result<PathBuf> {
        let sound = |part: &str| {
            !matches!(part, "" | "." | "..") && part.len() <= LONGEST_NAME && !part.contains(['\0', '\\'])
        };
        if key.split('/').all(sound) {
            Ok(self.shared.objects.join(key))
        } else {
            Err(s3_error!(InvalidArgument, "a key is a relative path without empty parts, `.` and `..`"))
        }
    }

    /// A new empty file.
    pub fn temporary(&self) -> io::Result<Temporary> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.temporary.join(number.to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Temporary { path, file })
    }

    /// Takes a body to disk. One that ends early, or is not as long as `length`, leaves nothing.
    pub async fn receive(&self, body: Option<StreamingBlob>, length: Option<i64>) -> S3Result<Received> {
        let (pieces, mut incoming) = mpsc::channel::<Bytes>(WAITING);
        let folder = self.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let mut temporary = folder.temporary()?;
            let mut md5 = Md5::new();
            while let Some(piece) = incoming.blocking_recv() {
                md5.update(&piece);
                temporary.file.write_all(&piece)?;
            }
            Ok::<_, io::Error>(Received { temporary, md5: md5.finalize() })
        });
        let mut size = 0u64;
        let mut body = body;
        while let Some(stream) = body.as_mut() {
            let next = tokio::time::timeout(BODY_LIMIT, stream.next()).await;
            let Ok(next) = next else { return Err(s3_error!(RequestTimeout)) };
            let Some(piece) = next else { break };
            let piece =
                piece.map_err(|error| S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, error))?;
            size += piece.len() as u64;
            // The writer is gone when the disk refuses; its error says why.
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        drop(pieces);
        let received = writing.await.map_err(S3Error::internal_error)?.map_err(refused)?;
        match length.map(u64::try_from) {
            Some(Ok(length)) if length == size => Ok(received),
            None => Ok(received),
            Some(_) => Err(s3_error!(IncompleteBody)),
        }
    }

    /// Gives a whole file the name `path`; with `must_be_new` only where nothing has it.
    pub fn publish(&self, temporary: Temporary, path: &Path, must_be_new: bool) -> S3Result<()> {
        let _held = self.names();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(refused)?;
        }
        if must_be_new && path.exists() {
            return Err(s3_error!(PreconditionFailed, "there is an object of this key"));
        }
        // What is left of `temporary` removes a path that is gone.
        fs::rename(&temporary.path, path).map_err(refused)
    }

    /// The object at `path`, if it is there.
    pub fn find(&self, path: &Path) -> io::Result<Option<Stored>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        if !about.is_file() {
            return Ok(None);
        }
        let modified = about.modified()?;
        Ok(Note::read(&file)?.map(|(note, size)| Stored { file, note, size, modified }))
    }

    /// Removes the object at `path`, and the folders that nothing else is in; fine where it is gone already.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        let _held = self.names();
        match fs::remove_file(path) {
            Err(error) if !is_missing(&error) && !path.is_dir() => return Err(error),
            _ => {}
        }
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.shared.objects) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn names(&self) -> MutexGuard<'_, ()> {
        self.shared.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Runs what waits for the disk where it holds up nobody.
pub async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(S3Error::internal_error)?
}

/// What the disk said, as S3 says it.
pub fn refused(error: io::Error) -> S3Error {
    match error.kind() {
        // One key is a folder of the other: S3 can hold both, files cannot.
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
            s3_error!(error, InvalidArgument, "a key may not lie under another")
        }
        _ => {
            eprintln!("[objects] the disk refuses: {error}");
            S3Error::internal_error(error)
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_in_the_folder_of_the_bucket() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path(), "bucket").unwrap();
        assert!(folder.path_of("a/b.c/..d").unwrap().starts_with(root.path().join("bucket")));
        let long = "x".repeat(256);
        for key in ["", "/a", "a/", "a//b", "..", "../a", "a/../../b", "./a", "a\0b", "a\\..\\b", &long] {
            assert!(folder.path_of(key).is_err(), "{key}");
        }
    }

    #[test]
    fn one_folder_is_served_once_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = Folder::open(root.path(), "bucket").unwrap();
        assert!(Folder::open(root.path(), "bucket").is_err());
        drop(first);
        assert!(Folder::open(root.path(), "bucket").is_ok());
    }

    #[test]
    fn removing_the_last_object_of_a_folder_removes_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path(), "bucket").unwrap();
        let put = |key: &str| {
            let temporary = folder.temporary().unwrap();
            Note::default().write(&temporary.file).unwrap();
            folder.publish(temporary, &folder.path_of(key).unwrap(), true).unwrap();
        };
        put("a/b/c");
        put("a/d");
        folder.remove(&folder.path_of("a/b/c").unwrap()).unwrap();
        assert!(!root.path().join("bucket/a/b").exists());
        assert!(root.path().join("bucket/a/d").exists());
        folder.remove(&folder.path_of("a/d").unwrap()).unwrap();
        folder.remove(&folder.path_of("a/d").unwrap()).unwrap();
        assert!(root.path().join("bucket").exists());
        assert_eq!(fs::read_dir(root.path().join(".temporary")).unwrap().count(), 0);
    }
}
