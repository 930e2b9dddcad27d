//! Takes the files of the explorer out of the crate that vendors Swagger UI, adds ours, and leaves them in
//! `OUT_DIR` compressed, as they are served.

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// Of Swagger UI; all else in its archive is for other ways to use it.
const VENDORED: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];
/// Ours. The page is last, since it names the tags of the others.
const OURS: [&str; 3] = ["explorer.js", "explorer.css", "explorer.html"];

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let mut files = Vec::new();
    for name in VENDORED {
        files.push((name, vendored(&mut archive, name)?));
    }
    for name in OURS {
        files.push((name, std::fs::read(PathBuf::from("assets").join(name)).with_context(|| name)?));
    }
    let mut tags: Vec<(&str, String)> = Vec::new();
    let mut table = String::from("[\n");
    for (name, mut content) in files {
        if name.ends_with(".html") {
            let mut page = String::from_utf8(content)?;
            for (name, tag) in &tags {
                page = page.replace(&format!("/docs/{name}"), &format!("/docs/{name}?v={tag}"));
            }
            content = page.into_bytes();
        }
        let digest = hmac_sha256::Hash::hash(&content);
        let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = out.join(format!("{name}.gz"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        std::fs::write(&path, encoder.finish()?)?;
        writeln!(table, "File {{ name: {name:?}, tag: {tag:?}, gzip: include_bytes!({path:?}) }},")?;
        tags.push((name, tag));
    }
    table.push(']');
    Ok(std::fs::write(out.join("files.rs"), table)?)
}

fn vendored(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>> {
    let end = format!("/dist/{name}");
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        if file.name()?.ends_with(&end) {
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    bail!("there is no {name} in the archive of Swagger UI")
}
