//! Walks against closed forms and values from outside: those under "Diffusion" of the project's
//! list of measures, computed with numpy and scipy. Seeds are fixed, so that a test passes or
//! fails for good; tolerances are standard errors of as many walkers.

use crate::common::engines;
use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Engine, EngineError, EngineInfo};
use morphscape::kernels::{Downloads, Recording, Sampling, drift_entries};
use morphscape::landscape::{
    Chain, Landscape, Plane, Potential, WalkError, bilinear_cells, committor, exponent, item_basin,
    largest_time_step, mean_first_passage,
};
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{
    Frames, GridJob, MorphMode, MorphSettings, Motion, PipelineError, Starts, WalkPlan, WalkRecord,
    compute_landscapes, log_spaced, walk, walk_paths,
};
use std::f64::consts::TAU;
use std::ops::ControlFlow;

const GO_ON: fn(usize) -> ControlFlow<()> = |_| ControlFlow::Continue(());

fn job<'a>(motion: &'a Motion, starts: &'a Starts, walkers: u32, steps: u32) -> WalkPlan<'a> {
    WalkPlan {
        motion,
        starts,
        walkers,
        steps,
        seed: 11,
        moments_at: &[],
        occupation_at: &[],
        targets: &[],
        shape: [0, 0],
    }
}

fn record(engine: &dyn Engine, job: &WalkPlan<'_>) -> WalkRecord {
    walk(engine, job, &GO_ON).expect("it runs")
}

/// Where each walker starts and ends.
fn ends(job: &WalkPlan<'_>) -> Vec<Vec<[f32; 2]>> {
    walk_paths(&CpuEngine::new(), job, job.walkers, job.steps).expect("it runs")
}

fn free_walk(drift: f64) -> Motion {
    Motion::Lattice {
        entries: vec![drift_entries(drift)],
        strides: [0, 0],
    }
}

const ORIGIN: Starts = Starts::At([0.0, 0.0]);

#[test]
fn a_free_walk_spreads_as_its_steps_with_exponent_one() {
    let (motion, steps) = (free_walk(0.0), 1000);
    let lags = log_spaced(steps, 8);
    for engine in engines() {
        let job = WalkPlan {
            moments_at: &lags,
            ..job(&motion, &ORIGIN, 20_000, steps)
        };
        let record = record(engine.as_ref(), &job);
        for at in &record.moments {
            // MSD(n) = n.
            let miss = (at.msd - f64::from(at.step)).abs();
            assert!(miss <= 4.0 * at.msd_error, "{at:?}");
            assert_eq!(at.moving, 1.0);
        }
        let msd: Vec<f64> = record.moments.iter().map(|at| at.msd).collect();
        let fit = exponent(&lags, &msd, steps).expect("enough lags");
        assert!((fit.alpha - 1.0).abs() <= 0.01, "{fit:?}");
        assert!(fit.standard_error < 0.01, "{fit:?}");
        assert_eq!(fit.lags, [1, 100]);
        // Rayleigh's distance: sqrt(pi n / 4).
        let last = record.moments.last().expect("the end");
        let expected = (std::f64::consts::PI * 250.0).sqrt();
        assert!((last.distance / expected - 1.0).abs() < 0.02, "{last:?}");
    }
}

#[test]
fn drift_turns_diffusion_into_straight_motion() {
    let (motion, steps) = (free_walk(0.8), 2000);
    let at = [10, 2000];
    for engine in engines() {
        let job = WalkPlan {
            moments_at: &at,
            ..job(&motion, &ORIGIN, 8192, steps)
        };
        for at in record(engine.as_ref(), &job).moments {
            // <x> = A n / 2 and <r^2> = n + (n^2 - n) A^2 / 4.
            let n = f64::from(at.step);
            let expected = n + (n * n - n) * 0.16;
            assert!((at.msd - expected).abs() <= 4.0 * at.msd_error, "{at:?}");
            let error = (n * 0.34 / 8192.0).sqrt();
            assert!(
                (at.displacement[0] - 0.4 * n).abs() <= 4.0 * error,
                "{at:?}"
            );
        }
    }
}

