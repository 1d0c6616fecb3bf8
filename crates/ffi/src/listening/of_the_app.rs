//! What the app gives to the library: how it is called, and how it is given back.

use super::{
    end::{self, Permit},
    enqueue, thread,
};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Something of the app: a listener, a provider. It is given back on the thread of the listeners, because that calls the app too.
pub(crate) struct OfTheApp<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync> OfTheApp<T> {
    pub(crate) fn new(what: T) -> Self {
        Self(Some(Arc::new(what)))
    }

    /// None when nothing of the app may be called any more.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref().filter(|_| !end::is_over())
    }
}

impl<T: Send + Sync> Clone for OfTheApp<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync> Drop for OfTheApp<T> {
    fn drop(&mut self) {
        let Some(what) = self.0.take() else { return };
        if end::is_over() {
            // The process ends.
            mem::forget(what);
        } else if thread::is_there() && !thread::is_this() {
            // It asks once more, wherever it is dropped then.
            let later = Self(Some(what));
            enqueue(move || drop(later));
        }
    }
}

/// A question to the app. Polling it calls the app, and dropping it tells the app that nobody waits any more: neither happens when
/// it is over. None is the answer then.
pub(crate) struct Asked<'a, T>(Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>);

impl<'a, T> Asked<'a, T> {
    pub(crate) fn new(question: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        Self(Some(question))
    }
}

impl<T> Future for Asked<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        match (Permit::ask(), self.0.as_mut()) {
            (Some(_permit), Some(question)) => question.as_mut().poll(context).map(Some),
            _ => Poll::Ready(None),
        }
    }
}

impl<T> Drop for Asked<'_, T> {
    fn drop(&mut self) {
        let permit = Permit::ask();
        if permit.is_none() {
            mem::forget(self.0.take());
        }
        // In this order: the end waits for the permit.
        drop((self.0.take(), permit));
    }
}
