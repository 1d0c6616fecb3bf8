//! The runtime on which everything runs.
//!
//! The runtimes of the four languages know nothing of tokio, and may drop what they hold on any thread. So calls are spawned here.

use crate::{ErrorKind, FieldpostError, Result};
use futures::future::BoxFuture;
use std::{
    future::Future,
    io,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
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

/// A call that runs, and the place of its result.
///
/// What is spawned is boxed: every call has a future of its own type, and tokio's code of a task is there once for each type. With
/// one type for all, the library is half a megabyte smaller.
pub(crate) struct Running<T> {
    task: JoinHandle<()>,
    place: Place<T>,
}

type Place<T> = Arc<Mutex<Option<Result<T>>>>;

impl<T: Send + 'static> Running<T> {
    /// Starts a call. It runs to its end even if its caller is dropped.
    pub(crate) fn start(work: BoxFuture<'static, Result<T>>) -> Result<Self> {
        let place = Place::default();
        let there = Arc::clone(&place);
        let task = start(async move { put(&there, work.await) })?;
        Ok(Self { task, place })
    }

    /// Waits for the result.
    pub(crate) async fn result(&mut self) -> Result<T> {
        // A call that has panicked has put nothing there.
        let _ = (&mut self.task).await;
        take(&self.place).unwrap_or_else(|| Err(failed()))
    }
}

fn put<T>(place: &Place<T>, result: Result<T>) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

fn take<T>(place: &Place<T>) -> Option<Result<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Runs something to its end, also if the caller stops waiting for it.
pub(crate) fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> BoxFuture<'static, Result<T>> {
    carry_out(Box::pin(work))
}

fn carry_out<T: Send + 'static>(work: BoxFuture<'static, Result<T>>) -> BoxFuture<'static, Result<T>> {
    Box::pin(async move { Running::start(work)?.result().await })
}

/// Starts something that goes on by itself.
pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Result<JoinHandle<()>> {
    let work: BoxFuture<'static, ()> = Box::pin(work);
    Ok(runtime()?.spawn(work))
}

/// Drops something that may need the runtime for that.
pub(crate) fn drop_inside<T>(what: T) {
    let _inside = runtime().map(Runtime::enter);
    drop(what);
}

/// Runs something that only waits: it ends when the caller gives up.
pub(crate) fn start_waiting<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<BoxFuture<'static, Result<T>>> {
    let mut waiting = Waiting(Running::start(Box::pin(work))?);
    Ok(Box::pin(async move { waiting.0.result().await }))
}

struct Waiting<T>(Running<T>);

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.0.task.abort();
    }
}

/// A panic of the library. Its text is not told: it may have content.
fn failed() -> FieldpostError {
    FieldpostError::new(ErrorKind::Internal, "the library has failed; see its log")
}

#[cfg(test)]
mod tests {
    use super::{run, start_waiting};
    use crate::{ErrorKind, Failure, Result};
    use futures::poll;
    use std::future;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_panic_is_an_internal_error() {
        let ended: Result<()> = run(async { panic!("the library has a fault") }).await;
        assert_eq!(Failure::from(ended.unwrap_err()).kind, ErrorKind::Internal);
    }

    #[tokio::test]
    async fn a_call_is_carried_out_although_nobody_waits_and_what_only_waits_ends_with_its_caller() {
        let (done, carried_out) = oneshot::channel();
        let mut call = run(async move {
            tokio::task::yield_now().await;
            Ok(done.send("carried out"))
        });
        let _ = poll!(&mut call);
        drop(call);

        let (held, ended) = oneshot::channel::<()>();
        let waiting = start_waiting(async move {
            let _held = held;
            future::pending::<Result<()>>().await
        });
        drop(waiting);

        assert_eq!(carried_out.await, Ok("carried out"));
        assert!(ended.await.is_err());
    }
}
