//! The document of every route, and the explorer that shows it.

use std::collections::BTreeSet;

use journeys::client::agent;

use crate::stack;

/// Every public route of the contract, method by method.
const ROUTES: &[(&str, &[&str])] = &[
    ("/auth/register", &["post"]),
    ("/auth/login", &["post"]),
    ("/auth/refresh", &["post"]),
    ("/auth/verify-email", &["post"]),
    ("/auth/verify-email/resend", &["post"]),
    ("/auth/password-reset", &["post"]),
    ("/auth/password-reset/confirm", &["post"]),
    ("/auth/logout", &["post"]),
    ("/auth/password", &["post"]),
    ("/auth/sessions", &["get"]),
    ("/auth/sessions/{}", &["delete"]),
    ("/.well-known/openid-configuration", &["get"]),
    ("/.well-known/jwks.json", &["get"]),
    ("/me", &["get", "patch", "delete"]),
    ("/me/deletion/{}", &["get"]),
    ("/me/export", &["get"]),
    ("/me/avatar", &["post"]),
    ("/me/notification-preferences", &["get", "patch"]),
    ("/me/accept-terms", &["post"]),
    ("/me/invite", &["get", "post"]),
    ("/username", &["get", "post"]),
    ("/search", &["get"]),
    ("/feed", &["get"]),
    ("/posts", &["post"]),
    ("/posts/{}", &["get", "patch", "delete"]),
    ("/posts/{}/view", &["post"]),
    ("/comments/{}", &["get", "post"]),
    ("/comments/{}/{}", &["delete"]),
    ("/reactions/{}", &["get", "post"]),
    ("/tags/{}", &["get"]),
    ("/follow", &["post"]),
    ("/unfollow", &["post"]),
    ("/block", &["post"]),
    ("/unblock", &["post"]),
    ("/mute", &["post"]),
    ("/unmute", &["post"]),
    ("/blocked", &["get"]),
    ("/muted", &["get"]),
    ("/follow-requests", &["get"]),
    ("/follow-requests/{}/accept", &["post"]),
    ("/follow-requests/{}/reject", &["post"]),
    ("/report", &["post"]),
    ("/me/reports", &["get"]),
    ("/me/decisions", &["get"]),
    ("/me/appeals", &["post"]),
    ("/admin/reports", &["get"]),
    ("/admin/reports/{}/resolve", &["post"]),
    ("/admin/users/{}/suspend", &["post"]),
    ("/admin/users/{}/unsuspend", &["post"]),
    ("/admin/users/{}/invites", &["get"]),
    ("/admin/appeals", &["get"]),
    ("/admin/appeals/{}/resolve", &["post"]),
    ("/admin/audit", &["get"]),
    ("/u/{}", &["get"]),
    ("/u/{}/followers", &["get"]),
    ("/u/{}/following", &["get"]),
    ("/u/{}/posts", &["get"]),
    ("/upload-url", &["post"]),
    ("/upload-url/multipart", &["post"]),
    ("/avatar-url", &["post"]),
    ("/process-video", &["post"]),
    ("/media/{}", &["get", "delete"]),
    ("/media/{}/parts", &["get"]),
    ("/media/{}/complete", &["post"]),
    ("/media/{}/hls/{}", &["get"]),
    ("/avatars/{}", &["get"]),
    ("/scoops", &["post"]),
    ("/scoops/feed", &["get"]),
    ("/scoops/me", &["get"]),
    ("/scoops/user/{}", &["get"]),
    ("/scoops/{}", &["get", "delete"]),
    ("/scoops/{}/view", &["post"]),
    ("/scoops/{}/viewers", &["get"]),
    ("/close-friends", &["get"]),
    ("/close-friends/{}", &["put", "delete"]),
    ("/notifications", &["get"]),
    ("/notifications/read", &["post"]),
    ("/push/register", &["post"]),
    ("/push/unregister", &["delete"]),
    ("/push/vapid-public-key", &["get"]),
    ("/analytics/me", &["get"]),
    ("/analytics/posts/{}", &["get"]),
    ("/analytics/overview", &["get"]),
    ("/gamification/me", &["get", "patch"]),
    ("/gamification/leaderboard", &["get"]),
    ("/gamification/badges", &["get"]),
    ("/realtime", &["get"]),
    ("/realtime/ticket", &["post"]),
    ("/healthz", &["get"]),
    ("/readyz", &["get"]),
    ("/openapi.json", &["get"]),
    ("/docs", &["get"]),
    ("/docs/{}", &["get"]),
];

/// A path without the names of its parameters.
fn nameless(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn the_document_has_every_route_of_the_contract_and_no_other() {
    let answer = stack().anonymous().get("/openapi.json").expect(200);
    assert!(answer.body["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(answer.header("content-type"), "application/json");
    let paths = answer.body["paths"].as_object().unwrap();
    let documented: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (nameless(path), method.clone()))
        })
        .collect();
    let expected: BTreeSet<(String, String)> = ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(|method| ((*path).to_owned(), (*method).to_owned())))
        .collect();
    let missing: Vec<_> = expected.difference(&documented).collect();
    let more: Vec<_> = documented.difference(&expected).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing: {missing:?}, more: {more:?}");
}

#[test]
fn who_has_the_document_gets_304_while_it_is_the_same() {
    let nobody = stack().anonymous();
    let first = nobody.get("/openapi.json").expect(200);
    let known = [("if-none-match", first.header("etag"))];
    nobody.send("GET", "/openapi.json", &known, serde_json::Value::Null).expect(304);
}

#[test]
fn the_explorer_and_every_file_it_refers_to_are_served_from_here() {
    let url = &stack().anonymous().url;
    let fetch = |path: &str| {
        let mut answer = agent().get(format!("{url}{path}")).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_to_string().unwrap()
    };
    let page = fetch("/docs");
    assert!(page.contains("<title>ScooterBooter"), "{page}");
    let files: Vec<&str> =
        page.split('"').skip(1).step_by(2).filter(|text| text.starts_with("/docs/")).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert!(!fetch(file).is_empty(), "{file}");
    }
    stack().anonymous().get("/docs/unknown").expect_problem(404, "not_found");
}
