//! A landscape as a plotly figure: JSON that plotly.py, plotly.js and their kin open.

use super::caption::{class_label, title};
use super::style::class_color_hex;
use crate::landscape::{Landscape, LandscapeFile};
use serde_json::{Value, json};

/// The surfaces of `classes` as a plotly figure, `{"data": [...], "layout": {...}}`; one is
/// shown, the others are a click on the legend away.
///
/// # Panics
/// When a class is out of range.
pub fn plotly_figure(file: &LandscapeFile, classes: &[usize]) -> Value {
    let landscape = &file.landscape;
    let steps = landscape.steps;
    let axes = landscape.kind.axes();
    let [x, y] = drawn_axes(landscape);
    let data: Vec<Value> = classes
        .iter()
        .enumerate()
        .map(|(n, &class)| {
            let z: Vec<Vec<f32>> = (0..steps)
                .map(|i| {
                    (0..steps)
                        .map(|j| landscape.probabilities_of(landscape.drawn_at(i, j))[class])
                        .collect()
                })
                .collect();
            json!({
                "type": "surface",
                "name": untagged(&class_label(file, class)),
                "showlegend": true,
                "visible": if n == 0 { json!(true) } else { json!("legendonly") },
                "x": x,
                "y": y,
                "z": z,
                "cmin": 0,
                "cmax": 1,
                "colorscale": "Viridis",
                "showscale": n == 0,
                "colorbar": {"title": {"text": "probability"}, "len": 0.6},
                "contours": {"z": {"highlightcolor": class_color_hex(class)}},
                "hovertemplate": format!(
                    "{} %{{x:.2f}}, {} %{{y:.2f}}<br>probability %{{z:.4f}}",
                    axes.across, axes.down_short
                ),
            })
        })
        .collect();
    let [across, down] = landscape.kind.named_axes(file.item_class_names());
    json!({
        "data": data,
        "layout": {
            "title": {"text": untagged(&title(file))},
            "legend": {"orientation": "h", "x": 0, "y": 0},
            "margin": {"l": 20, "r": 20, "t": 60, "b": 20},
            "scene": {
                "camera": {"eye": {"x": 1.6, "y": 1.35, "z": 0.9}, "center": {"x": 0, "y": 0, "z": -0.15}},
                "aspectmode": "manual",
                "aspectratio": {"x": 1, "y": 1, "z": 0.7},
                "xaxis": {"title": {"text": untagged(&across)}},
                "yaxis": {"title": {"text": untagged(&down)}},
                "zaxis": {"title": {"text": "probability"}, "range": [0, 1]},
            },
        },
    })
}

/// Where the columns stand from left to right, and the rows from top to bottom: shares, of a plane
/// coordinates.
fn drawn_axes(landscape: &Landscape) -> [Vec<f64>; 2] {
    let steps = landscape.steps;
    let shares: Vec<f64> = (0..steps)
        .map(|index| index as f64 / (steps - 1) as f64)
        .collect();
    let axes = landscape.flat.as_ref().map(|flat| flat.axes.clone());
    let [across, mut down] = match axes {
        Some(axes) if !axes[0].is_empty() => axes,
        _ => [shares.clone(), shares],
    };
    if landscape.kind.is_flat() {
        down.reverse();
    }
    [across, down]
}

/// plotly takes some tags in its texts and cannot quote them.
fn untagged(text: &str) -> String {
    text.replace('<', "\u{2039}")
}
