//! The program: reads the command line, serves, turns an error into one line and exit code 1.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use objects::Objects;
use objects::options::{Options, USAGE};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let objects = Objects::open(
        &options.folder,
        &options.bucket,
        &credential("SCOOTERBOOTER_S3_ACCESS_KEY_ID")?,
        &credential("SCOOTERBOOTER_S3_SECRET_ACCESS_KEY")?,
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(options.listen).await.with_context(|| {
            format!("cannot listen on {}: choose another address with --listen", options.listen)
        })?;
        let (terminated, interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // The one line on standard output, read by whoever started the server.
        println!("Serving http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        objects::serve(objects, listener, either(terminated, interrupted)).await;
        Ok(())
    });
    // What is still running after the time it was given is cut off.
    runtime.shutdown_background();
    served
}

/// Not on the command line, where everybody on the machine could read it.
fn credential(name: &str) -> Result<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).with_context(|| format!("{name} is not set"))
}

async fn either(mut terminated: Signal, mut interrupted: Signal) {
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
}
