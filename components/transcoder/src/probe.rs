//! What is in a video, as ffprobe tells it, held against the limits.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::ladder::Rate;
use crate::run::{Limits, Run, arguments};
use crate::sniff::Container;
use crate::tools::Tools;

/// The longest video, in seconds.
pub const LONGEST: f64 = 3600.0;
/// The most pixels of the longer side.
pub const LONGER_SIDE: u32 = 3840;
/// The most pixels of the shorter side.
pub const SHORTER_SIDE: u32 = 2160;
/// The most frames a second.
pub const MOST_FRAMES: f64 = 120.0;
/// The most streams.
pub const MOST_STREAMS: u64 = 16;
/// The fewest pixels of a side; encoders stumble below.
const FEWEST_PIXELS: u32 = 16;

/// Reading headers takes a moment; a file on which it takes longer is up to something.
pub const PROBE_LIMITS: Limits = Limits { time: Duration::from_secs(30), memory: 2 << 30, file: 1 << 20 };
/// ffprobe writes some kilobytes of what is asked for here.
const MOST_OUTPUT: usize = 1 << 20;

/// Decoders that have been fuzzed for years. Others are not worth their risk on files of strangers.
const VIDEO_CODECS: [&str; 14] = [
    "av1",
    "dnxhd",
    "flv1",
    "h263",
    "h264",
    "hevc",
    "mjpeg",
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "prores",
    "theora",
    "vp8",
    "vp9",
];
const AUDIO_CODECS: [&str; 13] = [
    "aac",
    "ac3",
    "alac",
    "amr_nb",
    "amr_wb",
    "eac3",
    "flac",
    "mp2",
    "mp3",
    "opus",
    "vorbis",
    "pcm_s16le",
    "pcm_s16be",
];
/// What phones and cameras write beside those.
const MORE_AUDIO_CODECS: [&str; 5] = ["pcm_s24le", "pcm_s24be", "pcm_f32le", "pcm_mulaw", "pcm_alaw"];

/// The video of a file, upright.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// Which stream it is.
    pub index: u32,
    /// Pixels a row, upright and square.
    pub width: u32,
    /// Rows, upright and square.
    pub height: u32,
    /// Whether it stands as it is stored, with square pixels.
    pub as_stored: bool,
    /// ffmpeg's name of the codec.
    pub codec: String,
    /// ffmpeg's name of the profile.
    pub profile: String,
    /// Ten times the level of H.264.
    pub level: i64,
    /// ffmpeg's name of the pixel format.
    pub pixel_format: String,
    /// Whether its frames are two fields.
    pub interlaced: bool,
    /// The transfer function, where it is one of HDR.
    pub hdr: Option<String>,
    /// Whether it does not tell its colours.
    pub untagged: bool,
    /// Frames a second, on the whole.
    pub average_rate: Rate,
    /// The least that holds every distance between frames.
    pub base_rate: Rate,
    /// Seconds, as the stream declares.
    pub declared: Option<f64>,
}

/// The sound of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Which stream it is.
    pub index: u32,
    /// ffmpeg's name of the codec.
    pub codec: String,
    /// ffmpeg's name of the profile.
    pub profile: String,
    /// How many.
    pub channels: u32,
    /// Bits a second, where they are told.
    pub bit_rate: Option<u64>,
}

/// A file within the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its container.
    pub container: Container,
    /// Its video.
    pub video: Video,
    /// Its sound, where it has one that can be read.
    pub sound: Option<Sound>,
    /// Seconds, as the file declares.
    pub declared: Option<f64>,
    /// When the first of its streams starts, in seconds; what is made of it starts at 0.
    pub start: f64,
}

