//! The paths in a module, and the modules that they lead to.

use super::source::{Module, Place, Sources};
use proc_macro2::{Delimiter, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// The modules that a module depends on.
pub(super) fn needs(sources: &Sources, place: &Place, module: &Module) -> BTreeSet<Place> {
    let mut reading = Reading { sources, place, names: children(sources, place), needs: BTreeSet::new() };
    // First the names that `use` introduces: a path may come before its `use`.
    reading.read(&module.tokens, true);
    reading.read(&module.tokens, false);
    reading.needs.remove(place);
    reading.needs
}

/// A module may name its children without a path.
fn children(sources: &Sources, place: &Place) -> BTreeMap<String, Place> {
    let of_mine = sources.iter().filter(|(other, _)| other.len() == place.len() + 1 && other.starts_with(place));
    of_mine.filter_map(|(child, _)| Some((child.last()?.clone(), child.clone()))).collect()
}

struct Reading<'a> {
    sources: &'a Sources,
    place: &'a Place,
    /// Names that stand for modules.
    names: BTreeMap<String, Place>,
    needs: BTreeSet<Place>,
}

impl Reading<'_> {
    fn read(&mut self, tokens: &[TokenTree], uses: bool) {
        let mut at = 0;
        while at < tokens.len() {
            let in_use = at > 0 && is_word(&tokens[at - 1], "use");
            if let Some(start) = self.start(tokens, at).filter(|_| in_use || !uses) {
                let first = vec![tokens[at].to_string()];
                let before = if is_root(&first[0]) { Vec::new() } else { first };
                at = self.follow(tokens, at + 1, start, &before, in_use);
                continue;
            }
            if let TokenTree::Group(group) = &tokens[at] {
                self.read(&group.stream().into_iter().collect::<Vec<_>>(), uses);
            }
            at += 1;
        }
    }

    /// Where a path starts whose first word is at this position; none if it is not a path of this crate.
    fn start(&self, tokens: &[TokenTree], at: usize) -> Option<Place> {
        let TokenTree::Ident(word) = &tokens[at] else { return None };
        if !is_separator(tokens, at + 1) || (at > 1 && is_separator(tokens, at - 2)) {
            return None;
        }
        match word.to_string().as_str() {
            "crate" => Some(Place::new()),
            "self" => Some(self.place.clone()),
            "super" => Some(self.place[..self.place.len().saturating_sub(1)].to_vec()),
            name => self.names.get(name).cloned(),
        }
    }

    /// Follows a path after its first word, and returns where it ends.
    fn follow(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        mut here: Place,
        words: &[String],
        in_use: bool,
    ) -> usize {
        let mut last = words.last().cloned().unwrap_or_default();
        let mut in_modules = true;
        while is_separator(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(word)) => {
                    last = word.to_string();
                    at += 3;
                    if last == "super" {
                        here.pop();
                        continue;
                    }
                    let deeper = [here.as_slice(), std::slice::from_ref(&last)].concat();
                    in_modules &= self.sources.has(&deeper);
                    if in_modules {
                        here = deeper;
                    }
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.each(&group.stream().into_iter().collect::<Vec<_>>(), &here, in_use);
                    return at + 3;
                }
                // A glob, or the arguments of a generic type.
                _ => {
                    self.needs.insert(here);
                    return at + 2;
                }
            }
        }
        self.end(tokens, at, here, last, in_modules, in_use)
    }

    /// The members of `path::{…}`.
    fn each(&mut self, tokens: &[TokenTree], here: &Place, in_use: bool) {
        for member in tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')) {
            match member.first() {
                Some(TokenTree::Ident(word)) if word == "self" => {
                    let name = here.last().cloned().unwrap_or_default();
                    self.end(member, 1, here.clone(), name, true, in_use);
                }
                Some(TokenTree::Ident(word)) => {
                    let word = word.to_string();
                    let deeper = [here.as_slice(), std::slice::from_ref(&word)].concat();
                    if self.sources.has(&deeper) {
                        self.follow(member, 1, deeper, &[word], in_use);
                    } else {
                        self.needs.insert(here.clone());
                    }
                }
                Some(_) => {
                    self.needs.insert(here.clone());
                }
                None => {}
            }
        }
    }

    /// In a `use`, a path that ends with a module gives it a name; any other path is a dependency.
    fn end(&mut self, tokens: &[TokenTree], at: usize, here: Place, last: String, whole: bool, in_use: bool) -> usize {
        let renamed = tokens.get(at).is_some_and(|token| is_word(token, "as"));
        if in_use && whole {
            let name = if renamed { tokens.get(at + 1).map(ToString::to_string).unwrap_or_default() } else { last };
            self.names.insert(name, here);
        } else {
            self.needs.insert(here);
        }
        at
    }
}

fn is_root(word: &str) -> bool {
    matches!(word, "crate" | "self" | "super")
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}
