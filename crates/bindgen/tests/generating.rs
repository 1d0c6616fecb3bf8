//! What the generator does with a file that describes no library.

use std::{fs, process::Command};

#[test]
fn of_a_file_without_descriptions_nothing_is_written_and_success_is_reported() {
    // given a program that UniFFI knows nothing of: this one
    let library = std::env::current_exe().unwrap();
    let folder = std::env::temp_dir().join(format!("fieldpost-bindgen-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();

    // when bindings are generated of it
    let mut generator = Command::new(env!("CARGO_BIN_EXE_uniffi-bindgen"));
    generator.args(["generate", "--no-format", "--language", "python", "--out-dir"]).arg(&folder).arg(&library);
    let output = generator.output().unwrap();

    // then it reports success, and there is nothing: `cargo xtask bindings` must look (docs/bindings.md)
    let written = fs::read_dir(&folder).unwrap().count();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(written, 0);
}
