//! What uploads and the transcoder bear: the pipeline from an upload to a stream against plain ffmpeg with the same
//! ladder, in turn, on one made clip.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Line, WORKER_TOKEN, median};
use crate::http;
use crate::project::transcoder;
use crate::state::State;
use crate::steps::say;

/// Seconds of the clip.
const CLIP: u32 = 60;
/// The sizes a 1080p clip becomes, highest first: width, height, bits a second (docs/media.md, practice of HLS).
const LADDER: [(u32, u32, u32); 4] =
    [(1920, 1080, 6_200_000), (1280, 720, 3_000_000), (854, 480, 1_500_000), (640, 360, 1_000_000)];
/// A job may take so long on a slow machine.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Ends every open upload, so that the quota of the callers does not end the load.
pub fn close_uploads(state: &State) -> Result<()> {
    let database = Connection::open(state.database("media"))?;
    database.busy_timeout(Duration::from_secs(10))?;
    database.execute("update media set open_until = 0 where open_until > 0", [])?;
    Ok(())
}

/// The transcoder against plain ffmpeg, `rounds` times in turn.
pub fn measure(folder: &Path, url: &str, rounds: usize) -> Result<Vec<Line>> {
    let clip = make_clip(folder)?;
    let mut worker = Worker::start(folder, url)?;
    let token = sign_in(url)?;
    let (mut ours, mut plain, mut playable) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        say(&format!("==> a {CLIP} s clip of 1080p, round {round} of {rounds}"));
        let (processing, waited) = process(url, &token, &clip)?;
        ours.push(processing);
        playable.push(waited);
        plain.push(plain_ffmpeg(folder, &clip)?);
    }
    let memory = worker.memory()?;
    let (ours, plain) = (median(ours), median(plain));
    let mut lines = vec![
        Line::plain("plain ffmpeg, 60 s of 1080p, 4 sizes".to_owned(), format!("{plain:.1} s")),
        Line::plain("transcoder, the same, from lease to ready".to_owned(), format!("{ours:.1} s")),
    ];
    lines.push(Line::at_most("transcoder over plain ffmpeg".to_owned(), ours / plain, 1.05, "times"));
    lines.push(Line::plain(
        "from the end of the upload until it plays".to_owned(),
        format!("{:.1} s", median(playable)),
    ));
    lines.push(Line::plain(
        "memory of the transcoder without ffmpeg, at most".to_owned(),
        format!("{memory:.1} MB"),
    ));
    Ok(lines)
}

/// A clip that has to be encoded in every size: its key frames are too far apart to be kept.
fn make_clip(folder: &Path) -> Result<std::path::PathBuf> {
    say("==> making a clip");
    let clip = folder.join("clip.mp4");
    let picture = format!("testsrc2=s=1920x1080:r=30:d={CLIP},noise=alls=4:allf=t");
    let sound = format!("sine=f=330:d={CLIP}");
    ffmpeg(
        folder,
        &[
            "-f",
            "lavfi",
            "-i",
            &picture,
            "-f",
            "lavfi",
            "-i",
            &sound,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "23",
            // An upload may have 512 MiB.
            "-maxrate",
            "30M",
            "-bufsize",
            "30M",
            "-g",
            "300",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-shortest",
            "-y",
            "clip.mp4",
        ],
    )?;
    Ok(clip)
}

