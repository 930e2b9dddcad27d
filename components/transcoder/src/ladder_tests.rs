//! The rules of a stream, one by one.

use super::*;
use crate::sniff::Container;

fn rate(num: u64, den: u64) -> Rate {
    Rate { num, den }
}

fn video() -> Video {
    Video {
        index: 0,
        width: 1280,
        height: 720,
        as_stored: true,
        codec: "h264".into(),
        profile: "High".into(),
        level: 31,
        pixel_format: "yuv420p".into(),
        interlaced: false,
        hdr: None,
        untagged: false,
        average_rate: rate(30, 1),
        base_rate: rate(30, 1),
        declared: None,
    }
}

fn packets() -> Packets {
    let keys = (0..10).map(|key| f64::from(key) * 2.0).collect();
    Packets {
        end: 20.0,
        sound_start: Some(0.0),
        keys,
        whole: true,
        average: 3e6,
        peak: 4e6,
        ..Packets::default()
    }
}

fn source(video: Video) -> Source {
    Source { container: Container::IsoBmff, video, sound: None, declared: None, start: 0.0 }
}

fn sizes(width: u32, height: u32) -> Vec<(u32, u32, u32)> {
    ladder(width, height).iter().map(|rung| (rung.side, rung.width, rung.height)).collect()
}

#[test]
fn a_ladder_climbs_to_its_source_and_no_higher() {
    let whole = [(360, 640, 360), (480, 854, 480), (720, 1280, 720), (1080, 1920, 1080)];
    assert_eq!(sizes(1920, 1080), whole);
    assert_eq!(sizes(3840, 2160), whole);
    assert_eq!(sizes(1280, 719), [(360, 640, 360), (480, 854, 480)]);
    assert_eq!(sizes(2560, 1080)[3], (1080, 2560, 1080));
}

#[test]
fn a_portrait_video_stays_one() {
    assert_eq!(sizes(720, 1280), [(360, 360, 640), (480, 480, 854), (720, 720, 1280)]);
}

#[test]
fn a_video_below_the_ladder_gets_one_rung_of_its_own_even_size() {
    assert_eq!(sizes(321, 241), [(240, 320, 240)]);
    assert_eq!(ladder(320, 240)[0].rate, 333_333);
    assert_eq!(ladder(16, 16)[0].rate, 200_000);
}

#[test]
fn a_size_between_two_rungs_has_bits_between_theirs() {
    let between = rung_between(1280, 600).unwrap();
    assert_eq!((between.side, between.rate, between.name().as_str()), (600, 2_250_000, "vsource"));
    for (width, height) in [(1280, 720), (1920, 1080), (2560, 1440), (320, 240), (1280, 601)] {
        assert_eq!(rung_between(width, height), None, "{width} x {height}");
    }
}

#[test]
fn a_rung_names_its_file_and_any_other_size_is_the_source() {
    let names = |width, height| ladder(width, height).iter().map(Rung::name).collect::<Vec<_>>();
    assert_eq!(names(720, 1280), ["v360", "v480", "v720"]);
    assert_eq!(names(320, 240), ["vsource"]);
}

#[test]
fn bits_follow_the_ladder() {
    let rates: Vec<_> = ladder(1920, 1080).iter().map(|rung| rung.rate).collect();
    assert_eq!(rates, [1_000_000, 1_500_000, 3_000_000, 6_200_000]);
}

#[test]
fn a_source_that_fits_is_copied() {
    let top = ladder(1280, 720)[2];
    assert_eq!(why_not_copied(&source(video()), &packets(), &top), None);
}

