//! The difference between two lists, as diffs.

use eyeball_im::{Vector, VectorDiff};
use std::{collections::HashSet, hash::Hash};

/// If more rows than this differ, the whole list is replaced.
const MANY: usize = 500;

/// The diffs that turn `before` into `after`; empty if they are equal. Rows with the same key are the same row.
#[must_use]
pub fn difference<T, K>(before: &Vector<T>, after: Vec<T>, key: impl Fn(&T) -> K) -> Vec<VectorDiff<T>>
where
    T: Clone + PartialEq,
    K: Eq + Hash,
{
    let same = |a: &T, b: &T| key(a) == key(b);
    let start = before.iter().zip(&after).take_while(|(a, b)| same(a, b)).count();
    let rest = before.len().min(after.len()) - start;
    let end = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| same(a, b)).count();
    if (before.len() - end - start).max(after.len() - end - start) > MANY {
        return vec![VectorDiff::Reset { values: after.into() }];
    }
    let mut edits = Edits { now: before.clone(), diffs: Vec::new() };
    let coming: HashSet<K> = after[start..after.len() - end].iter().map(&key).collect();
    for index in (start..before.len() - end).rev() {
        if !coming.contains(&key(&before[index])) {
            edits.remove(index);
        }
    }
    for (index, row) in after.into_iter().enumerate() {
        edits.put(index, row, &same);
    }
    edits.diffs
}

/// A list with the diffs applied to it so far.
struct Edits<T: Clone> {
    now: Vector<T>,
    diffs: Vec<VectorDiff<T>>,
}

impl<T: Clone + PartialEq> Edits<T> {
    /// Puts this row at `index`; all rows before it are final.
    fn put(&mut self, index: usize, row: T, same: &impl Fn(&T, &T) -> bool) {
        match self.now.get(index) {
            Some(here) if *here == row => {}
            Some(here) if same(here, &row) => self.apply(VectorDiff::Set { index, value: row }),
            None => self.apply(VectorDiff::PushBack { value: row }),
            Some(_) => {
                if let Some(later) = self.now.iter().skip(index).position(|other| same(other, &row)) {
                    self.remove(index + later);
                }
                self.apply(VectorDiff::Insert { index, value: row });
            }
        }
    }

    fn remove(&mut self, index: usize) {
        self.apply(VectorDiff::Remove { index });
    }

    fn apply(&mut self, diff: VectorDiff<T>) {
        diff.clone().apply(&mut self.now);
        self.diffs.push(diff);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (u32, char);

    fn steps(before: &[Row], after: &[Row]) -> Vec<VectorDiff<Row>> {
        let mut list: Vector<Row> = before.iter().copied().collect();
        let diffs = difference(&list, after.to_vec(), |row| row.0);
        for diff in diffs.clone() {
            diff.apply(&mut list);
        }
        assert!(list.iter().eq(after), "{diffs:?} makes {list:?}");
        diffs
    }

    #[test]
    fn equal_lists_differ_in_nothing() {
        assert!(steps(&[(1, 'a'), (2, 'b')], &[(1, 'a'), (2, 'b')]).is_empty());
        assert!(steps(&[], &[]).is_empty());
    }

    #[test]
    fn one_change_is_one_step() {
        let before = [(1, 'a'), (2, 'b'), (3, 'c')];
        let set = steps(&before, &[(1, 'a'), (2, 'x'), (3, 'c')]);
        assert_eq!(set, [VectorDiff::Set { index: 1, value: (2, 'x') }]);
        let added = steps(&before, &[(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')]);
        assert_eq!(added, [VectorDiff::PushBack { value: (4, 'd') }]);
        let gone = steps(&before, &[(1, 'a'), (3, 'c')]);
        assert_eq!(gone, [VectorDiff::Remove { index: 1 }]);
        let between = steps(&before, &[(1, 'a'), (9, 'z'), (2, 'b'), (3, 'c')]);
        assert_eq!(between, [VectorDiff::Insert { index: 1, value: (9, 'z') }]);
    }

    #[test]
    fn a_window_that_slides_loses_its_first_row_and_gets_a_last_one() {
        let slid = steps(&[(1, 'a'), (2, 'b'), (3, 'c')], &[(2, 'b'), (3, 'c'), (4, 'd')]);
        assert_eq!(slid, [VectorDiff::Remove { index: 0 }, VectorDiff::PushBack { value: (4, 'd') }]);
    }

    #[test]
    fn rows_may_change_places_and_values_in_any_way() {
        let rows = |seed: u32| -> Vec<Row> {
            let mut rows: Vec<Row> =
                (0..8).map(|n| ((seed * 7 + n * 5) % 13, char::from(b'a' + (seed % 3) as u8))).collect();
            rows.truncate((seed % 9) as usize);
            rows
        };
        for one in 0..60 {
            for other in 0..60 {
                steps(&rows(one), &rows(other));
            }
        }
    }

    #[test]
    fn very_different_lists_are_replaced() {
        let row = |n: u32| (n, 'a');
        let (before, after): (Vec<_>, Vec<_>) = ((0..1_000).map(row).collect(), (2_000..3_000).map(row).collect());
        assert!(matches!(steps(&before, &after)[..], [VectorDiff::Reset { .. }]));
    }
}
