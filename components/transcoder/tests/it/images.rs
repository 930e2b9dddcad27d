//! Pictures: sizes, orientation, transparency, what is left of their metadata, and those made to do harm.

use crate::support::{Work, large_and_small, position, run, text, tools, variant};
use transcoder::wire::ImageResult;

fn sizes(made: &ImageResult) -> Vec<(&str, u32, u32)> {
    made.variants.iter().map(|variant| (variant.file.as_str(), variant.width, variant.height)).collect()
}

fn code(work: &Work, file: &str) -> &'static str {
    let failure = work.pictures(file, &large_and_small()).expect_err("the picture was taken");
    assert!(failure.code.is_permanent() && failure.detail.ends_with('.'), "{failure:?}");
    failure.code.as_str()
}

/// The colour of a file at a place, 0 to 1 each way.
fn colour(work: &Work, file: &str, x: f64, y: f64) -> [u8; 3] {
    let picture = image::open(work.path(file)).unwrap().to_rgb8();
    let at = |side: u32, part: f64| (f64::from(side) * part) as u32;
    picture.get_pixel(at(picture.width(), x), at(picture.height(), y)).0
}

fn is_red(colour: [u8; 3]) -> bool {
    colour[0] > 180 && colour[1] < 80 && colour[2] < 80
}

fn is_blue(colour: [u8; 3]) -> bool {
    colour[2] > 180 && colour[0] < 80 && colour[1] < 80
}

/// An APP1 segment with orientation 6 and a place on earth.
fn exif() -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    tiff.extend([0, 2]);
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    // Where the GPS block is: after two entries and the end of the first block.
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0]);
    tiff.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(b"HOME-ADDRESS");
    let body = [b"Exif\0\0".as_slice(), &tiff].concat();
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, 0xe1], length.as_slice(), &body].concat()
}

/// 200 x 100, the left half red and the right half blue; lying on its side by its metadata.
fn lying(work: &Work) {
    work.ffmpeg("-f lavfi -i color=red:s=200x100,drawbox=100:0:100:100:blue:fill -frames:v 1 -pix_fmt yuvj444p -q:v 2 flat.jpg");
    let flat = work.read("flat.jpg");
    work.write("lying.jpg", [&flat[..2], &exif(), &flat[2..]].concat());
}

#[test]
fn a_photograph_stands_upright_and_tells_nothing_of_its_place() {
    let work = Work::new();
    lying(&work);
    let made = work.pictures("lying.jpg", &large_and_small()).unwrap();
    assert_eq!((made.width, made.height), (100, 200));
    assert_eq!(sizes(&made), [("large.jpg", 100, 200), ("small.jpg", 100, 200)]);
    // Turned a quarter to the right, the left half is on top.
    assert!(is_red(colour(&work, "large.jpg", 0.5, 0.1)) && is_blue(colour(&work, "large.jpg", 0.5, 0.9)));
    assert!(position(&work.read("lying.jpg"), b"HOME-ADDRESS").is_some());
    for file in ["large.jpg", "small.jpg"] {
        let bytes = work.read(file);
        for word in [b"HOME-ADDRESS".as_slice(), b"Exif", b"\xff\xe1", b"Lavc"] {
            assert_eq!(position(&bytes, word), None, "{file}");
        }
    }
    assert_eq!(made.blurhash.len(), 28);
}

#[test]
fn pictures_are_made_smaller_and_never_larger() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=1700x850 -frames:v 1 -q:v 3 source.jpg");
    let made = work.pictures("source.jpg", &large_and_small()).unwrap();
    assert_eq!(sizes(&made), [("large.jpg", 1600, 800), ("small.jpg", 400, 200)]);
    assert_eq!(work.ffprobe("-show_entries stream=width,height small.jpg"), ["400,200"]);
}

