//! What the worker tells: lines of JSON on standard error, or on a terminal short lines above one line of progress
//! for each job. No URL and no token is ever handed to it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// How the work goes.
    Info,
    /// Something failed that is tried again, or a file could not be used.
    Warn,
    /// Something only the operator can mend.
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The log, or that of one job.
#[derive(Clone, Debug)]
pub struct Log {
    screen: Arc<Mutex<Screen>>,
    terminal: bool,
    job: Option<Arc<JobName>>,
}

#[derive(Debug)]
struct JobName {
    id: String,
    key: String,
}

#[derive(Debug, Default)]
struct Screen {
    /// The line of progress of each job, by its id.
    lines: BTreeMap<String, String>,
    /// How many of them stand on the terminal now.
    drawn: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self::new(std::io::stderr().is_terminal())
    }
}

impl Log {
    /// A log for a terminal, or of JSON.
    pub fn new(terminal: bool) -> Self {
        Self { screen: Arc::default(), terminal, job: None }
    }

    /// The same log, with the job in every line.
    pub fn of_job(&self, id: &str, key: &str) -> Self {
        Self { job: Some(Arc::new(JobName { id: id.into(), key: key.into() })), ..self.clone() }
    }

    /// How the work goes.
    pub fn info(&self, message: &str, fields: &[(&str, &dyn Display)]) {
        self.say(Level::Info, message, fields);
    }

    /// Something failed that is tried again, or a file could not be used.
    pub fn warn(&self, message: &str, fields: &[(&str, &dyn Display)]) {
        self.say(Level::Warn, message, fields);
    }

    /// Something only the operator can mend.
    pub fn error(&self, message: &str, fields: &[(&str, &dyn Display)]) {
        self.say(Level::Error, message, fields);
    }

    /// Rewrites the job's line of progress; nothing where nobody looks.
    pub fn progress(&self, what: &str, percent: u8) {
        let Some(job) = self.job.as_ref().filter(|_| self.terminal) else { return };
        let bar = "#".repeat(usize::from(percent) / 5);
        let line = format!("{} [{bar:<20}] {percent:>3} % {what}", job.key);
        self.draw("", |lines| {
            lines.insert(job.id.clone(), line);
        });
    }

    /// Takes the job's line of progress away.
    pub fn end_progress(&self) {
        let Some(job) = self.job.as_ref().filter(|_| self.terminal) else { return };
        self.draw("", |lines| {
            lines.remove(&job.id);
        });
    }

    fn say(&self, level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
        let job = self.job.as_deref();
        if self.terminal {
            self.draw(&for_people(level, message, job, fields), |_| ());
        } else {
            let time = jiff::Timestamp::now();
            eprintln!("{}", as_json(&format!("{time:.3}"), level, message, job, fields));
        }
    }

    /// Writes `said` above the lines of progress, changed by `change`, in one write.
    fn draw(&self, said: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut screen.lines);
        let mut text = String::new();
        if screen.drawn > 0 {
            text.push_str(&format!("\x1b[{}A\x1b[J", screen.drawn));
        }
        if !said.is_empty() {
            text.push_str(said);
            text.push('\n');
        }
        for line in screen.lines.values() {
            text.push_str(line);
            text.push('\n');
        }
        screen.drawn = screen.lines.len();
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

fn for_people(level: Level, message: &str, job: Option<&JobName>, fields: &[(&str, &dyn Display)]) -> String {
    let mut text = match level {
        Level::Info => message.to_owned(),
        Level::Warn | Level::Error => format!("{}: {message}", level.as_str()),
    };
    if let Some(job) = job {
        text = format!("{} {text}", job.key);
    }
    for (name, value) in fields {
        text.push_str(&format!(", {name} {value}"));
    }
    // What a program said may hold sequences that a terminal obeys.
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn as_json(
    time: &str,
    level: Level,
    message: &str,
    job: Option<&JobName>,
    fields: &[(&str, &dyn Display)],
) -> String {
    let mut line = Map::new();
    let mut put = |name: &str, value: String| line.insert(name.to_owned(), Value::String(value));
    put("time", time.to_owned());
    put("level", level.as_str().to_owned());
    put("message", message.to_owned());
    if let Some(job) = job {
        put("job", job.id.clone());
        put("key", job.key.clone());
    }
    for (name, value) in fields {
        put(name, value.to_string());
    }
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_machines_names_the_job_and_its_fields() {
        let job = JobName { id: "7".into(), key: "k".into() };
        let line = as_json("now", Level::Warn, "failed", Some(&job), &[("code", &"truncated")]);
        let expected = serde_json::json!({
            "time": "now", "level": "warn", "message": "failed", "job": "7", "key": "k", "code": "truncated",
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }

    #[test]
    fn a_line_for_people_holds_nothing_a_terminal_obeys() {
        let line = for_people(Level::Error, "failed", None, &[("words", &"\x1b[2Jgone\nnext")]);
        assert_eq!(line, "error: failed, words  [2Jgone next");
    }
}
