//! Playlists of HLS (RFC 8216), written for each reader from what the worker told: the segments are byte ranges of one object
//! a rendition, whose URL is presigned.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use shared::error::{ApiError, ApiResult};

/// The streams of a video, as a worker tells them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Lowest first.
    pub renditions: Vec<Rendition>,
    /// Null for a silent video.
    pub audio: Option<Track>,
    /// Where the files are; told by the service.
    #[serde(default)]
    pub prefix: String,
}

/// The picture in one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// A second.
    pub frame_rate: f64,
    /// Its file and pieces.
    #[serde(flatten)]
    pub track: Track,
}

/// A fragmented MP4: a header, then segments without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Its name below the prefix.
    pub file: String,
    /// RFC 6381.
    pub codecs: String,
    /// Of the most demanding segment, in bits a second.
    pub bandwidth: u64,
    /// Of all, in bits a second.
    pub average_bandwidth: u64,
    /// Length of the header, in bytes.
    pub init: u64,
    /// Seconds and bytes of each segment.
    pub segments: Vec<(f64, u64)>,
}

/// Renditions there may be.
const MAX_RENDITIONS: usize = 5;
/// Segments there may be: two hours of two seconds each.
const MAX_SEGMENTS: usize = 3_600;

impl Stream {
    /// 422 unless it is one that may be played: files of `names` alone, whole numbers that add up, codecs that cannot leave
    /// their quotes.
    pub fn check(&self, names: &[&str]) -> ApiResult<()> {
        let refuse = |what: &str| Err(ApiError::invalid("result", what));
        if self.renditions.is_empty() || self.renditions.len() > MAX_RENDITIONS {
            return refuse("must have 1 to 5 renditions");
        }
        let tracks = self.renditions.iter().map(|rendition| &rendition.track).chain(&self.audio);
        for track in tracks {
            let is_codec = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '-' | '_');
            let whole = track.init > 0
                && !track.segments.is_empty()
                && track.segments.len() <= MAX_SEGMENTS
                && track.segments.iter().all(|(time, bytes)| time.is_finite() && *time > 0.0 && *bytes > 0);
            if !names.contains(&track.file.as_str()) || !track.codecs.chars().all(is_codec) || !whole {
                return refuse("has a rendition that cannot be");
            }
        }
        let sane = |one: &Rendition| {
            one.width > 0 && one.height > 0 && one.frame_rate.is_finite() && one.frame_rate > 0.0
        };
        if self.renditions.iter().all(sane) { Ok(()) } else { refuse("has a rendition without a size") }
    }

    /// The playlist of playlists; `link` makes the URI of one by its name.
    pub fn master(&self, link: impl Fn(&str) -> String) -> String {
        let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
        if self.audio.is_some() {
            let uri = link("audio.m3u8");
            let _ = writeln!(
                text,
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,URI=\"{uri}\""
            );
        }
        for (index, rendition) in self.renditions.iter().enumerate() {
            let Rendition { width, height, frame_rate, track } = rendition;
            let (peak, average) =
                self.audio.as_ref().map_or((0, 0), |audio| (audio.bandwidth, audio.average_bandwidth));
            let mut codecs = track.codecs.clone();
            let mut group = "";
            if let Some(audio) = &self.audio {
                codecs = format!("{codecs},{}", audio.codecs);
                group = ",AUDIO=\"audio\"";
            }
            let _ = writeln!(
                text,
                "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},RESOLUTION={width}x{height},FRAME-RATE={frame_rate:.3},CODECS=\"{codecs}\"{group}\n{}",
                track.bandwidth + peak,
                track.average_bandwidth + average,
                link(&format!("{index}.m3u8"))
            );
        }
        text
    }

    /// The track that the playlist `name` of [`Stream::master`] is of.
    pub fn track(&self, name: &str) -> Option<&Track> {
        match name.strip_suffix(".m3u8")? {
            "audio" => self.audio.as_ref(),
            index => Some(&self.renditions.get(index.parse::<usize>().ok()?)?.track),
        }
    }
}

