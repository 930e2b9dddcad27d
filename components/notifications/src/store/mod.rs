//! All SQL of the service, by noun. Who may see what is inside each statement.

mod endpoints;
mod internal;
mod keys;
mod notifications;
mod queue;

pub use endpoints::*;
pub use internal::*;
pub use keys::*;
pub use notifications::*;
pub use queue::*;

/// Whether the person `me` may see that the person `u` did what the notification `n` tells: by the privacy rule; and who
/// did it to what is the reader's own is seen by them, private or not, unless a block stands between. What happened
/// below a post of somebody else's is seen by who may see the post.
macro_rules! sees_actor {
    ($me:expr, $n:expr, $u:expr) => {
        concat!(
            "(",
            $u,
            ".status = 'active' and ",
            // Asked here once, and not again by the rule below.
            shared::unblocked!(concat!($me, ".pk"), $u),
            " and (",
            $n,
            ".host is null or ",
            $n,
            ".host = ",
            $me,
            ".pk or (",
            shared::may_see!(concat!($me, ".pk"), $u, "1"),
            " and exists (select 1 from people as host where host.pk = ",
            $n,
            ".host and ",
            shared::may_see!(concat!($me, ".pk"), "host"),
            " and (",
            $n,
            ".closed = 0 or ",
            shared::follows!(concat!($me, ".pk"), "host"),
            ")))))"
        )
    };
}

/// Whether the person `me` is shown the notification `n` of theirs: where nobody did it, or somebody whom they may see.
macro_rules! is_shown {
    ($me:expr, $n:expr) => {
        concat!(
            "(",
            $n,
            ".actor_count = 0 or exists (select 1 from actors as a cross join people as u
                where a.notification = ",
            $n,
            ".pk and u.pk = a.person and ",
            sees_actor!($me, $n, "u"),
            "))"
        )
    };
}

/// `Notification` of the contract, from the row `n`, as the person `me` sees it. Its actors run down `actors_newest`.
macro_rules! notification_json {
    ($me:expr, $n:expr) => {
        concat!(
            "json_object('id', ",
            $n,
            ".id, 'type', ",
            $n,
            ".type, 'actors', json((select json_group_array(json(shown.user)) from (
                select ",
            shared::user_json!("u"),
            " as user from actors as a cross join people as u where a.notification = ",
            $n,
            ".pk and u.pk = a.person and ",
            sees_actor!($me, $n, "u"),
            " order by a.at desc, a.person desc limit 3) as shown)), 'actorCount', ",
            $n,
            ".actor_count, 'target', json(iif(",
            $n,
            ".target_type is null, 'null', json_object('type', ",
            $n,
            ".target_type, 'id', ",
            $n,
            ".target_id))), 'createdAt', ",
            $n,
            ".created_at, 'updatedAt', ",
            $n,
            ".updated_at, 'read', json(iif(",
            $n,
            ".read, 'true', 'false')))"
        )
    };
}

pub(crate) use {is_shown, notification_json, sees_actor};
