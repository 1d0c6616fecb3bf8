//! The SQL files, and the definition in each of their statements.
//!
//! A bug names the function that it breaks, not the file: functions move between files.

use super::bug::{Plant, Within};
use anyhow::{Context, Result, bail};
use std::{collections::BTreeMap, fs, ops::Range, path::Path};

/// The files, by name.
pub(super) struct Migrations(BTreeMap<String, String>);

impl Migrations {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.insert(name, fs::read_to_string(&path)?);
            }
        }
        Ok(Self(files))
    }

    pub(super) fn plant(&mut self, plant: &Plant) -> Result<()> {
        match plant {
            Plant::Sql(sql) => {
                let last = self.0.entry("9999_planted.sql".to_owned()).or_default();
                last.push_str(sql);
                last.push_str(";\n");
                Ok(())
            }
            Plant::Replace { within, find, with } => self.replace(*within, find, with),
        }
    }

    /// Replaces a text that occurs exactly once in a function or an anonymous block.
    fn replace(&mut self, within: Within, find: &str, with: &str) -> Result<()> {
        let (file, place) = match within {
            Within::Function(name) => self.only(name, |statement| defines(statement) == Some(name))?,
            Within::Block => self.only("an anonymous block with its text", |statement| {
                is_block(statement) && statement.contains(find)
            })?,
        };
        let text = self.0.get_mut(&file).context("the file is gone")?;
        let statement = &text[place.clone()];
        match statement.matches(find).count() {
            1 => text.replace_range(place.clone(), &statement.replacen(find, with, 1)),
            found => bail!("{within} has the text {found} times instead of once:\n{find}"),
        }
        Ok(())
    }

    /// The only statement that matches.
    fn only(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<(String, Range<usize>)> {
        let all = self.0.iter().flat_map(|(file, text)| {
            statements(text).into_iter().map(move |place| (file, &text[place.clone()], place))
        });
        let mut found = all.filter(|(_, statement, _)| wanted(statement)).map(|(file, _, place)| (file.clone(), place));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => bail!("{what} is in no file"),
            (Some(_), Some(_)) => bail!("{what} is in the files more than once"),
        }
    }

    /// Writes the files into a separate folder.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        for (name, text) in &self.0 {
            fs::write(folder.join(name), text)?;
        }
        Ok(())
    }
}

/// The range of each statement, with the comments before it.
fn statements(text: &str) -> Vec<Range<usize>> {
    let (mut places, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        at += if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if next == '\'' {
            quoted(rest, "'")
        } else if let Some(quote) = dollar_quote(rest) {
            quoted(rest, quote)
        } else {
            next.len_utf8()
        };
        if next == ';' {
            places.push(start..at);
            start = at;
        }
    }
    places
}

/// The length of the quoted text that starts here.
fn quoted(text: &str, quote: &str) -> usize {
    text[quote.len()..].find(quote).map_or(text.len(), |end| end + 2 * quote.len())
}

/// `$$` or `$name$`, if one starts here.
fn dollar_quote(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?.find('$')?;
    let named = text[1..=name].chars().all(|c| c.is_alphanumeric() || c == '_');
    named.then(|| &text[..name + 2])
}

/// The function that a statement creates.
fn defines(statement: &str) -> Option<&str> {
    let function = code(statement).strip_prefix("create or replace function ")?;
    function.split('(').next()
}

fn is_block(statement: &str) -> bool {
    code(statement).starts_with("do $")
}

/// A statement without the comments before it.
fn code(statement: &str) -> &str {
    let mut code = statement.trim_start();
    while code.starts_with("--") {
        code = code.split_once('\n').map_or("", |(_, after)| after.trim_start());
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planted_bugs::bug::{replace, replace_in_block};

    const ONE: &str = "-- It's one; see below.\ncreate or replace function f.one() returns int\nas $$ select 1; $$;\n";
    const TWO: &str = "create or replace function f.two() returns int as $x$ select 1; $x$;\n\
                       do $$ begin perform ';'; end $$;\n";

    fn files<const N: usize>(files: [(&str, &str); N]) -> Migrations {
        Migrations(files.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
    }

    fn planted(mut migrations: Migrations, plant: &Plant) -> Result<String> {
        migrations.plant(plant)?;
        Ok(migrations.0.into_values().collect())
    }

    #[test]
    fn a_bug_is_planted_in_its_function_alone_whichever_file_has_it() {
        let bug = replace("f.one", "select 1", "select 2");
        for migrations in [files([("1.sql", ONE), ("2.sql", TWO)]), files([("7.sql", &format!("{ONE}{TWO}"))])] {
            assert_eq!(planted(migrations, &bug).unwrap(), format!("{}{TWO}", ONE.replace('1', "2")));
        }
    }

    #[test]
    fn a_bug_in_an_anonymous_block_is_found_by_its_text() {
        let bug = replace_in_block("perform ';'", "null");
        let text = planted(files([("1.sql", ONE), ("2.sql", TWO)]), &bug).unwrap();
        assert_eq!(text, format!("{ONE}{TWO}").replace("perform ';'", "null"));
    }

    #[test]
    fn a_bug_that_fits_no_more_says_why() {
        let why = |bug: Plant, files| format!("{:#}", planted(files, &bug).unwrap_err());
        let both = || files([("1.sql", ONE), ("2.sql", TWO)]);
        assert!(why(replace("f.three", "1", "2"), both()).contains("f.three is in no file"));
        assert!(why(replace("f.one", "select 3", "2"), both()).contains("0 times instead of once"));
        assert!(why(replace("f.one", "1", "2"), files([("1.sql", ONE), ("2.sql", ONE)])).contains("more than once"));
    }
}
