//! The one privacy rule, as SQL that every store builds its reads from, so that it cannot be
//! forgotten or differ: public, followers only, blocked either way, suspended, deleted.
//!
//! The macros take names of SQL: `viewer` is an expression for the caller's `people.pk` (null for
//! nobody), `author` the alias of a joined `people` row. They read the tables of
//! `migrations/people.sql` and `migrations/ties.sql`.

/// Whether `viewer` may see what `author` published: `may_see!("?1", "a")`. A third argument stands for
/// [`unblocked!`] where a statement knows a cheaper way to it.
#[macro_export]
macro_rules! may_see {
    ($viewer:expr, $author:expr) => {
        $crate::may_see!($viewer, $author, $crate::unblocked!($viewer, $author))
    };
    ($viewer:expr, $author:expr, $unblocked:expr) => {
        concat!(
            "(",
            $author,
            ".status = 'active' and (",
            $author,
            ".pk = ",
            $viewer,
            " or (",
            $unblocked,
            " and (",
            $author,
            ".private = 0 or ",
            $crate::follows!($viewer, $author),
            "))))"
        )
    };
}

/// Whether a block or a mute stands between `viewer` and anybody at all. Asked once a page, it spares most
/// readers the look for one at every author of it.
#[macro_export]
macro_rules! is_apart {
    ($viewer:expr) => {
        concat!(
            "(exists (select 1 from blocks where blocker = ",
            $viewer,
            ") or exists (select 1 from blocks where blocked = ",
            $viewer,
            ") or exists (select 1 from mutes where muter = ",
            $viewer,
            "))"
        )
    };
}

/// Whether neither of the two blocks the other.
#[macro_export]
macro_rules! unblocked {
    ($viewer:expr, $author:expr) => {
        concat!(
            "(not exists (select 1 from blocks where blocker = ",
            $author,
            ".pk and blocked = ",
            $viewer,
            ")",
            " and not exists (select 1 from blocks where blocker = ",
            $viewer,
            " and blocked = ",
            $author,
            ".pk))"
        )
    };
}

/// Whether `viewer` follows `author`.
#[macro_export]
macro_rules! follows {
    ($viewer:expr, $author:expr) => {
        concat!(
            "exists (select 1 from follows where follower = ",
            $viewer,
            " and followee = ",
            $author,
            ".pk)"
        )
    };
}

/// Whether `viewer` may find the profile of `author`, be it private: everybody but whom `author`
/// blocks. Who blocked still finds it, to unblock.
#[macro_export]
macro_rules! may_find {
    ($viewer:expr, $author:expr) => {
        concat!(
            "(",
            $author,
            ".status = 'active' and not exists (select 1 from blocks where blocker = ",
            $author,
            ".pk and blocked = ",
            $viewer,
            "))"
        )
    };
}

/// [`may_see!`] of an author whom `viewer` does not mute; `apart` is what [`is_apart!`] said of the viewer.
#[macro_export]
macro_rules! shows_in_feed {
    ($viewer:expr, $author:expr, $apart:expr) => {
        $crate::may_see!(
            $viewer,
            $author,
            concat!(
                "(not ",
                $apart,
                " or (",
                $crate::unblocked!($viewer, $author),
                " and not ",
                $crate::mutes!($viewer, $author),
                "))"
            )
        )
    };
}

/// Whether `viewer` mutes `author`: leaves them out of feeds, threads and tags.
#[macro_export]
macro_rules! mutes {
    ($viewer:expr, $author:expr) => {
        concat!("exists (select 1 from mutes where muter = ", $viewer, " and muted = ", $author, ".pk)")
    };
}

/// `User` of the contract as JSON, from the `people` row `person`.
#[macro_export]
macro_rules! user_json {
    ($person:expr) => {
        concat!("json_object(", $crate::user_fields!($person), ")")
    };
}

/// The members of `User`, to build a larger object from.
#[macro_export]
macro_rules! user_fields {
    ($person:expr) => {
        concat!(
            "'id', ",
            $person,
            ".id, 'handle', ",
            $person,
            ".handle, 'displayName', ",
            $person,
            ".display_name, 'bio', ",
            $person,
            ".bio, 'avatarUrl', ",
            $person,
            ".avatar_url, 'private', json(iif(",
            $person,
            ".private, 'true', 'false')), 'createdAt', ",
            $person,
            ".created_at"
        )
    };
}

