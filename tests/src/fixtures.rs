//! Files that people upload, made on the spot by ffmpeg: none is kept in the repository.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A video as a phone records it: QuickTime, HEVC or H.264, held upright, its frames not evenly spaced, with sound.
///
/// # Errors
/// Where ffmpeg is missing or fails.
pub fn phone_video(seconds: u32) -> Result<Vec<u8>> {
    make("mov", |file, folder| {
        let flat = folder.join("flat.mov");
        // Every third frame is missing in the first half.
        let drops = format!("select='not(lt(t,{})*eq(mod(n,3),0))'", seconds / 2);
        let (picture, sound) = (format!("testsrc2=s=640x360:r=30:d={seconds}"), format!("sine=d={seconds}"));
        ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                &picture,
                "-f",
                "lavfi",
                "-i",
                &sound,
                "-vf",
                &drops,
                "-fps_mode",
                "vfr",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
                "-c:a",
                "aac",
                "-shortest",
            ],
            &flat,
        )?;
        // The angle stands in the header, as a phone writes it.
        let flat = flat.to_string_lossy().into_owned();
        ffmpeg(&["-i", &flat, "-c", "copy", "-metadata:s:v:0", "rotate=90"], file)
    })
}

/// A plain video of so many seconds.
///
/// # Errors
/// As [`phone_video`].
pub fn video(seconds: u32) -> Result<Vec<u8>> {
    make("mp4", |file, _| {
        let (picture, sound) = (format!("testsrc2=s=320x240:r=25:d={seconds}"), format!("sine=d={seconds}"));
        ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                &picture,
                "-f",
                "lavfi",
                "-i",
                &sound,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
                "-c:a",
                "aac",
                "-movflags",
                "+faststart",
                "-shortest",
            ],
            file,
        )
    })
}

/// A photo of 1920 x 1440 stored sideways, with the place where it was taken: EXIF of orientation 6 and a GPS position.
///
/// # Errors
/// As [`phone_video`].
pub fn photo_with_place() -> Result<Vec<u8>> {
    let plain = make("jpg", |file, _| {
        ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=1920x1440", "-frames:v", "1"], file)
    })?;
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    // Orientation (0x0112), a short: 6. The GPS directory (0x8825), a long: where it lies.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    // GPSLatitudeRef and GPSLatitude.
    exif.extend(b"\0\x02\0\x01\0\x02\0\0\0\x02N\0\0\0\0\x02\0\x05\0\0\0\x03\0\0\0\x44\0\0\0\0");
    exif.extend([52u32, 1, 31, 1, 12, 1].iter().flat_map(|part| part.to_be_bytes()));
    let length = u16::try_from(exif.len() + 2)?.to_be_bytes();
    let (start, rest) = plain.split_at_checked(2).context("ffmpeg made no JPEG")?;
    Ok([start, b"\xff\xe1", &length, &exif, rest].concat())
}

/// What a player makes of a file or a playlist: width and height of its picture and whether every frame of it and of its sound
/// decodes.
///
/// # Errors
/// Where ffprobe or ffmpeg finds a fault.
pub fn play(address: &str) -> Result<(u32, u32)> {
    let entries =
        ["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
    let said =
        Command::new("ffprobe").args(entries).arg(address).output().context("ffprobe is not installed")?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    let size = numbers.next().zip(numbers.next());
    let size = size.with_context(|| format!("{address}: {}", String::from_utf8_lossy(&said.stderr)))?;
    let decoded =
        Command::new("ffmpeg").args(["-v", "error", "-xerror", "-i", address, "-f", "null", "-"]).output()?;
    if !decoded.status.success() || !decoded.stderr.is_empty() {
        bail!("{address}: {}", String::from_utf8_lossy(&decoded.stderr));
    }
    Ok(size)
}

fn make(ending: &str, work: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<Vec<u8>> {
    let folder = TempDir::with_prefix("scooterbooter-fixture-")?;
    let file = folder.path().join(format!("made.{ending}"));
    work(&file, folder.path())?;
    Ok(std::fs::read(file)?)
}

fn ffmpeg(arguments: &[&str], file: &Path) -> Result<()> {
    let done = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(file).output();
    let done = done.context("ffmpeg is not installed: apt-get install ffmpeg")?;
    if !done.status.success() {
        bail!("ffmpeg: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
