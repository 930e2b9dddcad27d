//! A video from the source to its stream, its poster and its plain MP4.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::control::Control;
use crate::encode::{self, Plan, SOUND};
use crate::failure::{Code, Failure, Outcome};
use crate::ladder::Rung;
use crate::log::Log;
use crate::packets::{self, Packets};
use crate::playlist;
use crate::probe::{self, Source};
use crate::run::{Ended, Limits, Run, arguments};
use crate::sniff::{self, truncated};
use crate::tools::Tools;
use crate::wire::{Audio, Rendition, Track, VideoResult};

/// Pixels of the longer side of the poster, at the most.
const POSTER: u32 = 1280;
/// Both sides of the picture a blurhash is made of.
const THUMBNAIL: u32 = 32;
/// Decoding 2160p and encoding four sizes takes less than half of this.
const MEMORY: u64 = 6 << 30;
/// How long a video may take, however long it plays.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// What every video may take, beside ten times its length.
const LEAST: Duration = Duration::from_secs(30 * 60);
/// Copying what is encoded, and one picture of it.
const AFTER: Limits = Limits { time: Duration::from_secs(300), memory: 2 << 30, file: 8 << 30 };
/// For players without HLS, in this size at the most.
const PLAIN_SIDE: u32 = 720;

/// Where a video is worked on.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// The programs.
    pub tools: &'a Tools,
    /// A folder of the job's own; results are left there.
    pub dir: &'a Path,
    /// The file in it that holds the upload.
    pub file: &'a str,
    /// Whether to stop, and how far it is.
    pub control: &'a Control,
    /// The log of the job.
    pub log: &'a Log,
}

/// Makes the files of a video and tells what they are. `percent` is told how far it is, 0 to 100.
pub fn transcode(room: &Room<'_>, percent: &dyn Fn(f64)) -> Outcome<VideoResult> {
    let path = room.dir.join(room.file);
    let container = sniff::container(&path)?;
    let source = probe::probe(room.tools, room.dir, room.file, container, room.control)?;
    let packets = packets::read(room.tools, room.dir, room.file, &source, room.control)?;
    let (plan, why) = Plan::new(&source, &packets);
    let size = format!("{}x{}", source.video.width, source.video.height);
    room.log.info(
        if plan.is_top_copied { "encoding; the top rung is copied" } else { "encoding" },
        &[
            ("codec", &source.video.codec),
            ("size", &size),
            ("seconds", &format!("{:.1}", packets.seconds())),
            ("rungs", &plan.rungs.len()),
            ("not_copied", &why.unwrap_or("-")),
        ],
    );
    percent(2.0);
    encode(room, &source, &packets, &plan, &|part| percent(2.0 + part * 0.94))?;
    let renditions = renditions(room, &source, &packets, &plan)?;
    let audio = plan.is_sound_copied.map(|_| audio(room)).transpose()?.flatten();
    let video = plain(room, &plan, audio.is_some())?;
    percent(98.0);
    let seconds: f64 = renditions.iter().map(|one| length(&one.track)).fold(0.0, f64::max);
    let blurhash = poster(room, &plan, seconds)?;
    percent(100.0);
    Ok(VideoResult {
        width: source.video.width,
        height: source.video.height,
        duration_ms: ((seconds * 1000.0).round() as u64).max(1),
        blurhash,
        poster: "poster.jpg".into(),
        mp4: video,
        renditions,
        audio,
    })
}

fn length(track: &Track) -> f64 {
    track.segments.iter().map(|segment| segment.0).sum()
}

