//! Shrinks a failing schedule: `ddmin` of Zeller and Hildebrandt, over whole steps.

/// The most runs to spend on it.
const RUNS: u32 = 600;

/// The smallest set of steps, found by leaving parts out, for which `fails` still holds.
pub(super) fn minimise<S: Clone>(steps: &[S], mut fails: impl FnMut(&[S]) -> bool) -> Vec<S> {
    let mut best = steps.to_vec();
    let (mut parts, mut runs) = (2, 0);
    while best.len() >= 2 && runs < RUNS {
        let size = best.len().div_ceil(parts);
        let mut smaller = None;
        for start in (0..best.len()).step_by(size) {
            let end = (start + size).min(best.len());
            let without: Vec<S> = best[..start].iter().chain(&best[end..]).cloned().collect();
            runs += 1;
            if fails(&without) {
                smaller = Some(without);
                break;
            }
        }
        match smaller {
            Some(found) => {
                best = found;
                parts = parts.saturating_sub(1).max(2);
            }
            None if size <= 1 => break,
            None => parts = (parts * 2).min(best.len()),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::step::{Act, Event, Step};

    fn step(after: u32) -> Step {
        Step { after, act: Act::Server(Event::Restart) }
    }

    #[test]
    fn what_is_left_is_what_it_takes() {
        let all: Vec<_> = (0..40).map(step).collect();
        let fails = |steps: &[Step]| steps.contains(&step(7)) && steps.contains(&step(31));
        assert_eq!(minimise(&all, fails), vec![step(7), step(31)]);
    }
}
