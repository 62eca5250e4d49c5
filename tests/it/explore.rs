//! The explorer's server: who may ask, what it answers, and when it stops.

use crate::common::{bundled_images, engines};
use crate::program::{command, folder};
use morphscape::data::ClassMatch;
use morphscape::engine::cpu::CpuEngine;
use morphscape::explore::{Server, Subject};
use morphscape::kernels::Sampling;
use morphscape::landscape::{FlatShape, ListedItem, ListedTriple};
use morphscape::pipeline::{FlatSettings, MorphMode, MorphSettings};
use morphscape::{
    Engine, Existing, InterpolateJob, Job, ModelSource, Observer, Run, RunFolder, Silent, SweepJob,
    Triples,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Stops a server.
#[derive(Default)]
pub(crate) struct Stop(AtomicBool);

impl Observer for Stop {
    fn advance(&self, _done: usize) -> ControlFlow<()> {
        match self.0.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// Stops it whatever becomes of the test.
struct Stopping<'a>(&'a Stop);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

/// Serves `subject` while `test` asks at the address that it is given.
pub(crate) fn serving(subject: Subject, test: impl FnOnce(&Client)) {
    let server = Server::bind(subject, 0).expect("a port");
    let stop = Stop::default();
    std::thread::scope(|scope| {
        scope.spawn(|| server.serve(&stop));
        let _stopping = Stopping(&stop);
        test(&Client::of(&server.url()));
    });
}

/// The bundled model and data.
pub(crate) fn fashion(engine: Box<dyn Engine>) -> Subject {
    Subject::load(Job::Sweep(SweepJob::default()), engine, &Silent).expect("the bundled ones")
}

pub(crate) fn cpu() -> Box<dyn Engine> {
    Box::new(CpuEngine::new())
}

/// Asks a server as plainly as can be.
pub(crate) struct Client {
    pub(crate) url: String,
    address: SocketAddr,
    token: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    fn of(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("http");
        let (address, token) = rest.split_once('/').expect("a path");
        Self {
            url: url.to_owned(),
            address: address.parse().expect("an address"),
            token: token.trim_end_matches('/').to_owned(),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("a socket");
        stream
    }

    /// Sends bytes and reads what comes back; nothing where the connection closes without a word.
    pub(crate) fn raw(&self, request: &[u8]) -> Option<Answer> {
        let mut stream = self.connect();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(request);
        read_answer(&mut stream)
    }

    fn head(&self, method: &str, place: &str, more: &str) -> String {
        format!(
            "{method} /{}/{place} HTTP/1.1\r\nHost: {}\r\n{more}",
            self.token, self.address
        )
    }

    pub(crate) fn get(&self, place: &str) -> Answer {
        let request = self.head("GET", place, "\r\n");
        self.raw(request.as_bytes()).expect("an answer")
    }

    pub(crate) fn post(&self, place: &str, body: &[u8]) -> Answer {
        let mut request = self.posting(place, body.len()).into_bytes();
        request.extend_from_slice(body);
        self.raw(&request).expect("an answer")
    }

    fn posting(&self, place: &str, length: usize) -> String {
        self.head("POST", place, &format!("Content-Length: {length}\r\n\r\n"))
    }

    pub(crate) fn ask(&self, place: &str, body: &Value) -> Value {
        let answer = self.post(place, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{place}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// What a view says, and the floats behind it.
    pub(crate) fn view(&self, view: &Value) -> (Value, Vec<f32>) {
        let answer = self.post("view", view.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.body;
        let length = u32::from_le_bytes(body[..4].try_into().expect("four bytes")) as usize;
        let said = serde_json::from_slice(&body[4..4 + length]).expect("JSON");
        (said, bytemuck::pod_collect_to_vec(&body[4 + length..]))
    }

    fn in_flight(&self) -> u64 {
        let work: Value = serde_json::from_slice(&self.get("work").body).expect("JSON");
        work["running"].as_u64().expect("a number") + work["waiting"].as_u64().expect("a number")
    }

    pub(crate) fn wait_until_idle(&self) {
        let started = Instant::now();
        while self.in_flight() > 0 {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "work is left behind"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head");
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[end + 4..].to_vec(),
    })
}

pub(crate) fn images_view(page: &str, items: [usize; 3], morph: MorphSettings) -> Value {
    let picks = items.map(|item| json!({"item": item}));
    json!({"page": page, "items": picks, "morph": morph})
}

pub(crate) const ITEMS: [usize; 3] = [9, 2, 1];

#[test]
fn only_the_page_of_the_one_who_knows_the_token_is_answered() {
    serving(fashion(cpu()), |client| {
        let page = client.get("");
        assert_eq!(page.status, 200);
        let head = page.head.to_lowercase();
        for needed in [
            "default-src 'none'",
            "script-src 'sha256-",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(needed), "expected {needed} in {head}");
        }
        assert!(!head.contains("unsafe-inline") && !head.contains("access-control"));

        let host = client.address;
        let token = &client.token;
        let wrong = format!("{}0", &token[..token.len() - 1]);
        let wrong = match wrong == *token {
            true => format!("{}1", &token[..token.len() - 1]),
            false => wrong,
        };
        let refused = [
            format!("GET /{wrong}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET //{token}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET /{token}/run HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
            format!(
                "GET /{token}/run HTTP/1.1\r\nHost: evil.example:{}\r\n\r\n",
                host.port()
            ),
            format!("GET /{token}/run HTTP/1.1\r\n\r\n"),
            client.head("GET", "run", "Origin: http://evil.example\r\n\r\n"),
            client.head("GET", "run", "Origin: null\r\n\r\n"),
            client.head("GET", "run", "Origin: http://127.0.0.1:1\r\n\r\n"),
        ];
        for request in refused {
            let answer = client.raw(request.as_bytes()).expect("an answer");
            assert_eq!(answer.status, 403, "{request}: {}", answer.text());
            assert!(!answer.text().contains("Sandal"), "{request}");
        }
        let own = client.head("GET", "run", &format!("Origin: http://{host}\r\n\r\n"));
        assert_eq!(client.raw(own.as_bytes()).expect("an answer").status, 200);
        let tunnel = format!("GET /{token}/run HTTP/1.1\r\nHost: localhost:9999\r\n\r\n");
        assert_eq!(
            client.raw(tunnel.as_bytes()).expect("an answer").status,
            200
        );

        // There are no files behind the names.
        for place in [
            "../../../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "run/../run",
            "Cargo.toml",
            "run?x=1",
        ] {
            assert_eq!(client.get(place).status, 404, "{place}");
        }
        assert_eq!(client.get("view").status, 405);
        assert_eq!(client.post("run", b"{}").status, 405);
        assert_eq!(
            client
                .raw(client.head("PUT", "run", "\r\n").as_bytes())
                .expect("an answer")
                .status,
            405
        );
        assert_eq!(client.post("view", b"{\"page\":").status, 400);
        assert_eq!(client.post("view", b"[]").status, 400);
    });
}

#[test]
fn a_request_may_be_neither_long_nor_slow() {
    serving(fashion(cpu()), |client| {
        // A body of 1 GB is refused by what its head says, before it is read.
        let request = client.posting("own", 1 << 30);
        let answer = client.raw(request.as_bytes()).expect("an answer");
        assert_eq!(answer.status, 413, "{}", answer.text());
        let chunked = client.head("POST", "view", "Transfer-Encoding: chunked\r\n\r\n");
        assert_eq!(
            client.raw(chunked.as_bytes()).expect("an answer").status,
            411
        );
        let endless = format!(
            "GET /{} HTTP/1.1\r\nX: {}",
            client.token,
            "x".repeat(1 << 20)
        );
        assert!(
            client
                .raw(endless.as_bytes())
                .is_none_or(|answer| answer.status == 431)
        );
        let twice = client.head(
            "POST",
            "view",
            "Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
        );
        assert_eq!(client.raw(twice.as_bytes()).expect("an answer").status, 400);
        assert_eq!(
            client
                .raw(b"\x16\x03\x01\x02\x00\x01")
                .expect("an answer")
                .status,
            400
        );

        // Half a request, and then nothing: 65 at once, one more than there is room for.
        let half: Vec<TcpStream> = (0..65)
            .map(|_| {
                let mut stream = client.connect();
                let request = client.posting("view", 100);
                stream.write_all(&request.as_bytes()[..40]).expect("sent");
                stream
            })
            .collect();
        assert_eq!(client.get("work").status, 200);
        for mut stream in half {
            let answer = read_answer(&mut stream).expect("an answer");
            assert_eq!(answer.status, 408);
        }
        // A request that ends in its middle.
        let mut stream = client.connect();
        let request = client.posting("view", 100);
        stream.write_all(request.as_bytes()).expect("sent");
        stream.shutdown(Shutdown::Write).expect("a socket");
        assert_eq!(read_answer(&mut stream).expect("an answer").status, 400);
    });
}

#[test]
fn a_thousand_requests_at_once_are_answered() {
    serving(fashion(cpu()), |client| {
        let view = images_view("one", ITEMS, MorphSettings::new(3, 3, MorphMode::CrossFade));
        let (_, expected) = client.view(&view);
        let answered: usize = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..1000)
                .map(|n| {
                    let mut view = view.clone();
                    view["page"] = json!(format!("{}", n % 7));
                    let body = view.to_string();
                    scope.spawn(move || client.post("view", body.as_bytes()).status)
                })
                .collect();
            let statuses = asking.into_iter().map(|one| one.join().expect("an answer"));
            statuses
                .inspect(|status| assert!([200, 409, 503].contains(status), "{status}"))
                .filter(|status| *status == 200)
                .count()
        });
        assert!(answered > 0);
        client.wait_until_idle();
        assert_eq!(client.view(&view).1, expected);
    });
}

#[test]
fn what_is_no_longer_wanted_is_stopped() {
    serving(fashion(cpu()), |client| {
        let settings = MorphSettings::new(401, 3, MorphMode::Clean(Sampling::Cubic));
        let long = images_view("one", ITEMS, settings);
        let body = long.to_string();
        let start = || {
            let mut stream = client.connect();
            let request = client.posting("view", body.len()) + &body;
            stream.write_all(request.as_bytes()).expect("sent");
            let started = Instant::now();
            while client.in_flight() == 0 {
                assert!(
                    started.elapsed() < Duration::from_secs(60),
                    "work does not begin"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            stream
        };
        // Replaced by a newer request of the same page, not by that of another.
        let mut stream = start();
        let other = images_view("two", ITEMS, MorphSettings::default());
        client.view(&other);
        assert_eq!(
            client.in_flight(),
            1,
            "another page's request stops nothing"
        );
        let newer = images_view("one", ITEMS, MorphSettings::default());
        client.view(&newer);
        assert_eq!(read_answer(&mut stream).expect("an answer").status, 409);
        client.wait_until_idle();
        // One that was given up comes late: it replaces nothing.
        let turned = |turn: u64| {
            let mut view = other.clone();
            view["turn"] = json!(turn);
            client.post("view", view.to_string().as_bytes()).status
        };
        assert_eq!([5, 4, 5, 6].map(turned), [200, 409, 200, 200]);
        // Stopped with its browser.
        drop(start());
        client.wait_until_idle();
    });
}

/// A job of one triple, named as the explorer names its own.
fn listed(items: [String; 3]) -> Triples {
    Triples::Listed(vec![ListedTriple {
        name: "view".to_owned(),
        items: items.map(ListedItem::Name),
    }])
}

#[test]
fn a_view_is_what_a_run_computes_to_the_bit() {
    for (engine, same) in engines().into_iter().zip(engines()) {
        let name = engine.info().adapter.clone();
        serving(fashion(engine), |client| {
            let plane = FlatSettings {
                range: [0.1, 0.4].into(),
                ..FlatSettings::default()
            };
            let triangle = FlatSettings {
                shape: FlatShape::Triangle,
                ..FlatSettings::default()
            };
            for (mode, flat) in [
                (MorphMode::Clean(Sampling::Cubic), None),
                (MorphMode::Clean(Sampling::Linear), None),
                (MorphMode::Published, None),
                (MorphMode::CrossFade, None),
                (MorphMode::CrossFade, Some(plane)),
                (MorphMode::CrossFade, Some(triangle)),
            ] {
                let morph = MorphSettings::new(21, 3, mode);
                let job = SweepJob {
                    triples: listed(ITEMS.map(|item| format!("t10k#{item}"))),
                    morph,
                    flat,
                    ..SweepJob::default()
                };
                let job = Job::Sweep(job).load(&Silent).expect("a job");
                let out = folder();
                Run::new(&job, same.as_ref())
                    .write_to(&out.path().join("run"), Existing::Continue, &Silent)
                    .expect("a run");
                let run = RunFolder::open(out.path().join("run")).expect("a run");
                let saved = run.landscape("view.3").expect("a landscape");
                let mut view = images_view("one", ITEMS, morph);
                view["flat"] = json!(flat);
                let (said, floats) = client.view(&view);
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    bits(&floats),
                    bits(&saved.landscape.as_drawn(&saved.landscape.probabilities, 10)),
                    "{name}, {mode:?}, {flat:?}"
                );
                assert_eq!(said["classes"], json!(saved.about.item_classes));
                assert_eq!(said["items"], json!(saved.about.item_names));
            }
        });
    }
}

#[test]
fn rows_are_any_points_of_their_space() {
    let job = Job::Interpolate(InterpolateJob::default());
    let subject = Subject::load(job, cpu(), &Silent).expect("iris");
    let against = ModelSource::from("iris-paper");
    let subject = subject
        .against(&against, ClassMatch::Name, &Silent)
        .expect("two models");
    serving(subject, |client| {
        let items = client.ask("items", &json!({"positions": [0, 60, 120]}));
        let rows = [0, 1, 2].map(|k| items["items"][k]["row"].clone());
        let view = |picks: Value| json!({"page": "one", "items": picks, "morph": MorphSettings::new(11, 3, MorphMode::CrossFade)});
        let named = view(json!([{"item": 0}, {"item": 60}, {"item": 120}]));
        let valued = view(json!(rows.clone().map(|row| json!({"row": row}))));
        let (_, one) = client.view(&named);
        let (said, other) = client.view(&valued);
        assert_eq!(one, other);
        assert!(
            said["items"][0]
                .as_str()
                .is_some_and(|name| name.starts_with("own#")),
            "{said}"
        );
        // Two models and the rows themselves.
        assert_eq!(one.len(), 121 * (3 + 3 + 4));
        assert_ne!(one[..363], one[363..726]);
        let first: Vec<f32> = serde_json::from_value(rows[0].clone()).expect("numbers");
        assert_eq!(one[726..730], first[..]);

        let brought = client.post("own", b"5.1, 3.5, 1.4, 0.2\n");
        let brought: Value = serde_json::from_slice(&brought.body).expect("JSON");
        assert_eq!(
            brought["row"].as_array().map(Vec::len),
            Some(4),
            "{brought}"
        );
        for (content, word) in [
            (&b"5.1, 3.5"[..], "expected 4 values"),
            (b"a, b, c, d", "expected numbers, found \"a\""),
            (b"1,2,3,inf", "finite"),
            (b"1,2,3,4\n1,2,3,4", "one line"),
            (b"\xff\xfe", "text"),
        ] {
            let answer = client.post("own", content);
            let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
            let refused = answer["refused"].as_str();
            assert!(
                refused.is_some_and(|text| text.contains(word)),
                "{word}: {answer}"
            );
        }
        let refused = view(json!([{"item": 0}, {"item": 150}, {"item": 1}]));
        assert!(
            client.ask("view", &refused)["refused"]
                .as_str()
                .is_some_and(|text| text.contains("0 to 149"))
        );
    });
}

#[test]
fn own_images_are_read_as_items_or_refused() {
    serving(fashion(cpu()), |client| {
        let [a, _, _] = bundled_images(ITEMS);
        let png = morphscape::data::Picture::from(&a).to_png();
        let brought = client.post("own", &png);
        let brought: Value = serde_json::from_slice(&brought.body).expect("JSON");
        assert_eq!(brought["note"], Value::Null, "{brought}");
        let morph = MorphSettings::new(5, 3, MorphMode::Clean(Sampling::Linear));
        let (_, of_data) = client.view(&images_view("one", ITEMS, morph));
        let mut view = images_view("one", ITEMS, morph);
        view["items"][0] = json!({"own": brought["own"]});
        assert_eq!(client.view(&view).1, of_data);

        let large = morphscape::data::Picture::filled(60, 40, 3, 200).to_png();
        let large: Value = serde_json::from_slice(&client.post("own", &large).body).expect("JSON");
        assert_eq!(
            large["note"],
            "40 x 60 x 3 was made 28 x 28 x 1, as the data are"
        );
        for content in [&b"no picture"[..], b"", &png[..60]] {
            let answer: Value =
                serde_json::from_slice(&client.post("own", content).body).expect("JSON");
            assert!(answer["refused"].is_string(), "{answer}");
        }
        view["items"][0] = json!({"own": 99});
        assert!(client.ask("view", &view)["refused"].is_string());
    });
}

#[test]
fn items_are_listed_and_found() {
    serving(fashion(cpu()), |client| {
        let members = |wanted: Value| -> Vec<u32> {
            let body = wanted.to_string();
            bytemuck::pod_collect_to_vec(&client.post("members", body.as_bytes()).body)
        };
        assert_eq!(members(json!({})).len(), 10_000);
        let boots = members(json!({"class": 9}));
        assert_eq!((boots.len(), boots[0]), (1000, 0));
        assert_eq!(members(json!({"search": "T10K#9999"})), [9999]);
        let found = members(json!({"search": "17", "class": 1}));
        assert!(found.len() > 10 && found.iter().all(|item| item.to_string().contains("17")));
        assert_eq!(members(json!({"search": "no such"})).len(), 0);
        let shown = client.ask("items", &json!({"positions": [0, 5]}));
        assert_eq!(shown["items"][1]["name"], "t10k#5");
        assert_eq!(shown["pictures"]["height_px"], 28);
        let many: Vec<usize> = (0..129).collect();
        assert!(client.ask("items", &json!({"positions": many}))["refused"].is_string());
        assert!(client.ask("items", &json!({"positions": [10_000]}))["refused"].is_string());
    });
}

#[test]
fn the_exact_boundary_lies_where_the_class_changes() {
    let job = Job::Interpolate(InterpolateJob::default());
    let iris = || Subject::load(job.clone(), cpu(), &Silent).expect("iris");
    // The second model scales the features otherwise: lengths and right angles are others to it.
    let both = iris()
        .against(&ModelSource::from("iris-paper"), ClassMatch::Name, &Silent)
        .expect("two models");
    for (subject, models) in [(fashion(cpu()), 1), (iris(), 1), (both, 2)] {
        serving(subject, |client| {
            let run: Value = serde_json::from_slice(&client.get("run").body).expect("JSON");
            let classes = run["num_classes"].as_u64().expect("a number") as usize;
            let items = match run["kind"] == "rows" {
                true => [0, 60, 120],
                false => ITEMS,
            };
            for flat in [
                Value::Null,
                json!({"kind": "plane", "range": [0.1, 0.5]}),
                json!({"kind": "triangle"}),
            ] {
                let morph = MorphSettings::new(101, 3, MorphMode::CrossFade);
                let mut view = images_view("one", items, morph);
                view["flat"] = flat;
                for model in 0..models {
                    assert_boundary(client, &view, classes, model);
                }
            }
            let morph = images_view("one", items, MorphSettings::default());
            let refused = client.ask("boundary", &morph)["refused"].is_string();
            assert_eq!(refused, run["kind"] == "images");
        });
    }
}

/// Every piece of the boundary has two classes within two points of the view's grid, and every two
/// neighbours of different classes a piece.
fn assert_boundary(client: &Client, view: &Value, classes: usize, model: usize) {
    let steps = view["morph"]["steps"].as_u64().expect("a number") as usize;
    let (_, values) = client.view(view);
    // A triangle has no points beyond its third edge.
    let label = |i: usize, j: usize| {
        let start = ((model * steps + i) * steps + j) * classes;
        let p = &values[start..start + classes];
        let largest = (0..classes).max_by(|&a, &b| p[a].total_cmp(&p[b]));
        largest.filter(|_| p[0].is_finite())
    };
    let found = client.ask("boundary", view)["models"][model].clone();
    let pieces: Vec<f32> = serde_json::from_value(found["pieces"].clone()).expect("numbers");
    assert!(pieces.len() >= 8, "{view}: {found}");
    let cell = |part: f32| (part * (steps - 1) as f32).round() as usize;
    let mut near = vec![false; steps * steps];
    for piece in pieces.chunks_exact(4) {
        for n in 0..=20u8 {
            let share = f32::from(n) / 20.0;
            let [i, j] = [0, 1].map(|k| cell(piece[k] + share * (piece[k + 2] - piece[k])));
            let mut seen = std::collections::BTreeSet::new();
            for i in i.saturating_sub(2)..=(i + 2).min(steps - 1) {
                for j in j.saturating_sub(2)..=(j + 2).min(steps - 1) {
                    seen.extend(label(i, j));
                    near[i * steps + j] = true;
                }
            }
            // Where one class is a sliver between two others, no point may lie in it.
            assert!(seen.len() > 1, "{view}: no change at row {i}, column {j}");
        }
    }
    for i in 0..steps {
        for j in 1..steps {
            let [one, other] = [label(i, j - 1), label(i, j)];
            let differs = one.is_some() && other.is_some() && one != other;
            let is_found = near[i * steps + j];
            assert!(
                !differs || is_found,
                "{view}: no piece at row {i}, column {j}"
            );
        }
    }
}

/// The program itself, asked to explore.
pub(crate) struct Explorer {
    child: std::process::Child,
    pub(crate) client: Client,
}

impl Explorer {
    pub(crate) fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let engine: &[&str] = match arguments.contains(&"--engine") {
            true => &[],
            false => &["--engine", "cpu"],
        };
        let arguments = [&["explore", "--no-open"], engine, arguments].concat();
        let mut command = command(folder, &arguments);
        if let Some(program) = std::env::var_os("MORPHSCAPE_PROGRAM") {
            command = std::process::Command::new(program);
            command.current_dir(folder).args(&arguments);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut line)
            .expect("a line");
        let client = Client::of(line.trim());
        Self { child, client }
    }
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_program_prints_an_address_and_ends_with_ctrl_c() {
    let out = folder();
    let mut explorer = Explorer::start(out.path(), &["--items", "t10k#9,2,1"]);
    let Explorer { child, client } = &mut explorer;
    let run: Value = serde_json::from_slice(&client.get("run").body).expect("JSON");
    assert_eq!(run["first"], json!(ITEMS));
    // With work in flight.
    let settings = MorphSettings::new(401, 3, MorphMode::Clean(Sampling::Cubic));
    let body = images_view("one", ITEMS, settings).to_string();
    let mut stream = client.connect();
    let request = client.posting("view", body.len()) + &body;
    stream.write_all(request.as_bytes()).expect("sent");
    while client.in_flight() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let signalled = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signalled.expect("kill").success());
    let status = child.wait().expect("the program ends");
    assert!(status.success(), "{status}");
    let answered = read_answer(&mut stream).is_some_and(|answer| answer.status == 200);
    assert!(!answered, "the work was waited for");
    assert_eq!(crate::program::files(out.path()), Vec::<String>::new());
}

/// Of two classes, A, B and C are three items all the same.
#[test]
fn two_classes_give_three_items() {
    let out = folder();
    let rows = "x,y,kind\n1,0,a\n2,0,a\n0,1,b\n0,2,b\n";
    std::fs::write(out.path().join("two.csv"), rows).expect("written");
    let kernel = [1.0f32, 0.0, 0.0, 1.0].map(f32::to_le_bytes).concat();
    let bias = [0u8; 8];
    let view = |shape: Vec<usize>, data| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, data).expect("a view")
    };
    let tensors = [
        ("dense.kernel", view(vec![2, 2], &kernel)),
        ("dense.bias", view(vec![2], &bias)),
    ];
    let file = safetensors::serialize(tensors, None).expect("serialised");
    std::fs::write(out.path().join("two.safetensors"), file).expect("written");
    let words = "--data two.csv --label kind --model two.safetensors";
    let words: Vec<&str> = words.split(' ').collect();
    let explorer = Explorer::start(out.path(), &words);
    let run: Value = serde_json::from_slice(&explorer.client.get("run").body).expect("JSON");
    assert_eq!(run["first"], json!([0, 2, 1]));
}

#[test]
fn what_cannot_be_explored_is_refused_in_a_line() {
    use crate::program::fail;
    let out = folder();
    for (arguments, words) in [
        (
            &["--items", "1,2"][..],
            &["expected three items, found 2"][..],
        ),
        (&["--items", "1,2,t10k#10000"], &["--items", "t10k"]),
        (
            &["--landscape", "nowhere"],
            &["nowhere", "expected the folder of a run"],
        ),
        (
            &["--data", "iris", "--resize", "2x2"],
            &["--resize belongs to images"],
        ),
        (&["--label", "x"], &["belong to a table"]),
        (&["--against", "nothing.onnx"], &["nothing.onnx"]),
        (&["--data", "-", "--label", "x"], &["expected a file"]),
    ] {
        let arguments = [&["explore", "--no-open", "--engine", "cpu"], arguments].concat();
        fail(out.path(), &arguments, 1, words);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    fail(
        out.path(),
        &["explore", "--no-open", "--port", &port],
        1,
        &[&port, "cannot listen"],
    );
}

/// Memory of this process, bytes.
#[cfg(target_os = "linux")]
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a Linux");
    let pages: usize = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("a number");
    pages * 4096
}

/// Random dragging, as many requests as `MORPHSCAPE_DRAGS` says: three pages that ask for random
/// views and give up half of them. Memory stays flat, and no work is left behind.
///
///     MORPHSCAPE_DRAGS=50000 cargo test --test it -- --ignored --nocapture dragging
#[test]
#[ignore = "takes as long as it is asked to"]
#[cfg(target_os = "linux")]
fn dragging_for_long_leaves_nothing_behind() {
    let count: usize = std::env::var("MORPHSCAPE_DRAGS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(3000);
    serving(fashion(cpu()), |client| {
        let started = Instant::now();
        let drag = |page: usize, from: usize, to: usize| {
            // Knuth's linear congruences: any numbers will do.
            let mut state =
                6_364_136_223_846_793_005u64.wrapping_mul(page as u64 + from as u64 + 1);
            let mut random = |below: usize| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % below
            };
            for _ in from..to {
                let steps = [11, 11, 11, 21, 21, 41][random(6)];
                let mode = match random(3) {
                    0 => MorphMode::CrossFade,
                    1 => MorphMode::Clean(Sampling::Linear),
                    _ => MorphMode::Clean(Sampling::Cubic),
                };
                let items = [random(10_000), random(10_000), random(10_000)];
                let mut view =
                    images_view(&page.to_string(), items, MorphSettings::new(steps, 3, mode));
                match random(4) {
                    0 => {
                        let share = random(2000) as f64 / 1000.0 - 0.4;
                        view["flat"] =
                            json!({"kind": "plane", "range": [[share, 0.1], [0.3, share]]});
                    }
                    1 => view["line"] = json!("auto"),
                    _ => {}
                }
                if random(10) == 0 {
                    let png = morphscape::data::Picture::filled(28, 28, 1, random(255) as u8);
                    let brought: Value =
                        serde_json::from_slice(&client.post("own", &png.to_png()).body)
                            .expect("JSON");
                    view["items"][0] = json!({"own": brought["own"]});
                }
                let body = view.to_string();
                let place = ["view", "view", "view", "frames", "boundary", "commands"][random(6)];
                let mut stream = client.connect();
                let request = client.posting(place, body.len()) + &body;
                stream.write_all(request.as_bytes()).expect("sent");
                if random(2) == 0 {
                    let answer = read_answer(&mut stream).expect("an answer");
                    assert!([200, 409].contains(&answer.status), "{}", answer.text());
                } else {
                    std::thread::sleep(Duration::from_millis(random(10) as u64));
                }
            }
        };
        let mut resident = Vec::new();
        for part in 0..10 {
            std::thread::scope(|scope| {
                for page in 0..3 {
                    let each = count.div_ceil(30);
                    scope.spawn(move || drag(page, part * each, (part + 1) * each));
                }
            });
            client.wait_until_idle();
            resident.push(resident_bytes() >> 20);
            println!(
                "{} requests, {:.0} s, {} MB",
                (part + 1) * 3 * count.div_ceil(30),
                started.elapsed().as_secs_f64(),
                resident[part]
            );
        }
        // The allocator keeps a little of what it once had.
        assert!(
            resident[9] <= resident[2] + resident[2] / 4 + 32,
            "{resident:?} MB"
        );
    });
}
