//! Times every figure of a landscape, its PNG, and its part of the report, and prints a table:
//!
//!     cargo bench --bench figures
//!
//! One thread, one landscape of 21 x 21 frames with two intruders; medians.

use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::landscape::{About, Items, LandscapeFile, Permutation};
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{Frames, GridJob, MorphMode, MorphSettings, compute_landscapes};
use morphscape::plot::{
    FigureOptions, FigureSet, Tiles, decision_map, grid_sheet, landscape_figures, landscape_line,
    mesh_strips, path_strips, plotly_figure, surface_plot, svg_to_png,
};
use morphscape::report::pack_detail;
use std::ops::ControlFlow;
use std::time::Instant;

const ROUNDS: usize = 15;
const DPI: u16 = 192;

fn median_ms<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut result = work();
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            result = work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (1000.0 * seconds[ROUNDS / 2], result)
}

fn main() {
    let set = fashion_mnist();
    let model = bundled_fashion_mnist();
    // Landscape 1B.3 of the default sweep.
    let items = [2197, 3730, 8367];
    let [a, b, c] = items.map(|item| set.image(item).expect("held in memory"));
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Cubic));
    let jobs = [GridJob::new([&a, &b, &c])];
    let go_on = |_: usize| ControlFlow::Continue(());
    let landscape = compute_landscapes(
        &CpuEngine::new(),
        &model,
        &settings,
        &jobs,
        Frames::Keep,
        &go_on,
    )
    .expect("the CPU engine runs")
    .remove(0);
    let file = LandscapeFile {
        about: About {
            name: "1B.3".into(),
            permutation: Permutation::IntoZ,
            item_names: items.map(|item| set.item_name(item)),
            item_classes: items.map(|item| set.label(item)),
            class_names: set.classes().to_vec(),
            model: "bundled fashion-mnist".into(),
            model_sha256: model.sha256().into(),
            items: Items::Images { shape: a.shape() },
            settings: Default::default(),
            finer_measures: None,
        },
        landscape,
    };
    let classes = file.surface_classes();
    let options = FigureOptions::default();
    let (tiles_ms, frames) = median_ms(|| Tiles::of(&file).expect("frames were kept"));
    let of = |name: &str| {
        landscape_figures(&file, Some(&frames), None, FigureSet::All, &options)
            .into_iter()
            .find(|figure| figure.name == name)
            .expect("a figure of this name")
            .svg
    };
    println!("one thread, median of {ROUNDS}, milliseconds; PNG at {DPI} dpi\n");
    println!(
        "{:<10} {:>8} {:>8} {:>10}",
        "figure", "SVG", "to PNG", "SVG bytes"
    );
    let row = |name: &str, (svg_ms, svg): (f64, String)| {
        let (png_ms, _) = median_ms(|| svg_to_png(&svg, DPI));
        println!("{name:<10} {svg_ms:>8.2} {png_ms:>8.1} {:>10}", svg.len());
    };
    row("line", median_ms(|| landscape_line(&file, &classes)));
    row(
        "surface",
        median_ms(|| surface_plot(&file, &classes, options.camera, options.marks)),
    );
    row(
        "map",
        median_ms(|| decision_map(&file, Some(&frames), None, options.marks, 0)),
    );
    row("paths", median_ms(|| path_strips(&file, &frames)));
    row("sheet", median_ms(|| grid_sheet(&file, &frames)));
    row(
        "mesh",
        median_ms(|| mesh_strips(&file, &frames).expect("meshes were kept")),
    );
    let (all_ms, figures) =
        median_ms(|| landscape_figures(&file, Some(&frames), None, FigureSet::All, &options));
    for name in ["ternary", "scatter"] {
        let svg = of(name);
        let (png_ms, _) = median_ms(|| svg_to_png(&svg, DPI));
        println!("{name:<10} {:>8} {png_ms:>8.1} {:>10}", "", svg.len());
    }
    println!("\nall seven figures     {all_ms:>8.2}");
    println!("frames as pictures    {tiles_ms:>8.2}");
    let (ms, png) = median_ms(|| frames.atlas().to_png());
    println!("frames.png            {ms:>8.2}  {} bytes", png.len());
    let (ms, _) = median_ms(|| plotly_figure(&file, &classes).to_string());
    println!("figure.plotly.json    {ms:>8.2}");
    let (ms, _) = median_ms(|| pack_detail(&file, Some(&frames), None, &figures));
    println!("part of the report    {ms:>8.2}");
}