#[test]
fn an_avatar_is_the_square_in_the_middle() {
    let work = Work::new();
    work.ffmpeg(
        "-f lavfi -i color=white:s=900x300,drawbox=0:0:300:300:red:fill,drawbox=600:0:300:300:blue:fill -frames:v 1 source.png",
    );
    let made =
        work.pictures("source.png", &[variant("large", 512, true), variant("small", 128, true)]).unwrap();
    assert_eq!(sizes(&made), [("large.jpg", 300, 300), ("small.jpg", 128, 128)]);
    assert_eq!((made.width, made.height), (900, 300));
    for x in [0.03, 0.97] {
        let colour = colour(&work, "small.jpg", x, 0.5);
        assert!(colour.iter().all(|part| *part > 200), "{colour:?}");
    }
}

#[test]
fn transparency_is_kept_where_there_is_some() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i color=red@0.5:s=500x300,format=rgba -frames:v 1 glass.png");
    let made = work.pictures("glass.png", &large_and_small()).unwrap();
    assert_eq!(sizes(&made), [("large.png", 500, 300), ("small.png", 400, 240)]);
    let pixel = image::open(work.path("small.png")).unwrap().to_rgba8().get_pixel(200, 120).0;
    assert!(pixel[0] > 240 && (120..136).contains(&pixel[3]), "{pixel:?}");
    work.ffmpeg("-f lavfi -i color=red:s=50x30,format=rgba -frames:v 1 -pix_fmt rgba wall.png");
    assert_eq!(sizes(&work.pictures("wall.png", &large_and_small()).unwrap())[0].0, "large.jpg");
}

#[test]
fn of_what_moves_the_first_frame_is_taken() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i color=red:s=64x64:r=5:d=1 -f lavfi -i color=blue:s=64x64:r=5:d=1 -filter_complex concat moving.gif");
    let made = work.pictures("moving.gif", &large_and_small()).unwrap();
    assert!(is_red(colour(&work, &made.variants[0].file, 0.5, 0.5)));
    work.ffmpeg("-i moving.gif -c:v libwebp_anim moving.webp");
    let made = work.pictures("moving.webp", &large_and_small()).unwrap();
    assert!(is_red(colour(&work, &made.variants[0].file, 0.5, 0.5)));
}

fn heif_enc(work: &Work, words: &str) {
    let output = run("heif-enc", work.folder.path(), words);
    assert!(output.status.success(), "heif-enc {words}: {}", text(&output.stderr));
}

#[test]
fn heic_and_avif_are_read() {
    let work = Work::new();
    lying(&work);
    work.ffmpeg("-f lavfi -i color=red:s=600x400,drawbox=300:0:300:400:blue:fill -frames:v 1 source.png");
    work.ffmpeg("-f lavfi -i color=red@0.5:s=64x64,format=rgba -frames:v 1 glass.png");
    heif_enc(&work, "source.png -o source.heic");
    heif_enc(&work, "-A source.png -o source.avif");
    heif_enc(&work, "glass.png -o glass.heic");
    for file in ["source.heic", "source.avif"] {
        let made = work.pictures(file, &large_and_small()).unwrap();
        assert_eq!((made.width, made.height), (600, 400), "{file}");
        assert_eq!(sizes(&made), [("large.jpg", 600, 400), ("small.jpg", 400, 267)], "{file}");
        assert!(
            is_red(colour(&work, "small.jpg", 0.1, 0.5)) && is_blue(colour(&work, "small.jpg", 0.9, 0.5))
        );
        std::fs::remove_file(work.path("converted.jpg")).unwrap();
    }
    assert_eq!(sizes(&work.pictures("glass.heic", &large_and_small()).unwrap())[0].0, "large.png");
}

#[test]
fn a_heic_that_is_turned_is_turned_once() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i color=red:s=256x128,drawbox=128:0:128:128:blue:fill -frames:v 1 source.png");
    heif_enc(&work, "source.png -o flat.heic");
    // A property that turns a quarter to the left, added to the one image.
    let turned = with_rotation(&work.read("flat.heic"));
    work.write("turned.heic", turned);
    let made = work.pictures("turned.heic", &large_and_small()).unwrap();
    assert_eq!((made.width, made.height), (128, 256));
    assert!(is_blue(colour(&work, "large.jpg", 0.5, 0.1)) && is_red(colour(&work, "large.jpg", 0.5, 0.9)));
}