#[test]
fn langevin_walkers_fill_a_bowl_as_ornstein_and_uhlenbeck_say() {
    // k = 1: U = (x^2 + y^2) / 2; D = T = 0.5; <r^2> = 1 - e^(-2t).
    let plane = Plane {
        drift: 0.0,
        curvature: [0.5, 0.5],
    };
    let dt = 0.002;
    let motion = Motion::Langevin {
        cells: vec![[0.0; 4]],
        step: plane.langevin(0.5, dt).expect("small enough"),
    };
    let at = [50, 250, 1000];
    for engine in engines() {
        let job = WalkPlan {
            moments_at: &at,
            ..job(&motion, &ORIGIN, 40_000, 1000)
        };
        let record = record(engine.as_ref(), &job);
        for (at, expected) in record.moments.iter().zip([0.1813, 0.6321, 0.9817]) {
            // Four standard errors, and dt/2 = 0.1 % that Euler's steps are too wide.
            let tolerance = 4.0 * at.msd_error + 0.001 * expected;
            assert!(
                (at.msd - expected).abs() <= tolerance,
                "{at:?} for {expected}"
            );
        }
    }
}

#[test]
fn a_constant_force_pulls_langevin_walkers_along() {
    let plane = Plane {
        drift: 1.5,
        curvature: [0.0; 2],
    };
    let motion = Motion::Langevin {
        cells: vec![[0.0; 4]],
        step: plane.langevin(0.3, 0.01).expect("any step"),
    };
    let at = [400];
    for engine in engines() {
        let job = WalkPlan {
            moments_at: &at,
            ..job(&motion, &ORIGIN, 8192, 400)
        };
        let moments = record(engine.as_ref(), &job).moments[0];
        // <r^2> = 4 T t + A^2 t^2 at t = 4.
        let expected = 4.0 * 0.3 * 4.0 + 1.5 * 1.5 * 16.0;
        assert!(
            (moments.msd - expected).abs() <= 4.0 * moments.msd_error,
            "{moments:?}"
        );
    }
}

/// `U = 2 cos 2 pi x + cos 2 pi y` on 21 x 21 points of the unit square, T = 1.
fn cosines() -> Potential {
    let values = (0..441)
        .map(|k| {
            let (x, y) = ((k % 21) as f64 / 20.0, (k / 21) as f64 / 20.0);
            2.0 * (TAU * x).cos() + (TAU * y).cos()
        })
        .collect();
    Potential::new(values, [21, 21], 0.05).expect("finite")
}

/// The points of a column.
fn column(column: usize) -> Vec<bool> {
    (0..441).map(|k| k % 21 == column).collect()
}

/// Row 10, column 5.
const PROBE: usize = 10 * 21 + 5;

#[test]
fn committor_and_first_passage_time_of_the_cosine_field_are_exact() {
    let chain = Chain::metropolis(&cosines(), 1.0).expect("T = 1");
    let h = committor(&chain, &column(0), &column(20)).expect("two edges");
    assert!((h[PROBE] - 0.458_460_227_8).abs() < 1e-8, "{}", h[PROBE]);
    assert!((h[10 * 21 + 10] - 0.5).abs() < 1e-8, "{}", h[10 * 21 + 10]);
    for (k, h) in h.iter().enumerate() {
        assert!((0.0..=1.0).contains(h));
        assert!(![0, 20].contains(&(k % 21)) || *h == f64::from(k % 21 == 20));
    }
    let tau = mean_first_passage(&chain, &column(20)).expect("an edge");
    // Other points, as numpy's dense solver has them.
    for (k, expected) in [
        (3 * 21 + 7, 0.487_582_957_5),
        (17 * 21 + 15, 0.541_539_772_2),
    ] {
        assert!((h[k] - expected).abs() < 1e-8, "{k}: {}", h[k]);
    }
    assert!(
        (tau[2 * 21 + 2] - 4_821.303_031).abs() < 5e-5,
        "{}",
        tau[44]
    );
    assert!((tau[PROBE] - 4791.4301).abs() < 5e-5, "{}", tau[PROBE]);
    assert_eq!(tau[20], 0.0);
}

