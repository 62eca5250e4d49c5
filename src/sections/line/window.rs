//! A "largest of" step: one window swept from left to right, and who leads it.

use super::super::{EPS, TOL_T};
use super::kinks::{Kink, Rows};

/// What a "largest of" step gives, while it is swept.
pub(super) struct Swept {
    /// Slope of an activation below 0; 1 where there is none.
    pub(super) leak: f64,
    pub(super) range: [f64; 2],
    pub(super) old_events: usize,
    pub(super) new_times: Vec<f64>,
    pub(super) start: Vec<f64>,
    pub(super) slope_at_start: Vec<f64>,
    pub(super) kinks: Vec<Kink>,
}

impl Swept {
    pub(super) fn new(outputs: usize, old_events: usize, range: [f64; 2], leak: f64) -> Self {
        Self {
            leak,
            range,
            old_events,
            new_times: Vec::new(),
            start: vec![0.0; outputs],
            slope_at_start: vec![0.0; outputs],
            kinks: Vec::new(),
        }
    }
}

/// The function that leads a channel: pixel `p` as it is (`p`), pixel `p` times the leak
/// (`pixels + p`), or 0, which is pixel 0 times a leak of 0 (`pixels`).
pub(super) type Leader = u32;

/// One window: the functions of its pixels, channels side by side, and who leads.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) pixels: usize,
    pub(super) channels: usize,
    /// `[pixels, channels]`, at the current time.
    pub(super) value: Vec<f64>,
    pub(super) slope: Vec<f64>,
    pub(super) ahead: Vec<f64>,
    /// `[channels]`
    pub(super) leader: Vec<Leader>,
    pub(super) lead: Vec<f64>,
    pub(super) lead_slope: Vec<f64>,
    pub(super) lead_ahead: Vec<f64>,
    pub(super) highest: Vec<f64>,
}

impl Sweep {
    pub(super) fn begin(&mut self, functions: &[(&[f64], &[f64])]) {
        self.pixels = functions.len();
        self.channels = functions[0].0.len();
        self.value.clear();
        self.slope.clear();
        for (value, slope) in functions {
            self.value.extend_from_slice(value);
            self.slope.extend_from_slice(slope);
        }
        self.ahead.clear();
        self.ahead.resize(self.value.len(), 0.0);
        for list in [
            &mut self.lead,
            &mut self.lead_slope,
            &mut self.lead_ahead,
            &mut self.highest,
        ] {
            list.clear();
            list.resize(self.channels, 0.0);
        }
        self.leader.clear();
        self.leader.resize(self.channels, 0);
    }

    /// Functions of one channel that take part.
    pub(super) fn num_functions(&self, leak: f64) -> usize {
        match leak {
            1.0 => self.pixels,
            0.0 => self.pixels + 1,
            _ => 2 * self.pixels,
        }
    }

    /// Value now and slope of function `f` in channel `c`.
    pub(super) fn function(&self, f: usize, c: usize, leak: f64) -> (f64, f64) {
        if f < self.pixels {
            let at = f * self.channels + c;
            (self.value[at], self.slope[at])
        } else {
            let at = (f - self.pixels) * self.channels + c;
            match leak {
                0.0 => (0.0, 0.0),
                _ => (leak * self.value[at], leak * self.slope[at]),
            }
        }
    }

    /// Who leads each channel at the beginning: of those that are largest the steepest.
    pub(super) fn lead_off(&mut self, first_unit: usize, out: &mut Swept) {
        let functions = self.num_functions(out.leak);
        for c in 0..self.channels {
            let highest = (0..functions)
                .map(|f| self.function(f, c, out.leak).0)
                .fold(f64::NEG_INFINITY, f64::max);
            let least = highest - EPS * highest.abs().max(1.0);
            let mut best: Option<(usize, f64, f64)> = None;
            for f in 0..functions {
                let (value, slope) = self.function(f, c, out.leak);
                if value >= least && best.is_none_or(|(_, _, steepest)| slope > steepest) {
                    best = Some((f, value, slope));
                }
            }
            // Values that are not finite lead nowhere; the caller reports them.
            let (f, value, slope) = best.unwrap_or((0, f64::NAN, f64::NAN));
            self.leader[c] = f as Leader;
            self.lead[c] = value;
            self.lead_slope[c] = slope;
            out.start[first_unit + c] = value;
            out.slope_at_start[first_unit + c] = slope;
        }
    }

