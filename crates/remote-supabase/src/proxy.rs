//! Which proxy a client goes through.
//!
//! The environment's variables are read here and not by reqwest, which skips a value that it cannot use and says nothing: a
//! person behind a proxy would only see that nothing is reachable. A server on this machine is never behind a proxy of the
//! environment, whatever `NO_PROXY` says.

use ipnet::IpNet;
use std::{fmt, net::IpAddr};
use url::{Host, Url};

/// Which proxy requests go through.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// That of the environment: `HTTPS_PROXY` for an `https` project, `HTTP_PROXY` for an `http` one, else `ALL_PROXY`,
    /// in upper or lower case; none for hosts in `NO_PROXY`.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one: `http://`, `https://`, `socks5://` or `socks5h://`, with a user and a password if it wants them.
    Url(String),
}

impl fmt::Debug for Proxy {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Direct => "Direct",
            Self::Url(_) => "Url(…)",
        })
    }
}

/// A proxy to use, and its name for messages.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) proxy: reqwest::Proxy,
    /// Host and port, never a user or a password.
    pub(crate) name: String,
}

/// Reads a variable.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The proxy for a project; none to connect directly. An error does not repeat the value.
pub(crate) fn route(proxy: &Proxy, project: &Url, variables: Variables<'_>) -> Result<Option<Route>, String> {
    match proxy {
        Proxy::Direct => Ok(None),
        Proxy::Url(url) => through(url).map(Some).map_err(|why| format!("the proxy: {why}")),
        Proxy::Environment if crate::remote::is_loopback(project) => Ok(None),
        Proxy::Environment => from_environment(project, variables),
    }
}

fn from_environment(project: &Url, variables: Variables<'_>) -> Result<Option<Route>, String> {
    let own = if project.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    // To a CGI script HTTP_PROXY is the header `Proxy` of whoever called it.
    let is_cgi = variables("REQUEST_METHOD").is_some();
    let set = [own, "ALL_PROXY"].into_iter().filter(|name| !(is_cgi && *name == "HTTP_PROXY"));
    let Some((name, url)) = set.filter_map(|name| Some((name, either_case(name, variables)?))).next() else {
        return Ok(None);
    };
    if either_case("NO_PROXY", variables).is_some_and(|list| is_exempt(&list, project)) {
        return Ok(None);
    }
    through(&url).map(Some).map_err(|why| format!("{name}: {why}"))
}

fn either_case(name: &str, variables: Variables<'_>) -> Option<String> {
    let set = |name: &str| variables(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    set(name).or_else(|| set(&name.to_lowercase()))
}

/// Whether `NO_PROXY` names the project's host: by its name, a domain that it is in (`example.com`, `.example.com` and
/// `*.example.com` mean the same), its address, a network (`10.0.0.0/8`), each with or without a port, or `*`.
fn is_exempt(list: &str, project: &Url) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| names(entry, project))
}

fn names(entry: &str, project: &Url) -> bool {
    let (entry, port) = match entry.rsplit_once(':').map(|(name, port)| (name, port.parse::<u16>())) {
        // More than one colon: an address of version 6.
        Some((name, Ok(port))) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (entry, None),
    };
    if port.is_some_and(|port| project.port_or_known_default() != Some(port)) {
        return false;
    }
    match project.host() {
        Some(Host::Domain(host)) => entry == "*" || is_within(host, entry),
        Some(Host::Ipv4(address)) => entry == "*" || holds(entry, address.into()),
        Some(Host::Ipv6(address)) => entry == "*" || holds(entry, address.into()),
        None => false,
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    let domain = domain.strip_prefix('*').unwrap_or(domain).trim_start_matches('.').to_ascii_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|before| before.ends_with('.'))
}

fn holds(network: &str, address: IpAddr) -> bool {
    let network = network.trim_start_matches('[').trim_end_matches(']');
    network.parse::<IpNet>().is_ok_and(|network| network.contains(&address)) || network.parse() == Ok(address)
}

