//! OpenTelemetry SDKs that are not ours send into `serve`: the examples of `docs/examples`, one for each SDK, which all tell
//! of the same work, so that all come to the same rows.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use gilbreth_tests::program::text;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An example, ready to be run.
struct Sender {
    system: &'static str,
    command: Command,
    protocol: Protocol,
}

enum Protocol {
    Http,
    Grpc,
}

impl Sender {
    fn http(system: &'static str, command: Command) -> Self {
        Self { system, command, protocol: Protocol::Http }
    }

    /// Sends, told where and with what by the standard variables alone.
    fn send(&mut self, to: &str, more: &[(&str, &str)]) -> Output {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OTEL_") {
                self.command.env_remove(name);
            }
        }
        // What Python's SDK sends with lets these overrule what the SDK is told to trust.
        self.command.env_remove("REQUESTS_CA_BUNDLE").env_remove("CURL_CA_BUNDLE");
        self.command.env("OTEL_EXPORTER_OTLP_ENDPOINT", to).envs(more.iter().copied()).output().unwrap()
    }
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(path)
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// `GILBRETH_TEST_PYTHON` names an interpreter that has the SDK (`.ci/run` makes one, and there the journey must run);
/// else any `python3` that has it.
fn python() -> Option<Sender> {
    let named = variable("GILBRETH_TEST_PYTHON").or_else(|| {
        let probe =
            Command::new("python3").args(["-c", "import opentelemetry.exporter.otlp.proto.http"]).output().ok()?;
        probe.status.success().then(|| PathBuf::from("python3"))
    });
    let Some(python) = named else {
        eprintln!("not run: no Python with opentelemetry-sdk; .ci/run installs one and sets GILBRETH_TEST_PYTHON");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(example("python/sender.py"));
    Some(Sender::http("python-case-system", command))
}

/// `GILBRETH_TEST_NODE_MODULES` names a folder that has the packages (`.ci/run` fills one, and there the journey must run);
/// else they are beside the example, if anybody installed them there.
fn javascript(folder: &Path) -> Option<Sender> {
    let beside = example("javascript/node_modules");
    let named = variable("GILBRETH_TEST_NODE_MODULES").or_else(|| beside.exists().then_some(beside));
    let Some(modules) = named else {
        eprintln!("not run: no packages for Node; .ci/run installs them and sets GILBRETH_TEST_NODE_MODULES");
        return None;
    };
    let at = copied(&folder.join("javascript"), &["javascript/package.json", "javascript/sender.js"]);
    std::os::unix::fs::symlink(modules, at.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(at.join("sender.js"));
    Some(Sender::http("javascript-case-system", command))
}

/// `cargo test` builds it beside the journeys; with `--test journeys` it does not.
fn rust() -> Option<Sender> {
    let journeys = std::env::current_exe().unwrap();
    let sender = journeys.ancestors().nth(2).unwrap().join("examples/sender");
    if !sender.exists() {
        assert!(variable("GILBRETH_TEST_NODE_MODULES").is_none(), "{} is built by .ci/run", sender.display());
        eprintln!("not run: {} is not built; `cargo build --release --example sender` does", sender.display());
        return None;
    }
    let command = Command::new(sender);
    Some(Sender { system: "rust-case-system", command, protocol: Protocol::Grpc })
}

/// `GILBRETH_TEST_JAVA_SDK` names a folder with the jars of the SDK.
fn java() -> Option<Sender> {
    let Some(jars) = variable("GILBRETH_TEST_JAVA_SDK") else {
        eprintln!("not run: no SDK for Java; GILBRETH_TEST_JAVA_SDK names a folder with its jars");
        return None;
    };
    let mut command = Command::new("java");
    command.arg("-cp").arg(jars.join("*")).arg(example("java/Sender.java"));
    Some(Sender::http("java-case-system", command))
}

/// `GILBRETH_TEST_DOTNET` names a `dotnet` that can restore packages.
fn dotnet(folder: &Path) -> Option<Sender> {
    let Some(dotnet) = variable("GILBRETH_TEST_DOTNET") else {
        eprintln!("not run: no SDK for .NET; GILBRETH_TEST_DOTNET names a dotnet that can restore packages");
        return None;
    };
    let at = copied(&folder.join("dotnet"), &["dotnet/sender.csproj", "dotnet/Program.cs"]);
    let mut command = Command::new(dotnet);
    command.args(["run", "--project"]).arg(at.join("sender.csproj"));
    Some(Sender::http("dotnet-case-system", command))
}

/// A folder with copies, so that nothing is written among the examples.
fn copied(to: &Path, files: &[&str]) -> PathBuf {
    std::fs::create_dir(to).unwrap();
    for file in files {
        let file = example(file);
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
    to.to_owned()
}

/// The rows of one sender, of any SDK.
const EXPECTED: [&str; 4] = [
    "3.2,action,action,Personal details,Save,Change personal details,,,,false,true,true,1,entry,false,false",
    "3.2,entry,entry,Personal details,Surname,Change personal details,10,1,name,true,true,true,1,,true,true",
    "3.2,wait,wait,Personal details,,Change personal details,,,,false,true,true,1,entry,false,true",
    "3.2,UPDATE person,,,,,,,,false,false,false,,wait,false,true",
];

fn rows(store: &Path, system: &str) -> Vec<String> {
    let sql = format!(
        "SELECT s.release, s.name, s.kind, s.screen, s.field, s.task, s.keystrokes, s.corrections, s.value_kind, \
         s.value_digest IS NOT NULL, s.worker IS NOT NULL, s.session IS NOT NULL, cardinality(s.case_refs), p.name, \
         s.ended_at = s.started_at + INTERVAL '5 seconds', s.ended_at >= s.started_at + INTERVAL '15 milliseconds' \
         FROM spans s LEFT JOIN spans p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id \
         WHERE s.system = '{system}' AND s.day >= DATE '2026-01-01' ORDER BY s.kind NULLS LAST"
    );
    let csv = crate::program().succeed(["sql", "--store", &store.to_string_lossy(), "--format", "csv", &sql]);
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn every_sdk_that_is_to_be_had_sends_by_a_token_and_all_come_to_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = crate::program();
    let found = [python(), javascript(folder.path()), rust(), java(), dotnet(folder.path())];
    let mut senders: Vec<_> = found.into_iter().flatten().collect();
    if senders.is_empty() {
        return;
    }
    let at = store.to_string_lossy();
    let systems = senders.iter().flat_map(|sender| ["--system", sender.system]);
    let token = program.succeed(["token", "add", "--store", &at, "--label", "servers"].into_iter().chain(systems));
    let headers = format!("authorization=Bearer%20{}", token.trim());

    let service = program.serve(&store, &[]);
    for sender in &mut senders {
        let to = match sender.protocol {
            Protocol::Http => service.otlp(),
            Protocol::Grpc => service.grpc(),
        };
        let output = sender.send(&format!("http://{to}"), &[("OTEL_EXPORTER_OTLP_HEADERS", &headers)]);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{}: {said}", sender.system);
        eprintln!("{} has sent: {said}", sender.system);
    }
    assert!(service.stop());

    for sender in &senders {
        assert_eq!(rows(&store, sender.system), EXPECTED, "{}", sender.system);
    }
    // One value, worker, session and case for all of them; a trace for each.
    let same = program.sql_value(
        &store,
        "SELECT count(DISTINCT value_digest), count(DISTINCT worker), count(DISTINCT session), count(DISTINCT case_refs[1]), \
         count(DISTINCT trace_id) FROM spans WHERE day >= DATE '2026-01-01'",
    );
    assert_eq!(same, format!("1,1,1,1,{}", senders.len()));
}

#[test]
fn the_python_sdk_exports_over_tls_and_to_nobody_whose_certificate_it_does_not_trust() {
    let Some(mut sender) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "an authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let made = KeyPair::generate().unwrap();
    let localhost = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let signed = localhost.signed_by(&made, &authority).unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let trusted = file("authority.pem", authority.pem());
    let (certificate, key) = (file("certificate.pem", signed.pem()), file("key.pem", made.serialize_pem()));
    let config = file("gilbreth.toml", format!("[collector.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"));

    let store = folder.path().join("store");
    let service = crate::program().serve(&store, &["--config", &config.to_string_lossy()]);
    let to = format!("https://localhost:{}", service.otlp().port());
    let said = text(&python().unwrap().send(&to, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "2")]).stderr);
    assert!(said.contains("CERTIFICATE_VERIFY_FAILED"), "it does not trust the certificate: {said}");
    let trusted = trusted.to_string_lossy();
    let more = [("OTEL_EXPORTER_OTLP_CERTIFICATE", &*trusted), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    let output = sender.send(&to, &more);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(service.stop());
    // Once: nothing of what was sent first.
    assert_eq!(rows(&store, sender.system), EXPECTED);
}