/// Writes an `irot` box into the properties and names it in the associations of the only image.
fn with_rotation(heic: &[u8]) -> Vec<u8> {
    let grow = |bytes: &mut Vec<u8>, name: &[u8], by: u32| {
        let at = position(bytes, name).unwrap() - 4;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) + by;
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    };
    let mut bytes = heic.to_vec();
    let ipma = position(&bytes, b"ipma").unwrap();
    let count = bytes[ipma + 14];
    // Flags and count of entries, then the id, the count of properties, and one byte for each.
    bytes[ipma + 14] = count + 1;
    let properties = {
        let (ipco, end) = (position(&bytes, b"ipco").unwrap() + 4, ipma - 4);
        let (mut at, mut count) = (ipco, 0);
        while at < end {
            at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            count += 1;
        }
        count
    };
    bytes.insert(ipma + 15 + usize::from(count), 0x80 | (properties + 1));
    grow(&mut bytes, b"ipma", 1);
    bytes.splice(ipma - 4..ipma - 4, *b"\0\0\0\x09irot\x01");
    grow(&mut bytes, b"ipco", 9);
    grow(&mut bytes, b"iprp", 10);
    grow(&mut bytes, b"meta", 10);
    // The data moved ten bytes further.
    let data = position(&bytes, b"mdat").unwrap() + 4;
    let old = u32::try_from(data - 10).unwrap().to_be_bytes();
    let iloc = position(&bytes, b"iloc").unwrap();
    let at = iloc + position(&bytes[iloc..], &old).unwrap();
    bytes[at..at + 4].copy_from_slice(&u32::try_from(data).unwrap().to_be_bytes());
    bytes
}

#[test]
fn without_its_program_a_heic_is_unsupported() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64 -frames:v 1 source.png");
    heif_enc(&work, "source.png -o source.heic");
    let without = transcoder::tools::Tools { heif_convert: "no-such-program".into(), ..tools() };
    let failure = work.pictures_with(&without, "source.heic", &large_and_small()).unwrap_err();
    assert_eq!(failure.code.as_str(), "unsupported");
    assert!(failure.detail.contains("HEIC"), "{failure:?}");
}

#[test]
fn a_bomb_of_pixels_is_refused_before_it_is_decoded() {
    let work = Work::new();
    let mut header = b"IHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0".to_vec();
    let check = crc(&header).to_be_bytes();
    header.splice(0..0, [0, 0, 0, 13]);
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &header, &check, b"\0\0\0\x01IDAT\0\0\0\0\0"].concat();
    work.write("bomb.png", png);
    assert_eq!(code(&work, "bomb.png"), "too_many_pixels");
    work.write("bomb.gif", b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;");
    assert_eq!(code(&work, "bomb.gif"), "too_many_pixels");
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64 -frames:v 1 source.png");
    heif_enc(&work, "source.png -o source.heic");
    let mut heic = work.read("source.heic");
    let at = position(&heic, b"ispe").unwrap() + 8;
    heic[at..at + 8].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    work.write("bomb.heic", heic);
    assert_eq!(code(&work, "bomb.heic"), "too_many_pixels");
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn what_is_no_picture_or_only_half_of_one_is_told_apart() {
    let work = Work::new();
    work.write("page.png", "<html><img src=x onerror=alert(1)></html>");
    assert_eq!(code(&work, "page.png"), "not_an_image");
    work.write("rubbish.png", b"\x89PNG\r\n\x1a\nrubbish that goes on and on");
    assert_eq!(code(&work, "rubbish.png"), "not_an_image");
    work.ffmpeg("-f lavfi -i testsrc2=s=640x480 -frames:v 1 source.png -frames:v 1 -q:v 3 source.jpg -frames:v 1 source.webp");
    for file in ["source.jpg", "source.png", "source.webp"] {
        let whole = work.read(file);
        let cut = format!("cut-{file}");
        work.write(&cut, &whole[..whole.len() / 2]);
        let code = code(&work, &cut);
        assert!(code == "truncated" || (code == "not_an_image" && file.ends_with("webp")), "{file}: {code}");
    }
    work.ffmpeg("-f lavfi -i testsrc2=s=64x64:d=1 clip.mp4");
    assert_eq!(code(&work, "clip.mp4"), "not_an_image");
}
