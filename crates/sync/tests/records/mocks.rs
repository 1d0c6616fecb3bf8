//! The driver with mocks. Tokio's time is paused: it advances when every task waits.

use crate::given::*;
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, PersonId, RefreshToken, Session, Time,
    records::{
        ClockId, Column, ColumnKind, ColumnName, ConflictRule, DeviceTime, Modified, Priority, RecordMutation,
        RecordPage, RecordTable,
    },
};
use fieldpost_remote::{
    AuditAnswer, MockAuth, MockRecordsApi, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer,
    RecordsApi, RemoteError, RemoteErrorKind, RemoteResult,
};
use fieldpost_storage::{
    MockSessions, MockTurns, StorageError, StorageErrorKind, Turn,
    records::{
        AuditCounts, MockAuditLog, MockRecordQueue, MockRecordReplica, MockRecords, RecordApplyReport, RecordBatch,
        RecordCounts, RecordMemory, RecordSettleReport, RecordSyncState,
    },
};
use fieldpost_sync::{Env, RecordEngine, RecordParts, SessionKeeper, SyncError};
use fieldpost_testkit::{ManualClock, SeededEntropy};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const S: Duration = Duration::from_secs(1);

type Waiting = Arc<Mutex<Vec<RecordMutation>>>;

struct Mocks {
    records: MockRecords,
    queue: MockRecordQueue,
    replica: MockRecordReplica,
    audit: MockAuditLog,
    turns: MockTurns,
    sessions: MockSessions,
    auth: MockAuth,
    clock: Arc<ManualClock>,
    /// What the queue has, by priority.
    waiting: Waiting,
}

fn session(token: &str) -> Session {
    Session {
        person_id: PersonId::from_uuid(Uuid::from_u128(1)),
        email: None,
        access_token: AccessToken::new(token),
        refresh_token: RefreshToken::new("refresh"),
        expires_at: Time::from_timestamp_millis(4_000_000_000_000).unwrap(),
    }
}

fn visits() -> RecordTable {
    let column = |name| Column::new(ColumnName::new(name).unwrap(), ColumnKind::Text);
    RecordTable::new(table("visits"))
        .on_server(table("site_visits"))
        .column(column("place").on_server(ColumnName::new("location").unwrap()))
}

/// Mocks of a signed-in device with a cursor. What it takes from the queue leaves the queue.
fn mocks(waiting: Vec<RecordMutation>) -> Mocks {
    let waiting: Waiting = Arc::new(Mutex::new(waiting));
    let mut mocks = Mocks {
        records: MockRecords::new(),
        queue: MockRecordQueue::new(),
        replica: MockRecordReplica::new(),
        audit: MockAuditLog::new(),
        turns: MockTurns::new(),
        sessions: MockSessions::new(),
        auth: MockAuth::new(),
        clock: Arc::default(),
        waiting: Arc::clone(&waiting),
    };
    mocks.records.expect_declared().returning(|| Ok(vec![visits()]));
    let queue = Arc::clone(&waiting);
    mocks.queue.expect_next_records().returning(move |batch: RecordBatch| {
        let mut queue = queue.lock().unwrap();
        let (taken, left) = queue.drain(..).partition(|change| change.priority <= batch.at_most);
        *queue = left;
        Ok(taken)
    });
    mocks.queue.expect_record_counts().returning(move |_| {
        let queue = waiting.lock().unwrap();
        let immediate = queue.iter().filter(|change| change.priority == Priority::Immediate).count() as u64;
        Ok(RecordCounts { pending: queue.len() as u64, immediate, ..RecordCounts::default() })
    });
    mocks.queue.expect_stop_waiting().returning(|| Ok(()));
    mocks.queue.expect_settle_records().returning(|results, _| {
        Ok(RecordSettleReport { won: u32::try_from(results.len()).unwrap(), ..RecordSettleReport::default() })
    });
    mocks.replica.expect_record_state().returning(|| {
        Ok(RecordSyncState { cursor: Some(cursor("c")), last_success_at: None, memory: RecordMemory::default() })
    });
    mocks.replica.expect_remember_records().returning(|_, _| Ok(()));
    mocks.replica.expect_apply_records().returning(|_, _| Ok(RecordApplyReport::default()));
    mocks.audit.expect_next_audit().returning(|_| Ok(vec![]));
    mocks.audit.expect_audit_counts().returning(|| Ok(AuditCounts::default()));
    mocks.sessions.expect_session().returning(|| Ok(Some(session("old"))));
    mocks
}

