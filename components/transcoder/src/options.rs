//! The command line and the environment.

use std::path::PathBuf;

use crate::wire::Kind;

/// Holds the worker's token; a command line can be read by everybody on the machine.
pub const TOKEN: &str = "SCOOTERBOOTER_WORKER_TOKEN";

/// What `--help` prints.
pub const USAGE: &str = "\
scooterbooter-transcoder [FLAGS]

Leases jobs from a ScooterBooter application, makes streams of videos and web-sized pictures of images, and
uploads them. The token of the application's variable `worker_token` is read from SCOOTERBOOTER_WORKER_TOKEN.

  --url URL             of the application [http://127.0.0.1:3000]
  --jobs N              how many at once [half of the cores, at least 1]
  --kinds video,image   what to do [both; images alone where ffmpeg or ffprobe is missing]
  --worker NAME         as it is known to the application [name of the machine, number of the process]
  --work-dir DIR        for files in work, twice the size of the largest upload for each job [temporary folder]
  --ffmpeg PATH         [ffmpeg]
  --ffprobe PATH        [ffprobe]
  --heif-convert PATH   for HEIC and AVIF [heif-convert]
  --help                prints this

SIGTERM or SIGINT stops: jobs in work are handed back. A second one ends at once.";

/// What the worker was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The application, without a slash at the end.
    pub url: String,
    /// The worker's token.
    pub token: String,
    /// How many jobs at once.
    pub jobs: usize,
    /// What to lease.
    pub kinds: Vec<Kind>,
    /// Whether the kinds were chosen on the command line.
    pub kinds_given: bool,
    /// The name the application knows this worker by.
    pub worker: String,
    /// Where files in work are kept.
    pub work_dir: PathBuf,
    /// `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// `ffprobe`.
    pub ffprobe: PathBuf,
    /// `heif-convert`.
    pub heif_convert: PathBuf,
}

impl Options {
    /// Reads the flags and the token.
    pub fn parse(arguments: &[String], token: Option<String>) -> Result<Self, String> {
        let mut options = Self::usual(token.unwrap_or_default());
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                let value = value.clone().or_else(|| words.next().cloned());
                value
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| format!("{flag} needs a value; --help tells which"))
            };
            match flag {
                "--url" => options.url = url(&value()?)?,
                "--jobs" => options.jobs = jobs(&value()?)?,
                "--kinds" => {
                    options.kinds = kinds(&value()?)?;
                    options.kinds_given = true;
                }
                "--worker" => options.worker = value()?,
                "--work-dir" => options.work_dir = value()?.into(),
                "--ffmpeg" => options.ffmpeg = value()?.into(),
                "--ffprobe" => options.ffprobe = value()?.into(),
                "--heif-convert" => options.heif_convert = value()?.into(),
                "--token" => {
                    return Err(format!("a command line can be read by everybody: set {TOKEN} instead"));
                }
                _ => return Err(format!("there is no flag `{flag}`; --help lists them")),
            }
        }
        if options.token.is_empty() {
            return Err(format!("{TOKEN} is not set: give it the application's variable `worker_token`"));
        }
        if !options.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{TOKEN} holds a space or a letter that no token has: set it again"));
        }
        Ok(options)
    }

    fn usual(token: String) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let machine = rustix::system::uname();
        Self {
            url: "http://127.0.0.1:3000".into(),
            token,
            jobs: (cores / 2).max(1),
            kinds: vec![Kind::Video, Kind::Image],
            kinds_given: false,
            worker: format!("{}-{}", machine.nodename().to_string_lossy(), std::process::id()),
            work_dir: std::env::temp_dir(),
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            heif_convert: "heif-convert".into(),
        }
    }
}

fn url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['@', '?', '#', ' ']) => Ok(text.to_owned()),
        _ => Err(format!("--url {text} is no address of an application: write it as http://127.0.0.1:3000")),
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err(format!("--jobs {text}: a number from 1 to 64 is needed")),
    }
}

fn kinds(text: &str) -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    for word in text.split(',') {
        let kind = match word.trim() {
            "video" => Kind::Video,
            "image" => Kind::Image,
            other => return Err(format!("--kinds {other}: it is `video`, `image` or `video,image`")),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words, Some("secret".into()))
    }

    #[test]
    fn flags_are_read_with_a_space_or_an_equals_sign() {
        let options =
            parse("--url https://example.org/ --jobs=3 --kinds image --worker w --ffmpeg /opt/ffmpeg")
                .unwrap();
        assert_eq!((options.url.as_str(), options.jobs), ("https://example.org", 3));
        assert_eq!((options.kinds, options.kinds_given), (vec![Kind::Image], true));
        assert_eq!((options.worker.as_str(), options.ffmpeg), ("w", "/opt/ffmpeg".into()));
    }

    #[test]
    fn without_flags_it_takes_half_of_the_cores_and_both_kinds() {
        let options = parse("").unwrap();
        assert!(options.jobs >= 1 && options.worker.ends_with(&std::process::id().to_string()));
        assert_eq!((options.kinds, options.kinds_given), (vec![Kind::Video, Kind::Image], false));
    }

    #[test]
    fn an_error_names_the_remedy() {
        for (line, remedy) in [
            ("--token abc", TOKEN),
            ("--jobs 0", "1 to 64"),
            ("--jobs", "needs a value"),
            ("--kinds audio", "`video,image`"),
            ("--url localhost:3000", "http://127.0.0.1:3000"),
            ("--fast", "--help"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(said.contains(remedy), "{said}");
        }
        assert!(Options::parse(&[], None).unwrap_err().contains("worker_token"));
    }
}
