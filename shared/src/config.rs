//! The application's variables, read once per instance. Each has a local default here or in
//! `spin.toml`; a component that the manifest grants fewer sees the default of the rest.

use std::collections::HashMap;

use crate::platform::Platform;

/// The variables of design, typed where more than one service reads them.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: HashMap<&'static str, String>,
}

/// Every variable that some service reads; each costs an instance a call at its start.
const NAMES: &[&str] = &[
    "public_url",
    "auth_issuer",
    "auth_audience",
    "admin_emails",
    "registration",
    "terms_version",
    "cors_allow_origins",
    "rate_limits",
    "access_token_minutes",
    "worker_token",
    "internal_token",
    "trusted_proxy_header",
    "mail_url",
    "allow_private_endpoints",
    "test_clock_offset_seconds",
    "auth_url",
    "users_url",
    "posts_url",
    "social_url",
    "media_url",
    "scoops_url",
    "notifications_url",
    "analytics_url",
    "gamification_url",
    "realtime_url",
    "s3_endpoint",
    "s3_public_endpoint",
    "s3_region",
    "s3_bucket",
    "s3_access_key_id",
    "s3_secret_access_key",
    "cdn_url",
    "scoop_archive_days",
    "vapid_private_key",
    "expo_push_url",
    "fcm_service_account",
];

impl Config {
    /// Reads every variable this component is granted.
    pub async fn load(platform: &Platform) -> Self {
        let mut values = HashMap::with_capacity(NAMES.len());
        for name in NAMES {
            if let Some(value) = platform.variable(name).await {
                values.insert(*name, value);
            }
        }
        Self { values }
    }

    /// The variable `name`, or the empty text.
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |value| value.trim())
    }

    /// The variable `name`, or `default` where it is not granted or empty.
    pub fn get_or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        Some(self.get(name)).filter(|value| !value.is_empty()).unwrap_or(default)
    }

    /// Whether the switch `name` is on (`on`, `true`, `1`).
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "on" | "true" | "1")
    }

    /// The whole number in `name`, or `default` where it is none.
    pub fn number(&self, name: &str, default: i64) -> i64 {
        self.get(name).parse().unwrap_or(default)
    }

    /// The comma-separated words of `name`.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).split(',').map(str::trim).filter(|word| !word.is_empty())
    }

    /// Where clients reach the application, without a trailing slash.
    pub fn public_url(&self) -> &str {
        self.get_or("public_url", "http://127.0.0.1:3000").trim_end_matches('/')
    }

    /// The base URL of a service, without a trailing slash.
    pub fn service_url(&self, service: &str) -> String {
        let configured = match service {
            "auth" => self.get("auth_url"),
            "users" => self.get("users_url"),
            "posts" => self.get("posts_url"),
            "social" => self.get("social_url"),
            "media" => self.get("media_url"),
            "scoops" => self.get("scoops_url"),
            "notifications" => self.get("notifications_url"),
            "analytics" => self.get("analytics_url"),
            "gamification" => self.get("gamification_url"),
            "realtime" => self.get("realtime_url"),
            _ => "",
        };
        if configured.is_empty() {
            return format!("http://{service}.spin.internal");
        }
        configured.trim_end_matches('/').to_owned()
    }

    /// The issuer of the tokens: an outside one, or else ourselves.
    pub fn issuer(&self) -> &str {
        self.get_or("auth_issuer", self.public_url())
    }

    /// Whether tokens come from an outside issuer (Cognito, any OIDC).
    pub fn has_outside_issuer(&self) -> bool {
        !self.get("auth_issuer").is_empty()
    }

    /// Whether this verified address is an administrator's (`admin_emails`).
    pub fn is_admin_email(&self, email: &str) -> bool {
        self.list("admin_emails").any(|admin| admin.eq_ignore_ascii_case(email))
    }
}
