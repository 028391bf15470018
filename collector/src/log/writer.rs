//! The thread that writes the log.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
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

/// What is to be written, and who waits for it. `Hold` is kept until the record has left the log's hands.
#[derive(Debug)]
pub(crate) struct Submission<Hold> {
    pub(crate) rows: RecordBatch,
    pub(crate) counts: IntakeCounts,
    pub(crate) done: oneshot::Sender<Result<(), Error>>,
    pub(crate) hold: Hold,
}

/// The log of a running process. Dropping it writes out what was submitted.
#[derive(Debug)]
pub(crate) struct Log<Hold> {
    submissions: Option<Sender<Submission<Hold>>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// Set for good by the first error: after a failed sync nothing is known about what was written since the last.
    failed: AtomicBool,
    /// Segments that are no longer written.
    closed: Mutex<Vec<Segment>>,
    /// Whether the next record is to begin a segment of its own.
    turn: AtomicBool,
}

impl<Hold: Send + 'static> Log<Hold> {
    /// Starts the thread. `segments` are those that are there; `next` is the sequence of the first record to come. The
    /// sink gets each record once it is on the disk, in order, before it is acknowledged.
    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        folder: &Path,
        segments: Vec<Segment>,
        next: u64,
        segment_bytes_max: u64,
        sink: impl FnMut(Record, Hold) + Send + 'static,
    ) -> Result<Self, Error> {
        disk.create_folder(folder).map_err(|error| super::unavailable(folder, "made", error))?;
        let number = segments.iter().map(|segment| segment.number).max().unwrap_or(0) + 1;
        let shared = Arc::new(Shared {
            disk,
            folder: folder.to_owned(),
            failed: AtomicBool::new(false),
            closed: Mutex::new(segments),
            turn: AtomicBool::new(false),
        });
        let (submissions, receiver) = channel();
        let writing =
            Writing { shared: Arc::clone(&shared), next, number, segment_bytes_max, open: None, group: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writing.run(&receiver, sink))
            .map_err(|error| Error::new(ErrorKind::Unavailable, "no thread for the log").caused_by(error))?;
        Ok(Self { submissions: Some(submissions), thread: Some(thread), shared })
    }

    /// Hands a submission over. It is answered when it is on the disk; order is kept.
    pub(crate) fn submit(&self, submission: Submission<Hold>) -> Result<(), Error> {
        self.submissions.as_ref().and_then(|open| open.send(submission).ok()).ok_or_else(failed)
    }

    /// Lets the next record begin a new segment, so that the present one can go once it is committed.
    pub(crate) fn turn(&self) {
        self.shared.turn.store(true, Ordering::Release);
    }

    /// Whether the log can take no more.
    pub(crate) fn is_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Acquire)
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
            self.shared.failed.store(true, Ordering::Release);
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
    segment_bytes_max: u64,
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
    fn run<Hold>(mut self, submissions: &Receiver<Submission<Hold>>, mut sink: impl FnMut(Record, Hold)) {
        while let Ok(first) = submissions.recv() {
            let mut size = first.rows.get_array_memory_size();
            let mut group = vec![first];
            while size < GROUP_BYTES_MAX
                && let Ok(more) = submissions.try_recv()
            {
                size += more.rows.get_array_memory_size();
                group.push(more);
            }
            let written =
                if self.shared.failed.load(Ordering::Acquire) { Err(failed()) } else { self.write_group(&group) };
            match written {
                Ok(first) => {
                    for (submission, sequence) in group.into_iter().zip(first..) {
                        let Submission { rows, counts, done, hold } = submission;
                        sink(Record { sequence, counts, rows }, hold);
                        // Whoever went away will send again, and be told that it was seen.
                        let _ = done.send(Ok(()));
                    }
                }
                Err(error) => {
                    self.shared.failed.store(true, Ordering::Release);
                    tracing::error!(%error, "the log cannot be written; nothing more is taken until a restart");
                    for submission in group {
                        let _ = submission.done.send(Err(failed()));
                    }
                }
            }
        }
        self.close_segment();
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
            let file = self.shared.disk.create(&path).map_err(failed)?;
            self.shared.disk.sync_folder(&self.shared.folder).map_err(failed)?;
            self.open = Some(Open { file, encoder: encoder().map_err(unencodable)?, bytes: 0 });
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
        if open.bytes >= self.segment_bytes_max {
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

fn encoder() -> Result<StreamEncoder, ArrowError> {
    let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5)?;
    StreamEncoder::try_new_with_options(&SPANS_SCHEMA, options)
}

fn unencodable(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be framed for the log").caused_by(error)
}

fn failed() -> Error {
    Error::new(ErrorKind::Unavailable, "the log cannot be written: see to the disk, then restart the collector")
}
