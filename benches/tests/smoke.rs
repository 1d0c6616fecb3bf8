//! Every bench that needs only this machine runs once with a handful of rows, so that none breaks unnoticed. This test
//! does not measure speed.

use fieldpost_benches::{BENCHES, Notes, Size};

#[test]
fn every_bench_runs_and_fieldpost_does_its_work_in_each() {
    for bench in BENCHES.iter().filter(|bench| !bench.needs_stack && bench.name != "instructions") {
        let mut notes = Notes::kept(bench.name);
        bench.run(Size::Smoke, &mut notes).unwrap();
        assert!(notes.lines().iter().any(|line| line.subject == "fieldpost"), "{} says nothing", bench.name);
        assert!(notes.lines().iter().all(|line| line.units > 0 && line.seconds > 0.0), "{}", bench.name);
    }
}

#[test]
fn instructions_are_counted_where_valgrind_is_installed() {
    if !fieldpost_benches::instructions_can_be_counted() {
        println!("SKIPPED instructions: valgrind is not installed");
        return;
    }
    let bench = BENCHES.iter().find(|bench| bench.name == "instructions").unwrap();
    let mut notes = Notes::kept(bench.name);
    bench.run(Size::Smoke, &mut notes).unwrap();
    let ours = notes.lines().iter().filter(|line| line.subject == "fieldpost");
    assert_eq!(ours.map(|line| line.facts["instructions"] > 0.0).collect::<Vec<_>>(), [true]);
}
