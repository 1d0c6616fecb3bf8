//! docs/tour.md is what really happens: each command of it is run, and its output compared.
//!
//! Ids, times, ports, sizes and durations differ from run to run, and are compared by their form. After a change of what a
//! command prints, `FIELDPOST_WRITE_TOUR=1` writes the new output into the file.

use crate::terminal::Terminal;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::Child,
};

/// `fieldpost serve`, which ends with this.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/tour.md")
}

#[test]
fn the_tour_is_what_happens() {
    let text = fs::read_to_string(file()).unwrap();
    let replayed = replay(&text);
    if std::env::var_os("FIELDPOST_WRITE_TOUR").is_some() {
        fs::write(file(), &replayed).unwrap();
    }
    assert!(
        text.matches("\n$ fieldpost ").count() + text.matches("| fieldpost ").count() >= 10,
        "ten commands at least"
    );
    for (number, (told, happened)) in text.lines().zip(replayed.lines()).enumerate() {
        assert_eq!(shape(told), shape(happened), "line {} of docs/tour.md", number + 1);
    }
    assert_eq!(text.lines().count(), replayed.lines().count());
}

/// The same document with the outputs of today.
fn replay(text: &str) -> String {
    let (mut terminal, mut serving) = (Terminal::new(), None);
    let mut lines = Vec::new();
    let mut in_transcript = false;
    for line in text.lines() {
        match line {
            "```console" => in_transcript = true,
            "```" => in_transcript = false,
            _ => {}
        }
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_transcript) else {
            if !in_transcript || line == "```console" {
                lines.push(line.to_owned());
            }
            continue;
        };
        lines.push(line.to_owned());
        if command == "fieldpost serve" {
            let (served, printed) = serve(&mut terminal);
            serving = Some(served);
            lines.extend(printed);
        } else if !command.starts_with("export ") {
            lines.extend(run(&terminal, command));
        }
    }
    drop(serving);
    lines.join("\n") + "\n"
}

/// Starts a server on a free port, and points the terminal to it.
fn serve(terminal: &mut Terminal) -> (Serving, Vec<String>) {
    let mut child = terminal.start(&["serve", "--port", "0"]);
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = Vec::new();
    for line in stdout.lines() {
        let line = line.unwrap();
        for (name, value) in
            [("export SUPABASE_URL=", &mut terminal.url), ("export SUPABASE_ANON_KEY=", &mut terminal.key)]
        {
            if let Some(given) = line.trim().strip_prefix(name) {
                *value = Some(given.to_owned());
            }
        }
        let is_last = line.starts_with("Users:");
        printed.push(line);
        if is_last {
            break;
        }
    }
    (Serving(child), printed)
}

/// Runs `[echo INPUT |] fieldpost ARGUMENTS`.
fn run(terminal: &Terminal, command: &str) -> Vec<String> {
    let (input, command) = match command.strip_prefix("echo ").and_then(|rest| rest.split_once(" | ")) {
        Some((input, command)) => (input, command),
        None => ("", command),
    };
    let words = words(command.strip_prefix("fieldpost ").unwrap());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = terminal.run_with(&words, input);
    let mut printed: Vec<String> = ended.out.lines().chain(ended.err.lines()).map(str::to_owned).collect();
    if ended.code != 0 {
        printed.push(format!("[exit code {}]", ended.code));
    }
    printed
}

/// The words of a command; those in double quotes may hold spaces.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('"').enumerate();
    quoted
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// A line with the form of what differs from run to run in its place.
fn shape(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let next = |place: usize| words.get(place + 1).copied().unwrap_or_default();
    words.iter().enumerate().map(|(place, word)| form(word, next(place))).collect::<Vec<_>>().join(" ")
}

fn form(word: &str, next: &str) -> String {
    let bare = word.trim_end_matches([',', ':', ';', '.', ')']);
    let is = |digits: &str| {
        bare.len() == digits.len()
            && bare.chars().zip(digits.chars()).all(|(c, d)| match d {
                '0' => c.is_ascii_digit(),
                'x' => c.is_ascii_hexdigit(),
                d => c == d,
            })
    };
    if is("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        "ID".to_owned()
    } else if is("xxxxxxxxxxxx") {
        "PART-OF-ID".to_owned()
    } else if is("0000-00-00") {
        "DATE".to_owned()
    } else if is("00:00") {
        "TIME".to_owned()
    } else if next.starts_with("KiB") || next.starts_with("ms") {
        "NUMBER".to_owned()
    } else if word.contains(".medic") {
        "CURSOR".to_owned()
    } else if let Some((before, _)) = word.split_once("127.0.0.1:") {
        format!("{before}127.0.0.1:PORT")
    } else {
        word.to_owned()
    }
}
