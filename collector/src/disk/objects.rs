//! The object store that Delta Lake writes through. The one that it would choose itself renames without syncing, so a
//! commit could vanish with the power after the log was told to forget its rows.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
    local::LocalFileSystem, path::Path,
};

use super::{Disk, Entry, IfTaken, Staged, Unpublished, is_temporary, stage_and_publish};

const NAME: &str = "gilbreth disk";

/// A [`Disk`] as an object store whose root is the root of the file system. A put has reached the disk when it returns.
#[derive(Debug, Clone)]
pub struct DiskObjects {
    disk: Arc<dyn Disk>,
    doubts: Arc<Doubts>,
}

/// Folders in which a name was given that is not known to be durable: what a listing shows may vanish with the power.
/// With each, how often that happened. There are no more of them than folders.
#[derive(Debug, Default)]
struct Doubts(Mutex<BTreeMap<PathBuf, u64>>);

impl DiskObjects {
    /// Objects on this disk.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, doubts: Arc::default() }
    }

    /// Whether something can be listed that may not have reached the disk, since a write failed half way.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        !self.doubts.lock().is_empty()
    }

    /// Makes what can be listed durable, where that is in doubt. Of names, unlike of bytes, a sync that succeeds after one
    /// that failed is proof: file systems keep them in a journal, which takes nothing more once it could not be written.
    ///
    /// # Errors
    /// The disk still refuses.
    pub async fn settle(&self) -> Result<()> {
        if !self.is_doubtful() {
            return Ok(());
        }
        let doubts = Arc::clone(&self.doubts);
        self.blocking(move |disk| doubts.settle(disk)).await
    }

    /// Runs blocking work beside the runtime, or here if there is none.
    async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Disk) -> Result<T> + Send + 'static,
    {
        let disk = Arc::clone(&self.disk);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(move || work(disk.as_ref())).await?,
            Err(_) => work(disk.as_ref()),
        }
    }
}