fn encode(
    room: &Room<'_>,
    source: &Source,
    packets: &Packets,
    plan: &Plan,
    percent: &dyn Fn(f64),
) -> Outcome<()> {
    let seconds = packets.seconds();
    let size = fs::metadata(room.dir.join(room.file))?.len();
    let time = (LEAST + Duration::from_secs_f64(seconds * 10.0)).min(LONGEST);
    let limits = Limits { time, memory: MEMORY, file: plan.largest_file(seconds, size) };
    let words = encode::command(source, packets, plan, room.file);
    let run = Run { program: &room.tools.ffmpeg, arguments: words, dir: room.dir, input: None, limits };
    let ended = run.run(room.control, &mut |line| {
        let time = line.strip_prefix("out_time_us=").and_then(|time| time.parse::<f64>().ok());
        if let Some(time) = time {
            percent((time / 1e6 / seconds.max(0.001) * 100.0).clamp(0.0, 100.0));
        }
        Ok(())
    })?;
    if !ended.words.is_empty() && ended.status.success() {
        room.log.info("ffmpeg had something to say", &[("words", &ended.words)]);
    }
    check(&ended)
}

/// What an end of ffmpeg means: a file that cannot be decoded, a build that lacks something, or a fault of ours.
fn check(ended: &Ended) -> Outcome<()> {
    if ended.status.success() {
        return Ok(());
    }
    let words = &ended.words;
    let is_said = |what: &[&str]| what.iter().any(|what| words.contains(what));
    let failure = if ended.status.code() == Some(127) {
        return Err(anyhow::anyhow!("ffmpeg is not there: install it, or name it with --ffmpeg").into());
    } else if is_said(&["No space left", "Cannot allocate memory"]) {
        // Said first: a full disk shows as an invalid argument further down.
        return Err(anyhow::anyhow!("ffmpeg ended with {}: {words}", ended.status).into());
    } else if is_said(&["No such filter", "Unknown encoder", "Decoder not found", "Decoder (codec"]) {
        Failure::new(Code::Unsupported, "The video's codec cannot be read here.")
    } else if is_said(&["Invalid data found", "error rate", "Error while decoding", "Conversion failed"]) {
        Failure::new(Code::NotAVideo, "The video cannot be decoded.")
    } else {
        return Err(anyhow::anyhow!("ffmpeg ended with {}: {words}", ended.status).into());
    };
    Err(failure.after(words))
}

/// The playlist and the first bytes of a track; none where ffmpeg wrote nothing.
fn made(room: &Room<'_>, name: &str) -> Outcome<Option<(Track, Vec<u8>)>> {
    let path = room.dir.join(format!("{name}.mp4"));
    let Ok(text) = fs::read_to_string(room.dir.join(format!("{name}.m3u8"))) else { return Ok(None) };
    let track = playlist::track(&text, fs::metadata(&path)?.len()).with_context(|| format!("{name}.m3u8"))?;
    let mut header = vec![0; usize::try_from(track.init).unwrap_or_default().min(1 << 20)];
    std::io::Read::read_exact(&mut fs::File::open(path)?, &mut header)?;
    Ok(Some((track, header)))
}

fn renditions(room: &Room<'_>, source: &Source, packets: &Packets, plan: &Plan) -> Outcome<Vec<Rendition>> {
    let mut renditions = Vec::new();
    for rung in &plan.rungs {
        let undecodable = || Failure::new(Code::NotAVideo, "The video cannot be decoded.");
        let (track, header) = made(room, &rung.name())?.ok_or_else(undecodable)?;
        // Whatever the decoder left out at the end is missing.
        let expected = packets.seconds();
        if length(&track) + (expected * 0.1).max(1.0) < expected {
            return Err(truncated());
        }
        let codecs = playlist::avc_codec(&header).context("a header without avcC")?;
        renditions.push(Rendition {
            file: format!("{}.mp4", rung.name()),
            width: rung.width,
            height: rung.height,
            frame_rate: plan.frame_rate(rung, &source.video),
            codecs,
            track,
        });
    }
    Ok(renditions)
}

/// None where the stream of sound had nothing in it.
fn audio(room: &Room<'_>) -> Outcome<Option<Audio>> {
    let Some((track, header)) = made(room, SOUND).or_else(|failure| {
        room.log.info("the sound is empty", &[("why", &failure.detail)]);
        Ok::<_, Failure>(None)
    })?
    else {
        return Ok(None);
    };
    let codecs = playlist::aac_codec(&header).context("a header without esds")?;
    Ok(Some(Audio { file: format!("{SOUND}.mp4"), codecs, track }))
}

