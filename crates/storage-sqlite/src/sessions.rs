//! The role that keeps the session.

use crate::{
    SqliteStore,
    db::Durability,
    error::{Fault, Res},
    outbox,
    row::Row,
    sql::{Tx, id, opt_text, text, time},
};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, PersonId, RefreshToken, Session};
use fieldpost_storage::{Sessions, StorageErrorKind, StorageResult};

#[async_trait]
impl Sessions for SqliteStore {
    async fn session(&self) -> StorageResult<Option<Session>> {
        let read = self.db.look("session")?;
        let sql = "SELECT person_id, email, access_token, refresh_token, expires_at FROM session";
        let row = read.tx().one(sql, vec![]).await;
        let session = row.and_then(|row| row.map(|row| from_row(&row)).transpose());
        read.finish(session).await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        let write = self.db.write("save_session", Durability::PowerCut).await?;
        let saved = save(write.tx(), session).await;
        write.finish(saved).await
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        if self.account().await? == Some(person) {
            return Ok(());
        }
        let write = self.db.write("claim", Durability::PowerCut).await?;
        let claimed = claim(write.tx(), person).await;
        write.finish(claimed).await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        let write = self.db.write("clear_session", Durability::PowerCut).await?;
        let cleared = write.tx().run("DELETE FROM session", vec![]).await;
        write.finish(cleared.map(drop)).await
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        let read = self.db.look("account")?;
        let account = account(read.tx()).await;
        read.finish(account).await
    }
}

async fn account(tx: &Tx) -> Res<Option<PersonId>> {
    let row = tx.one("SELECT person_id FROM account WHERE only = 1", vec![]).await?;
    row.map(|row| row.id(0).map(PersonId::from_uuid)).transpose()
}

async fn claim(tx: &Tx, person: PersonId) -> Res<()> {
    match account(tx).await? {
        None => {
            tx.run("INSERT INTO account (only, person_id) VALUES (1, ?)", vec![id(person.as_uuid())]).await?;
            outbox::claim(tx, person).await
        }
        Some(owner) if owner == person => Ok(()),
        Some(_) => Err(Fault::kind(StorageErrorKind::WrongAccount)),
    }
}

async fn save(tx: &Tx, session: &Session) -> Res<()> {
    claim(tx, session.person_id).await?;
    let person = id(session.person_id.as_uuid());
    let sql = "INSERT OR REPLACE INTO session (only, person_id, email, access_token, refresh_token, expires_at) \
        VALUES (1, ?, ?, ?, ?, ?)";
    let values = vec![
        person,
        opt_text(session.email.as_deref()),
        text(session.access_token.reveal()),
        text(session.refresh_token.reveal()),
        time(session.expires_at),
    ];
    tx.run(sql, values).await.map(drop)
}

fn from_row(row: &Row) -> Res<Session> {
    Ok(Session {
        person_id: PersonId::from_uuid(row.id(0)?),
        email: row.get(1)?,
        access_token: AccessToken::new(row.get::<String>(2)?),
        refresh_token: RefreshToken::new(row.get::<String>(3)?),
        expires_at: row.time(4)?,
    })
}
