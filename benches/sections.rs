//! Times exact sections: lines and planes of the bundled networks, one core and all.
//!
//! ```text
//! cargo bench --bench sections [-- REPETITIONS [WHAT]]
//! ```
//!
//! Each figure is the best and the median of the repetitions, wall time; on a busy machine read the
//! best one. With WHAT only the figures whose names hold it are taken.

use morphscape::data::{ImageSet, fashion_mnist};
use morphscape::engine::cpu::CpuEngine;
use morphscape::model::{ModelOptions, activation_by_name, bundled_fashion_mnist, read_model};
use morphscape::pipeline::{FlatSettings, MorphSettings};
use morphscape::sections::*;
use morphscape::{Job, LandscapeFile, ModelSource, Silent, SweepJob, Triples};
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Golden boxes of 2 % of a plane's sides where three classes of the CNN meet: items, least and
/// largest alpha and beta, cells (`tests/golden/planes/sections.json`, cnn0 to cnn2).
type GoldenBox = ([usize; 3], [f64; 2], [f64; 2], usize);
const BOXES: [GoldenBox; 3] = [
    (
        [2201, 9325, 4179],
        [5.505819506931423, 3.365147357524975],
        [5.7700988432641305, 3.5438277481900173],
        4383,
    ),
    (
        [926, 1500, 5915],
        [1.1818081529408884, 3.844455454255896],
        [1.4901059319689465, 4.048585832357979],
        13096,
    ),
    (
        [3898, 9709, 6061],
        [0.42427775948473556, 10.902220337605831],
        [0.655701991930955, 11.15674688245266],
        756,
    ),
];

struct Bench {
    repetitions: usize,
    what: String,
    one: rayon::ThreadPool,
    images: ImageSet,
    mlp: SectionNetwork,
    cnn: SectionNetwork,
}

