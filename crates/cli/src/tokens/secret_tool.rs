//! The keyring of a Linux desktop (Secret Service: GNOME Keyring, KWallet, KeePassXC) by `secret-tool` of libsecret.
//!
//! The tool costs a build nothing, where a client of D-Bus is 45 more crates. Secrets go through pipes: arguments can be read by
//! other users of the machine. It has habits that were tried (libsecret 0.20):
//!
//! * `lookup` and `clear` end with 1 and say nothing, both if there is no such secret and if the keyring is locked. `search` lists a
//!   locked secret without its value, so it tells which.
//! * `store` cuts what is longer than 8,191 bytes and reports success.

use crate::terminal::one_line;
use fieldpost::{Secret, SecretError, SecretErrorKind, SecretName, SecretStore, async_trait};
use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};
use zeroize::Zeroizing;

const TOOL: &str = "secret-tool";

/// The most that the tool keeps whole.
const MOST: usize = 8_000;

/// How long a call may take. A person may have to enter the password of the keyring meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// The keyring of the desktop.
pub(super) struct SecretTool {
    program: PathBuf,
}

/// What the tool answered.
struct Answer {
    success: bool,
    output: Zeroizing<Vec<u8>>,
    said: String,
}

impl SecretTool {
    /// Finds the tool, and the bus that it needs; or says what is missing.
    pub(super) fn find() -> Result<Self, String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let program = env::split_paths(&path).map(|folder| folder.join(TOOL)).find(|program| program.is_file());
        let program = program.ok_or_else(|| format!("{TOOL} is not installed"))?;
        if has_bus() { Ok(Self { program }) } else { Err("there is no session of a desktop (D-Bus)".to_owned()) }
    }

    async fn call(&self, words: &[&str], name: &SecretName, input: Option<&str>) -> Result<Answer, SecretError> {
        let mut command = Command::new(&self.program);
        command.args(words).args(["application", "fieldpost", "name", name.as_str()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| failed(&error.to_string()).with_source(error))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A tool that does not read its input says why, below.
            let _ = pipe.write_all(input.unwrap_or_default().as_bytes()).await;
        }
        let ended = timeout(PATIENCE, child.wait_with_output()).await;
        let ended = ended.map_err(|_| failed("it does not answer"))?;
        let ended = ended.map_err(|error| failed(&error.to_string()).with_source(error))?;
        let said = one_line(String::from_utf8_lossy(&ended.stderr).trim());
        Ok(Answer { success: ended.status.success(), output: Zeroizing::new(ended.stdout), said })
    }

    /// Whether there is such a secret, locked or not.
    async fn is_listed(&self, name: &SecretName) -> Result<bool, SecretError> {
        let answer = self.call(&["search"], name, None).await?;
        if answer.success { Ok(!answer.output.is_empty()) } else { Err(failed(&answer.said)) }
    }
}

fn has_bus() -> bool {
    let named = env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty());
    let usual = || env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    named || usual()
}

fn failed(why: &str) -> SecretError {
    let why = if why.is_empty() { "it is locked, or does not allow it" } else { why };
    SecretError::new(SecretErrorKind::Unavailable, why)
}

#[async_trait]
impl SecretStore for SecretTool {
    fn describe(&self) -> String {
        "the keyring of this desktop".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        let answer = self.call(&["lookup"], name, None).await?;
        if answer.success {
            let text = serde_json::from_slice(&answer.output).map(|text: String| Secret::new(text));
            return text
                .map(Some)
                .map_err(|_| SecretError::new(SecretErrorKind::Other, "what it keeps is not Fieldpost's"));
        }
        if !answer.said.is_empty() || self.is_listed(name).await? {
            return Err(failed(&answer.said));
        }
        Ok(None)
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        // As JSON it has one line.
        let other = |error| SecretError::new(SecretErrorKind::Other, "not a text").with_source(error);
        let text = Zeroizing::new(serde_json::to_string(secret.reveal()).map_err(other)?);
        if text.len() > MOST {
            return Err(SecretError::new(SecretErrorKind::Other, format!("the session is longer than {MOST} bytes")));
        }
        let answer = self.call(&["store", "--label=Fieldpost"], name, Some(&text)).await?;
        if answer.success { Ok(()) } else { Err(failed(&answer.said)) }
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        let answer = self.call(&["clear"], name, None).await?;
        if !answer.success && (!answer.said.is_empty() || self.is_listed(name).await?) {
            return Err(failed(&answer.said));
        }
        Ok(())
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]
mod tests {
    use super::{MOST, SecretTool};
    use fieldpost::{Secret, SecretErrorKind, SecretName, SecretStore};
    use fieldpost_storage::conformance::secrets::SecretPlace;
    use std::{fs, path::Path, sync::Arc};
    use tempfile::TempDir;

    /// A machine with the double of the tool.
    struct Machine(TempDir);

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let double = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/secret-tool");
            std::os::unix::fs::symlink(double, folder.path().join("secret-tool")).unwrap();
            Self(folder)
        }

        fn tool(&self) -> SecretTool {
            SecretTool { program: self.0.path().join("secret-tool") }
        }
    }

    impl SecretPlace for Machine {
        fn open(&self) -> Arc<dyn SecretStore> {
            Arc::new(self.tool())
        }
    }

    fieldpost_storage::secret_conformance!(Machine::new());

    fn name() -> SecretName {
        SecretName::parse("session-1").unwrap()
    }

    #[tokio::test]
    async fn a_locked_keyring_is_out_of_reach_and_has_lost_nothing() {
        let machine = Machine::new();
        let tool = machine.tool();
        tool.put(&name(), &Secret::new("tokens")).await.unwrap();
        fs::write(machine.0.path().join("locked"), "").unwrap();
        let kinds = [
            tool.get(&name()).await.unwrap_err().kind(),
            tool.put(&name(), &Secret::new("rotated")).await.unwrap_err().kind(),
            tool.delete(&name()).await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [SecretErrorKind::Unavailable; 3]);

        fs::remove_file(machine.0.path().join("locked")).unwrap();
        assert_eq!(tool.get(&name()).await.unwrap(), Some(Secret::new("tokens")));
    }

    #[tokio::test]
    async fn what_the_tool_would_cut_is_refused_and_the_former_secret_stays() {
        let machine = Machine::new();
        let tool = machine.tool();
        tool.put(&name(), &Secret::new("tokens")).await.unwrap();
        let error = tool.put(&name(), &Secret::new("x".repeat(MOST))).await.unwrap_err();
        assert_eq!(error.kind(), SecretErrorKind::Other);
        assert_eq!(tool.get(&name()).await.unwrap(), Some(Secret::new("tokens")));
    }

    #[tokio::test]
    async fn a_tool_that_cannot_be_started_is_out_of_reach() {
        let tool = SecretTool { program: "/nowhere/secret-tool".into() };
        assert_eq!(tool.get(&name()).await.unwrap_err().kind(), SecretErrorKind::Unavailable);
    }
}
