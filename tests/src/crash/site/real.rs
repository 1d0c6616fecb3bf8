//! PostgreSQL and Supabase Lite: the tests' stack.

use super::{Contents, SignIn, Site, Stored, StoredRecord};
use crate::{Account, Org, Stack, sql};
use anyhow::{Context, Result};
use async_trait::async_trait;
use fieldpost::{ConversationId, MedicId, PersonId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The running stack, with an org for this run.
#[derive(Debug)]
pub struct SupabaseSite {
    stack: Stack,
    org: Org,
    victim: SignIn,
    companion: SignIn,
}

impl SupabaseSite {
    /// Creates the org.
    ///
    /// # Errors
    /// If the stack's output cannot be read.
    pub fn prepare() -> Result<Self> {
        let stack = Stack::running();
        let org = stack.provision(&json!({"medics": 4, "conversations": true, "broadcast": true}));
        let companion = sign_in(org.medics.first().context("no medic")?)?;
        Ok(Self { stack, victim: sign_in(&org.admin)?, companion, org })
    }
}

fn sign_in(account: &Account) -> Result<SignIn> {
    Ok(SignIn { id: account.user_id.parse()?, email: account.email.clone(), password: account.password.clone() })
}

async fn rows(query: String) -> Result<Vec<Value>> {
    let answer = tokio::task::spawn_blocking(move || sql(&query)).await?;
    serde_json::from_value(answer).context("sql.mjs prints rows")
}

fn text<'a>(row: &'a Value, column: &str) -> Result<&'a str> {
    row[column].as_str().with_context(|| format!("{column} of {row}"))
}

fn number(row: &Value, column: &str) -> Result<u64> {
    let value = &row[column];
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).with_context(|| format!("{column} of {row}"))
}

#[async_trait]
impl Site for SupabaseSite {
    fn url(&self) -> &str {
        &self.stack.url
    }

    fn anon_key(&self) -> &str {
        &self.stack.anon_key
    }

    fn victim(&self) -> &SignIn {
        &self.victim
    }

    fn companion(&self) -> &SignIn {
        &self.companion
    }

    async fn contents(&self) -> Result<Contents> {
        let (org, columns) = (&self.org.org_id, "conversation_id, seq, id, content");
        let query = format!("select {columns} from public.messages where org_id = '{org}' order by 1, 2");
        let stored = |row: &Value| {
            let (conversation, id) = (text(row, "conversation_id")?.parse()?, text(row, "id")?.parse()?);
            Ok(Stored { conversation, seq: number(row, "seq")?, id, text: text(row, "content")?.to_owned() })
        };
        let messages = rows(query).await?.iter().map(stored).collect::<Result<_>>()?;
        let query =
            format!("select medic_id, id from public.conversations where org_id = '{org}' and medic_id is not null");
        let direct = |row: &Value| Ok((text(row, "medic_id")?.parse()?, text(row, "id")?.parse()?));
        let directs = rows(query).await?.iter().map(direct).collect::<Result<_>>()?;
        let columns = "coalesce(client_id, id) as id, reference_number, coalesce(treatment_notes, '') as notes";
        let query = format!("select {columns} from public.treatments where org_id = '{org}' order by 1");
        let record = |row: &Value| {
            let (reference, notes) = (text(row, "reference_number")?.to_owned(), text(row, "notes")?.to_owned());
            Ok(StoredRecord { id: text(row, "id")?.parse()?, reference, notes })
        };
        let records = rows(query).await?.iter().map(record).collect::<Result<_>>()?;
        Ok(Contents { messages, directs, records })
    }

    async fn enlist(&self, medics: &[MedicId]) -> Result<()> {
        if medics.is_empty() {
            return Ok(());
        }
        let row = |medic: &MedicId| format!("('{medic}', '{}', 'New', 'Comer')", self.org.org_id);
        let values: Vec<_> = medics.iter().map(row).collect();
        rows(format!(
            "insert into public.medics (id, org_id, first_name, last_name) values {} on conflict do nothing",
            values.join(", ")
        ))
        .await
        .map(drop)
    }

    async fn open_direct(&self, medic: MedicId) -> Result<()> {
        let (org, admin) = (&self.org.org_id, self.victim.id);
        rows(format!(
            "insert into public.conversations (org_id, medic_id, created_by) values ('{org}', '{medic}', '{admin}') \
             on conflict do nothing"
        ))
        .await
        .map(drop)
    }

    async fn unread(&self, person: PersonId) -> Result<BTreeMap<ConversationId, u64>> {
        let query = format!(
            "select c.id, (select count(*) from public.messages m where m.conversation_id = c.id \
             and m.sender_id <> '{person}' and m.deleted_at is null and m.seq > coalesce(r.read_seq, 0)) as unread \
             from public.conversations c join fieldpost.people p on p.org_id = c.org_id and p.user_id = '{person}' \
             left join public.conversation_read_status r on r.conversation_id = c.id and r.user_id = '{person}' \
             where c.org_id = '{}' and (p.role = 'org_admin' or c.type = 'broadcast' or c.medic_id = p.medic_id)",
            self.org.org_id
        );
        rows(query).await?.iter().map(|row| Ok((text(row, "id")?.parse()?, number(row, "unread")?))).collect()
    }
}
