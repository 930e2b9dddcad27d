//! HEIC and AVIF: measured here, before anything is decoded, then converted by `heif-convert` of libheif into a format
//! that the decoders in Rust read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::image_worker::{MOST_PIXELS, too_many_pixels};
use crate::run::{Limits, Run, arguments};
use crate::sniff::truncated;
use crate::tools::Tools;

/// 64 megapixels with all their copies.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), memory: 3 << 30, file: 512 << 20 };
/// The box of properties; a photograph in tiles has some tens of kilobytes.
const LARGEST_META: u64 = 4 << 20;
/// How many boxes at the top of a file are looked at.
const MOST_BOXES: usize = 1000;
/// What an image item of transparency is called, by either standard.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"];

/// What the properties of a file tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Properties {
    /// Of the largest image in it.
    pixels: u64,
    has_alpha: bool,
}

/// Converts `file` in `dir` and answers the name of what was made. It stands upright.
pub fn convert(tools: &Tools, dir: &Path, file: &str, control: &Control) -> Outcome<String> {
    let properties = properties(&meta(&dir.join(file))?)?;
    if properties.pixels > MOST_PIXELS {
        return Err(too_many_pixels());
    }
    // Without transparency a JPEG will do, which is made ten times as fast.
    let made = if properties.has_alpha { "converted.png" } else { "converted.jpg" };
    let words = arguments(["--quiet", "-q", "95", file, made]);
    let run = Run { program: &tools.heif_convert, arguments: words, dir, input: None, limits: LIMITS };
    let ended = run.run(control, &mut |_| Ok(()))?;
    if ended.status.code() == Some(127) {
        return Err(Failure::new(Code::Unsupported, "This server cannot read HEIC and AVIF pictures.")
            .after("heif-convert is not there: install libheif-examples, or name it with --heif-convert"));
    }
    // Of several pictures in one file the first is taken.
    let first = made.replace('.', "-1.");
    let found = [made.to_owned(), first].into_iter().find(|name| dir.join(name).is_file());
    match found {
        Some(found) if ended.status.success() => Ok(found),
        _ => Err(why(&ended.words)),
    }
}

fn why(words: &str) -> Failure {
    let failure = if words.contains("end of file") {
        truncated()
    } else if words.contains("Unsupported") {
        Failure::new(Code::Unsupported, "This server cannot read this kind of HEIC or AVIF picture.")
    } else {
        not_an_image()
    };
    failure.after(words)
}

fn not_an_image() -> Failure {
    Failure::new(Code::NotAnImage, "The file is not a picture that can be read.")
}

/// The `meta` box of a file, without its header.
fn meta(path: &Path) -> Outcome<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        let read = usize::try_from(length.saturating_sub(at)).unwrap_or(16).min(16);
        file.read_exact(&mut head[..read])?;
        let Some((kind, header, size)) = box_head(&head[..read], length - at) else { break };
        if at.saturating_add(size) > length {
            return Err(truncated());
        }
        if &kind == b"meta" {
            if size > LARGEST_META {
                return Err(not_an_image());
            }
            let mut meta = Vec::new();
            file.seek(SeekFrom::Start(at + header))?;
            file.take(size - header).read_to_end(&mut meta)?;
            return Ok(meta);
        }
        at += size;
    }
    Err(not_an_image())
}

/// Kind, length of the header, and whole length of the box that starts with `bytes`, `left` bytes before the end.
fn box_head(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let size = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4..)?.first_chunk()?;
    let (header, size) = match size {
        0 => (8, left),
        1 => (16, u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)),
        size => (8, u64::from(size)),
    };
    (size >= header).then_some((kind, header, size))
}

/// Looks for sizes (`ispe`) and transparency (`auxC`) in `meta` / `iprp` / `ipco`.
fn properties(meta: &[u8]) -> Outcome<Properties> {
    let mut found = Properties::default();
    let all = inside(meta.get(4..).unwrap_or_default(), b"iprp").and_then(|iprp| inside(iprp, b"ipco"));
    for (kind, data) in boxes(all.ok_or_else(not_an_image)?) {
        if &kind == b"ispe" {
            let side =
                |at: usize| data.get(at..)?.first_chunk().map(|side| u64::from(u32::from_be_bytes(*side)));
            let pixels = side(4).zip(side(8)).map_or(0, |(width, height)| width * height);
            found.pixels = found.pixels.max(pixels);
        }
        if &kind == b"auxC" {
            let name = data.get(4..).unwrap_or_default();
            found.has_alpha |= ALPHA.iter().any(|alpha| name.starts_with(alpha));
        }
    }
    if found.pixels == 0 { Err(not_an_image()) } else { Ok(found) }
}

fn inside<'a>(bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(kind, _)| kind == wanted).map(|(_, data)| data)
}

fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, header, size) = box_head(bytes, bytes.len() as u64)?;
        let (header, size) = (usize::try_from(header).ok()?, usize::try_from(size).ok()?);
        let data = bytes.get(header..size)?;
        bytes = &bytes[size..];
        Some((kind, data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32 + 8).to_be_bytes(), kind.as_slice(), data].concat()
    }

    fn ispe(width: u32, height: u32) -> Vec<u8> {
        boxed(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
    }

    fn meta_of(properties: &[u8]) -> Vec<u8> {
        let hdlr = boxed(b"hdlr", b"whatever");
        [vec![0; 4], hdlr, boxed(b"iprp", &boxed(b"ipco", properties))].concat()
    }

    #[test]
    fn the_largest_image_counts_and_transparency_is_seen() {
        let tiles = [ispe(512, 512), ispe(4032, 3024)].concat();
        let found = properties(&meta_of(&tiles)).unwrap();
        assert_eq!(found, Properties { pixels: 4032 * 3024, has_alpha: false });
        let alpha = boxed(b"auxC", &[&[0; 4], ALPHA[1], b"\0"].concat());
        assert!(properties(&meta_of(&[tiles, alpha].concat())).unwrap().has_alpha);
    }

    #[test]
    fn boxes_that_lie_end_the_walk() {
        for meta in [vec![], vec![0; 4], meta_of(b""), meta_of(&[0, 0, 0, 3]), meta_of(&[0xff; 40])] {
            assert_eq!(properties(&meta).unwrap_err().code, Code::NotAnImage);
        }
    }
}
