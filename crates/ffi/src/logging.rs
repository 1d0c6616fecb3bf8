//! The log of the library, for the app's own log.
//!
//! Fieldpost logs no content and no token. Of other libraries nothing is passed on, because they do not promise that.

use crate::{
    ErrorKind, FieldpostError, ListenerError, Result,
    listening::{self, OfTheApp},
};
use std::{
    fmt::{self, Write as _},
    mem,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something has failed.
    Error,
    /// Something is odd.
    Warn,
    /// What happens.
    Info,
    /// What happens, in detail.
    Debug,
    /// Everything.
    Trace,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// The part of the library that writes it.
    pub target: String,
    /// What it says, with its fields.
    pub text: String,
}

/// Takes the lines of the log.
#[uniffi::export(callback_interface)]
pub trait LogSink: Send + Sync {
    /// A line. The thread of the listeners calls it.
    ///
    /// # Errors
    /// Whatever is thrown is ignored.
    fn log(&self, line: LogLine) -> std::result::Result<(), ListenerError>;
}

/// How many lines may wait for the sink. What comes on top is dropped.
const WAITING: usize = 1_000;

/// Whom the log is passed on to, and up to which level.
type Wanted = (Level, OfTheApp<Box<dyn LogSink>>);

#[derive(Default)]
struct Log {
    sink: RwLock<Option<Wanted>>,
    waiting: Arc<AtomicUsize>,
}

/// None if the process has another log, which cannot be taken back.
static LOG: OnceLock<Option<Arc<Log>>> = OnceLock::new();

/// Passes the log on, up to this level, in place of where it went before. There is one log for all clients of the process.
///
/// # Errors
/// [`ErrorKind::Configuration`] if the process has a log of tracing's already.
#[uniffi::export]
pub fn log_to(level: LogLevel, sink: Box<dyn LogSink>) -> Result<()> {
    let taken = || FieldpostError::new(ErrorKind::Configuration, "the process has another log already");
    LOG.get_or_init(install).as_ref().ok_or_else(taken)?.pass_to(Some((level.into(), OfTheApp::new(sink))));
    Ok(())
}

/// Passes the log on no more.
#[uniffi::export]
pub fn stop_logging() {
    if let Some(Some(log)) = LOG.get() {
        log.pass_to(None);
    }
}

fn install() -> Option<Arc<Log>> {
    let log = Arc::new(Log::default());
    tracing::subscriber::set_global_default(Passing(Arc::clone(&log))).ok().map(|()| log)
}

impl Log {
    fn pass_to(&self, wanted: Option<Wanted>) {
        let former = mem::replace(&mut *self.sink.write().unwrap_or_else(PoisonError::into_inner), wanted);
        tracing::callsite::rebuild_interest_cache();
        // Not while the lock is held: the app is called where it is given back, and may log.
        drop(former);
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let sink = self.sink.read().unwrap_or_else(PoisonError::into_inner);
        sink.as_ref().is_some_and(|(level, _)| metadata.level() <= level)
    }

    fn pass(&self, line: LogLine) {
        let sink = self.sink.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, sink)| sink.clone());
        let Some(sink) = sink else { return };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let waits = Waits(Arc::clone(&self.waiting));
        listening::enqueue(move || {
            // A sink that throws cannot be told of anywhere.
            let _ = sink.get().map(|sink| sink.log(line));
            drop(waits);
        });
    }
}

/// A line that waits for the sink.
struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Passes the events of Fieldpost's crates on. Spans are not needed: no line depends on one.
struct Passing(Arc<Log>);

impl Subscriber for Passing {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("fieldpost") && self.0.wants(metadata)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        let line = LogLine {
            level: (*metadata.level()).into(),
            target: metadata.target().to_owned(),
            text: format!("{}{}", text.says, text.fields),
        };
        self.0.pass(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Text {
    says: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.says, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}
