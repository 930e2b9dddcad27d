//! The ladder, the copies, and what leaves with the result.

use crate::support::{Work, difference, position};
use transcoder::control::{Control, Stop};
use transcoder::failure::Code;
use transcoder::log::Log;
use transcoder::video::{Room, transcode};
use transcoder::wire::VideoResult;

fn files(made: &VideoResult) -> Vec<&str> {
    made.renditions.iter().map(|rendition| rendition.file.as_str()).collect()
}

fn lengths(made: &VideoResult, index: usize) -> Vec<f64> {
    made.renditions[index].track.segments.iter().map(|segment| (segment.0 * 10.0).round() / 10.0).collect()
}

#[test]
fn a_video_becomes_a_ladder_with_sound_a_poster_and_a_plain_file() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=854x480:r=30:d=7 -f lavfi -i sine=d=7 -c:v libx265 -preset ultrafast \
         -x265-params log-level=error -tag:v hvc1 -c:a aac source.mp4",
    );
    let made = work.made_of("source.mp4");
    assert_eq!(files(&made), ["v360.mp4", "v480.mp4"]);
    assert_eq!((made.width, made.height, made.duration_ms), (854, 480, 7000));
    assert_eq!(made.renditions[0].width, 640);
    assert_eq!((lengths(&made, 0), lengths(&made, 1)), (vec![6.0, 1.0], vec![6.0, 1.0]));
    for (rendition, limit) in made.renditions.iter().zip([1_000_000, 1_500_000]) {
        assert!(rendition.track.bandwidth <= limit * 2 && rendition.track.average_bandwidth <= limit * 4 / 3);
        assert!((rendition.frame_rate - 30.0).abs() < 0.01 && rendition.codecs.starts_with("avc1.6400"));
        let words = format!("-show_entries packet=pts_time,flags {}", rendition.file);
        let keys = work.ffprobe(&words).into_iter().filter(|line| line.contains('K')).collect::<Vec<_>>();
        let keys: Vec<f64> =
            keys.iter().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(keys, [0.0, 2.0, 4.0, 6.0], "a key frame every two seconds, from 0 on");
    }
    let audio = made.audio.unwrap();
    assert!(
        (100_000..160_000).contains(&audio.track.average_bandwidth)
            || audio.track.average_bandwidth < 100_000
    );
    assert_eq!(work.ffprobe("-show_entries stream=width,height poster.jpg"), ["854,480"]);
    let plain = work.ffprobe("-show_entries stream=codec_name,width video.mp4");
    assert!(plain.iter().any(|line| line == "h264,854"), "{plain:?}");
}

#[test]
fn a_top_rung_that_fits_is_copied_bit_by_bit_and_the_others_are_cut_where_it_is() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=854x480:r=25:d=10 -f lavfi -i sine=d=10 -c:v libx264 -preset veryfast -b:v 1M -maxrate 1500k \
         -bufsize 1M -g 63 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -ac 2 source.mp4",
    );
    let made = work.made_of("source.mp4");
    assert_eq!(files(&made), ["v360.mp4", "v480.mp4"]);
    for (from, to, what) in [("source.mp4", "v480.mp4", "v"), ("source.mp4", "audio.mp4", "a")] {
        for (file, hash) in [(from, "from.md5"), (to, "to.md5")] {
            // The bytes of every packet, whatever is around them.
            work.ffmpeg(&format!("-i {file} -map 0:{what} -c copy -f streamhash -hash md5 {hash}"));
        }
        assert_eq!(work.read("from.md5"), work.read("to.md5"), "{to}");
    }
    assert_eq!(lengths(&made, 1), [7.6, 2.4]);
    assert_eq!(lengths(&made, 0), lengths(&made, 1));
}

#[test]
fn a_small_copied_video_is_not_decoded_at_all_and_still_has_a_poster() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=25:d=3 -c:v libx264 -b:v 200k -g 50 -pix_fmt yuv420p source.mp4",
    );
    let made = work.made_of("source.mp4");
    assert_eq!(files(&made), ["vsource.mp4"]);
    assert_eq!(work.ffprobe("-show_entries stream=width,height poster.jpg"), ["320,240"]);
    assert!(made.audio.is_none());
}

#[test]
fn a_copied_video_between_two_rungs_is_the_top_one() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=704x400:r=25:d=3 -c:v libx264 -b:v 600k -g 50 -pix_fmt yuv420p source.mp4",
    );
    let made = work.made_of("source.mp4");
    assert_eq!(files(&made), ["v360.mp4", "vsource.mp4"]);
    assert_eq!((made.renditions[1].width, made.renditions[1].height), (704, 400));
}

