//! The programs a job needs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs are; a bare name is looked for in `PATH`.
#[derive(Clone, Debug)]
pub struct Tools {
    /// `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// `ffprobe`.
    pub ffprobe: PathBuf,
    /// `heif-convert` of libheif-examples.
    pub heif_convert: PathBuf,
    /// This program, which decodes pictures in a process of its own.
    pub image_worker: PathBuf,
}

impl Tools {
    /// The usual names, with `image_worker` for pictures.
    pub fn new(image_worker: PathBuf) -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            heif_convert: "heif-convert".into(),
            image_worker,
        }
    }
}

/// Whether `program` is there and can be started.
pub fn starts(program: &Path, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_clear().env("PATH", search_path());
    command.status().is_ok()
}

/// Where programs are looked for.
pub fn search_path() -> impl AsRef<OsStr> {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}
