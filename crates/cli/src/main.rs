//! The `fieldpost` command-line tool.

fn main() {}
