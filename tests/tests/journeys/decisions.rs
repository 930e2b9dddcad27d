//! The runtime is killed while an administrator decides: what was acknowledged holds everywhere afterwards, once.

use std::time::{Duration, Instant};

use journeys::audit::audit;
use journeys::{Person, eventually};
use serde_json::{Value, json};

use crate::ids;
use crate::moderation::{Governed, told};

/// The decisions of a round; the kill falls among them.
const DECISIONS: usize = 10;
/// After so many acknowledged ones, in turn, and as many milliseconds: within the next one, which is written by then or not, and told or not.
const KILLED_AFTER: [usize; 3] = [1, 4, 7];

/// No round begins later.
const BOUND: Duration = Duration::from_secs(12);

/// Something reported, and what is decided on it.
struct Reported {
    author: Person,
    post: String,
    report: String,
    action: &'static str,
}

fn reported(governed: &Governed, reporter: &Person, number: usize) -> Reported {
    let author = governed.stack.person("author");
    let post = author.publish("rude words");
    let (kind, id, action) = match number % 2 {
        0 => ("post", &post, "remove_content"),
        _ => ("user", &author.id, "suspend_user"),
    };
    let body = json!({ "targetType": kind, "targetId": id, "reason": "abuse" });
    let report =
        reporter.post("/report", body).expect(201).body["id"].as_str().unwrap_or_default().to_owned();
    Reported { author, post, report, action }
}

/// Whether the decision on `case` was acknowledged.
fn decide(governed: &Governed, case: &Reported) -> bool {
    let body = json!({ "action": case.action, "note": "Read the rules." }).to_string();
    let path = format!("/admin/reports/{}/resolve", case.report);
    let headers = [("content-type", "application/json")];
    governed
        .root
        .try_send("POST", &path, &headers, body.into_bytes())
        .is_ok_and(|answer| answer.status == 200)
}

/// How often `person` was told of `report`.
fn told_of(governed: &Governed, person: &Person, report: &str) -> i64 {
    let sql = format!(
        "select count(*) from notifications as n join people as p on p.pk = n.person
        where p.id = '{}' and n.target_id = '{report}'",
        person.id
    );
    governed.stack.query("notifications", &sql).unwrap_or_default()
}

/// Every trace of the decision on `case`.
fn assert_holds(governed: &Governed, reporter: &Person, case: &Reported) {
    let Reported { author, post, report, action } = case;
    let target = if *action == "remove_content" { post } else { &author.id };
    let acts = governed.root.get(&format!("/admin/audit?target={target}")).expect(200);
    let acts: Vec<&Value> = acts.items().iter().map(|act| &act["action"]).collect();
    assert_eq!(acts, [action], "{report}: in the audit, once");
    reporter.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
    assert!(!ids(&reporter.get("/feed?limit=100").expect(200)).contains(&post.as_str()), "{post}");
    if *action == "suspend_user" {
        author.get("/me").expect_problem(403, "account_suspended");
        author.get("/feed").expect_problem(403, "account_suspended");
        reporter.get(&format!("/u/{}", author.handle)).expect_problem(404, "not_found");
    } else {
        author.get(&format!("/posts/{post}")).expect_problem(404, "not_found");
        assert_eq!(author.get("/me").expect(200).body["counts"]["posts"], 0);
    }
    eventually("both sides are told", || {
        told_of(governed, reporter, report) == 1 && told_of(governed, author, report) == 1
    });
    assert!(told(reporter).contains(report), "{report}");
    if *action == "remove_content" {
        assert_eq!(told(author), std::slice::from_ref(report));
    }
    let again = json!({ "action": "dismiss", "note": null });
    let path = format!("/admin/reports/{report}/resolve");
    governed.root.post(&path, again).expect_problem(409, "already_resolved");
}

#[test]
fn decisions_that_were_acknowledged_before_a_kill_hold_everywhere_and_once() {
    let start = Instant::now();
    let governed = Governed::start();
    let reporter = governed.stack.person("alice");
    for after in KILLED_AFTER {
        // On a busy machine one round takes as long as all of them.
        if start.elapsed() > BOUND {
            break;
        }
        let cases: Vec<Reported> =
            (0..DECISIONS).map(|number| reported(&governed, &reporter, number)).collect();
        for case in &cases {
            reporter.follow(&case.author);
        }
        let (send, acknowledged) = std::sync::mpsc::channel();
        let decided: Vec<bool> = std::thread::scope(|scope| {
            let deciding = scope.spawn(|| {
                let send = send;
                cases
                    .iter()
                    .map(|case| decide(&governed, case))
                    .inspect(|_| send.send(()).unwrap_or_default())
                    .collect()
            });
            (0..after).for_each(|_| acknowledged.recv().unwrap_or_default());
            std::thread::sleep(Duration::from_millis(after as u64));
            governed.stack.kill();
            deciding.join().unwrap_or_default()
        });
        governed.stack.launch().unwrap_or_else(|error| panic!("{error:#}"));
        let faults = audit(&governed.stack);
        assert!(faults.is_empty(), "killed after {after}: {faults:#?}");
        let held = decided.iter().filter(|decided| **decided).count();
        assert!(held >= after, "{held} acknowledged, {after} before the kill");
        for (case, _) in cases.iter().zip(&decided).filter(|(_, decided)| **decided) {
            assert_holds(&governed, &reporter, case);
        }
        // Who was not told how it went decides again: it is done now, or was.
        for (case, _) in cases.iter().zip(&decided).filter(|(_, decided)| !**decided) {
            let path = format!("/admin/reports/{}/resolve", case.report);
            let body = json!({ "action": case.action, "note": null });
            let answer = governed.root.post(&path, body);
            assert!(answer.status == 200 || answer.code() == "already_resolved", "{answer:?}");
            assert_holds(&governed, &reporter, case);
        }
    }
}
