//! `fieldpost login` and `fieldpost logout`.

use crate::{device::Device, failure::Failure, output::Output};
use serde_json::json;
use std::io::BufRead;

pub(super) async fn login(device: &Device, email: &str, output: &Output) -> Result<(), Failure> {
    let password = read_password()?;
    let person = device.client.sign_in(email, &password).await?;
    output.result(&json!({"signed_in": true, "person_id": person, "email": email}), || {
        format!("Signed in as {email}. Now run `fieldpost sync`.")
    });
    Ok(())
}

/// The first line, without its line break. A password may begin or end with blanks.
fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::error)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("the password is expected on standard input: `… --password-stdin < file`"));
    }
    Ok(password.to_owned())
}

pub(super) async fn logout(device: &Device, output: &Output) -> Result<(), Failure> {
    let left = device.client.sign_out().await?;
    output.result(&json!({"signed_in": false, "pending": left.pending, "failed": left.failed}), || {
        match left.pending + left.failed {
            0 => "Signed out.".to_owned(),
            waiting => {
                format!("Signed out. {waiting} not yet on the server; they are kept for when you sign in again.")
            }
        }
    });
    Ok(())
}
