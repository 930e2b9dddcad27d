//! What a worker says it made, checked: it names files of its own attempt alone, in numbers that can be.

use serde::Deserialize;
use shared::error::{ApiError, ApiResult, Check};

use crate::model::{Kind, file_names};
use crate::playlist::Stream;
use crate::store::Made;

/// Pixels of a side at the most.
const MAX_SIDE: u32 = 100_000;

/// An image.
#[derive(Deserialize)]
pub struct ImageResult {
    width: u32,
    height: u32,
    blurhash: String,
    variants: Vec<VariantResult>,
}

#[derive(Deserialize)]
struct VariantResult {
    name: String,
    file: String,
}

/// A video.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoResult {
    width: u32,
    height: u32,
    duration_ms: u64,
    blurhash: String,
    poster: String,
    mp4: String,
    #[serde(flatten)]
    stream: Stream,
}

impl ImageResult {
    /// What goes into the row, and the files it names.
    pub fn check(self, prefix: &str, avatar_url: Option<String>) -> ApiResult<(Made, Vec<String>)> {
        check_picture(self.width, self.height, &self.blurhash)?;
        let named = |name: &str| {
            let found = self.variants.iter().find(|variant| variant.name == name);
            found
                .map(|variant| variant.file.clone())
                .ok_or_else(|| ApiError::invalid("result", format!("has no {name}")))
        };
        let files = vec![named("large")?, named("small")?];
        check_files(Kind::Image, &files)?;
        let made = Made {
            width: self.width,
            height: self.height,
            duration_ms: None,
            blurhash: self.blurhash,
            shown: format!("{prefix}{}", files[0]),
            poster: format!("{prefix}{}", files[1]),
            stream: None,
            avatar_url,
        };
        Ok((made, files))
    }
}

impl VideoResult {
    /// What goes into the row, and the files it names.
    pub fn check(mut self, prefix: &str) -> ApiResult<(Made, Vec<String>)> {
        check_picture(self.width, self.height, &self.blurhash)?;
        self.stream.check(file_names(Kind::Video))?;
        self.stream.prefix = prefix.to_owned();
        let tracks =
            self.stream.renditions.iter().map(|rendition| &rendition.track).chain(&self.stream.audio);
        let mut files: Vec<String> = tracks.map(|track| track.file.clone()).collect();
        files.extend([self.poster.clone(), self.mp4.clone()]);
        check_files(Kind::Video, &files)?;
        let made = Made {
            width: self.width,
            height: self.height,
            duration_ms: Some(self.duration_ms),
            blurhash: self.blurhash,
            shown: format!("{prefix}{}", self.mp4),
            poster: format!("{prefix}{}", self.poster),
            stream: Some(serde_json::to_string(&self.stream).map_err(ApiError::internal)?),
            avatar_url: None,
        };
        Ok((made, files))
    }
}

fn check_files(kind: Kind, files: &[String]) -> ApiResult<()> {
    match files.iter().find(|file| !file_names(kind).contains(&file.as_str())) {
        Some(other) => {
            Err(ApiError::invalid("result", format!("names {other}, which is no file of an attempt")))
        }
        None => Ok(()),
    }
}

fn check_picture(width: u32, height: u32, blurhash: &str) -> ApiResult<()> {
    Check::default()
        .field((1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height), "result", "has no size")
        .field((6..=100).contains(&blurhash.len()) && blurhash.is_ascii(), "result", "has no blurhash")
        .finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn image(change: impl FnOnce(&mut Value)) -> ApiResult<(Made, Vec<String>)> {
        let mut result = json!({ "width": 40, "height": 30, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "variants": [
            { "name": "large", "file": "large.jpg", "width": 40, "height": 30 },
            { "name": "small", "file": "small.jpg", "width": 40, "height": 30 }] });
        change(&mut result);
        serde_json::from_value::<ImageResult>(result).unwrap().check("o/k/2/", None)
    }

    #[test]
    fn an_image_names_its_two_sizes() {
        let (made, files) = image(|_| ()).ok().unwrap();
        assert_eq!(files, ["large.jpg", "small.jpg"]);
        assert_eq!((made.shown.as_str(), made.poster.as_str()), ("o/k/2/large.jpg", "o/k/2/small.jpg"));
        assert!(image(|result| result["variants"][0]["file"] = "../original".into()).is_err());
        assert!(image(|result| result["variants"] = json!([])).is_err());
        assert!(image(|result| result["width"] = 0.into()).is_err());
        assert!(image(|result| result["blurhash"] = "".into()).is_err());
    }

    #[test]
    fn a_video_names_its_streams_poster_and_mp4() {
        let video = |change: fn(&mut Value)| {
            let mut result = json!({ "width": 640, "height": 360, "durationMs": 6000, "blurhash": "LEHV6nWB2yk8",
                "poster": "poster.jpg", "mp4": "video.mp4", "audio": null, "renditions": [{ "file": "v360.mp4", "width": 640,
                "height": 360, "frameRate": 30.0, "codecs": "avc1.64001f", "bandwidth": 1000, "averageBandwidth": 900,
                "init": 700, "segments": [[6.0, 4000]] }] });
            change(&mut result);
            serde_json::from_value::<VideoResult>(result).unwrap().check("o/k/2/")
        };
        let (made, files) = video(|_| ()).ok().unwrap();
        assert_eq!(files, ["v360.mp4", "poster.jpg", "video.mp4"]);
        assert_eq!(made.shown, "o/k/2/video.mp4");
        let stream: Stream = serde_json::from_str(&made.stream.unwrap()).unwrap();
        assert_eq!(stream.prefix, "o/k/2/");
        assert!(video(|result| result["mp4"] = "original".into()).is_err());
        assert!(video(|result| result["renditions"] = json!([])).is_err());
    }
}
