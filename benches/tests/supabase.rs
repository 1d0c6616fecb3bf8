//! Benches on the real stack run once with a handful of rows. Peers take part if they are installed
//! (`cargo xtask peers`).

use fieldpost_benches::{BENCHES, Notes, Size};

#[test]
fn every_bench_on_the_stack_runs_and_nobody_loses_or_doubles_a_message() {
    for bench in BENCHES.iter().filter(|bench| bench.needs_stack) {
        let mut notes = Notes::kept(bench.name);
        bench.run(Size::Smoke, &mut notes).unwrap();
        let ours: Vec<_> = notes.lines().iter().filter(|line| line.subject == "fieldpost").collect();
        assert!(!ours.is_empty(), "{} says nothing", bench.name);
        for line in ours {
            for wrong in ["lost", "doubled"] {
                assert!(line.facts.get(wrong).is_none_or(|count| *count == 0.0), "{}: {wrong}", line.case);
            }
        }
    }
}