fn build(mut mocks: Mocks, api: Arc<dyn RecordsApi>) -> (Arc<RecordEngine>, Arc<ManualClock>, Waiting) {
    mocks.turns.expect_try_turn().returning(|| Ok(Some(Turn::new(()))));
    let env = Env::new(mocks.clock.clone(), Arc::new(SeededEntropy::new(1)));
    let session = SessionKeeper::new(Arc::new(mocks.auth), Arc::new(mocks.sessions), env.clone());
    let engine = RecordEngine::new(RecordParts {
        records: Arc::new(mocks.records),
        queue: Arc::new(mocks.queue),
        replica: Arc::new(mocks.replica),
        audit: Arc::new(mocks.audit),
        turns: Arc::new(mocks.turns),
        api,
        session: Arc::new(session),
        env,
    });
    (Arc::new(engine), mocks.clock, mocks.waiting)
}

fn pushed(changes: &[OutgoingRecord]) -> RecordPushAnswer {
    push_answer(changes.iter().map(|change| won(change.id.as_uuid().as_u128())).collect())
}

/// An API whose pull finds nothing.
fn api() -> MockRecordsApi {
    let mut api = MockRecordsApi::new();
    api.expect_pull_records().returning(|_, _| Ok(page("c", false, 0)));
    api
}

#[tokio::test]
async fn names_and_times_are_translated_at_the_border() {
    let mut mocks = mocks(vec![]);
    mocks.queue.expect_clock_measured().times(1).returning(|_, _| Ok(()));
    let mut api = api();
    api.expect_push_records().times(1).returning(|_, changes| {
        let [change, later] = changes else { panic!("{changes:?}") };
        assert_eq!((change.table.as_str(), change.rule), ("site_visits", ConflictRule::LastWriteWins));
        assert_eq!(change.fields.get("location"), Some(&"Gate 3".into()));
        assert_eq!(change.modified, Modified::Ago(Duration::from_secs(7200)));
        assert_eq!((change.after, later.after), (None, Some(change.id)));
        Ok(pushed(changes))
    });
    let (engine, clock, waiting) = build(mocks, Arc::new(api));
    let modified_at = engine.now();
    clock.advance(chrono::TimeDelta::hours(2));
    // Somebody sets the device's clock; that changes no age.
    clock.advance(chrono::TimeDelta::days(-3));
    let first = RecordMutation { modified_at, ..change(1, Priority::Normal) };
    let second = RecordMutation { record_id: first.record_id, ..change(2, Priority::Normal) };
    waiting.lock().unwrap().extend([first, second]);
    assert_eq!(engine.sync().await.unwrap().won, 2);
}

#[tokio::test]
async fn a_time_of_an_earlier_process_is_one_of_the_server_if_that_clock_was_measured() {
    let mut mocks = mocks(vec![RecordMutation {
        modified_at: DeviceTime { clock: ClockId::from_uuid(Uuid::from_u128(77)), at: at(60) },
        ahead_micros: Some(60_000_000),
        ..change(1, Priority::Normal)
    }]);
    mocks.queue.expect_clock_measured().returning(|_, _| Ok(()));
    let mut api = api();
    api.expect_push_records().times(1).returning(|_, changes| {
        assert_eq!(changes[0].modified, Modified::At(at(0)));
        Ok(pushed(changes))
    });
    build(mocks, Arc::new(api)).0.sync().await.unwrap();
}

#[tokio::test]
async fn the_clock_is_measured_by_the_answers() {
    let mut mocks = mocks(vec![]);
    let shown = Time::from_timestamp_micros(ManualClock::START).unwrap();
    let ahead = (shown - at(0)).num_microseconds().unwrap();
    mocks.queue.expect_clock_measured().times(1).withf(move |_, measured| *measured == ahead).returning(|_, _| Ok(()));
    let (engine, _, _) = build(mocks, Arc::new(api()));
    engine.sync().await.unwrap();
    engine.sync().await.unwrap();
}

