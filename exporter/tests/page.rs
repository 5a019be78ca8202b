//! The page at `/` and what it asks for, over real sockets. `tests/run page` shows it in a browser.

mod rig;

use rig::{Rig, Serving};
use serde_json::{Value, json};
use tallyboard::{Aggregation, Board, Location};

fn ask(serving: &Serving, path: &str) -> Value {
    let answer = serving.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    serde_json::from_slice(&answer.body).unwrap()
}

/// The names of the families or series that an answer shows.
fn names(list: &Value) -> Vec<&str> {
    let shown = list["shown"].as_array().unwrap().iter();
    shown.map(|one| one["name"].as_str().unwrap()).collect()
}

/// Each keeps the boards to itself while it looks at every series.
#[test]
fn many_questions_hold_up_no_scrape() {
    const QUESTIONS: usize = 40;
    let rig = Rig::new();
    let at = Location::Path(rig.board("default"));
    let board = Board::options().slots(1 << 15).create(&at).unwrap();
    let family = board.counter("jobs_total", "Jobs.").labels(&["job"]);
    let family = family.family().unwrap();
    for job in 0..20_000 {
        family.try_with(&[&job.to_string()]).unwrap();
    }
    let serving = rig.serve(&[]);
    serving.metrics();
    let address = &serving.address;
    let question = "/api/family?name=jobs_total&search=nothing";
    let (answered, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..QUESTIONS {
            let answered = answered.clone();
            scope.spawn(move || {
                assert_eq!(rig::request(address, "GET", question, &[]).status, 200);
                answered.send(()).unwrap();
            });
        }
        answers.recv().unwrap();
        serving.metrics();
        let before = 1 + answers.try_iter().count();
        assert!(before < QUESTIONS / 2, "{before} came before the scrape");
    });
}

#[test]
fn the_page_may_run_and_ask_nothing_but_its_own() {
    let rig = Rig::new();
    let serving = rig.serve(&[]);
    let page = serving.get("/");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'nonce-"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let text = page.text();
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"));
}

