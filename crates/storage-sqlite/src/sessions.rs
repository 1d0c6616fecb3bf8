//! The role that keeps the session.

use crate::{
    SqliteStore,
    db::Durability,
    entity::{account, session, value::Id, value::Micros},
    error::{Fault, Res},
    outbox,
    sql::Tx,
};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, PersonId, RefreshToken, Session};
use fieldpost_storage::{Sessions, StorageErrorKind, StorageResult};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, Iterable, sea_query::OnConflict};

#[async_trait]
impl Sessions for SqliteStore {
    async fn session(&self) -> StorageResult<Option<Session>> {
        let read = self.db.look("session")?;
        let session = read.tx().find_one::<session::Model>(&session::Entity::find()).await;
        read.finish(session.map(|session| session.map(Session::from))).await
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

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        // What is deleted in a page is overwritten there (`secure_delete`). The former page is in the log, until that is emptied.
        self.db.empty_log("forget_former_sessions").await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        let write = self.db.write("clear_session", Durability::PowerCut).await?;
        let cleared = write.tx().execute(&session::Entity::delete_many()).await;
        write.finish(cleared.map(drop)).await
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        let read = self.db.look("account")?;
        let account = account(read.tx()).await;
        read.finish(account).await
    }
}

async fn account(tx: &Tx) -> Res<Option<PersonId>> {
    let account = tx.find_one::<account::Model>(&account::Entity::find()).await?;
    Ok(account.map(|account| PersonId::from_uuid(account.person_id.0)))
}

async fn claim(tx: &Tx, person: PersonId) -> Res<()> {
    match account(tx).await? {
        None => {
            let owned = account::ActiveModel { only: Set(ONLY), person_id: Set(Id(person.as_uuid())) };
            tx.execute(&account::Entity::insert(owned)).await?;
            outbox::claim(tx, person).await
        }
        Some(owner) if owner == person => Ok(()),
        Some(_) => Err(Fault::kind(StorageErrorKind::WrongAccount)),
    }
}

/// The key of a table of one row.
const ONLY: i64 = 1;

async fn save(tx: &Tx, session: &Session) -> Res<()> {
    claim(tx, session.person_id).await?;
    let kept = session::Model {
        only: ONLY,
        person_id: Id(session.person_id.as_uuid()),
        email: session.email.clone(),
        access_token: session.access_token.reveal().to_owned(),
        refresh_token: session.refresh_token.reveal().to_owned(),
        expires_at: Micros(session.expires_at),
    };
    let columns = session::Column::iter().filter(|column| !matches!(column, session::Column::Only));
    let instead = OnConflict::column(session::Column::Only).update_columns(columns).to_owned();
    // A model that was read is unchanged; this one was not.
    let kept = session::Entity::insert(kept.into_active_model().reset_all()).on_conflict(instead);
    tx.execute(&kept).await.map(drop)
}

impl From<session::Model> for Session {
    fn from(kept: session::Model) -> Self {
        Self {
            person_id: PersonId::from_uuid(kept.person_id.0),
            email: kept.email,
            access_token: AccessToken::new(kept.access_token),
            refresh_token: RefreshToken::new(kept.refresh_token),
            expires_at: kept.expires_at.0,
        }
    }
}
