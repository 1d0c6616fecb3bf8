//! `fieldpost serve`.

use crate::{failure::Failure, output::Output};
use fieldpost_devserver::DevServer;
use serde_json::json;

pub(super) async fn run(port: u16, output: &Output) -> Result<(), Failure> {
    let server = DevServer::builder().port(port).start().await.map_err(Failure::error)?;
    let (url, key) = (server.url().to_string(), server.anon_key().to_string());
    let users = ["admin@fieldpost.test", "ada@fieldpost.test", "ben@fieldpost.test"];
    let value = json!({"url": url, "anon_key": key, "users": users, "password": "fieldpost-demo"});
    output.result(&value, || {
        format!(
            "A stand-in for a Supabase project listens on {url}; it forgets everything when it stops (Ctrl-C).\n\
             In another terminal:\n\n  export SUPABASE_URL={url}\n  export SUPABASE_ANON_KEY={key}\n  \
             echo fieldpost-demo | fieldpost login --email ada@fieldpost.test --password-stdin\n  \
             fieldpost sync && fieldpost conversations\n\nUsers: {} (password fieldpost-demo)",
            users.join(", ")
        )
    });
    tokio::signal::ctrl_c().await.map_err(Failure::error)?;
    server.shutdown().await;
    Ok(())
}
