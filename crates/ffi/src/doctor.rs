//! A diagnosis: what is wrong, and how to fix it.

use crate::{Client, Failure, FieldpostError, Result, moment};
use fieldpost::PersonId;

/// A problem. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Finding {
    /// A stable name, for programs.
    pub code: String,
    /// In words for a person.
    pub text: String,
}

/// How one thing is protected.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Protection {
    /// What it is about: a stable name, for programs.
    pub subject: String,
    /// How safe it is: `protected`, `open`, `elsewhere` or `unknown`.
    pub safety: String,
    /// In words for a person.
    pub text: String,
}

/// The state of a client ([`fieldpost::Diagnosis`]).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Diagnosis {
    /// The problems; empty if there are none.
    pub findings: Vec<Finding>,
    /// What protects messages and tokens on this device, and what Fieldpost does not protect.
    pub protection: Vec<Protection>,
    /// The owner of the database.
    pub owner: Option<PersonId>,
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// The version of the file's schema.
    pub schema_version: Option<u32>,
    /// The size of the file in bytes.
    pub bytes: Option<u64>,
    /// The version of the cipher, if the file is encrypted.
    pub encryption: Option<String>,
    /// The SQL version of the server, once it has answered.
    pub server_sql: Option<u32>,
    /// Why the server did not answer, if it was asked.
    pub server_failure: Option<Failure>,
    /// How many single rows or mutations were too large to transfer.
    pub oversized: u32,
}

#[uniffi::export]
impl Client {
    /// Examines this device, and asks the server once if that is wanted. Changes nothing.
    ///
    /// # Errors
    /// If the store cannot be read; all other failures are part of the diagnosis.
    #[uniffi::method(default(ask_server = true))]
    pub async fn diagnose(&self, ask_server: bool) -> Result<Diagnosis> {
        self.run(|client| async move {
            let diagnosis = if ask_server { client.diagnose().await? } else { client.diagnose_offline().await? };
            Ok(diagnosis.into())
        })
        .await
    }

    /// What came over from the app that Fieldpost replaces, as JSON; none if nothing did.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn imported(&self) -> Result<Option<String>> {
        self.run(|client| async move {
            let report = client.imported().await?;
            let json = report.map(|report| serde_json::to_string(&report)).transpose();
            json.map_err(|error| FieldpostError::new(crate::ErrorKind::Internal, error.to_string()))
        })
        .await
    }
}

impl From<fieldpost::Diagnosis> for Diagnosis {
    fn from(diagnosis: fieldpost::Diagnosis) -> Self {
        let server_sql = diagnosis.installed_sql();
        let found =
            |finding: &fieldpost::Finding| Finding { code: finding.code().to_owned(), text: finding.to_string() };
        let protects = |protection: fieldpost::Protection| Protection {
            subject: protection.subject.to_owned(),
            safety: protection.safety.code().to_owned(),
            text: protection.text,
        };
        Self {
            findings: diagnosis.findings.iter().map(found).collect(),
            protection: diagnosis.protection.into_iter().map(protects).collect(),
            owner: diagnosis.owner,
            signed_in: diagnosis.signed_in,
            schema_version: diagnosis.database.schema_version,
            bytes: diagnosis.database.bytes,
            encryption: diagnosis.database.encryption,
            server_sql,
            server_failure: diagnosis.server.and_then(std::result::Result::err).map(Into::into),
            oversized: moment::count(diagnosis.oversized),
        }
    }
}
