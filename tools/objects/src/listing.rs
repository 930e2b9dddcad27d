//! Which objects there are: sorted by key, a page at a time, grouped at a delimiter.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, CommonPrefixList, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object,
};

use crate::folder::{Folder, refused};
use crate::s3::signed;

/// Keys of a page, at the most, as in S3.
const MOST_KEYS: i32 = 1000;

/// Answers ListObjectsV2.
pub fn list_objects(folder: &Folder, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let limit = input.max_keys.unwrap_or(MOST_KEYS).clamp(0, MOST_KEYS);
    let after = input.continuation_token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
    let limit_of_page = usize::try_from(limit).unwrap_or_default();
    let query = Query { prefix, delimiter: input.delimiter.as_deref(), after, limit: limit_of_page };
    let page = page(keys(folder.objects(), prefix).map_err(refused)?, &query);
    let encoded = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == EncodingType::URL);
    let told = |key: &str| if encoded { encode(key) } else { key.to_owned() };
    let mut contents = Vec::new();
    for key in &page.keys {
        // Removed meanwhile, or a file of somebody else.
        let Some(stored) = folder.find(&folder.path_of(key)?).map_err(refused)? else { continue };
        contents.push(Object {
            key: Some(told(key)),
            size: Some(signed(stored.size)?),
            e_tag: Some(ETag::Strong(stored.note.etag)),
            last_modified: Some(stored.modified.into()),
            ..Object::default()
        });
    }
    let groups: CommonPrefixList =
        page.groups.iter().map(|group| CommonPrefix { prefix: Some(told(group)) }).collect();
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix.as_deref().map(told),
        delimiter: input.delimiter.as_deref().map(told),
        start_after: input.start_after.as_deref().map(told),
        max_keys: Some(limit),
        key_count: i32::try_from(contents.len() + groups.len()).ok(),
        contents: Some(contents),
        common_prefixes: Some(groups),
        continuation_token: input.continuation_token.clone(),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next,
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    })
}

/// What of the keys is asked for.
#[derive(Default)]
pub struct Query<'a> {
    /// How the keys begin.
    pub prefix: &'a str,
    /// Keys that have this after the prefix are told as one.
    pub delimiter: Option<&'a str>,
    /// After this key or group.
    pub after: &'a str,
    /// How many keys and groups at the most.
    pub limit: usize,
}

/// A part of what was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys of objects.
    pub keys: Vec<String>,
    /// What keys that are told as one begin with, the delimiter included.
    pub groups: Vec<String>,
    /// The last key or group, where more follow.
    pub next: Option<String>,
}

/// The keys under `root`, sorted.
pub fn keys(root: &Path, prefix: &str) -> io::Result<Vec<String>> {
    // Nothing outside the last folder of the prefix can begin with it.
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder.split('/').any(|part| matches!(part, "." | "..")) || folder.starts_with('/') {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut folders = VecDeque::from([root.join(folder)]);
    while let Some(folder) = folders.pop_front() {
        let entries = match fs::read_dir(&folder) {
            // The last object in it was removed meanwhile.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push_back(entry.path());
            } else if kind.is_file()
                && let Some(key) = entry.path().strip_prefix(root).ok().and_then(Path::to_str)
                && key.starts_with(prefix)
            {
                found.push(key.to_owned());
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The page of `keys` that `query` asks for.
pub fn page(keys: Vec<String>, query: &Query<'_>) -> Page {
    let mut page = Page::default();
    let mut last: Option<String> = None;
    for key in keys {
        let rest = key.strip_prefix(query.prefix).unwrap_or(&key);
        let group = query.delimiter.filter(|delimiter| !delimiter.is_empty()).and_then(|delimiter| {
            let end = rest.find(delimiter)? + delimiter.len();
            Some(format!("{}{}", query.prefix, rest.get(..end)?))
        });
        let (name, is_group) = group.map_or((key, false), |group| (group, true));
        if name.as_str() <= query.after || last.as_ref() == Some(&name) {
            continue;
        }
        if page.keys.len() + page.groups.len() == query.limit {
            page.next = last;
            return page;
        }
        last = Some(name.clone());
        if is_group { page.groups.push(name) } else { page.keys.push(name) }
    }
    page
}

/// Percent-encoding as `encoding-type=url` asks for it: XML cannot say every character a key may have.
pub fn encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &Query<'_>) -> (Vec<String>, Vec<String>) {
        let keys = ["a", "b/1", "b/2", "b/c/3", "d/4", "e"].map(ToOwned::to_owned).to_vec();
        let (mut objects, mut groups) = (Vec::new(), Vec::new());
        let mut after = query.after.to_owned();
        loop {
            let some = keys.iter().filter(|key| key.starts_with(query.prefix)).cloned().collect();
            let found = page(some, &Query { after: &after, ..*query });
            assert!(found.keys.len() + found.groups.len() <= query.limit);
            objects.extend(found.keys);
            groups.extend(found.groups);
            match found.next {
                Some(next) => after = next,
                None => return (objects, groups),
            }
        }
    }

    #[test]
    fn pages_of_any_size_tell_every_key_once() {
        for limit in 1..8 {
            let (keys, groups) = all(&Query { limit, ..Query::default() });
            assert_eq!((keys.len(), groups.len()), (6, 0), "{limit}");
            let (keys, groups) = all(&Query { delimiter: Some("/"), limit, ..Query::default() });
            assert_eq!((keys, groups), (strings(&["a", "e"]), strings(&["b/", "d/"])), "{limit}");
            let (keys, groups) =
                all(&Query { prefix: "b/", delimiter: Some("/"), limit, ..Query::default() });
            assert_eq!((keys, groups), (strings(&["b/1", "b/2"]), strings(&["b/c/"])), "{limit}");
            let (keys, _) = all(&Query { after: "b/2", limit, ..Query::default() });
            assert_eq!(keys, strings(&["b/c/3", "d/4", "e"]), "{limit}");
        }
    }

    #[test]
    fn a_listing_does_not_leave_the_folder() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("outside"), "").unwrap();
        fs::create_dir_all(root.path().join("bucket/a")).unwrap();
        fs::write(root.path().join("bucket/a/b"), "").unwrap();
        let listed = |prefix: &str| keys(&root.path().join("bucket"), prefix).unwrap();
        assert_eq!(listed("a/"), ["a/b"]);
        assert_eq!(listed(""), ["a/b"]);
        for prefix in ["../", "a/../../", "/", "nothing/", "a/b/"] {
            assert!(listed(prefix).is_empty(), "{prefix}");
        }
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}