#[test]
fn a_board_with_its_families_and_whoever_writes() {
    let rig = Rig::new();
    let serving = rig.serve(&[]);
    let vacant = ask(&serving, "/api/board");
    assert_eq!(vacant["board"], Value::Null);
    assert_eq!(vacant["boards"][0]["mapped"], json!(false));
    assert_eq!(
        vacant["boards"][0]["problem"],
        json!("it is not there yet; waiting for it")
    );

    let board = Board::open(&Location::Path(rig.board("default"))).unwrap();
    for (method, amount) in [("GET", 7), ("PUT", 2)] {
        let counter = board.counter("http_requests_total", "Requests served.");
        counter
            .label("method", method)
            .register()
            .unwrap()
            .add(amount);
    }
    let gauge = board
        .gauge("busy_workers", "Who works.")
        .aggregation(Aggregation::LiveAll);
    let gauge = gauge.register().unwrap();
    gauge.set(3.0);
    let waits = board.histogram("wait_seconds", "").buckets(&[0.5, 1.0]);
    let waits = waits.register().unwrap();
    waits.observe(0.75);

    let answer = ask(&serving, "/api/board");
    assert_eq!(answer["boards"][0]["mapped"], json!(true));
    let shown = &answer["board"];
    assert_eq!(shown["label"], json!("default"));
    assert_eq!(shown["fullness"]["series"], json!(4));
    assert_eq!(shown["refused"], json!([]));
    let processes = &shown["processes"];
    assert_eq!(
        (&processes["total"], &processes["alive"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        processes["shown"][0]["pid"],
        json!(std::process::id().to_string())
    );
    assert_eq!(processes["shown"][0]["gauges"], json!(1));
    let families = &shown["families"];
    assert_eq!(
        names(families),
        ["busy_workers", "http_requests_total", "wait_seconds"]
    );
    let [gauge, counter, histogram] = [0, 1, 2].map(|at| &families["shown"][at]);
    assert_eq!((&gauge["low"], &gauge["high"]), (&json!(3.0), &json!(3.0)));
    assert_eq!(
        (&counter["value"], &counter["series"]),
        (&json!(9), &json!(2))
    );
    assert_eq!(counter["help"], json!("Requests served."));
    assert_eq!(histogram["buckets"], json!([0, 1, 0]));
    assert_eq!(histogram["bounds"], json!([0.5, 1.0]));

    let family = ask(&serving, "/api/family?name=http_requests_total");
    assert_eq!(
        (&family["value"], &family["matched"]),
        (&json!(9), &json!(2))
    );
    assert_eq!(family["shown"][0]["labels"], json!(["GET"]));
    assert_eq!(family["shown"][1]["value"], json!(2));
    let found = ask(
        &serving,
        "/api/family?name=http_requests_total&search=METHOD%3Dput",
    );
    assert_eq!(
        (&found["matched"], &found["series"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(found["shown"][0]["labels"], json!(["PUT"]));
    let split = ask(&serving, "/api/family?name=busy_workers");
    let pid = std::process::id().to_string();
    assert_eq!(
        split["shown"][0]["processes"],
        json!([{"pid": pid, "value": 3.0}])
    );
}

#[test]
fn families_are_searched_sorted_and_not_all_sent() {
    let rig = Rig::new();
    let board = Board::open(&Location::Path(rig.board("default"))).unwrap();
    for family in 0..120 {
        let name = format!("family_{family:03}_total");
        for series in 0..=family % 3 {
            let counter = board
                .counter(&name, "One of many.")
                .label("n", &series.to_string());
            counter.register().unwrap().inc();
        }
    }
    let serving = rig.serve(&[]);
    let all = ask(&serving, "/api/board");
    let families = &all["board"]["families"];
    assert_eq!(
        (&families["total"], &families["matched"]),
        (&json!(120), &json!(120))
    );
    assert_eq!(names(families).len(), 100);
    let found = ask(&serving, "/api/board?search=MANY+y_11&limit=3");
    let families = &found["board"]["families"];
    assert_eq!(
        (&families["total"], &families["matched"]),
        (&json!(120), &json!(10))
    );
    assert_eq!(
        names(families),
        ["family_110_total", "family_111_total", "family_112_total"]
    );
    let largest = ask(&serving, "/api/board?sort=series&limit=2");
    assert_eq!(
        names(&largest["board"]["families"]),
        ["family_002_total", "family_005_total"]
    );
    let family = ask(&serving, "/api/family?name=family_002_total&limit=2");
    assert_eq!(family["matched"], json!(3));
    assert_eq!(family["shown"].as_array().unwrap().len(), 2);
}

#[test]
fn one_of_several_boards() {
    let rig = Rig::new();
    for (name, value) in [("a", "1"), ("b", "2")] {
        let path = rig.board(name);
        rig.run(&[
            "inc",
            "jobs_total",
            value,
            "--board",
            path.to_str().unwrap(),
        ]);
    }
    let serving = rig.serve(&["--board", "a", "--board", "b", "--board", "c"]);
    let value = |answer: &Value| answer["board"]["families"]["shown"][0]["value"].clone();
    let first = ask(&serving, "/api/board");
    let labels = first["boards"].as_array().unwrap().iter();
    let labels: Vec<&Value> = labels.map(|board| &board["label"]).collect();
    assert_eq!(labels, ["a", "b", "c"]);
    assert_eq!(value(&first), json!(1));
    assert_eq!(value(&ask(&serving, "/api/board?board=b")), json!(2));
    assert_eq!(ask(&serving, "/api/board?board=c")["board"], Value::Null);
    assert_eq!(ask(&serving, "/api/board?board=d")["board"], Value::Null);
    let family = ask(&serving, "/api/family?board=b&name=jobs_total");
    assert_eq!(family["value"], json!(2));
}

#[test]
fn what_cannot_be_answered_is_said() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total"]);
    let serving = rig.serve(&[]);
    for (path, status, says) in [
        (
            "/api/board?limit=0",
            400,
            "limit is a whole number from 1 to 500",
        ),
        (
            "/api/board?sorted=name",
            400,
            "there is no parameter `sorted`, but: board, search, sort, limit",
        ),
        ("/api/family", 400, "which family?"),
        (
            "/api/family?name=tasks_total",
            404,
            "There is no such family",
        ),
        (
            "/api/family?board=x&name=jobs_total",
            404,
            "There is no such family",
        ),
        ("/api/other", 404, "Nothing here."),
    ] {
        let answer = serving.get(path);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text().starts_with(says), "{path}: {}", answer.text());
    }
    let post = serving.request("POST", "/api/board", &[]);
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let head = serving.request("HEAD", "/", &[]);
    assert!(head.body.is_empty() && head.header("content-security-policy").is_some());
}
