use axum::routing::{get, post};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::receive::tls;

const TEST: Limits = Limits {
    connections_max: 3,
    silence_max: Duration::from_millis(50),
    stall_max: Duration::from_millis(50),
    drain_time_max: Duration::from_millis(50),
};
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

struct Served {
    to: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

async fn served(protocol: Protocol, tls: Option<Arc<Tls>>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let (stop, mut stopped) = watch::channel(false);
    let large = get(|| async { vec![b'x'; 16 << 20] });
    let app = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/body", post(|body: String| async { body }))
        .route("/large", large);
    let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
    Served { to, stop, serving: tokio::spawn(within(TEST, listener, Talk { protocol, tls, app }, shutdown)) }
}

impl Served {
    async fn end(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_mins(1), self.serving).await.expect("it ends").unwrap();
        assert!(TcpStream::connect(self.to).await.is_err(), "nothing is accepted any more");
    }
}

/// All that comes until the end; a connection that is closed with something unread may end in an error.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut bytes)).await.expect("it is closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn from(address: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

#[tokio::test]
async fn a_sender_has_its_share_of_connections_and_silent_ones_give_theirs_back() {
    let served = served(Protocol::Http, None).await;
    let mut silent = from("127.0.0.1", served.to).await;
    silent.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
    assert_eq!(rest(&mut from("127.0.0.1", served.to).await).await, "", "no more of this sender");
    let mut other = from("127.0.0.2", served.to).await;
    other.write_all(REQUEST).await.unwrap();
    let answer = rest(&mut other).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
    rest(&mut silent).await;
    let again = async {
        loop {
            let mut next = from("127.0.0.1", served.to).await;
            if next.write_all(REQUEST).await.is_ok() && rest(&mut next).await.ends_with("here") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), again).await.expect("the silent one's place is free");
    served.end().await;
}

#[tokio::test]
async fn whoever_is_silent_is_closed_over_http2_too() {
    let served = served(Protocol::Http2, None).await;
    // No word at all; or the preface, and no request.
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut silent = TcpStream::connect(served.to).await.unwrap();
        silent.write_all(said).await.unwrap();
        rest(&mut silent).await;
    }
    served.end().await;
}

#[tokio::test]
async fn whoever_does_not_read_its_answer_is_closed() {
    let served = served(Protocol::Http, None).await;
    let mut deaf = TcpStream::connect(served.to).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // A connection whose peer has closed it fails to be written to, sooner or later.
    let written = async {
        while deaf.write_all(b"\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), written).await.expect("it is closed");
    served.end().await;
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let served = served(Protocol::Http, None).await;
    let mut endless = TcpStream::connect(served.to).await.unwrap();
    endless.write_all(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    served.end().await;
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let served = served(Protocol::Http, None).await;
    let mut long = TcpStream::connect(served.to).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}", "x".repeat(2 * HTTP1_BUFFER_BYTES_MAX));
    let _ = long.write_all(head.as_bytes()).await;
    let answer = rest(&mut long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    served.end().await;
}

/// A certificate for `localhost` in files, and what trusts it.
fn certified(folder: &std::path::Path) -> (tls::Config, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = tls::Config { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().clone())
}

async fn encrypted(
    to: SocketAddr,
    trusted: &CertificateDer<'static>,
    alpn: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut client = client.with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(to).await?;
    TlsConnector::from(Arc::new(client)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

#[tokio::test]
async fn tls_agrees_on_what_the_port_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let (files, trusted) = certified(folder.path());
    for (protocol, offered, agreed) in [
        (Protocol::Http, &[b"http/1.1" as &[u8]][..], Some(&b"http/1.1"[..])),
        (Protocol::Http, &[b"http/1.1", b"h2"], Some(b"h2")),
        (Protocol::Http, &[], None),
        (Protocol::Http2, &[b"h2"], Some(b"h2")),
    ] {
        let served = served(protocol, Tls::load(&files).unwrap()).await;
        let mut stream = encrypted(served.to, &trusted, offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed);
        if agreed != Some(b"h2") {
            stream.write_all(REQUEST).await.unwrap();
            assert!(rest(&mut stream).await.ends_with("here"));
        }
        drop(stream);
        served.end().await;
    }
    let served = served(Protocol::Http2, Tls::load(&files).unwrap()).await;
    encrypted(served.to, &trusted, &[b"http/1.1"]).await.expect_err("gRPC is HTTP/2");
    let mut plain = from("127.0.0.2", served.to).await;
    plain.write_all(REQUEST).await.unwrap();
    assert!(!rest(&mut plain).await.contains("here"), "nobody is served without TLS");
    served.end().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = certified(folder.path());
    let served = served(Protocol::Http, Tls::load(&files).unwrap()).await;
    rest(&mut TcpStream::connect(served.to).await.unwrap()).await;
    served.end().await;
}

#[tokio::test]
async fn a_new_certificate_is_used_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = certified(folder.path());
    let served = served(Protocol::Http, Tls::load(&files).unwrap()).await;
    drop(encrypted(served.to, &first, &[]).await.unwrap());
    std::fs::write(&files.certificate, "half a certif").unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    drop(encrypted(served.to, &first, &[]).await.expect("the one of before holds"));
    let (_, second) = certified(folder.path());
    let renewed = async { while encrypted(served.to, &second, &[]).await.is_err() {} };
    tokio::time::timeout(Duration::from_mins(1), renewed).await.expect("the new one is used");
    encrypted(served.to, &first, &[]).await.expect_err("and not the old one");
    served.end().await;
}
