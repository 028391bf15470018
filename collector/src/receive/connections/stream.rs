//! The bytes of a connection, encrypted or not, with an end to waiting for a peer that does not read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_rustls::server::TlsStream;

/// A connection's stream. A write that its peer does not make room for fails after a while.
#[derive(Debug)]
pub(super) struct Stream {
    inner: Inner,
    stall_max: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) const fn plain(stream: TcpStream, stall_max: Duration) -> Self {
        Self { inner: Inner::Plain(stream), stall_max, stalled: None }
    }

    pub(super) fn encrypted(stream: TlsStream<TcpStream>, stall_max: Duration) -> Self {
        Self { inner: Inner::Encrypted(Box::new(stream)), stall_max, stalled: None }
    }

    /// Whether TLS agreed on that protocol.
    pub(super) fn agreed_on(&self, protocol: &[u8]) -> bool {
        match &self.inner {
            Inner::Plain(_) => false,
            Inner::Encrypted(stream) => stream.get_ref().1.alpn_protocol() == Some(protocol),
        }
    }

    fn inner(&mut self) -> Pin<&mut dyn Both> {
        let inner: &mut dyn Both = match &mut self.inner {
            Inner::Plain(stream) => stream,
            Inner::Encrypted(stream) => stream.as_mut(),
        };
        Pin::new(inner)
    }

    /// Ends what has waited for too long.
    fn patiently<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stall_max)));
        stalled.as_mut().poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.inner().poll_write(context, bytes);
        self.patiently(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.inner().poll_write_vectored(context, slices);
        self.patiently(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Plain(stream) => stream.is_write_vectored(),
            Inner::Encrypted(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.inner().poll_flush(context);
        self.patiently(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.inner().poll_shutdown(context);
        self.patiently(context, polled)
    }
}
