//! What answers is not the server, or not in a state to: does a watching process go on, and what does a single one say?

use super::{
    Measured, Sink, measured,
    terminal::{Terminal, seconds, until},
};
use anyhow::Result;
use fieldpost_devserver::{Endpoint, Fault, FaultMix};
use std::{path::Path, time::Duration};

const CASES: [(&str, Fault); 5] = [
    ("captive portal, 200 and a page", Fault::Portal),
    ("captive portal, 302", Fault::PortalRedirect),
    ("captive portal, 404 and a page", Fault::PortalNotFound),
    ("functions missing (PGRST202)", Fault::NoFunction),
    ("clock of the server wrong (PGRST303)", Fault::WrongClock),
];

const TEXT: &str = "from behind the portal";

/// How long the portal stands there, and how long the message may take after it.
const STRETCH: Duration = Duration::from_secs(30);
const AFTER: Duration = Duration::from_secs(70);

pub(super) async fn measure(program: &Path, sink: Sink<'_>) -> Result<()> {
    for (case, fault) in CASES {
        sink(one(program, case, fault).await?);
    }
    Ok(())
}

/// Tokens are issued all the same when only the messaging calls refuse them.
fn put_up(terminal: &Terminal, fault: Fault) {
    if fault == Fault::WrongClock || fault == Fault::NoFunction {
        for endpoint in [Endpoint::Bootstrap, Endpoint::Pull, Endpoint::Push, Endpoint::History] {
            terminal.network.order(endpoint, u32::MAX, fault);
        }
    } else {
        terminal.network.set(FaultMix::none().with(fault, 100));
    }
}

async fn one(program: &Path, case: &str, fault: Fault) -> Result<Vec<Measured>> {
    let terminal = Terminal::of_medic(program).await?;
    terminal.write(TEXT).await?;
    put_up(&terminal, fault);
    let once = terminal.run(&["sync"]).await?;
    let mut watching = terminal.start(&["sync", "--watch", "--every", "5"])?;
    terminal.server.requests().clear();
    let ended = tokio::time::timeout(STRETCH, watching.wait()).await.is_ok();
    let refreshes = terminal.server.requests().count(Endpoint::Token);
    terminal.network.heal();
    let arrived = async || Ok(terminal.arrived(TEXT));
    let sent = if ended { None } else { until(AFTER, arrived).await? };
    Ok(vec![
        measured(case, "exit code of `sync`", once.status.code().map_or_else(String::new, |code| code.to_string())),
        measured(case, "`sync --watch` after 30 s", if ended { "has ended" } else { "goes on" }),
        measured(case, "refreshes meanwhile", refreshes.to_string()),
        measured(case, "sent after the portal is gone", seconds(sent, AFTER)),
    ])
}
