//! Makes the stream of one local file, without an application: to look at what comes out, and to measure.
//!
//! `cargo run --profile tools -p transcoder --example transcode -- VIDEO FOLDER`

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use transcoder::control::Control;
use transcoder::log::Log;
use transcoder::tools::Tools;
use transcoder::video::{Room, transcode};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, folder] = arguments.as_slice() else { bail!("usage: transcode VIDEO FOLDER") };
    let dir = Path::new(folder).canonicalize().with_context(|| format!("{folder}: make the folder first"))?;
    std::fs::copy(file, dir.join("source")).with_context(|| format!("{file} cannot be copied"))?;
    // No picture is decoded here, so no program for that is needed.
    let (tools, control, log) = (Tools::new("".into()), Control::default(), Log::default());
    let room = Room { tools: &tools, dir: &dir, file: "source", control: &control, log: &log };
    let start = Instant::now();
    let made = transcode(&room, &|_| ()).map_err(|failure| anyhow!("{failure:?}"))?;
    println!("{}", serde_json::to_string(&made)?);
    eprintln!("{:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}