impl Track {
    /// The playlist of its segments, all of them ranges of `url`.
    pub fn playlist(&self, url: &str) -> String {
        let longest = self.segments.iter().map(|(time, _)| *time).fold(1.0, f64::max);
        let mut text = String::with_capacity(256 + self.segments.len() * (url.len() + 48));
        let _ = write!(
            text,
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest:.0}\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-MAP:URI=\"{url}\",BYTERANGE=\"{}@0\"\n",
            self.init
        );
        let mut offset = self.init;
        for (time, bytes) in &self.segments {
            let _ = write!(text, "#EXTINF:{time:.5},\n#EXT-X-BYTERANGE:{bytes}@{offset}\n{url}\n");
            offset += bytes;
        }
        text.push_str("#EXT-X-ENDLIST\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["v360.mp4", "v720.mp4", "audio.mp4"];

    fn stream() -> Stream {
        let track = |file: &str, codecs: &str| Track {
            file: file.to_owned(),
            codecs: codecs.to_owned(),
            bandwidth: 2_000,
            average_bandwidth: 1_000,
            init: 700,
            segments: vec![(6.006, 4_000), (2.5, 100)],
        };
        let rendition = |file: &str, width, height| Rendition {
            width,
            height,
            frame_rate: 29.97,
            track: track(file, "avc1.64001f"),
        };
        Stream {
            renditions: vec![rendition("v360.mp4", 640, 360), rendition("v720.mp4", 1280, 720)],
            audio: Some(track("audio.mp4", "mp4a.40.2")),
            prefix: "o/k/1/".to_owned(),
        }
    }

    #[test]
    fn the_master_names_every_rendition_with_its_sound() {
        let master = stream().master(|name| format!("{name}?sig=s"));
        assert!(master.contains("TYPE=AUDIO") && master.contains("URI=\"audio.m3u8?sig=s\""));
        assert!(master.contains(
            "BANDWIDTH=4000,AVERAGE-BANDWIDTH=2000,RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"audio\"\n1.m3u8?sig=s\n"
        ));
        let silent = Stream { audio: None, ..stream() }.master(ToOwned::to_owned);
        assert!(!silent.contains("AUDIO") && silent.contains("CODECS=\"avc1.64001f\"\n"));
    }

    #[test]
    fn segments_lie_behind_one_another() {
        let playlist = stream().track("1.m3u8").unwrap().playlist("https://s3/x");
        assert!(playlist.contains("#EXT-X-TARGETDURATION:6\n"));
        assert!(playlist.contains("#EXT-X-MAP:URI=\"https://s3/x\",BYTERANGE=\"700@0\"\n"));
        assert!(playlist.contains("#EXTINF:6.00600,\n#EXT-X-BYTERANGE:4000@700\nhttps://s3/x\n"));
        assert!(playlist.contains("#EXTINF:2.50000,\n#EXT-X-BYTERANGE:100@4700\nhttps://s3/x\n"));
        assert!(playlist.ends_with("#EXT-X-ENDLIST\n"));
        assert!(stream().track("audio.m3u8").is_some());
        for name in ["2.m3u8", "-1.m3u8", "1", "master.m3u8", "../1.m3u8"] {
            assert!(stream().track(name).is_none(), "{name}");
        }
    }

    #[test]
    fn what_a_worker_tells_is_checked() {
        assert!(stream().check(NAMES).is_ok());
        let broken = |change: fn(&mut Stream)| {
            let mut stream = stream();
            change(&mut stream);
            assert!(stream.check(NAMES).is_err());
        };
        broken(|stream| stream.renditions.clear());
        broken(|stream| stream.renditions[0].track.file = "../original".to_owned());
        broken(|stream| stream.renditions[0].track.codecs = "avc1\"\n#EXT".to_owned());
        broken(|stream| stream.renditions[1].track.segments = vec![(f64::NAN, 1)]);
        broken(|stream| stream.renditions[1].track.segments = vec![(-1.0, 1)]);
        broken(|stream| stream.renditions[1].track.segments.clear());
        broken(|stream| stream.renditions[1].height = 0);
        broken(|stream| stream.audio.as_mut().unwrap().init = 0);
    }
}
