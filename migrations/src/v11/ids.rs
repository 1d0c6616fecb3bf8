//! The id of every row, by the names that the older app had for it.

use super::{
    clinical::{TABLES, WORKERS},
    items::Items,
    source::Table,
};
use crate::v6::source::new_id;
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};
use std::{borrow::Cow, collections::HashMap};
use uuid::Uuid;

/// New ids by table and old name.
#[derive(Debug, Default)]
pub(super) struct Ids(HashMap<&'static str, HashMap<String, Uuid>>);

impl Ids {
    /// The id of a record, by its old name; a UUID that nobody has names a record of the server.
    pub(super) fn of(&self, table: &str, name: &str) -> Option<Uuid> {
        self.known(table, name).or_else(|| Uuid::try_parse(name).ok())
    }

    /// The id of a record that is here.
    pub(super) fn known(&self, table: &str, name: &str) -> Option<Uuid> {
        self.0.get(table)?.get(name).copied()
    }

    /// The id of a record of any table that is here.
    fn anywhere(&self, name: &str) -> Option<Uuid> {
        self.0.values().find_map(|ids| ids.get(name)).copied()
    }

    /// A text in which whole JSON strings that are old names become ids; everything else stays as it is.
    pub(super) fn follow<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut new = String::new();
        let mut done = 0;
        for (start, end) in strings(text) {
            let Some(id) = text.get(start..end).and_then(|name| self.anywhere(name)) else { continue };
            new += text.get(done..start).unwrap_or_default();
            new += &id.hyphenated().to_string();
            done = end;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        new += text.get(done..).unwrap_or_default();
        Cow::Owned(new)
    }

    /// The id that a carried item names.
    pub(super) fn follow_name(&self, name: &str) -> String {
        self.anywhere(name).map_or_else(|| name.to_owned(), |id| id.hyphenated().to_string())
    }
}

/// Where the strings of a JSON text are, without their quotes.
fn strings(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut open = None;
    let mut escaped = false;
    text.bytes().enumerate().filter_map(move |(at, byte)| match (byte, open) {
        (_, Some(_)) if escaped => {
            escaped = false;
            None
        }
        (b'\\', Some(_)) => {
            escaped = true;
            None
        }
        (b'"', Some(start)) => {
            open = None;
            Some((start, at))
        }
        (b'"', None) => {
            open = Some(at + 1);
            None
        }
        _ => None,
    })
}

pub(super) async fn assign(db: &SchemaManagerConnection<'_>, items: &Items) -> Result<Ids, DbErr> {
    let mut ids = Ids::default();
    for table in TABLES {
        let by_name = ids.0.entry(table.name).or_default();
        let source = Table::open(db, table.name, ["id", "server_id", "created_at"]).await?;
        let mut after = 0;
        loop {
            let rows = source.chunk(db, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.rowid;
            for row in &rows {
                let (name, server_name) = (row.word("id"), row.text("server_id"));
                let key = items.of(table.name, &name, server_name.as_deref()).and_then(|items| items.create_key);
                let id = match row.uuid("server_id").or(key).or_else(|| row.uuid("id")) {
                    Some(id) => id,
                    None => new_id(db, row.time("created_at").unwrap_or(0)).await?,
                };
                for name in [Some(name), server_name].into_iter().flatten() {
                    by_name.entry(name).or_insert(id);
                }
            }
        }
    }
    debug_assert!(ids.0.contains_key(WORKERS));
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_strings_that_are_names_follow() {
        let id = Uuid::from_u128(7);
        let ids = Ids(HashMap::from([(WORKERS, HashMap::from([("worker0000000001".to_owned(), id)]))]));
        let old = r#"{"of": "worker0000000001", "\"worker0000000001": "file:///worker0000000001/a.jpg",  "n": 1}"#;
        let new = old.replacen("\"worker0000000001\"", &format!("\"{id}\""), 1);
        assert_eq!(ids.follow(old), new);
        assert!(matches!(ids.follow("[1, \"x\""), Cow::Borrowed(_)));
    }
}
