//! A person's own account: profile, handle, invites, terms, search, export, deletion.

use journeys::client::PASSWORD;
use journeys::eventually;
use serde_json::{Value, json};

use crate::{ME, ids, keys, stack};

#[test]
fn me_has_exactly_the_documented_members_and_edits_change_only_what_may_change() {
    let alice = stack().person("alice");
    let me = alice.get("/me").expect(200).body;
    assert_eq!(keys(&me), ME);
    assert_eq!(me["counts"], json!({ "posts": 0, "followers": 0, "following": 0 }));
    assert_eq!(keys(&me["terms"]), ["acceptedAt", "acceptedVersion", "currentVersion"]);
    let edit = json!({ "displayName": " Älice 🛴 ", "bio": "Rides.", "private": true,
        "id": "x", "roles": ["admin"], "email": "x@example.com", "counts": { "followers": 9 } });
    let edited = alice.patch("/me", edit).expect(200).body;
    assert_eq!(
        (&edited["displayName"], &edited["bio"], &edited["private"]),
        (&json!("Älice 🛴"), &json!("Rides."), &json!(true))
    );
    for same in ["id", "roles", "email", "counts", "createdAt", "handle"] {
        assert_eq!(edited[same], me[same], "{same}");
    }
    alice.patch("/me", json!({ "displayName": "x".repeat(51) })).expect(422);
    alice.patch("/me", json!({ "bio": "x".repeat(301) })).expect(422);
    alice.patch("/me", json!({ "displayName": "a\u{0}b" })).expect(422);
    assert_eq!(alice.get("/me").body["bio"], "Rides.");
}

#[test]
fn a_changed_name_shows_everywhere_at_once() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let post = alice.publish("by me");
    alice.patch("/me", json!({ "displayName": "Renamed" })).expect(200);
    assert_eq!(bob.get(&format!("/u/{}", alice.handle)).body["displayName"], "Renamed");
    assert_eq!(bob.get(&format!("/posts/{post}")).body["author"]["displayName"], "Renamed");
}

#[test]
fn handles_are_checked_unique_held_and_redirected() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let nobody = stack().anonymous();
    let old = alice.handle.clone();
    let free = nobody.get("/username?handle=Totally_Free").expect(200);
    assert_eq!(free.body, json!({ "available": true, "reason": null }));
    for (handle, code, status) in [
        ("ab", "handle_invalid", 422),
        ("9abc", "handle_invalid", 422),
        ("a-b-c", "handle_invalid", 422),
        ("admin", "handle_taken", 409),
        (&bob.handle, "handle_taken", 409),
    ] {
        alice.post("/username", json!({ "handle": handle })).expect_problem(status, code);
        assert_eq!(nobody.get(&format!("/username?handle={handle}")).expect(200).body["available"], false);
    }
    let fresh = format!("{old}_x");
    let me = alice.post("/username", json!({ "handle": fresh.to_uppercase() })).expect(200);
    assert_eq!(me.body["handle"], fresh.as_str());
    // Held for 30 days, and leads to the new one.
    bob.post("/username", json!({ "handle": old })).expect_problem(409, "handle_taken");
    let moved = nobody.get(&format!("/u/{old}")).expect(308);
    assert!(moved.header("location").ends_with(&format!("/u/{fresh}")), "{moved:?}");
    nobody.get(&format!("/u/{fresh}")).expect(200);
    // Its owner may have it back.
    alice.post("/username", json!({ "handle": old })).expect(200);
}

#[test]
fn search_finds_prefixes_and_typos_and_nobody_who_blocks() {
    let (alice, bob) = (stack().person("zebedee"), stack().person("bob"));
    alice.patch("/me", json!({ "displayName": "Zebedee Quartermaine" })).expect(200);
    for q in ["zebe", "Quarterm", "Quartermane", &alice.handle] {
        let page = bob.get(&format!("/search?q={q}")).expect(200);
        let found = page.items().iter().find(|item| item["id"] == alice.id.as_str());
        let found = found.unwrap_or_else(|| panic!("{q}: {page:?}"));
        assert_eq!(
            keys(found),
            [
                "avatarUrl",
                "bio",
                "counts",
                "createdAt",
                "displayName",
                "handle",
                "id",
                "private",
                "relationship"
            ]
        );
    }
    for q in ["%22", "a%20AND%20b", "NEAR(", "*", "col%3Ax", "%27", "(", "-"] {
        bob.get(&format!("/search?q={q}")).expect(200);
    }
    bob.get("/search?q=").expect(422);
    bob.get("/search").expect(422);
    bob.get(&format!("/search?q={}", "x".repeat(51))).expect(422);
    alice.post("/block", json!({ "userId": bob.id })).expect(200);
    assert!(!ids(&bob.get("/search?q=zebedee")).contains(&alice.id.as_str()));
    assert!(!ids(&alice.get(&format!("/search?q={}", bob.handle))).contains(&bob.id.as_str()));
}

