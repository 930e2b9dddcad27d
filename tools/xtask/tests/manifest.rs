//! `spin.toml` keeps what the design promises: who answers which route, and who may touch what.

// Whatever is missing in the manifest fails the test that looks for it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// Which service answers a path. Every route of the contract stands here.
const ROUTES: &[(&str, &[&str])] = &[
    (
        "auth",
        &[
            "/auth/register",
            "/auth/login",
            "/auth/refresh",
            "/auth/verify-email",
            "/auth/verify-email/resend",
            "/auth/password-reset",
            "/auth/password-reset/confirm",
            "/auth/logout",
            "/auth/password",
            "/auth/sessions",
            "/auth/sessions/1",
            "/.well-known/openid-configuration",
            "/.well-known/jwks.json",
        ],
    ),
    (
        "users",
        &[
            "/me",
            "/me/deletion/1",
            "/me/export",
            "/me/avatar",
            "/me/notification-preferences",
            "/me/accept-terms",
            "/me/invite",
            "/username",
            "/search",
            "/admin/users/1/invites",
        ],
    ),
    (
        "posts",
        &[
            "/feed",
            "/posts",
            "/posts/1",
            "/posts/1/view",
            "/comments/1",
            "/comments/1/2",
            "/reactions/1",
            "/tags/rust",
            "/u/alice/posts",
        ],
    ),
    (
        "social",
        &[
            "/u/alice",
            "/u/alice/followers",
            "/u/alice/following",
            "/follow",
            "/unfollow",
            "/block",
            "/unblock",
            "/mute",
            "/unmute",
            "/blocked",
            "/muted",
            "/follow-requests",
            "/follow-requests/1/accept",
            "/follow-requests/1/reject",
            "/report",
            "/me/reports",
            "/me/decisions",
            "/me/appeals",
            "/admin/reports",
            "/admin/reports/1/resolve",
            "/admin/users/1/suspend",
            "/admin/users/1/unsuspend",
            "/admin/appeals",
            "/admin/appeals/1/resolve",
            "/admin/audit",
        ],
    ),
    (
        "media",
        &[
            "/upload-url",
            "/upload-url/multipart",
            "/avatar-url",
            "/process-video",
            "/media/1",
            "/media/1/parts",
            "/media/1/complete",
            "/media/1/hls/master.m3u8",
            "/avatars/1",
            "/worker/lease",
            "/worker/jobs/1/heartbeat",
            "/worker/redrive",
        ],
    ),
    (
        "scoops",
        &[
            "/scoops",
            "/scoops/feed",
            "/scoops/me",
            "/scoops/user/1",
            "/scoops/1",
            "/scoops/1/view",
            "/scoops/1/viewers",
            "/close-friends",
            "/close-friends/1",
        ],
    ),
    (
        "notifications",
        &[
            "/notifications",
            "/notifications/read",
            "/push/register",
            "/push/unregister",
            "/push/vapid-public-key",
        ],
    ),
    ("analytics", &["/analytics/me", "/analytics/posts/1", "/analytics/overview"]),
    ("gamification", &["/gamification/me", "/gamification/leaderboard", "/gamification/badges"]),
    ("realtime", &["/realtime", "/realtime/ticket"]),
    (
        "web",
        &[
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/docs",
            "/docs/explorer.js",
            "/worker/tick",
            "/worker/rebuild",
            "/",
            "/nothing",
            "/users",
            "/u",
            "/metrics",
        ],
    ),
];

/// Ways to ask for what is not public.
const INTERNAL: &[&str] = &[
    "/internal",
    "/internal/",
    "/internal/health",
    "/internal/tick",
    "/internal/events",
    "/internal/people",
    "/internal/people/1/me",
    "//internal/health",
    "/internal//health",
    "/%69nternal/health",
    "/./internal/health",
];

/// The one service that a public path may reach and that has nothing internal.
const CATCH_ALL: &str = "web";

/// The object store, which `media` alone asks for anything.
const STORE: &str = "{{ s3_endpoint }}";

/// Names of variables whose value nobody may read in a log.
const SECRET_WORDS: &[&str] = &["token", "secret", "private_key", "access_key", "service_account"];

fn manifest() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn components(manifest: &Table) -> &Table {
    manifest["component"].as_table().unwrap()
}

