//! The dashboard: another client, which writes in transactions that it holds open for a while and knows nothing of
//! Fieldpost's columns.

use super::World;
use crate::simulator::{
    dice::{branch, pick},
    records::{step::Op, tables},
};
use fieldpost_domain::{
    OrgId, RecordId, Role,
    records::{Fields, RecordOperation, RecordRow, TableName},
};
use fieldpost_remote::reference::{Locked, OpenTransaction};
use fieldpost_storage::records::RecordQueue;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::sleep;

impl World {
    pub(super) async fn dashboard(&mut self, ops: &[Op], holding: u32, roll_back: bool) {
        let (hub, observer) = (Arc::clone(&self.hub), Arc::clone(&self.hub.observer));
        let open = self.hub.server.begin();
        for op in ops {
            if self.do_op(&open, *op).await == Err(Locked) {
                observer.count("deadlock victims");
                return open.roll_back();
            }
        }
        observer.count(if holding > 0 { "held transactions" } else { "quick transactions" });
        let changes_sight = ops.iter().any(|op| op.changes_sight());
        if changes_sight {
            self.shared.truth.lock().sight_changed = true;
        }
        let work = async move {
            sleep(Duration::from_millis(holding.into())).await;
            if roll_back {
                observer.count("rollbacks");
                return open.roll_back();
            }
            let done = open.commit();
            // Whatever it changed, somebody else's view may be another now.
            hub.sights.fetch_add(u64::from(done && changes_sight), Ordering::SeqCst);
            observer.say(|| format!("the dashboard {}", if done { "commits" } else { "was cut off" }));
        };
        self.dashboards.push(tokio::spawn(work));
    }

    /// Waits until all transactions have ended.
    pub(super) async fn dashboards_end(&mut self) {
        for dashboard in std::mem::take(&mut self.dashboards) {
            // A task that panicked has already reported it.
            drop(dashboard.await);
        }
    }

    async fn do_op(&mut self, open: &OpenTransaction, op: Op) -> Result<(), Locked> {
        match op {
            Op::Insert { pick } => self.insert(open, pick),
            Op::InsertForDevice { pick, device } => self.insert_for_device(open, pick, self.at(device)).await,
            Op::Update { pick } => {
                let Some(row) = self.any_row(pick) else { return Ok(()) };
                self.dashboard_notes += 1;
                let words = format!("dashboard {}", self.dashboard_notes);
                let column = if pick.is_multiple_of(2) { "remark" } else { "extra_words" };
                open.update_record(&row.table, row.id, Fields::new().with(column, words))
            }
            Op::Delete { pick } => {
                let Some(row) = self.any_row(pick) else { return Ok(()) };
                self.shared.truth.lock().gone.extend([Some(row.id), row.client_id].into_iter().flatten());
                open.delete_record(&row.table, row.id)
            }
            Op::Move { pick } => {
                let Some(row) = self.any_row(pick) else { return Ok(()) };
                let Some(other) = self.roster.orgs.into_iter().find(|org| *org != row.org_id) else { return Ok(()) };
                let mut truth = self.shared.truth.lock();
                truth.gone.extend([Some(row.id), row.client_id].into_iter().flatten());
                truth.orgs.entry(row.id).or_default().extend([row.org_id, other]);
                open.move_record(&row.table, row.id, other)
            }
            Op::Message { pick: number, sender } => {
                if !self.sides.messages {
                    return Ok(());
                }
                let Some(id) = pick(&self.hub.server.conversation_ids(), number) else { return Ok(()) };
                let people = self.roster.of_org(&self.hub.server, id);
                let Some(sender) = pick(&people, sender) else { return Ok(()) };
                open.insert_message(id, sender, &format!("from the dashboard {number}")).map(drop)
            }
            _ => {
                self.change_people(open, op);
                Ok(())
            }
        }
    }

    fn any_row(&self, number: u64) -> Option<RecordRow> {
        if !self.sides.records {
            return None;
        }
        let all = tables::tables().into_iter().flat_map(|table| self.hub.server.records_of(&table.server_name));
        let mut all: Vec<RecordRow> = all.collect();
        let places: Vec<usize> = (0..all.len()).collect();
        let place = pick(&places, number)?;
        Some(all.swap_remove(place))
    }

    fn insert(&mut self, open: &OpenTransaction, number: u64) -> Result<(), Locked> {
        if !self.sides.records {
            return Ok(());
        }
        let mut dice = branch(number, 5);
        let tables = tables::tables();
        let Some(table) = dice.pick(&tables).map(|table| table.server_name.clone()) else { return Ok(()) };
        let Some(org) = dice.pick(&self.roster.orgs).copied() else { return Ok(()) };
        let id = RecordId::from_parts(self.hub.server.now(), dice.ten());
        self.insert_row(open, table, (id, None), org)
    }

    /// What a device creates is there already, under the server's own id: an older app has sent it before it was
    /// replaced.
    async fn insert_for_device(&mut self, open: &OpenTransaction, number: u64, device: usize) -> Result<(), Locked> {
        let entries = self.devices[device].disk.record_queue(u32::MAX).await.unwrap_or_default();
        let creates = entries.into_iter().filter(|entry| entry.operation == RecordOperation::Create);
        let creates: Vec<_> = creates.map(|entry| (entry.table, entry.record_id)).collect();
        let places: Vec<usize> = (0..creates.len()).collect();
        let Some((table, client_id)) = pick(&places, number).and_then(|place| creates.get(place).cloned()) else {
            return Ok(());
        };
        let Some(table) = tables::tables().into_iter().find(|other| other.name == table) else { return Ok(()) };
        let name = table.server_name;
        // An id of the server is none that a device made.
        let is_of_the_server = self.shared.truth.lock().orgs.contains_key(&client_id);
        if is_of_the_server || self.hub.server.record(&name, client_id).is_some() {
            return Ok(());
        }
        let id = RecordId::from_parts(self.hub.server.now(), branch(number, 6).ten());
        let org = self.devices[device].owner.home;
        self.insert_row(open, name, (id, Some(client_id)), org)
    }

    fn insert_row(
        &mut self,
        open: &OpenTransaction,
        table: TableName,
        ids: (RecordId, Option<RecordId>),
        org: OrgId,
    ) -> Result<(), Locked> {
        self.dashboard_notes += 1;
        let fields = Fields::new().with("remark", format!("dashboard {}", self.dashboard_notes));
        open.insert_record(&table, ids, org, fields)
    }

    fn change_people(&self, open: &OpenTransaction, op: Op) {
        let server = &self.hub.server;
        match op {
            Op::RemoveMember { person } => open.remove_member(self.roster.person(person).id),
            Op::AddMember { person, elsewhere } => {
                let person = self.roster.person(person);
                let org = self.roster.orgs[usize::from(elsewhere)];
                // A person is a member of only one org at a time.
                if server.member(person.id).is_none() {
                    open.add_member(person.id, org, Role::Medic, "Back", "Again");
                }
            }
            Op::ChangeRole { person } => {
                let id = self.roster.person(person).id;
                match server.member(id).map(|member| member.role) {
                    Some(Role::Medic) => open.change_role(id, Role::OrgAdmin),
                    Some(_) => open.change_role(id, Role::Medic),
                    None => {}
                }
            }
            _ => {}
        }
    }
}
