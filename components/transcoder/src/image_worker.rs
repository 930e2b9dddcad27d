//! The process that decodes a picture: `scooterbooter-transcoder image-worker`, started under limits by the worker.
//! Reads what is wanted as JSON from its standard input and answers in JSON; files are those of its folder.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};

use anyhow::Context as _;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder as _, ImageError, ImageFormat, ImageReader,
    RgbImage, RgbaImage,
};
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure, Outcome};
use crate::icc;
use crate::sniff::{self, Picture, truncated};
use crate::wire::{ImageResult, Variant, VariantResult};

/// The most pixels of a picture.
pub const MOST_PIXELS: u64 = 64_000_000;
/// What a decoder may allocate; the process has more, for the copies.
const MOST_MEMORY: u64 = 1 << 30;
/// What the eye takes for the original.
const QUALITY: u8 = 82;
/// A blurhash keeps twelve waves of a picture; more pixels than this only cost time.
const THUMBNAIL: u32 = 64;

/// What is wanted.
#[derive(Debug, Deserialize, Serialize)]
pub struct Request {
    /// The file to read.
    pub source: String,
    /// Whether it stands upright already, whatever its metadata says.
    pub is_upright: bool,
    /// The pictures wanted.
    pub variants: Vec<Variant>,
}

/// What came of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The pictures are there.
    Done(ImageResult),
    /// A code and a sentence of ours, and what the log should know.
    Failed(String, String, String),
}

/// Over the limit of pixels.
pub fn too_many_pixels() -> Failure {
    Failure::new(
        Code::TooManyPixels,
        format!("The picture has more than {} megapixels.", MOST_PIXELS / 1_000_000),
    )
}

/// The whole life of the process.
pub fn serve() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().take(1 << 20).read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text).context("not a request of the worker")?;
    let answer = match make(&request) {
        Ok(result) => Answer::Done(result),
        Err(Failure { code, detail, cause }) => {
            let cause = cause.map(|cause| format!("{cause:#}")).unwrap_or_default();
            Answer::Failed(code.as_str().into(), detail.into_owned(), cause)
        }
    };
    println!("{}", serde_json::to_string(&answer)?);
    Ok(())
}

/// A decoded picture as it is stored, with how it has to be turned.
struct Decoded {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
    has_alpha: bool,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
}

fn make(request: &Request) -> Outcome<ImageResult> {
    let decoded = decode(request)?;
    let mut result = ImageResult {
        width: decoded.width,
        height: decoded.height,
        blurhash: String::new(),
        variants: vec![],
    };
    if swaps_sides(decoded.orientation) {
        (result.width, result.height) = (decoded.height, decoded.width);
    }
    let mut smallest: Option<DynamicImage> = None;
    for variant in &request.variants {
        let picture = scaled(&decoded, variant)?;
        let extension = if picture.color().has_alpha() { "png" } else { "jpg" };
        let file = format!("{}.{extension}", variant.name);
        write(&picture, &file)?;
        let (width, height) = (picture.width(), picture.height());
        result.variants.push(VariantResult { name: variant.name.clone(), file, width, height });
        if smallest
            .as_ref()
            .is_none_or(|smallest| smallest.width().max(smallest.height()) > width.max(height))
        {
            smallest = Some(picture);
        }
    }
    result.blurhash = blurhash_of(&smallest.context("no picture was asked for")?)?;
    Ok(result)
}

fn decode(request: &Request) -> Outcome<Decoded> {
    let mut start = Vec::new();
    File::open(&request.source)?.take(64).read_to_end(&mut start)?;
    let format = match sniff::picture(&start) {
        Some(Picture::Jpeg) => ImageFormat::Jpeg,
        Some(Picture::Png) => ImageFormat::Png,
        Some(Picture::WebP) => ImageFormat::WebP,
        Some(Picture::Gif) => ImageFormat::Gif,
        _ => return Err(not_an_image()),
    };
    let mut reader = ImageReader::with_format(BufReader::new(File::open(&request.source)?), format);
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(not_an_image());
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(too_many_pixels());
    }
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    decoder.set_limits(limits).map_err(unreadable)?;
    let profile = decoder.icc_profile().ok().flatten();
    let turned = if request.is_upright { None } else { decoder.orientation().ok() };
    let picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    if format == ImageFormat::Jpeg && !ends(&std::fs::read(&request.source)?) {
        return Err(truncated());
    }
    // A picture that could be seen through and nowhere is, is an opaque one.
    let has_alpha = picture.color().has_alpha() && is_seen_through(&picture);
    let pixels = if has_alpha { picture.into_rgba8().into_raw() } else { picture.into_rgb8().into_raw() };
    let orientation = turned.unwrap_or(Orientation::NoTransforms);
    Ok(Decoded { pixels, width, height, has_alpha, orientation, profile })
}

fn not_an_image() -> Failure {
    Failure::new(Code::NotAnImage, "The file is not a picture that can be read.")
}

