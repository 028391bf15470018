//! Every row of the table of OTLP conformance holds for the real server.

use std::{fs, path::Path, process::Command};

use gilbreth_tests::{
    conformance::{ORIGIN, Row, Scope, Target, Verdict, rows},
    hog::Hog,
    program::Service,
};

fn serve(store: &Path) -> Service {
    let config = store.with_extension("toml");
    fs::write(&config, format!("[collector]\ncors_origins = [{ORIGIN:?}]\n")).unwrap();
    crate::program().serve(store, &["--config", config.to_str().unwrap()])
}

fn target(service: &Service) -> Target {
    Target { http: service.otlp(), grpc: Some(service.grpc()) }
}

/// Runs the rows of some scopes; fails with all that differ. Returns how many there were.
fn hold(target: Target, of: impl Fn(Scope) -> bool) -> usize {
    let rows: Vec<Row> = rows().into_iter().filter(|row| of(row.scope)).collect();
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| match row.run(target) {
            Verdict::Passed => None,
            Verdict::Failed(how) => Some(format!("{}: {how}", row.name)),
            Verdict::Skipped => Some(format!("{}: skipped", row.name)),
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} rows fail:\n{}", failed.len(), rows.len(), failed.join("\n"));
    rows.len()
}

#[test]
fn every_row_of_the_table_passes() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(&folder.path().join("store"));
    let held = hold(target(&service), |scope| matches!(scope, Scope::Everyone | Scope::Ours));
    assert!(held >= 80, "{held} rows");
    assert!(service.stop());
}

#[test]
fn a_sender_that_holds_all_that_it_may_is_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(&folder.path().join("store"));
    let hog = Hog::reading("127.0.0.1", service.otlp());
    assert!(hold(target(&service), |scope| scope == Scope::Overloaded) >= 4);
    hog.end();
    assert!(service.stop());
}

#[test]
fn a_full_disk_is_told_so_that_senders_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = SmallDisk::mount(folder.path()) else {
        eprintln!("not run: no small file system can be mounted here");
        return;
    };
    let service = serve(&folder.path().join("disk/store"));
    small.fill();
    assert!(hold(target(&service), |scope| scope == Scope::DiskFull) >= 4);
    drop(service);
}

/// A file system in memory, unmounted when dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let at = folder.join("disk");
        fs::create_dir(&at).unwrap();
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&at).output().ok()?;
        mounting.status.success().then_some(Self(at))
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may not have let go of it yet.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
