//! Tokens of an outside issuer: Cognito, any OIDC.

use std::sync::OnceLock;

use journeys::{Person, Stack, outside::Issuer};
use serde_json::{Value, json};

fn outside() -> &'static (Stack, Issuer) {
    static STACK: OnceLock<(Stack, Issuer)> = OnceLock::new();
    STACK.get_or_init(|| {
        let issuer = Issuer::start();
        let variables = [
            ("auth_issuer", issuer.url.as_str()),
            ("auth_audience", "app-1,app-2"),
            ("admin_emails", "root@example.com"),
        ];
        let stack = Stack::start(&variables).unwrap_or_else(|error| panic!("{error:#}"));
        (stack, issuer)
    })
}

fn with(token: &str) -> Person {
    outside().0.anonymous().with_token(token)
}

#[test]
fn the_routes_of_the_built_in_issuer_are_not_there() {
    let nobody = outside().0.anonymous();
    for (method, path) in [
        ("POST", "/auth/register"),
        ("POST", "/auth/login"),
        ("GET", "/auth/login"),
        ("GET", "/auth/sessions"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/openid-configuration"),
    ] {
        for headers in [&[][..], &[("content-type", "text/plain")]] {
            nobody.send(method, path, headers, Value::Null).expect_problem(404, "not_found");
        }
    }
    with("nonsense").get("/auth/sessions").expect_problem(404, "not_found");
}

#[test]
fn each_algorithm_is_accepted_and_the_first_call_creates_the_person() {
    let issuer = &outside().1;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let extra = json!({ "email": format!("{algorithm}@example.com"), "email_verified": true });
        let claims = issuer.claims(&format!("subject|{algorithm}"), "app-2", extra);
        let person = with(&issuer.sign(algorithm, claims.clone()));
        let me = person.get("/me").expect(200).body;
        assert_eq!(me["handle"], Value::Null);
        assert_eq!(
            me["email"].as_str().unwrap().to_lowercase(),
            format!("{algorithm}@example.com").to_lowercase()
        );
        // Another token of the same subject is the same person, in every service.
        let again = with(&issuer.sign(algorithm, claims));
        assert_eq!(again.get("/me").expect(200).body["id"], me["id"]);
        let handle = format!("out_{}", algorithm.to_lowercase());
        again.post("/username", json!({ "handle": handle })).expect(200);
        let post = again.post("/posts", json!({ "text": "from outside" })).expect(201).body;
        assert_eq!(post["author"]["id"], me["id"]);
    }
}

#[test]
fn the_first_call_may_be_at_any_service() {
    let issuer = &outside().1;
    let person = with(&issuer.sign("EdDSA", issuer.claims("first at posts", "app-1", json!({}))));
    person.post("/posts", json!({ "text": "hello" })).expect(201);
    assert_eq!(person.get("/me").expect(200).body["email"], Value::Null);
}

#[test]
fn cognito_access_tokens_count_and_its_id_tokens_do_not() {
    let issuer = &outside().1;
    let mut access = issuer.claims(
        "cognito",
        "x",
        json!({ "token_use": "access", "client_id": "app-1", "cognito:groups": ["admin"] }),
    );
    access.audiences = None;
    let me = with(&issuer.sign("RS256", access.clone())).get("/me").expect(200).body;
    assert_eq!(me["roles"], json!(["admin"]));
    access.custom = json!({ "token_use": "access", "client_id": "someone-elses" });
    with(&issuer.sign("RS256", access.clone())).get("/me").expect_problem(401, "invalid_token");
    let id = issuer.claims("cognito", "app-1", json!({ "token_use": "id" }));
    with(&issuer.sign("RS256", id)).get("/me").expect_problem(401, "invalid_token");
}

#[test]
fn admins_are_known_by_a_verified_address_or_a_group() {
    let issuer = &outside().1;
    for (subject, extra, roles) in [
        ("a1", json!({ "email": "root@example.com", "email_verified": true }), json!(["admin"])),
        ("a2", json!({ "email": "root@example.com", "email_verified": false }), json!([])),
        ("a3", json!({ "groups": ["staff", "admin"] }), json!(["admin"])),
        ("a4", json!({ "groups": ["staff"], "roles": ["admin"] }), json!([])),
    ] {
        let token = issuer.sign("EdDSA", issuer.claims(subject, "app-1", extra));
        assert_eq!(with(&token).get("/me").expect(200).body["roles"], roles, "{subject}");
    }
}

#[test]
fn tokens_that_say_anything_else_are_refused() {
    use jwt_simple::prelude::{Duration, UnixTimeStamp};
    let issuer = &outside().1;
    let good = || issuer.claims("subject", "app-1", json!({}));
    let past = UnixTimeStamp::from_secs(1_000_000);
    let mut cases = Vec::new();
    let mut wrong_issuer = good();
    wrong_issuer.issuer = Some("http://127.0.0.1:1/other".into());
    cases.push(("another issuer", issuer.sign("EdDSA", wrong_issuer)));
    cases.push(("another audience", issuer.sign("EdDSA", issuer.claims("subject", "app-3", json!({})))));
    let mut expired = good();
    expired.expires_at = Some(past);
    expired.issued_at = Some(past);
    cases.push(("expired", issuer.sign("EdDSA", expired)));
    let mut endless = good();
    endless.expires_at = None;
    cases.push(("without exp", issuer.sign("EdDSA", endless)));
    let mut early = good();
    early.invalid_before = early.issued_at.map(|at| at + Duration::from_hours(1));
    cases.push(("before nbf", issuer.sign("EdDSA", early)));
    let mut nobody = good();
    nobody.subject = None;
    cases.push(("without sub", issuer.sign("EdDSA", nobody)));
    let other = Issuer::start();
    cases.push(("another key", other.sign("EdDSA", good())));
    cases.push((
        "oversize",
        issuer.sign("EdDSA", issuer.claims("subject", "app-1", json!({ "pad": "x".repeat(9000) }))),
    ));
    let signed = issuer.sign("EdDSA", good());
    let (head, signature) = signed.rsplit_once('.').unwrap();
    cases.push(("no signature", format!("{head}.")));
    cases.push(("a flipped signature", format!("{head}.{}", signature.chars().rev().collect::<String>())));
    for (case, token) in cases {
        let answer = with(&token).get("/me");
        assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{case}: {answer:?}");
    }
    with(&signed).get("/me").expect(200);
}
