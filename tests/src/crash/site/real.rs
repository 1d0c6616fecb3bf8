//! PostgreSQL and Supabase Lite: the stack of `cargo xtask supabase up`.

use super::{SignIn, Site, Stored};
use crate::{Account, Org, Stack, sql};
use anyhow::{Context, Result};
use async_trait::async_trait;
use fieldpost::{ConversationId, PersonId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The running stack, with an org of this run's own.
#[derive(Debug)]
pub struct SupabaseSite {
    stack: Stack,
    org: Org,
    victim: SignIn,
    companion: SignIn,
}

impl SupabaseSite {
    /// Makes the org.
    ///
    /// # Errors
    /// If what the stack made cannot be read.
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

    async fn stored(&self) -> Result<Vec<Stored>> {
        let query = format!(
            "select conversation_id, seq, id, content from public.messages where org_id = '{}' order by 1, 2",
            self.org.org_id
        );
        let stored = |row: &Value| {
            let (conversation, id) = (text(row, "conversation_id")?.parse()?, text(row, "id")?.parse()?);
            Ok(Stored { conversation, seq: number(row, "seq")?, id, text: text(row, "content")?.to_owned() })
        };
        rows(query).await?.iter().map(stored).collect()
    }

    async fn unread(&self, person: PersonId) -> Result<BTreeMap<ConversationId, u64>> {
        let query = format!(
            "select c.id, (select count(*) from public.messages m where m.conversation_id = c.id \
             and m.sender_id <> '{person}' and m.deleted_at is null and m.seq > coalesce(r.read_seq, 0)) as unread \
             from public.conversations c left join public.conversation_read_status r \
             on r.conversation_id = c.id and r.user_id = '{person}' where c.org_id = '{}'",
            self.org.org_id
        );
        rows(query).await?.iter().map(|row| Ok((text(row, "id")?.parse()?, number(row, "unread")?))).collect()
    }
}
