//! The program: reads the command line, works until it is asked to stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use transcoder::log::Log;
use transcoder::options::{Options, TOKEN, USAGE};
use transcoder::tools::{Tools, starts};
use transcoder::wire::Kind;
use transcoder::work::Worker;
use transcoder::{image, image_worker};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let ended = match arguments.first() {
        Some(command) if command == image::COMMAND => image_worker::serve(),
        _ => start(&arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[String]) -> Result<()> {
    let mut options = Options::parse(arguments, std::env::var(TOKEN).ok()).map_err(anyhow::Error::msg)?;
    let log = Log::default();
    let tools = Tools {
        ffmpeg: options.ffmpeg.clone(),
        ffprobe: options.ffprobe.clone(),
        heif_convert: options.heif_convert.clone(),
        image_worker: std::env::current_exe().context("this program does not know where it is")?,
    };
    choose_kinds(&mut options, &tools, &log)?;
    if !options.work_dir.is_dir() {
        bail!("--work-dir {} is no folder: make it, or name another", options.work_dir.display());
    }
    // Programs run in the folder of their job; a path relative to ours would not lead there.
    options.work_dir = options.work_dir.canonicalize().context("--work-dir")?;
    let kinds =
        options.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect::<Vec<_>>().join(",");
    log.info(
        "working",
        &[("worker", &options.worker), ("url", &options.url), ("jobs", &options.jobs), ("kinds", &kinds)],
    );
    let worker = Arc::new(Worker::new(options, tools, log));
    let stopper = Arc::clone(&worker);
    ctrlc::set_handler(move || {
        if !stopper.stop() {
            stopper.kill();
            std::process::exit(1);
        }
    })
    .context("signals cannot be received")?;
    worker.run();
    // Slots that wait for an answer end with the process.
    std::process::exit(0);
}

/// Without ffmpeg, images alone are leased, in a sentence; asked for videos and nothing else, it cannot work.
fn choose_kinds(options: &mut Options, tools: &Tools, log: &Log) -> Result<()> {
    let missing = [(&tools.ffmpeg, "--ffmpeg"), (&tools.ffprobe, "--ffprobe")]
        .into_iter()
        .find(|(program, _)| !starts(program, "-version"));
    if let Some((program, flag)) = missing.filter(|_| options.kinds.contains(&Kind::Video)) {
        let remedy =
            format!("{} cannot be started: install ffmpeg, or name it with {flag}", program.display());
        if options.kinds_given {
            bail!("{remedy}, or leave `video` out of --kinds");
        }
        options.kinds.retain(|kind| *kind != Kind::Video);
        log.warn(&format!("images alone: {remedy}"), &[]);
    }
    if options.kinds.contains(&Kind::Image) && !starts(&tools.heif_convert, "--help") {
        log.warn("HEIC and AVIF cannot be read: install libheif-examples, or name heif-convert with --heif-convert", &[]);
    }
    Ok(())
}
