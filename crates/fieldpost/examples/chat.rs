//! A small chat: sends what is typed and shows the messages of the thread, online or offline.
//!
//! ```text
//! cargo run -- serve &                       # a stand-in server; prints its address and key
//! cargo run -p fieldpost --example chat -- <url> <key> ada.db ada@fieldpost.test fieldpost-demo
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

use fieldpost::{Conversation, ConversationKind, Fieldpost, ThreadMessage, VectorDiff, Window};
use std::{error::Error, io::Write};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

type Done = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, file, email, password] = &arguments[..] else {
        return Err("usage: chat <url> <key> <file> <email> <password>".into());
    };
    let client = Fieldpost::builder().url(url).anon_key(key).database(file).open().await?;
    if !client.is_signed_in().await? {
        client.sign_in(email, password).await?;
        client.sync().await?;
    }
    // Starts background sync.
    client.start().await;
    let list = client.conversations().await?;
    let first = list.iter().find(|one| one.kind == ConversationKind::Direct).ok_or("no conversation yet")?;
    println!("— {} —", first.participant_name);
    chat(&client.conversation(first.id), BufReader::new(tokio::io::stdin()), std::io::stdout()).await?;
    client.close().await?;
    Ok(())
}

/// Runs until the input ends.
pub(crate) async fn chat(
    conversation: &Conversation,
    input: impl AsyncBufRead + Unpin,
    mut output: impl Write,
) -> Done {
    let mut typed = input.lines();
    let (window, mut updates) = conversation.watch(Window::newest(20)).await?;
    for message in &window.messages {
        show(&mut output, message)?;
    }
    loop {
        tokio::select! {
            line = typed.next_line() => match line? {
                Some(text) => drop(conversation.send(&text).await?),
                None => return Ok(()),
            },
            update = updates.next() => match update {
                Some(update) => update?.diffs.iter().try_for_each(|diff| follow(&mut output, diff))?,
                None => return Ok(()),
            },
        }
    }
}

/// A terminal cannot change a printed line, so a changed message is printed again.
fn follow(output: &mut impl Write, diff: &VectorDiff<ThreadMessage>) -> std::io::Result<()> {
    match diff {
        VectorDiff::PushBack { value } | VectorDiff::Insert { value, .. } | VectorDiff::Set { value, .. } => {
            show(output, value)
        }
        _ => Ok(()),
    }
}

fn show(output: &mut impl Write, message: &ThreadMessage) -> std::io::Result<()> {
    let who = if message.mine { "me" } else { message.sender_name.as_str() };
    let text = message.content.as_deref().unwrap_or("(deleted)");
    writeln!(output, "{who}: {text}  [{}]", message.status)
}