#[test]
fn walkers_meet_the_exact_committor_and_first_passage_time() {
    let chain = Chain::metropolis(&cosines(), 1.0).expect("T = 1");
    let start = Starts::At([5.0, 10.0]);
    let walked = |engine: &dyn Engine, targets: &[Vec<bool>], steps| {
        let absorbing: Vec<bool> = (0..441).map(|k| targets.iter().any(|t| t[k])).collect();
        let motion = Motion::Lattice {
            entries: chain.entries(&absorbing),
            strides: [1, 21],
        };
        let job = WalkPlan {
            targets,
            shape: [21, 21],
            ..job(&motion, &start, 4096, steps)
        };
        record(engine, &job).arrived
    };
    let cpu = CpuEngine::new();
    let reached = walked(&cpu, &[column(0), column(20)], 30_000);
    assert_eq!(reached[0].walkers + reached[1].walkers, 4096);
    let h = reached[1].walkers as f64 / 4096.0;
    assert!(
        (h - 0.458_460_227_8).abs() <= 3.0 * (0.25f64 / 4096.0).sqrt(),
        "{h}"
    );

    let times = walked(&cpu, &[column(20)], 60_000);
    let [mean, error] = times[0].mean_steps();
    assert_eq!(times[0].walkers, 4096);
    assert!((mean - 4791.4301).abs() <= 3.0 * error, "{mean} +- {error}");
    // Some have not come after as many steps; engines agree on those that have.
    for engine in engines() {
        let times = walked(engine.as_ref(), &[column(20), column(0)], 3000);
        assert_eq!(times, walked(&cpu, &[column(20), column(0)], 3000));
        assert!((1..4096).contains(&times[0].walkers));
    }
}

#[test]
fn langevin_walkers_reach_an_edge_after_the_time_of_a_flat_strip() {
    // dx = sqrt(2 T) dW between a reflecting wall at 0 and an absorbing one at L: from 0 it
    // takes L^2 / 2T on average (Gardiner, section 5.2.7).
    let flat = Potential::new(vec![0.0; 21 * 21], [21, 21], 0.05).expect("finite");
    let (temperature, dt) = (1.0, 1e-4);
    let (cells, step) = bilinear_cells(&flat, temperature, dt, &column(20)).expect("small steps");
    let motion = Motion::Langevin { cells, step };
    let start = Starts::At([0.0, 10.0]);
    for engine in engines() {
        let job = WalkPlan {
            targets: &[column(20)],
            shape: [21, 21],
            ..job(&motion, &start, 2048, 40_000)
        };
        let arrived = record(engine.as_ref(), &job).arrived[0];
        assert!(arrived.walkers > 2040, "{arrived:?}");
        let mean = arrived.mean_steps()[0] * dt;
        // A point absorbs from half a cell around it, and a step overshoots the line by 0.58 of
        // its deviation (Broadie, Glasserman and Kou 1997).
        let length = 0.975 + 0.5826 * (2.0 * temperature * dt).sqrt();
        let expected = length * length / (2.0 * temperature);
        // The time's deviation is sqrt(2/3) of its mean.
        let error = expected * (2.0f64 / 3.0 / 2048.0).sqrt();
        assert!(
            (mean - expected).abs() <= 3.0 * error,
            "{mean} for {expected} +- {error}"
        );
    }
}

/// Landscape 2A.3 of the paper's job: the items as [A, B, C].
fn landscape() -> Landscape {
    let set = fashion_mnist();
    let labels: Vec<usize> = (0..set.len()).map(|item| set.label(item)).collect();
    let triples =
        morphscape::landscape::choose_triples(&labels, 10, 5, &[], 1).expect("ten classes");
    let triple = triples
        .iter()
        .find(|triple| triple.name == "2A")
        .expect("2A");
    let [x, y, z] = triple
        .items
        .map(|item| set.image(item).expect("held in memory"));
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Cubic));
    compute_landscapes(
        &CpuEngine::new(),
        &bundled_fashion_mnist(),
        &settings,
        &[GridJob::new([&x, &y, &z])],
        Frames::Drop,
        &GO_ON,
    )
    .expect("it runs")
    .remove(0)
}

fn total_variation(occupation: &[u64], law: &[f64]) -> f64 {
    let total = occupation.iter().sum::<u64>() as f64;
    let miss = occupation
        .iter()
        .zip(law)
        .map(|(&count, p)| (count as f64 / total - p).abs());
    0.5 * miss.sum::<f64>()
}