fn texts(of: &Value, name: &str) -> Vec<String> {
    let list = of.get(name).and_then(Value::as_array);
    list.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// `(route, component)` of every public route.
fn public_routes(manifest: &Table) -> Vec<(String, String)> {
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let text = |trigger: &Value, name: &str| Some(trigger.get(name)?.as_str()?.to_owned());
    triggers
        .iter()
        .filter_map(|trigger| Some((text(trigger, "route")?, text(trigger, "component").unwrap())))
        .collect()
}

/// The matcher Spin uses, with its routes written as Spin writes them and in their order, which matters.
fn router(manifest: &Table) -> routefinder::Router<String> {
    let mut router = routefinder::Router::new();
    for (route, component) in public_routes(manifest) {
        let spec = route.strip_suffix("/...").map_or(route.clone(), |prefix| format!("{prefix}/*"));
        router.add(spec, component).unwrap();
    }
    router
}

fn answers(router: &routefinder::Router<String>, path: &str) -> String {
    router.best_match(path).map(|found| found.handler().clone()).unwrap_or_default()
}

#[test]
fn every_route_of_the_contract_reaches_its_service() {
    let router = router(&manifest());
    for (service, paths) in ROUTES {
        for path in *paths {
            assert_eq!(answers(&router, path), *service, "{path}");
        }
    }
}

#[test]
fn no_public_route_reaches_what_is_internal() {
    let manifest = manifest();
    for (route, _) in public_routes(&manifest) {
        assert!(!route.contains("internal"), "{route}");
    }
    let router = router(&manifest);
    for path in INTERNAL {
        assert_eq!(answers(&router, path), CATCH_ALL, "{path}");
    }
    // It may be reached because it has no database, so no internal routes (shared::app::router).
    assert!(texts(&components(&manifest)[CATCH_ALL], "sqlite_databases").is_empty());
}

/// Spin's matcher loses its order where a route is added after one that begins with a dot.
#[test]
fn routes_that_begin_with_a_dot_come_last() {
    let routes = public_routes(&manifest());
    let first_dot = routes.iter().position(|(route, _)| route.starts_with("/.")).unwrap();
    for (route, _) in routes.iter().skip(first_dot) {
        assert!(route.starts_with("/."), "{route}");
    }
}

#[test]
fn no_route_is_written_twice() {
    let mut seen = BTreeSet::new();
    for (route, _) in public_routes(&manifest()) {
        assert!(seen.insert(route.clone()), "{route}");
    }
}

#[test]
fn a_service_opens_its_own_database_and_no_other() {
    for (name, component) in components(&manifest()) {
        let expected = if name == CATCH_ALL { vec![] } else { vec![name.clone()] };
        assert_eq!(texts(component, "sqlite_databases"), expected, "{name}");
        assert_eq!(texts(component, "key_value_stores"), ["default"], "{name}");
    }
}

#[test]
fn a_service_calls_the_services_whose_url_it_is_given_and_few_call_outside() {
    let manifest = manifest();
    for (name, component) in components(&manifest) {
        let (services, outside): (BTreeSet<String>, BTreeSet<String>) =
            texts(component, "allowed_outbound_hosts")
                .into_iter()
                .partition(|host| host.starts_with("{{") && host != STORE);
        let urls: BTreeSet<String> = component["variables"]
            .as_table()
            .unwrap()
            .keys()
            .filter(|variable| {
                let service = variable.strip_suffix("_url").unwrap_or_default();
                components(&manifest).contains_key(service)
            })
            .map(|variable| format!("{{{{ {variable} }}}}"))
            .collect();
        assert_eq!(services, urls, "{name}");
        assert!(!urls.contains(&format!("{{{{ {name}_url }}}}")), "{name} calls itself");
        match name.as_str() {
            // Issuers, mail hooks and push services are anywhere.
            "auth" | "notifications" => assert!(!outside.contains(STORE)),
            "media" => assert_eq!(outside, BTreeSet::from([STORE.to_owned()])),
            _ => assert!(outside.is_empty(), "{name}: {outside:?}"),
        }
    }
}

#[test]
fn every_variable_is_declared_and_handed_on_under_its_own_name() {
    let manifest = manifest();
    let declared = manifest["variables"].as_table().unwrap();
    for (name, component) in components(&manifest) {
        for (variable, template) in component["variables"].as_table().unwrap() {
            assert!(declared.contains_key(variable), "{name}: {variable} is not declared");
            assert_eq!(template.as_str().unwrap(), format!("{{{{ {variable} }}}}"), "{name}");
        }
    }
}

#[test]
fn every_variable_has_a_local_default_and_secrets_are_secret() {
    for (name, variable) in manifest()["variables"].as_table().unwrap() {
        assert!(variable.get("default").is_some_and(Value::is_str), "{name}");
        let is_secret = variable.get("secret").and_then(Value::as_bool).unwrap_or(false);
        let must_be = SECRET_WORDS.iter().any(|word| name.contains(word)) && name != "access_token_minutes";
        assert_eq!(is_secret, must_be, "{name}");
    }
}

#[test]
fn only_who_needs_a_secret_or_a_switch_has_it() {
    let manifest = manifest();
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, component) in components(&manifest) {
        for variable in component["variables"].as_table().unwrap().keys() {
            holders.entry(variable).or_default().push(name);
        }
    }
    assert_eq!(holders["worker_token"], ["media", "web"]);
    // All but `media` sign links with it.
    assert_eq!(holders["s3_secret_access_key"], ["media", "posts", "realtime", "scoops"]);
    assert_eq!(holders["mail_url"], ["auth"]);
    for variable in ["vapid_private_key", "fcm_service_account", "expo_push_url"] {
        assert_eq!(holders[variable], ["notifications"], "{variable}");
    }
    assert_eq!(holders["access_token_minutes"], ["auth"]);
    assert_eq!(holders["registration"], ["auth", "users"]);
    assert_eq!(holders["internal_token"].len(), components(&manifest).len());
}

#[test]
fn the_runtime_configuration_has_a_file_for_every_database() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runtime-config.toml");
    let config: Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let manifest = manifest();
    let wanted: BTreeSet<String> =
        components(&manifest).values().flat_map(|component| texts(component, "sqlite_databases")).collect();
    let there: BTreeSet<String> = config["sqlite_database"].as_table().unwrap().keys().cloned().collect();
    assert_eq!(there, wanted);
    let files: BTreeSet<&str> = config["sqlite_database"]
        .as_table()
        .unwrap()
        .values()
        .map(|database| database["path"].as_str().unwrap())
        .collect();
    assert_eq!(files.len(), wanted.len(), "two databases in one file");
}

#[test]
fn a_component_is_built_from_the_package_of_its_name() {
    for (name, component) in components(&manifest()) {
        assert_eq!(
            component["source"].as_str().unwrap(),
            format!("target/wasm32-wasip2/release/{name}.wasm")
        );
        let command = component["build"]["command"].as_str().unwrap();
        assert_eq!(command, format!("cargo build --release --target wasm32-wasip2 -p {name}"));
    }
}
