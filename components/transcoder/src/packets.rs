//! The packets of a video, read without decoding: where it really ends, how often it has a frame that stands by
//! itself, and how many bits it takes. Cheap beside an encoding, and it shows what a header hides.

use std::path::Path;
use std::time::Duration;

use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::ladder::{SEGMENT, segment_starts};
use crate::probe::{LONGEST, MOST_FRAMES, PROBE_LIMITS, Source, too_fast, too_long};
use crate::run::{Limits, Run, arguments};
use crate::sniff::truncated;
use crate::tools::Tools;

/// Reading half a gigabyte from a slow disk.
const LIMITS: Limits = Limits { time: Duration::from_secs(180), ..PROBE_LIMITS };
/// How many frames an hour may have, and as much again of sound.
const MOST_PACKETS: u64 = 2_000_000;
/// How many frames that stand by themselves are remembered; with more, nothing is copied.
const MOST_KEYS: usize = 8_000;

/// What the packets of a video show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packets {
    /// When the first frame is shown, in seconds.
    pub start: f64,
    /// When the last frame ends.
    pub end: f64,
    /// When the sound starts.
    pub sound_start: Option<f64>,
    /// When each frame that stands by itself is shown, from the first frame on. Empty where they are too many.
    pub keys: Vec<f64>,
    /// Whether the first frame stands by itself and every frame is shown.
    pub whole: bool,
    /// Bits a second of all.
    pub average: f64,
    /// Bits a second of the largest segment it would be cut into.
    pub peak: f64,
}

impl Packets {
    /// How long the video plays.
    pub fn seconds(&self) -> f64 {
        self.end - self.start
    }

    /// The longest time without a frame that stands by itself.
    pub fn longest_wait(&self) -> f64 {
        let ends = self.keys.iter().skip(1).copied().chain([self.seconds()]);
        self.keys.iter().zip(ends).map(|(key, end)| end - key).fold(0.0, f64::max)
    }
}

#[derive(Debug, Default)]
struct Reader {
    video: u32,
    sound: Option<u32>,
    count: u64,
    last_end: f64,
    sound_start: Option<f64>,
    /// When it is shown, how many bytes, whether it stands by itself.
    frames: Vec<(f64, u32, bool)>,
    video_end: f64,
    discarded: bool,
}

/// Reads the packets of `file` in `dir`.
pub fn read(tools: &Tools, dir: &Path, file: &str, source: &Source, control: &Control) -> Outcome<Packets> {
    let demuxer = source.container.demuxer();
    let words = ["-v", "error", "-protocol_whitelist", "file", "-f", demuxer, "-of", "compact=p=0"];
    let entries = "packet=stream_index,pts_time,duration_time,size,flags";
    let words = words.into_iter().chain(["-show_entries", entries, "-i", file]);
    let run = Run { program: &tools.ffprobe, arguments: arguments(words), dir, input: None, limits: LIMITS };
    let sound = source.sound.as_ref().map(|sound| sound.index);
    let mut reader = Reader { video: source.video.index, sound, ..Reader::default() };
    let ended = run.run(control, &mut |line| reader.line(line))?;
    if !ended.status.success() {
        return Err(Failure::new(Code::NotAVideo, "The file cannot be read to its end.").after(&ended.words));
    }
    reader.finish(source)
}

impl Reader {
    fn line(&mut self, line: &str) -> Outcome<()> {
        let field = |name: &str| {
            line.split('|')
                .find_map(|field| field.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| value)
        };
        let (Some(index), Some(at)) = (
            field("stream_index").and_then(|index| index.parse::<u32>().ok()),
            field("pts_time").and_then(|at| at.parse::<f64>().ok()),
        ) else {
            return Ok(());
        };
        self.count += 1;
        let end = at + field("duration_time").and_then(|time| time.parse::<f64>().ok()).unwrap_or(0.0);
        if self.count > MOST_PACKETS || end > LONGEST * 2.0 {
            return Err(too_long());
        }
        self.last_end = self.last_end.max(end);
        if Some(index) == self.sound {
            self.sound_start.get_or_insert(at);
        }
        if index == self.video {
            let flags = field("flags").unwrap_or_default();
            // Frames before the start of an edit are decoded and not shown.
            self.discarded |= flags.contains('D');
            let size = field("size").and_then(|size| size.parse().ok()).unwrap_or(0);
            self.frames.push((at, size, flags.starts_with('K')));
            self.video_end = self.video_end.max(end);
        }
        Ok(())
    }

