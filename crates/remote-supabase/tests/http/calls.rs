//! Requests, and plain responses.

use crate::support::{ANON_KEY, Server, pull_request, token};
use fieldpost_domain::{Continuation, ConversationDigest, ConversationId, Cursor, Seq, ServerLimits};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, MessagingApi, PullRequest, RemoteErrorKind};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use pretty_assertions::assert_eq;
use serde_json::json;

const CONVERSATION: &str = "0198c0de-0000-7000-8000-00000000000c";

#[tokio::test]
async fn every_call_is_a_post_with_key_token_and_envelope() {
    let server = Server::start().await;
    server.pull().answers(json!({"cursor": "c1", "more": false}));
    let page = server.remote().pull(&token(), pull_request()).await.unwrap();
    assert_eq!(page.cursor.as_str(), "c1");
    assert!(!page.more && page.changes.is_empty() && page.digest.is_none());
    assert_eq!(page.server_time.to_rfc3339(), "2026-01-31T08:15:00.123456+00:00");

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("one request, not {}", requests.len()) };
    assert_eq!(request.method, "POST");
    assert_eq!(request.headers["apikey"], ANON_KEY);
    assert_eq!(request.headers["authorization"], "Bearer access-token-secret");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["accept"], "application/json");
    assert_eq!(request.headers["accept-encoding"], "gzip");
    assert!(request.headers["user-agent"].starts_with("siteapp/3.1 fieldpost-remote-supabase/"));
    assert_eq!(
        request.body,
        json!({"p_protocol": 1, "p_app": "siteapp/3.1", "p_capabilities": ["set_digest", "ranges", "reactions", "conversation_settings"],
        "p_cursor": "c0"})
    );
}

#[tokio::test]
async fn arguments_are_named_and_absent_ones_left_out() {
    let server = Server::start().await;
    let remote = server.remote();
    let page = json!({"cursor": "c", "more": false, "from_seq": 1, "to_seq": 0, "complete": true});
    let conversation_id: ConversationId = CONVERSATION.parse().unwrap();
    for _ in 0..2 {
        server.bootstrap().answers(page.clone());
        server.history().answers(page.clone());
    }
    server.pull().answers(page.clone());

    remote.bootstrap(&token(), BootstrapRequest::default()).await.unwrap();
    let after = Some(Continuation::new("list"));
    remote
        .bootstrap(&token(), BootstrapRequest { after, limit: Some(7), messages: Some(0), bytes: None })
        .await
        .unwrap();
    remote
        .pull(&token(), PullRequest { cursor: Cursor::new("c").unwrap(), limit: Some(3), bytes: None })
        .await
        .unwrap();
    remote.history(&token(), HistoryRequest { conversation_id, before: None, limit: None, bytes: None }).await.unwrap();
    let before = Some(Seq::new(21));
    remote.history(&token(), HistoryRequest { conversation_id, before, limit: Some(100), bytes: None }).await.unwrap();

    let own = |index: usize| {
        let mut body = server.requests()[index].body.clone();
        let fields = body.as_object_mut().unwrap();
        fields.retain(|name, _| !["p_protocol", "p_app", "p_capabilities"].contains(&name.as_str()));
        body
    };
    assert_eq!(own(0), json!({}));
    assert_eq!(own(1), json!({"p_after": "list", "p_limit": 7, "p_messages": 0}));
    assert_eq!(own(2), json!({"p_cursor": "c", "p_limit": 3}));
    assert_eq!(own(3), json!({"p_conversation": CONVERSATION}));
    assert_eq!(own(4), json!({"p_conversation": CONVERSATION, "p_before_seq": 21, "p_limit": 100}));
}

