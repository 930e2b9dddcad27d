//! The one run of ffmpeg that makes every track of a stream, with one decoding of the source.

use std::ffi::OsString;
use std::fmt::Write as _;

use crate::ladder::{self, Frames, KEY, Rung, SEGMENT, TOGETHER};
use crate::packets::Packets;
use crate::probe::{Source, Video};

/// Quality where the bits suffice: a talking head takes half of what its rung may, and looks the same.
const QUALITY: &str = "23";
/// On a server, time is dearer than the few percent of bits that slower ones save.
const PRESET: &str = "veryfast";
/// More threads than this make a picture worse and a machine no faster.
const MOST_THREADS: usize = 16;
/// Room for the odd seconds of a decoder: coded sides are multiples of 64.
const MOST_CODED_PIXELS: u64 = 3904 * 2240;
/// From this shorter side on, colours that are not told are those of BT.709.
const HD: u32 = 720;
/// The file of the sound, without its extension.
pub const SOUND: &str = "audio";

/// What a stream is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Each size, lowest first.
    pub rungs: Vec<Rung>,
    /// Whether the highest is the source as it is.
    pub is_top_copied: bool,
    /// How the frames of the others go out.
    pub frames: Frames,
    /// Seconds before the video starts, which its first frame fills.
    pub lead: f64,
    /// Whether the sound is the source's as it is; none without sound.
    pub is_sound_copied: Option<bool>,
}

impl Plan {
    /// What is made of `source`, and why its video is not copied, where it is not.
    pub fn new(source: &Source, packets: &Packets) -> (Self, Option<&'static str>) {
        let (width, height) = (source.video.width, source.video.height);
        let mut rungs = ladder::ladder(width, height);
        let between = ladder::rung_between(width, height);
        rungs.extend(between.filter(|rung| ladder::why_not_copied(source, packets, rung).is_none()));
        let why = rungs.last().and_then(|top| ladder::why_not_copied(source, packets, top));
        let sound = source.sound.as_ref();
        let is_sound_copied = sound.map(|sound| ladder::is_sound_copied(source, sound, packets));
        let lead = ladder::lead(source, packets);
        let mut frames = ladder::frames(&source.video);
        if lead > TOGETHER {
            // Frames can only be filled in at a constant rate.
            frames = Frames::Constant(frames.rate());
        }
        (Self { rungs, is_top_copied: why.is_none(), frames, lead, is_sound_copied }, why)
    }

    /// The rungs that are encoded, lowest first.
    fn encoded(&self) -> &[Rung] {
        &self.rungs[..self.rungs.len() - usize::from(self.is_top_copied)]
    }

    /// What frames a second a rung has in the end.
    pub fn frame_rate(&self, rung: &Rung, video: &Video) -> f64 {
        let copied = self.is_top_copied && self.rungs.last() == Some(rung);
        let rate = if copied { video.average_rate } else { self.frames.rate() };
        (rate.as_f64() * 1000.0).round() / 1000.0
    }

    /// The most bytes a file may have: twice what its bits come to.
    pub fn largest_file(&self, seconds: f64, source_size: u64) -> u64 {
        let rate = self.rungs.iter().map(|rung| rung.rate).max().unwrap_or_default();
        let encoded = (rate as f64 / 8.0 * (seconds + 10.0) * 2.0) as u64 + (16 << 20);
        encoded.max(if self.is_top_copied { source_size * 2 } else { 0 })
    }
}