/// The largest rung that is at most `side`, else the lowest.
fn rung_up_to(plan: &Plan, side: u32) -> Outcome<Rung> {
    let rung = plan.rungs.iter().rfind(|rung| rung.side <= side).or(plan.rungs.first());
    Ok(*rung.context("a ladder without rungs")?)
}

/// A plain MP4 out of what is made, with its index in front.
fn plain(room: &Room<'_>, plan: &Plan, has_sound: bool) -> Outcome<String> {
    let picture = format!("{}.mp4", rung_up_to(plan, PLAIN_SIDE)?.name());
    let mut words =
        vec!["-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file", "-f", "mov", "-i", &picture];
    if has_sound {
        words.extend(["-protocol_whitelist", "file", "-f", "mov", "-i", "audio.mp4", "-map", "1:a:0"]);
    }
    words.extend(["-map", "0:v:0", "-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact"]);
    words.extend(["-movflags", "+faststart", "-f", "mp4", "video.mp4"]);
    after(room, words)?;
    Ok("video.mp4".into())
}

/// A picture from near the start, and its blurhash. In a slideshow no frame may follow so soon: then the first is
/// taken.
fn poster(room: &Room<'_>, plan: &Plan, seconds: f64) -> Outcome<String> {
    let rung = rung_up_to(plan, PLAIN_SIDE)?;
    for at in [(seconds * 0.1).min(1.0), 0.0] {
        picture(room, &rung, at)?;
        let pixels = fs::read(room.dir.join("thumbnail.rgba"))?;
        if pixels.len() == (THUMBNAIL * THUMBNAIL * 4) as usize {
            return Ok(blurhash::encode(4, 3, THUMBNAIL, THUMBNAIL, &pixels).context("no blurhash")?);
        }
    }
    Err(anyhow::anyhow!("no frame for the poster").into())
}

/// The poster and the thumbnail at a time of a rung; both are empty where no frame follows.
fn picture(room: &Room<'_>, rung: &Rung, at: f64) -> Outcome<()> {
    let (file, at) = (format!("{}.mp4", rung.name()), format!("{at:.3}"));
    let share = (f64::from(POSTER) / f64::from(rung.width.max(rung.height))).min(1.0);
    let side = |side: u32| ((f64::from(side) * share / 2.0).round() as u32 * 2).max(2);
    let (width, height) = (side(rung.width), side(rung.height));
    // A JPEG is always read with the colours of BT.601 in full range.
    let graph = format!(
        "[0:v:0]split[p][t];[p]scale={width}:{height}:out_color_matrix=bt601:out_range=pc,format=yuvj420p[poster];\
         [t]scale={THUMBNAIL}:{THUMBNAIL}:flags=area,format=rgba[thumbnail]"
    );
    let mut words: Vec<&str> =
        "-v error -nostdin -y -protocol_whitelist file -f mov -ss".split(' ').collect();
    words.extend([
        &at,
        "-i",
        &file,
        "-filter_complex",
        &graph,
        "-map",
        "[poster]",
        "-frames:v",
        "1",
        "-q:v",
        "3",
    ]);
    words.extend("-map_metadata -1 -fflags +bitexact -flags:v +bitexact -f mjpeg poster.jpg".split(' '));
    words.extend("-map [thumbnail] -frames:v 1 -f rawvideo thumbnail.rgba".split(' '));
    after(room, words)
}

/// A run of ffmpeg on files that it made itself.
fn after(room: &Room<'_>, words: Vec<&str>) -> Outcome<()> {
    let run = Run {
        program: &room.tools.ffmpeg,
        arguments: arguments(words),
        dir: room.dir,
        input: None,
        limits: AFTER,
    };
    let ended = run.run(room.control, &mut |_| Ok(()))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(anyhow::anyhow!("ffmpeg ended with {}: {}", ended.status, ended.words).into())
}