impl Bench {
    /// Prints how long `run` takes, divided by `each`.
    fn timed<T>(&self, what: &str, each: usize, mut run: impl FnMut() -> T) {
        if !what.contains(&self.what) {
            return;
        }
        let time = |_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() / each as f64
        };
        let mut times: Vec<f64> = (0..self.repetitions).map(time).collect();
        times.sort_by(f64::total_cmp);
        let show = |seconds: f64| match seconds {
            s if s < 1e-3 => format!("{:.1} us", s * 1e6),
            s if s < 1.0 => format!("{:.2} ms", s * 1e3),
            s => format!("{s:.2} s"),
        };
        let median = times[times.len() / 2];
        println!("{what}: best {}, median {}", show(times[0]), show(median));
    }

    fn points(&self, items: [usize; 3]) -> Result<[Vec<f64>; 3], Box<dyn Error>> {
        let point = |index| -> Result<Vec<f64>, Box<dyn Error>> {
            let image = self.images.image(index)?;
            Ok(self.mlp.space().point(&image.levels))
        };
        let [a, b, c] = items;
        Ok([point(a)?, point(b)?, point(c)?])
    }

    fn lines(&self, points: &[[Vec<f64>; 3]]) {
        let pairs: Vec<[&[f64]; 2]> = points.iter().map(|[a, b, _]| [&a[..], &b[..]]).collect();
        let many: Vec<[&[f64]; 2]> = pairs.iter().copied().cycle().take(1024).collect();
        let options = LineOptions::default();
        let one = &self.one;
        self.timed("mlp line, batch of 1024, one core", 1024, || {
            one.install(|| exact_lines(&self.mlp, &many, &options))
        });
        self.timed("mlp line, batch of 1024, all cores", 1024, || {
            exact_lines(&self.mlp, &many, &options)
        });
        self.timed("mlp line, one by one, one core", pairs.len(), || {
            let each = pairs.iter();
            one.install(|| {
                each.filter(|[a, b]| exact_line(&self.mlp, a, b, &options).is_ok())
                    .count()
            })
        });
        self.timed("cnn line, one core", 8, || {
            one.install(|| exact_lines(&self.cnn, &pairs[..8], &options))
        });
    }

    fn planes(&self, planes: &[ItemPlane]) -> Result<(), Box<dyn Error>> {
        let options = PlaneOptions::default();
        self.timed("mlp plane, exact, one core", 5, || {
            let whole =
                |plane: &ItemPlane| exact_plane(&self.mlp, plane, &plane.corners(), &options);
            let each = planes[..5].iter();
            self.one
                .install(|| each.map(whole).filter(Result::is_ok).count())
        });
        for (items, lo, hi, cells) in BOXES {
            let [a, b, c] = self.points(items)?;
            let mut plane = ItemPlane::new([&a, &b, &c], [BOX_MARGIN; 2])?;
            (plane.lo, plane.hi) = (lo, hi);
            self.timed(
                &format!("cnn box of 2 %, {cells} cells, one core"),
                1,
                || {
                    let found = exact_plane(&self.cnn, &plane, &plane.corners(), &options);
                    assert_eq!(found.map(|section| section.regions).ok(), Some(cells));
                },
            );
        }
        self.timed("mlp plane, points 201 x 201 in f64, all cores", 1, || {
            plane_logits(&self.mlp, &planes[0], &planes[0].grid(201))
        });
        Ok(())
    }

    /// Planes as landscapes, in 32-bit floats by the CPU engine, without measures.
    fn sampled(&self) -> Result<(), Box<dyn Error>> {
        for steps in [51, 201] {
            let job = Job::Sweep(planes_of(1, steps, ModelSource::default())).load(&Silent)?;
            let ids = job.landscapes();
            let what = format!("mlp plane, points {steps} x {steps}, CPU engine, all cores");
            self.timed(&what, 1, || {
                job.compute(&CpuEngine::new(), &ids, &Silent).is_ok()
            });
        }
        // dbViz's reproducibility: the mean share of points with equal labels.
        let other = ModelSource {
            file: Some(file("tests/golden/fashion_mlp.safetensors")),
            options: ModelOptions {
                activation: activation_by_name("relu"),
                scale: Some(1.0 / 255.0),
                ..ModelOptions::default()
            },
        };
        let jobs = [ModelSource::default(), other].map(|model| planes_of(500, 50, model));
        let [one, two] = jobs.map(|job| Job::Sweep(job).load(&Silent));
        let (one, two) = (one?, two?);
        self.timed(
            "reproducibility, 500 planes of 50 x 50, two mlps, all cores",
            1,
            || {
                let labels = [&one, &two].map(|job| {
                    let found = job.compute(&CpuEngine::new(), &job.landscapes(), &Silent);
                    let labels = |file: LandscapeFile| -> Vec<Option<usize>> {
                        let points = file.landscape.points();
                        points.map(|k| file.landscape.label(k)).collect()
                    };
                    let found = found.unwrap_or_default().into_iter();
                    found.flat_map(labels).collect::<Vec<_>>()
                });
                let equal = labels[0].iter().zip(&labels[1]).filter(|(a, b)| a == b);
                equal.count() as f64 / labels[0].len() as f64
            },
        );
        Ok(())
    }

    fn certified(&self, plane: &ItemPlane) -> Result<(), Box<dyn Error>> {
        let what = "cnn plane, certified";
        if !what.contains(&self.what) {
            return Ok(());
        }
        let start = Instant::now();
        let whole = certified_plane(&self.cnn, plane, &TileOptions::default())?;
        println!(
            "{what}, all cores: {:.2} s, share {}, {} tiles looked at, {} cut, {} cells in them, boundary {:.3}",
            start.elapsed().as_secs_f64(),
            whole.share,
            whole.tiles_looked_at,
            whole.tiles_cut,
            whole.regions_cut,
            whole.boundary_total
        );
        Ok(())
    }
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// So many of dbViz's planes through a model.
fn planes_of(count: usize, steps: usize, model: ModelSource) -> SweepJob {
    SweepJob {
        model,
        triples: Triples::Dbviz { seed: 1, count },
        morph: MorphSettings {
            steps,
            ..MorphSettings::default()
        },
        flat: Some(FlatSettings {
            exact: Exactness::Off,
            ..FlatSettings::default()
        }),
        ..SweepJob::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let cnn = read_model(
        &file("models/fashion-mnist-cnn.safetensors"),
        &ModelOptions::default(),
    )?;
    let bench = Bench {
        repetitions: arguments.next().map_or(Ok(5), |text| text.parse())?,
        what: arguments.next().unwrap_or_default(),
        one: rayon::ThreadPoolBuilder::new().num_threads(1).build()?,
        images: fashion_mnist(),
        mlp: SectionNetwork::new(&bundled_fashion_mnist(), SpaceKind::Images)?,
        cnn: SectionNetwork::new(&cnn, SpaceKind::Images)?,
    };
    let labels: Vec<usize> = (0..bench.images.len())
        .map(|i| bench.images.label(i))
        .collect();
    let mut points = Vec::new();
    for seed in 1..=40 {
        points.push(bench.points(dbviz_triple(&labels, seed)?)?);
    }
    let planes = points
        .iter()
        .map(|[a, b, c]| ItemPlane::new([a, b, c], [BOX_MARGIN; 2]))
        .collect::<Result<Vec<ItemPlane>, _>>()?;
    bench.lines(&points);
    bench.planes(&planes)?;
    bench.sampled()?;
    bench.certified(&planes[0])
}