fn through(text: &str) -> Result<Route, &'static str> {
    const NO_URL: &str = "it is no URL of a proxy; it looks like http://proxy.example:3128";
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&text).map_err(|_| NO_URL)?;
    if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
        return Err("this kind of proxy is not supported: http, https, socks4 and socks5 are");
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NO_URL)?;
    let name = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let proxy = reqwest::Proxy::all(url.as_str()).map_err(|_| NO_URL)?;
    Ok(Route { proxy, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "https://abcd.supabase.co";

    /// A project, the variables, and the name of the proxy.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);

    /// The name of the proxy for a project.
    fn name(project: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let lookup =
            |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        let found = route(&Proxy::Environment, &Url::parse(project).unwrap(), &lookup)?;
        Ok(found.map(|route| route.name))
    }

    #[test]
    fn the_environment_names_the_proxy() {
        let table: &[Row<'_>] = &[
            (PROJECT, &[], None),
            (PROJECT, &[("HTTPS_PROXY", "http://p:3128")], Some("p:3128")),
            (PROJECT, &[("https_proxy", "p:3128")], Some("p:3128")),
            (PROJECT, &[("HTTPS_PROXY", ""), ("https_proxy", "http://q:1")], Some("q:1")),
            (PROJECT, &[("HTTP_PROXY", "http://p:3128")], None),
            (PROJECT, &[("ALL_PROXY", "socks5h://p:1080")], Some("p:1080")),
            (PROJECT, &[("ALL_PROXY", "http://a:1"), ("HTTPS_PROXY", "http://b:2")], Some("b:2")),
            (PROJECT, &[("HTTPS_PROXY", "http://me:secret@p")], Some("p")),
            ("http://site.example", &[("HTTP_PROXY", "http://p:3128")], Some("p:3128")),
            ("http://site.example", &[("HTTP_PROXY", "http://p:3128"), ("REQUEST_METHOD", "GET")], None),
            // Never for this machine, also where NO_PROXY names others only.
            ("http://127.0.0.1:54321", &[("HTTP_PROXY", "http://p:3128"), ("NO_PROXY", "site.example")], None),
            ("http://localhost:54321", &[("ALL_PROXY", "http://p:3128")], None),
            ("http://[::1]:54321", &[("ALL_PROXY", "http://p:3128")], None),
            ("https://site.example:8443", &[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "site.example:8443")], None),
            (
                "https://site.example",
                &[("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", "site.example:8443")],
                Some("p:3128"),
            ),
        ];
        for (project, variables, proxy) in table {
            assert_eq!(name(project, variables).unwrap().as_deref(), *proxy, "{project} {variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_by_its_variable_and_its_value_is_not_repeated() {
        for (variable, value, says) in [
            ("HTTPS_PROXY", "ftp://secret.example", "not supported"),
            ("ALL_PROXY", "http://", "no URL of a proxy"),
            ("HTTPS_PROXY", "http://secret host", "no URL of a proxy"),
        ] {
            let why = name(PROJECT, &[(variable, value)]).unwrap_err();
            assert!(why.starts_with(variable) && why.contains(says) && !why.contains("secret"), "{why}");
        }
        let url = Url::parse(PROJECT).unwrap();
        assert!(route(&Proxy::Url("gopher://x".to_owned()), &url, &|_| None).is_err());
        assert_eq!(format!("{:?}", Proxy::Url("http://me:secret@p".to_owned())), "Url(…)");
    }

    #[test]
    fn no_proxy_names_hosts_as_others_write_them() {
        for (list, project, exempt) in [
            ("abcd.supabase.co", PROJECT, true),
            ("supabase.co", PROJECT, true),
            (".Supabase.co", PROJECT, true),
            ("*.supabase.co", PROJECT, true),
            ("a.example, supabase.co", PROJECT, true),
            ("a.example supabase.co:443", PROJECT, true),
            ("supabase.co:8443", PROJECT, false),
            ("*", PROJECT, true),
            ("pabase.co", PROJECT, false),
            ("notabcd.supabase.co", PROJECT, false),
            ("10.0.0.0/8", "https://10.2.3.4", true),
            ("10.2.3.4", "https://10.2.3.4:8443", true),
            ("10.2.3.4:443", "https://10.2.3.4:8443", false),
            ("192.168.0.0/16", "https://10.2.3.4", false),
            ("fd00::/8", "https://[fd00::1]", true),
            ("[fd00::1]:443", "https://[fd00::1]", true),
            ("fd00::1", "https://[fd00::2]", false),
            ("nonsense/99,,:", PROJECT, false),
        ] {
            let variables = [("HTTPS_PROXY", "http://p:3128"), ("no_proxy", list)];
            assert_eq!(name(project, &variables).unwrap().is_none(), exempt, "{list} for {project}");
        }
    }
}
