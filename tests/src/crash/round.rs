//! One kill, and coming to rest.

use super::{
    Harm, Run, file, newcomers,
    said::Said,
    victim::{LastWords, Moment},
    views,
};
use anyhow::Result;
use fieldpost::{Client, ConversationKind, Error, LiveStatus, MedicId, OutboxCounts, records::RecordCounts};
use fieldpost_testkit::SeededRandom;
use std::time::Duration;

/// How often a sync may fail with a healed network before it counts as stuck.
const PATIENCE: u32 = 20;

/// How long a client may take until it hears live hints over a healed network. It takes milliseconds on a quiet machine.
const LIVE_WITHIN: Duration = Duration::from_secs(60);

impl Run<'_> {
    /// Starts one or two processes, kills them, and examines the file.
    pub(super) async fn kill_once(&mut self) -> Result<()> {
        let (number, joins) = (self.report.kills, self.site.live_joins());
        let first = self.program.start(format!("k{number}"), self.random.next())?;
        let moment = moment(&mut self.random, self.options.within);
        let words = if self.random.one_in(5) {
            let second = self.program.start(format!("k{number}b"), self.random.next())?;
            self.report.pairs += 1;
            let other = while_busy(&mut self.random, self.options.within);
            let (first, second) = tokio::join!(first.kill_at(moment), second.kill_at(other));
            vec![first, second]
        } else {
            vec![first.kill_at(moment).await]
        };
        self.report.kills += u32::try_from(words.len())?;
        let joined = self.site.live_joins().unwrap_or(0).saturating_sub(joins.unwrap_or(0));
        self.report.live_joins += joined;
        for words in words {
            match words {
                Ok(words) => self.hear(words),
                Err(error) => self.report.findings.push(Harm::Failed.found(format!("{error:#}"))),
            }
        }
        self.world_goes_on().await?;
        self.examine().await
    }

    fn hear(&mut self, words: LastWords) {
        for said in words.said {
            match said {
                Said::Offline => self.report.offline += 1,
                Said::Trouble(trouble) => *self.report.troubles.entry(trouble).or_default() += 1,
                said => self.ledger.hear(&words.process, said),
            }
        }
        self.report.count_words(self.ledger.counts());
    }

    /// Others write and open conversations, newcomers join, tokens expire, and live connections break.
    async fn world_goes_on(&mut self) -> Result<()> {
        if self.random.one_in(10) {
            self.site.expire_token();
        }
        if self.random.one_in(2) {
            self.site.disturb_live(&mut self.random);
        }
        if self.random.one_in(3) {
            let medic = self.sought_after();
            self.site.enlist(&[medic]).await?;
            self.site.open_direct(medic).await?;
        }
        let all = self.companion.conversations().await?;
        let own = all.iter().find(|one| one.kind == ConversationKind::Direct);
        if let Some(own) = own {
            self.companion.conversation(own.id).send(&format!("meanwhile {}", self.report.kills)).await?;
        }
        self.companion.trigger_message_sync().await?;
        Ok(())
    }

    /// Most likely a medic with whom a conversation was just opened here, and is still queued.
    fn sought_after(&mut self) -> MedicId {
        let newest: Vec<_> = self.ledger.medics().iter().rev().take(4).copied().collect();
        let one = self.random.pick(&newest).copied();
        one.unwrap_or_else(|| newcomers::any(self.org, &mut self.random))
    }

    async fn examine(&mut self) -> Result<()> {
        let server = self.site.contents().await?;
        let findings =
            file::examine(&self.program.file, self.options.key.as_ref(), &self.ledger, &server.messages).await?;
        self.report.findings.extend(findings);
        self.report.findings.extend(self.ledger.judge(&server));
        Ok(())
    }

    /// With a healed network and with everybody on the roster, everything is sent, and all devices show the same.
    pub(super) async fn come_to_rest(&mut self) -> Result<()> {
        self.proxy.heal();
        self.site.heal_live();
        self.site.enlist(self.ledger.medics()).await?;
        let victim = self.program.open().await?;
        let drained = self.drain(&victim).await;
        self.companion.trigger_message_sync().await?;
        let server = self.site.contents().await?;
        let stored = &server.messages;
        let mut findings = drained.err().into_iter().collect::<Vec<_>>();
        if findings.is_empty() {
            findings.extend(self.ledger.missing(&server));
            let (site, victim_id, companion_id) = (self.site, self.site.victim().id, self.site.companion().id);
            findings.extend(views::compare("victim", &victim, stored, &site.unread(victim_id).await?).await?);
            let theirs = site.unread(companion_id).await?;
            findings.extend(views::compare("companion", &self.companion, stored, &theirs).await?);
            findings.extend(self.hears_again(&victim).await.err());
        }
        victim.close().await?;
        self.report.findings.extend(findings);
        self.report.comparisons += 1;
        self.examine().await
    }

    /// Syncs until nothing is queued, for the server or for the person's decision.
    async fn drain(&mut self, client: &Client) -> Result<(), super::Finding> {
        let mut last = String::new();
        for _ in 0..PATIENCE {
            match self.sync_and_retry(client).await {
                Ok((OutboxCounts { pending: 0, failed: 0 }, RecordCounts { pending: 0, failed: 0, .. })) => {
                    return Ok(());
                }
                Ok(counts) => last = format!("{counts:?}"),
                Err(error @ Error::SignedOut) => return Err(Harm::Stuck.found(format!("{error:?}"))),
                Err(error) => last = format!("{error:?}"),
            }
        }
        Err(Harm::Stuck.found(format!("after {PATIENCE} syncs with a healed network: {last}")))
    }

    /// The file hears live hints again, whatever the killed processes heard last.
    async fn hears_again(&mut self, client: &Client) -> Result<(), super::Finding> {
        if self.site.live_joins().is_none() {
            return Ok(());
        }
        client.start().await;
        let mut status = client.status();
        let live = status.wait_for(|status| status.live == LiveStatus::Live);
        let heard = tokio::time::timeout(LIVE_WITHIN, live).await.is_ok_and(|status| status.is_ok());
        client.stop().await;
        if heard { Ok(()) } else { Err(Harm::Stuck.found("the healed network brings no live hints".to_owned())) }
    }

    async fn sync_and_retry(&mut self, client: &Client) -> Result<(OutboxCounts, RecordCounts), Error> {
        let report = client.trigger_sync().await?;
        report.messages?;
        report.records?;
        self.report.retried += client.retry_all().await? + client.retry_all_records().await?;
        Ok((client.pending().await?, client.record_counts().await?))
    }
}

fn moment(random: &mut SeededRandom, within: Duration) -> Moment {
    if random.one_in(10) {
        Moment::AfterStart(Duration::from_micros(random.below(40_000)))
    } else {
        while_busy(random, within)
    }
}

fn while_busy(random: &mut SeededRandom, within: Duration) -> Moment {
    let within = u64::try_from(within.as_micros()).unwrap_or(u64::MAX).max(2_000);
    Moment::AfterBusy(Duration::from_micros(1_000 + random.below(within - 1_000)))
}
