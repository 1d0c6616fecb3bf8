//! A first load over a slow line, by processes that sync once each, and by one that watches.

use super::{
    Measured, Sink, measured,
    terminal::{MEDIC, Terminal, seconds},
};
use anyhow::Result;
use fieldpost_devserver::LineConditions;
use fieldpost_remote::reference::SeededRandom;
use std::{path::Path, time::Duration};
use tokio::time::Instant;

const MESSAGES: usize = 100;
const CHARACTERS: usize = 5_000;
const PROCESSES: usize = 6;

/// The first of a block of 256 letters.
const CYRILLIC: u32 = 0x400;

/// Bytes per second, and lost packets of a hundred.
const LINES: [(&str, u32, u32); 2] = [("7 kB/s", 7_000, 0), ("2 kB/s, 5 % lost", 2_000, 5)];

pub(super) async fn measure(program: &Path, sink: Sink<'_>) -> Result<()> {
    for (line, speed, lost) in LINES {
        for watches in [false, true] {
            sink(one(program, line, (speed, lost), watches).await?);
        }
    }
    Ok(())
}

/// Letters at random, which hardly compress: half a megabyte on the line, more than comes in the time of a call.
fn texts() -> Vec<String> {
    let mut random = SeededRandom::new(7);
    let mut letter = || char::from_u32(CYRILLIC + u32::try_from(random.below(256)).unwrap_or_default()).unwrap_or('x');
    (0..MESSAGES).map(|_| (0..CHARACTERS).map(|_| letter()).collect()).collect()
}

/// A device that has signed in, and has everything still to come.
async fn filled(program: &Path) -> Result<Terminal> {
    let terminal = Terminal::new(program).await?;
    terminal.reference.insert_messages(terminal.thread, terminal.admin, &texts());
    terminal.login(MEDIC).await?;
    Ok(terminal)
}

/// What one sync over a good line brings.
async fn bytes_of_a_load(program: &Path) -> Result<u64> {
    let terminal = filled(program).await?;
    let before = terminal.network.tally().bytes_down;
    terminal.must(&["sync"]).await?;
    Ok(terminal.network.tally().bytes_down - before)
}

async fn one(program: &Path, line: &str, (speed, lost): (u32, u32), watches: bool) -> Result<Vec<Measured>> {
    let case = format!("{line}, {}", if watches { "`sync --watch`" } else { "`sync`, a process each" });
    let bytes = bytes_of_a_load(program).await?;
    let terminal = filled(program).await?;
    let conditions =
        LineConditions { bytes_per_second: Some(speed), lost_of_hundred: lost, ..LineConditions::default() };
    terminal.network.line(conditions);
    let most = Duration::from_secs(u64::from(600 * 7_000 / speed.max(1)).min(1_500));
    let begun = Instant::now();
    let (mut first, mut whole, mut processes) = (None, None, 0);
    let mut process = None;
    while whole.is_none() && begun.elapsed() < most {
        let over = match &mut process {
            None => true,
            Some(running) => tokio::process::Child::try_wait(running)?.is_some(),
        };
        if over {
            if processes == PROCESSES {
                break;
            }
            processes += 1;
            process = Some(terminal.start(if watches { &["sync", "--watch"] } else { &["sync"] })?);
        }
        let count = terminal.shown().await?.len();
        first = first.or((count > 0).then(|| begun.elapsed()));
        whole = whole.or((count >= MESSAGES).then(|| begun.elapsed()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let gave_up = whole.is_none() && processes == PROCESSES;
    let ideal = Duration::from_secs_f64(bytes as f64 / f64::from(speed));
    let ratio = whole.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64() / ideal.as_secs_f64()));
    Ok(vec![
        measured(&case, "first messages after", seconds(first, most)),
        measured(
            &case,
            "all after",
            if gave_up { format!("not in {PROCESSES} processes") } else { seconds(whole, most) },
        ),
        measured(&case, "times what the bytes take", ratio),
        measured(&case, "processes", processes.to_string()),
    ])
}
