//! The disk of the log, timed: the log itself knows nothing of it.

use std::{
    collections::HashMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;

use super::Telemetry;
use crate::disk::{Disk, DiskFile, Entry, Locked};

/// What lies in the log, by file.
#[derive(Debug, Default)]
pub(super) struct Segments(Mutex<HashMap<PathBuf, u64>>);

impl Segments {
    /// How many there are, and their bytes.
    pub(super) fn sum(&self) -> (usize, u64) {
        let segments = self.lock();
        (segments.len(), segments.values().sum())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, u64>> {
        // Sizes are whole between any two changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Telemetry {
    /// The same disk for the log alone: its syncs are timed, its bytes and its refusals counted. `segments` are there
    /// already.
    pub(crate) fn timed(self: &Arc<Self>, disk: Arc<dyn Disk>, segments: &[PathBuf]) -> Arc<dyn Disk> {
        for path in segments {
            let bytes = disk.inspect(path).map_or(0, |entry| entry.size);
            self.segments.lock().insert(path.clone(), bytes);
        }
        Arc::new(LogDisk { disk, telemetry: Arc::clone(self) })
    }

    fn told<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if outcome.is_err() {
            self.disk_refusals.add(1);
        }
        outcome
    }
}

#[derive(Debug)]
struct LogDisk {
    disk: Arc<dyn Disk>,
    telemetry: Arc<Telemetry>,
}

impl Disk for LogDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.telemetry.told(self.disk.create(path))?;
        self.telemetry.segments.lock().insert(path.to_owned(), 0);
        Ok(Box::new(LogFile { file, path: path.to_owned(), telemetry: Arc::clone(&self.telemetry) }))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.disk.truncate(path, length)?;
        self.telemetry.segments.lock().insert(path.to_owned(), length);
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_file(path)
    }

    fn read(&self, path: &Path, range: Option<Range<u64>>) -> io::Result<Bytes> {
        self.disk.read(path, range)
    }

    fn inspect(&self, path: &Path) -> io::Result<Entry> {
        self.disk.inspect(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(folder)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.create_folder(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)?;
        let mut segments = self.telemetry.segments.lock();
        if let Some(bytes) = segments.remove(from) {
            segments.insert(to.to_owned(), bytes);
        }
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)?;
        self.telemetry.segments.lock().remove(path);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.telemetry.told(self.disk.sync_folder(folder))
    }

    fn scheme(&self) -> &'static str {
        self.disk.scheme()
    }

    fn lock(&self, path: &Path) -> io::Result<Locked> {
        self.disk.lock(path)
    }
}

#[derive(Debug)]
struct LogFile {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    telemetry: Arc<Telemetry>,
}

impl DiskFile for LogFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.telemetry.told(self.file.append(bytes))?;
        let bytes = bytes.len() as u64;
        self.telemetry.log_written_bytes.add(bytes);
        *self.telemetry.segments.lock().entry(self.path.clone()).or_default() += bytes;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let began = Instant::now();
        self.telemetry.told(self.file.sync())?;
        self.telemetry.syncs.observe(began.elapsed());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;

    #[test]
    fn syncs_bytes_segments_and_refusals_of_the_log_are_counted() {
        let simulated = SimulatedDisk::new(1);
        let telemetry = Arc::new(Telemetry::default());
        simulated.create_folder(Path::new("/log")).unwrap();
        let (before, new) = (Path::new("/log/1").to_owned(), Path::new("/log/2").to_owned());
        simulated.create(&before).unwrap().append(b"seven b").unwrap();
        let disk = telemetry.timed(Arc::new(simulated.clone()), std::slice::from_ref(&before));
        let mut file = disk.create(&new).unwrap();
        file.append(b"abc").unwrap();
        file.sync().unwrap();
        assert_eq!(telemetry.segments.sum(), (2, 10));
        assert_eq!((telemetry.syncs.read().count, telemetry.log_written_bytes.count()), (1, 3));
        disk.remove(&before).unwrap();
        assert_eq!((telemetry.segments.sum(), telemetry.disk_refusals.count()), ((1, 3), 0));
        simulated.fill_up_after(Some(0));
        file.append(b"abc").unwrap_err();
        assert_eq!((telemetry.segments.sum(), telemetry.disk_refusals.count()), ((1, 3), 1));
    }
}
