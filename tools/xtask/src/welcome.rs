//! What `up` says when everything runs.

use crate::options::Runtime;
use crate::project::Manifest;
use crate::state::State;
use crate::transcoder::{Kinds, jobs};

/// What is told.
pub struct Told<'a> {
    /// What runs the components.
    pub runtime: Runtime,
    /// What is run.
    pub manifest: &'a Manifest,
    /// On which state.
    pub state: &'a State,
    /// Where the application answers.
    pub url: &'a str,
    /// `public_url`.
    pub public_url: &'a str,
    /// `mail_url`.
    pub mail_url: &'a str,
    /// `s3_endpoint`.
    pub s3_endpoint: &'a str,
    /// Whether it is none of ours.
    pub store_is_elsewhere: bool,
    /// What the transcoder processes.
    pub kinds: Kinds,
}

impl Told<'_> {
    /// What runs where, and a first request to try.
    pub fn welcome(&self) -> String {
        let runtime = match self.runtime {
            Runtime::Embedded => "tools/host",
            Runtime::Spin => "spin up",
        };
        let (url, folder) = (self.url, self.state.folder().display());
        let mut lines = vec![
            format!("ScooterBooter answers at {url}"),
            String::new(),
            format!("  services   {}, run by {runtime}", self.manifest.components.join(", ")),
            format!("  databases  {folder}/<service>.db, key-value in key_value.db"),
            if self.store_is_elsewhere {
                format!("  objects    S3 at {}", self.s3_endpoint)
            } else {
                format!(
                    "  objects    S3 at {}, files in {}",
                    self.s3_endpoint,
                    self.state.objects().display()
                )
            },
            match self.kinds {
                Kinds::All => format!("  transcoder {} jobs at once", jobs()),
                // Told once; nothing else is worse for it.
                Kinds::Images => {
                    "  transcoder images only, ffmpeg is missing: videos wait until it is installed \
                                  and `up` started again"
                        .to_owned()
                }
            },
            format!("  secrets    {folder}/secrets.toml"),
            "  clock      POST /worker/tick every second".to_owned(),
            match self.mail_url {
                "" => "  mail       in this log, from auth".to_owned(),
                hook => format!("  mail       by POST to {hook}"),
            },
        ];
        if self.public_url != url {
            lines.push(format!("  public at  {}", self.public_url));
        }
        lines.extend([
            String::new(),
            "Try it:".to_owned(),
            String::new(),
            format!("  curl -s {url}/auth/register -H 'content-type: application/json' \\"),
            "    -d '{\"email\": \"alice@example.com\", \"password\": \"correct horse battery\", \"handle\": \"alice\"}'"
                .to_owned(),
            String::new(),
            "Ctrl-C stops everything.".to_owned(),
        ]);
        lines.join("\n")
    }
}
