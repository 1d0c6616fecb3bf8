//! Each fault of a call, on a network in which calls take no time.

use super::{Fault, Network};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, RefreshToken, Session};
use fieldpost_remote::{Auth, Credentials, RemoteErrorKind, RemoteResult};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what reaches it.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Auth for Counting {
    async fn sign_in(&self, _: &Credentials) -> RemoteResult<Session> {
        panic!("nobody signs in")
    }

    async fn refresh(&self, _: &RefreshToken) -> RemoteResult<Session> {
        std::future::pending().await
    }

    async fn sign_out(&self, _: &AccessToken) -> RemoteResult<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Network<Counting> {
    /// The result of a call, and how often the server has carried it out.
    async fn call(&self) -> (Result<(), RemoteErrorKind>, usize) {
        let before = self.server().0.load(Ordering::SeqCst);
        let result = self.sign_out(&AccessToken::new("token")).await.map_err(|error| error.kind());
        // What is still in flight arrives.
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        (result, self.server().0.load(Ordering::SeqCst) - before)
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_says_what_its_caller_gets_and_how_often_the_server_acts() {
    use RemoteErrorKind::{Interrupted, Malformed, NotFound, Other, RateLimited, TimedOut, Unavailable, Unreachable};
    let network = Network::new(Counting::default());
    for (fault, expected) in [
        (Fault::Unreachable, (Err(Unreachable), 0)),
        (Fault::LoseRequest, (Err(Interrupted), 0)),
        (Fault::LoseAnswer, (Err(Interrupted), 1)),
        (Fault::Garble, (Err(Malformed), 1)),
        (Fault::Twice(500), (Ok(()), 2)),
        (Fault::Slow(29_000), (Ok(()), 1)),
        (Fault::Slow(31_000), (Err(TimedOut), 1)),
        (Fault::SlowBack(31_000), (Err(TimedOut), 1)),
        (Fault::SlowCommit(500), (Ok(()), 1)),
        (Fault::TooMany(2), (Err(RateLimited), 0)),
        (Fault::Unavailable(2), (Err(Unavailable), 0)),
        (Fault::Failure, (Err(Other), 0)),
        (Fault::Error(NotFound), (Err(NotFound), 0)),
    ] {
        network.order(1, fault);
        assert_eq!(network.call().await, (Ok(()), 1), "{fault:?} is for the call after this one");
        assert_eq!(network.call().await, expected, "{fault:?}");
        assert_eq!(network.call().await, (Ok(()), 1), "{fault:?} is used up");
    }
}

#[tokio::test(start_paused = true)]
async fn two_faults_for_one_call_go_to_that_one_and_the_next() {
    let network = Network::new(Counting::default());
    network.lose_next_answers(2);
    network.fail_next(RemoteErrorKind::Other);
    let results = [network.call().await, network.call().await, network.call().await, network.call().await];
    let lost = (Err(RemoteErrorKind::Interrupted), 1);
    assert_eq!(results, [lost, lost, (Err(RemoteErrorKind::Other), 0), (Ok(()), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_caller_is_gone_still_arrives() {
    let network = Network::new(Counting::default());
    let token = AccessToken::new("token");
    let mut call = network.sign_out(&token);
    assert!(futures::poll!(call.as_mut()).is_pending());
    drop(call);
    assert_eq!(network.call().await, (Ok(()), 2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_times_out() {
    let network = Network::new(Counting::default());
    let error = network.refresh(&RefreshToken::new("token")).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::TimedOut);
}

#[tokio::test]
#[should_panic(expected = "nobody signs in")]
async fn a_server_that_panics_fails_the_test() {
    let network = Network::new(Counting::default());
    let credentials = Credentials { email: "ada@example.test".to_owned(), password: String::new().into() };
    drop(network.sign_in(&credentials).await);
}
