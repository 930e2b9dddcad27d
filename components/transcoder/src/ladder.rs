//! The rules of a stream: which sizes it has, how many bits they take, where it is cut, and when the source can be
//! kept as it is.

use crate::packets::Packets;
use crate::probe::{Sound, Source, Video};

/// Seconds between frames that stand by themselves.
pub const KEY: f64 = 2.0;
/// Seconds of a segment.
pub const SEGMENT: f64 = 6.0;
/// The shorter side of each rung, and its bits a second.
const RUNGS: [(u32, u64); 4] = [(360, 1_000_000), (480, 1_500_000), (720, 3_000_000), (1080, 6_200_000)];
/// The most frames a second that go out.
const MOST_FRAMES: f64 = 60.5;
/// The longest wait for a frame that stands by itself in what is copied.
const LONGEST_WAIT: f64 = 3.2;
/// Tracks that start closer to each other than this, in seconds, start together.
pub const TOGETHER: f64 = 0.05;
/// The smallest source may take this at least.
const LEAST_BITS: u64 = 200_000;

/// Frames a second, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Frames.
    pub num: u64,
    /// In so many seconds.
    pub den: u64,
}

impl Rate {
    /// Reads `30000/1001`; none where a side is 0 or no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once('/')?;
        let (num, den) = (num.parse().ok()?, den.parse().ok()?);
        (num > 0 && den > 0).then_some(Self { num, den })
    }

    /// As a number.
    pub fn as_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

/// How frames go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// As they come.
    Kept(Rate),
    /// At a constant rate.
    Constant(Rate),
}

impl Frames {
    /// Frames a second that go out.
    pub fn rate(self) -> Rate {
        match self {
            Self::Kept(rate) | Self::Constant(rate) => rate,
        }
    }
}

/// A source with an even rhythm keeps it. One without gets a constant rate, because an encoder shares out its bits
/// by the rate it is told; so does one with more frames than go out, which loses whole frames where that divides.
pub fn frames(video: &Video) -> Frames {
    let (average, base) = (video.average_rate.as_f64(), video.base_rate.as_f64());
    if average > MOST_FRAMES {
        let Rate { num, den } = video.average_rate;
        return Frames::Constant(Rate { num, den: den * 2 });
    }
    if base <= MOST_FRAMES {
        let even = base <= average * 1.1;
        return if even { Frames::Kept(video.average_rate) } else { Frames::Constant(video.base_rate) };
    }
    let sane = [24, 25, 30, 50, 60].into_iter().find(|rate| f64::from(*rate) >= average * 0.98);
    Frames::Constant(Rate { num: u64::from(sane.unwrap_or(60_u32)), den: 1 })
}

/// One size of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The shorter side.
    pub side: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Bits a second.
    pub rate: u64,
}

impl Rung {
    /// The file without its extension: the rung, or that it is none.
    pub fn name(&self) -> String {
        if RUNGS.iter().any(|(side, _)| *side == self.side) {
            format!("v{}", self.side)
        } else {
            "vsource".into()
        }
    }
}

/// The sizes of a video, lowest first, none above it; a video below the lowest gets its own.
pub fn ladder(width: u32, height: u32) -> Vec<Rung> {
    let side = width.min(height);
    let mut rungs: Vec<_> = RUNGS
        .into_iter()
        .filter(|(rung, _)| *rung <= side)
        .map(|(rung, rate)| {
            let scaled = |length: u32| even(f64::from(length) * f64::from(rung) / f64::from(side));
            Rung { side: rung, width: scaled(width), height: scaled(height), rate }
        })
        .collect();
    if rungs.is_empty() {
        let (width, height) = (width / 2 * 2, height / 2 * 2);
        let share = f64::from(width) * f64::from(height) / (640.0 * 360.0);
        let rate = ((RUNGS[0].1 as f64 * share) as u64).clamp(LEAST_BITS, RUNGS[0].1);
        rungs.push(Rung { side: width.min(height), width, height, rate });
    }
    rungs
}

