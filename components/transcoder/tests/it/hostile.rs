//! Files made to do harm: each ends with its code, soon, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::support::{Work, position};
use transcoder::failure::Failure;

/// The failure of a file, which tells the uploader a sentence of ours and made nothing.
fn refused(work: &Work, file: &str) -> Failure {
    let start = Instant::now();
    let failure = work.transcode(file).expect_err("the file was taken");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(failure.code.is_permanent(), "{failure:?}");
    let detail = failure.detail.as_ref();
    assert!(detail.ends_with('.') && detail.is_ascii() && !detail.contains(['/', '[', '@']), "{detail}");
    assert!(!work.path("video.mp4").exists() && !work.path("poster.jpg").exists());
    failure
}

fn code(work: &Work, file: &str) -> &'static str {
    refused(work, file).code.as_str()
}

fn clip(work: &Work, seconds: u32, more: &str) {
    work.ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=320x240:r=25:d={seconds} -f lavfi -i sine=d={seconds} -c:v libx264 -g 25 -pix_fmt yuv420p \
         -c:a aac {more} source.mp4"
    ));
}

#[test]
fn a_playlist_with_the_name_of_a_video_opens_no_other_file() {
    let work = Work::new();
    clip(&work, 2, "");
    std::fs::rename(work.path("source.mp4"), work.path("secret.mp4")).unwrap();
    let secret = work.path("secret.mp4");
    let secret = secret.display();
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n");
    for (name, content) in [
        ("list.mp4", playlist.clone()),
        ("concat.mp4", format!("ffconcat version 1.0\nfile {secret}\n")),
        ("sdp.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 4 RTP/AVP 96\n".to_owned()),
        ("text.mp4", "just words".to_owned()),
        ("nothing.mp4", String::new()),
        // Looks like a box at first, and is a playlist to a demuxer that searches.
        ("box.mp4", format!("\0\0\0\x10ftypisom\n\n\n\n{playlist}")),
    ] {
        work.write(name, content);
        assert_eq!(code(&work, name), "not_a_video", "{name}");
        assert!(!work.path("vsource.mp4").exists(), "{name}");
    }
}

#[test]
fn a_file_that_ends_in_its_middle_is_truncated() {
    let work = Work::new();
    clip(&work, 4, "-movflags +faststart");
    let whole = work.read("source.mp4");
    work.write("cut.mp4", &whole[..whole.len() * 6 / 10]);
    assert_eq!(code(&work, "cut.mp4"), "truncated");
    clip(&work, 4, "");
    let whole = work.read("source.mp4");
    work.write("headless.mp4", &whole[..whole.len() * 9 / 10]);
    assert_eq!(code(&work, "headless.mp4"), "truncated");
    work.ffmpeg("-i source.mp4 -c:v copy -c:a libopus source.mkv");
    let whole = work.read("source.mkv");
    work.write("cut.mkv", &whole[..whole.len() / 2]);
    assert_eq!(code(&work, "cut.mkv"), "truncated");
    // The same with a segment that does not tell its length: the declared duration does.
    let mut live = whole[..whole.len() / 2].to_vec();
    let segment = position(&live, &[0x18, 0x53, 0x80, 0x67]).unwrap() + 4;
    live[segment..segment + 8].copy_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    work.write("live.mkv", live);
    assert_eq!(code(&work, "live.mkv"), "truncated");
}

#[test]
fn an_endless_duration_is_too_long() {
    let work = Work::new();
    clip(&work, 2, "");
    let mut bytes = work.read("source.mp4");
    // Version 0: flags, two dates, time scale, then the duration.
    let duration = position(&bytes, b"mvhd").unwrap() + 4 + 16;
    bytes[duration..duration + 4].copy_from_slice(&u32::MAX.to_be_bytes()[..]);
    bytes[duration] = 0x7f;
    work.write("endless.mp4", bytes);
    assert_eq!(code(&work, "endless.mp4"), "too_long");
    // A gap of hours between two frames, which a header does not tell.
    work.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -vf setpts=if(lt(N\\,25)\\,N\\,N+300000)/25/TB -fps_mode vfr -c:v libx264 gap.mkv");
    assert_eq!(code(&work, "gap.mkv"), "too_long");
}

#[test]
fn what_is_over_a_limit_is_refused_by_its_code() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i color=red:s=3904x64:r=10:d=0.5 -c:v libx264 -preset ultrafast wide.mp4");
    assert_eq!(code(&work, "wide.mp4"), "too_many_pixels");
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64:r=240:d=1 -c:v libx264 -preset ultrafast fast.mp4");
    assert_eq!(code(&work, "fast.mp4"), "frame_rate_too_high");
    let streams = "-map 0:a ".repeat(16);
    work.ffmpeg(&format!(
        "-f lavfi -i sine=d=1 -f lavfi -i color=s=64x64:d=1 {streams} -map 1:v -c:a aac many.mp4"
    ));
    assert_eq!(code(&work, "many.mp4"), "too_many_streams");
    work.ffmpeg("-f lavfi -i sine=d=1 -c:a aac sound.mp4");
    assert_eq!(code(&work, "sound.mp4"), "not_a_video");
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v ffv1 odd.mkv");
    assert_eq!(code(&work, "odd.mkv"), "unsupported");
}

#[test]
fn frames_of_rubbish_end_the_job_and_not_the_worker() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=3 -c:v mpeg4 source.mp4");
    let mut bytes = work.read("source.mp4");
    let data = position(&bytes, b"mdat").unwrap() + 4;
    let end = position(&bytes, b"moov").unwrap() - 4;
    for (index, byte) in bytes[data..end].iter_mut().enumerate() {
        *byte = (index as u32).wrapping_mul(2_654_435_761).rotate_left(9) as u8;
    }
    work.write("rubbish.mp4", bytes);
    let code = code(&work, "rubbish.mp4");
    assert!(code == "not_a_video" || code == "truncated", "{code}");
}
