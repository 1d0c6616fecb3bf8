//! TLS for one client: rustls over ring, with the platform's trusted certificates.
//!
//! reqwest would use the crypto provider installed for the whole process, and panic if there is none. Only the app may
//! install one (it can be done only once), so this crate builds its own configuration and passes it to reqwest.

use crate::endpoints::CONFIGURE;
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// The configuration for an `https` or an `http` server. The one for `http` trusts no certificate: it makes no TLS
/// connection, and must also work on a machine without certificates, such as a development container.
pub(crate) fn client_config(https: bool) -> RemoteResult<ClientConfig> {
    build(https).map_err(|error| {
        RemoteError::new(RemoteErrorKind::Unreachable, CONFIGURE)
            .with_detail("TLS cannot start on this machine (are CA certificates installed?)")
            .with_source(error)
    })
}

fn build(https: bool) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder =
        if https { builder.with_platform_verifier()? } else { builder.with_root_certificates(RootCertStore::empty()) };
    Ok(builder.with_no_client_auth())
}
