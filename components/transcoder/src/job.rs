//! One job from its lease to the answer: download, work, upload.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::control::Control;
use crate::failure::Outcome;
use crate::image;
use crate::log::Log;
use crate::store::Store;
use crate::tools::Tools;
use crate::video::{self, Room};
use crate::wire::{Kind, Lease, Result as Made};

/// The name of the upload in the folder of a job.
const SOURCE: &str = "source";
/// How the name of each job's folder starts.
pub const FOLDER: &str = "scooterbooter-job-";

/// Does the job in a new folder below `work_dir`, which is gone afterwards, and answers what was made.
pub fn work(
    tools: &Tools,
    store: &Store,
    work_dir: &Path,
    lease: &Lease,
    control: &Control,
    log: &Log,
) -> Outcome<Made> {
    let folder = tempfile::Builder::new().prefix(FOLDER).tempdir_in(work_dir);
    let folder = folder.with_context(|| format!("no folder can be made in {}", work_dir.display()))?;
    let dir = folder.path();
    let tell = |what: &str, percent: f64| {
        control.set_progress(percent);
        log.progress(what, control.progress());
    };
    let source = &lease.source;
    store.download(&source.url, source.size, &dir.join(SOURCE), control, log, &|part| {
        tell("downloading", part * 0.1);
    })?;
    let made = match lease.kind {
        Kind::Video => {
            let room = Room { tools, dir, file: SOURCE, control, log };
            Made::Video(video::transcode(&room, &|part| tell("encoding", 10.0 + part * 0.78))?)
        }
        Kind::Image => Made::Image(image::make(tools, dir, SOURCE, &lease.variants, control, log)?),
    };
    let files = files(&made, dir, &lease.upload.urls)?;
    let total: u64 = files.iter().map(|file| file.length).sum();
    let mut done = 0;
    for file in &files {
        store.upload(file.url, &dir.join(file.name), file.content_type, control, log, &|sent| {
            let part = (done + sent) as f64 / total.max(1) as f64;
            tell("uploading", 88.0 + part * 11.0);
        })?;
        done += file.length;
    }
    Ok(made)
}

/// A result on its way.
#[derive(Debug)]
struct Outgoing<'a> {
    name: &'a str,
    url: &'a str,
    content_type: &'static str,
    length: u64,
}

/// What was made, each with the URL it goes to.
fn files<'a>(made: &'a Made, dir: &Path, urls: &'a BTreeMap<String, String>) -> Outcome<Vec<Outgoing<'a>>> {
    let names: Vec<&str> = match made {
        Made::Image(image) => image.variants.iter().map(|variant| variant.file.as_str()).collect(),
        Made::Video(video) => {
            let renditions = video.renditions.iter().map(|rendition| rendition.file.as_str());
            let audio = video.audio.iter().map(|audio| audio.file.as_str());
            renditions.chain(audio).chain([video.mp4.as_str(), video.poster.as_str()]).collect()
        }
    };
    let outgoing = names.into_iter().map(|name| {
        let url = urls.get(name).with_context(|| format!("the lease has no URL for {name}"))?;
        let length = fs::metadata(dir.join(name))?.len();
        Ok(Outgoing { name, url, content_type: content_type(name)?, length })
    });
    outgoing.collect()
}

fn content_type(name: &str) -> anyhow::Result<&'static str> {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("jpg") => Ok("image/jpeg"),
        Some("png") => Ok("image/png"),
        Some("mp4") if name.starts_with("audio") => Ok("audio/mp4"),
        Some("mp4") => Ok("video/mp4"),
        _ => Err(anyhow!("{name} has no content type")),
    }
}
