//! Files to work on, and a look at what came of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use transcoder::control::Control;
use transcoder::failure::{Failure, Outcome};
use transcoder::image;
use transcoder::log::Log;
use transcoder::tools::Tools;
use transcoder::video::{self, Room};
use transcoder::wire::{ImageResult, Track, Variant, VideoResult};

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_scooterbooter-transcoder");

/// A folder with one job in it.
pub struct Work {
    pub folder: TempDir,
}

impl Work {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs ffmpeg in the folder; words are split at spaces.
    pub fn ffmpeg(&self, words: &str) -> &Self {
        let output = run("ffmpeg", self.folder.path(), &["-v error -nostdin -y ", words].concat());
        assert!(output.status.success(), "ffmpeg {words}: {}", text(&output.stderr));
        self
    }

    /// What ffprobe tells of a file, one value a line.
    pub fn ffprobe(&self, words: &str) -> Vec<String> {
        let output = run("ffprobe", self.folder.path(), &["-v error -of csv=p=0 ", words].concat());
        assert!(output.status.success(), "ffprobe {words}: {}", text(&output.stderr));
        text(&output.stdout)
            .lines()
            .map(|line| line.trim_matches(',').to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Transcodes a file of the folder.
    pub fn transcode(&self, file: &str) -> Outcome<VideoResult> {
        let (tools, control, log) = (tools(), Control::default(), Log::new(false));
        let room = Room { tools: &tools, dir: self.folder.path(), file, control: &control, log: &log };
        video::transcode(&room, &|_| ())
    }

    /// Transcodes a file that is good, and looks whether everything can be played.
    pub fn made_of(&self, file: &str) -> VideoResult {
        let made = self.transcode(file).unwrap_or_else(|failure| panic!("{failure:?}"));
        for rendition in &made.renditions {
            self.assert_track(&rendition.file, &rendition.track);
            let expected = [format!("h264,{},{},yuv420p", rendition.width, rendition.height)];
            let told = "-show_entries stream=codec_name,width,height,pix_fmt ";
            assert_eq!(self.ffprobe(&format!("{told}{}", rendition.file)), expected);
            assert!(rendition.codecs.starts_with("avc1."), "{}", rendition.codecs);
            assert_eq!(self.rotations(&rendition.file), [""; 0]);
        }
        if let Some(audio) = &made.audio {
            self.assert_track(&audio.file, &audio.track);
            assert_eq!(audio.codecs, "mp4a.40.2");
        }
        self.assert_decodes("video.mp4");
        self.assert_decodes("poster.jpg");
        let streams = self.ffprobe("-show_entries stream=codec_name video.mp4");
        assert_eq!(streams.len(), 1 + usize::from(made.audio.is_some()), "{streams:?}");
        // The index stands in front of the data.
        let plain = self.read("video.mp4");
        assert!(position(&plain, b"moov") < position(&plain, b"mdat"));
        assert_eq!(made.blurhash.len(), 28);
        made
    }

    pub fn rotations(&self, file: &str) -> Vec<String> {
        self.ffprobe(&format!("-show_entries stream_side_data=rotation {file}"))
    }

    fn assert_decodes(&self, file: &str) {
        let output =
            run("ffmpeg", self.folder.path(), &format!("-v error -nostdin -xerror -i {file} -f null -"));
        assert!(output.status.success() && output.stderr.is_empty(), "{file}: {}", text(&output.stderr));
    }

    /// Decodes as it is, cut off after any segment as well; ranges and bits fit; segments start with key frames.
    fn assert_track(&self, file: &str, track: &Track) {
        self.assert_decodes(file);
        let bytes: u64 = track.segments.iter().map(|segment| segment.1).sum();
        assert_eq!(track.init + bytes, self.read(file).len() as u64);
        assert!(track.bandwidth >= track.average_bandwidth && track.average_bandwidth > 0);
        let mut at = track.init as usize;
        for (seconds, length) in &track.segments {
            assert!(*seconds > 0.0 && *seconds < 9.5, "{seconds}");
            let whole = self.read(file);
            let piece = [&whole[..track.init as usize], &whole[at..at + *length as usize]].concat();
            at += *length as usize;
            self.write("piece.mp4", piece);
            self.assert_decodes("piece.mp4");
            let flags = self.ffprobe("-show_entries packet=flags -read_intervals %+#1 piece.mp4");
            assert!(flags[0].starts_with('K'), "{file}: {flags:?}");
        }
    }

    /// One frame as 8 x 8 grey pixels.
    pub fn grey(&self, words: &str) -> Vec<u8> {
        self.ffmpeg(&format!(
            "{words} -frames:v 1 -vf scale=8:8:flags=area,format=gray -f rawvideo grey.raw"
        ));
        self.read("grey.raw")
    }

    /// Makes pictures of a file.
    pub fn pictures(&self, file: &str, variants: &[Variant]) -> Result<ImageResult, Failure> {
        self.pictures_with(&tools(), file, variants)
    }

    pub fn pictures_with(
        &self,
        tools: &Tools,
        file: &str,
        variants: &[Variant],
    ) -> Result<ImageResult, Failure> {
        image::make(tools, self.folder.path(), file, variants, &Control::default(), &Log::new(false))
    }
}

/// The installed programs, and the one built here.
pub fn tools() -> Tools {
    Tools::new(PROGRAM.into())
}

/// What a post wants.
pub fn large_and_small() -> Vec<Variant> {
    vec![variant("large", 1600, false), variant("small", 400, false)]
}

pub fn variant(name: &str, size: u32, square: bool) -> Variant {
    Variant { name: name.into(), size, square }
}

pub fn run(program: &str, dir: &Path, words: &str) -> Output {
    let mut command = Command::new(program);
    command.args(words.split_whitespace()).current_dir(dir);
    command.output().unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}): `apt-get install ffmpeg libheif-examples` gives these tests what they need")
    })
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn position(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

/// The most that two pictures of the same size differ in a pixel.
pub fn difference(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| one.abs_diff(*other)).max().unwrap_or(0)
}
