//! `fieldpost login` and `fieldpost logout`.

use super::outbox;
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::{EntryState, Password, Wipe};
use serde_json::json;
use std::io::BufRead;
use zeroize::Zeroizing;

pub(super) async fn login(device: &Device, email: &str, output: &Output) -> Result<(), Failure> {
    let password = read_password()?;
    let person = device.client.sign_in(email, password.reveal()).await?;
    output.result(&json!({"signed_in": true, "person_id": person, "email": email}), || {
        format!("Signed in as {email}. Now run `fieldpost sync`.")
    });
    Ok(())
}

/// The first line, without its line break. A password may begin or end with spaces.
fn read_password() -> Result<Password, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::error)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("the password is expected on standard input: `… --password-stdin < file`"));
    }
    Ok(Password::new(password))
}

pub(super) async fn logout(device: &Device, wipe: bool, output: &Output) -> Result<(), Failure> {
    let unsent = device.client.sign_out(if wipe { Wipe::Everything } else { Wipe::Keep }).await?;
    let failed = unsent.iter().filter(|entry| matches!(entry.state, EntryState::Failed(_))).count();
    let pending = unsent.len() - failed;
    // A program that wipes gets the texts too: they cannot be read afterwards.
    let entries: Vec<_> = unsent.iter().map(outbox::as_json).collect();
    let value = json!({"signed_in": false, "pending": pending, "failed": failed, "wiped": wipe, "unsent": entries});
    output.result(&value, || match (unsent.len(), wipe) {
        (0, false) => "Signed out.".to_owned(),
        (0, true) => "Signed out, and everything on this device is forgotten.".to_owned(),
        (waiting, false) => {
            format!("Signed out. {waiting} not yet on the server; they are kept for when you sign in again.")
        }
        (lost, true) => format!("Signed out, and everything on this device is forgotten, {lost} never sent included:"),
    });
    if wipe {
        // The last chance to see the texts.
        unsent.iter().filter_map(|entry| entry.content.as_deref()).for_each(|text| output.tell(&one_line(text)));
    }
    Ok(())
}
