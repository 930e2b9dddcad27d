//! What a file is by its own bytes, whatever it is called: the decoder is chosen by this alone.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::failure::{Code, Failure, Outcome};

/// How many boxes at the top of a file are looked at.
const MOST_BOXES: usize = 20_000;

/// A container of video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// ISO base media: MP4, MOV.
    IsoBmff,
    /// Matroska, WebM.
    Matroska,
}

impl Container {
    /// The demuxer of ffmpeg that is forced.
    pub fn demuxer(self) -> &'static str {
        match self {
            Self::IsoBmff => "mov",
            Self::Matroska => "matroska",
        }
    }
}

/// A format of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// HEIC, HEIF or AVIF.
    Heif,
}

/// The format of a picture that starts with `start`.
pub fn picture(start: &[u8]) -> Option<Picture> {
    match start {
        [0xff, 0xd8, 0xff, ..] => Some(Picture::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Picture::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Picture::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Picture::Gif),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] if has_picture_brand(start) => Some(Picture::Heif),
        _ => None,
    }
}

/// The brands of pictures in an `ftyp` box, the major one or a compatible one.
fn has_picture_brand(start: &[u8]) -> bool {
    const BRANDS: [&[u8]; 10] =
        [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"];
    let size = start.first_chunk().map_or(0, |size| u32::from_be_bytes(*size) as usize);
    let inside = &start[..size.clamp(8, start.len())];
    let mut brands = inside.chunks_exact(4).skip(2).enumerate().filter(|(index, _)| *index != 1);
    brands.any(|(_, brand)| BRANDS.contains(&brand))
}

/// The container of the video in `path`. Anything else, such as a playlist with the name of a video, is
/// `not_a_video`; a container cut off in its middle is `truncated`.
pub fn container(path: &Path) -> Outcome<Container> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = Vec::new();
    file.by_ref().take(64).read_to_end(&mut start)?;
    match start.as_slice() {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => {
            check_matroska(&start, length)?;
            Ok(Container::Matroska)
        }
        [_, _, _, _, kind @ ..] if is_first_box(kind) && picture(&start).is_none() => {
            check_boxes(&mut file, length)?;
            Ok(Container::IsoBmff)
        }
        _ => Err(not_a_video()),
    }
}

fn not_a_video() -> Failure {
    Failure::new(Code::NotAVideo, "The file is not a video that can be read.")
}

/// A file that ends in its middle.
pub fn truncated() -> Failure {
    Failure::new(Code::Truncated, "The file ends in its middle; upload it again.")
}

/// Boxes that a QuickTime file without `ftyp` may start with are taken too.
fn is_first_box(kind: &[u8]) -> bool {
    [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"].iter().any(|one| kind.starts_with(*one))
}

/// Walks over the boxes at the top: the one with the index has to be there, and none of those that matter may
/// reach beyond the end of the file.
fn check_boxes(file: &mut File, length: u64) -> Outcome<()> {
    let (mut at, mut index, mut data) = (0_u64, false, false);
    for _ in 0..MOST_BOXES {
        if at + 8 > length {
            break;
        }
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        let read = (length - at).min(16) as usize;
        file.read_exact(&mut head[..read])?;
        let [s0, s1, s2, s3, kind @ .., l0, l1, l2, l3, l4, l5, l6, l7] = head;
        let size = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => length - at,
            1 => u64::from_be_bytes([l0, l1, l2, l3, l4, l5, l6, l7]),
            size => u64::from(size),
        };
        let matters = matches!(&kind, b"moov" | b"mdat" | b"moof");
        if size < 8 {
            // What follows is no box; players ignore it, and so does the demuxer.
            break;
        }
        if matters && at.saturating_add(size) > length {
            return Err(truncated());
        }
        index |= &kind == b"moov";
        data |= &kind == b"mdat";
        at = at.saturating_add(size);
    }
    match (index, data) {
        (true, _) => Ok(()),
        // The index is written last: where it is missing, the end is.
        (false, true) => Err(truncated()),
        (false, false) => Err(not_a_video()),
    }
}

