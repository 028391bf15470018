//! A disk that is soon full.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system in memory, unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many MiB at `disk` in a folder; `None`, and a word of it, where that is not allowed.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn mount(folder: &Path, mib: u32) -> Option<Self> {
        let at = folder.join("disk");
        fs::create_dir(&at).expect("the folder is new");
        let size = format!("size={mib}m");
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output().ok();
        if mounting.is_some_and(|mounting| mounting.status.success()) {
            Some(Self(at))
        } else {
            eprintln!("not run: no small file system can be mounted here");
            None
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves no room.
    ///
    /// # Panics
    /// When not even a file can be made.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("an empty file takes no room");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives back what [`SmallDisk::fill`] took.
    ///
    /// # Panics
    /// When it did not take it.
    pub fn empty(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Makes it as large as so many MiB.
    ///
    /// # Panics
    /// When that is not allowed, though mounting was.
    pub fn grow(&self, mib: u32) {
        let size = format!("remount,size={mib}m");
        assert!(Command::new("mount").args(["-o", &size]).arg(&self.0).status().expect("mount runs").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may not have let go of it yet.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
