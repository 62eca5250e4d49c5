//! A page in a real browser: Chromium, headless, over its DevTools protocol.
//!
//! Without a browser the tests say so and do nothing; with `MORPHSCAPE_REQUIRE_BROWSER=1`, as
//! in CI, that is a failure.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use headless_chrome::browser::default_executable;
use headless_chrome::browser::tab::point::Point;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network};
use headless_chrome::{Browser, LaunchOptions, Tab};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A page in a browser of its own, with what it asked for and what it complained of.
pub struct Page {
    pub tab: Arc<Tab>,
    pub requests: Arc<Mutex<Vec<String>>>,
    pub complaints: Arc<Mutex<Vec<String>>>,
    _browser: Browser,
    _profile: tempfile::TempDir,
}

/// What a browser draws or computes with; both are software, SwiftShader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    WebGl,
    WebGpu,
}

impl Graphics {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::WebGl => &[
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--disable-background-networking",
                "--disable-dev-shm-usage",
            ],
            Self::WebGpu => &[
                "--enable-unsafe-webgpu",
                "--use-webgpu-adapter=swiftshader",
                "--enable-features=Vulkan",
                "--disable-background-networking",
                "--disable-dev-shm-usage",
            ],
        }
    }
}

impl Page {
    /// Opens the page of a run and waits until all of it is there.
    pub fn open(file: &Path) -> Option<Self> {
        Self::open_until(file, "document.documentElement.dataset.ready === 'full'")
    }

    pub fn open_until(file: &Path, condition: &str) -> Option<Self> {
        Self::open_address(&format!("file://{}", file.display()), condition)
    }

    /// Opens an address and waits until a condition holds.
    pub fn open_address(address: &str, condition: &str) -> Option<Self> {
        Self::open_with(Graphics::WebGl, address, condition)
    }

    /// The same in a browser that has these graphics.
    pub fn open_with(graphics: Graphics, address: &str, condition: &str) -> Option<Self> {
        if let Err(error) = default_executable() {
            if std::env::var("MORPHSCAPE_REQUIRE_BROWSER").as_deref() == Ok("1") {
                panic!("MORPHSCAPE_REQUIRE_BROWSER=1, and there is no browser: {error}");
            }
            println!("the page is not tested: {error}");
            return None;
        }
        let profile = tempfile::tempdir().expect("a temporary folder");
        let options = LaunchOptions::default_builder()
            .sandbox(false)
            .window_size(Some((1300, 1600)))
            .user_data_dir(Some(profile.path().to_owned()))
            .idle_browser_timeout(Duration::from_secs(120))
            .enable_gpu(graphics == Graphics::WebGpu)
            .args(graphics.flags().iter().map(OsStr::new).collect())
            .build()
            .expect("options");
        let browser = Browser::new(options).expect("the browser starts");
        let tab = browser.new_tab().expect("a tab");
        tab.set_default_timeout(Duration::from_secs(60));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let (seen, said) = (Arc::clone(&requests), Arc::clone(&complaints));
        tab.add_event_listener(Arc::new(move |event: &Event| match event {
            Event::NetworkRequestWillBeSent(sent) => {
                seen.lock()
                    .expect("a list")
                    .push(sent.params.request.url.clone());
            }
            Event::LogEntryAdded(entry) => {
                let entry = &entry.params.entry;
                said.lock()
                    .expect("a list")
                    .push(format!("{:?}: {}", entry.level, entry.text));
            }
            Event::RuntimeConsoleAPICalled(call) => {
                said.lock()
                    .expect("a list")
                    .push(format!("{:?}", call.params));
            }
            Event::RuntimeExceptionThrown(thrown) => {
                said.lock()
                    .expect("a list")
                    .push(format!("{:?}", thrown.params));
            }
            _ => {}
        }))
        .expect("a listener");
        tab.enable_log().expect("the log");
        tab.enable_runtime().expect("the runtime");
        let network = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        tab.call_method(network).expect("the network is watched");
        tab.navigate_to(address).expect("the page opens");
        let page = Self {
            tab,
            requests,
            complaints,
            _browser: browser,
            _profile: profile,
        };
        page.wait(condition);
        Some(page)
    }

    /// The value of an expression.
    pub fn value(&self, expression: &str) -> serde_json::Value {
        self.tab
            .evaluate(expression, true)
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
            .value
            .unwrap_or_default()
    }

    pub fn text(&self, expression: &str) -> String {
        let value = self.value(expression);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: expected a text, found {value}"))
            .to_owned()
    }

    pub fn number(&self, expression: &str) -> f64 {
        let value = self.value(expression);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{expression}: expected a number, found {value}"))
    }

