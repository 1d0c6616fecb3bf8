//! Probing the server.

use crate::given::*;
use chrono::TimeDelta;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::Replica;
use fieldpost_sync::CursorHealth;

#[tokio::test]
async fn probe_reports_the_cursor_health_and_changes_nothing() {
    let server = ReferenceServer::demo();
    let (ada, admin) = (Phone::of(&server, ADA, 1).await, Phone::of(&server, ADMIN, 2).await);
    ada.sync().await;
    let before = ada.store.sync_state().await.unwrap();
    assert_eq!(ada.engine.probe().await.unwrap().cursor, CursorHealth::Good { behind: false });

    admin.write("news").await;
    admin.sync().await;
    assert_eq!(ada.engine.probe().await.unwrap().cursor, CursorHealth::Good { behind: true });
    assert_eq!(ada.store.sync_state().await.unwrap(), before);

    server.change_epoch();
    assert!(matches!(ada.engine.probe().await.unwrap().cursor, CursorHealth::Expired(_)));
    assert_eq!(ada.store.sync_state().await.unwrap(), before);
    ada.network.go_offline();
    assert!(ada.engine.probe().await.unwrap_err().is_offline());
}

#[tokio::test]
async fn probe_reports_the_clock_skew() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let before = ada.engine.probe().await.unwrap().clock_skew;
    ada.clock.advance(TimeDelta::hours(1));
    let after = ada.engine.probe().await.unwrap().clock_skew;
    assert_eq!(((after - before).num_seconds() + 5) / 10, 360, "an hour, give or take a few seconds");
}
