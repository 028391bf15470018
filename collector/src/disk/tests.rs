use std::{path::Path, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as Location};

use super::{Disk, DiskObjects, IfTaken, LocalDisk, is_temporary, put, simulated::SimulatedDisk};

const FILE: &str = "/store/a/file";

fn parts(text: &'static str) -> [Bytes; 2] {
    let (one, other) = text.split_at(text.len() / 2);
    [Bytes::from_static(one.as_bytes()), Bytes::from_static(other.as_bytes())]
}

#[test]
fn a_put_is_whole_or_not_there_whenever_power_goes() {
    let mut survived = 0;
    for seed in 0..400 {
        let disk = SimulatedDisk::new(seed);
        put(&disk, Path::new(FILE), &parts("before"), IfTaken::Fail).unwrap();
        disk.lose_power_after(seed % 8);
        let done = put(&disk, Path::new(FILE), &parts("after"), IfTaken::Replace).is_ok();
        let disk = disk.reboot();
        let found = disk.read(Path::new(FILE), None).unwrap();
        assert!(found == "after" || (!done && found == "before"), "seed {seed}: {found:?}");
        survived += u32::from(done);
    }
    assert!((1..400).contains(&survived), "some must come through and some not: {survived}");
}

#[test]
fn a_taken_name_is_left_alone_on_both_disks() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [(&dyn Disk, _); 2] =
        [(&LocalDisk, folder.path().join("a/file")), (&SimulatedDisk::new(1), FILE.into())];
    for (disk, path) in disks {
        put(disk, &path, &parts("first"), IfTaken::Fail).unwrap();
        let error = put(disk, &path, &parts("second"), IfTaken::Fail).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(disk.read(&path, None).unwrap(), "first");
        assert_eq!(disk.read(&path, Some(1..3)).unwrap(), "ir");
        assert_eq!(disk.read(&path, Some(3..99)).unwrap(), "st");
        let left = disk.list(path.parent().unwrap()).unwrap();
        assert_eq!(left.len(), 1, "no temporary file stays: {left:?}");
        assert!(!is_temporary(&left[0].path));
    }
}

#[tokio::test]
async fn parts_of_an_upload_stay_in_order_however_they_are_polled() {
    let folder = tempfile::tempdir().unwrap();
    let objects = DiskObjects::new(Arc::new(LocalDisk));
    let location = Location::from_absolute_path(folder.path().join("deep/with space/file")).unwrap();
    let mut upload = objects.put_multipart(&location).await.unwrap();
    let mut writing: Vec<_> = (0..50_u8).map(|part| upload.put_part(vec![part; 1000].into())).collect();
    writing.reverse();
    for part in writing {
        part.await.unwrap();
    }
    assert!(matches!(objects.head(&location).await, Err(Error::NotFound { .. })), "unseen until it is complete");
    upload.complete().await.unwrap();
    let found = objects.get(&location).await.unwrap().bytes().await.unwrap();
    assert_eq!(found, (0..50_u8).flat_map(|part| vec![part; 1000]).collect::<Vec<_>>());
}

#[tokio::test]
async fn objects_are_listed_put_if_absent_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let objects = DiskObjects::new(Arc::new(LocalDisk));
    let at = |name: &str| Location::from_absolute_path(folder.path().join(name)).unwrap();
    for name in ["b/2", "a", "b/1"] {
        objects.put(&at(name), "text".into()).await.unwrap();
    }
    std::fs::write(folder.path().join("b/.x.1-1.tmp"), b"half").unwrap();
    let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let taken = objects.put_opts(&at("a"), "other".into(), create).await.unwrap_err();
    assert!(matches!(taken, Error::AlreadyExists { .. }));
    assert!(!objects.is_doubtful(), "a taken name leaves no doubt");
    let root = Location::from_absolute_path(folder.path()).unwrap();
    let listed: Vec<_> =
        objects.list(Some(&root)).map_ok(|meta| (meta.location, meta.size)).try_collect().await.unwrap();
    assert_eq!(listed, [(at("a"), 4), (at("b/1"), 4), (at("b/2"), 4)]);
    objects.delete(&at("a")).await.unwrap();
    let left = objects.list_with_delimiter(Some(&root)).await.unwrap();
    assert_eq!((left.objects.len(), left.common_prefixes), (0, vec![at("b")]));
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_doubt_only_once_a_name_was_given() {
    let at = Location::from("store/file");
    let disk = SimulatedDisk::new(1);
    let objects = DiskObjects::new(Arc::new(disk.clone()));
    disk.fill_up_after(Some(2));
    objects.put(&at, "text".into()).await.unwrap_err();
    assert!(!objects.is_doubtful(), "nothing was named");
    disk.fill_up_after(None);
    disk.fail_folder_syncs(Some(std::io::ErrorKind::StorageFull));
    objects.put(&at, "text".into()).await.unwrap_err();
    assert!(objects.is_doubtful(), "the name can be seen and may vanish with the power");
}

#[tokio::test]
async fn a_doubt_is_settled_by_a_sync_that_succeeds() {
    for seed in 0..40 {
        let disk = SimulatedDisk::new(seed);
        let objects = DiskObjects::new(Arc::new(disk.clone()));
        let at = Location::from("store/table/day/file");
        // Of the folder, of the file, of its name.
        disk.fail_syncs(seed % 3 + 1);
        while objects.put(&at, "text".into()).await.is_err() {}
        objects.settle().await.unwrap();
        assert!(!objects.is_doubtful());
        let found = disk.reboot().read(Path::new("/store/table/day/file"), None);
        assert_eq!(found.unwrap(), "text", "seed {seed}");
    }
}

#[test]
fn what_a_dead_process_left_unsynced_can_be_read_and_lost() {
    let disk = SimulatedDisk::new(1);
    disk.create_folder(Path::new("/store")).unwrap();
    let mut file = disk.create(Path::new("/store/file")).unwrap();
    file.append(b"text").unwrap();
    let disk = disk.kill();
    assert!(file.append(b"more").is_err(), "the process that had it open is dead");
    assert_eq!(disk.read(Path::new("/store/file"), None).unwrap(), "text");
    disk.sync_file(Path::new("/store/file")).unwrap();
    disk.sync_folder(Path::new("/store")).unwrap();
    assert_eq!(disk.reboot().read(Path::new("/store/file"), None).unwrap(), "text");
}
