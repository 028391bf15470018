//! The thread that writes the log.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    ipc::{
        MetadataVersion,
        writer::{IpcWriteOptions, StreamEncoder},
    },
};
use tokio::sync::oneshot;

use super::{
    Record, Segment,
    frame::{self, Header},
    path_of,
};
use crate::{
    Error, ErrorKind,
    disk::{Disk, DiskFile},
    gate::IntakeCounts,
    schema::SPANS_SCHEMA,
};

/// At most this much is written between two syncs, so that nobody waits for a sync that never comes.
const GROUP_BYTES_MAX: usize = 32 << 20;
/// After a failure the log is opened again once a file of this size can be written.
const PROBE_BYTES: usize = 1 << 20;
/// Under the name of a file that never got its own, so that one left behind is swept.
const PROBE: &str = ".probe.tmp";

/// What is to be written, and who waits for it. `Hold` is kept until the record has left the log's hands.
#[derive(Debug)]
pub(crate) struct Submission<Hold> {
    pub(crate) rows: RecordBatch,
    pub(crate) counts: IntakeCounts,
    pub(crate) done: oneshot::Sender<Result<(), Error>>,
    pub(crate) hold: Hold,
}

/// What becomes of submissions. Both are called on the log's thread.
pub(crate) trait Sink<Hold>: Send + 'static {
    /// A record is on the disk. They come in order, each before it is acknowledged.
    fn stored(&mut self, record: Record, hold: Hold);

    /// Rows were handed over and will not be written. Whatever was handed over after them is refused as well, and nothing
    /// is taken until this was said of all of them.
    fn refused(&mut self, rows: &RecordBatch);
}

/// The log of a running process. Dropping it writes out what was submitted.
#[derive(Debug)]
pub(crate) struct Log<Hold> {
    submissions: Option<Sender<Submission<Hold>>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// How a log is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// A segment is closed at this size.
    pub(crate) segment_bytes_max: u64,
    /// How long after a failure the disk is tried again.
    pub(crate) retry_after: Duration,
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// Whether submissions are taken. Held for reading while one is handed over, so that after it was set nothing more
    /// comes.
    is_open: RwLock<bool>,
    /// Segments that are no longer written.
    closed: Mutex<Vec<Segment>>,
    /// Whether the next record is to begin a segment of its own.
    turn: AtomicBool,
}

impl Shared {
    fn is_open(&self) -> bool {
        *self.is_open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_open(&self, open: bool) {
        *self.is_open.write().unwrap_or_else(PoisonError::into_inner) = open;
    }
}

impl<Hold: Send + 'static> Log<Hold> {
    /// Starts the thread. `segments` are those that are there; `next` is the sequence of the first record to come.
    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        folder: &Path,
        segments: Vec<Segment>,
        next: u64,
        options: Options,
        sink: impl Sink<Hold>,
    ) -> Result<Self, Error> {
        disk.create_folder(folder).map_err(|error| super::unavailable(folder, "made", error))?;
        let number = segments.iter().map(|segment| segment.number).max().unwrap_or(0) + 1;
        let shared = Arc::new(Shared {
            disk,
            folder: folder.to_owned(),
            is_open: RwLock::new(true),
            closed: Mutex::new(segments),
            turn: AtomicBool::new(false),
        });
        let (submissions, receiver) = channel();
        let writing = Writing { shared: Arc::clone(&shared), next, number, options, open: None, group: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writing.run(&receiver, sink))
            .map_err(|error| Error::new(ErrorKind::Unavailable, "no thread for the log").caused_by(error))?;
        Ok(Self { submissions: Some(submissions), thread: Some(thread), shared })
    }

    /// Hands a submission over. It is answered when it is on the disk; order is kept. Fails at once while the disk
    /// refuses.
    pub(crate) fn submit(&self, submission: Submission<Hold>) -> Result<(), Error> {
        let is_open = self.shared.is_open.read().unwrap_or_else(PoisonError::into_inner);
        let submissions = self.submissions.as_ref().filter(|_| *is_open);
        submissions.and_then(|submissions| submissions.send(submission).ok()).ok_or_else(refused)
    }

    /// Lets the next record begin a new segment, so that the present one can go once it is committed.
    pub(crate) fn turn(&self) {
        self.shared.turn.store(true, Ordering::Release);
    }

    /// Whether it takes submissions: not while the disk refuses.
    pub(crate) fn is_open(&self) -> bool {
        self.shared.is_open()
    }

    /// What removes segments, for the committer.
    pub(crate) fn remover(&self) -> Remover {
        Remover(Arc::clone(&self.shared))
    }
}

impl<Hold> Log<Hold> {
    /// Writes out what was submitted and ends the thread. Blocks.
    pub(crate) fn close(&mut self) {
        drop(self.submissions.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            self.shared.set_open(false);
        }
    }
}

impl<Hold> Drop for Log<Hold> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Removes segments whose rows are elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Remover(Arc<Shared>);

impl Remover {
    /// Removes the closed segments that hold nothing above `committed`. Blocks.
    pub(crate) fn remove_up_to(&self, committed: u64) -> io::Result<()> {
        let mut closed = self.0.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failure = Ok(());
        closed.retain(|segment| {
            if segment.last > committed || failure.is_err() {
                return true;
            }
            match self.0.disk.remove(&path_of(&self.0.folder, segment.number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    failure = Err(error);
                    true
                }
                _ => false,
            }
        });
        failure
    }
}

/// The thread's own.
struct Writing {
    shared: Arc<Shared>,
    next: u64,
    number: u64,
    options: Options,
    open: Option<Open>,
    group: Vec<u8>,
}

