//! The rules: what is an address, a password, how long things live, how much is allowed.

use std::time::Duration;

use shared::error::{ApiError, Check};
use shared::limits::Limit;
use unicode_normalization::UnicodeNormalization;

/// A refresh token lives this long from its making. The triggers know it as milliseconds.
pub const REFRESH_LIVES: Duration = Duration::from_secs(30 * 24 * 3600);
/// Within this of its first use, a used refresh token is taken for a lost answer.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long a link to verify an address is good.
pub const VERIFY_LIVES: Duration = Duration::from_secs(24 * 3600);
/// How long a link to reset a password is good.
pub const RESET_LIVES: Duration = Duration::from_secs(3600);
/// After this, another registration may take over one that did not get to its end. Longer than one that
/// lives takes to ask `users`, and short for who sends again after a crash: until then the address is
/// taken, and nobody can sign in with it.
pub const ATTEMPT: Duration = Duration::from_secs(10);
/// After this, a registration that did not get to its end is decided by what `users` knows.
pub const ABANDONED: Duration = Duration::from_secs(600);
/// Mail that could not be sent for this long is given up.
pub const MAIL_LIVES: Duration = Duration::from_secs(24 * 3600);
/// A new signing key is made after this.
pub const KEY_SIGNS: Duration = Duration::from_secs(90 * 24 * 3600);
/// Longest `User-Agent` kept with a session, in characters.
pub const USER_AGENT: usize = 200;

const FIVE_MINUTES: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Attempts with a password, per account and per address.
pub static LOGIN: Limit = Limit { name: "login", points: 30, window: FIVE_MINUTES };
/// The same over a day.
pub static LOGIN_DAY: Limit = Limit { name: "login-day", points: 300, window: DAY };
/// Registrations per e-mail and per address; a school or a carrier has many people behind one.
pub static REGISTER: Limit = Limit { name: "register", points: 300, window: FIVE_MINUTES };
/// The same over a day.
pub static REGISTER_DAY: Limit = Limit { name: "register-day", points: 3_000, window: DAY };
/// Mails asked for, per mailbox: each lands in front of a person.
pub static MAIL: Limit = Limit { name: "mail", points: 10, window: HOUR };
/// Mails asked for and tokens of mails shown, per address.
pub static MAIL_ADDRESS: Limit = Limit { name: "mail-address", points: 300, window: FIVE_MINUTES };
/// Refreshes and sign-outs per address.
pub static REFRESH: Limit = Limit { name: "refresh", points: 1_200, window: FIVE_MINUTES };

/// An e-mail address as it is stored and compared: trimmed, NFC, lower case. `None` where it is
/// none. Stricter than RFC 5322 (no quotes, no comments, no bare host names), as mail providers are.
pub fn normal_email(given: &str) -> Option<String> {
    let email: String = given.trim().nfc().collect::<String>().to_lowercase().nfc().collect();
    let (local, domain) = email.rsplit_once('@')?;
    let fits = email.len() <= 254 && (1..=64).contains(&local.len());
    let dotted = |text: &str| !text.split('.').any(str::is_empty);
    let is_local = |char: char| char.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char);
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|char| char.is_alphanumeric() || char == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top_is_name = labels.last().is_some_and(|top| top.chars().any(char::is_alphabetic));
    let valid = fits
        && dotted(local)
        && local.chars().all(is_local)
        && labels.len() >= 2
        && labels.iter().all(is_label)
        && top_is_name;
    valid.then_some(email)
}

/// Whether a password may be chosen: 10 to 128 characters, whatever they are.
pub fn is_password(given: &str) -> bool {
    (10..=128).contains(&given.chars().count())
}

/// What of a registration can be judged here.
#[derive(Debug, PartialEq, Eq)]
pub struct Registration {
    /// As [`normal_email`] makes it.
    pub email: String,
    /// As chosen.
    pub password: String,
}

impl Registration {
    /// 422 with every field at fault.
    pub fn check(email: &str, password: String) -> Result<Self, ApiError> {
        let email = normal_email(email);
        Check::default()
            .field(email.is_some(), "email", "is not an e-mail address")
            .field(is_password(&password), "password", PASSWORD_RULE)
            .finish()?;
        Ok(Self { email: email.unwrap_or_default(), password })
    }
}

/// What is said of a password that [`is_password`] refuses.
pub const PASSWORD_RULE: &str = "must be 10 to 128 characters";

/// The `User-Agent` as it is kept, without what a list of devices should not show.
pub fn short_user_agent(given: Option<&str>) -> Option<String> {
    let text: String = given?.chars().filter(|char| !char.is_control()).take(USER_AGENT).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_lower_case_and_composed() {
        assert_eq!(normal_email(" Alice@Example.COM "), Some("alice@example.com".into()));
        assert_eq!(normal_email("ZOE\u{0308}@example.com"), normal_email("zo\u{00eb}@example.com"));
        assert_eq!(normal_email("a+b.c@sub.example.co"), Some("a+b.c@sub.example.co".into()));
        assert_eq!(normal_email("bob@b\u{fc}cher.example"), Some("bob@b\u{fc}cher.example".into()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let bad = [
            "",
            "alice",
            "@example.com",
            "alice@",
            "alice@example",
            "a b@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a.@example.com",
            "alice@-example.com",
            "alice@example..com",
            "alice@127.0.0.1",
            "a\u{0}@example.com",
            "a\n@example.com",
            "\"a\"@example.com",
            "a,b@example.com",
            &long,
        ];
        for email in bad {
            assert_eq!(normal_email(email), None, "{email:?}");
        }
    }

    #[test]
    fn a_registration_torn_off_is_in_the_way_for_seconds() {
        assert!(ATTEMPT > shared::clients::TIME_LIMIT);
        assert!(ATTEMPT <= Duration::from_secs(15));
    }

    #[test]
    fn passwords_count_characters_not_bytes() {
        assert!(!is_password("123456789"));
        assert!(is_password("1234567890"));
        assert!(is_password(&"\u{1f6f4}".repeat(10)));
        assert!(is_password(&"x".repeat(128)));
        assert!(!is_password(&"x".repeat(129)));
    }

    #[test]
    fn a_user_agent_is_cut_to_200_characters() {
        assert_eq!(short_user_agent(Some(&"\u{e9}".repeat(300))).unwrap().chars().count(), 200);
        assert_eq!(short_user_agent(Some("  ")), None);
        assert_eq!(short_user_agent(None), None);
    }
}
