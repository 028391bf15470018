//! TLS for any port: a certificate and its key in files that are read again when they change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tokio_rustls::TlsAcceptor;

use super::connections::Protocol;
use crate::{Error, ErrorKind};

/// The files are looked at no more often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where certificate and key lie; both empty: no TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Config {
    /// PEM: the certificate, then those that lead to one that senders trust.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            certificate: PathBuf,
            key: PathBuf,
        }
        let Written { certificate, key } = Written::deserialize(from)?;
        if certificate.as_os_str().is_empty() == key.as_os_str().is_empty() {
            Ok(Self { certificate, key })
        } else {
            Err(D::Error::custom("TLS needs both a certificate and a key, or neither"))
        }
    }
}

impl Config {
    /// Whether TLS is asked for.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

/// TLS 1.2 and 1.3 by a certificate. Shared by ports.
#[derive(Debug)]
pub struct Tls {
    files: Config,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    read: Pems,
    looked_at: Instant,
    /// Without protocols agreed on: each port has its own.
    server: ServerConfig,
    agreeing: Vec<(Protocol, Arc<ServerConfig>)>,
}

/// What the files held.
#[derive(PartialEq, Eq)]
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Pems {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pems")
    }
}

impl Tls {
    /// Reads both files, if TLS is asked for.
    ///
    /// # Errors
    /// `Unavailable` if one cannot be read; `Invalid` if it holds no certificate, or no key of it.
    pub fn load(files: &Config) -> Result<Option<Arc<Self>>, Error> {
        if !files.is_on() {
            return Ok(None);
        }
        let read = Pems::read(files)?;
        let server = read.server(files)?;
        let current = Current { read, looked_at: Instant::now(), server, agreeing: Vec::new() };
        Ok(Some(Arc::new(Self { files: files.clone(), current: Mutex::new(current) })))
    }

    /// What agrees on TLS with the next peer, by the files as they are now. If they are no longer good, those of before
    /// hold, and a warning says so.
    pub(super) fn acceptor(&self, protocol: Protocol) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked_at.elapsed() >= LOOK_EVERY {
            current.looked_at = Instant::now();
            if let Err(error) = current.renew(&self.files) {
                tracing::warn!(%error, "the new certificate is not used, the one of before still is");
            }
        }
        if let Some((_, known)) = current.agreeing.iter().find(|(known, _)| *known == protocol) {
            return TlsAcceptor::from(Arc::clone(known));
        }
        let mut server = current.server.clone();
        server.alpn_protocols = protocol.alpn().iter().map(|name| name.to_vec()).collect();
        let server = Arc::new(server);
        current.agreeing.push((protocol, Arc::clone(&server)));
        TlsAcceptor::from(server)
    }
}

impl Current {
    fn renew(&mut self, files: &Config) -> Result<(), Error> {
        let read = Pems::read(files)?;
        if read == self.read {
            return Ok(());
        }
        let server = read.server(files);
        // Said once, not each second.
        self.read = read;
        self.server = server?;
        self.agreeing.clear();
        Ok(())
    }
}

impl Pems {
    fn read(files: &Config) -> Result<Self, Error> {
        let read = |what: &str, path: &Path| {
            std::fs::read(path).map_err(|error| {
                let message = format!("the {what} of TLS cannot be read from {}", path.display());
                Error::new(ErrorKind::Unavailable, message).caused_by(error)
            })
        };
        Ok(Self { certificate: read("certificate", &files.certificate)?, key: read("key", &files.key)? })
    }

    fn server(&self, files: &Config) -> Result<ServerConfig, Error> {
        let invalid = |what: &str, path: &Path| {
            Error::new(ErrorKind::Invalid, format!("{} holds no {what} in PEM", path.display()))
        };
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| invalid("certificate", &files.certificate).caused_by(error))?;
        if certificates.is_empty() {
            return Err(invalid("certificate", &files.certificate));
        }
        // Its source is left out: it may quote a line of the key.
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| invalid("private key", &files.key))?;
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Internal, "TLS has no version").caused_by(error))?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| {
                let [certificate, key] = [&files.certificate, &files.key].map(|path| path.display());
                Error::new(ErrorKind::Invalid, format!("{key} is not the key of the certificate {certificate}"))
                    .caused_by(error)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_make_no_tls_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let certificate = at("certificate.pem", &made.cert.pem());
        let key = at("key.pem", &made.signing_key.serialize_pem());
        let [empty, others] = [at("empty.pem", ""), at("others.pem", &other.serialize_pem())];
        let absent = folder.path().join("absent.pem");
        for (certificate, key, named) in [
            (&absent, &key, "certificate of TLS cannot be read from"),
            (&certificate, &absent, "key of TLS cannot be read from"),
            (&empty, &key, "empty.pem holds no certificate"),
            (&certificate, &empty, "empty.pem holds no private key"),
            (&certificate, &others, "others.pem is not the key of"),
        ] {
            let files = Config { certificate: certificate.clone(), key: key.clone() };
            let error = Tls::load(&files).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        assert!(Tls::load(&Config { certificate, key }).unwrap().is_some());
        assert!(Tls::load(&Config::default()).unwrap().is_none());
    }
}
