//! The systems as a browser without scripts sees them, and what they say of themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use tower::ServiceExt as _;

use super::{
    Host, Options, System, desk,
    forms::{Takes, refusal},
    frames, pages, parts,
    records::{Records, Save},
    single,
};

fn options(session: Duration) -> Options {
    Options {
        collector: "http://collector.example:4318".to_owned(),
        page_tokens: BTreeMap::from([(System::Oasys, "gilbreth_token".to_owned())]),
        traces: String::new(),
        server_token: None,
        dashboards: "http://dashboards.example/".to_owned(),
        refreshed_every: Duration::from_secs(5),
        session,
    }
}

#[tokio::test]
async fn the_desk_says_where_re_entry_shows_and_that_the_page_is_to_be_reloaded() {
    let desk = desk::router(Vec::new(), &options(Duration::MAX));
    let answer = desk.oneshot(Request::builder().uri("/").body(Body::empty()).unwrap()).await.unwrap();
    let html = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
    assert!(html.contains("http://dashboards.example/re-entry#too-few"), "{html}");
    assert!(html.contains("made anew every 5 seconds: reload the page"), "{html}");
}

struct Browser {
    system: System,
    router: Router,
    cookie: String,
}

impl Browser {
    fn new(system: System, session: Duration) -> Self {
        let host = std::sync::Arc::new(Host::new(system, &options(session)));
        let router = match system {
            System::Ndelius => pages::router(),
            System::Oasys => single::router(),
            System::Cas => parts::router(),
            System::Crc => frames::router(),
        };
        Self { system, router: router.with_state(host), cookie: String::new() }
    }

    async fn ask(&mut self, method: &str, path: &str, kind: &str, body: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, kind)
            .header(header::COOKIE, &self.cookie)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        if let Some(cookie) = head.headers.get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&mut self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.ask("GET", path, "", "").await
    }

    async fn post(&mut self, path: &str, body: &str) -> (StatusCode, HeaderMap, String) {
        let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        self.ask("POST", path, kind, body).await
    }

    async fn sign_in(&mut self) {
        let (path, body) = match self.system {
            System::Oasys | System::Cas => ("/api/session", r#"{"user":"w1"}"#),
            System::Ndelius | System::Crc => ("/sign-in", "user=w1&word=x"),
        };
        self.post(path, body).await;
        assert!(!self.cookie.is_empty());
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn what_is_saved_is_shown_again_and_found() {
    let mut browser = Browser::new(System::Ndelius, LONG);
    browser.sign_in().await;
    let contact = "ctl00%24cph4%24ctl03=7%2F3%2F2026&ctl00%24cph4%24ctl04=Letter&ctl00%24cph4%24ctl05=Brackwell\
                   &ctl00%24cph4%24ctl06=%3Cb%3EZebra";
    let (status, headers, _) = browser.post("/cases/X340101/contact", contact).await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/cases/X340101?saved=contact")
    );
    let (_, _, page) = browser.get("/cases/X340101/contact").await;
    assert!(page.contains(r#"value="7/3/2026""#) && page.contains("&lt;b&gt;Zebra"), "{page}");
    let (_, _, found) = browser.get("/search?q=brack").await;
    assert!(found.contains("/cases/X340101") && !found.contains("/cases/X340102"), "{found}");
}

#[tokio::test]
async fn what_a_form_refuses_is_said_where_it_stands_and_not_kept() {
    let mut browser = Browser::new(System::Oasys, LONG);
    browser.sign_in().await;
    let risk = r#"{"on":"31/02/2026","score":"high","band":"Low"}"#;
    let (status, _, why) = browser.post("/api/cases/X340101/risk", risk).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_snapshot!(why, @r#"{"on":"Assessment date must be a day, as in 7/3/1984","score":"RSR score must be a number"}"#);
    let (_, _, case) = browser.get("/api/cases/X340101").await;
    assert_eq!(case, r#"{"crn":"X340101","number":"OA730201","saved":{}}"#);
}

#[tokio::test]
async fn who_is_away_too_long_is_asked_to_sign_in_and_what_they_send_is_not_kept() {
    for (system, path, body) in [
        (System::Oasys, "/api/cases/X340101/risk", r#"{"on":"1/2/2026","score":"1","band":"Low"}"#),
        (System::Crc, "/case/NM8101/appointment", "on=1%2F2%2F2026&place=Office"),
    ] {
        let mut browser = Browser::new(system, Duration::ZERO);
        browser.sign_in().await;
        let (status, _, page) = browser.post(path, body).await;
        assert!(status == StatusCode::UNAUTHORIZED || page.contains("password"), "{system:?}: {status} {page}");
    }
}

#[test]
fn every_third_save_is_slow_and_every_eleventh_fails() {
    let mut records = Records::new(System::Cas);
    let saves: Vec<Save> = (1..=33).map(|_| records.next_save()).collect();
    let places = |is: fn(&Save) -> bool| -> Vec<usize> {
        saves.iter().enumerate().filter(|(_, save)| is(save)).map(|(at, _)| at + 1).collect()
    };
    assert_eq!(places(|save| matches!(save, Save::Fails(_))), [11, 22, 33]);
    assert_eq!(
        places(|save| matches!(save, Save::Takes(time) if *time > Duration::from_secs(1))),
        [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    );
}

#[tokio::test]
async fn each_page_has_one_agent_but_for_frames() {
    for (system, path, times) in [
        (System::Ndelius, "/sign-in", 1),
        (System::Oasys, "/case/X340101/risk", 1),
        (System::Cas, "/", 1),
        (System::Crc, "/", 1),
        (System::Crc, "/menu", 0),
        (System::Crc, "/case/NM8101/appointment", 0),
        (System::Crc, "/case/NM8101/referral", 1),
    ] {
        let mut browser = Browser::new(system, LONG);
        browser.sign_in().await;
        let (_, _, page) = browser.get(path).await;
        assert_eq!(page.matches("http://collector.example:4318/agent.js").count(), times, "{system:?} {path}: {page}");
        assert_eq!(page.contains("gilbreth_token"), system == System::Oasys && times == 1, "{system:?} {path}");
    }
}

#[test]
fn fields_of_a_form_have_ids_and_labels_of_their_own_and_take_what_they_should() {
    for system in System::ALL {
        for form in system.forms() {
            let ids: BTreeSet<_> = form.fields.iter().map(|field| field.id).collect();
            let labels: BTreeSet<_> = form.fields.iter().map(|field| field.label).collect();
            assert_eq!((ids.len(), labels.len()), (form.fields.len(), form.fields.len()), "{}", form.title);
            for field in form.fields {
                let good = match field.takes {
                    Takes::Words | Takes::Text => "Ærø-Smith",
                    Takes::Date => "29 Feb 2024",
                    Takes::Number => "1,200.50",
                    Takes::Postcode => "qa4 9zz",
                    Takes::Phone => "+44 7700 900123",
                    Takes::One(list) => list[0],
                    Takes::YesNo => "No",
                };
                assert_eq!(refusal(field, good), None, "{}", field.label);
                assert_eq!(refusal(field, " ").is_some(), field.is_required, "{}", field.label);
                assert!(refusal(field, &"x".repeat(2_001)).is_some(), "{}", field.label);
            }
        }
    }
}