/// Asks ffprobe about `file` in `dir`.
pub fn probe(
    tools: &Tools,
    dir: &Path,
    file: &str,
    container: Container,
    control: &Control,
) -> Outcome<Source> {
    let entries = "stream=index,codec_type,codec_name,profile,level,width,height,pix_fmt,sample_aspect_ratio,\
        field_order,color_space,color_transfer,r_frame_rate,avg_frame_rate,duration,bit_rate,channels\
        :stream_disposition=attached_pic:stream_side_data=rotation:stream_tags=rotate:format=nb_streams,duration,start_time";
    let words = ["-v", "error", "-protocol_whitelist", "file", "-f", container.demuxer()];
    let words = words.into_iter().chain(["-of", "json=c=1", "-show_entries", entries, "-i", file]);
    let run =
        Run { program: &tools.ffprobe, arguments: arguments(words), dir, input: None, limits: PROBE_LIMITS };
    let mut json = String::new();
    let ended = run.run(control, &mut |line| {
        json.push_str(line);
        if json.len() > MOST_OUTPUT { Err(not_a_video()) } else { Ok(()) }
    })?;
    if ended.status.code() == Some(127) {
        return Err(anyhow::anyhow!("ffprobe is not there: install ffmpeg, or name it with --ffprobe").into());
    }
    if !ended.status.success() {
        return Err(not_a_video().after(&ended.words));
    }
    let told = serde_json::from_str(&json).context("ffprobe wrote something unexpected")?;
    understand(told, container)
}

fn not_a_video() -> Failure {
    Failure::new(Code::NotAVideo, "The file is not a video that can be read.")
}

#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    streams: Vec<ToldStream>,
    #[serde(default)]
    format: ToldFormat,
}

