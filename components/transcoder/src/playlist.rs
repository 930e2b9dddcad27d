//! What ffmpeg made of a track: its playlist tells where the segments are, the header of the file what is in it.

use anyhow::{Context as _, Result, bail, ensure};

use crate::ladder::SEGMENT;
use crate::wire::Track;

/// Reads the playlist of a single file of `length` bytes: a header, then segments without gaps to its end.
pub fn track(playlist: &str, length: u64) -> Result<Track> {
    let (mut init, mut at, mut seconds) = (None, 0, None);
    let mut segments: Vec<(f64, u64)> = Vec::new();
    for line in playlist.lines() {
        if let Some(map) = line.strip_prefix("#EXT-X-MAP:") {
            let range = map.split_once("BYTERANGE=\"").and_then(|(_, rest)| rest.split_once('"'));
            let (size, start) = range_of(range.context("a header without its range")?.0)?;
            ensure!(start == 0 && init.is_none(), "a header that is not at the start");
            init = Some(size);
            at = size;
        } else if let Some(text) = line.strip_prefix("#EXTINF:") {
            let text = text.split(',').next().unwrap_or_default();
            seconds = Some(text.parse::<f64>().context("a segment without its length")?);
        } else if let Some(range) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            let (size, start) = range_of(range)?;
            ensure!(start == at, "a gap between segments");
            at += size;
            let time = seconds.take().context("a segment without its length")?;
            match segments.last_mut() {
                // A last packet without a length of its own belongs to what is before it.
                Some((_, before)) if time <= 0.0 => *before += size,
                _ => segments.push((time, size)),
            }
        } else if line.starts_with("#EXT-X-DISCONTINUITY") {
            bail!("a gap in time");
        }
    }
    let init = init.context("no header")?;
    ensure!(!segments.is_empty(), "no segments");
    ensure!(at == length, "the playlist ends at {at} and the file at {length}");
    let total: f64 = segments.iter().map(|segment| segment.0).sum();
    ensure!(total > 0.0, "no time passes");
    let bytes: u64 = segments.iter().map(|segment| segment.1).sum();
    let average_bandwidth = bits_a_second(bytes, total);
    Ok(Track { bandwidth: peak(&segments).max(average_bandwidth), average_bandwidth, init, segments })
}

fn range_of(text: &str) -> Result<(u64, u64)> {
    let (size, start) = text.split_once('@').context("a range without its start")?;
    Ok((
        size.parse().context("a range without its length")?,
        start.trim().parse().context("a range without its start")?,
    ))
}

fn bits_a_second(bytes: u64, seconds: f64) -> u64 {
    (bytes as f64 * 8.0 / seconds).ceil() as u64
}

/// RFC 8216, 4.3.4.2, measures the peak over segments of at least half the usual length: a last one of a tenth of a
/// second says nothing of the network it needs.
fn peak(segments: &[(f64, u64)]) -> u64 {
    let long = segments.iter().filter(|segment| segment.0 >= SEGMENT / 2.0);
    long.map(|segment| bits_a_second(segment.1, segment.0)).max().unwrap_or(0)
}

/// The codec of a header with H.264, by RFC 6381: profile, constraints and level from its decoder configuration.
pub fn avc_codec(header: &[u8]) -> Option<String> {
    let at = find(header, b"avcC")?;
    match header.get(at + 4..at + 8)? {
        [1, profile, constraints, level] => Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}")),
        _ => None,
    }
}

/// The codec of a header with AAC, by RFC 6381: the object type from its decoder configuration.
pub fn aac_codec(header: &[u8]) -> Option<String> {
    let esds = header.get(find(header, b"esds")?..)?;
    // A decoder configuration descriptor of object type 0x40 (MPEG-4 audio), then the decoder's own.
    let config = esds.windows(2).position(|pair| pair == [0x40, 0x15])?;
    let specific = esds.get(config + 2 + 11..)?;
    let at = 1 + specific.get(1..)?.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let first = *specific.get(at).filter(|_| specific.first() == Some(&5))?;
    Some(format!("mp4a.40.{}", first >> 3))
}

fn find(bytes: &[u8], word: &[u8; 4]) -> Option<usize> {
    bytes.windows(4).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n\
        #EXT-X-MAP:URI=\"v360.mp4\",BYTERANGE=\"800@0\"\n#EXTINF:6.000000,\n#EXT-X-BYTERANGE:6000@800\nv360.mp4\n\
        #EXTINF:0.100000,\n#EXT-X-BYTERANGE:500@6800\nv360.mp4\n#EXT-X-ENDLIST\n";

    #[test]
    fn a_playlist_tells_header_segments_and_bits() {
        let track = track(PLAYLIST, 7300).unwrap();
        assert_eq!((track.init, track.segments), (800, vec![(6.0, 6000), (0.1, 500)]));
        // The short segment alone would be 40,000.
        assert_eq!((track.bandwidth, track.average_bandwidth), (8525, 8525));
        let still = super::track(&PLAYLIST.replace("0.100000", "0.000000"), 7300).unwrap();
        assert_eq!(still.segments, vec![(6.0, 6500)]);
    }

    #[test]
    fn a_file_that_is_not_what_its_playlist_says_is_an_error() {
        for (text, length, word) in [
            (PLAYLIST.to_owned(), 7301, "ends at"),
            (PLAYLIST.replace("@6800", "@6801"), 7301, "gap"),
            (PLAYLIST.replace("#EXT-X-MAP", "#EXT-X-NO"), 7300, "gap"),
            ("#EXTM3U\n".to_owned(), 0, "no header"),
            (PLAYLIST.replace("#EXTINF:6.000000,\n", ""), 7300, "length"),
        ] {
            let said = track(&text, length).unwrap_err().to_string();
            assert!(said.contains(word), "{said} / {word}");
        }
    }

    #[test]
    fn codecs_are_read_from_the_header() {
        assert_eq!(avc_codec(b"....avcC\x01\x64\x00\x1e\xff").as_deref(), Some("avc1.64001e"));
        assert_eq!(avc_codec(b"....avcC\x01"), None);
        let esds = b"esds\0\0\0\0\x03\x80\x80\x80\x25\0\x02\0\x04\x80\x80\x80\x17\x40\x15\0\0\0\0\x01\xf4\0\0\x01\xf4\0\
            \x05\x80\x80\x80\x05\x12\x08\x56\xe5\0";
        assert_eq!(aac_codec(esds).as_deref(), Some("mp4a.40.2"));
        assert_eq!(aac_codec(b"nothing"), None);
    }
}
