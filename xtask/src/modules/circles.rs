//! Finds circular dependencies between the modules of a crate.
//!
//! It looks at each level: at sibling modules, each with all that it contains, and at the code of their parent module.
//! So two folders must not depend on each other either, even if no two of their files do.

use super::{
    paths::needs,
    source::{Place, Sources},
};
use std::collections::{BTreeMap, BTreeSet};

/// The dependencies at one level, with an example for each.
type Level = BTreeMap<Place, BTreeMap<Place, (Place, Place)>>;

/// Each circle in words; empty if there is none.
pub(crate) fn circles(sources: &Sources) -> Vec<String> {
    let mut levels: BTreeMap<Place, Level> = BTreeMap::new();
    for (place, module) in sources.iter() {
        for other in needs(sources, place, module) {
            let level = common(place, &other);
            let (from, to) = (at(&level, place), at(&level, &other));
            let level = levels.entry(level).or_default();
            level.entry(from).or_default().entry(to).or_insert_with(|| (place.clone(), other));
        }
    }
    levels.values().filter_map(|level| circle(level).map(|circle| words(level, &circle))).collect()
}

fn common(left: &Place, right: &Place) -> Place {
    left.iter().zip(right).take_while(|(left, right)| left == right).map(|(name, _)| name.clone()).collect()
}

/// The module at a level that contains `place`: the level itself, or one of its children.
fn at(level: &Place, place: &Place) -> Place {
    place[..(level.len() + 1).min(place.len())].to_vec()
}

/// The modules of a circle, in order.
fn circle(level: &Level) -> Option<Vec<Place>> {
    let mut done = BTreeSet::new();
    level.keys().find_map(|start| walk(level, start, &mut Vec::new(), &mut done))
}

fn walk(level: &Level, here: &Place, way: &mut Vec<Place>, done: &mut BTreeSet<Place>) -> Option<Vec<Place>> {
    if let Some(start) = way.iter().position(|place| place == here) {
        return Some(way[start..].to_vec());
    }
    if done.contains(here) {
        return None;
    }
    way.push(here.clone());
    let known = level.get(here).into_iter().flat_map(BTreeMap::keys);
    let found = known.clone().find_map(|next| walk(level, next, way, done));
    way.pop();
    done.insert(here.clone());
    found
}

fn words(level: &Level, circle: &[Place]) -> String {
    let next = circle.iter().cycle().skip(1);
    let steps = circle.iter().zip(next).map(|(from, to)| match level.get(from).and_then(|known| known.get(to)) {
        Some((by, of)) => format!("{} -> {} ({} uses {})", name(from), name(to), name(by), name(of)),
        None => format!("{} -> {}", name(from), name(to)),
    });
    steps.collect::<Vec<_>>().join(", ")
}

fn name(place: &Place) -> String {
    if place.is_empty() { "crate".to_owned() } else { place.join("::") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        let mut sources = Sources::default();
        for (place, text) in files {
            let place = place.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
            sources.add(place, text).unwrap();
        }
        sources
    }

    #[test]
    fn two_files_that_know_each_other_are_a_circle() {
        let planted = sources(&[("", "mod a; mod b;"), ("a", "use crate::b::B;"), ("b", "fn f(_: crate::a::A) {}")]);
        assert_eq!(circles(&planted), ["a -> b (a uses b), b -> a (b uses a)"]);
    }

    #[test]
    fn two_folders_that_know_each_other_are_a_circle_though_no_two_files_are() {
        let files = [
            ("", "mod a; mod b;"),
            ("a", "mod low; mod high;"),
            ("a::low", ""),
            ("a::high", "use crate::{b::{self, x}, c}; fn f() { x::f() }"),
            ("b", "mod x;"),
            ("b::x", "use crate::a::low; fn f() { low::f() }"),
        ];
        assert_eq!(circles(&sources(&files)), ["a -> b (a::high uses b::x), b -> a (b::x uses a::low)"]);
    }

    #[test]
    fn a_module_and_one_that_it_holds_are_a_circle() {
        let planted =
            sources(&[("", "mod a;"), ("a", "mod b; struct A; fn f() { b::f() }"), ("a::b", "use super::A;")]);
        assert_eq!(circles(&planted).len(), 1);
    }

    #[test]
    fn one_way_is_no_circle_and_tests_may_look_back() {
        let files = [
            ("b", "pub(crate) struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
            ("plans", "use crate::a::A;"),
            ("a", "use super::b::B; use std::fmt; fn f(b: &B) -> Option<plan::B> { None }"),
            ("", "mod a; mod b; #[cfg(test)] mod plans; pub use a::A;"),
        ];
        assert_eq!(circles(&sources(&files)), Vec::<String>::new());
    }
}
