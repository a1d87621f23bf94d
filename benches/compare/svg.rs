//! A line chart as SVG, and its points as CSV. It brings its own background, so that it can be read on
//! any page. Lines differ in colour, dashes and markers: each of them is enough to tell them apart.

use std::fmt::Write;

/// A line: what it shows, how it looks, and its points.
pub struct Line {
    pub name: String,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

/// How a line looks.
#[derive(Clone, Copy)]
pub struct Style {
    /// Of Okabe and Ito's eight, which do not depend on how one sees colours.
    pub colour: &'static str,
    /// Lengths of dashes and gaps; "" for none.
    pub dashes: &'static str,
    pub marker: Marker,
}

/// What stands at a point.
#[derive(Clone, Copy)]
pub enum Marker {
    Circle,
    Square,
    Triangle,
}

/// What an axis shows.
#[derive(Clone, Copy)]
pub enum Scale {
    /// Numbers.
    Count,
    /// Powers of two.
    Powers,
    /// Nanoseconds; written in the unit that suits.
    Time,
    /// Numbers from 0 on a scale that is not logarithmic.
    Linear,
}

/// A chart. Both axes are logarithmic, and say so, unless they are said to be linear.
pub struct Chart {
    pub title: String,
    pub x: (&'static str, Scale),
    pub y: (&'static str, Scale),
    pub lines: Vec<Line>,
    /// Under the title: the machine.
    pub note: String,
}

const WIDTH: f64 = 835.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 205.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 56.0;

struct Axis {
    scale: Scale,
    /// As [`Axis::share`] sees them: logarithms, unless it is linear.
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(scale: Scale, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let mut axis = Axis { scale, low: 0.0, high: 0.0, from, to };
        let ends = values.map(|value| axis.level(value));
        let (low, high) =
            ends.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let margin = ((high - low) * 0.04).max(0.02);
        (axis.low, axis.high) = (low - margin, high + margin);
        axis
    }

    fn level(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            _ => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (self.level(value) - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let all: Vec<f64> = match self.scale {
            Scale::Powers => (0..10).map(|power| f64::from(1 << power)).collect(),
            Scale::Linear => {
                let step = 10f64.powf((self.high / 4.0).log10().floor());
                let step = if self.high / step > 10.0 { step * 2.0 } else { step };
                (0..20).map(|n| f64::from(n) * step).collect()
            }
            Scale::Count | Scale::Time => self.decades(),
        };
        let shown = |&tick: &f64| (self.low..=self.high).contains(&self.level(tick));
        all.into_iter().filter(shown).collect()
    }

    /// Powers of ten; of a short axis also steps in between.
    fn decades(&self) -> Vec<f64> {
        let steps: &[f64] = match self.high - self.low {
            decades if decades > 2.5 => &[1.0],
            decades if decades > 0.9 => &[1.0, 2.0, 5.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        };
        let powers = self.low.floor() as i32..=self.high.ceil() as i32;
        powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power))).collect()
    }

    fn label(&self, value: f64) -> String {
        let scales: &[(f64, &str)] = match self.scale {
            Scale::Time => &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (0.0, " ns")],
            _ => &[(1e6, " M"), (1e4, " k"), (0.0, "")],
        };
        let &(from, unit) = scales.iter().find(|(from, _)| value >= *from).unwrap_or(&(0.0, ""));
        let divisor = match (unit, from) {
            (" k", _) => 1e3,
            (_, 0.0) => 1.0,
            (_, from) => from,
        };
        // Without what binary fractions leave behind.
        let number = format!("{:.6}", value / divisor);
        format!("{}{unit}", number.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The name of an axis.
fn axis_name((name, scale): (&str, Scale)) -> String {
    match scale {
        Scale::Linear => name.to_owned(),
        _ => format!("{name} (log scale)"),
    }
}

impl Chart {
    /// One line for each point: of which line, and where.
    pub fn csv(&self) -> String {
        let with_unit = |(name, scale): (&str, Scale)| match scale {
            Scale::Time => quoted(&format!("{name}, in ns")),
            _ => quoted(name),
        };
        let mut csv = format!("\"line\",{},{}\n", with_unit(self.x), with_unit(self.y));
        for line in &self.lines {
            for (x, y) in &line.points {
                let _ = writeln!(csv, "{},{x},{y}", quoted(&line.name));
            }
        }
        csv
    }

    /// The SVG's text.
    pub fn draw(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let x = Axis::new(self.x.1, points().map(|p| p.0), LEFT, WIDTH - RIGHT);
        let y = Axis::new(self.y.1, points().map(|p| p.1), HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
             <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"white\" \
             stroke=\"#ccc\"/>\n",
            WIDTH - 1.0,
            HEIGHT - 1.0
        );
        text(&mut svg, LEFT, 28.0, "font-size=\"17\" font-weight=\"bold\"", &self.title);
        text(&mut svg, LEFT, 48.0, "font-size=\"11\" fill=\"#555\"", &self.note);
        self.draw_axes(&mut svg, &x, &y);
        for line in &self.lines {
            draw_line(&mut svg, line, &x, &y);
        }
        self.draw_legend(&mut svg);
        svg + "</svg>\n"
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in x.ticks() {
            let at = x.place(tick);
            rule(svg, (at, TOP), (at, bottom), "stroke=\"#ddd\"");
            text(svg, at, bottom + 18.0, "text-anchor=\"middle\"", &x.label(tick));
        }
        for tick in y.ticks() {
            let at = y.place(tick);
            rule(svg, (LEFT, at), (right, at), "stroke=\"#ddd\"");
            text(svg, LEFT - 8.0, at + 4.0, "text-anchor=\"end\"", &y.label(tick));
        }
        rule(svg, (LEFT, TOP), (LEFT, bottom), "stroke=\"#888\"");
        rule(svg, (LEFT, bottom), (right, bottom), "stroke=\"#888\"");
        let (x_name, y_name) = (axis_name(self.x), axis_name(self.y));
        text(svg, (LEFT + right) / 2.0, HEIGHT - 14.0, "text-anchor=\"middle\"", &x_name);
        let middle = (TOP + bottom) / 2.0;
        let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 20 {middle:.0})\"");
        text(svg, 20.0, middle, &turned, &y_name);
    }

    fn draw_legend(&self, svg: &mut String) {
        let left = WIDTH - RIGHT + 16.0;
        for (line, at) in self.lines.iter().zip((0..).map(|n| TOP + 10.0 + 22.0 * f64::from(n))) {
            rule(svg, (left, at), (left + 34.0, at), &stroke(line.style));
            mark(svg, left + 17.0, at, line.style);
            text(svg, left + 42.0, at + 4.0, "", &line.name);
        }
    }
}

fn quoted(cell: &str) -> String {
    format!("\"{cell}\"")
}

fn stroke(style: Style) -> String {
    let dashes = match style.dashes {
        "" => String::new(),
        dashes => format!(" stroke-dasharray=\"{dashes}\""),
    };
    format!("stroke=\"{}\" stroke-width=\"2.5\"{dashes}", style.colour)
}

/// Markers on a line that is a curve of many points.
const MOST_MARKERS: usize = 12;

fn draw_line(svg: &mut String, line: &Line, x: &Axis, y: &Axis) {
    let place = |p: &(f64, f64)| (x.place(p.0), y.place(p.1));
    let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
    let points: Vec<String> = places.iter().map(|(px, py)| format!("{px:.1},{py:.1}")).collect();
    let stroke = stroke(line.style);
    let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" {stroke}/>", points.join(" "));
    let every = places.len().div_ceil(MOST_MARKERS).max(1);
    for (px, py) in places.into_iter().step_by(every) {
        mark(svg, px, py, line.style);
    }
}

fn mark(svg: &mut String, x: f64, y: f64, style: Style) {
    let fill = format!("fill=\"{}\"", style.colour);
    let _ = match style.marker {
        Marker::Circle => writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" {fill}/>"),
        Marker::Square => {
            let (left, top) = (x - 4.0, y - 4.0);
            writeln!(svg, "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"8\" height=\"8\" {fill}/>")
        }
        Marker::Triangle => {
            let (left, right, top, bottom) = (x - 5.0, x + 5.0, y - 5.0, y + 4.0);
            let corners = format!("{x:.1},{top:.1} {right:.1},{bottom:.1} {left:.1},{bottom:.1}");
            writeln!(svg, "<polygon points=\"{corners}\" {fill}/>")
        }
    };
}

fn rule(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), style: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, what: &str) {
    let what = what.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{what}</text>");
}
