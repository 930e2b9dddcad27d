//! The catalogue of badges: `badges.json`, and who has earned which.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A badge of the catalogue.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Badge {
    /// Its id, for good.
    #[schema(examples("first_post"))]
    pub id: String,
    /// What it is called.
    #[schema(examples("First words"))]
    pub name: String,
    /// What it is given for, in words.
    pub description: String,
    /// What is counted for it.
    pub counts: Counted,
    /// From how many of these it is given.
    #[schema(minimum = 1)]
    pub from: i64,
}

impl Badge {
    /// Whether its owner is told of it. Of a first step not: they have just taken it, and whoever joins does so several times
    /// on the first day.
    pub fn is_news(&self) -> bool {
        self.from > 1
    }
}

/// What is counted for a badge. All but days count as points do: not by oneself, and only so many a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Counted {
    /// Posts published.
    Posts,
    /// Scoops published.
    Scoops,
    /// Comments on posts of others.
    Comments,
    /// Comments of others on one's posts.
    CommentsReceived,
    /// Reactions of others to one's posts.
    ReactionsReceived,
    /// People who follow.
    Followers,
    /// Days in a row on which one did something.
    StreakDays,
}

impl Counted {
    /// The kind of the table `kinds` that counts for it; `None` for days.
    pub fn kind(self) -> Option<&'static str> {
        Some(match self {
            Self::Posts => "post",
            Self::Scoops => "scoop",
            Self::Comments => "comment",
            Self::CommentsReceived => "commented",
            Self::ReactionsReceived => "reacted",
            Self::Followers => "followed",
            Self::StreakDays => return None,
        })
    }
}

/// All badges there are, in the order they are shown; a test reads it, so that it is never empty.
pub static CATALOGUE: LazyLock<Vec<Badge>> =
    LazyLock::new(|| serde_json::from_str(include_str!("badges.json")).unwrap_or_default());

/// The badge called `id`.
pub fn find_badge(id: &str) -> Option<&'static Badge> {
    CATALOGUE.iter().find(|badge| badge.id == id)
}

/// The badges that `count` earns: it says how many there are of what is counted.
pub fn earned(count: impl Fn(Counted) -> i64) -> impl Iterator<Item = &'static Badge> {
    CATALOGUE.iter().filter(move |badge| count(badge.counts) >= badge.from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_readable_and_every_badge_is_one_of_its_own() {
        let all: Vec<Badge> = serde_json::from_str(include_str!("badges.json")).unwrap();
        assert!(!all.is_empty());
        for (at, badge) in all.iter().enumerate() {
            let is_word = badge.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(is_word && !badge.id.is_empty(), "{badge:?}");
            assert!(
                !badge.name.is_empty() && badge.description.ends_with('.') && badge.from > 0,
                "{badge:?}"
            );
            let same = |other: &Badge| {
                other.id == badge.id
                    || other.name == badge.name
                    || (other.counts == badge.counts && other.from == badge.from)
            };
            assert_eq!(all.iter().position(same), Some(at), "{badge:?}");
        }
        assert_eq!(CATALOGUE.len(), all.len());
    }

    #[test]
    fn a_badge_is_earned_from_its_number_on() {
        let with = |posts: i64| {
            let count = move |what| if what == Counted::Posts { posts } else { 0 };
            earned(count).map(|badge| badge.id.as_str()).collect::<Vec<_>>()
        };
        assert!(with(0).is_empty());
        assert_eq!(with(1), ["first_post"]);
        assert_eq!(with(9), ["first_post"]);
        assert_eq!(with(10), ["first_post", "posts_10"]);
        assert_eq!(with(5_000), ["first_post", "posts_10", "posts_100"]);
    }
}
