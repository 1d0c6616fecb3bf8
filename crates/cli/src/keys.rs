//! Files with a key.

use crate::{args::DeviceArgs, failure::Failure};
use fieldpost::Key;
use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
};
use zeroize::Zeroizing;

/// A key is 32 bytes, or 64 digits and what an editor adds.
const MOST: u64 = 1024;

/// The key that the command line names, if it names one.
pub(crate) fn of(args: &DeviceArgs) -> Result<Option<Key>, Failure> {
    args.key_file.as_deref().map(read).transpose()
}

/// Reads a key: 32 bytes, or 64 hexadecimal digits on a line.
pub(crate) fn read(file: &Path) -> Result<Key, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::usage(format!("the key file {}: {what}", file.display()));
    let mut content = Zeroizing::new(Vec::new());
    let opened = fs::File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut content));
    opened.map_err(|error| failed(&error))?;
    if let Ok(bytes) = <[u8; 32]>::try_from(content.as_slice()) {
        return Key::new(bytes).map_err(|error| failed(&error));
    }
    let text = std::str::from_utf8(&content).unwrap_or_default();
    text.trim().parse().map_err(|error| failed(&error))
}

/// Writes a key to a new file that only its owner can read.
pub(crate) fn write(file: &Path, key: &Key) -> Result<(), Failure> {
    let digits = key.reveal().iter().map(|byte| format!("{byte:02x}"));
    let text = Zeroizing::new(digits.chain(["\n".to_owned()]).collect::<String>());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} exists, and a key in it would be lost; name another file", file.display()))
        }
        _ => Failure::error(format!("{}: {error}", file.display())),
    })
}