    fn finish(mut self, source: &Source) -> Outcome<Packets> {
        let Some(first) = self.frames.first().copied() else {
            // A header that promises a video without a single frame of it.
            return Err(if source.declared.is_some_and(|seconds| seconds > 1.0) {
                truncated()
            } else {
                Failure::new(Code::NotAVideo, "The file has no frame of video in it.")
            });
        };
        let start = self.frames.iter().map(|frame| frame.0).fold(first.0, f64::min);
        let seconds = self.video_end - start;
        if seconds > LONGEST {
            return Err(too_long());
        }
        if self.frames.len() as f64 > (seconds.max(1.0)) * (MOST_FRAMES + 0.5) {
            return Err(too_fast());
        }
        let ends_early = |declared: Option<f64>, end: f64| {
            declared.is_some_and(|declared| end + (declared * 0.05).max(1.0) < declared)
        };
        if ends_early(source.video.declared, seconds) || ends_early(source.declared, self.last_end) {
            return Err(truncated());
        }
        let whole = first.2 && !self.discarded && first.0 - start < 0.001;
        self.frames.sort_by(|one, other| one.0.total_cmp(&other.0));
        let bytes: f64 = self.frames.iter().map(|frame| f64::from(frame.1)).sum();
        let mut keys: Vec<_> =
            self.frames.iter().filter(|frame| frame.2).map(|frame| frame.0 - start).collect();
        if keys.len() > MOST_KEYS {
            keys.clear();
        }
        let peak = self.peak(start, &keys);
        Ok(Packets {
            start,
            end: self.video_end,
            sound_start: self.sound_start,
            keys,
            whole,
            average: bytes * 8.0 / seconds.max(0.001),
            peak,
        })
    }

    /// Cuts the frames as the muxer would.
    fn peak(&self, start: f64, keys: &[f64]) -> f64 {
        let end = self.video_end - start;
        let starts = segment_starts(keys);
        let ends = starts.iter().skip(1).copied().chain([end]);
        let mut peak: f64 = 0.0;
        for (from, to) in starts.iter().zip(ends).filter(|(from, to)| to - *from >= SEGMENT / 2.0) {
            let first = self.frames.partition_point(|frame| frame.0 - start < *from);
            let last = self.frames.partition_point(|frame| frame.0 - start < to);
            let bytes: f64 = self.frames[first..last].iter().map(|frame| f64::from(frame.1)).sum();
            peak = peak.max(bytes * 8.0 / (to - from));
        }
        peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Video;
    use crate::sniff::Container;

    fn source(declared: f64) -> Source {
        let rate = crate::ladder::Rate { num: 10, den: 1 };
        let video = Video {
            index: 0,
            width: 640,
            height: 360,
            as_stored: true,
            codec: "h264".into(),
            profile: "High".into(),
            level: 30,
            pixel_format: "yuv420p".into(),
            interlaced: false,
            hdr: None,
            untagged: false,
            average_rate: rate,
            base_rate: rate,
            declared: None,
        };
        Source { container: Container::IsoBmff, video, sound: None, declared: Some(declared), start: 0.0 }
    }

    /// Ten frames of a kilobyte a second, one in twenty standing by itself.
    fn packets(seconds: u32, declared: f64, flags: &str) -> Result<Packets, &'static str> {
        let mut reader = Reader::default();
        for frame in 0..seconds * 10 {
            let flags = if frame % 20 == 0 { flags } else { "__" };
            let at = f64::from(frame) / 10.0;
            reader
                .line(&format!(
                    "stream_index=0|pts_time={at:.6}|duration_time=0.100000|size=1000|flags={flags}|"
                ))
                .unwrap();
        }
        reader.line("").unwrap();
        reader.finish(&source(declared)).map_err(|failure| failure.code.as_str())
    }

    #[test]
    fn packets_tell_length_keys_and_bits() {
        let packets = packets(14, 14.0, "K_").unwrap();
        assert_eq!(packets.keys, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert!((packets.seconds() - 14.0).abs() < 1e-6 && packets.whole);
        assert!((packets.longest_wait() - 2.0).abs() < 1e-6);
        assert!((packets.average - 80_000.0).abs() < 1.0 && (packets.peak - 80_000.0).abs() < 1.0);
    }

    #[test]
    fn an_end_far_before_the_declared_one_is_truncated() {
        assert_eq!(packets(4, 10.0, "K_").unwrap_err(), "truncated");
        assert!(packets(4, 4.9, "K_").is_ok());
        assert_eq!(Reader::default().finish(&source(10.0)).unwrap_err().code.as_str(), "truncated");
        assert_eq!(Reader::default().finish(&source(0.5)).unwrap_err().code.as_str(), "not_a_video");
    }

    #[test]
    fn hidden_frames_and_hidden_hours_are_seen() {
        assert!(!packets(4, 4.0, "KD").unwrap().whole);
        let mut reader = Reader::default();
        let line = "stream_index=0|pts_time=90000.0|duration_time=0.1|size=1|flags=K_";
        assert_eq!(reader.line(line).unwrap_err().code.as_str(), "too_long");
    }
}
