//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What `--help` prints.
pub const USAGE: &str = "\
scooterbooter-objects --folder DIR --bucket NAME [--listen 127.0.0.1:9000]

An S3 server on a folder, for laptops and tests. The folder and the bucket are made where they are missing. A port
of 0 takes a free one; once requests are answered one line says where: `Serving http://127.0.0.1:9000`.

The credentials are the variables SCOOTERBOOTER_S3_ACCESS_KEY_ID and SCOOTERBOOTER_S3_SECRET_ACCESS_KEY.";

/// The flags.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Where objects are kept.
    pub folder: PathBuf,
    /// The bucket.
    pub bucket: String,
    /// Where to listen.
    pub listen: SocketAddr,
}

impl Options {
    /// Reads the command line after the program's name.
    ///
    /// # Errors
    /// Where a flag is unknown, missing, or has a value it cannot have.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (mut folder, mut bucket, mut listen) = (None, None, "127.0.0.1:9000".to_owned());
        while let Some(argument) = arguments.next() {
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            if !matches!(flag.as_str(), "--folder" | "--bucket" | "--listen") {
                anyhow::bail!("unknown argument `{flag}`; --help tells the flags");
            }
            let value = inline.or_else(|| arguments.next()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| anyhow::anyhow!("{flag} needs a value"))?;
            match flag.as_str() {
                "--folder" => folder = Some(PathBuf::from(value)),
                "--bucket" => bucket = Some(value),
                _ => listen = value,
            }
        }
        Ok(Self {
            folder: folder.ok_or_else(|| anyhow::anyhow!("--folder is missing: where objects are kept"))?,
            bucket: bucket.ok_or_else(|| anyhow::anyhow!("--bucket is missing: the name of the bucket"))?,
            listen: listen.parse().map_err(|_| {
                anyhow::anyhow!("--listen {listen}: write an address and a port, such as 127.0.0.1:9000")
            })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Options> {
        Options::parse(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn a_folder_and_a_bucket_are_enough() {
        let options = read("--folder /tmp/x --bucket=pictures").unwrap();
        assert_eq!((options.folder, options.bucket), (PathBuf::from("/tmp/x"), "pictures".to_owned()));
        assert_eq!(options.listen.to_string(), "127.0.0.1:9000");
        assert_eq!(read("--folder a --bucket b --listen [::1]:0").unwrap().listen.to_string(), "[::1]:0");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (line, named) in [
            ("", "--folder"),
            ("--folder a", "--bucket"),
            ("--bucket", "--bucket"),
            ("--folder a --bucket b --port 1", "--port"),
            ("--folder a --bucket b --listen 9000", "--listen"),
            ("a", "`a`"),
        ] {
            let said = read(line).unwrap_err().to_string();
            assert!(said.contains(named), "{line}: {said}");
        }
    }
}
