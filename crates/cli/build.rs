//! Joins the SQL of `migrations/supabase` into the one file that `fieldpost sql export` writes.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/supabase");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut parts = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            parts.push(path);
        }
    }
    parts.sort();
    let texts: Vec<String> = parts.iter().map(fs::read_to_string).collect::<io::Result<_>>()?;
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("fieldpost.sql"), texts.join("\n"))
}
