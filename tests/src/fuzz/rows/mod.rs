//! Values in the file that this version would not write: from a faulty disk, another program, a future version.
//!
//! Some cells of a file with every kind of content ([`file`]) get odd values ([`odd`]), and then every view of the
//! store is read ([`views`]). SQLite itself refuses some of them (for example NULL in a NOT NULL column), which is fine
//! too.

mod file;
mod odd;
mod views;

use fieldpost_storage_sqlite::SqliteStore;
use odd::Odd;
use tokio::runtime::Builder;

/// Decodes the bytes as odd values, puts them into a file, and reads everything that the store shows.
///
/// # Panics
/// When a view fails with another error than a damaged file, or an odd row affects rows that it does not touch.
pub fn rows(bytes: &[u8]) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("odd.db");
        let sound = file::sound().await;
        std::fs::write(&path, &sound.bytes).expect("room for a copy");
        let touched = odd::put(&path, &Odd::read(bytes)).await;
        match SqliteStore::open(path.as_path()).await {
            Ok(store) => {
                views::read(&store, sound, &touched).await;
                // Closing fails only for a file that is read-only or gone, and this one is neither.
                fieldpost_storage::Store::close(&store).await.expect("closing");
            }
            Err(error) => {
                views::is_typed(&error);
                assert!(!views::is_parked(&touched), "a mutation that cannot be read keeps the file shut: {touched:?}");
            }
        }
    });
}