fn unreadable(error: ImageError) -> Failure {
    let ends_early = matches!(&error, ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof)
        || error.to_string().to_lowercase().contains("unexpected end");
    let failure = match &error {
        _ if ends_early => truncated(),
        ImageError::Limits(_) => too_many_pixels(),
        ImageError::Unsupported(_) => {
            Failure::new(Code::Unsupported, "This kind of picture cannot be read here.")
        }
        _ => not_an_image(),
    };
    failure.because(error)
}

/// Whether the data of a JPEG come to their end. Decoders fill up what is missing with grey.
fn ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Segments with a length each, up to the start of the scan; a thumbnail inside one has an end of its own.
    while let Some([0xff, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            0xda => return bytes[at..].windows(2).rev().any(|pair| pair == [0xff, 0xd9]),
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    false
}

fn is_seen_through(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageRgba8(picture) => picture.pixels().any(|pixel| pixel[3] < 255),
        DynamicImage::ImageLumaA8(picture) => picture.pixels().any(|pixel| pixel[1] < 255),
        // Less than 255 of 255 once it has 8 bits.
        DynamicImage::ImageRgba16(picture) => picture.pixels().any(|pixel| pixel[3] < 0xff80),
        DynamicImage::ImageLumaA16(picture) => picture.pixels().any(|pixel| pixel[1] < 0xff80),
        _ => true,
    }
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// A variant: cut, made smaller, then turned, which is cheap once it is small.
fn scaled(decoded: &Decoded, variant: &Variant) -> Outcome<DynamicImage> {
    let (mut width, mut height) = (decoded.width, decoded.height);
    let (mut left, mut top) = (0, 0);
    if variant.square {
        let side = width.min(height);
        (left, top) = ((width - side) / 2, (height - side) / 2);
        (width, height) = (side, side);
    }
    let (to_width, to_height) = fitted(width, height, variant.size);
    let kind = if decoded.has_alpha { PixelType::U8x4 } else { PixelType::U8x3 };
    let from = ImageRef::new(decoded.width, decoded.height, &decoded.pixels, kind)
        .context("a picture of the wrong size")?;
    let mut to = Image::new(to_width, to_height, kind);
    let options = ResizeOptions::new().crop(left.into(), top.into(), width.into(), height.into());
    Resizer::new().resize(&from, &mut to, &options).context("a picture that cannot be made smaller")?;
    let mut pixels = to.into_vec();
    if let Some(profile) = &decoded.profile {
        icc::to_srgb(&mut pixels, decoded.has_alpha, profile);
    }
    let picture = if decoded.has_alpha {
        RgbaImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from)
    };
    let mut picture = picture.context("a picture of the wrong size")?;
    picture.apply_orientation(decoded.orientation);
    Ok(picture)
}

/// The sides of a picture whose longer one is `size` at the most; never larger than it is.
fn fitted(width: u32, height: u32, size: u32) -> (u32, u32) {
    let longer = width.max(height);
    let size = size.clamp(1, longer);
    let side = |side: u32| (f64::from(side) * f64::from(size) / f64::from(longer)).round().max(1.0) as u32;
    (side(width), side(height))
}

/// Out of the pixels alone: nothing of the original's metadata comes along.
fn write(picture: &DynamicImage, file: &str) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(file)?);
    let (width, height) = (picture.width(), picture.height());
    let written = match picture {
        DynamicImage::ImageRgba8(pixels) => {
            PngEncoder::new(&mut out).write_image(pixels, width, height, ExtendedColorType::Rgba8)
        }
        other => JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(&other.to_rgb8()),
    };
    written.context("a picture that cannot be written")?;
    out.flush()?;
    Ok(())
}

fn blurhash_of(picture: &DynamicImage) -> Outcome<String> {
    let small = picture.thumbnail(THUMBNAIL, THUMBNAIL).into_rgba8();
    let hash =
        blurhash::encode(4, 3, small.width(), small.height(), small.as_raw()).context("no blurhash")?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fits_and_is_never_enlarged() {
        assert_eq!(fitted(4032, 3024, 1600), (1600, 1200));
        assert_eq!(fitted(300, 200, 400), (300, 200));
        assert_eq!(fitted(10_000, 3, 400), (400, 1));
        assert_eq!(fitted(1, 1, 0), (1, 1));
    }

    #[test]
    fn a_jpeg_ends_after_its_scan_not_in_its_thumbnail() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd9, 1, 1];
        let scan = [0xff, 0xda, 0, 2, 7, 7];
        let cut = [&[0xff, 0xd8], &thumbnail[..], &scan[..]].concat();
        assert!(!ends(&cut));
        assert!(ends(&[&cut[..], &[0xff, 0xd9, 0, 0]].concat()));
        assert!(!ends(&[0xff, 0xd8]) && !ends(&[]));
    }
}
