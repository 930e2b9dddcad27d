//! Streams of events: what a thousand of them cost while nothing happens, and how long it takes from a reaction until it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Line;
use crate::http;
use crate::steps::say;

/// People whose posts are reacted to.
const AUTHORS: usize = 100;
/// Reactions in a second, and for how long.
const RATE: usize = 50;
/// See [`RATE`].
const SECONDS: usize = 20;
/// Who reacts, side by side.
const SENDERS: usize = 4;
/// How long the idle cost is measured, once nothing has happened for a while.
const IDLE: Duration = Duration::from_secs(30);
/// See [`IDLE`].
const CALM: Duration = Duration::from_secs(15);
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Ticks of the processor in a second, as Linux counts them for everybody.
const TICKS: f64 = 100.0;

/// Measures with a stream for each of `tokens`, on the runtime `process`.
pub(super) fn measure(url: &str, process: u32, tokens: &[String]) -> Result<Vec<Line>> {
    say(&format!("==> {} streams", tokens.len()));
    let posts = publish(url, &tokens[..AUTHORS])?;
    // What registering took is given back by and by.
    std::thread::sleep(CALM);
    let before = memory(process)?;
    let streams: Vec<TcpStream> = tokens.iter().map(|token| open(url, token)).collect::<Result<_>>()?;
    std::thread::sleep(CALM);
    let each = (memory(process)? - before) / streams.len() as f64;
    let (used, start) = (processor(process)?, Instant::now());
    std::thread::sleep(IDLE);
    let share = 100.0 * (processor(process)? - used) / start.elapsed().as_secs_f64();
    let (heard, events) = mpsc::channel();
    for stream in streams.iter().take(AUTHORS) {
        let (stream, heard) = (stream.try_clone()?, heard.clone());
        std::thread::spawn(move || listen(stream, &heard));
    }
    let delays = react(url, &tokens[AUTHORS..2 * AUTHORS], &posts, &events)?;
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize];
    Ok(vec![
        Line::at_most(format!("{} idle streams, of one core", streams.len()), share, 10.0, "%"),
        Line::plain("a stream, of the host's memory".to_owned(), format!("{each:.0} KB")),
        Line::plain(format!("reaction to event at {RATE}/s, half within"), format!("{:.0} ms", at(0.5))),
        Line::at_most(format!("reaction to event at {RATE}/s, 99 % within"), at(0.99), 250.0, "ms"),
    ])
}

/// As many posts as there will be reactions, so that each is told by itself; their ids, the posts of an author in a row.
fn publish(url: &str, authors: &[String]) -> Result<Vec<String>> {
    let mut posts = Vec::new();
    for token in authors {
        for number in 0..RATE * SECONDS / AUTHORS {
            let body = json!({ "text": format!("post {number}") });
            let answer = http::post_json_as(&format!("{url}/posts"), token, &body, LIMIT)?;
            let id = answer.json()["id"].as_str().map(ToOwned::to_owned);
            posts.push(id.with_context(|| format!("a post was answered with {}", answer.status))?);
        }
    }
    Ok(posts)
}

fn open(url: &str, token: &str) -> Result<TcpStream> {
    let authority = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /realtime HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n\r\n")?;
    let mut status = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut status)?;
    if !status.ends_with(b"200") {
        bail!("a stream was answered with {}", String::from_utf8_lossy(&status));
    }
    stream.set_read_timeout(None)?;
    Ok(stream)
}

/// Tells of each notification which post it is about, as it comes.
fn listen(stream: TcpStream, heard: &Sender<(String, Instant)>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let post =
            line.split_once("\"target\":{\"type\":\"post\",\"id\":\"").and_then(|(_, rest)| rest.get(..36));
        if let Some(post) = post
            && heard.send((post.to_owned(), Instant::now())).is_err()
        {
            return;
        }
    }
}

/// Reacts to every post once, evenly over the time; how long it took until each was told, sorted, in milliseconds.
fn react(
    url: &str,
    tokens: &[String],
    posts: &[String],
    events: &Receiver<(String, Instant)>,
) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let sent: HashMap<String, Instant> = std::thread::scope(|scope| {
        let send = move |sender: usize| -> Result<Vec<(String, Instant)>> {
            let mut sent = Vec::new();
            // Neighbours are of one author: those that follow each other should not be.
            for turn in (sender..posts.len()).step_by(SENDERS) {
                let post = &posts[turn * 37 % posts.len()];
                let due = Duration::from_secs_f64(turn as f64 / RATE as f64);
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
                sent.push((post.clone(), Instant::now()));
                let body = json!({ "type": "like" });
                let path = format!("{url}/reactions/{post}");
                let answer = http::post_json_as(&path, &tokens[turn % tokens.len()], &body, LIMIT)?;
                if answer.status != 200 {
                    bail!("a reaction was answered with {}", answer.status);
                }
            }
            Ok(sent)
        };
        let senders: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || send(sender))).collect();
        let mut all = HashMap::new();
        for sender in senders {
            all.extend(sender.join().map_err(|_| anyhow::anyhow!("a thread ended"))??);
        }
        anyhow::Ok(all)
    })?;
    let mut delays: HashMap<String, f64> = HashMap::new();
    while delays.len() < sent.len() {
        let (post, at) = events.recv_timeout(LIMIT).context("reactions were not told")?;
        if let Some(sent) = sent.get(&post) {
            delays.entry(post).or_insert(at.saturating_duration_since(*sent).as_secs_f64() * 1_000.0);
        }
    }
    let mut delays: Vec<f64> = delays.into_values().collect();
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

/// What a process has, in KB.
fn memory(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no such figure")
}

/// Seconds that a process computed.
fn processor(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may have spaces in it.
    let (_, rest) = stat.rsplit_once(')').context("no such figure")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS)
}
