//! TLS for one client: rustls over ring, with the certificates that the platform trusts.
//!
//! reqwest would take a crypto provider that is installed for the whole process, and panic if there is none. Installing one
//! is the app's business (it can be done once only), so the configuration is built here and handed over whole.

use crate::endpoints::CONFIGURE;
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// The configuration for a client of an `https` server, or of an `http` one. The latter trusts nobody: it makes no TLS
/// connection, and must also start on a machine without certificates, as containers for development are.
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