/// A rung of the source's own size between two of the ladder, with bits between theirs. It is worth a place where it
/// can be copied.
pub fn rung_between(width: u32, height: u32) -> Option<Rung> {
    let side = width.min(height);
    let above = RUNGS.iter().position(|(rung, _)| *rung > side)?;
    let ((low, least), (high, most)) = (*RUNGS.get(above.checked_sub(1)?)?, RUNGS[above]);
    let share = f64::from(side - low) / f64::from(high - low);
    let rate = least + ((most - least) as f64 * share) as u64;
    let is_even = width.is_multiple_of(2) && height.is_multiple_of(2);
    (side > low && is_even).then_some(Rung { side, width, height, rate })
}

/// Encoders of 4:2:0 need even sides.
fn even(length: f64) -> u32 {
    ((length / 2.0).round() as u32 * 2).max(2)
}

/// Why the source cannot be the top rung as it is; none where it can. A copy costs nothing and loses nothing.
pub fn why_not_copied(source: &Source, packets: &Packets, top: &Rung) -> Option<&'static str> {
    let video = &source.video;
    let rules = [
        (video.codec == "h264", "its codec is not H.264"),
        (video.pixel_format == "yuv420p", "its pixels are not 8 bit 4:2:0"),
        (is_played_everywhere(video), "its profile or level is not played everywhere"),
        (video.as_stored, "it is turned, or its pixels are not square"),
        (!video.interlaced && video.hdr.is_none(), "it is interlaced or HDR"),
        ((video.width, video.height) == (top.width, top.height), "its size is none of the ladder"),
        (video.average_rate.as_f64() <= MOST_FRAMES, "it has too many frames a second"),
        (lead(source, packets) <= TOGETHER, "it starts after its sound"),
        (packets.whole, "it does not start at a frame that stands by itself"),
        (
            !packets.keys.is_empty() && packets.longest_wait() <= LONGEST_WAIT,
            "its key frames are too far apart",
        ),
        (packets.average <= top.rate as f64 * 1.5, "it takes too many bits"),
        (packets.peak <= top.rate as f64 * 2.0, "it takes too many bits at its peak"),
    ];
    rules.into_iter().find(|(met, _)| !met).map(|(_, why)| why)
}

fn is_played_everywhere(video: &Video) -> bool {
    ["Constrained Baseline", "Baseline", "Main", "High"].contains(&video.profile.as_str())
        && (9..=42).contains(&video.level)
}

/// How long after the file the video starts. Players of segments go by what they hold, not by when it starts: a
/// track has to start with the others.
pub fn lead(source: &Source, packets: &Packets) -> f64 {
    (packets.start - source.start).max(0.0)
}

/// Whether the sound can be kept as it is.
pub fn is_sound_copied(source: &Source, sound: &Sound, packets: &Packets) -> bool {
    let starts_with_file = packets.sound_start.is_some_and(|start| (start - source.start).abs() <= TOGETHER);
    sound.codec == "aac"
        && sound.profile == "LC"
        && sound.channels <= 2
        && sound.bit_rate.is_some_and(|rate| rate <= 192_000)
        && starts_with_file
}

/// Where segments start, cut as the muxer does it: at the first key frame at or after each multiple of
/// [`SEGMENT`].
pub fn segment_starts(keys: &[f64]) -> Vec<f64> {
    let mut starts = Vec::new();
    for key in keys {
        if starts.is_empty() || *key >= SEGMENT * starts.len() as f64 - 1e-6 {
            starts.push(*key);
        }
    }
    starts
}

/// Where encoded rungs get frames that stand by themselves beside a copied one: at its own, so that all are cut at
/// the same places, but not closer than [`KEY`] where no segment starts.
pub fn keys_beside(keys: &[f64]) -> Vec<f64> {
    let starts = segment_starts(keys);
    let mut chosen: Vec<f64> = Vec::new();
    for key in keys {
        let starts_segment = starts.binary_search_by(|start| start.total_cmp(key)).is_ok();
        if starts_segment || chosen.last().is_none_or(|last| key - last >= KEY * 0.95) {
            chosen.push(*key);
        }
    }
    chosen
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