/// The counts of a `people` row as JSON.
#[macro_export]
macro_rules! counts_json {
    ($person:expr) => {
        concat!(
            "json_object('posts', ",
            $person,
            ".posts, 'followers', ",
            $person,
            ".followers, 'following', ",
            $person,
            ".following)"
        )
    };
}

/// `Relationship` of the contract: how the person `viewer` (a pk, not null) stands to `person`.
#[macro_export]
macro_rules! relationship_json {
    ($viewer:expr, $person:expr) => {
        concat!(
            "json_object('following', ",
            $crate::tie!("follows", "follower", $viewer, "followee", $person),
            ", 'followedBy', ",
            $crate::tie!("follows", "followee", $viewer, "follower", $person),
            ", 'requested', ",
            $crate::tie!("follow_requests", "requester", $viewer, "target", $person),
            ", 'blocking', ",
            $crate::tie!("blocks", "blocker", $viewer, "blocked", $person),
            ", 'muting', ",
            $crate::tie!("mutes", "muter", $viewer, "muted", $person),
            ")"
        )
    };
}

/// A JSON boolean: whether a row of a tie between the two exists.
#[macro_export]
macro_rules! tie {
    ($table:expr, $mine:expr, $viewer:expr, $theirs:expr, $person:expr) => {
        concat!(
            "json(iif(exists (select 1 from ",
            $table,
            " where ",
            $mine,
            " = ",
            $viewer,
            " and ",
            $theirs,
            " = ",
            $person,
            ".pk), 'true', 'false'))"
        )
    };
}

/// `Profile` of the contract; `relationship` is null for nobody and for oneself.
#[macro_export]
macro_rules! profile_json {
    ($viewer:expr, $person:expr) => {
        concat!(
            "json_object(",
            $crate::user_fields!($person),
            ", 'counts', ",
            $crate::counts_json!($person),
            ", 'relationship', iif(",
            $viewer,
            " is null or ",
            $viewer,
            " = ",
            $person,
            ".pk, null, ",
            $crate::relationship_json!($viewer, $person),
            "))"
        )
    };
}

#[cfg(test)]
mod tests {
    use crate::db::Db;
    use crate::params;
    use crate::testing::ties_database;

    const SEES: &str = concat!(
        "select json(iif(",
        may_see!("(select pk from people where id = ?1)", "a"),
        ", 'true', 'false')) from people as a where a.id = ?2"
    );

    async fn sees(db: &Db, viewer: Option<&str>, author: &str) -> bool {
        db.read(SEES, params![viewer, author]).await.unwrap().as_deref() == Some("true")
    }

    /// The table of the rule: every state of the author, every tie, every kind of viewer.
    #[tokio::test]
    async fn who_may_see_whom() {
        let db = ties_database("privacy").await;
        for (private, status, tie, follower, stranger, nobody) in [
            (0, "active", "", true, true, true),
            (1, "active", "", true, false, false),
            (0, "suspended", "", false, false, false),
            (0, "deleted", "", false, false, false),
            (0, "unknown", "", false, false, false),
            (0, "active", "blocks", false, false, true),
            (0, "active", "blocked", false, false, true),
            (1, "active", "blocks", false, false, false),
        ] {
            db.rows("delete from blocks", params![]).await.unwrap();
            db.rows("delete from follows", params![]).await.unwrap();
            db.rows(
                "update people set private = ?1, status = ?2 where id = 'alice'",
                params![private, status],
            )
            .await
            .unwrap();
            let tie_of = |one: i64, other: i64| params![one, other, ""];
            db.rows("insert into follows values (?1, ?2, ?3)", tie_of(2, 1)).await.unwrap();
            for viewer in [2, 3] {
                match tie {
                    "blocks" => {
                        db.rows("insert into blocks values (?1, ?2, ?3)", tie_of(1, viewer)).await.unwrap()
                    }
                    "blocked" => {
                        db.rows("insert into blocks values (?1, ?2, ?3)", tie_of(viewer, 1)).await.unwrap()
                    }
                    _ => vec![],
                };
            }
            let case = format!("private={private} status={status} tie={tie}");
            assert_eq!(sees(&db, Some("bob"), "alice").await, follower, "follower, {case}");
            assert_eq!(sees(&db, Some("carla"), "alice").await, stranger, "stranger, {case}");
            assert_eq!(sees(&db, None, "alice").await, nobody, "nobody, {case}");
            assert_eq!(sees(&db, Some("alice"), "alice").await, status == "active", "herself, {case}");
        }
    }
}
