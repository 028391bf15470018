use std::path::Path;

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::Utc;

use super::*;
use crate::{
    ErrorKind,
    disk::{IfTaken, put, simulated::SimulatedDisk},
    gate::Source,
    store::Manifest,
};

fn store_on(disk: &SimulatedDisk) -> Store {
    let manifest = Manifest { format: 0, estate: "E".to_owned(), time_zone: chrono_tz::Europe::London };
    Store::open_or_create_on(Arc::new(disk.clone()), Path::new("/store"), manifest).unwrap()
}

fn wanted(label: &str, rights: Rights) -> Wanted {
    let limits = Limits::default_for(&rights);
    Wanted { label: label.to_owned(), rights, limits }
}

fn sender() -> Rights {
    Rights::send(Some(&["ndelius".to_owned()]), true).unwrap()
}

fn headers(token: &Token) -> HeaderMap {
    let bearer = HeaderValue::try_from(format!("Bearer {}", token.reveal())).unwrap();
    HeaderMap::from_iter([(header::AUTHORIZATION, bearer)])
}

async fn granted(access: &Arc<Access>, token: &Token) -> Result<Grant, Denied> {
    access.grant(Presented::of(&headers(token), None, None)).await
}

/// Asks until the answer is another: what is known is a moment old.
async fn denied_at_last(access: &Arc<Access>, token: &Token) -> Denied {
    loop {
        if let Err(denied) = granted(access, token).await {
            return denied;
        }
    }
}

#[tokio::test]
async fn tokens_are_made_and_revoked_beside_a_service_and_after_a_crash() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let access = Arc::new(Access::open(&store, false).unwrap());
    let (one, entry) = add(&store, wanted("one", sender()), Utc::now()).unwrap();
    let (two, _) = add(&store, wanted("two", sender()), Utc::now()).unwrap();
    let grant = granted(&access, &one).await.unwrap();
    assert_eq!(grant.token(), Some(&entry.id));
    let Source::Network { any_time: true, systems } = grant.source() else { panic!("{:?}", grant.source()) };
    assert!(systems.include(Some("ndelius")) && !systems.include(Some("oasys")));
    granted(&access, &two).await.unwrap();

    revoke(&store, entry.id.as_str(), Utc::now()).unwrap();
    assert_eq!(denied_at_last(&access, &one).await, Denied::Unknown);
    granted(&access, &two).await.unwrap();

    // What was made and revoked was on the disk by then.
    let rebooted = store_on(&disk.reboot());
    let access = Arc::new(Access::open(&rebooted, false).unwrap());
    assert_eq!(granted(&access, &one).await.unwrap_err(), Denied::Unknown);
    granted(&access, &two).await.unwrap();
    let listed: Vec<_> =
        list(&rebooted).unwrap().into_iter().map(|entry| (entry.label.clone(), entry.is_live())).collect();
    assert_eq!(listed, [("one".to_owned(), false), ("two".to_owned(), true)]);
}

#[test]
fn what_is_kept_opens_nothing() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let (token, entry) = add(&store, wanted("one", sender()), Utc::now()).unwrap();
    let kept = book::bytes(&disk, &book::path_in(store.root())).unwrap().unwrap();
    let kept = String::from_utf8(kept.to_vec()).unwrap();
    let secret = token.reveal().rsplit('_').next().unwrap();
    assert!(kept.contains(entry.id.as_str()) && !kept.contains(secret), "{kept}");
    let said = format!("{entry:?} {token:?} {:?}", Presented::of(&headers(&token), None, None));
    assert!(!said.contains(secret), "{said}");
}

#[test]
fn labels_tell_tokens_apart() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let refused = |label: &str| add(&store, wanted(label, sender()), Utc::now()).unwrap_err();
    let (_, first) = add(&store, wanted("one", sender()), Utc::now()).unwrap();
    for label in ["one", "", " ", "a\nb", &"x".repeat(81)] {
        assert_eq!(refused(label).kind(), ErrorKind::Invalid, "{label}");
    }
    add(&store, wanted(first.id.as_str(), sender()), Utc::now()).unwrap();
    let unclear = revoke(&store, first.id.as_str(), Utc::now()).unwrap_err();
    assert!(unclear.to_string().contains("revoke by the other name"), "{unclear}");
    revoke(&store, "one", Utc::now()).unwrap();
    for gone in ["one", "never"] {
        assert_eq!(revoke(&store, gone, Utc::now()).unwrap_err().kind(), ErrorKind::Invalid);
    }
    add(&store, wanted("one", sender()), Utc::now()).expect("a label is free once its token is revoked");
}