#[test]
fn a_source_that_does_not_fit_is_encoded() {
    let top = ladder(1280, 720)[2];
    for (change, word) in [
        (Video { codec: "hevc".into(), ..video() }, "codec"),
        (Video { pixel_format: "yuv420p10le".into(), ..video() }, "8 bit"),
        (Video { pixel_format: "yuvj420p".into(), ..video() }, "8 bit"),
        (Video { profile: "High 10".into(), ..video() }, "profile"),
        (Video { level: 52, ..video() }, "level"),
        (Video { as_stored: false, ..video() }, "turned"),
        (Video { interlaced: true, ..video() }, "interlaced"),
        (Video { hdr: Some("smpte2084".into()), ..video() }, "HDR"),
        (Video { width: 1440, ..video() }, "size"),
        (Video { average_rate: rate(90, 1), ..video() }, "frames a second"),
    ] {
        let why = why_not_copied(&source(change), &packets(), &top).unwrap_or_default();
        assert!(why.contains(word), "{why} / {word}");
    }
    for (change, word) in [
        (Packets { whole: false, ..packets() }, "stands by itself"),
        (Packets { start: 0.5, end: 20.5, ..packets() }, "after its sound"),
        (Packets { keys: vec![], ..packets() }, "key frames"),
        (Packets { keys: vec![0.0, 2.0, 8.0, 10.0], ..packets() }, "key frames"),
        (Packets { end: 60.0, ..packets() }, "key frames"),
        (Packets { average: 4.6e6, ..packets() }, "bits"),
        (Packets { peak: 6.1e6, ..packets() }, "peak"),
    ] {
        let why = why_not_copied(&source(video()), &change, &top).unwrap_or_default();
        assert!(why.contains(word), "{why} / {word}");
    }
}

#[test]
fn sound_is_copied_where_every_player_takes_it() {
    let sound =
        Sound { index: 1, codec: "aac".into(), profile: "LC".into(), channels: 2, bit_rate: Some(128_000) };
    assert!(is_sound_copied(&source(video()), &sound, &packets()));
    for change in [
        Sound { codec: "opus".into(), ..sound.clone() },
        Sound { profile: "HE-AAC".into(), ..sound.clone() },
        Sound { channels: 6, ..sound.clone() },
        Sound { bit_rate: Some(256_000), ..sound.clone() },
        Sound { bit_rate: None, ..sound.clone() },
    ] {
        assert!(!is_sound_copied(&source(video()), &change, &packets()), "{change:?}");
    }
    let late = Packets { sound_start: Some(1.0), ..packets() };
    assert!(!is_sound_copied(&source(video()), &sound, &late));
}

#[test]
fn an_even_rhythm_is_kept_and_an_uneven_one_made_constant() {
    let frames = |average, base| frames(&Video { average_rate: average, base_rate: base, ..video() });
    assert_eq!(frames(rate(30000, 1001), rate(30000, 1001)), Frames::Kept(rate(30000, 1001)));
    assert_eq!(frames(rate(29, 1), rate(30, 1)), Frames::Kept(rate(29, 1)));
    assert_eq!(frames(rate(20, 1), rate(30, 1)), Frames::Constant(rate(30, 1)));
    assert_eq!(frames(rate(2873, 100), rate(1000, 1)), Frames::Constant(rate(30, 1)));
    assert_eq!(frames(rate(24, 1), rate(90000, 1)), Frames::Constant(rate(24, 1)));
    assert_eq!(frames(rate(120000, 1001), rate(120000, 1001)), Frames::Constant(rate(120000, 2002)));
}

#[test]
fn segments_start_at_the_first_key_at_or_after_each_six_seconds() {
    assert_eq!(segment_starts(&[0.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 18.0]), [0.0, 7.5, 12.5, 18.0]);
    assert!(segment_starts(&[]).is_empty());
}

#[test]
fn keys_beside_a_copy_hold_every_start_of_a_segment() {
    let dense: Vec<_> = (0..260).map(|key| f64::from(key) / 10.0).collect();
    let chosen = keys_beside(&dense);
    assert_eq!(segment_starts(&chosen), segment_starts(&dense));
    assert!(chosen.len() < 20, "{chosen:?}");
    let sparse = [0.0, 2.5, 5.0, 7.5];
    assert_eq!(keys_beside(&sparse), sparse);
}

#[test]
fn a_rate_is_read_as_ffprobe_writes_it() {
    assert_eq!(Rate::parse("30000/1001"), Some(rate(30000, 1001)));
    for text in ["0/0", "25", "a/b", "-1/1", "1/0"] {
        assert_eq!(Rate::parse(text), None, "{text}");
    }
}