/// The segment being written.
struct Open {
    file: Box<dyn DiskFile>,
    encoder: StreamEncoder,
    /// All of its bytes: between groups, everything written is synced.
    bytes: u64,
}

impl Writing {
    fn run<Hold>(mut self, submissions: &Receiver<Submission<Hold>>, mut sink: impl Sink<Hold>) {
        while let Ok(first) = submissions.recv() {
            let mut size = first.rows.get_array_memory_size();
            let mut group = vec![first];
            while size < GROUP_BYTES_MAX
                && let Ok(more) = submissions.try_recv()
            {
                size += more.rows.get_array_memory_size();
                group.push(more);
            }
            match self.write_group(&group) {
                Ok(first) => {
                    for (submission, sequence) in group.into_iter().zip(first..) {
                        let Submission { rows, counts, done, hold } = submission;
                        sink.stored(Record { sequence, counts, rows }, hold);
                        // Whoever went away will send again, and be told that it was seen.
                        let _ = done.send(Ok(()));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the log cannot be written; senders are told to come again");
                    self.refuse(group, submissions, &mut sink);
                    self.recover(submissions);
                }
            }
        }
        self.close_segment();
    }

    /// Takes nothing more, and refuses what was handed over: whatever stands behind a submission may repeat rows of it,
    /// and must not be acknowledged without them.
    fn refuse<Hold>(
        &self,
        group: Vec<Submission<Hold>>,
        submissions: &Receiver<Submission<Hold>>,
        sink: &mut impl Sink<Hold>,
    ) {
        self.shared.set_open(false);
        for submission in group.into_iter().chain(submissions.try_iter()) {
            sink.refused(&submission.rows);
            let _ = submission.done.send(Err(refused()));
        }
    }

    /// Waits until the disk takes bytes again, or the log is closed.
    fn recover<Hold>(&mut self, submissions: &Receiver<Submission<Hold>>) {
        while let Err(RecvTimeoutError::Timeout) = submissions.recv_timeout(self.options.retry_after) {
            match self.cut().and_then(|()| self.probe()) {
                Ok(()) => {
                    tracing::info!("the log can be written again");
                    self.shared.set_open(true);
                    return;
                }
                Err(error) => tracing::debug!(%error, "the log can still not be written"),
            }
        }
    }

    /// Cuts the open segment to what is known to be on the disk, and closes it: its other bytes belong to nobody.
    fn cut(&mut self) -> io::Result<()> {
        if let Some(open) = &self.open {
            match self.shared.disk.truncate(&path_of(&self.shared.folder, self.number), open.bytes) {
                // Taken away by somebody; its rows still wait for their commit.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                cut => cut?,
            }
            self.close_segment();
        }
        Ok(())
    }

    /// Tries what a segment needs: a file that takes bytes, and keeps them.
    fn probe(&self) -> io::Result<()> {
        let disk = self.shared.disk.as_ref();
        disk.create_folder(&self.shared.folder)?;
        let path = self.shared.folder.join(PROBE);
        let remove = || match disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        remove()?;
        let mut file = disk.create(&path)?;
        let written = file.append(&vec![0; PROBE_BYTES]).and_then(|()| file.sync());
        remove()?;
        written?;
        disk.sync_folder(&self.shared.folder)
    }

    /// Writes and syncs; gives the sequence of the first of the group.
    fn write_group<Hold>(&mut self, group: &[Submission<Hold>]) -> Result<u64, Error> {
        if self.shared.turn.swap(false, Ordering::AcqRel) {
            self.close_segment();
        }
        let first = self.next;
        let path = path_of(&self.shared.folder, self.number);
        let failed = |error| super::unavailable(&path, "written", error);
        if self.open.is_none() {
            let encoder = encoder().map_err(unencodable)?;
            let file = self.shared.disk.create(&path).inspect_err(|_| self.number += 1).map_err(failed)?;
            self.open = Some(Open { file, encoder, bytes: 0 });
            self.shared.disk.sync_folder(&self.shared.folder).map_err(failed)?;
        }
        let open = self.open.as_mut().expect("a segment was just opened");
        self.group.clear();
        for (submission, sequence) in group.iter().zip(first..) {
            let start = frame::open(&mut self.group);
            if submission.rows.num_rows() > 0 {
                for buffer in open.encoder.encode(&submission.rows).map_err(unencodable)? {
                    self.group.extend_from_slice(&buffer);
                }
            }
            let header = Header { sequence, synced: open.bytes, counts: submission.counts };
            frame::seal(&mut self.group, start, &header)
                .ok_or_else(|| Error::new(ErrorKind::Invalid, "a submission is over 4 GiB"))?;
        }
        open.file.append(&self.group).map_err(failed)?;
        open.file.sync().map_err(failed)?;
        open.bytes += self.group.len() as u64;
        self.next += group.len() as u64;
        if open.bytes >= self.options.segment_bytes_max {
            self.close_segment();
        }
        Ok(first)
    }

    fn close_segment(&mut self) {
        if self.open.take().is_some() {
            let segment = Segment { number: self.number, last: self.next - 1 };
            self.shared.closed.lock().unwrap_or_else(PoisonError::into_inner).push(segment);
            self.number += 1;
        }
    }
}

/// The encoder of a segment: the body of its first frame begins with the schema.
pub(super) fn encoder() -> Result<StreamEncoder, ArrowError> {
    let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5)?;
    StreamEncoder::try_new_with_options(&SPANS_SCHEMA, options)
}

pub(super) fn unencodable(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be framed for the log").caused_by(error)
}

fn refused() -> Error {
    Error::new(ErrorKind::Unavailable, "the log cannot be written now: send again later")
}