#[tokio::test]
async fn connections_are_reused() {
    let server = Server::start().await;
    let remote = server.remote();
    for _ in 0..5 {
        server.pull().answers(json!({"cursor": "c", "more": false}));
        remote.clone().pull(&token(), pull_request()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_path_prefix_is_kept() {
    let server = Server::start().await;
    server
        .at("/tenants/7/rest/v1/rpc/fieldpost_pull")
        .replies(&crate::support::envelope(json!({"cursor": "c", "more": true})));
    let remote = SupabaseRemote::new(SupabaseConfig::new(format!("{}/tenants/7/", server.url()), ANON_KEY)).unwrap();
    assert!(remote.pull(&token(), pull_request()).await.unwrap().more);
}

#[tokio::test]
async fn limits_are_read_one_by_one() {
    let server = Server::start().await;
    let limits = json!({"push_rows": 7, "push_bytes": 0, "page_rows": "many", "page_bytes": -1, "new": 3});
    server.pull().answers(json!({"cursor": "c", "more": false, "limits": limits}));
    server.pull().answers(json!({"cursor": "c", "more": false, "limits": 5}));
    let remote = server.remote();
    let page = remote.pull(&token(), pull_request()).await.unwrap();
    assert_eq!(page.limits, ServerLimits { push_rows: 7, ..ServerLimits::default() });
    assert_eq!(remote.pull(&token(), pull_request()).await.unwrap().limits, ServerLimits::default());
}

#[tokio::test]
async fn a_caller_without_membership_gets_an_empty_bootstrap() {
    let server = Server::start().await;
    server.bootstrap().answers(json!({"cursor": "c", "total_conversations": 0,
        "digest": {"count": 0, "set": "00000000000000000000000000000000"}}));
    let page = server.remote().bootstrap(&token(), BootstrapRequest::default()).await.unwrap();
    assert_eq!((page.me, page.total_conversations, page.next_after), (None, 0, None));
    assert!(page.changes.is_empty());
    assert_eq!(page.digest, Some(ConversationDigest::of([])));
}

#[test]
fn a_wrong_key_is_refused_before_anything_is_sent() {
    for (key, words) in [("", "empty"), ("  ", "empty"), ("a\nb", "characters"), ("sb_secret_x", "secret")] {
        let error = SupabaseRemote::new(SupabaseConfig::new("http://localhost", key)).unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::WrongApiKey);
        assert!(error.detail().is_some_and(|detail| detail.contains(words)), "{error}");
    }
}

#[test]
fn neither_the_configuration_nor_the_client_shows_the_key() {
    let config = SupabaseConfig::new("http://localhost:1", "topsecret");
    let shown = format!("{config:?} {:?}", SupabaseRemote::new(config.clone()).unwrap());
    assert!(!shown.contains("topsecret"), "{shown}");
}

#[test]
fn a_client_can_be_made_for_https_without_a_provider_for_the_process() {
    let config = SupabaseConfig::new("https://abcd.supabase.co", ANON_KEY);
    SupabaseRemote::new(config).expect("needs CA certificates on this machine: install ca-certificates");
}

#[tokio::test]
async fn what_the_server_says_about_itself_is_read() {
    let server = Server::start().await;
    let remote = server.remote();
    let answer = |more: serde_json::Value| {
        let mut answer = json!({"cursor": "c", "more": false});
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.pull().answers(answer);
    };
    answer(json!({"sql_version": 2, "capabilities": ["set_digest", "a_new_one", 7]}));
    answer(json!({}));
    answer(json!({"sql_version": "two", "capabilities": "all"}));
    let told = remote.pull(&token(), pull_request()).await.unwrap().server;
    assert_eq!(told.sql_version, Some(2));
    assert!(told.capabilities.iter().map(|one| one.as_str()).eq(["set_digest", "a_new_one"]));
    for _ in 0..2 {
        let told = remote.pull(&token(), pull_request()).await.unwrap().server;
        assert_eq!((told.sql_version, told.capabilities.len()), (Some(1), 0), "the first version does not say");
    }
}

#[tokio::test]
async fn a_digest_is_of_a_set_or_of_a_sorted_list() {
    let server = Server::start().await;
    let remote = server.remote();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (digest, read) in [
        (json!({"count": 0, "set": "0".repeat(32)}), Some(ConversationDigest::of([]))),
        (json!({"count": 0, "sha256": nothing}), Some(ConversationDigest::sorted([]))),
        (json!({"count": 0, "set": "0", "sha256": nothing}), Some(ConversationDigest::sorted([]))),
        (json!({"count": 0, "set": 7}), None),
        (json!({"set": "0".repeat(32)}), None),
    ] {
        server.pull().answers(json!({"cursor": "c", "more": false, "digest": digest}));
        assert_eq!(remote.pull(&token(), pull_request()).await.unwrap().digest, read, "{digest}");
    }
}
