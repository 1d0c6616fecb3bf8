//! The addresses of a project, checked and built once.

use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use url::Url;

/// The operation name in errors about the configuration.
pub(crate) const CONFIGURE: &str = "configure";

/// All addresses that the client calls.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) bootstrap: Url,
    pub(crate) pull: Url,
    pub(crate) push: Url,
    pub(crate) history: Url,
    pub(crate) search: Url,
    pub(crate) reports: Url,
    pub(crate) resolve_report: Url,
    #[cfg(feature = "records")]
    pub(crate) records_push: Url,
    #[cfg(feature = "records")]
    pub(crate) records_pull: Url,
    #[cfg(feature = "records")]
    pub(crate) audit_push: Url,
    pub(crate) sign_in: Url,
    pub(crate) refresh: Url,
    pub(crate) sign_out: Url,
    /// Without its query, which has the key.
    pub(crate) realtime: Url,
}

impl Endpoints {
    /// Checks the project's URL and builds the other addresses from it. A path prefix is kept.
    pub(crate) fn new(text: &str) -> RemoteResult<Self> {
        let base =
            base(text).map_err(|sentence| RemoteError::new(RemoteErrorKind::Other, CONFIGURE).with_detail(sentence))?;
        let rpc = |name: &str| join(&base, &format!("rest/v1/rpc/{name}"), None);
        Ok(Self {
            bootstrap: rpc("fieldpost_bootstrap"),
            pull: rpc("fieldpost_pull"),
            push: rpc("fieldpost_push"),
            history: rpc("fieldpost_history"),
            search: rpc("fieldpost_search"),
            reports: rpc("fieldpost_reports"),
            resolve_report: rpc("fieldpost_resolve_report"),
            #[cfg(feature = "records")]
            records_push: rpc("fieldpost_records_push"),
            #[cfg(feature = "records")]
            records_pull: rpc("fieldpost_records_pull"),
            #[cfg(feature = "records")]
            audit_push: rpc("fieldpost_audit_push"),
            sign_in: join(&base, "auth/v1/token", Some("grant_type=password")),
            refresh: join(&base, "auth/v1/token", Some("grant_type=refresh_token")),
            sign_out: join(&base, "auth/v1/logout", Some("scope=local")),
            realtime: join(&base, "realtime/v1/websocket", None),
        })
    }
}

/// The messages quote no part of the URL: somebody may have pasted a key there by mistake.
fn base(text: &str) -> Result<Url, &'static str> {
    let url =
        Url::parse(text.trim()).map_err(|_| "the project's URL is none; it looks like https://abcd.supabase.co")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the project's URL must begin with https:// (or http:// for a server on your own machine)");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the project's URL names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the project's URL must not contain a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the project's URL must not contain a ? or a #");
    }
    if ["/rest/v1", "/auth/v1", "/realtime/v1"].iter().any(|tail| url.path().trim_end_matches('/').ends_with(tail)) {
        return Err("the project's URL comes without /rest/v1, /auth/v1 or /realtime/v1");
    }
    Ok(url)
}

fn join(base: &Url, tail: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{tail}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prefix_is_kept_and_a_slash_at_the_end_does_not_matter() {
        for (base, pull) in [
            ("https://a.supabase.co", "https://a.supabase.co/rest/v1/rpc/fieldpost_pull"),
            ("https://a.supabase.co/", "https://a.supabase.co/rest/v1/rpc/fieldpost_pull"),
            (" http://localhost:54321\n", "http://localhost:54321/rest/v1/rpc/fieldpost_pull"),
            ("https://gw.example/tenants/7/", "https://gw.example/tenants/7/rest/v1/rpc/fieldpost_pull"),
        ] {
            assert_eq!(Endpoints::new(base).unwrap().pull.as_str(), pull);
        }
        let urls = Endpoints::new("https://gw.example/sb").unwrap();
        assert_eq!(urls.refresh.as_str(), "https://gw.example/sb/auth/v1/token?grant_type=refresh_token");
        assert_eq!(urls.sign_out.as_str(), "https://gw.example/sb/auth/v1/logout?scope=local");
    }

    #[test]
    fn a_wrong_url_is_refused_with_a_sentence_that_does_not_repeat_it() {
        for wrong in [
            "",
            "abcd.supabase.co",
            "ftp://secret.example",
            "https://user:secret@a.supabase.co",
            "https://secret@a.supabase.co",
            "https://a.supabase.co/?apikey=secret",
            "https://a.supabase.co/#secret",
            "https://secret.supabase.co/rest/v1/",
            "https://",
        ] {
            let error = Endpoints::new(wrong).unwrap_err();
            assert_eq!(error.kind(), RemoteErrorKind::Other, "{wrong}");
            assert!(error.to_string().contains("the project's URL"), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