#[test]
fn walkers_on_a_real_landscape_come_to_the_stationary_law() {
    let landscape = landscape();
    let all: Vec<[f32; 2]> = (0..441)
        .map(|k| [(k % 21) as f32, (k / 21) as f32])
        .collect();
    let starts = Starts::AnyOf(all);
    let sampled: Vec<u32> = (20..=40).map(|n| 100 * n).collect();
    // At T = 1, e^(-U/T) of U = -ln p is p itself.
    let potential =
        Potential::of_class(&landscape, landscape.label(440).expect("an answer")).expect("finite");
    let chain = Chain::metropolis(&potential, 1.0).expect("T = 1");
    let law = chain.stationary();
    let p: Vec<f64> = (0..441)
        .map(|k| f64::from(landscape.probabilities_of(k)[landscape.label(440).expect("an answer")]))
        .collect();
    let sum: f64 = p.iter().sum();
    for (law, p) in law.iter().zip(&p) {
        assert!((law - p / sum).abs() < 1e-6, "{law} for {}", p / sum);
    }
    let motion = Motion::Lattice {
        entries: chain.entries(&[false; 441]),
        strides: [1, 21],
    };
    let lattice = WalkPlan {
        occupation_at: &sampled,
        shape: [21, 21],
        ..job(&motion, &starts, 10_000, 4000)
    };
    let occupation = record(&CpuEngine::new(), &lattice).occupation;
    assert_eq!(occupation.iter().sum::<u64>(), 21 * 10_000);
    let miss = total_variation(&occupation, &law);
    assert!(miss <= 0.02, "total variation {miss}");
    // Half the way is no more than an unfair start allows.
    let early = WalkPlan {
        occupation_at: &[1],
        ..lattice
    };
    let early = total_variation(&record(&CpuEngine::new(), &early).occupation, &law);
    assert!(early > 0.05, "the law is not that of the starts: {early}");
}

#[test]
fn langevin_walkers_in_a_bilinear_bowl_come_to_its_law_too() {
    // Bilinear between 21 points a side; the law is integrated on 16 x 16 parts of each cell.
    let potential = Potential::bowl([4.0, 2.0], 21).expect("finite");
    let fine = potential.resampled(20 * 16 + 1).expect("finer");
    let weights: Vec<f64> = fine.values().iter().map(|u| (-u / 0.5f64).exp()).collect();
    let mut law = vec![0.0; 441];
    for (k, weight) in weights.iter().enumerate() {
        let (i, j) = (k / 321, k % 321);
        law[(i + 8) / 16 * 21 + (j + 8) / 16] += weight;
    }
    let sum: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= sum);
    let dt = 0.25 * largest_time_step(&potential, 0.5).expect("T = 0.5");
    let (cells, step) = bilinear_cells(&potential, 0.5, dt, &[false; 441]).expect("small steps");
    let motion = Motion::Langevin { cells, step };
    let sampled: Vec<u32> = (40..=80).map(|n| 50 * n).collect();
    for engine in engines() {
        let job = WalkPlan {
            occupation_at: &sampled,
            shape: [21, 21],
            ..job(&motion, &Starts::At([10.0, 10.0]), 4096, 4000)
        };
        let miss = total_variation(&record(engine.as_ref(), &job).occupation, &law);
        assert!(miss <= 0.04, "total variation {miss}");
    }
}

/// The CPU engine with room for few walkers.
struct Cramped(CpuEngine);

impl Engine for Cramped {
    fn info(&self) -> &EngineInfo {
        self.0.info()
    }
    fn batch_buffer_bytes(&self) -> usize {
        1
    }
    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        self.0.run(recording)
    }
}

#[test]
fn uniform_starts_are_spread_evenly() {
    let motion = free_walk(0.0);
    let starts = Starts::AnyOf(
        (0..441)
            .map(|k| [(k % 21) as f32, (k / 21) as f32])
            .collect(),
    );
    let ends = ends(&job(&motion, &starts, 44_100, 1));
    let mut counts = [0u32; 441];
    for end in &ends {
        counts[end[0][1] as usize * 21 + end[0][0] as usize] += 1;
    }
    // Pearson's chi squared of 440 degrees of freedom: 440 +- 30.
    let miss: f64 = counts
        .iter()
        .map(|&n| (f64::from(n) - 100.0).powi(2) / 100.0)
        .sum();
    assert!((miss - 440.0).abs() < 4.0 * 30.0, "{miss}");
}

