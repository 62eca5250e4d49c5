//! A panel with axes, linear or logarithmic. plotters' logarithmic axes label what they like; a
//! walk over four decades wants its decades.

use super::super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::super::style::{INK, LABEL_SIZE, MUTED, RULE, SMALL_SIZE, opaque};
use plotters::style::TRANSPARENT;

/// How values lie along an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    Log,
}

/// An axis: its scale, what it reaches over, and its title.
pub(super) struct Axis<'a> {
    pub(super) scale: Scale,
    pub(super) range: [f64; 2],
    pub(super) title: &'a str,
}

impl Axis<'_> {
    /// A logarithmic axis over values above 0, rounded out to parts of a decade.
    pub(super) fn log_over(values: impl Iterator<Item = f64>, title: &str) -> Axis<'_> {
        let [low, high] = extent(values.filter(|value| *value > 0.0)).unwrap_or([1.0, 10.0]);
        let (low, high) = (low.log10(), high.log10());
        let room = 0.04 * (high - low).max(0.5);
        Axis {
            scale: Scale::Log,
            range: [10f64.powf(low - room), 10f64.powf(high + room)],
            title,
        }
    }

    /// A linear axis over values, with some room around them.
    pub(super) fn linear_over(values: impl Iterator<Item = f64>, title: &str) -> Axis<'_> {
        let [low, high] = extent(values).unwrap_or([0.0, 1.0]);
        let room = 0.06 * (high - low).max(1e-9);
        Axis {
            scale: Scale::Linear,
            range: [low - room, high + room],
            title,
        }
    }

    /// How far along the axis a value lies, 0..1 inside its range.
    fn share(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log => (value / low).ln() / (high / low).ln(),
        }
    }

    /// Where ticks stand, with their labels.
    fn ticks(&self) -> Vec<(f64, String)> {
        let [low, high] = self.range;
        match self.scale {
            Scale::Linear => {
                let rough = (high - low) / 5.0;
                let unit = 10f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .map(|n| n * unit)
                    .into_iter()
                    .find(|step| *step >= rough)
                    .unwrap_or(rough);
                let decimals = (-step.log10().floor()).max(0.0) as usize;
                let first = (low / step).ceil() as i64;
                let last = (high / step).floor() as i64;
                (first..=last)
                    .map(|n| (n as f64 * step, format!("{:.decimals$}", n as f64 * step)))
                    .collect()
            }
            Scale::Log => {
                let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
                let decades = high.log10() - low.log10();
                let within: &[f64] = if decades > 2.5 {
                    &[1.0]
                } else {
                    &[1.0, 2.0, 5.0]
                };
                let every = ((decades / 7.0).ceil() as i32).max(1);
                (first..=last)
                    .filter(|decade| decade % every == 0)
                    .flat_map(|decade| within.iter().map(move |n| (decade, n)))
                    .map(|(decade, n)| (n * 10f64.powi(decade), decade_label(*n, decade)))
                    .filter(|(value, _)| (low..=high).contains(value))
                    .collect()
            }
        }
    }
}

/// `0.01`, `20`, `1e6`.
fn decade_label(n: f64, decade: i32) -> String {
    match decade {
        -3..=-1 => format!("{:.*}", -decade as usize, n * 10f64.powi(decade)),
        0..=4 => format!("{:.0}", n * 10f64.powi(decade)),
        _ => format!("{n}e{decade}"),
    }
}

fn extent(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    values
        .filter(|value| value.is_finite())
        .fold(None, |extent, value| match extent {
            None => Some([value; 2]),
            Some([low, high]) => Some([value.min(low), value.max(high)]),
        })
}

/// Two axes around a drawing area.
pub(super) struct Panel<'a> {
    /// Its top left.
    pub(super) corner: Place,
    pub(super) size: [f64; 2],
    pub(super) x: Axis<'a>,
    pub(super) y: Axis<'a>,
}

impl Panel<'_> {
    /// Where a point of values lies.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> Place {
        [
            self.corner[0] + self.size[0] * self.x.share(x),
            self.corner[1] + self.size[1] * (1.0 - self.y.share(y)),
        ]
    }

    /// Frame, grid, ticks and titles.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let [left, top] = self.corner;
        let [width, height] = self.size;
        let mut grid = Vec::new();
        for (value, label) in self.x.ticks() {
            let x = left + width * self.x.share(value);
            grid.push([[x, top], [x, top + height]]);
            let look = Type::new(SMALL_SIZE, MUTED, Anchor::Middle);
            canvas.text([x, top + height + 17.0], &label, look);
        }
        for (value, label) in self.y.ticks() {
            let y = top + height * (1.0 - self.y.share(value));
            grid.push([[left, y], [left + width, y]]);
            let look = Type::new(SMALL_SIZE, MUTED, Anchor::End);
            canvas.text([left - 7.0, y + 4.0], &label, look);
        }
        let thin = Stroke {
            color: opaque(RULE),
            width_px: 0.8,
        };
        canvas.segments(&grid, thin);
        let frame = Stroke {
            color: opaque(MUTED),
            width_px: 1.0,
        };
        canvas.rectangle(self.corner, self.size, TRANSPARENT, Some(frame));
        let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
        canvas.text(
            [left + width / 2.0, top + height + 40.0],
            self.x.title,
            look,
        );
        let upright = Type {
            turn: -90.0,
            ..look
        };
        canvas.text([left - 52.0, top + height / 2.0], self.y.title, upright);
    }
}
