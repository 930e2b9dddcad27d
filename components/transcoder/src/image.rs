//! A picture from the upload to the sizes of the web. Nothing is decoded in this process.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::control::Control;
use crate::failure::{Code, Failure, Outcome};
use crate::heif;
use crate::image_worker::{Answer, Request};
use crate::log::Log;
use crate::run::{Limits, Run, arguments};
use crate::sniff::{self, Picture};
use crate::tools::Tools;
use crate::wire::{ImageResult, Variant};

/// 64 megapixels with 16 bits a channel, and their copies.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), memory: 2 << 30, file: 256 << 20 };
/// An answer has some hundred bytes.
const MOST_OUTPUT: usize = 1 << 20;
/// Tells the worker what it is.
pub const COMMAND: &str = "image-worker";

/// Makes `variants` of `file` in `dir`, beside it.
pub fn make(
    tools: &Tools,
    dir: &Path,
    file: &str,
    variants: &[Variant],
    control: &Control,
    log: &Log,
) -> Outcome<ImageResult> {
    if let Some(odd) = variants.iter().find(|variant| !is_name(&variant.name)) {
        return Err(anyhow::anyhow!("a variant with the name {:?}", odd.name).into());
    }
    let mut start = Vec::new();
    fs::File::open(dir.join(file))?.take(64).read_to_end(&mut start)?;
    let Some(picture) = sniff::picture(&start) else { return Err(not_an_image()) };
    let is_upright = picture == Picture::Heif;
    let source = if is_upright { heif::convert(tools, dir, file, control)? } else { file.to_owned() };
    let request = Request { source, is_upright, variants: variants.to_vec() };
    fs::write(dir.join("request.json"), serde_json::to_vec(&request).context("a request")?)?;
    let run = Run {
        program: &tools.image_worker,
        arguments: arguments([COMMAND]),
        dir,
        input: Some("request.json"),
        limits: LIMITS,
    };
    let mut text = String::new();
    let ended = run.run(control, &mut |line| {
        text.push_str(line);
        if text.len() > MOST_OUTPUT { Err(not_an_image()) } else { Ok(()) }
    })?;
    if ended.status.code() == Some(127) || ended.status.code() == Some(126) {
        return Err(anyhow::anyhow!("the program that decodes pictures cannot be started").into());
    }
    if !ended.status.success() {
        // A decoder that fell over or wanted more memory than any picture needs will do so again.
        log.warn("the decoder of pictures ended", &[("status", &ended.status), ("words", &ended.words)]);
        return Err(not_an_image().after(&ended.words));
    }
    match serde_json::from_str(&text).context("an answer that cannot be read")? {
        Answer::Done(result) => Ok(result),
        Answer::Failed(code, detail, cause) => {
            let code = Code::parse(&code).unwrap_or(Code::ProcessingFailed);
            Err(Failure::new(code, detail).after(&cause))
        }
    }
}

fn not_an_image() -> Failure {
    Failure::new(Code::NotAnImage, "The file is not a picture that can be read.")
}

/// A name becomes a file.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_variant_cannot_leave_the_folder() {
        assert!(is_name("large") && is_name("w400"));
        for odd in ["", "../up", "a/b", "a.b", "Large"] {
            assert!(!is_name(odd), "{odd}");
        }
    }
}
