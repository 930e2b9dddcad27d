//! The program as a whole, against a server that speaks the worker's half of the contract and keeps what it heard:
//! its way in, its way out, and what it leaves when it is killed.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiny_http::{Method, Request, Response, Server};

use crate::support::{PROGRAM, Work, text};

const TOKEN: &str = "t0ken-of-the-worker";

/// Application and object store in one; the uploads of results are kept by their length.
struct App {
    url: String,
    server: Arc<Server>,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
}

impl App {
    /// Hands out one job, then none; `beat` is what a heartbeat answers.
    fn start(job: Value, source: Vec<u8>, beat: (u16, Value)) -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let url = format!("http://{}", server.server_addr());
        let text = job.to_string().replace("STORE", &url);
        let job = Arc::new(Mutex::new(Some(serde_json::from_str::<Value>(&text).unwrap())));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let app = Self { url, server: Arc::clone(&server), heard: Arc::clone(&heard) };
        let source = Arc::new(source);
        std::thread::spawn(move || {
            for request in server.incoming_requests() {
                let (job, heard, source, beat) = (job.clone(), heard.clone(), source.clone(), beat.clone());
                std::thread::spawn(move || serve(request, &job, &heard, &source, &beat));
            }
        });
        app
    }

    fn heard(&self, path: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(one, _)| one.contains(path)).map(|(_, body)| body.clone()).collect()
    }

    fn wait_for(&self, path: &str, what: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            if let Some(found) = self.heard(path).into_iter().find(&what) {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(40), "{path}: {:?}", self.heard.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

fn serve(
    mut request: Request,
    job: &Mutex<Option<Value>>,
    heard: &Mutex<Vec<(String, Value)>>,
    source: &[u8],
    beat: &(u16, Value),
) {
    let path = request.url().to_owned();
    let mut body = Vec::new();
    request.as_reader().read_to_end(&mut body).unwrap();
    let header = |name: &'static str| {
        request
            .headers()
            .iter()
            .find(|header| header.field.equiv(name))
            .map(|header| header.value.to_string())
    };
    if path.starts_with("/worker/") {
        assert_eq!(header("Authorization").as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    }
    let value = if *request.method() == Method::Put {
        json!({"length": body.len(), "type": header("Content-Type")})
    } else {
        serde_json::from_slice(&body).unwrap_or_default()
    };
    heard.lock().unwrap().push((path.clone(), value));
    let (status, answer) = match path.as_str() {
        "/worker/lease" => {
            let job = job.lock().unwrap().take();
            if job.is_none() {
                std::thread::sleep(Duration::from_millis(500));
            }
            (200, json!({"job": job}).to_string().into_bytes())
        }
        path if path.ends_with("/heartbeat") => (beat.0, beat.1.to_string().into_bytes()),
        path if path.starts_with("/worker/jobs/") => (204, vec![]),
        path if path.starts_with("/source") => (200, source.to_vec()),
        _ => (200, vec![]),
    };
    let _ = request.respond(Response::from_data(answer).with_status_code(status));
}

fn job(kind: &str, size: usize, files: &[&str]) -> Value {
    let urls: serde_json::Map<_, _> = files
        .iter()
        .map(|file| (file.to_string(), json!(format!("STORE/put/{file}?X-Amz-Signature=s3cr3t"))))
        .collect();
    json!({
        "id": "j1", "kind": kind, "key": "k1", "attempt": 1, "fence": 7, "leaseExpiresAt": "2026-11-25T12:00:00.000Z",
        "source": {"url": "STORE/source?X-Amz-Signature=s3cr3t", "size": size, "contentType": "x/y"},
        "variants": if kind == "image" {
            json!([{"name": "large", "size": 512, "square": true}, {"name": "small", "size": 128, "square": true}])
        } else { json!([]) },
        "upload": {"prefix": "o/k1/7/", "urls": urls},
    })
}

/// The program on a folder of its own; killed where a test ends early.
struct Running {
    child: Child,
    dir: Work,
}

impl Running {
    fn start(url: &str) -> Self {
        let dir = Work::new();
        let child = Command::new(PROGRAM)
            .args(["--url", url, "--jobs", "1", "--worker", "w1", "--work-dir"])
            .arg(dir.folder.path())
            .env("SCOOTERBOOTER_WORKER_TOKEN", TOKEN)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, dir }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end: the exit code, how long it took, and the log.
    fn end(&mut self) -> (Option<i32>, Duration, String) {
        let start = Instant::now();
        let status = self.child.wait().unwrap();
        let mut log = Vec::new();
        self.child.stderr.take().unwrap().read_to_end(&mut log).unwrap();
        (status.code(), start.elapsed(), text(&log))
    }

    /// Programs that work in the folder of a job of this worker.
    fn programs(&self) -> usize {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let works_here = |process: &std::fs::DirEntry| {
            std::fs::read_link(process.path().join("cwd"))
                .is_ok_and(|cwd| cwd.starts_with(self.dir.folder.path()))
        };
        processes.filter(works_here).count()
    }

    fn wait_for_programs(&self, wanted: impl Fn(usize) -> bool, time: Duration) {
        let start = Instant::now();
        while !wanted(self.programs()) {
            assert!(start.elapsed() < time, "{} programs", self.programs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A video that takes a while.
fn long_video() -> Vec<u8> {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=1920x1080:r=30:d=20 -c:v mpeg4 -q:v 8 source.mp4");
    work.read("source.mp4")
}

const VIDEO_FILES: [&str; 7] =
    ["v360.mp4", "v480.mp4", "v720.mp4", "v1080.mp4", "audio.mp4", "video.mp4", "poster.jpg"];

fn alive() -> (u16, Value) {
    (200, json!({"leaseExpiresAt": "2026-11-25T12:00:00.000Z", "cancelled": false}))
}

#[test]
fn an_image_goes_from_lease_to_complete_and_no_secret_into_the_log() {
    let work = Work::new();
    work.ffmpeg("-f lavfi -i testsrc2=s=640x480 -frames:v 1 source.png");
    let source = work.read("source.png");
    let app = App::start(
        job("image", source.len(), &["large.jpg", "large.png", "small.jpg", "small.png"]),
        source,
        alive(),
    );
    let mut running = Running::start(&app.url);
    let done = app.wait_for("/worker/jobs/j1/complete", |_| true);
    assert_eq!((&done["fence"], &done["result"]["width"]), (&json!(7), &json!(640)));
    let small = json!({"name": "small", "file": "small.jpg", "width": 128, "height": 128});
    assert_eq!(done["result"]["variants"][1], small);
    let put = app.heard("/put/small.jpg?X-Amz-Signature=s3cr3t");
    assert!(put[0]["type"] == "image/jpeg" && put[0]["length"].as_u64().unwrap() > 500, "{put:?}");
    let asked = &app.heard("/worker/lease")[0];
    assert_eq!(*asked, json!({"worker": "w1", "kinds": ["video", "image"], "waitSeconds": 5}));
    running.signal("TERM");
    let (code, time, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(time < Duration::from_secs(3), "{time:?}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["time"].is_string() && line["level"].is_string() && line["message"].is_string());
    }
    assert!(log.contains("\"key\":\"k1\"") && !log.contains("s3cr3t") && !log.contains(TOKEN), "{log}");
    assert_eq!(std::fs::read_dir(running.dir.folder.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_worker_that_is_asked_to_stop_hands_its_job_back() {
    let source = long_video();
    let app = App::start(job("video", source.len(), &VIDEO_FILES), source, alive());
    let mut running = Running::start(&app.url);
    app.wait_for("/heartbeat", |beat| beat["progress"].as_u64().unwrap_or(0) > 10);
    assert!(running.programs() > 0);
    running.signal("TERM");
    let (code, time, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(time < Duration::from_secs(5), "{time:?}");
    let failed = app.heard("/worker/jobs/j1/fail");
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (&failed[0]["code"], &failed[0]["permanent"], &failed[0]["fence"]),
        (&json!("cancelled"), &json!(false), &json!(7))
    );
    running.wait_for_programs(|count| count == 0, Duration::from_secs(2));
}

#[test]
fn programs_do_not_outlive_a_worker_that_is_killed() {
    let source = long_video();
    let app = App::start(job("video", source.len(), &VIDEO_FILES), source, alive());
    let mut running = Running::start(&app.url);
    running.wait_for_programs(|count| count > 0, Duration::from_secs(10));
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    running.wait_for_programs(|count| count == 0, Duration::from_secs(2));
    assert!(app.heard("/fail").is_empty());
}

#[test]
fn a_lost_lease_ends_the_work_without_an_answer() {
    let source = long_video();
    let app = App::start(
        job("video", source.len(), &VIDEO_FILES),
        source,
        (409, json!({"error": {"code": "lease_lost"}})),
    );
    let running = Running::start(&app.url);
    running.wait_for_programs(|count| count > 0, Duration::from_secs(10));
    app.wait_for("/heartbeat", |_| true);
    running.wait_for_programs(|count| count == 0, Duration::from_secs(2));
    let leases = app.heard("/worker/lease").len();
    let start = Instant::now();
    while app.heard("/worker/lease").len() <= leases && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(app.heard("/worker/lease").len() > leases, "the slot is free again");
    assert!(
        app.heard("/fail").is_empty() && app.heard("/complete").is_empty() && app.heard("/put/").is_empty()
    );
}

#[test]
fn a_server_that_is_down_is_told_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut running = Running::start(&format!("http://{free}"));
    std::thread::sleep(Duration::from_millis(2500));
    running.signal("INT");
    let (code, time, log) = running.end();
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(2), "{time:?}");
    assert_eq!(log.matches("trying on").count(), 1, "{log}");
}

#[test]
fn a_wrong_command_line_is_told_in_one_line_with_its_remedy() {
    let output = Command::new(PROGRAM).env_remove("SCOOTERBOOTER_WORKER_TOKEN").output().unwrap();
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("SCOOTERBOOTER_WORKER_TOKEN"), "{said}");
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert!(help.status.success() && text(&help.stdout).contains("--jobs"));
}

#[test]
fn without_ffmpeg_images_alone_are_leased_and_one_line_says_so() {
    let app = App::start(Value::Null, vec![], alive());
    let dir = Work::new();
    let child = Command::new(PROGRAM)
        .args(["--url", &app.url, "--ffmpeg", "/no/such/ffmpeg", "--work-dir"])
        .arg(dir.folder.path())
        .env("SCOOTERBOOTER_WORKER_TOKEN", TOKEN)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running { child, dir };
    assert_eq!(app.wait_for("/worker/lease", |_| true)["kinds"], json!(["image"]));
    running.signal("TERM");
    let log = running.end().2;
    assert_eq!(log.matches("images alone").count(), 1, "{log}");
    let refused = Command::new(PROGRAM)
        .args(["--kinds", "video", "--ffprobe", "/no/such/ffprobe"])
        .env("SCOOTERBOOTER_WORKER_TOKEN", TOKEN)
        .output()
        .unwrap();
    assert!(text(&refused.stderr).contains("install ffmpeg") && refused.status.code() == Some(1));
}
