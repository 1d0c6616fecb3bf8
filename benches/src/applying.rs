//! Applies pages of a pull to files of different sizes.
//!
//! All files grow together: each round applies the same few pages to each. For "empty" every round uses new files.

use crate::{
    Notes, Size,
    raw::{Raw, Way},
    scene::{Scene, Step},
    subject::{FILL, Subject},
    watch::Watch,
};
use anyhow::Result;

const CONVERSATIONS: u64 = 200;
/// The messages of a page.
const PAGES: [u64; 2] = [500, 2_000];
/// The messages of a round, for every page size.
const ROUND: u64 = 8_000;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let rounds = size.pick(1, 5, 7);
    let messages = size.pick(2_000, ROUND, ROUND);
    for page in PAGES {
        for number in 0..rounds {
            let mut files = Files::new()?;
            files.round(notes, Round { case: &format!("{page} into an empty file"), page, messages, number })?;
            files.check()?;
        }
    }
    let mut files = Files::new()?;
    for history in size.pick(vec![2_000], vec![20_000, 100_000], vec![100_000, 1_000_000]) {
        files.fill(history)?;
        for number in 0..rounds {
            for page in PAGES {
                files.round(notes, Round { case: &format!("{page} beside {history}"), page, messages, number })?;
            }
        }
    }
    if size != Size::Full {
        // With a million rows this takes longer than the bench, and the small files have already shown it.
        files.check()?;
    }
    Ok(())
}

struct Round<'a> {
    case: &'a str,
    page: u64,
    messages: u64,
    number: u32,
}

/// One file per subject.
struct Files {
    scene: Scene,
    ours: Subject,
    raw: Vec<(Way, Raw)>,
}

impl Files {
    fn new() -> Result<Self> {
        let scene = Scene::new(CONVERSATIONS);
        let ours = Subject::new(&scene)?;
        let raw = Raw::in_every_way(&scene.bootstrap()?)?;
        Ok(Self { scene, ours, raw })
    }

    fn fill(&mut self, messages: u64) -> Result<()> {
        while self.scene.sent() < messages {
            let step = self.scene.step(FILL.min(messages - self.scene.sent()))?;
            for (_, raw) in &mut self.raw {
                raw.apply(&step.page, Way::InBatches)?;
            }
            self.ours.apply(step)?;
        }
        Ok(())
    }

    /// Applies the same pages to all files; the order of subjects changes from round to round.
    fn round(&mut self, notes: &mut Notes, round: Round<'_>) -> Result<()> {
        let steps = (0..round.messages / round.page).map(|_| self.scene.step(round.page));
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        let ours_first = round.number.is_multiple_of(2);
        if ours_first {
            self.ours(notes, &round, steps.clone())?;
        }
        for (way, raw) in &mut self.raw {
            let watch = Watch::start();
            for step in &steps {
                raw.apply(&step.page, *way)?;
            }
            notes.write(round.case, way.name(), round.number, watch.stop(), round.messages, [])?;
        }
        if ours_first { Ok(()) } else { self.ours(notes, &round, steps) }
    }

    fn ours(&self, notes: &mut Notes, round: &Round<'_>, steps: Vec<Step>) -> Result<()> {
        let watch = Watch::start();
        for step in steps {
            self.ours.apply(step)?;
        }
        notes.write(round.case, "fieldpost", round.number, watch.stop(), round.messages, [])
    }

    /// Checks that all subjects have written the same rows.
    fn check(&self) -> Result<()> {
        Raw::check(&self.raw, &self.ours.file())
    }
}