#[test]
fn a_single_frame_is_a_video() {
    let work = Work::new();
    for (name, more) in [("source.mp4", "-c:v mpeg4"), ("copied.mp4", "-c:v libx264 -pix_fmt yuv420p")] {
        work.ffmpeg(&format!("-f lavfi -i testsrc2=s=320x240:r=25 -frames:v 1 {more} {name}"));
        let made = work.made_of(name);
        assert_eq!(made.duration_ms, 40, "{name}");
    }
}

#[test]
fn a_rotated_video_stands_upright_and_tells_nobody_where_it_was_taken() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i color=white:s=640x360:r=30:d=2,drawbox=0:0:320:180:black:fill -c:v libx264 -pix_fmt yuv420p flat.mov");
    work.ffmpeg("-i flat.mov -c copy -metadata:s:v rotate=90 -metadata location=+12.3456+65.4321/ -metadata:s:v title=home source.mov");
    assert_eq!(work.rotations("source.mov").len(), 1);
    let made = work.made_of("source.mov");
    assert_eq!((made.width, made.height), (360, 640));
    assert_eq!(files(&made), ["v360.mp4"]);
    // ffmpeg turns it by itself when it decodes: that is how it should stand.
    let upright = work.grey("-i source.mov");
    assert!(difference(&upright, &work.grey("-noautorotate -i v360.mp4")) < 12);
    assert!(difference(&upright, &work.grey("-noautorotate -i flat.mov")) > 200, "the test can tell");
    assert!(difference(&upright, &work.grey("-i poster.jpg")) < 20);
    for file in ["v360.mp4", "video.mp4", "poster.jpg"] {
        let bytes = work.read(file);
        for word in [b"12.3456".as_slice(), b"home"] {
            assert_eq!(position(&bytes, word), None, "{file}");
        }
    }
}

#[test]
fn sound_that_starts_late_is_padded_so_that_both_start_together() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=25:d=4 -itsoffset 1.5 -f lavfi -i sine=d=2.5 -c:v libx264 -pix_fmt yuv420p \
         -c:a aac source.mp4",
    );
    let made = work.made_of("source.mp4");
    let seconds: f64 = made.audio.unwrap().track.segments.iter().map(|segment| segment.0).sum();
    assert!((3.8..4.3).contains(&seconds), "{seconds}");
    work.ffmpeg("-i audio.mp4 -t 1.3 -f f32le -ac 1 start.raw");
    assert!(work.read("start.raw").iter().all(|byte| *byte == 0 || *byte == 0x80), "silence comes first");
}

#[test]
fn a_picture_that_starts_late_is_held_so_that_both_start_together() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=3 -c:v libx264 -g 50 -pix_fmt yuv420p clip.mp4");
    work.ffmpeg(
        "-itsoffset 0.8 -i clip.mp4 -f lavfi -i sine=d=3.8 -map 0 -map 1 -c:v copy -c:a aac source.mp4",
    );
    assert_eq!(work.ffprobe("-show_entries stream=start_time source.mp4"), ["0.800000", "0.000000"]);
    let made = work.made_of("source.mp4");
    assert!(made.duration_ms.abs_diff(3800) <= 40, "{}", made.duration_ms);
    assert_eq!(work.ffprobe("-show_entries stream=start_time vsource.mp4"), ["0.000000"]);
    let first = work.grey("-i vsource.mp4");
    assert!(difference(&first, &work.grey("-ss 0.7 -i vsource.mp4")) < 10, "the first frame is held");
}

#[test]
fn a_file_whose_times_start_elsewhere_is_cut_in_the_same_places() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=854x480:r=25:d=10 -f lavfi -i sine=d=10 -c:v libx264 -preset veryfast -b:v 1M -maxrate 1500k \
         -bufsize 1M -g 63 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -output_ts_offset 5 source.mkv",
    );
    assert!(work.ffprobe("-show_entries format=start_time source.mkv")[0].starts_with('4'));
    let made = work.made_of("source.mkv");
    assert_eq!(lengths(&made, 1), [7.6, 2.4]);
    assert_eq!(lengths(&made, 0), lengths(&made, 1));
    assert_eq!(work.ffprobe("-show_entries stream=codec_name,profile v480.mp4"), ["h264,High"]);
}

#[test]
fn a_job_nobody_wants_any_more_ends_in_its_middle() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=1280x720:r=30:d=6 -c:v mpeg4 -q:v 5 source.mp4");
    let (tools, control, log) = (crate::support::tools(), Control::default(), Log::new(false));
    let room =
        Room { tools: &tools, dir: work.folder.path(), file: "source.mp4", control: &control, log: &log };
    let failure = transcode(&room, &|percent| {
        if percent > 5.0 {
            control.stop(Stop::Unwanted);
        }
    });
    assert_eq!(failure.unwrap_err().code, Code::Cancelled);
    assert!(!work.path("video.mp4").exists());
}