    /// Waits until a condition holds.
    pub fn wait(&self, condition: &str) {
        let started = Instant::now();
        while self.value(condition) != true {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{condition} does not come true; the page said {:?}",
                self.complaints.lock().expect("a list")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where a share of the way across an element lies in the window.
    pub fn place(&self, selector: &str, across: f64, down: f64) -> Point {
        self.value(&format!(
            "document.querySelector('{selector}').scrollIntoView({{block: 'center'}})"
        ));
        let side = |name: &str| {
            self.number(&format!(
                "document.querySelector('{selector}').getBoundingClientRect().{name}"
            ))
        };
        Point {
            x: side("left") + across * side("width"),
            y: side("top") + down * side("height"),
        }
    }

    /// The red levels of a canvas, row by row.
    pub fn pixels(&self, selector: &str) -> Vec<f32> {
        let levels = self.text(&format!(
            "(() => {{ const c = document.querySelector('{selector}');
            const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', {{willReadFrequently: true}});
            copy.drawImage(c, 0, 0);
            const data = copy.getImageData(0, 0, c.width, c.height).data;
            return JSON.stringify(Array.from(data).filter((_, k) => k % 4 === 0)); }})()"
        ));
        serde_json::from_str(&levels).expect("numbers")
    }

    /// The page asked nothing of a network and complained of nothing.
    pub fn assert_quiet(&self) {
        self.assert_asked_only(&["file:", "data:", "blob:"]);
    }

    /// The page asked for nothing but addresses that begin so, and complained of nothing.
    pub fn assert_asked_only(&self, begin: &[&str]) {
        for url in self.requests.lock().expect("a list").iter() {
            assert!(
                begin.iter().any(|begin| url.starts_with(begin)),
                "a request to {}",
                &url[..url.len().min(200)]
            );
        }
        let complaints = self.complaints.lock().expect("a list");
        let ours: Vec<&String> = complaints
            .iter()
            // What Chromium says of reading pixels back under software GL, which plotly's
            // picking does.
            .filter(|text| !text.contains("GPU stall due to ReadPixels"))
            .collect();
        assert!(ours.is_empty(), "{ours:?}");
    }

    /// In windows of these widths the page never scrolls sideways.
    pub fn assert_fits(&self, widths: &[u32]) {
        for &width in widths {
            let metrics = Emulation::SetDeviceMetricsOverride {
                width,
                height: 900,
                device_scale_factor: 1.0,
                mobile: width < 600,
                scale: None,
                screen_width: None,
                screen_height: None,
                position_x: None,
                position_y: None,
                dont_set_visible_size: None,
                screen_orientation: None,
                viewport: None,
                display_feature: None,
                device_posture: None,
            };
            self.tab.call_method(metrics).expect("another window");
            self.wait(&format!("window.innerWidth === {width}"));
            std::thread::sleep(Duration::from_millis(300));
            let scrolled = self.number("document.documentElement.scrollWidth");
            assert!(scrolled <= f64::from(width), "{scrolled} pixels in {width}");
        }
    }

    /// The page as who prefers this theme, `light` or `dark`, sees it.
    pub fn prefer(&self, theme: &str) {
        let preferred = Emulation::SetEmulatedMedia {
            media: None,
            features: Some(vec![Emulation::MediaFeature {
                name: "prefers-color-scheme".into(),
                value: theme.into(),
            }]),
        };
        self.tab.call_method(preferred).expect("another theme");
        self.wait(&format!(
            "window.matchMedia('(prefers-color-scheme: {theme})').matches"
        ));
    }

    /// axe finds nothing serious in what is shown; nothing is looked at where axe is not there.
    pub fn assert_usable(&self, what: &str) {
        let place = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/axe/node_modules/axe-core/axe.min.js");
        let Ok(axe) = std::fs::read_to_string(&place) else {
            let place = place.display();
            assert!(
                std::env::var("MORPHSCAPE_REQUIRE_AXE").as_deref() != Ok("1"),
                "MORPHSCAPE_REQUIRE_AXE=1, and {place} is not there"
            );
            println!("accessibility is not tested: {place} is not there");
            return;
        };
        self.value(&format!("{axe}; 0"));
        let found = self.text(
            "axe.run().then(({violations}) => JSON.stringify(violations
                .filter(({impact}) => ['serious', 'critical'].includes(impact))
                .map(({id, nodes}) => [id, ...nodes.map(({target, failureSummary}) => `${target} ${failureSummary}`)])))",
        );
        assert_eq!(found, "[]", "{what}");
    }
}
