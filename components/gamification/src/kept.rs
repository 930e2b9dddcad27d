//! Pages of leaderboards, kept in the instance: one is the same for everybody whom no block sets apart, and most ask for the first few. The
//! database is asked each time whether a page is still what it was, by the statement that reads it where it is not.

use std::sync::{Mutex, PoisonError};

use shared::db::PageOut;

use crate::model::Place;

/// How many are kept, of some kilobytes each.
const PAGES: usize = 24;

/// The one that was asked for last stands last.
static PAGES_KEPT: Mutex<Vec<(Wanted, Kept)>> = Mutex::new(Vec::new());

/// What is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of which board.
    pub board: String,
    /// Where it goes on; none at the first.
    pub after: Option<Place>,
    /// How many at the most.
    pub limit: u32,
}

/// A page as it was at some version of the database.
#[derive(Clone)]
pub struct Kept {
    /// The last of `moves`.
    pub now: i64,
    /// The number of `card_changes`.
    pub cards: i64,
    items: String,
    next: Option<String>,
}

impl Kept {
    /// `page`, as it is at that version.
    pub fn new(now: i64, cards: i64, page: &PageOut) -> Self {
        Self { now, cards, items: page.items.clone(), next: page.next.clone() }
    }

    /// The page.
    pub fn page(self) -> PageOut {
        PageOut { items: self.items, next: self.next }
    }
}

impl Wanted {
    /// What is kept of it.
    pub fn find(&self) -> Option<Kept> {
        let mut pages = PAGES_KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.iter().rposition(|(wanted, _)| wanted == self)?;
        pages.get_mut(at..)?.rotate_left(1);
        pages.last().map(|(_, kept)| kept.clone())
    }

    /// Keeps it in place of an older one, or of the one that nobody asked for for the longest time.
    pub fn keep(self, page: Kept) {
        let mut pages = PAGES_KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(wanted, _)| *wanted != self);
        if pages.len() >= PAGES {
            pages.remove(0);
        }
        pages.push((self, page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_is_kept_in_its_newest_version() {
        let page = |text: &str| PageOut { items: text.to_owned(), next: None };
        let wanted = |limit: u32| Wanted { board: "board".to_owned(), after: None, limit };
        let kept = |limit: u32| wanted(limit).find().map(Kept::page);
        for limit in 0..100 {
            wanted(limit).keep(Kept::new(1, 2, &page("old")));
            // Asked for all the time.
            assert_eq!(kept(0), Some(page("old")), "{limit}");
        }
        wanted(99).keep(Kept::new(1, 2, &page("new")));
        assert_eq!(kept(99), Some(page("new")));
        assert_eq!([kept(98), kept(1), kept(100)], [Some(page("old")), None, None]);
        assert!(Wanted { board: "other".to_owned(), ..wanted(99) }.find().is_none());
        assert_eq!(PAGES_KEPT.lock().unwrap().len(), PAGES);
    }
}
