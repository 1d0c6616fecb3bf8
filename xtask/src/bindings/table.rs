//! What the steps came to: a row for each, a column for each language.

use super::{Language, scenario};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed(String),
    Failed(String),
    /// The language, or what the library is built with, is not installed.
    Skipped,
    /// The compiler of the language refuses it, the language has no such value, or this build is not the one that it is about.
    NotPossible,
}

impl Outcome {
    pub(super) fn of(passed: bool, note: impl Into<String>) -> Self {
        if passed { Self::Passed(note.into()) } else { Self::Failed(note.into()) }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "ok",
            Self::Failed(_) => "FAILED",
            Self::Skipped => "skipped",
            Self::NotPossible => "–",
        }
    }
}

#[derive(Debug)]
struct Row {
    title: String,
    step: String,
    outcomes: BTreeMap<Language, Outcome>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    measured: BTreeMap<String, BTreeMap<Language, f64>>,
}

impl Table {
    pub(super) fn enter(&mut self, title: &str, step: &str, language: Language, passed: bool, note: &str) {
        self.enter_outcome(title, step, language, Outcome::of(passed, note));
    }

    pub(super) fn enter_outcome(&mut self, title: &str, step: &str, language: Language, outcome: Outcome) {
        let place = self.rows.iter().position(|row| row.title == title && row.step == step).unwrap_or_else(|| {
            self.rows.push(Row { title: title.to_owned(), step: step.to_owned(), outcomes: BTreeMap::new() });
            self.rows.len() - 1
        });
        self.rows[place].outcomes.insert(language, outcome);
    }

    /// Notes that a language is not installed.
    pub(super) fn skip(&mut self, language: Language) {
        for scenario in scenario::files().into_iter().flatten().filter_map(|file| scenario::read(&file).ok()) {
            for step in &scenario.steps {
                self.enter_outcome(&scenario.title, &step.step, language, Outcome::Skipped);
            }
        }
    }

    pub(super) fn measure(&mut self, language: Language, name: String, micros: f64) {
        self.measured.entry(name).or_default().insert(language, micros);
    }

    pub(super) const fn measured(&self) -> &BTreeMap<String, BTreeMap<Language, f64>> {
        &self.measured
    }

    pub(super) fn languages(&self) -> BTreeSet<Language> {
        self.rows.iter().flat_map(|row| row.outcomes.keys().copied()).collect()
    }

    pub(super) fn passed(&self) -> i64 {
        self.count(|outcome| matches!(outcome, Outcome::Passed(_)))
    }

    pub(super) fn failed(&self) -> i64 {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    pub(super) fn skipped(&self) -> i64 {
        self.count(|outcome| *outcome == Outcome::Skipped)
    }

    fn count(&self, counts: impl Fn(&Outcome) -> bool) -> i64 {
        let outcomes = self.rows.iter().flat_map(|row| row.outcomes.values());
        outcomes.filter(|outcome| counts(outcome)).map(|_| 1).sum()
    }

    pub(super) fn print(&self) {
        let languages = self.languages();
        let width = self.rows.iter().map(|row| row.step.chars().count()).max().unwrap_or(0);
        let mut title = "";
        for row in &self.rows {
            if row.title != title {
                title = &row.title;
                let names: String = languages.iter().map(|language| format!("{:>12}", language.to_string())).collect();
                println!("\n{title:<width$}{names}");
            }
            let words: String = languages.iter().map(|language| format!("{:>12}", row.word(*language))).collect();
            println!("{:<width$}{words}", row.step);
        }
        self.print_notes();
        println!("\n{} passed, {} failed, {} skipped", self.passed(), self.failed(), self.skipped());
    }

    fn print_notes(&self) {
        for row in &self.rows {
            for (language, outcome) in &row.outcomes {
                match outcome {
                    Outcome::Failed(note) => println!("\nFAILED in {language}: {}, {}\n{note}", row.title, row.step),
                    Outcome::Passed(note) if note.starts_with('{') => println!("\n{language}: {}: {note}", row.step),
                    _ => {}
                }
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        let outcome = |(language, outcome): (&Language, &Outcome)| {
            let note = match outcome {
                Outcome::Passed(note) | Outcome::Failed(note) => note.as_str(),
                Outcome::Skipped | Outcome::NotPossible => "",
            };
            (language.to_string(), json!({"outcome": outcome.word(), "note": note}))
        };
        let row = |row: &Row| {
            let outcomes: serde_json::Map<_, _> = row.outcomes.iter().map(outcome).collect();
            json!({"title": row.title, "step": row.step, "languages": outcomes})
        };
        let micros = |values: &BTreeMap<Language, f64>| {
            values
                .iter()
                .map(|(language, micros)| (language.to_string(), json!(micros)))
                .collect::<serde_json::Map<_, _>>()
        };
        let measured: serde_json::Map<_, _> =
            self.measured.iter().map(|(name, values)| (name.clone(), micros(values).into())).collect();
        json!({
            "steps": self.rows.iter().map(row).collect::<Vec<_>>(), "micros": measured,
            "passed": self.passed(), "failed": self.failed(), "skipped": self.skipped(),
        })
    }
}

impl Row {
    fn word(&self, language: Language) -> &'static str {
        self.outcomes.get(&language).map_or("", Outcome::word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_once_and_a_later_one_takes_its_place() {
        let mut table = Table::default();
        table.enter("A", "one", Language::Python, false, "wrong");
        table.enter("A", "one", Language::Python, true, "");
        table.enter("A", "two", Language::Python, false, "wrong");
        table.enter_outcome("B", "one", Language::Python, Outcome::NotPossible);
        assert_eq!((table.passed(), table.failed(), table.skipped()), (1, 1, 0));
        assert_eq!(table.json()["steps"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn a_language_that_is_not_installed_skips_every_step() {
        let mut table = Table::default();
        table.skip(Language::Python);
        let files = scenario::files().unwrap();
        let steps: usize = files.iter().map(|file| scenario::read(file).unwrap().steps.len()).sum();
        assert_eq!(table.skipped(), i64::try_from(steps).unwrap());
    }
}
