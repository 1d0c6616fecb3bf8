//! The modules of a crate, as tokens without tests and attributes.

use anyhow::{Context as _, Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The path of a module: its names from the crate root down; empty for the root itself.
pub(crate) type Place = Vec<String>;

/// A module.
#[derive(Debug)]
pub(crate) struct Module {
    /// The lines of its own documentation.
    pub(crate) docs: Vec<String>,
    pub(crate) tokens: Vec<TokenTree>,
}

/// The modules of a crate by path.
#[derive(Debug, Default)]
pub(crate) struct Sources(BTreeMap<Place, Module>);

impl Sources {
    /// Reads the sources of a crate.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut sources = Self::default();
        for file in files(folder)? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            sources.add(place(folder, &file), &text).with_context(|| file.display().to_string())?;
        }
        Ok(sources)
    }

    pub(crate) fn add(&mut self, place: Place, text: &str) -> Result<()> {
        let tokens: TokenStream = text.parse().map_err(|error| anyhow!("no Rust: {error}"))?;
        let docs =
            text.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| line.trim().to_owned()).collect();
        let (tokens, tests) = without_tests(tokens.into_iter().collect());
        self.0.insert(place.clone(), Module { docs, tokens });
        for test in tests {
            let place = [place.as_slice(), &[test]].concat();
            // Files are sorted by name, so a module may have been read before the module that declares it.
            self.0.insert(place, Module { docs: Vec::new(), tokens: Vec::new() });
        }
        Ok(())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Module)> {
        self.0.iter()
    }

    pub(crate) fn has(&self, place: &[String]) -> bool {
        self.0.contains_key(place)
    }
}

/// Parents before their children, so that a test module is emptied after it was read.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    Ok(found)
}

fn place(folder: &Path, file: &Path) -> Place {
    let inside = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let mut place: Place = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if place.last().is_some_and(|last| last == "mod" || (place.len() == 1 && (last == "lib" || last == "main"))) {
        place.pop();
    }
    place
}

/// Removes attributes and test items; returns the names of removed modules that have their own file.
fn without_tests(tokens: Vec<TokenTree>) -> (Vec<TokenTree>, Vec<String>) {
    let (mut kept, mut tests) = (Vec::new(), Vec::new());
    let mut rest = tokens.into_iter().peekable();
    let mut test = false;
    while let Some(token) = rest.next() {
        if is(&token, '#') {
            rest.next_if(|next| is(next, '!'));
            if let Some(TokenTree::Group(attribute)) = rest.next_if(is_attribute) {
                test |= attribute.stream().to_string().replace(' ', "") == "cfg(test)";
                continue;
            }
        }
        if !test {
            kept.push(inner(token, &mut tests));
            continue;
        }
        // An item ends with its braces or with a semicolon.
        let mut item = vec![token];
        while !item.last().is_some_and(ends_item) {
            let Some(next) = rest.next() else { break };
            item.push(next);
        }
        tests.extend(declared(&item));
        test = false;
    }
    (kept, tests)
}

/// The same for the contents of brackets.
fn inner(token: TokenTree, tests: &mut Vec<String>) -> TokenTree {
    let TokenTree::Group(group) = token else { return token };
    let (kept, more) = without_tests(group.stream().into_iter().collect());
    tests.extend(more);
    TokenTree::Group(Group::new(group.delimiter(), kept.into_iter().collect()))
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_attribute(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn ends_item(token: &TokenTree) -> bool {
    is(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// The name of `mod name;`.
fn declared(item: &[TokenTree]) -> Option<String> {
    let [.., TokenTree::Ident(word), TokenTree::Ident(name), end] = item else { return None };
    (word == "mod" && is(end, ';')).then(|| name.to_string())
}
