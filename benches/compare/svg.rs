//! A line chart with logarithmic axes as SVG.

use std::fmt::Write;

/// A line: what it shows, in which colour, and its points.
pub struct Line {
    pub name: &'static str,
    pub colour: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// A chart. Both axes are logarithmic.
pub struct Chart {
    pub title: String,
    pub x: String,
    pub y: String,
    pub lines: Vec<Line>,
    /// Under the title: the machine.
    pub note: String,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 56.0;

struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (low, high) =
            values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = (low.log10(), high.log10());
        let margin = ((high - low) * 0.04).max(0.02);
        Axis { low: low - margin, high: high + margin, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// Powers of two, if it shows nothing else; otherwise powers of ten, of a short axis also steps
    /// in between.
    fn ticks(&self, mut values: impl Iterator<Item = f64>) -> Vec<f64> {
        if values.all(|value| value.log2().fract() == 0.0) {
            let powers = (0..10).map(|power| f64::from(1 << power));
            return powers.filter(|tick| (self.low..=self.high).contains(&tick.log10())).collect();
        }
        let steps: &[f64] = match self.high - self.low {
            decades if decades > 2.5 => &[1.0],
            decades if decades > 0.9 => &[1.0, 2.0, 5.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        };
        let powers = self.low.floor() as i32..=self.high.ceil() as i32;
        powers
            .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(&tick.log10()))
            .collect()
    }
}

fn label(value: f64) -> String {
    let text = |v: f64| if v >= 1.0 { format!("{v:.0}") } else { format!("{v}") };
    match value {
        v if v >= 1e6 => format!("{} M", text(v / 1e6)),
        v if v >= 1e4 => format!("{} k", text(v / 1e3)),
        v if v >= 1.0 && v.fract() == 0.0 => text(v),
        v => format!("{v:.7}").trim_end_matches('0').to_owned(),
    }
}

impl Chart {
    /// The SVG's text.
    pub fn draw(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let x = Axis::new(points().map(|p| p.0), LEFT, WIDTH - RIGHT);
        let y = Axis::new(points().map(|p| p.1), HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
        );
        text(&mut svg, LEFT, 26.0, "font-size=\"17\" font-weight=\"bold\"", &self.title);
        text(&mut svg, LEFT, 46.0, "font-size=\"11\" fill=\"#666\"", &self.note);
        self.draw_axes(&mut svg, &x, &y);
        for line in &self.lines {
            draw_line(&mut svg, line, &x, &y);
        }
        self.draw_names(&mut svg, &y);
        svg + "</svg>\n"
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let values = |of: fn(&(f64, f64)) -> f64| {
            self.lines.iter().flat_map(move |line| line.points.iter().map(of))
        };
        for tick in x.ticks(values(|point| point.0)) {
            let at = x.place(tick);
            rule(svg, (at, TOP), (at, bottom));
            text(svg, at, bottom + 18.0, "text-anchor=\"middle\"", &label(tick));
        }
        for tick in y.ticks(values(|point| point.1)) {
            let at = y.place(tick);
            rule(svg, (LEFT, at), (right, at));
            text(svg, LEFT - 8.0, at + 4.0, "text-anchor=\"end\"", &label(tick));
        }
        text(svg, (LEFT + right) / 2.0, HEIGHT - 12.0, "text-anchor=\"middle\"", &self.x);
        let middle = (TOP + bottom) / 2.0;
        let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 20 {middle:.0})\"");
        text(svg, 20.0, middle, &turned, &self.y);
    }

    /// Beside the last point of each line, apart from each other.
    fn draw_names(&self, svg: &mut String, y: &Axis) {
        let end = |line: &Line| line.points.last().map_or(TOP, |p| y.place(p.1));
        let mut named: Vec<(f64, &Line)> = self.lines.iter().map(|l| (end(l), l)).collect();
        named.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = TOP - 10.0;
        for (at, line) in named {
            lowest = at.max(lowest + 17.0);
            let style = format!("fill=\"{}\" font-weight=\"bold\"", line.colour);
            text(svg, WIDTH - RIGHT + 10.0, lowest + 4.0, &style, line.name);
        }
    }
}

fn draw_line(svg: &mut String, line: &Line, x: &Axis, y: &Axis) {
    let places: Vec<String> =
        line.points.iter().map(|p| format!("{:.1},{:.1}", x.place(p.0), y.place(p.1))).collect();
    let colour = line.colour;
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
        places.join(" ")
    );
    // Many points are a curve of their own.
    if line.points.len() <= 20 {
        for (px, py) in &line.points {
            let (cx, cy) = (x.place(*px), y.place(*py));
            let _ = writeln!(
                svg,
                "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
            );
        }
    }
}

fn rule(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, what: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{what}</text>");
}