/// The words after `ffmpeg`.
pub fn command(source: &Source, packets: &Packets, plan: &Plan, file: &str) -> Vec<OsString> {
    let mut words = Words::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).to_string();
    words.add("-v error -nostdin -y -nostats -stats_period 0.5 -progress pipe:1");
    words.pair("-filter_complex_threads", &threads).pair("-threads", &threads);
    words.pair("-max_pixels", &MOST_CODED_PIXELS.to_string());
    words.add("-protocol_whitelist file").pair("-f", source.container.demuxer()).pair("-i", file);
    if !plan.encoded().is_empty() {
        words.pair("-filter_complex", &filters(&source.video, plan));
    }
    // A gap of years between two packets must not be filled with a file of years.
    let length = format!("{:.3}", packets.seconds() + plan.lead + 1.0);
    for (index, rung) in plan.encoded().iter().enumerate() {
        words.pair("-map", &format!("[r{index}]")).add("-c:v libx264").pair("-preset", PRESET);
        words.add("-profile:v high").pair("-crf", QUALITY).pair("-threads", &threads);
        // The peak of a segment stays within 4/3 of the rung, far from the 200 % that are allowed.
        words.pair("-maxrate", &rung.rate.to_string()).pair("-bufsize", &(rung.rate * 2).to_string());
        words.add("-g 600 -sc_threshold 0").pair("-force_key_frames", &keys(packets, plan));
        words.add("-fps_mode vfr");
        words.hls(&rung.name(), &length);
    }
    if let Some(top) = plan.rungs.last().filter(|_| plan.is_top_copied) {
        words.pair("-map", &format!("0:{}", source.video.index)).add("-c:v copy -tag:v avc1");
        words.hls(&top.name(), &length);
    }
    if let Some((sound, copied)) = source.sound.as_ref().zip(plan.is_sound_copied) {
        words.pair("-map", &format!("0:{}", sound.index));
        if copied {
            words.add("-c:a copy");
        } else {
            // Sound that starts late or has gaps is filled with silence: players go by its samples.
            words.add("-c:a aac -b:a 128k -ac 2 -af aresample=48000:async=1:first_pts=0");
        }
        words.hls(SOUND, &length);
    }
    words.0
}

/// Every two seconds; beside a copied rung at its own key frames. A frame gets one when its time is reached, so a
/// time is told a little early and never missed by a rounding.
fn keys(packets: &Packets, plan: &Plan) -> String {
    if !plan.is_top_copied {
        return format!("expr:gte(t,n_forced*{KEY})");
    }
    let mut text = String::new();
    for key in ladder::keys_beside(&packets.keys) {
        let separator = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{separator}{:.3}", (plan.lead + key - 0.002).max(0.0));
    }
    text
}

/// From the source down: each rung is made of the next higher one, which is a smaller picture to read and to the
/// eye the same.
fn filters(video: &Video, plan: &Plan) -> String {
    let mut graph = format!("[0:{}]", video.index);
    if video.untagged && video.width.min(video.height) >= HD {
        // Players guess by size. The lower rungs would be guessed to have other colours than the source.
        graph.push_str("setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709,");
    }
    if video.interlaced {
        graph.push_str("yadif=deint=interlaced,");
    }
    if let Frames::Constant(rate) = plan.frames {
        let start = if plan.lead > TOGETHER { ":start_time=0" } else { "" };
        let _ = write!(graph, "fps={}/{}{start},", rate.num, rate.den);
    }
    let encoded = plan.encoded();
    for (index, rung) in encoded.iter().enumerate().rev() {
        let is_first = index + 1 == encoded.len();
        let is_sized =
            is_first && video.as_stored && (video.width, video.height) == (rung.width, rung.height);
        if !is_sized {
            let _ = write!(graph, "scale={}:{}:flags=bicubic,setsar=1,", rung.width, rung.height);
        }
        if is_first {
            // Light is mapped once, on the largest picture that is needed.
            if let Some(transfer) = &video.hdr {
                let _ = write!(graph, "{},", tone_map(transfer));
            }
            graph.push_str("format=yuv420p,");
        }
        if index > 0 {
            let _ = write!(graph, "split[r{index}][n{index}];[n{index}]");
        } else {
            let _ = write!(graph, "null[r{index}]");
        }
    }
    graph
}

/// What was filmed for a bright screen on an ordinary one.
fn tone_map(transfer: &str) -> String {
    format!(
        "zscale=tin={transfer}:min=2020_ncl:pin=2020:rin=limited:t=linear:npl=100,format=gbrpf32le,zscale=p=709,\
         tonemap=hable:desat=0,zscale=t=709:m=709:r=limited"
    )
}

