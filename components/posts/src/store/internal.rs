//! What other services ask.

use shared::db::{Db, DbError};
use shared::ids::Id;
use shared::params;

use super::{seen_post, sees_below, sees_post};

const VISIBLE_POST: &str =
    concat!("select json_object('authorId', a.id, 'text', p.text) from ", seen_post!());

/// `{authorId, text}` of a post that `viewer` may see.
pub async fn find_visible_post(db: &Db, post: Id, viewer: Id) -> Result<Option<String>, DbError> {
    db.read(VISIBLE_POST, params![post, viewer]).await
}

const VISIBLE_COMMENT: &str = concat!(
    "select json_object('authorId', u.id, 'text', c.text) from comments as c
    cross join posts as p cross join people as a cross join people as u cross join people as me
    where c.id = ?1 and p.pk = c.post and a.pk = p.author and u.pk = c.author
      and me.id = ?2 and me.status = 'active' and ",
    sees_post!("me.pk", "p", "a"),
    " and ",
    sees_below!("me.pk", "p", "u")
);

/// `{authorId, text}` of a comment that `viewer` may see.
pub async fn find_visible_comment(db: &Db, comment: Id, viewer: Id) -> Result<Option<String>, DbError> {
    db.read(VISIBLE_COMMENT, params![comment, viewer]).await
}

/// By the indexes `.._by_author` and `.._by_person`, oldest first.
const EXPORT_PERSON: &str = "select json_object(
    'posts', json((select json_group_array(json_object(
            'id', id, 'text', text, 'visibility', visibility, 'status', status, 'createdAt', created_at,
            'editedAt', edited_at, 'hashtags', json(hashtags),
            'media', json((select json_group_array(json_object('key', key, 'alt', alt)) from post_media where post = posts.pk)),
            'counts', json_object('comments', comments, 'reactions', reaction_count, 'views', views)))
        from (select * from posts where author = person.pk order by pk) as posts)),
    'comments', json((select json_group_array(json_object(
            'id', id, 'postId', post_id, 'parentId', parent_id, 'text', text, 'createdAt', created_at))
        from (select c.*, p.id as post_id, parent.id as parent_id from comments as c
            join posts as p on p.pk = c.post left join comments as parent on parent.pk = c.parent
            where c.author = person.pk order by c.pk))),
    'reactions', json((select json_group_array(json_object('postId', id, 'type', type, 'createdAt', at))
        from (select p.id, r.type, r.created_at as at from reactions as r join posts as p on p.pk = r.post
            where r.person = person.pk order by r.pk))),
    'views', json((select json_group_array(json_object('postId', id, 'viewedAt', at))
        from (select p.id, v.at from views as v join posts as p on p.pk = v.post
            where v.person = person.pk order by v.at))),
    'mentions', json((select json_group_array(json_object('postId', id, 'createdAt', at))
        from (select p.id, p.created_at as at from post_mentions as m join posts as p on p.pk = m.post
            where m.person = person.pk order by p.pk))))
    from (select (select pk from people where id = ?1) as pk) as person";

/// Everything held about a person, as one JSON document.
pub async fn export_person(db: &Db, person: Id) -> Result<Option<String>, DbError> {
    db.read(EXPORT_PERSON, params![person]).await
}
