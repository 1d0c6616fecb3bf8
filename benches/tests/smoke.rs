//! Every bench runs once with a handful of rows, so that none of them rots. How fast they are is nobody's business here.

use fieldpost_benches::{BENCHES, Notes, Size};

#[test]
fn every_bench_runs_and_all_of_its_subjects_do_their_work() {
    for bench in BENCHES {
        let mut notes = Notes::kept(bench.name);
        bench.run(Size::Smoke, &mut notes).unwrap();
        assert!(notes.lines().iter().any(|line| line.subject == "fieldpost"), "{} says nothing", bench.name);
        assert!(notes.lines().iter().all(|line| line.units > 0 && line.seconds > 0.0), "{}", bench.name);
    }
}
