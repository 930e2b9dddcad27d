#![doc = include_str!("../README.md")]

mod bench;
mod doctor;
mod generated;
mod http;
mod objects;
mod options;
mod player;
mod process;
mod project;
mod rebuild;
mod stack;
mod state;
mod steps;
mod test;
mod transcoder;
mod up;
mod welcome;

use std::process::ExitCode;

use options::Command;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match options::parse(&arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            println!("{}", options::USAGE);
            Ok(true)
        }
        Command::Up(options) => up::up(&options).map(|()| true),
        Command::Test(options) => test::test(&options),
        Command::Doctor(options) => doctor::doctor(&options),
        Command::Rebuild(options) => rebuild::rebuild(&options).map(|()| true),
        Command::Bench(options) => bench::bench(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
