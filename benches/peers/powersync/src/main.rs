//! PowerSync's Rust SDK loads a number of messages from a stream that costs nothing: the rows of
//! `benches/src/scene.rs`, as BSON, the SDK's format, in one bucket with lines of 1,000 rows, as its service sends
//! them.
//!
//! `fieldpost-peer-powersync <messages>` prints one JSON object: seconds and CPU seconds until the rows can be read,
//! and the size of the file.

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use bson::{Bson, doc};
use futures_lite::{StreamExt, stream};
use powersync::{
    Authenticator, ConnectionPool, PowerSyncDatabase, SyncOptions,
    env::PowerSyncEnvironment,
    error::PowerSyncError,
    http::{HttpClient, Request, Response, ResponseBody},
    schema::{Column, Index, IndexedColumn, Schema, Table},
};
use std::{fs, path::Path, sync::Arc, time::Instant};

const CONVERSATIONS: u64 = 200;
const LINE: u64 = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let messages: u64 = std::env::args().nth(1).context("how many messages?")?.parse()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("powersync.db");
    let service = Service(Arc::new(lines(messages)?));
    PowerSyncEnvironment::powersync_auto_extension()?;
    let environment = PowerSyncEnvironment::custom(service, ConnectionPool::open(&path)?, PowerSyncEnvironment::tokio());
    let database = PowerSyncDatabase::new(environment, schema());
    drop(database.writer().await?);
    let (started, cpu) = (Instant::now(), cpu());
    database.connect(SyncOptions::download_only("http://nowhere.invalid", Nobody)).await;
    let mut status = Box::pin(database.watch_status());
    while let Some(status) = status.next().await {
        if let Some(error) = status.download_error() {
            anyhow::bail!("{error}");
        }
        if status.has_synced() {
            break;
        }
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), self::cpu() - cpu);
    let count = "SELECT count(*) FROM messages";
    let here = database.reader().await?.query_row(count, [], |row| row.get::<_, i64>(0))?.unsigned_abs();
    ensure!(here == messages, "{here} of {messages} messages are here");
    database.disconnect().await;
    database.writer().await?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    println!("{}", serde_json::json!({"seconds": seconds, "cpu": cpu, "facts": {"file_bytes": size(&path)?}}));
    Ok(())
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)?.len())
}

/// CPU time of all threads, measured as in `benches/src/watch.rs`.
fn cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e9
}

fn schema() -> Schema {
    let texts = ["conversation_id", "sender_id", "message_type", "content", "status"].map(Column::text);
    let numbers = ["seq", "composed_at", "created_at", "updated_at", "version"].map(Column::integer);
    let messages = Table::create("messages", texts.into_iter().chain(numbers).collect(), |table| {
        let column = |name: &'static str, kind: &'static str| IndexedColumn {
            name: name.into(),
            ascending: true,
            type_name: kind.into(),
        };
        table.indexes =
            vec![Index { name: "by_seq".into(), columns: vec![column("conversation_id", "text"), column("seq", "integer")] }];
    });
    Schema { tables: vec![messages], raw_tables: vec![] }
}

/// The service's whole response, as consecutive BSON documents.
fn lines(messages: u64) -> Result<Vec<Vec<u8>>> {
    let last = messages.to_string();
    let checksum = (1..=messages).fold(0_u32, |sum, number| sum.wrapping_add(checksum(number)));
    let bucket = doc! {
        "bucket": "all", "checksum": i64::from(checksum), "priority": 3, "count": messages as i64,
        "subscriptions": [{"default": 0}],
    };
    let checkpoint = doc! {"checkpoint": {
        "last_op_id": &last, "write_checkpoint": Bson::Null, "buckets": [bucket],
        "streams": [{"name": "all", "is_default": true, "errors": []}],
    }};
    let mut lines = vec![bson::to_vec(&checkpoint)?];
    for first in (1..=messages).step_by(LINE as usize) {
        let end = (first + LINE - 1).min(messages);
        let rows = (first..=end).map(row).collect::<Vec<_>>();
        let data = doc! {"data": {
            "bucket": "all", "after": (first - 1).to_string(), "next_after": end.to_string(), "has_more": end < messages, "data": rows,
        }};
        lines.push(bson::to_vec(&data)?);
    }
    lines.push(bson::to_vec(&doc! {"checkpoint_complete": {"last_op_id": &last}})?);
    Ok(lines)
}

fn checksum(number: u64) -> u32 {
    number.wrapping_mul(0x9e37_79b9) as u32
}

fn row(op: u64) -> bson::Document {
    let number = op - 1;
    let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let uuid = |high: u64, low: u64| {
        format!("{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}", high >> 16, high & 0xffff, 0, low >> 52, low & 0xffff_ffff_ffff)
    };
    let at = 1_700_000_000_000_000_u64 + number;
    let data = serde_json::json!({
        "conversation_id": uuid(0x0198_0000_0000, number % CONVERSATIONS), "sender_id": uuid(0, number % 7 + 1),
        "message_type": "text", "status": "sent", "seq": number / CONVERSATIONS + 1, "composed_at": at, "created_at": at,
        "updated_at": at, "version": 1,
        "content": format!("Patient {number} is stable, bandage changed, next check in two hours at gate B"),
    });
    doc! {
        "op_id": op.to_string(), "op": "PUT", "object_type": "messages", "object_id": uuid(0x0198_0000_0000 + number / 100, noise),
        "checksum": i64::from(checksum(op)), "subkey": Bson::Null, "data": data.to_string(),
    }
}

/// A service that has its response ready and never ends it.
struct Service(Arc<Vec<Vec<u8>>>);

#[async_trait]
impl HttpClient for Service {
    async fn send(&self, _: Request) -> Result<Response, PowerSyncError> {
        let lines = self.0.clone();
        let ready = stream::iter((0..lines.len()).map(move |at| Ok(lines[at].clone().into())));
        let body = ResponseBody { reader: ready.chain(stream::pending()).boxed(), length: None };
        Ok(Response { status: 200, content_type: Some("application/vnd.powersync.bson-stream".to_owned()), body })
    }
}

struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn resolve_credentials(&self) -> Result<Arc<String>, PowerSyncError> {
        Ok(Arc::new("nobody".to_owned()))
    }
}