#[test]
fn batches_of_any_size_walk_the_same() {
    let chain = Chain::metropolis(&cosines(), 1.0).expect("T = 1");
    let motion = Motion::Lattice {
        entries: chain.entries(&column(20)),
        strides: [1, 21],
    };
    let starts = Starts::AnyOf(vec![[1.0, 2.0], [5.0, 10.0], [17.0, 20.0]]);
    let lags = log_spaced(150, 8);
    let job = WalkPlan {
        moments_at: &lags,
        occupation_at: &[75, 150],
        targets: &[column(20)],
        shape: [21, 21],
        ..job(&motion, &starts, 10_001, 150)
    };
    let roomy = record(&CpuEngine::new(), &job);
    let cramped = Cramped(CpuEngine::new());
    assert_eq!(record(&cramped, &job), roomy);
    // The walkers that are counted are those whose paths end there.
    let ends = ends(&job);
    let there = ends.iter().filter(|end| end[1][0] == 20.0).count();
    assert_eq!(
        (roomy.arrived[0].walkers, ends.len()),
        (there as u64, 10_001)
    );
    assert!(there > 1000, "{there}");
    // The pictures' paths are those of the first walkers.
    let paths = walk_paths(&CpuEngine::new(), &job, 5, 10).expect("it runs");
    for (path, end) in paths.iter().zip(&ends) {
        assert_eq!(path.len(), 16);
        assert_eq!([path[0], path[15]], end[..]);
    }
    // Another seed is another walk.
    let other = WalkPlan { seed: 12, ..job };
    assert!(record(&cramped, &other) != roomy);
}

#[test]
fn fractal_surfaces_have_the_exponent_they_were_made_with() {
    // The structure function grows as the distance to 2H; fitted between 2 and 16 points of 257,
    // mean of four surfaces. Spectral synthesis falls short for large H, as is known of it.
    for hurst in [0.3, 0.5, 0.8] {
        let slopes: Vec<f64> = (0..4)
            .map(|seed| {
                let surface = Potential::fractal(hurst, 257, seed).expect("finite");
                let z = surface.values();
                let mean = z.iter().sum::<f64>() / z.len() as f64;
                let square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
                assert!(mean.abs() < 1e-9 && (square - 1.0).abs() < 1e-9);
                let structure = |lag: usize| {
                    let rows = (0..257).flat_map(|i| (0..257 - lag).map(move |j| i * 257 + j));
                    let (mut sum, mut count) = (0.0, 0.0);
                    for k in rows {
                        sum += (z[k + lag] - z[k]).powi(2);
                        count += 1.0;
                    }
                    sum / count
                };
                (structure(16) / structure(2)).ln() / 8f64.ln() / 2.0
            })
            .collect();
        let mean = slopes.iter().sum::<f64>() / 4.0;
        assert!((mean - hurst).abs() < 0.08, "{hurst}: {slopes:?}");
    }
    let again = Potential::fractal(0.5, 33, 7).expect("finite");
    assert_eq!(again, Potential::fractal(0.5, 33, 7).expect("finite"));
    assert_ne!(again, Potential::fractal(0.5, 33, 8).expect("finite"));
}

#[test]
fn an_exponent_is_read_off_a_power_law() {
    let lags = log_spaced(1000, 10);
    let msd: Vec<f64> = lags
        .iter()
        .map(|&lag| 3.0 * f64::from(lag).powf(0.7))
        .collect();
    let fit = exponent(&lags, &msd, 1000).expect("enough lags");
    assert!(
        (fit.alpha - 0.7).abs() < 1e-12 && fit.standard_error < 1e-12,
        "{fit:?}"
    );
    assert!((fit.intercept - 3f64.ln()).abs() < 1e-12);
    // numpy.polyfit(cov=True) of y = x with residuals (1, -1, -1, 1) * 0.1 at ln lag = 0..3.
    let lags = [1, 3, 7, 20];
    let at: Vec<f64> = lags.iter().map(|&lag| f64::from(lag).ln()).collect();
    let msd: Vec<f64> = at
        .iter()
        .zip([0.1, -0.1, -0.1, 0.1])
        .map(|(at, off)| (at + off).exp())
        .collect();
    let fit = exponent(&lags, &msd, 300).expect("enough lags");
    assert!((fit.alpha - 0.998_993_344_305_99).abs() < 1e-9, "{fit:?}");
    assert!(
        (fit.standard_error - 0.064_233_660_3).abs() < 1e-9,
        "{fit:?}"
    );
    assert!(exponent(&[1, 2], &[1.0, 2.0], 100).is_none());
    assert!(exponent(&[1, 2, 3], &[0.0; 3], 100).is_none());
}

#[test]
fn resampled_potentials_are_bilinear() {
    let potential = Potential::new(vec![0.0, 1.0, 2.0, 5.0], [2, 2], 1.0).expect("finite");
    let fine = potential.resampled(3).expect("finer");
    assert_eq!(fine.values(), [0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 2.0, 3.5, 5.0]);
    assert_eq!((fine.shape(), fine.spacing()), ([3, 3], 0.5));
    assert_eq!(fine.resampled(2).expect("coarser"), potential);
    assert_eq!(fine.minimum(), 0);
    let rim = fine.rim();
    assert!(!rim[4] && rim.iter().filter(|rim| **rim).count() == 8);
}