#[test]
fn preferences_terms_invites_and_avatar_behave_as_documented() {
    let alice = stack().person("alice");
    let preferences = alice.get("/me/notification-preferences").expect(200).body;
    assert_eq!(keys(&preferences), ["push", "quietHours"]);
    assert_eq!(keys(&preferences["push"]), ["comment", "follow", "mention", "reaction", "scoop"]);
    let quiet = json!({ "start": "22:00", "end": "07:00", "timeZone": "Europe/Berlin" });
    let changed = alice
        .patch("/me/notification-preferences", json!({ "push": { "reaction": false }, "quietHours": quiet }))
        .expect(200);
    assert_eq!(
        (&changed.body["push"]["reaction"], &changed.body["push"]["follow"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(changed.body["quietHours"], quiet);
    for bad in [
        json!({ "start": "25:00", "end": "07:00", "timeZone": "UTC" }),
        json!({ "start": "22:00", "end": "07:00", "timeZone": "Moon/Base" }),
    ] {
        alice.patch("/me/notification-preferences", json!({ "quietHours": bad })).expect(422);
    }
    let version = alice.get("/me").body["terms"]["currentVersion"].clone();
    alice.post("/me/accept-terms", json!({ "version": "0-nothing" })).expect(422);
    let accepted = alice.post("/me/accept-terms", json!({ "version": version })).expect(200);
    assert_eq!(accepted.body["terms"]["acceptedVersion"], version);
    alice.post("/me/avatar", json!({ "key": "some-key" })).expect_problem(422, "media_not_found");

    let item = alice.post("/me/invite", json!({})).expect(201).body;
    assert_eq!(keys(&item), ["code", "createdAt", "expiresAt", "url", "usedBy"]);
    let code = item["code"].as_str().unwrap();
    assert!(code.len() == 8 && !code.contains(['0', 'O', '1', 'I', 'l']), "{code}");
    let register =
        json!({ "email": format!("invited-{code}@example.com"), "password": PASSWORD, "inviteCode": code });
    let invited = stack().anonymous().post("/auth/register", register).expect(201);
    let invites = alice.get("/me/invite").expect(200).body;
    assert_eq!(invites["items"][0]["usedBy"]["id"], invited.body["user"]["id"]);
    let left = invites["remaining"].as_u64().unwrap();
    for _ in 0..left {
        alice.post("/me/invite", json!({})).expect(201);
    }
    alice.post("/me/invite", json!({})).expect_problem(403, "invite_quota");
}

#[test]
fn an_export_holds_what_every_service_has_about_the_caller_alone() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    alice.publish("exported text of alice");
    bob.publish("exported text of bob");
    alice.follow(&bob);
    let export = alice.get("/me/export").expect(200).body.to_string();
    for part in [&alice.email, "exported text of alice", &bob.id, "\"posts\"", "\"social\"", "\"auth\""] {
        assert!(export.contains(part), "{part}: {export}");
    }
    assert!(!export.contains("exported text of bob") && !export.contains("argon2"), "{export}");
}

#[test]
fn deleting_oneself_hides_at_once_erases_everywhere_and_gives_a_receipt() {
    let (alice, bob) = (stack().person("alice"), stack().person("bob"));
    let (mine, his) = (alice.publish("soon gone"), bob.publish("stays"));
    alice.follow(&bob);
    bob.follow(&alice);
    alice.post(&format!("/comments/{his}"), json!({ "text": "a comment" })).expect(201);
    alice.post(&format!("/reactions/{his}"), json!({ "type": "like" })).expect(200);
    let answer = alice.delete("/me").expect(202);
    let path = format!("/me/deletion/{}", answer.body["deletionId"].as_str().unwrap());
    bob.get(&format!("/u/{}", alice.handle)).expect_problem(404, "not_found");
    bob.get(&format!("/posts/{mine}")).expect_problem(404, "not_found");
    assert!(!ids(&bob.get("/feed")).contains(&mine.as_str()));
    assert!(!ids(&bob.get(&format!("/search?q={}", alice.handle))).contains(&alice.id.as_str()));
    for path in ["/me", "/feed", "/blocked", "/auth/sessions"] {
        alice.get(path).expect_problem(401, "invalid_token");
    }
    let nobody = stack().anonymous();
    nobody.post("/auth/refresh", json!({ "refreshToken": alice.refresh_token })).expect(401);
    nobody
        .post("/auth/login", json!({ "email": alice.email, "password": PASSWORD }))
        .expect_problem(401, "invalid_credentials");
    let mut receipt = Value::Null;
    eventually("the receipt is complete", || {
        receipt = nobody.get(&path).expect(200).body;
        receipt["status"] == "done"
    });
    assert_eq!(
        keys(&receipt["services"]),
        [
            "analytics",
            "auth",
            "gamification",
            "media",
            "notifications",
            "posts",
            "realtime",
            "scoops",
            "social",
            "users"
        ]
    );
    for (service, part) in receipt["services"].as_object().unwrap() {
        assert!(part["done"] == true && part["rows"].as_u64().unwrap() > 0, "{service}: {receipt}");
    }
    let post = bob.get(&format!("/posts/{his}")).expect(200).body;
    assert_eq!((&post["counts"]["comments"], &post["counts"]["reactions"]), (&json!(0), &json!(0)));
    let counts = bob.get("/me").body["counts"].clone();
    assert_eq!(counts, json!({ "posts": 1, "followers": 0, "following": 0 }));
    for service in [
        "auth",
        "users",
        "posts",
        "social",
        "media",
        "scoops",
        "notifications",
        "analytics",
        "gamification",
        "realtime",
    ] {
        let file = std::fs::read(stack().database(service)).unwrap_or_default();
        assert!(!file.is_empty(), "{service} has no database");
    }
    nobody.get("/me/deletion/0199b7a0-0000-7000-8000-000000000001").expect_problem(404, "not_found");
}
