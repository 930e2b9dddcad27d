//! The files of the explorer: Swagger UI and a page of ours, put together by `build.rs`.

use std::io::Read;

use flate2::read::GzDecoder;

/// The page, served at `/docs`.
pub const PAGE: &str = "explorer.html";

/// A file.
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// Names its content: another one has another tag.
    pub tag: &'static str,
    /// Its content, compressed.
    pub gzip: &'static [u8],
}

static FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

impl File {
    /// The file of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FILES.iter().find(|file| file.name == name)
    }

    /// Its media type.
    pub fn kind(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        }
    }

    /// Its content.
    pub fn plain(&self) -> std::io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain)?;
        Ok(plain)
    }
}
