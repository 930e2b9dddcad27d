//! All SQL of the service.

mod deletion;
mod handles;
mod invites;
mod joining;
mod people;
mod search;

use shared::app::App;
use shared::auth::Verified;
use shared::db::Db;

pub use handles::Change;
pub use joining::Joining;

/// The tables of the service.
pub struct Store(pub Db);

/// What `Me` needs besides the rows of the person.
pub struct Lens<'a> {
    /// The version of the terms that holds now.
    pub terms: &'a str,
    /// The addresses of administrators, lower case, each between commas: `,a@x,b@x,`.
    pub admins: String,
    /// Whether the token itself makes them one.
    pub is_admin: bool,
}

impl<'a> Lens<'a> {
    /// For who carries `token`; without one the rows alone decide.
    pub fn new(app: &'a App, token: Option<&Verified>) -> Self {
        let mut admins = String::from(",");
        for admin in app.config.list("admin_emails") {
            admins.push_str(&admin.to_lowercase());
            admins.push(',');
        }
        let by_token = token.is_some_and(|token| {
            let by_email = token.email_verified
                && token.email.as_deref().is_some_and(|email| app.config.is_admin_email(email));
            by_email || token.in_admin_group
        });
        Self { terms: app.config.get_or("terms_version", "1"), admins, is_admin: by_token }
    }
}

/// `Me` of the contract from the `people` row `person` and the `profiles` row `profile`.
/// Parameters: ?1 the person's id, ?2 the current terms, ?3 the administrators, ?4 whether the token is one's.
macro_rules! me_json {
    ($person:expr, $profile:expr) => {
        concat!(
            "json_object(",
            shared::user_fields!($person),
            ", 'email', ",
            $profile,
            ".email, 'emailVerified', json(iif(",
            $profile,
            ".email_verified, 'true', 'false')), 'roles', json(iif(?4 or (",
            $profile,
            ".email_verified and instr(?3, ',' || ",
            $profile,
            ".email || ',')), '[\"admin\"]', '[]')), 'counts', ",
            shared::counts_json!($person),
            ", 'terms', json_object('acceptedVersion', ",
            $profile,
            ".terms_version, 'acceptedAt', ",
            $profile,
            ".terms_accepted_at, 'currentVersion', ?2), 'notificationPreferences', json(",
            $profile,
            ".preferences))"
        )
    };
}
pub(crate) use me_json;

/// `Me` at the end of an `update people`: the row as it is after it.
macro_rules! returning_me {
    () => {
        concat!(
            " returning (select ",
            crate::store::me_json!("people", "f"),
            " from profiles as f where f.person = people.pk)"
        )
    };
}
pub(crate) use returning_me;

#[cfg(test)]
pub(crate) mod tests {
    use shared::db::Value;
    use shared::platform::Platform;

    /// The plan of a statement with so many parameters, a line per step.
    pub async fn plan(sql: &str, parameters: usize) -> String {
        let platform = Platform::new(shared::testing::folder("plan"));
        let app = shared::app::App::start(&crate::SERVICE, platform).await.unwrap();
        let rows = app.db.rows(&format!("explain query plan {sql}"), vec![Value::Null; parameters]).await;
        let steps = rows.unwrap().into_iter().filter_map(|row| row.into_iter().nth(3)?.into_text());
        steps.collect::<Vec<_>>().join("\n")
    }
}
