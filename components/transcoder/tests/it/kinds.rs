//! What phones, cameras and browsers write.

use crate::support::Work;

#[test]
fn a_webm_of_a_browser_is_read() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=640x360:r=25:d=3 -f lavfi -i sine=d=3 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 \
         -b:v 500k -c:a libopus source.webm",
    );
    let made = work.made_of("source.webm");
    assert_eq!(made.renditions.len(), 1);
    assert!(made.duration_ms.abs_diff(3000) <= 40, "{}", made.duration_ms);
    assert_eq!(work.ffprobe("-show_entries stream=codec_name,channels audio.mp4"), ["aac,2"]);
}

#[test]
fn a_portrait_video_stays_one() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=480x854:r=25:d=2 -c:v mpeg4 -q:v 4 source.mp4");
    let made = work.made_of("source.mp4");
    let sizes: Vec<_> =
        made.renditions.iter().map(|one| (one.file.as_str(), one.width, one.height)).collect();
    assert_eq!(sizes, [("v360.mp4", 360, 640), ("v480.mp4", 480, 854)]);
    assert_eq!((made.width, made.height), (480, 854));
}

#[test]
fn an_uneven_rhythm_becomes_a_constant_one_of_the_same_length() {
    let work = Work::new();
    // Thirty frames a second, then ten, as a phone does in the dark.
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=640x360:r=30:d=4 -vf select='lt(t,2)+not(mod(n,3))' -fps_mode vfr -video_track_timescale 30000 \
         -c:v mpeg4 -q:v 4 source.mp4",
    );
    let rates = work.ffprobe("-show_entries stream=r_frame_rate,avg_frame_rate source.mp4");
    assert_ne!(rates[0].split(',').next(), rates[0].split(',').nth(1), "the source is uneven: {rates:?}");
    let made = work.made_of("source.mp4");
    assert!(made.duration_ms.abs_diff(4000) <= 70, "{}", made.duration_ms);
    assert!((made.renditions[0].frame_rate - 30.0).abs() < 0.01, "{:?}", made.renditions[0]);
}

#[test]
fn more_than_sixty_frames_a_second_are_halved() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=120:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p source.mp4",
    );
    let made = work.made_of("source.mp4");
    assert_eq!(work.ffprobe("-show_entries stream=avg_frame_rate vsource.mp4"), ["60/1"]);
    assert!((made.renditions[0].frame_rate - 60.0).abs() < 0.01);
}

#[test]
fn odd_sides_and_full_colour_become_even_and_playable() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=321x241:r=25:d=2 -c:v libx264 -pix_fmt yuv444p source.mp4");
    let made = work.made_of("source.mp4");
    let only = &made.renditions[0];
    assert_eq!((only.file.as_str(), only.width, only.height), ("vsource.mp4", 320, 240));
}

#[test]
fn pixels_that_are_not_square_are_made_so() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=720x576:r=25:d=2 -vf setsar=16/15 -c:v mpeg2video -q:v 4 source.mov");
    let made = work.made_of("source.mov");
    assert_eq!((made.width, made.height), (720, 540));
    assert_eq!(made.renditions[1].width, 640);
    assert_eq!(work.ffprobe("-show_entries stream=sample_aspect_ratio v480.mp4"), ["1:1"]);
}

#[test]
fn what_was_filmed_in_hdr_is_mapped_to_ordinary_colours() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i testsrc2=s=640x360:r=25:d=1 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params \
         log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc -color_primaries bt2020 \
         -color_trc smpte2084 -colorspace bt2020nc -tag:v hvc1 source.mp4",
    );
    assert_eq!(work.ffprobe("-show_entries stream=color_transfer source.mp4"), ["smpte2084"]);
    work.made_of("source.mp4");
    assert_eq!(work.ffprobe("-show_entries stream=color_transfer,color_primaries v360.mp4"), ["bt709,bt709"]);
}

#[test]
fn a_cover_picture_is_not_taken_for_the_video() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64 -frames:v 1 cover.png");
    work.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -c:v mpeg4 clip.mp4");
    work.ffmpeg("-i cover.png -i clip.mp4 -map 0 -map 1 -c copy -disposition:v:0 attached_pic source.mp4");
    let made = work.made_of("source.mp4");
    assert_eq!((made.width, made.height), (320, 240));
}