#[tokio::test]
async fn a_rejected_token_is_replaced_as_for_messages() {
    let mut mocks = mocks(vec![change(1, Priority::Normal)]);
    mocks.queue.expect_clock_measured().returning(|_, _| Ok(()));
    mocks.auth.expect_refresh().times(1).returning(|_| Ok(session("new")));
    mocks.sessions.expect_save_session().times(1).returning(|_| Ok(()));
    let mut api = api();
    api.expect_push_records().times(2).returning(|token, changes| match token.reveal() {
        "old" => Err(failed(RemoteErrorKind::Unauthorized)),
        _ => Ok(pushed(changes)),
    });
    assert_eq!(build(mocks, Arc::new(api)).0.sync().await.unwrap().won, 1);
}

#[tokio::test]
async fn a_server_without_the_functions_is_named_and_the_changes_wait_for_nothing() {
    let mut mocks = mocks(vec![change(1, Priority::Normal)]);
    mocks.queue.expect_withdraw_records().times(1).withf(|ids| ids == [id(1)]).returning(|_| Ok(()));
    mocks.queue.expect_postpone_records().never();
    let mut api = MockRecordsApi::new();
    api.expect_push_records().times(1).returning(|_, _| Err(failed(RemoteErrorKind::NotFieldpost)));
    let error = build(mocks, Arc::new(api)).0.sync().await.unwrap_err();
    assert!(error.to_string().contains("has no functions for records"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_the_functions_is_asked_twice_a_minute_at_most() {
    let mocks = mocks(vec![]);
    let mut api = MockRecordsApi::new();
    api.expect_pull_records().times(10..=21).returning(|_, _| Err(failed(RemoteErrorKind::NotFieldpost)));
    let (engine, _, _) = build(mocks, Arc::new(api));
    drop(tokio::time::timeout(600 * S, engine.keep_syncing()).await);
}

#[tokio::test]
async fn a_page_and_its_cursor_are_applied_in_one_call() {
    let mut mocks = with_clock(mocks(vec![]));
    mocks.replica = MockRecordReplica::new();
    mocks.replica.expect_record_state().returning(|| {
        Ok(RecordSyncState { cursor: Some(cursor("c")), last_success_at: None, memory: RecordMemory::default() })
    });
    mocks.replica.expect_remember_records().returning(|_, _| Ok(()));
    let whole = |from: &Option<_>, page: &RecordPage| *from == Some(cursor("c")) && page.rows.len() == 2;
    mocks.replica.expect_apply_records().times(1).withf(whole).returning(|_, _| Ok(RecordApplyReport::default()));
    let mut api = MockRecordsApi::new();
    api.expect_pull_records().times(1).returning(|_, _| Ok(page("d", false, 2)));
    build(mocks, Arc::new(api)).0.sync().await.unwrap();
}

#[tokio::test]
async fn a_store_that_fails_ends_the_pass_before_any_call() {
    let mut mocks = mocks(vec![]);
    mocks.records = MockRecords::new();
    mocks.records.expect_declared().returning(|| Err(StorageError::new(StorageErrorKind::Corrupt, "declared")));
    let error = build(mocks, Arc::new(MockRecordsApi::new())).0.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Storage(error) if error.kind() == StorageErrorKind::Corrupt));
}

#[tokio::test(start_paused = true)]
async fn the_turn_of_another_process_is_waited_for_and_then_given_up() {
    let mut mocks = mocks(vec![]);
    mocks.turns.expect_try_turn().times(1..).returning(|| Ok(None));
    let (engine, _, _) = build(mocks, Arc::new(MockRecordsApi::new()));
    let before = Instant::now();
    let error = engine.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Storage(error) if error.kind() == StorageErrorKind::Busy));
    assert_eq!(before.elapsed(), 15 * S);
}

/// A server that takes its time, and notes what it was sent when.
#[derive(Default)]
struct SlowServer {
    push: Duration,
    pull: Duration,
    log: Mutex<Vec<(u64, String)>>,
    began: Mutex<Option<Instant>>,
    rate_limit: Mutex<Option<Duration>>,
    /// The token `old` has expired.
    old_expired: bool,
}

