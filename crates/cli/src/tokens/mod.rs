//! Where the tokens of the session lie: in the keyring of the platform, where there is one, else in the file.
//!
//! `login` decides, unless `--tokens` has: it tries the keyring, and says so when the tokens go into the file. Every other command
//! finds them where they are.

mod none;
mod secret_tool;

use crate::{args::DeviceArgs, failure::Failure, output::Output};
use clap::ValueEnum;
use fieldpost::{Builder, Secret, SecretError, SecretErrorKind, SecretName, SecretStore};
use none::NoKeyring;
use secret_tool::SecretTool;
use std::sync::Arc;

/// Where tokens are to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokensIn {
    /// In the database, with everything else
    File,
    /// In the keyring of the platform
    Keyring,
}

/// The keyring of this machine, or why there is none.
pub(crate) fn keyring() -> Result<Arc<dyn SecretStore>, String> {
    SecretTool::find().map(|tool| Arc::new(tool) as Arc<dyn SecretStore>)
}

/// What a builder needs to find the tokens where they are, or to keep them where they were chosen to be.
pub(crate) fn kept(builder: Builder, args: &DeviceArgs) -> Result<Builder, Failure> {
    let keyring = keyring();
    Ok(match (args.tokens, keyring) {
        (Some(TokensIn::File), Ok(former)) => builder.secrets_no_longer_in(former),
        (Some(TokensIn::File), Err(why)) => builder.secrets_no_longer_in(Arc::new(NoKeyring(why))),
        (Some(TokensIn::Keyring) | None, Ok(keyring)) => builder.secrets(keyring),
        (Some(TokensIn::Keyring), Err(why)) => {
            return Err(Failure::usage(format!("there is no keyring here: {why}; use --tokens file")));
        }
        // Tokens that are in the file stay there.
        (None, Err(why)) => builder.secrets(Arc::new(NoKeyring(why))),
    })
}

/// Decides for a `login` for which nobody has: the keyring if it keeps what it is given, else the file, which is said.
pub(crate) async fn decided(args: &DeviceArgs, output: &Output) -> DeviceArgs {
    if args.tokens.is_some() {
        return args.clone();
    }
    let tried = match keyring() {
        Ok(keyring) => try_out(&*keyring).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    let tokens = match tried {
        Ok(()) => TokensIn::Keyring,
        Err(why) => {
            output.note(&format!(
                "the tokens of the session are kept in the file, because no keyring can be used here: {why} (--tokens file \
                 says nothing of it)"
            ));
            TokensIn::File
        }
    };
    DeviceArgs { tokens: Some(tokens), ..args.clone() }
}

/// Whether a keyring keeps what it is given. One without a password that nobody can unlock answers every question, and keeps
/// nothing.
async fn try_out(keyring: &dyn SecretStore) -> Result<(), SecretError> {
    let other = |detail: &str| SecretError::new(SecretErrorKind::Other, detail);
    let name = SecretName::parse(&format!("probe-{}", std::process::id())).ok_or_else(|| other("no name"))?;
    let probe = Secret::new("probe");
    keyring.put(&name, &probe).await?;
    let found = keyring.get(&name).await?;
    keyring.delete(&name).await?;
    if found == Some(probe) { Ok(()) } else { Err(other("it does not give back what it was given")) }
}
