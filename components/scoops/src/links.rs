//! Links to the media of scoops. Each ends with its scoop, so each is filled by the end of its own: the store marks where a
//! media stands in its JSON, and when its scoop ends.
//!
//! To sign the links of a page costs more than to read it, and for a quarter of an hour they come out the same. So the feed
//! leaves those it made beside their scoops, with what they were made for, and takes them from there.

use std::hash::{DefaultHasher, Hash, Hasher};

use shared::app::App;
use shared::clock::{Clock, Instant};
use shared::db::PageOut;
use shared::media;
use shared::objects::LINK_STEP;

/// Around the end of a scoop, in milliseconds, with its key, and the template of its media, as in
/// `"media":<end> <key><template>` with this before, between and after the two. No JSON has it: a control character in a
/// string is escaped.
const MARK: char = '\u{1e}';

/// What a link depends on besides its scoop. Not on secrets, of which nothing is to be kept anywhere: after a change of one,
/// links that were kept hold for a quarter of an hour no longer.
const SIGNED_BY: [&str; 8] = [
    "s3_endpoint",
    "s3_public_endpoint",
    "s3_region",
    "s3_bucket",
    "s3_access_key_id",
    "cdn_url",
    "public_url",
    "test_clock_offset_seconds",
];

/// What the links of now are made for: this quarter of an hour, this store.
pub fn links_for(app: &App) -> String {
    let mut signed_by = DefaultHasher::new();
    for name in SIGNED_BY {
        app.config.get(name).hash(&mut signed_by);
    }
    let step = Clock::default().now().seconds().div_euclid(LINK_STEP.as_secs().cast_signed());
    format!("{step} {:x}", signed_by.finish())
}

/// Puts links where the store marked media. Those of a scoop that has ended, which its owner alone sees, are as those of any
/// media of theirs.
pub fn fill(app: &App, text: &str) -> String {
    fill_noting(app, text, |_, _| ())
}

/// [`fill`] for a page.
pub fn fill_page(app: &App, page: PageOut) -> PageOut {
    PageOut { items: fill(app, &page.items), ..page }
}

/// [`fill`], which tells the keys of scoops and their media with links.
pub fn fill_noting(app: &App, text: &str, mut note: impl FnMut(i64, &str)) -> String {
    let now = app.now();
    let mut filled = String::with_capacity(text.len() + text.len() / 2);
    let mut pieces = text.split(MARK);
    filled.push_str(pieces.next().unwrap_or_default());
    while let (Some(scoop), Some(template), Some(rest)) = (pieces.next(), pieces.next(), pieces.next()) {
        let (end, key) = scoop.split_once(' ').unwrap_or_default();
        let end = Instant::from_millis(end.parse().unwrap_or(0));
        let template = template.to_owned();
        let media = match end > now {
            true => media::fill_until(app, template, end),
            false => media::fill(app, template),
        };
        note(key.parse().unwrap_or(0), &media);
        filled.extend([media.as_str(), rest]);
    }
    filled
}
