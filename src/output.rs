//! Standard output. Whoever reads it may leave early (`| head`): then there is nobody left to tell, and no fault.

use std::{
    io::{self, BufWriter, Stdout, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Prints a result.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Standard output for results of any size. It fails when its reader has gone, and remembers that this was why.
#[derive(Debug)]
pub(crate) struct Results<W: Write = Stdout> {
    to: BufWriter<W>,
    gone: Arc<AtomicBool>,
}

impl Results {
    /// Standard output, and whether its reader has gone.
    pub(crate) fn standard() -> (Self, Arc<AtomicBool>) {
        Self::to(io::stdout())
    }
}

impl<W: Write> Results<W> {
    fn to(to: W) -> (Self, Arc<AtomicBool>) {
        let gone = Arc::new(AtomicBool::new(false));
        (Self { to: BufWriter::new(to), gone: Arc::clone(&gone) }, gone)
    }

    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.gone.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl<W: Write> Write for Results<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.to.write(bytes);
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.to.flush();
        self.noted(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(io::ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_told_from_a_full_disk() {
        for (kind, expected) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
            let (mut results, gone) = Results::to(Fails(kind));
            assert!(results.write_all(b"rows").and_then(|()| results.flush()).is_err());
            assert_eq!(gone.load(Ordering::Relaxed), expected);
        }
    }
}
