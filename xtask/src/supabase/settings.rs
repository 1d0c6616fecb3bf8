//! Ports, keys and passwords of the stack: created once, kept until `reset`.

use super::write_atomically;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{fs, io::Read, net::TcpListener, path::Path};

/// The database of the real stack.
const DATABASE: &str = "postgres";

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) pg_port: u16,
    pub(super) api_port: u16,
    pub(super) superuser_password: String,
    pub(super) owner_password: String,
    pub(super) jwt_secret: String,
    pub(super) anon_key: String,
    pub(super) service_key: String,
    /// The database that the API serves.
    pub(super) database: String,
}

impl Settings {
    pub(super) fn load_or_make(home: &Path) -> Result<Self> {
        let path = home.join("settings.json");
        if let Some(settings) = fs::read_to_string(&path).ok().and_then(|text| Self::parse(&text)) {
            return Ok(settings);
        }
        let settings = Self::make()?;
        write_atomically(&path, settings.to_json().to_string().as_bytes())?;
        Ok(settings)
    }

    fn make() -> Result<Self> {
        // Both at once, so that they differ.
        let (pg, api) = (free_port()?, free_port()?);
        Ok(Self {
            pg_port: pg.local_addr()?.port(),
            api_port: api.local_addr()?.port(),
            superuser_password: secret(24)?,
            owner_password: secret(24)?,
            jwt_secret: secret(48)?,
            anon_key: format!("sb_publishable_{}", secret(16)?),
            service_key: format!("sb_secret_{}", secret(16)?),
            database: DATABASE.to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value[name].as_str().map(str::to_owned);
        let port = |name: &str| value[name].as_u64().and_then(|port| u16::try_from(port).ok());
        Some(Self {
            pg_port: port("pg_port")?,
            api_port: port("api_port")?,
            superuser_password: field("superuser_password")?,
            owner_password: field("owner_password")?,
            jwt_secret: field("jwt_secret")?,
            anon_key: field("anon_key")?,
            service_key: field("service_key")?,
            database: DATABASE.to_owned(),
        })
    }

    fn to_json(&self) -> Value {
        json!({
            "pg_port": self.pg_port, "api_port": self.api_port, "superuser_password": self.superuser_password,
            "owner_password": self.owner_password, "jwt_secret": self.jwt_secret, "anon_key": self.anon_key,
            "service_key": self.service_key,
        })
    }

    /// The same cluster with another database, served by a separate API on another port.
    pub(super) fn beside(&self, database: &str) -> Result<Self> {
        let api_port = free_port()?.local_addr()?.port();
        Ok(Self { api_port, database: database.to_owned(), ..self.clone() })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// The URL for the owner of the schema, who is no superuser.
    pub(super) fn database_url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{}", self.owner_password, self.pg_port, self.database)
    }

    pub(super) fn superuser_url(&self) -> String {
        format!("postgres://supabase_admin:{}@127.0.0.1:{}/{}", self.superuser_password, self.pg_port, self.database)
    }
}

fn free_port() -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")
}

fn secret(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut buffer))
        .context("cannot read random bytes")?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}