    /// Sweeps the window over the events of its pixels.
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        times: &[f64],
        sources: &[&Rows],
        first_unit: usize,
        out: &mut Swept,
    ) {
        self.lead_off(first_unit, out);
        let mut next = [0usize; 16];
        let mut more = Vec::new();
        let next: &mut [usize] = if sources.len() <= next.len() {
            &mut next[..sources.len()]
        } else {
            more.resize(sources.len(), 0);
            &mut more
        };
        let mut now = out.range[0];
        loop {
            let waiting = sources.iter().zip(next.iter());
            let event = waiting
                .filter_map(|(source, &k)| source.events.get(k).copied())
                .min();
            let to = event.map_or(out.range[1], |event| times[event as usize]);
            if to > now {
                self.advance(now, to, first_unit, out);
                now = to;
            }
            let Some(event) = event else {
                break;
            };
            for (p, source) in sources.iter().enumerate() {
                if source.events.get(next[p]) == Some(&event) {
                    let row = &source.rows[next[p] * self.channels..][..self.channels];
                    self.bend(p, row, event, first_unit, out);
                    next[p] += 1;
                }
            }
        }
    }

    /// From one event to the next, on which every function is affine.
    #[inline(always)]
    pub(super) fn advance(&mut self, now: f64, to: f64, first_unit: usize, out: &mut Swept) {
        let (channels, step, leak) = (self.channels, to - now, out.leak);
        for ((ahead, value), slope) in self.ahead.iter_mut().zip(&self.value).zip(&self.slope) {
            *ahead = value + slope * step;
        }
        let (first, others) = self.ahead.split_at(channels);
        self.highest.copy_from_slice(first);
        for other in others.chunks_exact(channels) {
            for (highest, value) in self.highest.iter_mut().zip(other) {
                *highest = if *value > *highest { *value } else { *highest };
            }
        }
        for highest in &mut self.highest {
            *highest = if *highest > 0.0 {
                *highest
            } else {
                leak * *highest
            };
        }
        let mut behind = 0u32;
        for c in 0..channels {
            let ahead = self.lead[c] + self.lead_slope[c] * step;
            self.lead_ahead[c] = ahead;
            let highest = self.highest[c];
            let band = EPS
                * if highest.abs() > 1.0 {
                    highest.abs()
                } else {
                    1.0
                };
            behind += u32::from(ahead < highest - band);
        }
        if behind > 0 {
            for c in 0..channels {
                let highest = self.highest[c];
                let band = EPS * highest.abs().max(1.0);
                if self.lead_ahead[c] < highest - band {
                    self.overtake(c, [now, to], first_unit, out);
                }
            }
        }
        std::mem::swap(&mut self.value, &mut self.ahead);
        std::mem::swap(&mut self.lead, &mut self.lead_ahead);
    }

    /// Somebody else leads channel `c` at `to`: finds who, and from when on.
    #[inline(never)]
    pub(super) fn overtake(
        &mut self,
        c: usize,
        [now, to]: [f64; 2],
        first_unit: usize,
        out: &mut Swept,
    ) {
        let functions = self.num_functions(out.leak);
        let highest = self.highest[c];
        let least = highest - EPS * highest.abs().max(1.0);
        let mut at = now;
        // Each overtaking is by a steeper function: there are fewer than functions.
        for _ in 0..functions {
            let (lead, lead_slope) = (self.lead[c], self.lead_slope[c]);
            let mut best: Option<(f64, usize, f64, f64)> = None;
            for f in 0..functions {
                let (value, slope) = self.function(f, c, out.leak);
                if slope <= lead_slope || f == self.leader[c] as usize {
                    continue;
                }
                let x = (now + (lead - value) / (slope - lead_slope)).max(at);
                let better = best.is_none_or(|(first, _, _, steepest)| {
                    x < first || (x == first && slope > steepest)
                });
                if better {
                    best = Some((x, f, value, slope));
                }
            }
            let Some((x, f, value, slope)) = best.filter(|&(x, ..)| x < to) else {
                break;
            };
            let delta = slope - lead_slope;
            if x - out.range[0] <= TOL_T {
                // A tie at the beginning that rounding undid.
                out.slope_at_start[first_unit + c] += delta;
            } else if out.range[1] - x > TOL_T {
                out.kinks.push(Kink {
                    event: (out.old_events + out.new_times.len()) as u32,
                    unit: (first_unit + c) as u32,
                    delta,
                });
                out.new_times.push(x);
            }
            self.leader[c] = f as Leader;
            self.lead[c] = value;
            self.lead_slope[c] = slope;
            at = x;
            self.lead_ahead[c] = value + slope * (to - now);
            if self.lead_ahead[c] >= least {
                break;
            }
        }
    }

    /// Pixel `p` changes its slopes at an event.
    #[inline(always)]
    pub(super) fn bend(
        &mut self,
        p: usize,
        row: &[f64],
        event: u32,
        first_unit: usize,
        out: &mut Swept,
    ) {
        let slopes = &mut self.slope[p * self.channels..][..self.channels];
        for (slope, change) in slopes.iter_mut().zip(row) {
            *slope += change;
        }
        let (as_it_is, leaking) = (p as Leader, (self.pixels + p) as Leader);
        for (c, change) in row.iter().enumerate() {
            let factor = if self.leader[c] == as_it_is {
                1.0
            } else if self.leader[c] == leaking {
                out.leak
            } else {
                continue;
            };
            let delta = factor * change;
            if delta != 0.0 {
                out.kinks.push(Kink {
                    event,
                    unit: (first_unit + c) as u32,
                    delta,
                });
                self.lead_slope[c] = factor * slopes[c];
            }
        }
    }
}