impl fmt::Display for DiskObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for DiskObjects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let if_taken = match options.mode {
            PutMode::Overwrite => IfTaken::Replace,
            PutMode::Create => IfTaken::Fail,
            PutMode::Update(_) => return Err(unsupported("conditional update")),
        };
        let path = to_file(location)?;
        let parts: Vec<Bytes> = payload.into_iter().collect();
        let doubts = Arc::clone(&self.doubts);
        self.blocking(move |disk| {
            stage_and_publish(disk, &path, &parts, if_taken)
                .map_err(|unpublished| explain(&path, doubts.note(&path, unpublished)))
        })
        .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let path = to_file(location)?;
        let upload_path = path.clone();
        let doubts = Arc::clone(&self.doubts);
        let staged = self
            .blocking(move |disk| {
                Staged::create(disk, &path).map_err(|unpublished| explain(&path, doubts.note(&path, unpublished)))
            })
            .await?;
        let parts = Parts { staged: Some(staged), waiting: VecDeque::new() };
        Ok(Box::new(Upload { objects: self.clone(), path: upload_path, parts: Arc::new(Mutex::new(parts)) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = to_file(location)?;
        let location = location.clone();
        self.blocking(move |disk| {
            let entry = disk.inspect(&path).map_err(|error| explain(&path, error))?;
            if entry.is_folder {
                return Err(explain(&path, io::Error::new(io::ErrorKind::NotFound, "it is a folder")));
            }
            let meta = to_meta(&entry, location);
            options.check_preconditions(&meta)?;
            let range = match options.range {
                Some(range) => {
                    range.as_range(meta.size).map_err(|source| Error::Generic { store: NAME, source: source.into() })?
                }
                None => 0..meta.size,
            };
            let bytes = if options.head {
                Bytes::new()
            } else {
                disk.read(&path, Some(range.clone())).map_err(|error| explain(&path, error))?
            };
            let payload = GetResultPayload::Stream(futures::stream::once(async move { Ok(bytes) }).boxed());
            Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
        })
        .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = to_file(location)?;
        let ranges = ranges.to_vec();
        self.blocking(move |disk| {
            ranges
                .into_iter()
                .map(|range| disk.read(&path, Some(range)).map_err(|error| explain(&path, error)))
                .collect()
        })
        .await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let objects = self.clone();
        locations
            .and_then(move |location| {
                let objects = objects.clone();
                async move {
                    let path = to_file(&location)?;
                    objects
                        .blocking(move |disk| disk.remove(&path).map_err(|error| explain(&path, error)))
                        .await
                        .map(|()| location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let objects = self.clone();
        let prefix = prefix.cloned().unwrap_or_default();
        futures::stream::once(async move {
            let folder = to_file(&prefix)?;
            objects.blocking(move |disk| files_below(disk, &folder)).await
        })
        .map_ok(|found| futures::stream::iter(found.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = to_file(&prefix.cloned().unwrap_or_default())?;
        self.blocking(move |disk| {
            let mut result = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
            for entry in visible(disk, &folder)? {
                let location = to_object(&entry.path)?;
                if entry.is_folder {
                    result.common_prefixes.push(location);
                } else {
                    result.objects.push(to_meta(&entry, location));
                }
            }
            Ok(result)
        })
        .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let if_taken = match options.mode {
            CopyMode::Overwrite => IfTaken::Replace,
            CopyMode::Create => IfTaken::Fail,
        };
        let (from, to) = (to_file(from)?, to_file(to)?);
        let doubts = Arc::clone(&self.doubts);
        self.blocking(move |disk| {
            let bytes = disk.read(&from, None).map_err(|error| explain(&from, error))?;
            stage_and_publish(disk, &to, &[bytes], if_taken)
                .map_err(|unpublished| explain(&to, doubts.note(&to, unpublished)))
        })
        .await
    }
}

/// A file that arrives in parts. Parts may be polled in any order, so they wait in a queue, and whichever is polled
/// writes all that wait, in the order in which they were handed over.
#[derive(Debug)]
struct Upload {
    objects: DiskObjects,
    path: PathBuf,
    parts: Arc<Mutex<Parts>>,
}

#[derive(Debug)]
struct Parts {
    staged: Option<Staged>,
    waiting: VecDeque<PutPayload>,
}

impl Parts {
    fn write_waiting(&mut self, disk: &dyn Disk, path: &FilePath) -> Result<()> {
        let staged = self.staged.as_mut().ok_or_else(|| unsupported("writing after the end of an upload"))?;
        while let Some(payload) = self.waiting.pop_front() {
            for part in payload {
                staged.append(disk, &part).map_err(|error| explain(path, error))?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).waiting.push_back(data);
        let (objects, path, parts) = (self.objects.clone(), self.path.clone(), Arc::clone(&self.parts));
        Box::pin(async move {
            objects
                .blocking(move |disk| parts.lock().unwrap_or_else(PoisonError::into_inner).write_waiting(disk, &path))
                .await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (path, parts) = (self.path.clone(), Arc::clone(&self.parts));
        let doubts = Arc::clone(&self.objects.doubts);
        self.objects
            .blocking(move |disk| {
                let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
                parts.write_waiting(disk, &path)?;
                let staged = parts.staged.take().ok_or_else(|| unsupported("completing an upload twice"))?;
                staged
                    .publish(disk, IfTaken::Replace)
                    .map_err(|unpublished| explain(&path, doubts.note(&path, unpublished)))
            })
            .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        let parts = Arc::clone(&self.parts);
        self.objects
            .blocking(move |disk| {
                if let Some(staged) = parts.lock().unwrap_or_else(PoisonError::into_inner).staged.take() {
                    staged.discard(disk);
                }
                Ok(())
            })
            .await
    }
}

impl Doubts {
    /// Notes a file that was not published, with the folders that it may have needed; gives what went wrong.
    fn note(&self, path: &FilePath, Unpublished { in_doubt, error }: Unpublished) -> io::Error {
        if in_doubt {
            let mut doubts = self.lock();
            for folder in path.ancestors().skip(1) {
                *doubts.entry(folder.to_owned()).or_default() += 1;
            }
        }
        error
    }

    fn settle(&self, disk: &dyn Disk) -> Result<()> {
        let doubts = self.lock().clone();
        for (folder, times) in doubts {
            match disk.sync_folder(&folder) {
                // Gone since, or none that anything of ours can have been made in.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {}
                synced => synced.map_err(|error| explain(&folder, error))?,
            }
            let mut doubts = self.lock();
            // What came up while the folder was being synced is still in doubt.
            if doubts.get(&folder) == Some(&times) {
                doubts.remove(&folder);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn files_below(disk: &dyn Disk, folder: &FilePath) -> Result<Vec<ObjectMeta>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in visible(disk, &folder)? {
            if entry.is_folder {
                folders.push(entry.path);
            } else {
                let location = to_object(&entry.path)?;
                found.push(to_meta(&entry, location));
            }
        }
    }
    found.sort_by(|one, other| one.location.cmp(&other.location));
    Ok(found)
}

fn visible(disk: &dyn Disk, folder: &FilePath) -> Result<Vec<Entry>> {
    let mut entries = disk.list(folder).map_err(|error| explain(folder, error))?;
    entries.retain(|entry| !is_temporary(&entry.path));
    Ok(entries)
}

fn to_file(location: &Path) -> Result<PathBuf> {
    if location.as_ref().is_empty() {
        return Ok(PathBuf::from("/"));
    }
    LocalFileSystem::new().path_to_filesystem(location)
}

fn to_object(path: &FilePath) -> Result<Path> {
    Ok(Path::from_absolute_path(path)?)
}

fn to_meta(entry: &Entry, location: Path) -> ObjectMeta {
    ObjectMeta { location, last_modified: entry.modified.into(), size: entry.size, e_tag: None, version: None }
}

fn explain(path: &FilePath, error: io::Error) -> Error {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { path, source: error.into() },
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: error.into() },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { path, source: error.into() },
        _ => Error::Generic { store: NAME, source: error.into() },
    }
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { source: what.to_owned().into() }
}
