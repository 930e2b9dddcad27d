//! First pages, kept in the instance: it is the same for everybody whom no block sets apart, and most ask for that one. The database is
//! asked each time whether the page is still what it was, by the statement that reads it where it is not.

use std::sync::{Mutex, PoisonError};

use shared::db::PageOut;

/// How many are kept: three boards, in the sizes that clients ask for.
const PAGES: usize = 12;

static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// A page as it was at some version of the database.
#[derive(Clone)]
pub struct Kept {
    board: String,
    limit: u32,
    /// The last of `moves`.
    pub top: i64,
    /// The number of `card_changes`.
    pub cards: i64,
    items: String,
    next: Option<String>,
}

impl Kept {
    /// A page of `board`, of at most `limit`.
    pub fn new(board: &str, limit: u32, top: i64, cards: i64, page: &PageOut) -> Self {
        Self {
            board: board.to_owned(),
            limit,
            top,
            cards,
            items: page.items.clone(),
            next: page.next.clone(),
        }
    }

    /// What is kept of that board in that size.
    pub fn find(board: &str, limit: u32) -> Option<Self> {
        let pages = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        pages.iter().find(|kept| kept.board == board && kept.limit == limit).cloned()
    }

    /// Keeps it in place of an older one, or of the one that was kept first.
    pub fn keep(self) {
        let mut pages = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|kept| kept.board != self.board || kept.limit != self.limit);
        if pages.len() >= PAGES {
            pages.remove(0);
        }
        pages.push(self);
    }

    /// The page.
    pub fn page(self) -> PageOut {
        PageOut { items: self.items, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_pages_are_kept_one_of_each_board_and_size() {
        let page = |text: &str| PageOut { items: text.to_owned(), next: None };
        let keep = |limit: u32, text: &str| Kept::new("board", limit, 1, 2, &page(text)).keep();
        for limit in 0..20 {
            keep(limit, "old");
        }
        keep(19, "new");
        assert_eq!(Kept::find("board", 19).unwrap().page(), page("new"));
        assert_eq!(Kept::find("board", 18).unwrap().page(), page("old"));
        assert!(Kept::find("board", 1).is_none() && Kept::find("other", 19).is_none());
        assert_eq!(KEPT.lock().unwrap().len(), PAGES);
    }
}
