//! The object store, by presigned URLs: the upload comes from there and the results go there, in pieces that never
//! fill the memory, again where a connection breaks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use ureq::{Agent, SendBody};

use crate::backoff;
use crate::client::{agent, told};
use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::log::Log;

/// How many times in a row nothing may come of it.
const ATTEMPTS: u32 = 6;
/// The longest wait between two of them.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A connection on which nothing moves for so long is given up.
const SILENCE: Duration = Duration::from_secs(20);
const PIECE: usize = 256 * 1024;

/// Moves files.
#[derive(Clone, Debug)]
pub struct Store {
    agent: Agent,
}

/// How one attempt ended without success.
enum Trouble {
    /// Another may succeed.
    Passing(anyhow::Error),
    /// None will.
    Final(Failure),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Final(error.into())
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            agent: agent().timeout_per_read(Some(SILENCE)).timeout_per_write(Some(SILENCE)).build().into(),
        }
    }
}

impl Store {
    /// Gets the object at `url`, of exactly `size` bytes, into `path`. Goes on where a connection was cut.
    pub fn download(
        &self,
        url: &str,
        size: u64,
        path: &Path,
        control: &Control,
        log: &Log,
        percent: &dyn Fn(f64),
    ) -> Outcome<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let (mut have, mut failed) = (0, 0);
        while have < size || failed == 0 {
            let before = have;
            match self.get(url, size, &mut have, &mut file, control, percent) {
                Ok(()) => return Ok(()),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing(error)) => {
                    failed = if have > before { 1 } else { failed + 1 };
                    if failed >= ATTEMPTS {
                        return Err(error.context("the upload cannot be fetched").into());
                    }
                    let why = format!("{error:#}");
                    log.warn("the upload came in part; going on", &[("bytes", &have), ("why", &why)]);
                    control.sleep(backoff::delay(failed, LONGEST_WAIT))?;
                }
            }
        }
        Ok(())
    }

    fn get(
        &self,
        url: &str,
        size: u64,
        have: &mut u64,
        file: &mut File,
        control: &Control,
        percent: &dyn Fn(f64),
    ) -> Result<(), Trouble> {
        let mut request = self.agent.get(url);
        if *have > 0 {
            request = request.header("range", format!("bytes={have}-"));
        }
        let mut answer = request.call().map_err(|error| Trouble::Passing(told(&error)))?;
        match answer.status().as_u16() {
            206 if *have > 0 => {}
            // A store that knows no ranges sends all of it again.
            200 => {
                *have = 0;
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
            }
            status => return Err(Trouble::Passing(anyhow!("the object store answered {status}"))),
        }
        let mut body = answer.body_mut().as_reader();
        let mut piece = vec![0; PIECE];
        loop {
            control.check().map_err(Trouble::Final)?;
            let length = match body.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) => {
                    return Err(Trouble::Passing(anyhow!("the connection was cut: {}", error.kind())));
                }
            };
            if *have + length as u64 > size {
                return Err(Trouble::Final(wrong_size()));
            }
            file.write_all(&piece[..length])?;
            *have += length as u64;
            percent(*have as f64 / size.max(1) as f64 * 100.0);
        }
        if *have < size {
            return Err(Trouble::Passing(anyhow!("the connection ended early")));
        }
        file.flush()?;
        Ok(())
    }

    /// Puts the file at `path` to `url`. `sent` is told how many bytes are on their way.
    pub fn upload(
        &self,
        url: &str,
        path: &Path,
        content_type: &str,
        control: &Control,
        log: &Log,
        sent: &dyn Fn(u64),
    ) -> Outcome<()> {
        let mut failed = 0;
        loop {
            control.check()?;
            match self.put(url, path, content_type, control, sent) {
                Ok(()) => return Ok(()),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing(error)) => {
                    failed += 1;
                    control.check()?;
                    if failed >= ATTEMPTS {
                        return Err(error.context("a result cannot be stored").into());
                    }
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let why = format!("{error:#}");
                    log.warn("a result was not stored; trying again", &[("file", &name), ("why", &why)]);
                    control.sleep(backoff::delay(failed, LONGEST_WAIT))?;
                }
            }
        }
    }

    fn put(
        &self,
        url: &str,
        path: &Path,
        content_type: &str,
        control: &Control,
        sent: &dyn Fn(u64),
    ) -> Result<(), Trouble> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut body = Watched { file, control, sent, done: 0 };
        let request =
            self.agent.put(url).header("content-type", content_type).header("content-length", length);
        let answer =
            request.send(SendBody::from_reader(&mut body)).map_err(|error| Trouble::Passing(told(&error)))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status @ (408 | 429 | 500..) => {
                Err(Trouble::Passing(anyhow!("the object store answered {status}")))
            }
            // A URL past its time: a new lease has new ones.
            status => Err(Trouble::Final(anyhow!("the object store answered {status} to a result").into())),
        }
    }
}

fn wrong_size() -> Failure {
    Failure::new(Code::SizeMismatch, "The file is larger than it was declared to be.")
}

/// A file on its way, which ends early where nobody wants it any more.
struct Watched<'a> {
    file: File,
    control: &'a Control,
    sent: &'a dyn Fn(u64),
    done: u64,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.control.stopped().is_some() {
            return Err(io::Error::other("stopped"));
        }
        let length = self.file.read(buffer)?;
        self.done += length as u64;
        (self.sent)(self.done);
        Ok(length)
    }
}
