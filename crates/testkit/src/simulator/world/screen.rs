//! A timeline that stays open on the first device, in half of the runs. After each step it draws what commits have
//! reported, and must look as if it was drawn from scratch. In some runs without restores the device also drops old
//! messages now and then, which nobody must notice.

use super::{Process, World};
use crate::simulator::{
    Breach, Invariant,
    dice::{branch, pick},
    step::{Act, Event, Step},
    verdict::search_agrees,
};
use eyeball_im::Vector;
use fieldpost_domain::{ConversationId, MessageId, Seq};
use fieldpost_storage::{ChangeReceiver, Keep, StorageErrorKind, StorageResult, Store, StoredDraft, Window};
use fieldpost_timeline::{
    Backwards, Marks, Model, OpenAt, Span, TimelineItem, TimelineOptions, backwards, forwards, open,
};
use std::{collections::BTreeSet, sync::Arc};

/// The first number of the dice of this part.
const DICE: u64 = 900_000;

/// The device whose screen is looked at.
const DEVICE: usize = 0;

/// A timeline on a screen, drawn by diffs alone.
pub(crate) struct Screen {
    /// The process that shows it.
    who: u64,
    store: Arc<dyn Store>,
    conversation: ConversationId,
    model: Model,
    span: Span,
    marks: Marks,
    changes: ChangeReceiver,
    drawn: Vector<TimelineItem>,
}

impl Screen {
    async fn open(process: &Process, conversation: ConversationId, page: u32, at: OpenAt) -> StorageResult<Self> {
        let store = Arc::clone(&process.store);
        let options = TimelineOptions::default().page(page).max_messages(2 * page).open_at(at);
        let changes = store.changes();
        let (span, unread_from) = open(&*store, conversation, &options).await?;
        let marks = Marks { unread_from, ..Marks::default() };
        let (model, span) = Model::new(&*store, conversation, options, span, &marks).await?;
        let drawn = model.items().clone();
        Ok(Self { who: process.who, store, conversation, model, span, marks, changes, drawn })
    }

    /// Draws what commits have reported.
    async fn follow(&mut self) -> StorageResult<()> {
        self.store.look_again();
        if self.model.concerns(&self.changes.take()) { self.draw().await } else { Ok(()) }
    }

    async fn draw(&mut self) -> StorageResult<()> {
        let (update, span) = self.model.refresh(&*self.store, self.span, &self.marks).await?;
        self.span = span;
        for diff in update.into_iter().flat_map(|update| update.diffs) {
            diff.apply(&mut self.drawn);
        }
        Ok(())
    }

    /// The person scrolls.
    async fn scroll(&mut self, back: bool) -> StorageResult<()> {
        let page = self.model.options().page_size();
        let moved = if back {
            match backwards(&*self.store, self.conversation, self.span, page).await? {
                Backwards::Here(span) | Backwards::OnServer { otherwise: Some(span), .. } => Some(span),
                Backwards::End | Backwards::OnServer { .. } => None,
            }
        } else {
            forwards(&*self.store, self.conversation, self.span, page).await?
        };
        let Some(span) = moved else { return Ok(()) };
        self.span = span;
        self.draw().await
    }

    /// It looks as if it was drawn from scratch, in order, with nothing twice.
    async fn judge(&self) -> StorageResult<Result<(), Breach>> {
        let options = self.model.options().clone();
        let (fresh, _) = Model::new(&*self.store, self.conversation, options, self.span, &self.marks).await?;
        let breach = |what: &str| Breach::new(Invariant::Timeline, format!("{}: {what}", self.conversation));
        if self.drawn != *fresh.items() {
            let views = (format!("{:#?}", fresh.items()), format!("{:#?}", self.drawn));
            return Ok(Err(
                breach("the diffs make something else than what is drawn from scratch").with_views(views.0, views.1)
            ));
        }
        let placed = self.drawn.iter().filter_map(TimelineItem::message).filter_map(|message| message.seq);
        let seqs: Vec<Seq> = placed.collect();
        if !seqs.is_sorted_by(|a, b| a < b) {
            return Ok(Err(breach(&format!("out of order: {seqs:?}"))));
        }
        let most = 2 * self.model.options().page_size() as usize;
        Ok(if seqs.len() > most { Err(breach(&format!("{} messages of {most}", seqs.len()))) } else { Ok(()) })
    }
}