#[test]
fn what_cannot_be_walked_on_is_refused() {
    let message = |error: WalkError| error.to_string();
    let mut values = vec![0.0; 9];
    values[5] = f64::NAN;
    let error = Potential::new(values, [3, 3], 1.0).expect_err("a NaN");
    assert!(message(error).contains("row 1, column 2"));
    let error = Potential::new(vec![0.0; 3], [1, 3], 1.0).expect_err("one row");
    assert!(message(error).contains("1 x 3"));
    let mut broken = landscape();
    broken.logits[7 * 10 + 3] = f32::NAN;
    for potential in [
        Potential::of_class(&broken, 0),
        Potential::of_margin(&broken),
    ] {
        let error = potential.expect_err("a landscape with NaN");
        assert!(message(error).contains("row 0, column 7"));
    }
    let flat = Potential::new(vec![0.0; 441], [21, 21], 0.05).expect("finite");
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Chain::metropolis(&flat, temperature),
            Err(WalkError::Temperature { .. })
        ));
        assert!(largest_time_step(&flat, temperature).is_err());
        let plane = Plane {
            drift: 0.0,
            curvature: [1.0; 2],
        };
        assert!(plane.langevin(temperature, 0.01).is_err());
    }
    // sqrt(2 T dt) may be one cell of 0.05 at most: dt = 0.00125.
    for (dt, fits) in [
        (0.00124, true),
        (0.00126, false),
        (0.0, false),
        (f64::NAN, false),
    ] {
        let cells = bilinear_cells(&flat, 1.0, dt, &[false; 441]);
        assert_eq!(cells.is_ok(), fits, "dt {dt}");
    }
    let steep = Potential::new(
        (0..441).map(|k| f64::from(k % 21)).collect(),
        [21, 21],
        0.05,
    );
    let error = bilinear_cells(&steep.expect("finite"), 0.01, 0.0026, &[false; 441]);
    assert!(message(error.expect_err("a pull of more than a cell")).contains("2.500e-3"));
    let bowl = Plane {
        drift: 0.0,
        curvature: [1.0, 3.0],
    };
    assert!(bowl.langevin(1.0, 0.16).is_ok() && bowl.langevin(1.0, 0.17).is_err());

    let motion = free_walk(0.0);
    for (walkers, steps) in [(0, 10), (10, 0)] {
        let job = job(&motion, &ORIGIN, walkers, steps);
        let error = walk(&CpuEngine::new(), &job, &GO_ON).expect_err("nothing to do");
        assert!(matches!(error, PipelineError::NoWalk { .. }), "{error}");
    }
    let stopped = walk(&CpuEngine::new(), &job(&motion, &ORIGIN, 10, 10), &|_| {
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(PipelineError::Interrupted)));
}

#[test]
fn basins_and_targets_are_checked() {
    let chain = Chain::metropolis(&cosines(), 1.0).expect("T = 1");
    let none = vec![false; 441];
    assert!(matches!(
        mean_first_passage(&chain, &none),
        Err(WalkError::NoTarget)
    ));
    assert!(matches!(
        committor(&chain, &none, &column(0)),
        Err(WalkError::NoTarget)
    ));
    assert!(matches!(
        committor(&chain, &column(0), &column(0)),
        Err(WalkError::Overlap)
    ));
    let all = vec![true; 441];
    assert_eq!(
        mean_first_passage(&chain, &all).expect("there already"),
        vec![0.0; 441]
    );
    // Over barriers of 4/T = 80 nothing comes in a time that 64 bits resolve.
    let cold = Chain::metropolis(&cosines(), 0.05).expect("T = 0.05");
    assert!(matches!(
        mean_first_passage(&cold, &column(20)),
        Err(WalkError::TooLong { .. })
    ));
    let landscape = landscape();
    let basins = [0, 1, 2].map(|item| item_basin(&landscape, item));
    let corners = [0, 420, 440];
    for (basin, corner) in basins.iter().zip(corners) {
        assert!(basin[corner]);
        for (k, inside) in basin.iter().enumerate() {
            assert!(!inside || landscape.label(k) == landscape.label(corner));
        }
    }
}
