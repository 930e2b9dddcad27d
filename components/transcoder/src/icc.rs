//! Colours of a wide gamut, as phones take them, brought to sRGB: the profile goes with the rest of the metadata, and
//! without it the picture would look pale.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Changes `pixels` (RGB, or RGBA where `has_alpha`) from the colours of `profile` to sRGB. Leaves them as they are
/// where the profile cannot be read or is not one of RGB: most viewers would do the same.
pub fn to_srgb(pixels: &mut [u8], has_alpha: bool, profile: &[u8]) {
    if let Some(changed) = changed(pixels, has_alpha, profile) {
        pixels.copy_from_slice(&changed);
    }
}

fn changed(pixels: &[u8], has_alpha: bool, profile: &[u8]) -> Option<Vec<u8>> {
    let from = ColorProfile::new_from_slice(profile).ok()?;
    if from.color_space != DataColorSpace::Rgb {
        return None;
    }
    let layout = if has_alpha { Layout::Rgba } else { Layout::Rgb };
    let to = ColorProfile::new_srgb();
    let transform = from.create_transform_8bit(layout, &to, layout, TransformOptions::default()).ok()?;
    let mut changed = vec![0; pixels.len()];
    transform.transform(pixels, &mut changed).ok()?;
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_colours_become_stronger_in_srgb_and_grey_stays() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let mut pixels = [200, 60, 60, 128, 128, 128];
        to_srgb(&mut pixels, false, &profile);
        assert!(pixels[0] > 205 && pixels[1] < 55, "{pixels:?}");
        assert!(pixels[3..].iter().all(|grey| grey.abs_diff(128) <= 1), "{pixels:?}");
    }

    #[test]
    fn transparency_is_left_alone_and_so_is_what_cannot_be_read() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let mut pixels = [200, 60, 60, 77];
        to_srgb(&mut pixels, true, &profile);
        assert_eq!(pixels[3], 77);
        let mut pixels = [1, 2, 3];
        to_srgb(&mut pixels, false, b"no profile");
        assert_eq!(pixels, [1, 2, 3]);
    }
}
