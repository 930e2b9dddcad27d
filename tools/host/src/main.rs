//! The program: reads the command line, runs the host, turns an error into one line and exit code 1.

use host::options::{Options, USAGE};
use std::io::Write as _;
use std::process::ExitCode;

/// SQLite asks for memory many times a statement, and for large pieces when it builds the JSON of a page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// At least this many threads, so that a slow statement on a small machine leaves others to answer.
const LEAST_THREADS: usize = 3;

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever a parser below wrote.
            let said = format!("{error:#}");
            eprintln!("error: {}", said.split_whitespace().collect::<Vec<_>>().join(" "));
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let threads = std::thread::available_parallelism().map_or(LEAST_THREADS, usize::from).max(LEAST_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let result = runtime.block_on(host::run(&options, announce, stop_signal()));
    // What is still running after the time it was given is cut off.
    runtime.shutdown_background();
    result
}

/// The one line on standard output, read by whoever started the host.
fn announce(address: std::net::SocketAddr) {
    println!("Serving http://{address}");
    let _ = std::io::stdout().flush();
}

/// Done at the first SIGTERM or SIGINT; the second ends the process at once.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        eprintln!("[host] signals cannot be received: stop the host with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
}