impl SlowServer {
    fn note(&self, what: String) {
        let began = *self.began.lock().unwrap().get_or_insert_with(Instant::now);
        self.log.lock().unwrap().push((began.elapsed().as_secs(), what));
    }

    fn log(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn limit(&self) -> RemoteResult<()> {
        match self.rate_limit.lock().unwrap().take() {
            Some(wait) => Err(failed(RemoteErrorKind::RateLimited).with_retry_after(wait)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl RecordsApi for SlowServer {
    async fn push_records(&self, _: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        let numbers: Vec<u128> = changes.iter().map(|change| change.id.as_uuid().as_u128()).collect();
        self.note(format!("push {numbers:?}"));
        self.limit()?;
        sleep(if numbers.len() > 1 { self.push } else { S }).await;
        Ok(pushed(changes))
    }

    async fn pull_records(&self, token: &AccessToken, _: RecordPullRequest) -> RemoteResult<RecordPage> {
        self.note("pull".to_owned());
        self.limit()?;
        sleep(self.pull).await;
        if self.old_expired && token.reveal() == "old" {
            return Err(failed(RemoteErrorKind::Unauthorized));
        }
        Ok(page("c", false, 0))
    }

    async fn push_audit(&self, _: &AccessToken, _: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        Err(RemoteError::new(RemoteErrorKind::Other, "push_audit"))
    }
}

fn with_clock(mut mocks: Mocks) -> Mocks {
    mocks.queue.expect_clock_measured().returning(|_, _| Ok(()));
    mocks.queue.expect_withdraw_records().returning(|_| Ok(()));
    mocks
}

/// Writes an immediate change.
async fn write(engine: &RecordEngine, waiting: &Waiting, number: u128) {
    waiting.lock().unwrap().push(change(number, Priority::Immediate));
    engine.note_local_write().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_immediate_change_waits_neither_for_a_batch_nor_for_a_pull() {
    let server = Arc::new(SlowServer { push: 60 * S, pull: 60 * S, ..SlowServer::default() });
    let (engine, _, waiting) = build(with_clock(mocks(normal(1..4))), server.clone());
    let writes = async {
        sleep(10 * S).await;
        write(&engine, &waiting, 7).await;
        sleep(60 * S).await;
        write(&engine, &waiting, 8).await;
    };
    let (report, ()) = tokio::join!(engine.sync(), writes);
    report.unwrap();
    let log = server.log();
    let expected = [(0, "push [1, 2, 3]"), (10, "push [7]"), (60, "pull"), (70, "push [8]")];
    assert_eq!(log, expected.map(|(at, what)| (at, what.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_immediate_change_waits_for_no_other_work() {
    let server = Arc::new(SlowServer::default());
    let (engine, _, waiting) = build(with_clock(mocks(vec![])), server.clone());
    let other = async {
        sleep(5 * S).await;
        write(&engine, &waiting, 7).await;
        sleep(60 * S).await;
    };
    server.note("messages".to_owned());
    engine.beside(other).await;
    assert_eq!(server.log(), [(0, "messages".to_owned()), (5, "push [7]".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn what_the_lane_is_sending_when_the_other_work_ends_is_waited_for() {
    let server = Arc::new(SlowServer::default());
    let (engine, _, waiting) = build(with_clock(mocks(vec![])), server.clone());
    let before = Instant::now();
    let other = async {
        write(&engine, &waiting, 7).await;
        sleep(S / 2).await;
    };
    engine.beside(other).await;
    assert_eq!((before.elapsed(), server.log().len()), (S, 1));
    assert!(!engine.status().borrow().syncing);
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_a_pass() {
    let server = Arc::new(SlowServer { pull: 10 * S, ..SlowServer::default() });
    let (engine, _, _) = build(with_clock(mocks(vec![])), server.clone());
    let late = async {
        sleep(S).await;
        let (a, b, c) = tokio::join!(engine.sync(), engine.sync(), engine.sync());
        a.and(b).and(c)
    };
    let (first, rest) = tokio::join!(engine.sync(), late);
    first.and(rest).unwrap();
    assert_eq!(server.log().len(), 2, "one pass, and one for all who asked while it ran");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_names_is_for_both_lanes() {
    let server = Arc::new(SlowServer::default());
    *server.rate_limit.lock().unwrap() = Some(300 * S);
    let (engine, _, waiting) = build(with_clock(mocks(vec![])), server.clone());
    let writes = async {
        sleep(S).await;
        write(&engine, &waiting, 7).await;
        sleep(320 * S).await;
    };
    tokio::select! { () = engine.keep_syncing() => {}, () = writes => {} }
    let log = server.log();
    assert_eq!(log[0], (0, "pull".to_owned()));
    assert!(log[1..].iter().all(|(at, _)| *at >= 300), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_new_token_heeds_a_wait_that_was_named_meanwhile() {
    // Given
    let server = Arc::new(SlowServer { pull: 10 * S, old_expired: true, ..SlowServer::default() });
    let mut mocks = with_clock(mocks(vec![]));
    mocks.auth.expect_refresh().returning(|_| Ok(session("new")));
    mocks.sessions.expect_save_session().returning(|_| Ok(()));
    let (engine, _, waiting) = build(mocks, server.clone());

    // When
    let writes = async {
        sleep(5 * S).await;
        *server.rate_limit.lock().unwrap() = Some(300 * S);
        write(&engine, &waiting, 7).await;
    };
    let (synced, ()) = tokio::join!(engine.sync(), writes);

    // Then
    assert!(synced.is_err());
    assert_eq!(server.log(), [(0, "pull".to_owned()), (5, "push [7]".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn pausing_stops_both_lanes_and_nothing_runs_until_it_is_resumed() {
    let server = Arc::new(SlowServer { push: 60 * S, pull: S, ..SlowServer::default() });
    let (engine, _, waiting) = build(with_clock(mocks(normal(1..4))), server.clone());
    let running = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { engine.keep_syncing().await }
    });
    sleep(S).await;
    write(&engine, &waiting, 7).await;
    sleep(S / 2).await;
    engine.pause().await;
    assert!(matches!(engine.sync().await, Err(SyncError::Stopped)));
    assert!(matches!(engine.send_immediate().await, Err(SyncError::Stopped)));
    server.log();
    sleep(600 * S).await;
    assert_eq!(server.log(), []);
    engine.resume();
    sleep(S).await;
    assert_eq!(server.log().len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn the_timer_pulls_every_30_seconds_and_in_the_background_every_15_minutes() {
    let server = Arc::new(SlowServer::default());
    let (engine, _, _) = build(with_clock(mocks(vec![])), server.clone());
    let running = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { engine.keep_syncing().await }
    });
    sleep(S).await;
    server.log();
    sleep(90 * S).await;
    assert_eq!(server.log().len(), 3);
    engine.background();
    sleep(61 * 60 * S).await;
    assert_eq!(server.log().len(), 4);
    engine.set_online(false);
    sleep(61 * 60 * S).await;
    assert_eq!(server.log().len(), 0);
    engine.set_online(true);
    sleep(S / 2).await;
    assert_eq!(server.log().len(), 1);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_waiting_change_is_sent_when_it_is_due() {
    let mut mocks = mocks(vec![]);
    mocks.queue = MockRecordQueue::new();
    let due = Arc::new(Mutex::new(Some(40)));
    let next = Arc::clone(&due);
    mocks.queue.expect_record_counts().returning(move |now| {
        let next_at = next.lock().unwrap().map(|seconds| now + chrono::TimeDelta::seconds(seconds));
        Ok(RecordCounts { pending: 1, immediate: 1, next_at, ..RecordCounts::default() })
    });
    mocks.queue.expect_next_records().returning(|_| Ok(vec![]));
    let server = Arc::new(SlowServer::default());
    let (engine, _, _) = build(with_clock(mocks), server.clone());
    engine.background();
    let running = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { engine.keep_syncing().await }
    });
    sleep(S).await;
    assert_eq!(server.log().len(), 1);
    *due.lock().unwrap() = None;
    sleep(100 * S).await;
    assert_eq!(server.log(), [(40, "pull".to_owned())], "the pass that looks for it");
    running.abort();
}
