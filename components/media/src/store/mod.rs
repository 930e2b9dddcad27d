//! All SQL of the service, by noun.

mod jobs;
mod removals;
mod uploads;
mod uses;

pub use jobs::*;
pub use removals::*;
pub use uploads::*;
pub use uses::*;

/// Whether the person `me` may see the media `m` of the person `owner`: their own, and else what is ready and shown where they
/// may look, by the privacy rule: in a post, or as the picture of somebody they may find.
macro_rules! sees_media {
    ($me:expr, $m:expr, $owner:expr) => {
        concat!(
            "(",
            $m,
            ".owner = ",
            $me,
            ".pk or (",
            $m,
            ".status = 'ready' and exists (
                select 1 from uses where uses.media = ",
            $m,
            ".pk and uses.published and (
                    (uses.kind = 'avatar' and ",
            shared::may_find!(concat!($me, ".pk"), $owner),
            ") or (uses.kind = 'post' and ",
            shared::may_see!(concat!($me, ".pk"), $owner),
            " and (uses.visibility = 'public' or ",
            shared::follows!(concat!($me, ".pk"), $owner),
            "))))))"
        )
    };
}

pub(crate) use sees_media;
