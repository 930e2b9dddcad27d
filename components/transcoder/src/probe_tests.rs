//! What ffprobe tells, held against the limits.

use super::*;

fn told(video: serde_json::Value, format: serde_json::Value) -> Result<Source, &'static str> {
    let mut stream = serde_json::json!({"index": 0, "codec_type": "video", "codec_name": "h264", "width": 1920,
        "height": 1080, "pix_fmt": "yuv420p", "avg_frame_rate": "30/1", "r_frame_rate": "30/1"});
    stream.as_object_mut().unwrap().extend(video.as_object().unwrap().clone());
    let told = serde_json::json!({"streams": [stream], "format": format});
    let told = serde_json::from_value(told).unwrap();
    understand(told, Container::IsoBmff).map_err(|failure| failure.code.as_str())
}

fn size(video: serde_json::Value) -> (u32, u32, bool) {
    let video = told(video, serde_json::json!({})).unwrap().video;
    (video.width, video.height, video.as_stored)
}

#[test]
fn a_video_over_a_limit_is_refused_by_its_code() {
    let none = || serde_json::json!({});
    for (video, format, code) in [
        (serde_json::json!({"width": 3841}), none(), "too_many_pixels"),
        (serde_json::json!({"width": 2500, "height": 2500}), none(), "too_many_pixels"),
        (serde_json::json!({"avg_frame_rate": "240/1"}), none(), "frame_rate_too_high"),
        (serde_json::json!({"duration": "3600.5"}), none(), "too_long"),
        (none(), serde_json::json!({"duration": "360000.0"}), "too_long"),
        (none(), serde_json::json!({"nb_streams": 17}), "too_many_streams"),
        (serde_json::json!({"codec_name": "hls"}), none(), "unsupported"),
        (serde_json::json!({"width": 0}), none(), "not_a_video"),
        (serde_json::json!({"disposition": {"attached_pic": 1}}), none(), "not_a_video"),
    ] {
        assert_eq!(told(video, format).unwrap_err(), code);
    }
    assert!(told(serde_json::json!({"width": 2160, "height": 3840}), none()).is_ok());
}

#[test]
fn a_video_is_measured_upright_with_square_pixels() {
    assert_eq!(size(serde_json::json!({})), (1920, 1080, true));
    let turned = serde_json::json!({"side_data_list": [{}, {"rotation": -90}]});
    assert_eq!(size(turned), (1080, 1920, false));
    assert_eq!(size(serde_json::json!({"tags": {"rotate": "180"}})), (1920, 1080, false));
    let wide = serde_json::json!({"width": 720, "height": 576, "sample_aspect_ratio": "64:45"});
    assert_eq!(size(wide), (720, 405, false));
    let absurd = serde_json::json!({"sample_aspect_ratio": "1000000:1"});
    assert_eq!(size(absurd), (1920, 1080, true));
}