/// A command line in the making.
#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    /// Words without spaces inside.
    fn add(&mut self, words: &str) -> &mut Self {
        self.0.extend(words.split(' ').map(OsString::from));
        self
    }

    fn pair(&mut self, flag: &str, value: &str) -> &mut Self {
        self.0.extend([flag.into(), value.into()]);
        self
    }

    /// A track: a header and segments in one file, with a playlist beside it that tells where they are. Where the
    /// person was and what with belongs to nobody, so no metadata is taken along. Each track would be shifted by
    /// itself to start at 0, and sound and picture would part: times are left alone.
    fn hls(&mut self, name: &str, length: &str) {
        self.add("-map_metadata -1 -map_metadata:s -1 -map_chapters -1 -flags:v +bitexact -fflags +bitexact");
        self.pair("-t", length)
            .add("-avoid_negative_ts disabled -f hls")
            .pair("-hls_time", &SEGMENT.to_string());
        self.add("-hls_list_size 0 -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags single_file");
        self.pair("-hls_segment_filename", &format!("{name}.mp4"));
        self.add(&format!("{name}.m3u8"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::Rate;
    use crate::sniff::Container;

    fn source(hdr: Option<&str>) -> Source {
        let rate = Rate { num: 30, den: 1 };
        let video = Video {
            index: 2,
            width: 1280,
            height: 720,
            as_stored: true,
            codec: "h264".into(),
            profile: "High".into(),
            level: 31,
            pixel_format: "yuv420p".into(),
            interlaced: false,
            hdr: hdr.map(str::to_owned),
            untagged: false,
            average_rate: rate,
            base_rate: rate,
            declared: None,
        };
        Source { container: Container::IsoBmff, video, sound: None, declared: None, start: 0.0 }
    }

    fn packets() -> Packets {
        let keys = vec![0.0, 2.0, 4.0, 6.0, 8.0];
        Packets { end: 10.0, keys, whole: true, average: 3e6, peak: 4e6, ..Packets::default() }
    }

    fn line(source: &Source, packets: &Packets) -> String {
        let (plan, _) = Plan::new(source, packets);
        let words = command(source, packets, &plan, "source");
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_rung_is_made_of_the_next_higher_one() {
        let line = line(&source(None), &Packets { whole: false, ..packets() });
        let graph = "[0:2]format=yuv420p,split[r2][n2];[n2]scale=854:480:flags=bicubic,setsar=1,split[r1][n1];\
            [n1]scale=640:360:flags=bicubic,setsar=1,null[r0]";
        assert!(line.contains(graph), "{line}");
        assert!(line.contains("expr:gte(t,n_forced*2)") && !line.contains("copy"), "{line}");
    }

    #[test]
    fn beside_a_copy_keys_stand_where_its_own_do() {
        let line = line(&source(None), &packets());
        assert!(line.contains("-force_key_frames 0.000,1.998,3.998,5.998,7.998"), "{line}");
        assert!(line.contains("-map 0:2 -c:v copy") && !line.contains("[r2]"), "{line}");
    }

    #[test]
    fn colours_that_are_not_told_are_told_by_what_players_guess() {
        let mut source = source(None);
        assert!(!line(&source, &packets()).contains("setparams"));
        source.video.untagged = true;
        assert!(line(&source, &packets()).contains("[0:2]setparams=colorspace=bt709"));
        source.video = Video { width: 854, height: 480, ..source.video };
        assert!(!line(&source, &packets()).contains("setparams"));
    }

    #[test]
    fn hdr_is_mapped_once() {
        let line = line(&source(Some("arib-std-b67")), &packets());
        assert_eq!(line.matches("tonemap=").count(), 1, "{line}");
        assert!(line.contains("zscale=tin=arib-std-b67"), "{line}");
    }

    #[test]
    fn nothing_but_the_local_file_can_be_opened() {
        let line = line(&source(None), &packets());
        assert!(line.contains("-protocol_whitelist file -f mov -i source"), "{line}");
        assert!(line.contains("-nostdin") && line.contains("-map_metadata -1"), "{line}");
    }
}
