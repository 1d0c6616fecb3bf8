//! The runtime on which everything runs.
//!
//! The runtimes of the four languages know nothing of tokio, and may drop what they hold on any thread. So calls are spawned here.

use crate::{ErrorKind, FieldpostError, Result};
use std::{future::Future, io, sync::LazyLock};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// How many threads carry out calls. The database has threads of its own.
const WORKERS: usize = 2;

static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(WORKERS).thread_name("fieldpost").enable_all().build());

pub(crate) fn runtime() -> Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|error| FieldpostError::new(ErrorKind::Internal, format!("no thread can be started: {error}")))
}

/// Runs something to its end, also if the caller stops waiting for it.
pub(crate) async fn run<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    match runtime()?.spawn(work).await {
        Ok(result) => result,
        Err(_) => Err(failed()),
    }
}

/// Starts something that goes on by itself.
pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Result<JoinHandle<()>> {
    Ok(runtime()?.spawn(work))
}

/// Drops something that may need the runtime for that.
pub(crate) fn drop_inside<T>(what: T) {
    let _inside = runtime().map(Runtime::enter);
    drop(what);
}

/// Runs something that only waits: it ends when the caller gives up.
pub(crate) fn start_waiting<T, F>(work: F) -> Result<impl Future<Output = Result<T>> + Send>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let task = Aborting(runtime()?.spawn(work));
    Ok(async move {
        let mut task = task;
        match (&mut task.0).await {
            Ok(result) => result,
            Err(_) => Err(failed()),
        }
    })
}

struct Aborting<T>(JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A panic of the library. Its text is not told: it may have content.
fn failed() -> FieldpostError {
    FieldpostError::new(ErrorKind::Internal, "the library has failed; see its log")
}