/// What may not leave with old messages: all of pinned conversations, drafts, and what they reply to.
struct Kept {
    messages: BTreeSet<MessageId>,
    drafts: Vec<StoredDraft>,
}

impl Kept {
    async fn of(store: &dyn Store) -> StorageResult<Self> {
        let (drafts, mut messages) = (store.drafts().await?, BTreeSet::new());
        for conversation in store.conversations(u32::MAX).await? {
            if conversation.settings.pinned_at.is_some() {
                let all = store.messages(conversation.id, Window::newest(u32::MAX)).await?.messages;
                messages.extend(all.into_iter().map(|message| message.id));
            }
        }
        for answered in drafts.iter().filter_map(|draft| draft.reply_to) {
            messages.extend(store.message(answered).await?.map(|message| message.id));
        }
        Ok(Self { messages, drafts })
    }

    async fn is_here(&self, store: &dyn Store) -> StorageResult<Result<(), Breach>> {
        for id in &self.messages {
            if store.message(*id).await?.is_none() {
                let what = format!("{id} was dropped, which is pinned or somebody is answering");
                return Ok(Err(Breach::new(Invariant::NoLoss, what)));
            }
        }
        let same = store.drafts().await? == self.drafts;
        let breach = || Breach::new(Invariant::NoLoss, "a draft has left with old messages");
        Ok(if same { Ok(()) } else { Err(breach()) })
    }
}

/// Whether the device may drop old messages: not where a restored server loses what it has dropped.
pub(super) fn may_trim(seed: u64, steps: &[Step]) -> bool {
    let loses = |step: &Step| matches!(step.act, Act::Server(Event::Restore | Event::NewEpoch));
    branch(seed, DICE + 1).chance(300) && !steps.iter().any(loses)
}

impl World {
    pub(super) async fn look_at_screen(&mut self, step: u64) {
        if !branch(self.seed, DICE).chance(500) {
            return;
        }
        let Some(process) = self.devices[DEVICE].running(0).cloned() else {
            self.screen = None;
            return;
        };
        if process.is_paused() {
            return;
        }
        let looked = self.look(&process, step).await;
        match looked {
            Ok(verdict) => self.observer().judge(verdict),
            Err(error) => {
                self.screen = None;
                if error.kind() != StorageErrorKind::NotFound {
                    self.store_failed(DEVICE, &error);
                }
            }
        }
    }

    async fn look(&mut self, process: &Arc<Process>, step: u64) -> StorageResult<Result<(), Breach>> {
        let mut dice = branch(self.seed, DICE + 2 + step);
        if self.trims && dice.chance(200) {
            let keep = Keep::Last(1 + dice.below(4) as u32);
            let kept = Kept::of(process.store.as_ref()).await?;
            if process.store.trim(keep, None, 100).await?.dropped > 0 {
                self.observer().count("trims");
                self.observer().judge(kept.is_here(process.store.as_ref()).await?);
            }
        }
        if dice.chance(100) {
            self.observer().judge(search_agrees(&process.name, process.store.as_ref()).await);
        }
        if self.screen.as_ref().is_none_or(|screen| screen.who != process.who || dice.chance(50)) {
            let all = process.store.conversations(u32::MAX).await?;
            let mut ids: Vec<_> = all.into_iter().map(|line| line.id).collect();
            ids.sort();
            let Some(id) = pick(&ids, dice.next()) else { return Ok(Ok(())) };
            let at = if dice.chance(500) { OpenAt::FirstUnread } else { OpenAt::Newest };
            self.screen = Some(Screen::open(process, id, 1 + dice.below(4) as u32, at).await?);
        }
        let Some(screen) = &mut self.screen else { return Ok(Ok(())) };
        screen.follow().await?;
        match dice.below(6) {
            0 | 1 => screen.scroll(true).await?,
            2 => screen.scroll(false).await?,
            _ => {}
        }
        screen.judge().await
    }
}
