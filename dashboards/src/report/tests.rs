use super::*;
use crate::fixture;

#[test]
fn a_report_is_written_whole_and_over_an_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out/report");
    write(&target, &Findings::default()).unwrap();
    let files = write(&target, &fixture::findings()).unwrap();
    assert_eq!(files.len(), 1 + sections::FIGURES.len() + data::VIEWS.len());
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), pages::report(&fixture::findings()));
    let kept: usize = ["", "figures", "data"].iter().map(|f| fs::read_dir(target.join(f)).unwrap().count()).sum();
    assert_eq!(kept, files.len() + 2, "no temporary file is left");
    if let Some(keep) = std::env::var_os("GILBRETH_REPORT_DIR") {
        write(Path::new(&keep), &fixture::findings()).unwrap();
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    fs::write(&file, "x").unwrap();
    let error = write(&file, &fixture::findings()).unwrap_err();
    assert!(error.to_string().contains("taken"), "{error}");
}