#[derive(Debug, Default, Deserialize)]
struct ToldFormat {
    #[serde(default)]
    nb_streams: u64,
    duration: Option<String>,
    start_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldStream {
    index: u32,
    codec_type: String,
    codec_name: String,
    profile: String,
    level: i64,
    width: u32,
    height: u32,
    pix_fmt: String,
    sample_aspect_ratio: String,
    field_order: String,
    color_space: String,
    color_transfer: String,
    r_frame_rate: String,
    avg_frame_rate: String,
    duration: Option<String>,
    bit_rate: Option<String>,
    channels: u32,
    disposition: ToldDisposition,
    tags: ToldTags,
    side_data_list: Vec<ToldSideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldDisposition {
    attached_pic: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldTags {
    rotate: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldSideData {
    rotation: Option<f64>,
}

/// The rules, apart from the program that is asked.
fn understand(told: Told, container: Container) -> Outcome<Source> {
    if told.format.nb_streams > MOST_STREAMS {
        let detail = format!("The file has more than {MOST_STREAMS} streams.");
        return Err(Failure::new(Code::TooManyStreams, detail));
    }
    let declared = seconds(told.format.duration.as_deref());
    let stream = told
        .streams
        .iter()
        .find(|stream| stream.codec_type == "video" && stream.disposition.attached_pic == 0);
    let Some(stream) = stream else {
        return Err(Failure::new(Code::NotAVideo, "The file has no video in it."));
    };
    let video = video(stream)?;
    if declared.into_iter().chain(video.declared).any(|seconds| seconds > LONGEST) {
        return Err(too_long());
    }
    let sound = told.streams.iter().filter(|stream| stream.codec_type == "audio").find_map(sound);
    let start =
        told.format.start_time.and_then(|start| start.parse().ok()).filter(|start: &f64| start.is_finite());
    Ok(Source { container, video, sound, declared, start: start.unwrap_or(0.0) })
}

/// Over the limit of time.
pub fn too_long() -> Failure {
    Failure::new(Code::TooLong, "The video is longer than an hour.")
}

/// Over the limit of frames.
pub fn too_fast() -> Failure {
    Failure::new(Code::FrameRateTooHigh, format!("The video has more than {MOST_FRAMES} frames a second."))
}

fn video(stream: &ToldStream) -> Outcome<Video> {
    if !VIDEO_CODECS.contains(&stream.codec_name.as_str()) {
        return Err(Failure::new(Code::Unsupported, "The video's codec cannot be read here."));
    }
    let (longer, shorter) = (stream.width.max(stream.height), stream.width.min(stream.height));
    if longer > LONGER_SIDE || shorter > SHORTER_SIDE {
        let detail = format!("The video is larger than {LONGER_SIDE} x {SHORTER_SIDE} pixels.");
        return Err(Failure::new(Code::TooManyPixels, detail));
    }
    if shorter == 0 {
        return Err(not_a_video());
    }
    let turned = is_turned(stream);
    let (width, height, square) = upright(stream, turned.is_some_and(|turned| turned));
    if width.min(height) < FEWEST_PIXELS {
        return Err(Failure::new(
            Code::Unsupported,
            format!("The video is less than {FEWEST_PIXELS} pixels high or wide."),
        ));
    }
    let average_rate = Rate::parse(&stream.avg_frame_rate);
    let base_rate = Rate::parse(&stream.r_frame_rate);
    let average_rate = average_rate.or(base_rate).unwrap_or(Rate { num: 25, den: 1 });
    if average_rate.as_f64() > MOST_FRAMES + 0.5 {
        return Err(too_fast());
    }
    Ok(Video {
        index: stream.index,
        width,
        height,
        as_stored: turned.is_none() && square,
        codec: stream.codec_name.clone(),
        profile: stream.profile.clone(),
        level: stream.level,
        pixel_format: stream.pix_fmt.clone(),
        interlaced: matches!(stream.field_order.as_str(), "tt" | "bb" | "tb" | "bt"),
        hdr: Some(&stream.color_transfer)
            .filter(|transfer| matches!(transfer.as_str(), "smpte2084" | "arib-std-b67"))
            .cloned(),
        untagged: matches!(stream.color_space.as_str(), "" | "unknown"),
        average_rate,
        base_rate: base_rate.unwrap_or(average_rate),
        declared: seconds(stream.duration.as_deref()),
    })
}

/// Whether sides change places when the video stands upright; none where it stands as stored.
fn is_turned(stream: &ToldStream) -> Option<bool> {
    let matrix = stream.side_data_list.iter().find_map(|data| data.rotation);
    let tag = || stream.tags.rotate.as_ref().and_then(|tag| tag.parse().ok());
    let degrees: f64 = matrix.or_else(tag).unwrap_or(0.0);
    let quarters = (degrees / 90.0).round() as i64;
    // A matrix that only mirrors shows as no rotation or half a turn; ffmpeg applies it when it decodes.
    if matrix.is_none() && quarters == 0 { None } else { Some(quarters % 2 != 0) }
}

/// Width and height upright with square pixels, and whether the pixels were square. Pixels are only ever made
/// fewer: of the two sides the one that is too long shrinks.
fn upright(stream: &ToldStream, turned: bool) -> (u32, u32, bool) {
    let ratio = Rate::parse(&stream.sample_aspect_ratio.replace(':', "/")).map_or(1.0, Rate::as_f64);
    let square = !(0.05..20.0).contains(&ratio) || (ratio - 1.0).abs() < 0.001;
    let (mut width, mut height) = (stream.width, stream.height);
    if !square && ratio > 1.0 {
        height = (f64::from(height) / ratio).round().max(1.0) as u32;
    } else if !square {
        width = (f64::from(width) * ratio).round().max(1.0) as u32;
    }
    if turned { (height, width, square) } else { (width, height, square) }
}

fn sound(stream: &ToldStream) -> Option<Sound> {
    let known = AUDIO_CODECS.iter().chain(&MORE_AUDIO_CODECS).any(|codec| *codec == stream.codec_name);
    let usable = known && stream.channels > 0;
    usable.then(|| Sound {
        index: stream.index,
        codec: stream.codec_name.clone(),
        profile: stream.profile.clone(),
        channels: stream.channels,
        bit_rate: stream.bit_rate.as_ref().and_then(|rate| rate.parse().ok()),
    })
}

fn seconds(text: Option<&str>) -> Option<f64> {
    text.and_then(|text| text.parse::<f64>().ok()).filter(|seconds| seconds.is_finite() && *seconds > 0.0)
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