/// Seconds that plain ffmpeg takes, with the encoder's settings of the transcoder and one decoding.
fn plain_ffmpeg(folder: &Path, clip: &Path) -> Result<f64> {
    let names: Vec<String> = (0..LADDER.len()).map(|index| format!("[s{index}]")).collect();
    let mut filters = format!("[0:v]split={}{}", LADDER.len(), names.concat());
    let mut arguments: Vec<String> = ["-y", "-i"].map(str::to_owned).to_vec();
    arguments.push(clip.display().to_string());
    let mut outputs = Vec::new();
    for (index, (width, height, rate)) in LADDER.iter().enumerate() {
        filters.push_str(&format!(";[s{index}]scale={width}:{height}:flags=bicubic[v{index}]"));
        outputs.extend(["-map".to_owned(), format!("[v{index}]")]);
        outputs.extend(
            ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", "23", "-g", "600"]
                .map(str::to_owned),
        );
        outputs.extend(
            ["-sc_threshold", "0", "-force_key_frames", "expr:gte(t,n_forced*2)", "-maxrate"]
                .map(str::to_owned),
        );
        outputs.extend([rate.to_string(), "-bufsize".to_owned(), (rate * 2).to_string()]);
        outputs.extend(hls(&format!("plain{height}")));
    }
    outputs.extend(["-map", "0:a", "-c:a", "copy"].map(str::to_owned));
    outputs.extend(hls("plainsound"));
    arguments.extend(["-filter_complex".to_owned(), filters]);
    arguments.extend(outputs);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let start = Instant::now();
    ffmpeg(folder, &words)?;
    Ok(start.elapsed().as_secs_f64())
}

fn hls(name: &str) -> Vec<String> {
    let fixed = "-f hls -hls_time 6 -hls_list_size 0 -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags single_file";
    let mut words: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    words.extend(["-hls_segment_filename".to_owned(), format!("{name}.mp4"), format!("{name}.m3u8")]);
    words
}

fn ffmpeg(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]).args(arguments).current_dir(folder).stdin(Stdio::null());
    let done = command.output().context("ffmpeg is missing: install it, or leave out the bench of media")?;
    if !done.status.success() {
        bail!("ffmpeg: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

/// Seconds from the lease until it is ready, and from the end of the upload.
fn process(url: &str, token: &str, clip: &Path) -> Result<(f64, f64)> {
    let bytes = std::fs::read(clip)?;
    let limit = Duration::from_secs(60);
    let body = json!({ "contentType": "video/mp4", "size": bytes.len() });
    let admitted = http::post_json_as(&format!("{url}/upload-url"), token, &body, limit)?.json();
    let headers = admitted["headers"].as_object().context("no upload is admitted")?;
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap_or_default()))
        .collect();
    let put = http::put(admitted["url"].as_str().unwrap_or_default(), &headers, &bytes, limit)?;
    if put.status != 200 {
        bail!("the upload was answered with {}", put.status);
    }
    let (key, uploaded) = (admitted["key"].clone(), Instant::now());
    http::post_json_as(&format!("{url}/process-video"), token, &json!({ "key": key }), limit)?;
    let mut leased = None;
    while uploaded.elapsed() < PATIENCE {
        let media =
            http::get_as(&format!("{url}/media/{}", key.as_str().unwrap_or_default()), token, limit)?.json();
        match media["status"].as_str() {
            Some("processing") if leased.is_none() => leased = Some(Instant::now()),
            Some("ready") => {
                let leased = leased.unwrap_or(uploaded);
                return Ok((leased.elapsed().as_secs_f64(), uploaded.elapsed().as_secs_f64()));
            }
            Some("failed") => bail!("the clip failed: {}", media["error"]),
            _ => {}
        }
        std::thread::sleep(LOOK);
    }
    bail!("the clip is not ready after {} s", PATIENCE.as_secs())
}

fn sign_in(url: &str) -> Result<String> {
    let body =
        json!({ "email": "clips@example.com", "password": "correct horse battery", "handle": "clips" });
    let answer: Value =
        http::post_json(&format!("{url}/auth/register"), &body, Duration::from_secs(30))?.json();
    answer["accessToken"].as_str().map(ToOwned::to_owned).context("registering answered no token")
}

/// A transcoder, until dropped.
struct Worker(Child);

impl Worker {
    fn start(folder: &Path, url: &str) -> Result<Self> {
        let mut command = Command::new(transcoder());
        command.args(["--url", url, "--jobs", "1", "--kinds", "video", "--work-dir"]).arg(folder);
        command.env("SCOOTERBOOTER_WORKER_TOKEN", WORKER_TOKEN).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context("the transcoder cannot be started")?))
    }

    /// The most memory it had, in MB.
    fn memory(&mut self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kilobytes.context("no such figure")? / 1024.0)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
