//! A client of HTTP/1 that sends what a well-behaved one would not.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use super::Answer;

/// A server that says nothing for so long is taken to say nothing at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, byte by byte.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) version: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length.
    Length,
    /// In chunks of a few bytes.
    Chunked,
    /// By its length, and then it ends before that.
    CutShort,
    /// By its length, and it is sent only once the server says that it may.
    OnceAsked,
}

impl Request {
    pub(super) fn send(&self, to: SocketAddr) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(self.head(to).as_bytes())?;
        let mut came = Vec::new();
        if self.framing == Framing::OnceAsked {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer)?;
            came.extend_from_slice(&buffer[..length]);
            let asked = came.starts_with(b"HTTP/1.1 100 ");
            if !asked {
                return Err(io::Error::other("the server does not say 100 Continue"));
            }
            came.clear();
        }
        // A server may answer and close before it has read everything.
        let written = stream.write_all(&self.framed());
        if self.framing == Framing::CutShort {
            stream.shutdown(Shutdown::Write)?;
        }
        let read = stream.read_to_end(&mut came);
        match parse(&came) {
            Some(answer) => Ok(answer),
            None => Err(written.err().or(read.err()).unwrap_or_else(|| io::Error::other("the answer is cut short"))),
        }
    }

    fn head(&self, to: SocketAddr) -> String {
        let Self { method, path, version, .. } = self;
        let mut head = format!("{method} {path} {version}\r\nhost: {to}\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Framing::Length => head.push_str(&format!("content-length: {}\r\n", self.body.len())),
            Framing::CutShort => head.push_str(&format!("content-length: {}\r\n", self.body.len() + 10)),
            Framing::OnceAsked => {
                head.push_str(&format!("content-length: {}\r\nexpect: 100-continue\r\n", self.body.len()));
            }
        }
        head + "\r\n"
    }

    fn framed(&self) -> Vec<u8> {
        if self.framing != Framing::Chunked {
            return self.body.clone();
        }
        let chunks =
            self.body.chunks(7).map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        [chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()].concat()
    }
}

/// An answer that came whole, by its length, in chunks or by the end of the connection.
fn parse(came: &[u8]) -> Option<Answer> {
    let end = came.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&came[..end]).ok()?;
    let rest = &came[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let named = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let body = if named("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        whole(rest)?
    } else {
        match named("content-length").and_then(|value| value.parse().ok()) {
            Some(length) if status != 204 => rest.get(..length)?.to_vec(),
            _ => rest.to_vec(),
        }
    };
    Some(Answer { status, headers, body, grpc: None })
}

fn whole(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(end + 2..end + 2 + length)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_or_not_at_all() {
        let body = |came: &str| parse(came.as_bytes()).map(|answer| answer.body);
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Some(b"hi".to_vec()));
        assert_eq!(body("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi"), None);
        assert_eq!(
            body("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"),
            Some(b"hi".to_vec())
        );
        assert_eq!(body("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n"), None);
        assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nhi"), Some(b"hi".to_vec()));
    }
}
