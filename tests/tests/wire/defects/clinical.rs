//! Defect 13: two people change one record.

use super::{Verdict, old::*, pass, phone_with_clock, same, site_with_clock};
use crate::given::*;
use chrono::TimeDelta;
use fieldpost::{
    Client,
    records::{NearMiss, RecordId, Severity},
};

const EARLIER: &str = "Ada at ten";
const LATER: &str = "Admin at eleven";

/// The later change is the one that stays.
fn the_later_stays(shown: &str) -> Verdict {
    same(&shown, &LATER)
}

async fn change(client: &Client, id: RecordId, text: &str) {
    client.clinical().near_misses().update(id, |record| record.description = text.to_owned()).await.unwrap();
}

async fn shown(client: &Client, id: RecordId) -> String {
    client.clinical().near_misses().get(id).await.unwrap().unwrap().model.description
}

#[tokio::test]
async fn defect_13_an_earlier_change_that_arrives_later_does_not_overwrite_the_later_one() {
    let mut row = OldRecord { text: "Gate", updated_at: 540 };
    // Both read before either writes.
    let (earlier, later) = (OldUpdate::read(EARLIER, 600, &row), OldUpdate::read(LATER, 660, &row));
    later.write(&mut row);
    earlier.write(&mut row);
    assert!(the_later_stays(row.text).is_err());

    let (site, server_clock) = site_with_clock().await;
    let (_phone, ada, adas_clock) = phone_with_clock(&site, ADA, 1).await;
    let (_other, admin, admins_clock) = phone_with_clock(&site, ADMIN, 2).await;
    let an_hour_later = || pass(&[&server_clock, &adas_clock, &admins_clock], TimeDelta::hours(1));
    let me = ada.me().await.unwrap().unwrap();
    let gate = NearMiss::new(me.id.as_uuid(), "access", Severity::Minor, "Gate");
    let gate = ada.clinical().near_misses().create(&gate).await.unwrap().id;
    sync(&[&ada, &admin]).await;

    an_hour_later();
    change(&ada, gate, EARLIER).await;
    an_hour_later();
    change(&admin, gate, LATER).await;
    let (one, two) = tokio::join!(admin.trigger_sync(), ada.trigger_sync());
    one.unwrap().records.and(two.unwrap().records).unwrap();
    sync(&[&ada, &admin]).await;
    for client in [&ada, &admin] {
        the_later_stays(&shown(client, gate).await).unwrap();
    }
}

async fn sync(clients: &[&Client]) {
    for client in clients {
        client.trigger_sync().await.unwrap().records.unwrap();
    }
}