#[test]
fn there_are_so_many_tokens_and_the_oldest_revoked_make_room() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    for at in 0..1_000 {
        add(&store, wanted(&format!("{at}"), sender()), Utc::now()).unwrap();
    }
    let full = add(&store, wanted("more", sender()), Utc::now()).unwrap_err();
    assert!(full.to_string().contains("1000 tokens"), "{full}");
    revoke(&store, "7", Utc::now()).unwrap();
    add(&store, wanted("more", sender()), Utc::now()).unwrap();
    let listed = list(&store).unwrap();
    assert_eq!(listed.len(), 1_000);
    assert!(listed.iter().all(|entry| entry.label != "7"));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing_and_stops_a_start() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let (token, _) = add(&store, wanted("one", sender()), Utc::now()).unwrap();
    let access = Arc::new(Access::open(&store, false).unwrap());
    let path = book::path_in(store.root());
    let whole = book::bytes(&disk, &path).unwrap().unwrap();
    for damaged in [
        Bytes::new(),
        whole.slice(..whole.len() / 2),
        Bytes::from(r#"{"format":2,"sending_needs_token":false,"tokens":[]}"#),
    ] {
        put(&disk, &path, &[damaged], IfTaken::Replace).unwrap();
        while access.is_readable() {
            granted(&access, &token).await.unwrap();
        }
        granted(&access, &token).await.expect("what was known holds");
        let refused = Access::open(&store, false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt);
        assert!(refused.to_string().contains("tokens.json"), "{refused}");
        put(&disk, &path, std::slice::from_ref(&whole), IfTaken::Replace).unwrap();
        while !access.is_readable() {
            granted(&access, &token).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_token_did_is_not_forgotten_when_the_file_changes() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let limits = Limits { spans_per_s: 1.try_into().ok(), requests_at_once_max: 1.try_into().unwrap() };
    let (token, _) = add(&store, Wanted { limits, ..wanted("one", sender()) }, Utc::now()).unwrap();
    let access = Arc::new(Access::open(&store, false).unwrap());
    let grant = granted(&access, &token).await.unwrap();
    assert!(matches!(granted(&access, &token).await, Err(Denied::Limited { limit: Limit::Requests, .. })));
    access.charge(&grant, 1_000_000);
    drop(grant);
    let (other, _) = add(&store, wanted("two", sender()), Utc::now()).unwrap();
    granted(&access, &other).await.expect("the file was read again");
    let Err(Denied::Limited { limit: Limit::Spans, retry_after }) = granted(&access, &token).await else { panic!() };
    assert!(retry_after > Duration::from_secs(900_000), "{retry_after:?}");
    let reached: Vec<_> = access.limits_reached().into_iter().map(|(_, limit, count)| (limit, count)).collect();
    assert_eq!(reached, [(Limit::Spans, 1), (Limit::Requests, 1)]);
}

#[tokio::test]
async fn many_unknown_tokens_make_few_looks() {
    let disk = SimulatedDisk::new(1);
    let store = store_on(&disk);
    let (token, _) = add(&store, wanted("one", sender()), Utc::now()).unwrap();
    revoke(&store, "one", Utc::now()).unwrap();
    let access = Arc::new(Access::open(&store, false).unwrap());
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let (access, headers) = (Arc::clone(&access), headers(&token));
            tokio::spawn(async move { access.grant(Presented::of(&headers, None, None)).await.map(|_| ()) })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), Err(Denied::Unknown));
    }
    // Each waits for a look that began after it came: one look serves all that came before it.
    let looks = access.looks.load(Ordering::Relaxed);
    assert!((1..=10).contains(&looks), "{looks}");
}
