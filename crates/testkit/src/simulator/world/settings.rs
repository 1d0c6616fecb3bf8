//! What people set for their conversations, and the drafts that they leave.

use super::World;
use crate::simulator::{
    Breach, Invariant,
    dice::pick,
    step::{ThirdPartyOp, Wish},
};
use chrono::TimeDelta;
use fieldpost_domain::{Archived, ConversationId, Seq, Settings, SettingsChange, Time};
use fieldpost_remote::reference::{Locked, OpenTransaction};
use fieldpost_storage::{StorageErrorKind, StorageResult, Store, StoredDraft, Window};

/// What a person has set on a device, in the order of making: a conversation can have had two ids.
pub(crate) type Wishes = Vec<(ConversationId, SettingsChange)>;

impl Wish {
    /// The change that an app makes of it, for a conversation with this last seq.
    fn change(self, last: Seq, at: Time) -> SettingsChange {
        match self {
            Self::Pin => SettingsChange::pin(Some(at)),
            Self::Unpin => SettingsChange::pin(None),
            Self::Mute { seconds } => SettingsChange::mute(Some(at + TimeDelta::seconds(seconds.into()))),
            Self::Unmute => SettingsChange::mute(None),
            Self::Archive => SettingsChange::archive(Some(Archived { at, seq: last })),
            Self::TakeOut => SettingsChange::archive(None),
            Self::MarkUnread { share } => {
                SettingsChange::mark_unread(Some(Seq::new(1 + last.get() * u64::from(share) / 100)))
            }
        }
    }
}

impl World {
    pub(super) async fn set(&mut self, device: usize, number: u64, wish: Wish) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        self.observer().count(wish.name());
        let (id, at) = (conversation.id, process.env.now());
        let change = wish.change(conversation.last_seq, at);
        let done = process.run(process.outbox.set_conversation(process.env.mutation_id(), id, change, at)).await;
        self.observer().say(|| format!("{} sets {id}: {:?}", process.name, done.as_ref().map(Result::is_ok)));
        match done {
            Some(Ok(shown)) => {
                // Where the open was refused, a change waits for a decision, like a message.
                if shown.on_server && with(shown.settings, &change) != shown.settings {
                    let breach =
                        Breach::new(Invariant::Convergence, format!("{} does not show what was set", process.name));
                    let views = (format!("{change:?}"), format!("{:?}", shown.settings));
                    self.observer().report(breach.with_views(views.0, views.1));
                }
                self.wished(device, id, change);
            }
            Some(Err(error)) if !matches!(error.kind(), StorageErrorKind::NotFound | StorageErrorKind::NoAccount) => {
                self.store_failed(device, &error);
            }
            Some(Err(_)) => {}
            // Killed before it was told: what it shows now was done.
            None => {
                let Ok(store) = self.devices[device].look().await else { return };
                if let Ok(Some(shown)) = store.conversation(id).await
                    && with(shown.settings, &change) == shown.settings
                {
                    self.wished(device, id, change);
                }
            }
        }
    }

    fn wished(&mut self, device: usize, id: ConversationId, change: SettingsChange) {
        self.devices[device].wishes.push((id, change));
    }

    /// The same on another client of hers, which writes to the tables.
    pub(super) fn set_elsewhere(&self, open: &OpenTransaction, op: ThirdPartyOp) -> Result<(), Locked> {
        let ThirdPartyOp::Set { pick: number, person, wish } = op else { return Ok(()) };
        let person = self.roster.person(person).id;
        let seen: Vec<_> =
            self.hub.server.conversations_of(person).into_iter().map(|row| (row.id, row.last_seq)).collect();
        let Some((id, last)) = pick(&seen, number) else { return Ok(()) };
        self.observer().count(wish.name());
        self.hub.undecided().insert((person, id));
        let at = Time::from_timestamp_micros(crate::ManualClock::START).unwrap_or(Time::UNIX_EPOCH)
            + TimeDelta::microseconds(i64::try_from(self.observer().micros()).unwrap_or_default());
        open.set_conversation(id, person, wish.change(last, at))
    }

    /// From now on nobody can say which of the settings of a device's person are to count.
    pub(super) fn settings_are_undecided(&self, device: usize) {
        let device = &self.devices[device];
        self.hub.undecided().extend(device.wishes.iter().map(|(id, _)| (device.owner.id, *id)));
    }

    /// Somebody begins to write, now and then in reply to a message.
    pub(super) async fn draft(&mut self, device: usize, number: u64) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        if process.is_paused() {
            return;
        }
        self.observer().count("drafts");
        let (id, notes) = (conversation.id, self.devices[device].notes);
        self.devices[device].notes += 1;
        let kept = keep_draft(
            process.store.as_ref(),
            id,
            format!("draft {notes} of device {device}."),
            number,
            process.env.now(),
        );
        match process.run(kept).await {
            Some(Ok((text, before))) => {
                self.devices[device].drafts.retain(|one| !before.contains(one.as_str()));
                self.devices[device].drafts.push(text);
            }
            Some(Err(error)) if error.kind() != StorageErrorKind::NotFound => self.store_failed(device, &error),
            _ => {}
        }
    }
}

/// Returns the text, and that of the draft whose place it has taken.
async fn keep_draft(
    store: &dyn Store,
    id: ConversationId,
    text: String,
    number: u64,
    at: Time,
) -> StorageResult<(String, String)> {
    let before = store.draft(id).await?.map(|draft| draft.text).unwrap_or_default();
    let shown = store.messages(id, Window::newest(50)).await?.messages;
    let shown: Vec<_> = shown.iter().map(|message| message.id).collect();
    let reply_to = pick(&shown, number / 3).filter(|_| !number.is_multiple_of(3));
    store.set_draft(StoredDraft { reply_to, ..StoredDraft::new(id, text.as_str(), at) }).await?;
    Ok((text, before))
}

fn with(mut settings: Settings, change: &SettingsChange) -> Settings {
    change.apply(&mut settings);
    settings
}
