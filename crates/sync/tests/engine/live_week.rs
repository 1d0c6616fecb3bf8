//! A week with live hints, in virtual time: 168 tokens expire, the phone sleeps at night and now and then by day, it changes
//! networks, and the server closes topics, goes silent and refuses connections.

use crate::given::{ADA, Phone};
use fieldpost_domain::Time;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::memory::MemoryStore;
use fieldpost_sync::{Clock, Engine, Env, LiveRhythm, LiveStatus, Parts, Rhythm, Runner};
use fieldpost_testkit::{LiveCall, LiveNetwork, Network, SeededEntropy, SeededRandom};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const S: Duration = Duration::from_secs(1);
/// How often somebody looks.
const LOOK: u64 = 30;

/// The time of the device and the server: both follow tokio's.
#[derive(Clone, Copy)]
struct Virtual(Instant);

impl Virtual {
    fn time(self) -> Time {
        Time::UNIX_EPOCH + chrono::TimeDelta::days(20_000) + self.0.elapsed()
    }
}

impl Clock for Virtual {
    fn now(&self) -> Time {
        self.time()
    }

    fn since_boot(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Week {
    network: Arc<Network<ReferenceServer>>,
    live: LiveNetwork,
    engine: Arc<Engine>,
    random: SeededRandom,
    awake: bool,
    /// The seconds that the phone was awake, and those of them in which hints came.
    seconds: (u64, u64),
    calls: usize,
}

impl Week {
    async fn begin(rhythm: Rhythm) -> (Self, Runner) {
        let clock = Virtual(Instant::now());
        let server = ReferenceServer::builder().clock(move || clock.time()).build();
        server.add_demo();
        let (store, network) = (Arc::new(MemoryStore::new()), Arc::new(Network::new(server.clone())));
        let live = LiveNetwork::new(server);
        let parts = Parts {
            outbox: store.clone(),
            replica: store.clone(),
            sessions: store.clone(),
            turns: store,
            api: network.clone(),
            auth: network.clone(),
            env: Env::new(Arc::new(clock), Arc::new(SeededEntropy::new(1))),
        };
        let engine = Engine::new(parts).with_rhythm(rhythm).with_live(Arc::new(live.clone()), LiveRhythm::default());
        let engine = Arc::new(engine);
        engine.sign_in(&Phone::credentials(ADA)).await.unwrap();
        let runner = Runner::start(Arc::clone(&engine));
        sleep(10 * S).await;
        network.take_calls();
        let random = SeededRandom::new(7);
        (Self { network, live, engine, random, awake: true, seconds: (0, 0), calls: 0 }, runner)
    }

    /// Lets time pass, and looks.
    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds / LOOK {
            sleep(LOOK as u32 * S).await;
            if self.awake {
                self.seconds.0 += LOOK;
                let up = self.engine.status().borrow().live == LiveStatus::Live;
                self.seconds.1 += if up { LOOK } else { 0 };
            }
            let calls = self.network.take_calls().len();
            self.calls += if self.awake { calls } else { 0 };
        }
    }

    async fn sleeps(&mut self, seconds: u64) {
        self.engine.background(S).await.unwrap();
        self.awake = false;
        self.pass(seconds).await;
        self.engine.foreground();
        self.awake = true;
    }

    /// A day of somebody who looks at her phone from seven to eleven.
    async fn day(&mut self) {
        for _ in 7..23 {
            self.pass(1800).await;
            match self.random.below(6) {
                0 => {
                    // Another network: the platform says that there is none, and then that there is one.
                    self.engine.set_online(false);
                    self.live.cut();
                    self.engine.set_online(true);
                }
                1 => self.live.cut(),
                2 => self.live.close_topics(),
                3 => self.live.silence(),
                4 => self.sleeps(600).await,
                _ => {
                    self.live.refuse(RemoteErrorKind::RateLimited);
                    self.live.cut();
                    self.pass(30).await;
                    self.live.heal();
                }
            }
            self.pass(1800).await;
        }
        self.sleeps(8 * 3600).await;
    }
}

/// The share of the awake time in which hints come, the calls per awake hour, and how often a token was renewed or a topic joined.
async fn days(number: u32, rhythm: Rhythm) -> (f64, f64, usize) {
    let (mut week, runner) = Week::begin(rhythm).await;
    for _ in 0..number {
        week.day().await;
    }
    runner.stop().await;
    let given = |call: &LiveCall| matches!(call, LiveCall::Renew | LiveCall::Connect);
    let tokens = week.live.take_calls().iter().filter(|call| given(call)).count();
    let (awake, up) = week.seconds;
    (up as f64 / awake as f64, week.calls as f64 * 3600.0 / awake as f64, tokens)
}

#[tokio::test(start_paused = true)]
async fn hints_come_for_99_percent_of_the_awake_time_of_a_week() {
    let (share, calls, tokens) = days(7, Rhythm::default()).await;
    println!(
        "live for {:.3} % of the awake time, {calls:.1} calls in an awake hour with the usual timer",
        share * 100.0
    );
    assert!(share >= 0.99, "{share}");
    assert!(tokens >= 7 * 16, "a token of each hour was given to the server: {tokens}");
    let slower = Rhythm { live: Some(600 * S), ..Rhythm::default() };
    let (share, fewer, _) = days(2, slower).await;
    println!(
        "live for {:.3} % of the awake time, {fewer:.1} calls in an awake hour with a timer of 10 minutes",
        share * 100.0
    );
    assert!(share >= 0.99, "{share}");
    assert!(fewer * 8.0 < calls, "{fewer} of {calls}");
}
