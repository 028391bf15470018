//! Senders that do not behave.

use std::{io::Write as _, net::SocketAddr, time::Duration};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    runtime::Runtime,
};

/// What a body that is never finished is said to have.
const BODY_BYTES: usize = 64 << 20;

/// A sender of its own address that holds what it can, until it is ended or dropped.
#[derive(Debug)]
pub struct Hog {
    runtime: Runtime,
    open: Vec<TcpStream>,
}

impl Hog {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { runtime: runtime.expect("a runtime starts"), open: Vec::new() }
    }

    /// Two bodies of 64 MiB, all but their last bytes: as much as one sender's share of what may be read at once.
    ///
    /// # Panics
    /// When the server does not take them.
    pub fn reading(from: &str, to: SocketAddr) -> Self {
        let mut hog = Self::new();
        for _ in 0..2 {
            let body = vec![0; BODY_BYTES - 1_024];
            let opened = hog.runtime.block_on(async {
                let mut stream = connect(from, to).await?;
                stream.write_all(head(BODY_BYTES).as_bytes()).await?;
                stream.write_all(&body).await?;
                std::io::Result::Ok(stream)
            });
            hog.open.push(opened.expect("the server takes what there is room for"));
        }
        // What is written lies in buffers of the system for a moment, before the server has read it.
        std::thread::sleep(Duration::from_millis(500));
        hog
    }

    /// So many connections, each with a body that comes byte by byte; the server keeps as many as are one sender's share.
    pub fn trickling(from: &str, to: SocketAddr, connections: usize) -> Self {
        let mut hog = Self::new();
        for _ in 0..connections {
            let opened = hog.runtime.block_on(async {
                let mut stream = connect(from, to).await?;
                stream.write_all(head(BODY_BYTES).as_bytes()).await?;
                stream.write_all(&[0x0a]).await?;
                std::io::Result::Ok(stream)
            });
            // The server closes those beyond the sender's share.
            hog.open.extend(opened.ok());
        }
        hog
    }

    /// One more byte on every connection that is still open; returns how many are.
    pub fn trickle(&mut self) -> usize {
        let Self { runtime, open } = self;
        runtime.block_on(async {
            let mut kept = Vec::new();
            for mut stream in std::mem::take(open) {
                if stream.write_all(&[0]).await.is_ok() {
                    kept.push(stream);
                }
            }
            *open = kept;
        });
        self.open.len()
    }

    /// Goes away.
    pub fn end(self) {
        drop(self);
    }
}

async fn connect(from: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.parse().map_err(std::io::Error::other)?, 0))?;
    socket.connect(to).await
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// A request of empty spans: two bytes each, hundreds of them once decoded, and next to nothing packed.
#[must_use]
pub fn bomb(packing: Packing) -> Vec<u8> {
    // As many as 64 MiB hold.
    let mut body = [0x12, 0].repeat((BODY_BYTES - 64) / 2);
    for key in [0x12_u8, 0x0a] {
        let mut wrapped = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut wrapped);
        wrapped.append(&mut body);
        body = wrapped;
    }
    match packing {
        Packing::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(&body).and_then(|()| writer.finish()).expect("memory takes what is written")
        }
        Packing::Zstd => zstd::encode_all(body.as_slice(), 1).expect("memory takes what is written"),
    }
}

/// How a bomb is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `gzip`.
    Gzip,
    /// `zstd`.
    Zstd,
}