/// The first element after the header is the segment, which holds everything. A length that is not known, as
/// browsers write it, says nothing.
fn check_matroska(start: &[u8], length: u64) -> Outcome<()> {
    let segment = element(start, 0).map(|(_, size, data)| data as u64 + size).and_then(|at| {
        let at = usize::try_from(at).ok()?;
        element(start, at)
    });
    match segment {
        Some((0x1853_8067, size, data))
            if size != u64::MAX && (data as u64).saturating_add(size) > length =>
        {
            Err(truncated())
        }
        _ => Ok(()),
    }
}

/// The id, length and start of the data of the EBML element at `at`.
fn element(bytes: &[u8], at: usize) -> Option<(u32, u64, usize)> {
    let first = *bytes.get(at)?;
    let id_length = first.leading_zeros() as usize + 1;
    let id = bytes.get(at..at + id_length).filter(|_| id_length <= 4)?;
    let id = id.iter().fold(0, |id, byte| (id << 8) | u32::from(*byte));
    let at = at + id_length;
    let first = *bytes.get(at)?;
    let size_length = first.leading_zeros() as usize + 1;
    let size = bytes.get(at..at + size_length).filter(|_| size_length <= 8)?;
    let size = size.iter().fold(0, |size, byte| (size << 8) | u64::from(*byte));
    let most = (1_u64 << (7 * size_length)) - 1;
    let size = size & most;
    Some((id, if size == most { u64::MAX } else { size }, at + size_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(bytes: &[u8]) -> Result<Container, &'static str> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        container(file.path()).map_err(|failure| failure.code.as_str())
    }

    fn sized(kind: &[u8; 4], size: u32) -> Vec<u8> {
        let mut bytes = size.to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.resize(size.clamp(8, 100) as usize, 0);
        bytes
    }

    #[test]
    fn a_container_is_known_by_its_first_bytes() {
        let whole = [sized(b"ftyp", 24), sized(b"moov", 32), sized(b"mdat", 40)].concat();
        assert_eq!(sniffed(&whole), Ok(Container::IsoBmff));
        assert_eq!(
            sniffed(&[sized(b"wide", 8), sized(b"mdat", 40), sized(b"moov", 32)].concat()),
            Ok(Container::IsoBmff)
        );
        assert_eq!(sniffed(&[whole, vec![0, 0, 0, 3, 9, 9, 9, 9]].concat()), Ok(Container::IsoBmff));
        for text in ["#EXTM3U\n", "ffconcat version 1.0\n", "", "RIFF\0\0\0\0AVI ", "\x1aE"] {
            assert_eq!(sniffed(text.as_bytes()), Err("not_a_video"), "{text}");
        }
    }

    #[test]
    fn boxes_beyond_the_end_or_without_an_index_are_truncated() {
        assert_eq!(sniffed(&[sized(b"ftyp", 24), sized(b"mdat", 40)].concat()), Err("truncated"));
        assert_eq!(
            sniffed(&[sized(b"ftyp", 24), sized(b"moov", 32), sized(b"mdat", 4000)].concat()),
            Err("truncated")
        );
        assert_eq!(sniffed(&sized(b"ftyp", 24)), Err("not_a_video"));
    }

    #[test]
    fn a_segment_of_known_length_has_to_be_there_whole() {
        let header = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 0];
        let known = |size: u8| [&header[..], &[0x18, 0x53, 0x80, 0x67, 0x80 | size, 1, 2, 3, 4]].concat();
        assert_eq!(sniffed(&known(4)), Ok(Container::Matroska));
        assert_eq!(sniffed(&known(5)), Err("truncated"));
        assert_eq!(sniffed(&known(0x7f)), Ok(Container::Matroska));
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(picture(&[0xff, 0xd8, 0xff, 0xe1]), Some(Picture::Jpeg));
        assert_eq!(picture(b"\x89PNG\r\n\x1a\n"), Some(Picture::Png));
        assert_eq!(picture(b"RIFF\0\0\0\0WEBPVP8 "), Some(Picture::WebP));
        assert_eq!(picture(b"GIF89a"), Some(Picture::Gif));
        assert_eq!(picture(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Some(Picture::Heif));
        assert_eq!(picture(b"\0\0\0\x18ftypmiaf\0\0\0\0miafavif"), Some(Picture::Heif));
        assert_eq!(picture(b"\0\0\0\x18ftypisom\0\0\0\0isommp41"), None);
        assert_eq!(picture(b"<svg xmlns"), None);
        assert_eq!(picture(b""), None);
    }
}
