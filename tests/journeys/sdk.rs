//! An OpenTelemetry SDK that is not ours exports into `serve`, and its spans can be queried.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// `GILBRETH_TEST_PYTHON` names an interpreter that has the SDK (`.ci/run` makes one, and there the journey must run);
/// else any `python3` that has it.
fn python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("GILBRETH_TEST_PYTHON") {
        return Some(PathBuf::from(python));
    }
    let probe = Command::new("python3").args(["-c", "import opentelemetry.exporter.otlp.proto.http"]).output().ok()?;
    probe.status.success().then(|| PathBuf::from("python3"))
}

#[test]
fn the_python_sdk_exports_into_serve_and_its_spans_are_queryable() {
    export(|_| Sent::Plain);
}

#[test]
fn the_python_sdk_exports_over_tls_and_to_nobody_whose_certificate_it_does_not_trust() {
    export(|folder| {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "an authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let made = KeyPair::generate().unwrap();
        let localhost = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let signed = localhost.signed_by(&made, &authority).unwrap();
        let file = |name: &str, pem: String| {
            let path = folder.join(name);
            std::fs::write(&path, pem).unwrap();
            path
        };
        let trusted = file("authority.pem", authority.pem());
        Sent::Encrypted {
            trusted,
            certificate: file("certificate.pem", signed.pem()),
            key: file("key.pem", made.serialize_pem()),
        }
    });
}

/// How the SDK is to send.
enum Sent {
    Plain,
    Encrypted { trusted: PathBuf, certificate: PathBuf, key: PathBuf },
}

fn export(how: impl Fn(&Path) -> Sent) {
    let Some(python) = python() else {
        eprintln!("not run: no Python with opentelemetry-sdk; .ci/run installs one and sets GILBRETH_TEST_PYTHON");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (store, config) = (folder.path().join("store"), folder.path().join("gilbreth.toml"));
    let program = crate::program();
    let sdk = |to: String| {
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys/sdk.py")).arg(to);
        // What the SDK sends with lets these overrule what the SDK is told to trust.
        command.env_remove("REQUESTS_CA_BUNDLE").env_remove("CURL_CA_BUNDLE");
        command
    };
    let sent = how(folder.path());
    if let Sent::Encrypted { certificate, key, .. } = &sent {
        std::fs::write(&config, format!("[collector.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n")).unwrap();
    } else {
        std::fs::write(&config, "").unwrap();
    }
    let service = program.serve(&store, &["--config", &config.to_string_lossy()]);
    let output = match &sent {
        Sent::Plain => sdk(format!("http://{}", service.otlp())).output().unwrap(),
        Sent::Encrypted { trusted, .. } => {
            let to = format!("https://localhost:{}", service.otlp().port());
            assert!(!sdk(to.clone()).output().unwrap().status.success(), "it does not trust the certificate");
            sdk(to).env("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted).output().unwrap()
        }
    };
    let said = gilbreth_tests::program::text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(service.stop());
    let row = program.succeed([
        "sql",
        "--store",
        &store.to_string_lossy(),
        "--format",
        "csv",
        "SELECT count(*), count(DISTINCT field), count(DISTINCT value_digest), sum(keystrokes), count(DISTINCT worker), \
         min(system), min(release) FROM spans WHERE kind = 'entry' AND day >= DATE '2026-01-01'",
    ]);
    assert_eq!(row.lines().nth(1), Some("25,25,1,300,1,python-case-system,3.2"), "{row}");
}
